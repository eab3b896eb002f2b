//! What each feed of a run starts from: its delta link, or the beginning.
//!
//! The order of the checks is part of the contract. Another tenant or Graph: the whole watermark is refused, since going
//! on would mix two directories. Another selection: the types touched restart as Full, with a warning. A link that leads
//! elsewhere: refused before any request is made.

use std::time::Duration;

use super::watermark::{Entry, Key, Watermark, invalid};
use crate::error::{Error, Kind};

/// Graph keeps delta tokens of directory objects for seven days (docs: delta query overview); from this age a run warns.
const WARN_AGE: Duration = Duration::from_secs(5 * 24 * 3600);

/// Where a feed starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the beginning.
    Full,
    /// At a delta link.
    Delta(String),
}

/// Something for the result's `Warnings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Never renamed.
    pub code: &'static str,
    /// The object type it concerns.
    pub object_type: Option<&'static str>,
    /// For the operator.
    pub message: String,
}

/// What this run asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Directory GUID.
    pub tenant: &'a str,
    /// Graph origin.
    pub origin: &'a str,
    /// Fingerprint of the users feed; `None`: not read by delta.
    pub users: Option<&'a str>,
    /// Fingerprint of the groups feed; `None`: not read by delta.
    pub groups: Option<&'a str>,
    /// Whether a watermark of just the two links would fit: no filter, default attributes.
    pub defaults: bool,
    /// Seconds since 1970.
    pub now: u64,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The users feed.
    pub users: Start,
    /// The groups feed.
    pub groups: Start,
    /// For the result.
    pub warnings: Vec<Warning>,
    /// What the run's watermark grows from.
    pub carried: Watermark,
}

/// Decides. `leads_here` says whether a link is one of the configured Graph.
pub fn plan(
    previous: Option<&Watermark>,
    wanted: &Wanted<'_>,
    leads_here: impl Fn(&str) -> bool,
) -> Result<Plan, Error> {
    let mut plan = Plan {
        users: Start::Full,
        groups: Start::Full,
        warnings: Vec::new(),
        carried: Watermark {
            tenant: Some(wanted.tenant.to_owned()),
            origin: Some(wanted.origin.to_owned()),
            ..Watermark::default()
        },
    };
    let Some(previous) = previous else { return Ok(plan) };
    same("/x/tenant", "tenant", previous.tenant.as_deref(), wanted.tenant)?;
    same("/x/origin", "Graph endpoint", previous.origin.as_deref(), wanted.origin)?;
    for (key, fingerprint) in [(Key::Users, wanted.users), (Key::Groups, wanted.groups)] {
        let Some(entry) = previous.entry(key) else { continue };
        let start = start(key, entry, fingerprint, wanted, &mut plan.warnings);
        if !(leads_here(&entry.link) && is_of_feed(&entry.link, key)) {
            let (path, name) = match key {
                Key::Users => ("/u", "users"),
                Key::Groups => ("/g", "groups"),
            };
            return Err(invalid(
                path,
                "a link that leads elsewhere",
                format!("a delta link of {name} at {}", wanted.origin),
            ));
        }
        if fingerprint.is_some() {
            // Kept until the type's End, so that a run that fails half-way changes nothing.
            plan.carried.set(key, Some(entry.clone()));
        }
        match key {
            Key::Users => plan.users = start,
            Key::Groups => plan.groups = start,
        }
    }
    Ok(plan)
}

fn same(path: &str, what: &str, stored: Option<&str>, wanted: &str) -> Result<(), Error> {
    match stored {
        Some(stored) if stored != wanted => {
            Err(invalid(path, format!("{what} {stored}"), format!("{what} {wanted}, as configured")))
        }
        _ => Ok(()),
    }
}

fn start(
    key: Key,
    entry: &Entry,
    wanted_fingerprint: Option<&str>,
    wanted: &Wanted<'_>,
    warnings: &mut Vec<Warning>,
) -> Start {
    let object_type = match key {
        Key::Users => "User",
        Key::Groups => "Group",
    };
    let mut warn = |code, message: String| warnings.push(Warning { code, object_type: Some(object_type), message });
    let Some(wanted_fingerprint) = wanted_fingerprint else { return Start::Full };
    match &entry.fingerprint {
        Some(fingerprint) if fingerprint == wanted_fingerprint => {}
        Some(_) => {
            warn(
                "SelectionChanged",
                "the configuration asks for other attributes than the stored delta link was made for: imported in full"
                    .into(),
            );
            return Start::Full;
        }
        None if wanted.defaults => {
            warn("ForeignWatermark", "the watermark holds only links: taken over, on the word of the host that they belong to this tenant and to the default attributes".into());
        }
        None => {
            warn("ForeignWatermark", "the watermark holds only links, and the configuration asks for more than the defaults: imported in full".into());
            return Start::Full;
        }
    }
    if let Some(at) = entry.at {
        let age = Duration::from_secs(wanted.now.saturating_sub(at));
        if age >= WARN_AGE {
            warn(
                "DeltaLinkAge",
                format!(
                    "the delta link is {} days old; Graph keeps them for 7 days: import more often",
                    age.as_secs() / 86400
                ),
            );
        }
    }
    Start::Delta(entry.link.clone())
}

