//! The object types, as a correct import must hold them: a row for each.
//!
//! Written from the text of the contract, and by nobody's hand but a person's: a list that is made of the connector's
//! `Describe` or of its tables proves nothing, since both would be wrong together. The only place of the harness that
//! names an object type.

use anyhow::Result;
use serde_json::{Map, Value};

use super::TruthRow;
use crate::simulator::{Truth, TruthEdge, TruthObject};

/// What the mesh must hold of one object type.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether a configuration that switches nothing imports it.
    pub(super) by_default: bool,
    /// Attributes that are always imported.
    pub(super) attributes: &'static [&'static str],
    /// Arrays of the source that become one text, joined by a comma.
    pub(super) joined: &'static [&'static str],
}

/// How a row of the source is known again.
#[derive(Debug)]
pub(super) enum Kind {
    /// By its id.
    Object {
        /// Whether the configuration may choose another attribute as the ExternalId.
        external_id_is_chosen: bool,
    },
    /// By an id of its own, or by these attributes, joined by a colon.
    Edge { key: &'static [&'static str] },
    /// By its id; what was said of it last counts, and it never goes.
    #[expect(dead_code, reason = "no type of the connector is one yet")]
    Event,
}

pub(super) const ALL: &[Expected] = &[
    Expected {
        name: "User",
        kind: Kind::Object { external_id_is_chosen: true },
        by_default: true,
        attributes: &[
            "displayName",
            "userPrincipalName",
            "mail",
            "givenName",
            "surname",
            "jobTitle",
            "department",
            "companyName",
            "officeLocation",
            "mobilePhone",
            "businessPhones",
            "accountEnabled",
            "userType",
            "usageLocation",
        ],
        joined: &["businessPhones"],
    },
    Expected {
        name: "Group",
        kind: Kind::Object { external_id_is_chosen: false },
        by_default: true,
        attributes: &[
            "displayName",
            "mailNickname",
            "mail",
            "description",
            "groupTypes",
            "securityEnabled",
            "mailEnabled",
            "visibility",
        ],
        joined: &["groupTypes"],
    },
    Expected {
        name: "GroupMember",
        kind: Kind::Edge { key: &["groupId", "memberId"] },
        by_default: true,
        attributes: &["groupId", "memberId", "memberType"],
        joined: &[],
    },
];

/// All of a simulator's truth.
pub(super) fn rows(truth: &Truth) -> impl Iterator<Item = Result<TruthRow>> + use<> {
    let object = |name: &'static str| move |it: TruthObject| TruthRow::new(name, Some(&it.id), it.attributes);
    let member = |it: TruthEdge| {
        let ends = [("groupId", it.parent), ("memberId", it.child), ("memberType", it.child_type.to_owned())];
        let attributes: Map<String, Value> =
            ends.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
        TruthRow::new("GroupMember", None, attributes)
    };
    truth.users().map(object("User")).chain(truth.groups().map(object("Group"))).chain(truth.members().map(member))
}
