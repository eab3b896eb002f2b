//! The mark of one object type as JSON, in the present form and in the one before it.

use serde::{Deserialize, Serialize};

use super::lists::PLACES;
use super::mark::{FollowUp, Position, Stage, TypeMark};
use super::packed::{id_of, pack, unpack};

/// A mark in `x.types`. `link` is absent where the link stands beside `x`.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct Note {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) link: Option<String>,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none", default)]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    full: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    now: Option<Now>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    then: Option<FollowUpName>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    unread: String,
    /// With `page`, the place of recomputed memberships: read, no longer written.
    #[serde(skip_serializing, default)]
    set: Option<String>,
    #[serde(skip_serializing, default)]
    page: Option<String>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum FollowUpName {
    BinNextRun,
    Bin,
    Wakes,
    ReadsNextRun,
    Reads,
}

#[derive(Serialize, Deserialize)]
struct Now {
    #[serde(rename = "for")]
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    stage: Option<StageName>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    set: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    since: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StageName {
    Members,
    Groups,
    Drain,
}

impl Note {
    /// The note of a mark, without its link. Where the place is left out, so are the unread scopes before it.
    pub(super) fn of(mark: &TypeMark, with_position: bool) -> Note {
        let position = mark.position.as_ref().filter(|_| with_position);
        Note {
            link: None,
            fingerprint: mark.fingerprint.clone(),
            at: mark.at,
            full: mark.full,
            now: position.map(Now::of),
            then: match mark.follow_up {
                FollowUp::Nothing => None,
                FollowUp::BinNextRun => Some(FollowUpName::BinNextRun),
                FollowUp::Bin => Some(FollowUpName::Bin),
                FollowUp::Wakes => Some(FollowUpName::Wakes),
                FollowUp::ReadsNextRun => Some(FollowUpName::ReadsNextRun),
                FollowUp::Reads => Some(FollowUpName::Reads),
            },
            unread: position.map_or_else(String::new, |_| pack(mark.unread.iter().map(|id| id.0))),
            set: None,
            page: None,
        }
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.link.is_none()
            && self.fingerprint.is_none()
            && self.at.is_none()
            && self.full.is_none()
            && self.now.is_none()
            && self.then.is_none()
    }

    /// The mark; `None` where its ids cannot be read.
    pub(super) fn mark(self) -> Option<TypeMark> {
        let unread = unpack::<16>(&self.unread, PLACES)?.iter().map(|bytes| id_of(bytes)).collect();
        let (fingerprint, position) = match (self.now, self.set) {
            (Some(now), _) => (self.fingerprint, Some(now.position())),
            (None, Some(set)) => {
                let fingerprint = self.fingerprint.unwrap_or_default();
                (None, Some(Position { fingerprint, set: Some(set), page: self.page, ..Position::default() }))
            }
            (None, None) => (self.fingerprint, None),
        };
        let unread = if position.is_some() { unread } else { Vec::new() };
        let follow_up = match self.then {
            None => FollowUp::Nothing,
            Some(FollowUpName::BinNextRun) => FollowUp::BinNextRun,
            Some(FollowUpName::Bin) => FollowUp::Bin,
            Some(FollowUpName::Wakes) => FollowUp::Wakes,
            Some(FollowUpName::ReadsNextRun) => FollowUp::ReadsNextRun,
            Some(FollowUpName::Reads) => FollowUp::Reads,
        };
        Some(TypeMark { link: self.link, fingerprint, at: self.at, full: self.full, position, unread, follow_up })
    }
}

impl Now {
    fn of(position: &Position) -> Now {
        Now {
            fingerprint: position.fingerprint.clone(),
            stage: match position.stage {
                Stage::Walk => None,
                Stage::Members => Some(StageName::Members),
                Stage::Groups => Some(StageName::Groups),
                Stage::Drain => Some(StageName::Drain),
            },
            set: position.set.clone(),
            page: position.page.clone(),
            since: position.since,
        }
    }

    fn position(self) -> Position {
        Position {
            fingerprint: self.fingerprint,
            stage: match self.stage {
                None => Stage::Walk,
                Some(StageName::Members) => Stage::Members,
                Some(StageName::Groups) => Stage::Groups,
                Some(StageName::Drain) => Stage::Drain,
            },
            set: self.set,
            page: self.page,
            since: self.since,
        }
    }
}

/// The bytes of a mark's place in a watermark.
pub(super) fn position_length(mark: &TypeMark) -> usize {
    let Some(position) = &mark.position else { return 0 };
    serde_json::to_string(&Now::of(position)).map_or(usize::MAX, |json| json.len())
}
