//! A page of a collection: its rows and the links that follow it.
//!
//! `value` may be empty although more pages follow: only the links say whether this was the last page. Members of the
//! page that are not named here (`@odata.context`, `@microsoft.graph.tips`, …) are skipped.
//!
//! A row of three bytes becomes a record of hundreds, so the number of rows is limited, far beyond what Graph sends:
//! the memory of the host must not be for an answer to decide.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::Text;

/// Where a page leads.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Links {
    /// `@odata.nextLink`: the next page.
    pub next: Option<String>,
    /// `@odata.deltaLink`: the end of a delta round, and where the next one begins.
    pub delta: Option<String>,
}

/// Rows of a page of a list at most. Graph sends 999, and 1,000 of reports.
const LISTED: usize = 2_000;

/// Rows of a page of a change feed at most. Graph chooses the number, and sends some 200.
const FED: usize = 20_000;

/// Entries of relations (`members@delta`) in a page of a change feed at most. Graph sends some 500 in a row and at most
/// some 200 rows; pages with many entries have fewer rows.
pub(super) const ENTRIES: usize = 50_000;

/// Bytes of a link at most; those of Graph have some thousands.
const LONGEST_LINK: usize = 64 << 10;

/// What counts against the limits of a page.
pub trait Entries {
    /// Entries of relations in this row.
    fn entries(&self) -> usize {
        0
    }
}

/// One page.
#[derive(Debug)]
pub struct Page<R> {
    /// Its rows, in Graph's order.
    pub rows: Vec<R>,
    /// Where it leads.
    pub links: Links,
    /// `@odata.count`: how many rows all pages have together. Only an advanced query gets it, and only with its first
    /// page.
    pub count: Option<u64>,
}

impl<R: Entries> Page<R> {
    /// Reads a page of a list, each row by `seed`. The error is for a log: the answer is not a page.
    pub fn read<'de, S>(body: &'de [u8], seed: S) -> Result<Page<R>, serde_json::Error>
    where
        S: DeserializeSeed<'de, Value = R> + Copy,
    {
        Page::read_up_to(body, seed, LISTED)
    }

    /// Reads a page of a change feed, whose size the caller does not choose.
    pub fn read_feed<'de, S>(body: &'de [u8], seed: S) -> Result<Page<R>, serde_json::Error>
    where
        S: DeserializeSeed<'de, Value = R> + Copy,
    {
        Page::read_up_to(body, seed, FED)
    }

    fn read_up_to<'de, S>(body: &'de [u8], seed: S, most: usize) -> Result<Page<R>, serde_json::Error>
    where
        S: DeserializeSeed<'de, Value = R> + Copy,
    {
        // Looked through once, instead of text by text.
        let mut json = serde_json::Deserializer::from_str(utf8(body)?);
        let page = json.deserialize_map(PageVisitor { seed, most, rows: PhantomData })?;
        json.end()?;
        Ok(page)
    }

    /// Reads a page whose rows read themselves.
    pub fn read_plain<'de>(body: &'de [u8]) -> Result<Page<R>, serde_json::Error>
    where
        R: Deserialize<'de>,
    {
        Page::read(body, PhantomData::<R>)
    }
}

/// The next link of a page, read before its rows are: Graph writes it before them, and then they are not looked at.
/// What is found may be of no use, since the body need not be whole.
pub fn next_link(body: &[u8]) -> Option<String> {
    let mut found = None;
    // Left as soon as the link is known, which the parser takes for an error.
    let _ = serde_json::Deserializer::from_slice(body).deserialize_map(NextLink(&mut found));
    found
}

struct NextLink<'f>(&'f mut Option<String>);

impl<'de> Visitor<'de> for NextLink<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            match key {
                Key::Next => {
                    *self.0 = map.next_value_seed(LinkSeed)?;
                    return Ok(());
                }
                // The last page.
                Key::Delta => return Ok(()),
                Key::Value | Key::Count | Key::Other => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }
}

fn utf8(body: &[u8]) -> Result<&str, serde_json::Error> {
    std::str::from_utf8(body).map_err(serde_json::Error::custom)
}

/// What a page says of itself.
#[derive(Deserialize)]
#[serde(field_identifier)]
enum Key {
    #[serde(rename = "value")]
    Value,
    #[serde(rename = "@odata.nextLink")]
    Next,
    #[serde(rename = "@odata.deltaLink")]
    Delta,
    #[serde(rename = "@odata.count")]
    Count,
    #[serde(other)]
    Other,
}

/// A link, or null.
struct LinkSeed;

impl<'de> DeserializeSeed<'de> for LinkSeed {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let link = Option::<Text<'de>>::deserialize(deserializer)?;
        if link.as_ref().is_some_and(|link| link.0.len() > LONGEST_LINK) {
            return Err(D::Error::custom(format_args!("a link of more than {} KiB", LONGEST_LINK >> 10)));
        }
        Ok(link.map(|link| link.0.into_owned()))
    }
}

struct PageVisitor<S, R> {
    seed: S,
    most: usize,
    rows: PhantomData<R>,
}

