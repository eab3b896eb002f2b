//! A row of a feed or a list: the id, whether it was removed, and the attributes that were asked for, as raw JSON.
//!
//! An attribute that is `None` was *absent*, which is not the same as `null`: absent means "never set" in a full walk
//! and "unchanged, or never set" later; null means "cleared".

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::page::ENTRIES;
use super::text::OptionalSeed;
use super::{Entries, Member, Values};

/// Why a row was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// `reason: changed`: soft-deleted, can be restored for 30 days.
    Changed,
    /// `reason: deleted`: gone for good.
    Deleted,
}

/// One directory object, as far as the answer tells.
#[derive(Debug)]
pub struct Row<'a> {
    /// Its id; `None` when the row has none, which Graph's own examples show and real rows never do.
    pub id: Option<Cow<'a, str>>,
    /// `@removed`.
    pub removed: Option<Removed>,
    /// The attributes, in the order they were asked for.
    pub values: Values<'a>,
    /// `members@delta`: a slice of a group's members, or changes of them. Empty says nothing about the others.
    pub members: Vec<MemberChange<'a>>,
}

/// One entry of `members@delta`.
#[derive(Debug, Deserialize)]
pub struct MemberChange<'a> {
    #[serde(rename = "@odata.type", borrow, default, deserialize_with = "super::text::optional")]
    odata_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "super::text::optional")]
    id: Option<Cow<'a, str>>,
    /// Whether the membership ended; for edges the reason is always `deleted`.
    #[serde(rename = "@removed", default, deserialize_with = "is_there")]
    pub removed: bool,
}

impl<'a> MemberChange<'a> {
    /// Who it is about.
    pub fn member(&self) -> Member<'a> {
        Member { odata_type: self.odata_type.clone(), id: self.id.clone() }
    }
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Option::<IgnoredAny>::deserialize(deserializer).map(|note| note.is_some())
}

/// Reads rows for the properties named.
#[derive(Debug, Clone, Copy)]
pub struct RowSeed<'s> {
    /// The properties asked for, in order.
    pub properties: &'s [String],
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Row<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
        let mut row = Row { id: None, removed: None, values: Values::none(self.properties.len()), members: Vec::new() };
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(KeySeed { properties: self.properties, expected })? {
            match key {
                Key::Id => row.id = map.next_value_seed(OptionalSeed)?,
                Key::Removed => row.removed = Some(map.next_value::<RemovedNote<'de>>()?.into()),
                Key::Members => {
                    row.members = map.next_value::<Option<Changes<'de>>>()?.unwrap_or_default().0;
                }
                Key::Property(index) => {
                    let value: &RawValue = map.next_value()?;
                    if value.get().len() > LONGEST_VALUE {
                        return Err(A::Error::custom(format_args!("a value of more than {} MiB", LONGEST_VALUE >> 20)));
                    }
                    row.values.set(index, value);
                    expected = index + 1;
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(row)
    }
}

/// Bytes of one value at most. All values of a directory object together are smaller.
const LONGEST_VALUE: usize = 1 << 20;

impl Entries for Row<'_> {
    fn entries(&self) -> usize {
        self.members.len()
    }
}

/// A list of changes that ends with an error before it takes more memory than a page may.
#[derive(Default)]
struct Changes<'a>(Vec<MemberChange<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Changes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Changes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of members")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Changes<'de>, A::Error> {
                let mut changes = Vec::new();
                while let Some(change) = seq.next_element()? {
                    if changes.len() == ENTRIES {
                        return Err(A::Error::custom(format_args!("a page of more than {ENTRIES} entries of members")));
                    }
                    changes.push(change);
                }
                Ok(Changes(changes))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// What a member of a row is about.
enum Key {
    Id,
    Removed,
    Members,
    /// By its place among those asked for.
    Property(usize),
    Other,
}

/// Recognises a key where it lies: there is one for each value of each row, and none is worth a copy.
#[derive(Clone, Copy)]
struct KeySeed<'s> {
    properties: &'s [String],
    /// Behind the last one that was found.
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "id" => Key::Id,
            "@removed" => Key::Removed,
            "members@delta" => Key::Members,
            _ => position(self.properties, key, self.expected).map_or(Key::Other, Key::Property),
        })
    }
}

/// Looks behind the last one first: properties come in one order, and those that are absent are passed over.
fn position(properties: &[String], key: &str, expected: usize) -> Option<usize> {
    let (before, behind) = properties.split_at(expected.min(properties.len()));
    let of = |some: &[String]| some.iter().position(|property| property == key);
    of(behind).map(|index| index + before.len()).or_else(|| of(before))
}

#[derive(Deserialize)]
struct RemovedNote<'a> {
    #[serde(borrow, default, deserialize_with = "super::text::optional")]
    reason: Option<Cow<'a, str>>,
}

impl From<RemovedNote<'_>> for Removed {
    fn from(note: RemovedNote<'_>) -> Removed {
        // An unknown reason is taken for the one that can be taken back.
        if note.reason.as_deref() == Some("deleted") { Removed::Deleted } else { Removed::Changed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Page;

    fn properties() -> Vec<String> {
        ["displayName", "mail"].map(String::from).to_vec()
    }

    #[test]
    fn absent_and_null_are_told_apart() {
        let names = properties();
        let page = Page::read(br#"{"value":[{"mail":null,"id":"a"}]}"#, RowSeed { properties: &names }).unwrap();
        assert!(page.rows[0].values[0].is_none());
        assert_eq!(page.rows[0].values[1].unwrap().get(), "null");
    }

    #[test]
    fn removed_rows_carry_their_reason() {
        let names = properties();
        let text =
            br#"{"value":[{"id":"a","@removed":{"reason":"changed"}},{"id":"b","@removed":{"reason":"deleted"}}]}"#;
        let page = Page::read(text, RowSeed { properties: &names }).unwrap();
        assert_eq!(page.rows[0].removed, Some(Removed::Changed));
        assert_eq!(page.rows[1].removed, Some(Removed::Deleted));
    }

    #[test]
    fn a_slice_of_members_tells_who_came_and_who_went() {
        let names = properties();
        let text = br##"{"value":[{"id":"g","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u"},
            {"id":"v","@removed":{"reason":"deleted"}}]},{"id":"h","members@delta":null}]}"##;
        let page = Page::read(text, RowSeed { properties: &names }).unwrap();
        let seen: Vec<_> = page.rows[0].members.iter().map(|m| (m.id.as_deref(), m.removed)).collect();
        assert_eq!(seen, [(Some("u"), false), (Some("v"), true)]);
        assert!(page.rows[1].members.is_empty());
    }
}
