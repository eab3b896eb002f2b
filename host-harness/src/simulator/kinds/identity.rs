//! Directory object ids: GUIDs that can be computed from a number and turned back into it.
//!
//! No table maps ids to objects. The first 32 bits of an id are the object's number under a permutation, the rest is a
//! check that only the right (seed, kind, number) satisfies, so a foreign or mistyped id is never taken for an object.

use super::{IdForm, Kind};
use crate::simulator::seal::{base64url, from_base64url};
use crate::simulator::seed::mix;

/// One directory object, by kind and number. Numbers below the base count come from the seed, later ones were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ObjectRef {
    pub(crate) kind: Kind,
    pub(crate) number: u32,
}

/// The two-way mapping between objects and ids of one tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    seed: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Ids {
        Ids { seed }
    }

    pub(crate) fn id(self, object: ObjectRef) -> String {
        match object.kind.table().ids {
            IdForm::Guid => format_guid(self.bits(object)),
            IdForm::CaseSensitive => self.case_sensitive(object),
        }
    }

    /// 32 bytes in base 64: those of a GUID, and as many that say nothing.
    fn case_sensitive(self, object: ObjectRef) -> String {
        let text = |number: u32| {
            let bits = self.bits(ObjectRef { number, ..object });
            let rest = (0..2).flat_map(|word| mix(self.seed, 0xCA5E ^ word, u64::from(number)).to_be_bytes());
            let bytes: Vec<u8> = bits.to_be_bytes().into_iter().chain(rest).collect();
            format!("{}-1", base64url(&bytes))
        };
        if object.number != 1 {
            return text(object.number);
        }
        let first = text(0);
        // Behind the part that is read back.
        let at = first.char_indices().skip(READ_BACK).find(|(_, letter)| letter.is_ascii_alphabetic());
        let at = at.map_or(0, |(at, _)| at);
        let other: String = first[at..=at].chars().map(swap_case).collect();
        first[..at].to_owned() + &other + &first[at + 1..]
    }

    /// The object of a kind that a case-sensitive id speaks of.
    fn find_case_sensitive(self, kind: Kind, id: &str) -> Option<ObjectRef> {
        let bytes = from_base64url(id.strip_suffix("-1")?)?;
        let first = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
        let number = unscramble(first, self.key(kind));
        [number, 1].map(|number| ObjectRef { kind, number }).into_iter().find(|object| self.id(*object) == id)
    }

    /// The object an id speaks of, whatever its letter case; whether that object exists is another question.
    pub(crate) fn find(self, id: &str) -> Option<ObjectRef> {
        let Some(bits) = parse_guid(id) else {
            let mut kinds = Kind::ALL.iter().filter(|kind| kind.table().ids == IdForm::CaseSensitive);
            return kinds.find_map(|kind| self.find_case_sensitive(*kind, id));
        };
        let first = (bits >> 96) as u32;
        Kind::ALL.iter().find_map(|kind| {
            let kind = *kind;
            let object = ObjectRef { kind, number: unscramble(first, self.key(kind)) };
            (self.bits(object) == bits).then_some(object)
        })
    }

    /// A GUID that belongs to no object: tenant, client, request ids.
    pub(crate) fn other(self, purpose: u64, number: u64) -> String {
        let high = mix(self.seed, purpose, number);
        let low = mix(self.seed, purpose ^ 0x5555, number);
        format_guid((u128::from(high) << 64) | u128::from(low))
    }

    /// The id of an event of a stream. Its first 48 bits are the number under a mask, the rest is a check.
    pub(crate) fn event(self, stream: u64, number: u64) -> String {
        format_guid(self.event_bits(stream, number))
    }

    /// The number of the event that an id speaks of.
    pub(crate) fn find_event(self, stream: u64, id: &str) -> Option<u64> {
        let bits = parse_guid(id)?;
        let number = (bits >> 80) as u64 ^ self.event_mask(stream);
        (self.event_bits(stream, number) == bits).then_some(number)
    }

    fn event_mask(self, stream: u64) -> u64 {
        mix(self.seed, stream, 0xE7) >> 16
    }

    fn event_bits(self, stream: u64, number: u64) -> u128 {
        let first = (number ^ self.event_mask(stream)) & 0xFFFF_FFFF_FFFF;
        let check = (u128::from(mix(self.seed, stream ^ 0xE8, number)) << 16) ^ u128::from(number & 0xFFFF);
        with_version((u128::from(first) << 80) | (check & ((1 << 80) - 1)))
    }

    fn key(self, kind: Kind) -> u64 {
        mix(self.seed, 0xD1, kind as u64)
    }

    fn bits(self, object: ObjectRef) -> u128 {
        let key = self.key(object.kind);
        let first = scramble(object.number, key);
        let check_high = mix(key, 0xC0, u64::from(object.number)) as u32;
        let check_low = mix(key, 0xC1, u64::from(object.number));
        with_version((u128::from(first) << 96) | (u128::from(check_high) << 64) | u128::from(check_low))
    }
}

