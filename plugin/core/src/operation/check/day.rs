//! Dates for people: the day in UTC, and how far it is.

use std::time::{Duration, SystemTime};

/// Seconds of a day.
pub(super) const DAY: u64 = 24 * 3600;

/// `03 Dec 2026`.
pub(super) fn day(time: SystemTime) -> String {
    // `Thu, 03 Dec 2026 10:11:12 GMT`, always of this length.
    let date = httpdate::fmt_http_date(time);
    date.get(5..16).unwrap_or(&date).to_owned()
}

/// `seconds` since 1970; what no clock can show is the beginning.
pub(super) fn at(seconds: u64) -> SystemTime {
    // The year 9999 is as far as HTTP dates go.
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(253_402_300_799))
}

/// `1 day`, `12 days`.
pub(super) fn days(count: u64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_without_its_time() {
        assert_eq!(day(at(1_796_256_000)), "03 Dec 2026");
        assert_eq!(day(at(u64::MAX)), "31 Dec 9999");
    }
}
