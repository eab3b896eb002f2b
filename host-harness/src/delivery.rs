//! What of the source a run delivered, per object type: what is fresh in the store and what is as it was.
//!
//! Neither account says it alone. The connector knows object types that never began (a permission is missing), those
//! that a run before this one had finished, and those that were not due; the host knows what really ended, and which
//! scopes stay unread. Easy to get wrong: an object type of which no record came may be as fresh as any other.

use std::collections::BTreeMap;

use connector_abi::status::{CONNECTOR_END, CONNECTOR_END_PARTIAL, Status};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::catalog::Catalog;
use crate::store::{Tally, TypeTally, WholeRun};

/// How far an object type was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// In this run, and whole.
    Whole,
    /// An interrupted run before this one had finished it; this one went on with the others.
    FinishedBefore,
    /// It is read at intervals, and was not due.
    NotDue,
    /// All but some scopes, whose edges are as they were.
    ScopesUnread,
    /// Not to its end, which makes no run partial: the source does not offer it here, or proves nothing. Its rows are
    /// as the last whole run left them.
    EndedByWarning,
    /// Not to its end, or not at all. What came is stored and nothing was removed for absence.
    NotWhole,
}

/// What was delivered of one object type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Delivery {
    /// How far.
    pub standing: Standing,
    /// Scopes that stay unread.
    pub unread_scopes: u64,
    /// Of these, scopes about which the last Issue was a mere Warning: they hide their members.
    #[serde(default)]
    pub warned_scopes: u64,
    /// The object type of these scopes, where there is one.
    #[serde(default)]
    pub scope: Option<String>,
    /// For one that was not due.
    #[serde(default)]
    pub not_due: Option<NotDue>,
    /// For one that a Warning ended: why.
    #[serde(default)]
    pub reason: Option<String>,
    /// For one that was not read to its end: the latest run that did.
    pub last_whole: Option<WholeRun>,
}

/// When a type that is read at intervals was read and will be, as the connector wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NotDue {
    /// When it was last read whole.
    pub read_at: Option<String>,
    /// From when on it will be read again.
    pub due_at: Option<String>,
}

impl Delivery {
    /// Whether scopes stay unread that do not merely hide their members. The connector may not know of them: an
    /// interrupted run before this one had tried them.
    pub fn lacks_scopes(&self) -> bool {
        self.standing == Standing::ScopesUnread && self.unread_scopes > self.warned_scopes
    }

    /// Whether it is as old as the last run that delivered it whole.
    pub fn is_of_an_earlier_run(&self) -> bool {
        matches!(self.standing, Standing::NotWhole | Standing::EndedByWarning)
    }
}

/// Reads both accounts: what the host counted, and the connector's result. `status`: the last one.
pub fn of(tally: &Tally, status: Status, result: &Value, catalog: &Catalog) -> BTreeMap<String, Delivery> {
    let said = |name: &str| &result["ObjectTypes"][name];
    let said_names = result["ObjectTypes"].as_object().into_iter().flat_map(|types| types.keys());
    let in_order = [CONNECTOR_END, CONNECTOR_END_PARTIAL].contains(&status);
    let deliver = |name: &String| {
        let (came, said) = (tally.types.get(name), said(name));
        let (unread_scopes, warned_scopes) = came.map_or((0, 0), |it| (it.unread_scopes, it.warned_scopes));
        let mut standing = standing(came, said);
        // A type that failed is closed with an Issue of severity Error.
        if standing == Standing::NotWhole && in_order && !said["Error"].is_null() && !tally.failed_types.contains(name)
        {
            standing = Standing::EndedByWarning;
        }
        let of_warning = || said["Error"]["Message"].as_str().map(str::to_owned);
        let delivery = Delivery {
            standing,
            unread_scopes,
            warned_scopes,
            scope: catalog.object_type(name).scope_type().map(str::to_owned),
            not_due: (standing == Standing::NotDue)
                .then(|| serde_json::from_value(said["NotDue"].clone()).unwrap_or_default()),
            reason: if standing == Standing::EndedByWarning { of_warning() } else { None },
            last_whole: None,
        };
        (name.clone(), delivery)
    };
    tally.types.keys().chain(said_names).map(deliver).collect()
}

