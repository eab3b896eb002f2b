//! How much there is and how long a full import will take, in words that do not promise.
//!
//! The time is the larger of two: requests one after the other at the pace that the survey just saw, and what Graph's
//! throttling allows. The time is not divided by the number of workers: a feed's next page is known only from the
//! page before, so only reads of members run in parallel.

use std::time::Duration;

use super::row::{Estimates, Outcome, Row, Step};
use crate::read::Size;
use crate::types::ObjectType;

/// Resource units a second that Graph grants one application in a tenant of more than 500 users (throttling limits of
/// the identity service). Smaller tenants get less and are read before it matters.
const UNITS_PER_SECOND: u64 = 800;

/// `took`: the survey's reads, one after the other.
pub(super) fn row(object_type: &ObjectType, size: &Size, took: Duration) -> Row {
    let pace = took / u32::try_from(size.reads.max(1)).unwrap_or(u32::MAX);
    let outcome = if size.objects.is_some() { Outcome::Passed } else { Outcome::Unknown };
    let row = Row::new(Some(object_type.name), Step::Size, outcome, words(size, pace));
    let Some(objects) = size.objects else { return row };
    let (requests, units, seconds) = (size.requests, size.units, duration(size, pace).as_secs());
    row.with_estimates(Estimates { objects, requests, units, seconds, lane: object_type.lane })
}

fn words(size: &Size, pace: Duration) -> String {
    let Some(objects) = size.objects else { return "Graph does not say how many there are".to_owned() };
    let sampled = size.sampled.as_ref().map_or_else(String::new, |how| format!(" (estimated {how})"));
    let least = if size.at_least { "at least " } else { "" };
    let (requests, plural) = (size.requests, if size.requests == 1 { "" } else { "s" });
    if requests == 0 {
        return format!("about {objects}{sampled}; they come with the groups and need no requests of their own");
    }
    format!(
        "about {objects}{sampled}; a full import takes {least}about {requests} request{plural}{}, {least}{} at the {} ms a \
         request took just now",
        if size.lanes > 1 && requests > 1 { format!(", up to {} at a time", size.lanes) } else { String::new() },
        lasting(duration(size, pace)),
        pace.as_millis().max(1),
    )
}

fn duration(size: &Size, pace: Duration) -> Duration {
    let turns = u32::try_from(size.requests.div_ceil(size.lanes.max(1))).unwrap_or(u32::MAX);
    pace.saturating_mul(turns).max(Duration::from_secs(size.units / UNITS_PER_SECOND))
}

fn lasting(time: Duration) -> String {
    match time.as_secs() {
        0 => "less than a second".to_owned(),
        seconds @ 1..=119 => format!("about {seconds} s"),
        seconds @ 120..=7199 => format!("about {} min", seconds.div_ceil(60)),
        seconds => format!("about {} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::USER;

    fn size(objects: u64, requests: u64, lanes: u64, units: u64) -> Size {
        Size { objects: Some(objects), sampled: None, requests, at_least: false, lanes, units, reads: 1 }
    }

    #[test]
    fn pages_of_a_feed_follow_one_another() {
        let words = words(&size(100_000, 500, 1, 500), Duration::from_millis(200));
        assert!(words.contains("about 100000;") && words.contains("about 500 requests, about 100 s"), "{words}");
        assert!(!words.contains("at a time"));
    }

    #[test]
    fn reads_of_members_go_side_by_side_until_throttling_is_the_limit() {
        let pace = Duration::from_millis(200);
        assert_eq!(duration(&size(1, 80, 8, 800), pace), Duration::from_secs(2));
        assert_eq!(duration(&size(1, 5_000, 8, 200_000), pace), Duration::from_secs(250));
    }

    #[test]
    fn what_is_not_known_is_not_promised() {
        let unknown = Size { objects: None, ..size(0, 1, 1, 1) };
        assert_eq!(row(&USER, &unknown, Duration::ZERO).outcome, Outcome::Unknown);
        let least = Size { at_least: true, ..size(10, 3, 1, 3) };
        assert!(words(&least, Duration::from_secs(1)).contains("at least about 3 requests, at least about 3 s"));
        assert_eq!(lasting(Duration::from_secs(7300)), "about 3 h");
    }
}
