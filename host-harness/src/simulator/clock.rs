//! The simulated clock: real time plus what a test adds, and the date formats Graph answers with.
//!
//! Token lifetimes, delta link ages, throttling windows and the `Date` header all read this clock, so a week passes in
//! no time. The civil calendar is done by hand: days since 1970 to year, month, day (proleptic Gregorian).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds and milliseconds since 1970, as the tenant sees them.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    start_millis: u64,
    added_millis: AtomicU64,
}

impl Clock {
    /// A clock that starts at `start_seconds`, or now.
    pub(crate) fn new(start_seconds: Option<u64>) -> Clock {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64);
        Clock {
            started: Instant::now(),
            start_millis: start_seconds.map_or(now, |seconds| seconds * 1_000),
            added_millis: AtomicU64::new(0),
        }
    }

    /// What it showed at first, in seconds.
    pub(crate) fn start(&self) -> u64 {
        self.start_millis / 1_000
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.added_millis.fetch_add(seconds.saturating_mul(1_000), Ordering::SeqCst);
    }

    pub(crate) fn millis(&self) -> u64 {
        self.start_millis + self.started.elapsed().as_millis() as u64 + self.added_millis.load(Ordering::SeqCst)
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.millis() / 1_000
    }
}

/// The milliseconds of `2026-11-20T10:11:12Z`, with or without a fraction of up to nine digits.
pub(crate) fn parse_moment(text: &str) -> Option<u64> {
    let text = text.strip_suffix(['Z', 'z'])?;
    let (date, time) = text.split_once(['T', 't'])?;
    let number = |text: &str| -> Option<u64> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
    };
    let [year, month, day] = parts(date, '-')?.map(number);
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hour, minute, second] = parts(whole, ':')?.map(number);
    let (year, month, day) = (year?, month?, day?);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) || fraction.len() > 9 {
        return None;
    }
    // Howard Hinnant's days_from_civil, for dates after 1970 only.
    let from_march = year - u64::from(month <= 2);
    let (era, year_of_era) = (from_march / 400, from_march % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    let seconds = days * 86_400 + hour? * 3_600 + minute? * 60 + second?;
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    Some(seconds * 1_000 + number(&digits)?)
}

fn parts(text: &str, separator: char) -> Option<[&str; 3]> {
    let parts: Vec<&str> = text.split(separator).collect();
    parts.try_into().ok()
}

struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
    weekday: usize,
}

fn civil(seconds: u64) -> Civil {
    let days = seconds / 86_400;
    // Howard Hinnant's civil_from_days, for dates after 1970 only.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    Civil {
        year: year_of_era + era * 400 + u64::from(month <= 2),
        month,
        day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
        hour: seconds / 3_600 % 24,
        minute: seconds / 60 % 60,
        second: seconds % 60,
        weekday: ((days + 4) % 7) as usize,
    }
}

/// `2026-11-20T10:11:12Z`, as properties carry it.
pub(crate) fn format_moment(seconds: u64) -> String {
    format!("{}Z", format_zoneless(seconds))
}

/// `2026-11-20T10:11:12`, as error bodies carry it.
pub(crate) fn format_zoneless(seconds: u64) -> String {
    let c = civil(seconds);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// `2026-11-20 10:11:12Z`, as the token endpoint writes it.
pub(crate) fn format_spaced(seconds: u64) -> String {
    format_moment(seconds).replace('T', " ")
}

/// `Fri, 20 Nov 2026 10:11:12 GMT`, the HTTP date of RFC 9110.
pub(crate) fn format_http(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let c = civil(seconds);
    let month = MONTHS[(c.month.saturating_sub(1) % 12) as usize];
    format!("{}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT", DAYS[c.weekday], c.day, c.year, c.hour, c.minute, c.second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(format_moment(1_795_169_472), "2026-11-20T10:11:12Z");
        assert_eq!(format_http(1_795_169_472), "Fri, 20 Nov 2026 10:11:12 GMT");
        assert_eq!(format_moment(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(format_http(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn moments_are_read_as_they_are_written() {
        for seconds in [0, 951_782_400, 1_795_169_472, 4_102_444_799] {
            assert_eq!(parse_moment(&format_moment(seconds)), Some(seconds * 1_000));
        }
        assert_eq!(parse_moment("2026-11-20T10:11:12.25Z"), Some(1_795_169_472_250));
        for wrong in ["", "2026-11-20", "2026-11-20T10:11:12", "2026-13-20T10:11:12Z", "x-11-20T10:11:12Z"] {
            assert_eq!(parse_moment(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_clock_moves_when_told() {
        let clock = Clock::new(Some(1_000));
        clock.advance(7 * 86_400);
        assert!(clock.seconds() >= 1_000 + 7 * 86_400);
    }
}
