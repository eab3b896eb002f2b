//! What a correct import must hold, read from the tenant's state and not through anything HTTP touches.
//!
//! A truth is a snapshot: scripts applied later do not change it. Iterators compute one row at a time, so that a tenant of
//! any size can be compared. Edges of hidden groups are left out when the application may not read them.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::state::State;
use super::view::View;
use crate::simulator::base::Base;
use crate::simulator::catalog;
use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};

/// A snapshot of the live tenant.
#[derive(Debug, Clone)]
pub struct Truth {
    base: Arc<Base>,
    state: Arc<State>,
    sees_hidden: bool,
    groups: Option<Arc<HashSet<u32>>>,
}

/// A live user or group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TruthObject {
    /// Graph's id.
    pub id: String,
    /// Graph's names and values; null, or an empty array, where there is none.
    pub attributes: Map<String, Value>,
}

/// A direct membership between a live group and a live member.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthEdge {
    /// The group's id.
    pub group_id: String,
    /// The member's id.
    pub member_id: String,
    /// `User`, `Group`, `Device`, `ServicePrincipal` or `OrgContact`.
    pub member_type: &'static str,
}

impl Truth {
    pub(crate) fn new(base: Arc<Base>, state: Arc<State>, sees_hidden: bool) -> Truth {
        Truth { base, state, sees_hidden, groups: None }
    }

    fn view(&self) -> View<'_> {
        View::new(&self.base, &self.state)
    }

    /// Live users with every property they can have.
    pub fn users(&self) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects(ObjectKind::User, None)
    }

    /// Live users with these properties only; unknown names are left out.
    pub fn users_selecting(&self, properties: &[&str]) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects(ObjectKind::User, Some(properties))
    }

    /// Live groups with every property they can have.
    pub fn groups(&self) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects(ObjectKind::Group, None)
    }

    /// Live groups with these properties only; unknown names are left out.
    pub fn groups_selecting(&self, properties: &[&str]) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects(ObjectKind::Group, Some(properties))
    }

    fn objects(
        &self,
        kind: ObjectKind,
        properties: Option<&[&str]>,
    ) -> impl Iterator<Item = TruthObject> + Send + use<> {
        let chosen: Vec<_> = match properties {
            None => catalog::valued(kind).filter(|property| property.name != "id").collect(),
            Some(names) => names.iter().filter_map(|name| catalog::property(kind, name)).collect(),
        };
        let truth = self.clone();
        self.numbers(kind).map(move |number| {
            let object = ObjectRef { kind, number };
            TruthObject { id: truth.view().id(object), attributes: truth.view().row(object, &chosen) }
        })
    }

    fn numbers(&self, kind: ObjectKind) -> impl Iterator<Item = u32> + Send + use<> {
        let truth = self.clone();
        (0..self.view().count(kind)).filter(move |number| {
            truth.view().is_live(ObjectRef { kind, number: *number })
                && (kind != ObjectKind::Group || truth.groups.as_ref().is_none_or(|groups| groups.contains(number)))
        })
    }

    /// Direct memberships of live groups in live members.
    pub fn edges(&self) -> impl Iterator<Item = TruthEdge> + Send + use<> {
        let truth = self.clone();
        self.numbers(ObjectKind::Group).flat_map(move |group| {
            let view = truth.view();
            let readable = truth.sees_hidden || !view.hides_members(group);
            let group_id = view.id(ObjectRef::group(group));
            let members: Vec<_> = if readable { view.roster(group).shown_members().collect() } else { Vec::new() };
            let truth = truth.clone();
            members.into_iter().map(move |member| TruthEdge {
                group_id: group_id.clone(),
                member_id: truth.view().id(member),
                member_type: member.kind.name(),
            })
        })
    }

    /// This truth with the groups, and edges of the groups, for which `keep` holds. Users stay as they are.
    #[must_use]
    pub fn with_groups_where(&self, keep: impl Fn(&TruthObject) -> bool) -> Truth {
        let kept = self.groups().filter(|group| keep(group));
        let numbers = kept.filter_map(|group| self.base.ids.find(&group.id)).map(|object| object.number).collect();
        Truth { groups: Some(Arc::new(numbers)), ..self.clone() }
    }

    /// How many live users there are.
    pub fn user_count(&self) -> u64 {
        self.numbers(ObjectKind::User).count() as u64
    }

    /// How many live groups there are.
    pub fn group_count(&self) -> u64 {
        self.numbers(ObjectKind::Group).count() as u64
    }

    /// How many edges there are between live ends.
    pub fn edge_count(&self) -> u64 {
        self.edges().count() as u64
    }

    /// The truth as lines of JSON, each with its line end.
    pub fn lines(&self) -> impl Iterator<Item = String> + Send + use<> {
        let object = |object_type: &'static str| {
            move |row: TruthObject| {
                format!("{}\n", json!({"ObjectType": object_type, "id": row.id, "attributes": row.attributes}))
            }
        };
        let edge = |edge: TruthEdge| {
            let (group, member, sort) = (edge.group_id, edge.member_id, edge.member_type);
            format!(
                "{}\n",
                json!({"ObjectType": "GroupMember", "groupId": group, "memberId": member, "memberType": sort})
            )
        };
        self.users().map(object("User")).chain(self.groups().map(object("Group"))).chain(self.edges().map(edge))
    }
}

/// A hash of a set of lines that does not depend on their order, for comparing sets too large to sort.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFreeHash {
    sum: [u64; 4],
    count: u64,
}

impl OrderFreeHash {
    /// An empty set.
    pub fn new() -> OrderFreeHash {
        OrderFreeHash::default()
    }

    /// Count one line in. The same line twice is another set.
    pub fn add(&mut self, line: &str) {
        let digest = Sha256::digest(line.as_bytes());
        for (sum, bytes) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            *sum = sum.wrapping_add(u64::from_le_bytes(word));
        }
        self.count += 1;
    }

    /// How many lines were counted in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The hash in hexadecimal digits.
    pub fn finish(&self) -> String {
        self.sum.iter().fold(String::new(), |mut text, word| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{word:016x}");
            text
        })
    }
}
