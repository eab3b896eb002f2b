//! What a host stores between runs: a mark for each object type, and the ids that the next run must look at again.
//!
//! `watermark_text.rs` writes it down, `mark.rs` says what is kept of one type.

use std::collections::BTreeMap;

use super::lists::{Lists, PLACES};
use super::mark::TypeMark;
use crate::error::{Document, Error, Kind, Problem};
use crate::mapping::ObjectId;
use crate::types::ObjectType;

/// What a run starts from or leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermark {
    /// Directory GUID, lower case; `None` in a watermark of just links.
    pub tenant: Option<String>,
    /// Graph origin; `None` in a watermark of just links.
    pub origin: Option<String>,
    /// By the object type's name.
    pub(super) marks: BTreeMap<&'static str, TypeMark>,
    /// What the run under way asks for, all in all; `None` once it is over.
    pub asked: Option<String>,
    /// Object types that it has finished.
    pub done: Vec<String>,
    /// Object types of which it left something unread that no list here names: it is Partial, also once resumed.
    pub lacking: Vec<String>,
    /// Ids to look at again.
    pub lists: Lists,
}

/// Of an object type that a watermark does not name.
static NOTHING_KEPT: TypeMark = TypeMark {
    link: None,
    fingerprint: None,
    at: None,
    full: None,
    position: None,
    unread: Vec::new(),
    follow_up: super::mark::FollowUp::Nothing,
};

impl Watermark {
    /// What is kept of an object type.
    pub fn of(&self, object_type: &ObjectType) -> &TypeMark {
        self.marks.get(object_type.name).unwrap_or(&NOTHING_KEPT)
    }

    /// What is kept of an object type, to move it.
    pub fn of_mut(&mut self, object_type: &ObjectType) -> &mut TypeMark {
        self.marks.entry(object_type.name).or_default()
    }

    /// Every object type of which something is kept.
    pub(super) fn kept(&self) -> impl Iterator<Item = (&'static str, &TypeMark)> {
        self.marks.iter().filter(|(_, mark)| !mark.is_empty()).map(|(name, mark)| (*name, mark))
    }

    /// Something of this object type was left unread that no list names.
    pub fn lacks(&mut self, object_type: &str) {
        if !self.lacking.iter().any(|name| name == object_type) {
            self.lacking.push(object_type.to_owned());
        }
    }

    /// A set that reads everything of the object type begins: nothing is lacking of it any more.
    pub fn lacks_nothing_of(&mut self, object_type: &ObjectType) {
        self.lacking.retain(|name| name != object_type.name);
    }

    /// A scope of the set under way was not read whole. Answers whether there was room to name it.
    pub fn scope_unread(&mut self, object_type: &ObjectType, scope: &str) -> bool {
        let named: usize = self.marks.values().map(|mark| mark.unread.len()).sum();
        let mark = self.of_mut(object_type);
        let (Some(_), Some(scope)) = (&mark.position, ObjectId::parse(scope)) else { return false };
        let known = mark.unread.contains(&scope);
        if !known && named < PLACES {
            mark.unread.push(scope);
            return true;
        }
        known
    }

    /// It was read after all.
    pub fn scope_read(&mut self, object_type: &ObjectType, scope: &str) {
        let unread = &mut self.of_mut(object_type).unread;
        if !unread.is_empty() {
            let scope = ObjectId::parse(scope);
            unread.retain(|other| Some(*other) != scope);
        }
    }

    /// A fresh Full set of a feed begins: what was known of it is void. A link that was made for another selection is
    /// dropped with it, since the rows of this set are stored from now on, whether or not its End is reached.
    pub fn full_set_begins(&mut self, object_type: &ObjectType, fingerprint: &str) {
        self.lacks_nothing_of(object_type);
        let mark = self.of_mut(object_type);
        mark.position = None;
        if mark.fingerprint.as_deref() != Some(fingerprint) {
            *mark = TypeMark::default();
        }
    }

    /// The watermark of a run that has ended: nothing in it asks to be resumed, and the next run is a run of its own.
    pub(super) fn after_the_run(mut self) -> Watermark {
        self.asked = None;
        self.done.clear();
        self.lacking.clear();
        self.lists.restored.run_is_over();
        for mark in self.marks.values_mut() {
            mark.follow_up = mark.follow_up.after_the_run();
        }
        self
    }
}

/// `InvalidWatermark` with one problem.
pub(super) fn invalid(path: &str, found: impl Into<String>, expected: impl Into<String>) -> Error {
    let (found, expected) = (found.into(), expected.into());
    let message = format!(
        "the watermark cannot be used: found {found}, expected {expected}; import in full, without a watermark"
    );
    let mut error = Error::new(Kind::InvalidWatermark, message);
    error.problems.push(Problem {
        document: Document::Watermark,
        path: path.to_owned(),
        found,
        expected,
        nearest: None,
    });
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::mark::Position;
    use crate::types::{GROUP, GROUP_MEMBER};

    #[test]
    fn unread_scopes_of_all_types_share_their_places() {
        let mut mark = Watermark::default();
        let scope = |n: usize| ObjectId((n as u128).to_be_bytes()).to_string();
        assert!(!mark.scope_unread(&GROUP, &scope(0)), "no place is before it");
        for object_type in [&GROUP, &GROUP_MEMBER] {
            mark.of_mut(object_type).position = Some(Position::default());
        }
        assert!((1..PLACES).all(|n| mark.scope_unread(&GROUP, &scope(n))));
        assert!(mark.scope_unread(&GROUP_MEMBER, &scope(0)) && mark.scope_unread(&GROUP_MEMBER, &scope(0)));
        assert!(!mark.scope_unread(&GROUP_MEMBER, &scope(1)), "there is no further one");
        mark.scope_read(&GROUP, &scope(1));
        assert!(mark.scope_unread(&GROUP_MEMBER, &scope(1)));
    }
}
