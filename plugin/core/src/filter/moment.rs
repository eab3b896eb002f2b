//! Instants: OData's date and date-time literals, and the texts in which Graph writes its own.
//!
//! Compared as instants, not as texts: `2024-01-01T00:00:00Z` and `2024-01-01T01:00:00.000+01:00` are the same.

/// An instant in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

/// A date or date-time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// A date alone is its beginning in UTC, as OData promotes it.
    Moment(Moment),
    /// A date-time that does not say where: no instant.
    WithoutZone,
}

impl Moment {
    /// An RFC 3339 text, or a date; `None` when it is no instant.
    pub(super) fn of(text: &str) -> Option<Moment> {
        match read(text)? {
            Read::Moment(moment) => Some(moment),
            Read::WithoutZone => None,
        }
    }

    /// Whole seconds since 1970.
    pub(super) fn seconds(self) -> i64 {
        self.seconds
    }
}

/// `2024-01-31`, `2024-01-31T12:00Z`, `2024-01-31T12:00:00.123+01:00`; `T` and `Z` in any case.
pub(super) fn read(text: &str) -> Option<Read> {
    let mut rest = Rest(text.as_bytes());
    let year = rest.number(4)?;
    let month = rest.after(b'-')?.number(2)?;
    let day = rest.after(b'-')?.number(2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) || year < 1 {
        return None;
    }
    let midnight = days_since_1970(year, month, day) * 86_400;
    if rest.0.is_empty() {
        return Some(Read::Moment(Moment { seconds: midnight, nanoseconds: 0 }));
    }
    rest.after(b't')?;
    let (time, nanoseconds) = rest.time()?;
    if rest.0.is_empty() {
        return Some(Read::WithoutZone);
    }
    let seconds = midnight + time - rest.offset()?;
    rest.0.is_empty().then_some(Read::Moment(Moment { seconds, nanoseconds }))
}

/// `12:30`, `12:30:15.5`: a time of day alone.
pub(super) fn is_time(text: &str) -> bool {
    let mut rest = Rest(text.as_bytes());
    rest.time().is_some() && rest.0.is_empty()
}

struct Rest<'t>(&'t [u8]);

impl Rest<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        number.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
    }

    fn after(&mut self, byte: u8) -> Option<&mut Self> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        (first.to_ascii_lowercase() == byte).then_some(self)
    }

    /// Seconds and nanoseconds since midnight.
    fn time(&mut self) -> Option<(i64, u32)> {
        let hour = self.number(2)?;
        let minute = self.after(b':')?.number(2)?;
        let second = if self.0.first() == Some(&b':') { self.after(b':')?.number(2)? } else { 0 };
        let mut nanoseconds = 0;
        if self.0.first() == Some(&b'.') {
            let digits = self.0[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=12).contains(&digits) {
                return None;
            }
            // Beyond nanoseconds nobody counts.
            let fraction = self.0[1..=digits].iter().chain([b'0'; 9].iter()).take(9);
            nanoseconds = fraction.fold(0, |sum, byte| sum * 10 + u32::from(byte - b'0'));
            self.0 = &self.0[1 + digits..];
        }
        (hour < 24 && minute < 60 && second < 60).then_some((hour * 3600 + minute * 60 + second, nanoseconds))
    }

    /// Seconds east of UTC.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0.first()? {
            b'Z' | b'z' => {
                self.0 = &self.0[1..];
                return Some(0);
            }
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.0 = &self.0[1..];
        let hours = self.number(2)?;
        let minutes = self.after(b':')?.number(2)?;
        (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that a leap day ends its year.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<i64> {
        Moment::of(text).map(|moment| moment.seconds)
    }

    #[test]
    fn instants_are_counted_from_1970() {
        assert_eq!(unix("1970-01-01"), Some(0));
        assert_eq!(unix("2000-02-29T00:00:00Z"), Some(951_782_400));
        assert_eq!(unix("2000-03-01T00:00:00Z"), Some(951_868_800));
        assert_eq!(unix("2024-12-31t23:59:59z"), Some(1_735_689_599));
        assert_eq!(unix("0001-01-01T00:00:00Z"), Some(-62_135_596_800));
    }

    #[test]
    fn an_offset_and_trailing_zeros_change_nothing() {
        assert_eq!(Moment::of("2024-01-01T01:00:00.000+01:00"), Moment::of("2024-01-01T00:00Z"));
        assert_eq!(Moment::of("2023-12-31T19:00:00-05:00"), Moment::of("2024-01-01"));
        assert!(Moment::of("2024-01-01T00:00:00.0000001Z") > Moment::of("2024-01-01"));
    }

    #[test]
    fn what_no_calendar_has_is_no_instant() {
        for text in [
            "2023-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-32",
            "1900-02-29",
            "2024-01-01T24:00Z",
            "2024-01-01T00:60Z",
            "2024-1-1",
            "2024-01-01T",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00Zz",
            "2024-01-01T00:00+15:00",
            "",
            "x",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("2024-01-01T00:00:00"), Some(Read::WithoutZone));
    }
}
