//! Whether the watermark that the host holds still fits, and how long.
//!
//! The same decision as an import's, taken beforehand and nothing done. No link is called: Graph promises delta links
//! seven days and has been seen to keep them longer, so an older one is `Unknown`.

use std::time::SystemTime;

use super::day::{DAY, at, day, days};
use super::row::{Outcome, Row, Step};
use super::uncancelled;
use crate::code::Code;
use crate::error::{Error, Kind};
use crate::operation::Context;
use crate::operation::import::planned;
use crate::read::switched_on;
use crate::sync::{Plan, Start, TypeMark, Watermark};

/// How long Graph promises to keep a delta link.
const KEPT: u64 = 7 * DAY;

/// A row for each feed that is read, or one for all of it.
pub(super) fn rows(context: &Context, text: &str) -> Result<Vec<Row>, Error> {
    let tenant = match uncancelled(context.graph.tenant_guid())? {
        Ok(tenant) => tenant,
        Err(error) => {
            let words = format!("whether it belongs to this tenant could not be found out: {}", error.message);
            return Ok(vec![Row::new(None, Step::Watermark, Outcome::Unknown, words)]);
        }
    };
    let now = context.graph.now();
    let read =
        Watermark::parse(text).and_then(|watermark| Ok((planned(context, Some(&watermark), &tenant, now)?, watermark)));
    let (plan, watermark) = match read {
        Ok(read) => read,
        Err(error) => {
            let remedy = match error.kind {
                Kind::InvalidWatermark => {
                    "if TenantId, Cloud and GraphEndpoint are what they should be, import once without a watermark, into a \
                     store of its own; else correct them"
                }
                _ => "import once without a watermark",
            };
            return Ok(vec![Row::failed(None, Step::Watermark, &error, remedy)]);
        }
    };
    let rows = switched_on(&context.config)
        .into_iter()
        .filter(|object_type| plan.has_feed(object_type))
        .map(|object_type| feed(object_type.name, &plan.start(object_type), watermark.of(object_type), &plan, now));
    Ok(rows.collect())
}

fn feed(name: &'static str, start: &Start, mark: &TypeMark, plan: &Plan, now: u64) -> Row {
    let row = |outcome, words: String| Row::new(Some(name), Step::Watermark, outcome, words);
    let changed = plan.warnings.iter().find(|it| it.object_type == Some(name) && it.code != Code::DeltaLinkAge);
    let also = changed.map_or_else(String::new, |warning| format!("; {}", warning.message));
    match start {
        Start::Done => row(Outcome::Passed, "the interrupted import has finished this type; the next one goes on with the others".into()),
        Start::Full { resume: Some(_) } => {
            row(Outcome::Passed, "of this tenant and configuration; the next import goes on inside the full set that was interrupted".into())
        }
        Start::Full { resume: None } => match (changed, mark.link.is_some()) {
            (Some(warning), _) => row(Outcome::Passed, format!("of this tenant; {}", warning.message)),
            (None, true) => row(Outcome::Passed, "of this tenant and configuration; the next import reads everything again, since FullReconcileDays have passed".into()),
            (None, false) => row(Outcome::Passed, "of this tenant; it has no delta link for this type, which is imported in full".into()),
        },
        Start::Delta { .. } | Start::Reconcile { .. } => {
            let reconciles = if matches!(start, Start::Reconcile { .. }) { "; everything is read again with it (FullReconcileDays)" } else { "" };
            let (outcome, age) = age(mark.at, now);
            let words = format!("of this tenant and configuration; {age}{reconciles}{also}");
            if outcome == Outcome::Passed {
                return row(outcome, words);
            }
            row(outcome, words).with_remedy(
                "import now, and then at least every five days; if Graph refuses the link, import once without a watermark, or set \
                 OnDeltaExpired to FullSync",
            )
        }
    }
}

fn age(at_seconds: Option<u64>, now: u64) -> (Outcome, String) {
    let Some(given) = at_seconds else {
        return (Outcome::Unknown, "the age of its delta link is not known".to_owned());
    };
    let old = days(now.saturating_sub(given) / DAY);
    if now.saturating_sub(given) >= KEPT {
        return (Outcome::Unknown, format!("its delta link is {old} old, and Graph promises to keep one for 7"));
    }
    let until: SystemTime = at(given + KEPT);
    (Outcome::Passed, format!("its delta link is {old} old and good until {}", day(until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_for_seven_days_and_then_nobody_knows() {
        let now = 1_796_256_000;
        assert_eq!(
            age(Some(now - 3 * DAY), now),
            (Outcome::Passed, "its delta link is 3 days old and good until 07 Dec 2026".into())
        );
        assert_eq!(age(Some(now - 7 * DAY), now).0, Outcome::Unknown);
        assert_eq!(age(None, now).0, Outcome::Unknown);
        // A link from the future is no older than one of today.
        assert_eq!(age(Some(now + DAY), now).0, Outcome::Passed);
    }
}
