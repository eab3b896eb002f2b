//! `Retry-After` as Graph and what stands before it really send it.
//!
//! RFC 9110 §10.2.3 knows whole seconds and an HTTP date. Graph also sends decimals, with a point or, on servers with
//! another locale, a comma (microsoftgraph/msgraph-sdk-java-core#732). Parsing it as an integer alone has made other
//! clients crash, or wait not at all.

use std::time::{Duration, SystemTime};

/// How long the answer asks to wait; `None` when it names no wait that can be read. A date is measured from the
/// answer's own `Date`, where it has one: this machine's clock may be wrong. A date in the past means now.
pub(crate) fn parse(value: &str, answered: Option<SystemTime>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if value.starts_with(|c: char| c.is_ascii_digit()) {
        return seconds(value);
    }
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(answered.unwrap_or(now)).unwrap_or(Duration::ZERO))
}

/// `120`, `2.128` or `0,120`. Written out, since `f64` would also take `1e9`, and a wait too long for a `Duration`
/// still is a wait: it must be refused as too long further up, not be taken for none.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, fraction) = value.split_once(['.', ',']).unwrap_or((value, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole = whole.parse().unwrap_or(u64::MAX);
    let fraction: u64 = format!("{fraction:0<3.3}").parse().ok()?;
    Some(Duration::from_secs(whole).saturating_add(Duration::from_millis(fraction)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn parsed(value: &str) -> Option<Duration> {
        parse(value, None, at(NOW))
    }

    #[test]
    fn whole_seconds() {
        assert_eq!(parsed("10"), Some(Duration::from_secs(10)));
        assert_eq!(parsed(" 0 "), Some(Duration::ZERO));
        assert_eq!(parsed("3600"), Some(Duration::from_secs(3600)));
    }

    #[test]
    fn decimals_with_point_or_comma() {
        assert_eq!(parsed("2.128"), Some(Duration::from_millis(2128)));
        assert_eq!(parsed("0.249"), Some(Duration::from_millis(249)));
        assert_eq!(parsed("0,120"), Some(Duration::from_millis(120)));
        assert_eq!(parsed("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(parsed("1.23456789"), Some(Duration::from_millis(1234)));
    }

    #[test]
    fn every_form_of_http_date() {
        for ahead in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:07 GMT").unwrap();
            assert_eq!(parse(ahead, None, now), Some(Duration::from_secs(30)), "{ahead}");
        }
    }

    #[test]
    fn retry_after_date_in_the_past_means_now() {
        assert_eq!(parsed(&httpdate::fmt_http_date(at(NOW - 5))), Some(Duration::ZERO));
    }

    #[test]
    fn a_date_is_measured_from_the_answers_own_date() {
        let (answered, until) = (at(NOW - 600), httpdate::fmt_http_date(at(NOW - 590)));
        assert_eq!(parse(&until, Some(answered), at(NOW)), Some(Duration::from_secs(10)));
    }

    #[test]
    fn a_wait_beyond_any_duration_is_still_a_long_wait() {
        assert!(parsed("99999999999999999999999").unwrap() > Duration::from_secs(86_400));
    }

    #[test]
    fn what_cannot_be_read_names_no_wait() {
        for value in ["", "soon", "-5", "1e9", "1.", "1.2.3", "10, 20", "5s", "NaN", "inf", "٣", ".5", "0x10"] {
            assert_eq!(parsed(value), None, "{value}");
        }
    }
}