impl<'de, S, R> Visitor<'de> for PageVisitor<S, R>
where
    S: DeserializeSeed<'de, Value = R> + Copy,
    R: Entries,
{
    type Value = Page<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page: an object with `value`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Page<R>, A::Error> {
        let (mut rows, mut links, mut count) = (None, Links::default(), None);
        while let Some(key) = map.next_key()? {
            match key {
                Key::Value => rows = Some(map.next_value_seed(RowsSeed { seed: self.seed, most: self.most })?),
                Key::Next => links.next = map.next_value_seed(LinkSeed)?,
                Key::Delta => links.delta = map.next_value_seed(LinkSeed)?,
                // A count of another form is no count; the rows are good all the same.
                Key::Count => count = map.next_value::<&RawValue>()?.get().parse().ok(),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Page { rows: rows.ok_or_else(|| A::Error::missing_field("value"))?, links, count })
    }
}

struct RowsSeed<S> {
    seed: S,
    most: usize,
}

impl<'de, S: DeserializeSeed<'de, Value: Entries> + Copy> DeserializeSeed<'de> for RowsSeed<S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, S: DeserializeSeed<'de, Value: Entries> + Copy> Visitor<'de> for RowsSeed<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut entries) = (Vec::new(), 0);
        while let Some(row) = seq.next_element_seed(self.seed)? {
            if rows.len() == self.most {
                return Err(A::Error::custom(format_args!("a page of more than {} rows", self.most)));
            }
            entries += row.entries();
            if entries > ENTRIES {
                return Err(A::Error::custom(format_args!("a page of more than {ENTRIES} entries of members")));
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Member, RowSeed};

    #[test]
    fn an_empty_page_with_a_next_link_is_not_the_last() {
        let page = Page::<Member<'_>>::read_plain(br#"{"@odata.nextLink":"https://x/1","value":[]}"#).unwrap();
        assert_eq!(page.links, Links { next: Some("https://x/1".into()), delta: None });
    }

    #[test]
    fn the_next_link_is_known_before_the_rows_are_read_and_wherever_it_stands() {
        let early = br#"{"@odata.context":"c","@odata.nextLink":"https:\/\/x\/1","value":[{"cut"#;
        assert_eq!(next_link(early).as_deref(), Some("https://x/1"));
        assert_eq!(next_link(br#"{"value":[{}],"@odata.nextLink":"n"}"#).as_deref(), Some("n"));
        for none in [&br#"{"@odata.deltaLink":"d","value":[]}"#[..], br#"{"value":[{"@odata.nextLink":"n"}]}"#, b"["] {
            assert_eq!(next_link(none), None);
        }
    }

    #[test]
    fn unknown_members_are_skipped() {
        let text = br#"{"@odata.context":"c","@microsoft.graph.tips":{"a":[1]},"value":[],"@odata.deltaLink":"d"}"#;
        assert_eq!(Page::<Member<'_>>::read_plain(text).unwrap().links.delta.as_deref(), Some("d"));
    }

    #[test]
    fn count_of_another_form_is_left_out() {
        for (count, read) in [("7", Some(7)), ("-1", None), ("null", None), (r#""7""#, None), ("{}", None)] {
            let text = format!(r#"{{"@odata.count":{count},"value":[]}}"#);
            assert_eq!(Page::<Member<'_>>::read_plain(text.as_bytes()).unwrap().count, read, "{count}");
        }
    }

    #[test]
    fn a_page_without_value_or_cut_short_is_no_page() {
        assert!(Page::<Member<'_>>::read_plain(b"{}").is_err());
        assert!(Page::<Member<'_>>::read_plain(br#"{"value":[{"id":"a"}"#).is_err());
        assert!(Page::<Member<'_>>::read_plain(br#"{"value":[]}{"#).is_err());
    }

    fn page_of(row: &str, rows: usize) -> String {
        format!(r#"{{"value":[{}{row}]}}"#, format!("{row},").repeat(rows - 1))
    }

    #[test]
    fn page_with_more_rows_than_graph_sends_is_refused_in_words() {
        let full = page_of("{}", LISTED);
        assert_eq!(Page::<Member<'_>>::read_plain(full.as_bytes()).unwrap().rows.len(), LISTED);
        let more = page_of("{}", LISTED + 1);
        let error = Page::<Member<'_>>::read_plain(more.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("a page of more than 2000 rows"), "{error}");
        let seed = RowSeed { properties: &[] };
        assert_eq!(Page::read_feed(page_of("{}", FED).as_bytes(), seed).unwrap().rows.len(), FED);
        let error = Page::read_feed(page_of("{}", FED + 1).as_bytes(), seed).unwrap_err().to_string();
        assert!(error.starts_with("a page of more than 20000 rows"), "{error}");
    }

    #[test]
    fn entries_are_counted_over_all_rows_of_a_page() {
        let row = |entries: usize| format!(r#"{{"members@delta":[{}{{}}]}}"#, "{},".repeat(entries - 1));
        let seed = RowSeed { properties: &[] };
        let full = page_of(&row(ENTRIES / 10), 10);
        assert!(Page::read_feed(full.as_bytes(), seed).is_ok());
        for more in [page_of(&row(ENTRIES / 10), 11), page_of(&row(ENTRIES + 1), 1)] {
            let error = Page::read_feed(more.as_bytes(), seed).unwrap_err().to_string();
            assert!(error.starts_with("a page of more than 50000 entries of members"), "{error}");
        }
    }

    #[test]
    fn link_longer_than_any_of_graph_is_refused() {
        let page = |length: usize| format!(r#"{{"@odata.nextLink":"{}","value":[]}}"#, "x".repeat(length));
        assert!(Page::<Member<'_>>::read_plain(page(LONGEST_LINK).as_bytes()).is_ok());
        let long = page(LONGEST_LINK + 1);
        assert!(Page::<Member<'_>>::read_plain(long.as_bytes()).is_err());
        assert_eq!(next_link(long.as_bytes()), None);
    }

    #[test]
    fn count_of_all_pages_is_read_where_it_is_a_number() {
        let counted = |count: &str| {
            let text = format!(r#"{{"@odata.count":{count},"value":[]}}"#);
            Page::<Member<'_>>::read_plain(text.as_bytes()).unwrap().count
        };
        assert_eq!([counted("7"), counted("null"), counted("-1"), counted("\"7\"")], [Some(7), None, None, None]);
    }
}
