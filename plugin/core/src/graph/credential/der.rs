//! What the connector must know of a certificate, read from its DER: from when to when, and the RSA public key.
//!
//! Four fields at fixed places (RFC 5280 §4.1) against a dozen packages of an X.509 library in somebody else's process.
//! Nothing is judged by it: the certificate is the operator's own, and the token service does the judging. So only the
//! way to those fields is followed, and every length is checked against what is there.

use std::time::{Duration, SystemTime};

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// rsaEncryption, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// What was read of a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate<'a> {
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    /// `RSAPublicKey` in DER; `None` for a key of another kind.
    pub(super) rsa: Option<&'a [u8]>,
}

/// Reads a certificate; `None` where it is none.
pub(super) fn certificate(der: &[u8]) -> Option<Certificate<'_>> {
    let mut outer = Input(der);
    let mut signed = Input(outer.expect(SEQUENCE)?);
    let mut fields = Input(signed.expect(SEQUENCE)?);
    if fields.0.first() == Some(&VERSION) {
        fields.expect(VERSION)?;
    }
    fields.expect(INTEGER)?;
    let (_algorithm, _issuer) = (fields.expect(SEQUENCE)?, fields.expect(SEQUENCE)?);
    let mut validity = Input(fields.expect(SEQUENCE)?);
    let (not_before, not_after) = (validity.time()?, validity.time()?);
    let _subject = fields.expect(SEQUENCE)?;
    let mut key = Input(fields.expect(SEQUENCE)?);
    let mut algorithm = Input(key.expect(SEQUENCE)?);
    let is_rsa = algorithm.expect(OBJECT_IDENTIFIER)? == RSA;
    // The first byte counts the unused bits at the end.
    let (unused, bits) = key.expect(BIT_STRING)?.split_first()?;
    Some(Certificate { not_before, not_after, rsa: (is_rsa && *unused == 0).then_some(bits) })
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// The contents of the next element, which must have this tag.
    fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, contents) = self.next()?;
        (found == tag).then_some(contents)
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match usize::from(*first) {
            short @ 0..=0x7f => (short, rest),
            // The length's own length; DER knows no indefinite one.
            long @ 0x81..=0x84 => {
                let (length, rest) = rest.split_at_checked(long - 0x80)?;
                (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, contents))
    }

    /// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`: the only forms that RFC 5280 §4.1.2.5 allows.
    fn time(&mut self) -> Option<SystemTime> {
        let (tag, text) = self.next()?;
        let digits = text.strip_suffix(b"Z").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        let number = |part: &[u8]| part.iter().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        let (year, rest) = match (tag, digits.len()) {
            (UTC_TIME, 12) => {
                let (year, rest) = digits.split_at(2);
                (number(year) + if number(year) < 50 { 2000 } else { 1900 }, rest)
            }
            (GENERALIZED_TIME, 14) => {
                let (year, rest) = digits.split_at(4);
                (number(year), rest)
            }
            _ => return None,
        };
        let [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map(|at| number(&rest[at..at + 2]));
        let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 60;
        in_range
            .then(|| days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
            .and_then(moment)
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, counted from March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + (month * 153 + 2) / 5 + day - 719_469
}

fn moment(seconds: i64) -> Option<SystemTime> {
    let magnitude = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(magnitude)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(magnitude)
    }
}
