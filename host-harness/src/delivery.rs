//! What of the source a run delivered, per object type: what is fresh in the store and what is as it was.
//!
//! Neither account says it alone. The connector knows object types that never began (a permission is missing) and those
//! that a run before this one had finished, which come with `Mode` null; the host knows what really ended, and which
//! scopes stay unread. Easy to get wrong: an object type of which no record came may be as fresh as any other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::{Tally, TypeTally, WholeRun};

/// How far an object type was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// In this run, and whole.
    Whole,
    /// An interrupted run before this one had finished it; this one went on with the others.
    FinishedBefore,
    /// All but some scopes, whose edges are as they were.
    ScopesUnread,
    /// Not to its end, or not at all. What came is stored and nothing was removed for absence.
    NotWhole,
}

/// What was delivered of one object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Delivery {
    /// How far.
    pub standing: Standing,
    /// Scopes that stay unread.
    pub unread_scopes: u64,
    /// Of these, scopes about which the last Issue was a mere Warning: they hide their members.
    #[serde(default)]
    pub warned_scopes: u64,
    /// For one that is not whole: the latest run that was.
    pub last_whole: Option<WholeRun>,
}

impl Delivery {
    /// Whether scopes stay unread that do not merely hide their members. The connector may not know of them: an interrupted
    /// run before this one had tried them.
    pub fn lacks_scopes(&self) -> bool {
        self.standing == Standing::ScopesUnread && self.unread_scopes > self.warned_scopes
    }
}

/// Reads both accounts: what the host counted, and the connector's result.
pub fn of(tally: &Tally, result: &Value) -> BTreeMap<String, Delivery> {
    let said = |name: &str| &result["ObjectTypes"][name];
    let said_names = result["ObjectTypes"].as_object().into_iter().flat_map(|types| types.keys());
    let deliver = |name: &String| {
        let came = tally.types.get(name);
        let (unread_scopes, warned_scopes) = came.map_or((0, 0), |it| (it.unread_scopes, it.warned_scopes));
        (
            name.clone(),
            Delivery { standing: standing(came, said(name)), unread_scopes, warned_scopes, last_whole: None },
        )
    };
    tally.types.keys().chain(said_names).map(deliver).collect()
}

fn standing(came: Option<&TypeTally>, said: &Value) -> Standing {
    match came {
        // The connector may know better than its own End; the host believes the worse of the two.
        Some(it) if !it.complete || said["Complete"] == false => Standing::NotWhole,
        Some(it) if it.unread_scopes > 0 => Standing::ScopesUnread,
        Some(_) => Standing::Whole,
        None if said["Complete"] == true && said["Mode"].is_null() => Standing::FinishedBefore,
        None => Standing::NotWhole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tally(complete: bool, unread_scopes: u64) -> Tally {
        let mut tally = Tally::default();
        tally.types.insert("User".to_owned(), TypeTally { complete, unread_scopes, ..TypeTally::default() });
        tally
    }

    fn standing_of(tally: &Tally, line: &Value) -> Standing {
        of(tally, &json!({"ObjectTypes": {"User": line}}))["User"].standing
    }

    #[test]
    fn type_that_the_run_before_had_finished_is_not_missing() {
        let none = Tally::default();
        assert_eq!(standing_of(&none, &json!({"Mode": null, "Complete": true})), Standing::FinishedBefore);
        assert_eq!(standing_of(&none, &json!({"Mode": null, "Complete": false})), Standing::NotWhole);
        assert_eq!(standing_of(&none, &json!({"Mode": "Full", "Complete": true})), Standing::NotWhole);
    }

    #[test]
    fn worse_account_of_the_two_counts() {
        let whole = json!({"Mode": "Full", "Complete": true});
        assert_eq!(standing_of(&tally(true, 0), &whole), Standing::Whole);
        assert_eq!(standing_of(&tally(false, 0), &whole), Standing::NotWhole);
        assert_eq!(standing_of(&tally(true, 0), &json!({"Mode": "Full", "Complete": false})), Standing::NotWhole);
        assert_eq!(standing_of(&tally(true, 2), &whole), Standing::ScopesUnread);
        assert_eq!(of(&tally(true, 0), &Value::Null)["User"].standing, Standing::Whole);
    }
}