/// Whether the link's path is the feed's function, in any of Graph's spellings.
fn is_of_feed(link: &str, key: Key) -> bool {
    let path = link.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let collection = match key {
        Key::Users => "/users/",
        Key::Groups => "/groups/",
    };
    path.contains(collection) && path.trim_end_matches("()").ends_with("delta")
}

/// The error for a feed whose delta link Graph refused.
pub(crate) fn expired(error: Error, object_type: &'static str) -> Error {
    Error {
        kind: Kind::WatermarkExpired,
        message: format!("{object_type} cannot be imported by delta: {}", error.message),
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "https://graph/v1.0/users/delta?$deltatoken=1";

    fn wanted() -> Wanted<'static> {
        Wanted {
            tenant: "t",
            origin: "https://graph",
            users: Some("fu"),
            groups: Some("fg"),
            defaults: true,
            now: 10 * 86400,
        }
    }

    fn mark(link: &str, fingerprint: Option<&str>, at: u64) -> Watermark {
        let entry = Entry { link: link.into(), fingerprint: fingerprint.map(Into::into), at: Some(at) };
        Watermark { tenant: Some("t".into()), origin: Some("https://graph".into()), users: Some(entry), groups: None }
    }

    fn planned(mark: &Watermark, wanted: &Wanted<'_>) -> Result<Plan, Error> {
        plan(Some(mark), wanted, |link| link.starts_with("https://graph/"))
    }

    #[test]
    fn a_matching_link_is_followed_and_a_missing_one_starts_full() {
        let plan = planned(&mark(USERS, Some("fu"), 10 * 86400), &wanted()).unwrap();
        assert_eq!((plan.users, plan.groups), (Start::Delta(USERS.into()), Start::Full));
        assert!(plan.warnings.is_empty());
    }

    #[test]
    fn another_tenant_or_graph_is_refused_naming_both() {
        let error = planned(&mark(USERS, Some("fu"), 0), &Wanted { tenant: "other", ..wanted() }).unwrap_err();
        assert!(
            error.kind == Kind::InvalidWatermark
                && error.message.contains("tenant t,")
                && error.message.contains("other")
        );
        assert!(planned(&mark(USERS, Some("fu"), 0), &Wanted { origin: "https://elsewhere", ..wanted() }).is_err());
    }

    #[test]
    fn another_selection_restarts_as_full_with_a_warning_and_keeps_the_old_link_meanwhile() {
        let plan = planned(&mark(USERS, Some("old"), 0), &wanted()).unwrap();
        assert_eq!((plan.users, plan.warnings[0].code), (Start::Full, "SelectionChanged"));
        assert_eq!(plan.carried.users.unwrap().fingerprint.as_deref(), Some("old"));
    }

    #[test]
    fn a_link_of_a_foreign_origin_or_feed_is_refused() {
        for link in [
            "https://evil/v1.0/users/delta?$deltatoken=1",
            "https://graph/v1.0/groups/delta?$deltatoken=1",
            "https://graph/v1.0/users",
        ] {
            assert_eq!(
                planned(&mark(link, Some("fu"), 0), &wanted()).unwrap_err().kind,
                Kind::InvalidWatermark,
                "{link}"
            );
        }
    }

    #[test]
    fn just_links_are_taken_over_for_the_defaults_only() {
        let plan = planned(&mark(USERS, None, 10 * 86400), &wanted()).unwrap();
        assert_eq!((plan.users, plan.warnings[0].code), (Start::Delta(USERS.into()), "ForeignWatermark"));
        let plan = planned(&mark(USERS, None, 0), &Wanted { defaults: false, ..wanted() }).unwrap();
        assert_eq!((plan.users, plan.warnings[0].code), (Start::Full, "ForeignWatermark"));
    }

    #[test]
    fn a_type_switched_off_loses_its_link() {
        let plan = planned(&mark(USERS, Some("fu"), 0), &Wanted { users: None, ..wanted() }).unwrap();
        assert_eq!(plan.carried.users, None);
    }

    #[test]
    fn from_the_fifth_day_a_run_warns() {
        assert_eq!(planned(&mark(USERS, Some("fu"), 5 * 86400), &wanted()).unwrap().warnings[0].code, "DeltaLinkAge");
        assert!(planned(&mark(USERS, Some("fu"), 5 * 86400 + 1), &wanted()).unwrap().warnings.is_empty());
    }
}
