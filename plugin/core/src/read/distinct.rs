//! The distinct objects that a list named, checked against the count that Graph gave with the list's first page.
//!
//! An object that a list does not name is taken for gone or out of scope. A list that is shorter than its own count
//! leaves objects out, and nothing may be concluded from what it does not name.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use crate::error::{Error, Kind};
use crate::mapping::ObjectId;

/// How often a list is read that names fewer objects than its count.
const PASSES: u32 = 3;

/// Objects of one list. Each costs eight bytes.
#[derive(Debug, Default)]
pub(super) struct Distinct {
    /// Those of earlier passes, sorted.
    before: Vec<u64>,
    now: Vec<u64>,
    count: Option<u64>,
    passes: u32,
}

impl Distinct {
    /// Takes note of a page and its ids, each by [`short`]; Graph gives `count` with the first page.
    pub(super) fn page(&mut self, count: Option<u64>, ids: impl IntoIterator<Item = u64>) {
        self.count = self.count.or(count);
        self.now.extend(ids);
    }

    /// Whether an earlier pass named the object.
    pub(super) fn was_named(&self, id: u64) -> bool {
        self.before.binary_search(&id).is_ok()
    }

    /// At the end of a pass: whether the list has to be read once more, as part of the same set. A group that is
    /// created or deleted while the list is read may make a pass look short. The next pass names the created one and no
    /// longer counts the deleted one, and what an earlier pass named stays named.
    pub(super) fn reads_again(&mut self) -> Result<bool, Error> {
        self.before.append(&mut self.now);
        self.before.sort_unstable();
        self.before.dedup();
        self.passes += 1;
        let named = self.before.len() as u64;
        match self.count.take() {
            Some(count) if count > named && self.passes >= PASSES => Err(Error::new(
                Kind::Service,
                format!(
                    "the list of groups named {named} groups where Graph counts {count}, {PASSES} times in a row: nothing is \
                     removed for what it left out; run the import again"
                ),
            )),
            Some(count) => Ok(count > named),
            None => Ok(false),
        }
    }
}

/// Eight bytes for an id. Two ids that share them make a list look short, never whole.
pub(super) fn short(id: &str) -> u64 {
    match ObjectId::parse(id) {
        Some(ObjectId(bytes)) => {
            bytes.chunks(8).fold(0, |n, half| n ^ half.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
        }
        None => BuildHasherDefault::<DefaultHasher>::default().hash_one(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page<const N: usize>(list: &mut Distinct, count: Option<u64>, ids: [&str; N]) {
        list.page(count, ids.map(short));
    }

    #[test]
    fn list_as_long_as_its_count_is_read_once() {
        let mut list = Distinct::default();
        page(&mut list, Some(3), ["a", "b"]);
        page(&mut list, None, ["b", "c"]);
        assert!(!list.reads_again().unwrap());
    }

    #[test]
    fn list_without_count_is_read_once() {
        let mut list = Distinct::default();
        page(&mut list, None, ["a"]);
        assert!(!list.reads_again().unwrap());
    }

    #[test]
    fn list_shorter_than_its_count_is_read_three_times_and_given_up() {
        let mut list = Distinct::default();
        for pass in 1..=3 {
            page(&mut list, Some(3), ["a", "b", "b"]);
            assert_eq!(list.reads_again().ok(), (pass < 3).then_some(true), "pass {pass}");
        }
    }

    #[test]
    fn objects_of_every_pass_count() {
        let mut list = Distinct::default();
        page(&mut list, Some(3), ["a", "b"]);
        assert!(list.reads_again().unwrap());
        assert!(list.was_named(short("a")) && !list.was_named(short("c")));
        // "a" was deleted meanwhile.
        page(&mut list, Some(3), ["b", "c"]);
        assert!(!list.reads_again().unwrap());
    }
}