fn standing(came: Option<&TypeTally>, said: &Value) -> Standing {
    match came {
        // The connector may know better than its own End; the host believes the worse of the two.
        Some(it) if !it.complete || said["Complete"] == false => Standing::NotWhole,
        Some(it) if it.unread_scopes > 0 => Standing::ScopesUnread,
        Some(_) => Standing::Whole,
        None if said["Complete"] == true && said["NotDue"].is_object() => Standing::NotDue,
        // A connector that reads every type on every run need not say `FinishedBefore`.
        None if said["Complete"] == true && said["Mode"].is_null() => Standing::FinishedBefore,
        None => Standing::NotWhole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector_abi::status::CONNECTOR_E_CANCELLED;
    use serde_json::json;

    fn tally(complete: bool, unread_scopes: u64) -> Tally {
        let mut tally = Tally::default();
        tally.types.insert("User".to_owned(), TypeTally { complete, unread_scopes, ..TypeTally::default() });
        tally
    }

    fn delivery(tally: &Tally, line: &Value) -> Delivery {
        of(tally, CONNECTOR_END, &json!({"ObjectTypes": {"User": line}}), &Catalog::default())["User"].clone()
    }

    fn standing_of(tally: &Tally, line: &Value) -> Standing {
        delivery(tally, line).standing
    }

    #[test]
    fn type_that_the_run_before_had_finished_is_not_missing() {
        let none = Tally::default();
        assert_eq!(standing_of(&none, &json!({"Mode": null, "Complete": true})), Standing::FinishedBefore);
        let said = json!({"Mode": null, "Complete": true, "FinishedBefore": true, "NotDue": null});
        assert_eq!(standing_of(&none, &said), Standing::FinishedBefore);
        assert_eq!(standing_of(&none, &json!({"Mode": null, "Complete": false})), Standing::NotWhole);
        assert_eq!(standing_of(&none, &json!({"Mode": "Full", "Complete": true})), Standing::NotWhole);
    }

    #[test]
    fn type_that_was_not_due_is_neither_finished_before_nor_missing() {
        let line = json!({"Mode": null, "Complete": true, "NotDue": {"ReadAt": "2026-11-30T08:00:00Z", "DueAt": "2026-12-01T08:00:00Z"}});
        let delivered = delivery(&Tally::default(), &line);
        assert_eq!((delivered.standing, delivered.is_of_an_earlier_run()), (Standing::NotDue, false));
        assert_eq!(delivered.not_due.unwrap().due_at.as_deref(), Some("2026-12-01T08:00:00Z"));
    }

    #[test]
    fn type_is_ended_by_a_warning_when_it_has_an_error_and_no_issue_says_so() {
        let line = json!({"Mode": "Full", "Complete": false, "Error": {"Code": "Forbidden", "Message": "no licence"}});
        let delivered = delivery(&tally(false, 0), &line);
        assert_eq!((delivered.standing, delivered.reason.as_deref()), (Standing::EndedByWarning, Some("no licence")));
        let failed = Tally { failed_types: ["User".to_owned()].into(), ..tally(false, 0) };
        assert_eq!(standing_of(&failed, &line), Standing::NotWhole);
        assert_eq!(standing_of(&tally(false, 0), &json!({"Mode": "Full", "Complete": false})), Standing::NotWhole);
        // A run that was cut off says nothing of the kind.
        let cut_off = json!({"ObjectTypes": {"User": line}});
        assert_eq!(
            of(&tally(false, 0), CONNECTOR_E_CANCELLED, &cut_off, &Catalog::default())["User"].standing,
            Standing::NotWhole
        );
    }

    #[test]
    fn worse_account_of_the_two_counts() {
        let whole = json!({"Mode": "Full", "Complete": true});
        assert_eq!(standing_of(&tally(true, 0), &whole), Standing::Whole);
        assert_eq!(standing_of(&tally(false, 0), &whole), Standing::NotWhole);
        assert_eq!(standing_of(&tally(true, 0), &json!({"Mode": "Full", "Complete": false})), Standing::NotWhole);
        assert_eq!(standing_of(&tally(true, 2), &whole), Standing::ScopesUnread);
        assert_eq!(
            of(&tally(true, 0), CONNECTOR_END, &Value::Null, &Catalog::default())["User"].standing,
            Standing::Whole
        );
    }
}