/// Characters of a case-sensitive id that hold the bytes of the GUID.
const READ_BACK: usize = 22;

fn swap_case(letter: char) -> char {
    if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}

/// Four Feistel rounds: any 32-bit number to another and back.
fn scramble(number: u32, key: u64) -> u32 {
    let (mut left, mut right) = ((number >> 16) as u16, number as u16);
    for round in 0..4 {
        (left, right) = (right, left ^ mix(key, round, u64::from(right)) as u16);
    }
    (u32::from(left) << 16) | u32::from(right)
}

fn unscramble(number: u32, key: u64) -> u32 {
    let (mut left, mut right) = ((number >> 16) as u16, number as u16);
    for round in (0..4).rev() {
        (left, right) = (right ^ mix(key, round, u64::from(left)) as u16, left);
    }
    (u32::from(left) << 16) | u32::from(right)
}

/// RFC 9562 version 4 and variant bits, so that strict GUID parsers are content.
fn with_version(bits: u128) -> u128 {
    let bits = bits & !(0xF_u128 << 76) | (0x4_u128 << 76);
    bits & !(0x3_u128 << 62) | (0x2_u128 << 62)
}

/// By hand: a member page of a large tenant formats thousands.
fn format_guid(bits: u128) -> String {
    let bits = with_version(bits);
    let mut text = String::with_capacity(36);
    for nth in 0..32_u32 {
        if matches!(nth, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        let digit = (bits >> (124 - 4 * nth)) as u32 & 0xF;
        text.push(char::from_digit(digit, 16).unwrap_or('0'));
    }
    text
}

fn parse_guid(text: &str) -> Option<u128> {
    let well_formed = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    well_formed.then(|| u128::from_str_radix(&text.replace('-', ""), 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_back_to_its_object() {
        let ids = Ids::new(42);
        for kind in Kind::ALL.iter().copied() {
            for number in [0, 1, 299, 65_536, 999_999, u32::MAX] {
                let object = ObjectRef { kind, number };
                let id = ids.id(object);
                assert_eq!(ids.find(&id), Some(object));
                let sensitive = kind.table().ids == IdForm::CaseSensitive;
                assert_eq!(ids.find(&id.to_uppercase()), Some(object).filter(|_| !sensitive));
            }
        }
    }

    #[test]
    fn an_event_id_leads_back_to_its_number() {
        let ids = Ids::new(42);
        for number in [0, 7, 3_600_000_000, 1 << 40] {
            let id = ids.event(5, number);
            assert_eq!((ids.find_event(5, &id), ids.find_event(6, &id)), (Some(number), None));
        }
    }

    #[test]
    fn two_ids_differ_in_case_only() {
        let ids = Ids::new(42);
        let id = |number| ids.id(ObjectRef { kind: Kind::RoleAssignment, number });
        assert_ne!(id(0), id(1));
        assert!(id(0).eq_ignore_ascii_case(&id(1)) && !id(0).eq_ignore_ascii_case(&id(2)));
    }

    #[test]
    fn a_foreign_id_is_nobody() {
        let ids = Ids::new(42);
        assert_eq!(ids.find(&Ids::new(43).id(ObjectRef { kind: Kind::User, number: 1 })), None);
        assert_eq!(ids.find("not a guid"), None);
        assert_eq!(ids.find("11111111-1111-1111-1111-111111111111"), None);
    }
}
