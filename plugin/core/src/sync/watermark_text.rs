//! The watermark as the text a host stores: `{"u":"…","g":"…","x":{…}}`.
//!
//! A watermark of just the two links, as another implementation stored it, can be read too. Lists of ids are packed into
//! base64, so that five hundred of them cost eleven kilobytes. A text that would grow beyond the contract's limit is written
//! without positions: the round is then walked again after an interruption, which costs time and nothing else.

use serde::{Deserialize, Serialize};

use super::lists::{Lists, PLACES, Repair};
use super::packed::{id_of, pack, restored_bytes, restored_of, unpack, with};
use super::restored::{GONE_PLACES, Gone, RESTORED_PLACES, RestoredObjects};
use super::watermark::{FeedMark, FollowUp, MAX_LENGTH, MAX_LINK, MembersMark, Position, Stage, Watermark, invalid};
use crate::error::Error;

/// What a run adds to the watermark it starts from, before there is anything new: tenant, origin, what is asked for.
const ROOM: usize = 1024;

/// The version this connector writes.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Text {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    u: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    g: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    x: Option<Extra>,
}

#[derive(Serialize, Deserialize, Default)]
struct Extra {
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    users: Option<Note>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    groups: Option<Note>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    members: Option<Members>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    asked: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    done: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    repair: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    confirm: String,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    lacking: Vec<String>,
    /// Whole ids of soft-deleted objects: read, no longer written.
    #[serde(skip_serializing, default)]
    gone: Option<String>,
    /// Soft-deleted objects, six bytes each.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    away: Option<String>,
    /// There are more of them.
    #[serde(skip_serializing_if = "is_false", default)]
    away_more: bool,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    restored: String,
    /// There are more of them.
    #[serde(skip_serializing_if = "is_false", default)]
    restored_more: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize, Deserialize)]
struct Note {
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

#[derive(Serialize, Deserialize)]
struct Members {
    #[serde(rename = "for")]
    fingerprint: String,
    set: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    page: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    unread: String,
}

impl Watermark {
    /// Reads a host's text. The error never quotes it: links hold tokens.
    pub fn parse(text: &str) -> Result<Watermark, Error> {
        const OURS: &str = "a checkpoint of this connector, byte for byte";
        if text.len() > MAX_LENGTH {
            return Err(invalid("", format!("{} bytes", text.len()), format!("at most {MAX_LENGTH} bytes")));
        }
        let raw: Text = serde_json::from_str(text).map_err(|e| {
            let found = format!("text that is not a watermark (line {} column {})", e.line(), e.column());
            invalid("", found, OURS)
        })?;
        if raw.u.is_none() && raw.g.is_none() && raw.x.is_none() {
            return Err(invalid("", "a JSON object without u, g and x", OURS));
        }
        if let Some(x) = raw.x.as_ref().filter(|x| x.v != VERSION) {
            return Err(invalid("/x/v", x.v.to_string(), format!("{VERSION}: a newer connector wrote this watermark")));
        }
        let x = raw.x.unwrap_or_default();
        let unreadable = |path: &'static str| move || invalid(path, "ids that cannot be read", OURS);
        let repair = unpack::<17>(&x.repair, PLACES).ok_or_else(unreadable("/x/repair"))?;
        let confirm = unpack::<16>(&x.confirm, PLACES).ok_or_else(unreadable("/x/confirm"))?;
        let restored = unpack::<17>(&x.restored, RESTORED_PLACES).ok_or_else(unreadable("/x/restored"))?;
        let whole_ids = x.gone.as_deref().map(|text| unpack::<16>(text, PLACES).ok_or_else(unreadable("/x/gone")));
        let away = x.away.as_deref().map(|text| unpack::<6>(text, GONE_PLACES).ok_or_else(unreadable("/x/away")));
        let gone = match (away.transpose()?, whole_ids.transpose()?) {
            (Some(ids), _) => Some(Gone::of(ids, x.away_more)),
            (None, Some(ids)) => Some(Gone::of_ids(ids.iter().map(|bytes| id_of(bytes)))),
            (None, None) => None,
        };
        let members = x.members.map(|m| {
            let unread = unpack::<16>(&m.unread, PLACES).ok_or_else(unreadable("/x/members/unread"))?;
            let unread = unread.iter().map(|bytes| id_of(bytes)).collect();
            Ok::<_, Error>(MembersMark { fingerprint: m.fingerprint, set: m.set, page: m.page, unread })
        });
        for (path, link) in [("/u", &raw.u), ("/g", &raw.g)] {
            if let Some(length) = link.as_ref().map(String::len).filter(|length| *length > MAX_LINK) {
                return Err(invalid(path, format!("a link of {length} bytes"), format!("at most {MAX_LINK} bytes")));
            }
        }
        let mark = Watermark {
            tenant: x.tenant,
            origin: x.origin,
            users: feed_mark(raw.u, x.users),
            groups: feed_mark(raw.g, x.groups),
            members: members.transpose()?,
            asked: x.asked,
            done: x.done,
            lacking: x.lacking,
            lists: Lists {
                repair: repair.iter().map(|b| Repair { group: id_of(b), failures: b[16] }).collect(),
                confirm: confirm.iter().map(|b| id_of(b)).collect(),
                gone,
                restored: RestoredObjects { all: restored.iter().map(restored_of).collect(), lost: x.restored_more },
                ..Lists::default()
            },
        };
        // The next watermark grows from this one and must not outgrow the contract.
        let length = mark.written(false).len();
        if length > MAX_LENGTH - ROOM {
            return Err(invalid("", format!("{length} bytes that are no places"), OURS));
        }
        Ok(mark)
    }

    /// The text for the host.
    pub fn to_text(&self) -> String {
        let text = self.written(true);
        if text.len() <= MAX_LENGTH { text } else { self.written(false) }
    }

    fn written(&self, positions: bool) -> String {
        let lists = &self.lists;
        let members = self.members.as_ref().filter(|_| positions);
        let text = Text {
            u: self.users.link.clone(),
            g: self.groups.link.clone(),
            x: Some(Extra {
                v: VERSION,
                tenant: self.tenant.clone(),
                origin: self.origin.clone(),
                users: note(&self.users, positions),
                groups: note(&self.groups, positions),
                members: members.map(|m| Members {
                    fingerprint: m.fingerprint.clone(),
                    set: m.set.clone(),
                    page: m.page.clone(),
                    unread: pack(m.unread.iter().map(|id| id.0)),
                }),
                asked: self.asked.clone(),
                done: self.done.clone(),
                repair: pack(lists.repair.iter().map(|r| with(r.group, r.failures))),
                confirm: pack(lists.confirm.iter().map(|id| id.0)),
                lacking: self.lacking.clone(),
                gone: None,
                away: lists.gone.as_ref().map(|gone| pack(gone.ids())),
                away_more: lists.gone.as_ref().is_some_and(|gone| gone.incomplete),
                restored: pack(lists.restored.all.iter().take(RESTORED_PLACES).map(restored_bytes)),
                restored_more: lists.restored.is_too_long(),
            }),
        };
        // Strings and numbers into memory: there is nothing that could fail.
        serde_json::to_string(&text).unwrap_or_default()
    }
}

fn feed_mark(link: Option<String>, note: Option<Note>) -> FeedMark {
    let Some(note) = note else { return FeedMark { link, ..FeedMark::default() } };
    let position = note.now.map(|now| Position {
        fingerprint: now.fingerprint,
        stage: match now.stage {
            None => Stage::Walk,
            Some(StageName::Members) => Stage::Members,
            Some(StageName::Groups) => Stage::Groups,
            Some(StageName::Drain) => Stage::Drain,
        },
        set: now.set,
        page: now.page,
        since: now.since,
    });
    let follow_up = match note.then {
        None => FollowUp::Nothing,
        Some(FollowUpName::BinNextRun) => FollowUp::BinNextRun,
        Some(FollowUpName::Bin) => FollowUp::Bin,
        Some(FollowUpName::Wakes) => FollowUp::Wakes,
        Some(FollowUpName::ReadsNextRun) => FollowUp::ReadsNextRun,
        Some(FollowUpName::Reads) => FollowUp::Reads,
    };
    FeedMark { link, fingerprint: note.fingerprint, at: note.at, full: note.full, position, follow_up }
}

fn note(mark: &FeedMark, positions: bool) -> Option<Note> {
    let now = mark.position.as_ref().filter(|_| positions).map(|position| Now {
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
    });
    let then = match mark.follow_up {
        FollowUp::Nothing => None,
        FollowUp::BinNextRun => Some(FollowUpName::BinNextRun),
        FollowUp::Bin => Some(FollowUpName::Bin),
        FollowUp::Wakes => Some(FollowUpName::Wakes),
        FollowUp::ReadsNextRun => Some(FollowUpName::ReadsNextRun),
        FollowUp::Reads => Some(FollowUpName::Reads),
    };
    let note = Note { fingerprint: mark.fingerprint.clone(), at: mark.at, full: mark.full, now, then };
    let is_empty = note.fingerprint.is_none()
        && note.at.is_none()
        && note.full.is_none()
        && note.now.is_none()
        && note.then.is_none();
    (!is_empty).then_some(note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::mapping::ObjectId;
    use crate::sync::lists::Who;
    use crate::sync::restored::{Look, Restored};

    fn whole() -> Watermark {
        let link = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=a+b%2Bc=\"é";
        let id = |n| ObjectId([n; 16]);
        Watermark {
            tenant: Some("t".into()),
            origin: Some("o".into()),
            users: FeedMark {
                link: Some(link.into()),
                fingerprint: Some("f".into()),
                at: Some(7),
                full: Some(5),
                position: Some(Position {
                    fingerprint: "f".into(),
                    stage: Stage::Drain,
                    set: Some("s".into()),
                    page: Some("p".into()),
                    since: Some(9),
                }),
                follow_up: FollowUp::Wakes,
            },
            groups: FeedMark::default(),
            members: Some(MembersMark { fingerprint: "m".into(), set: "s".into(), page: None, unread: vec![id(9)] }),
            asked: Some("a".into()),
            done: vec!["User".into()],
            lacking: vec!["User".into()],
            lists: Lists {
                repair: vec![Repair { group: id(1), failures: 3 }],
                confirm: vec![id(2), id(3)],
                gone: Some(Gone::of_ids([id(6)])),
                restored: RestoredObjects {
                    all: vec![
                        Restored { who: Who::Group, id: id(4), look: Look::Done, thin: false },
                        Restored { who: Who::User, id: id(5), look: Look::Again, thin: true },
                    ],
                    lost: true,
                },
                ..Lists::default()
            },
        }
    }

    #[test]
    fn a_watermark_survives_its_text_and_links_come_back_byte_for_byte() {
        assert_eq!(Watermark::parse(&whole().to_text()).unwrap(), whole());
        assert_eq!(Watermark::parse(&Watermark::default().to_text()).unwrap(), Watermark::default());
    }

    #[test]
    fn just_the_two_links_are_a_watermark() {
        let mark = Watermark::parse(r#"{"u":"a","g":"b"}"#).unwrap();
        assert_eq!(mark.users, FeedMark { link: Some("a".into()), ..FeedMark::default() });
    }

    #[test]
    fn soft_deleted_objects_of_an_older_watermark_are_taken_over() {
        let ids = pack([ObjectId([7; 16]).0].into_iter());
        let mark = Watermark::parse(&format!(r#"{{"x":{{"v":1,"gone":"{ids}"}}}}"#)).unwrap();
        assert!(mark.lists.is_gone(ObjectId([7; 16])));
    }

    #[test]
    fn what_is_not_ours_is_refused_without_quoting_it() {
        for text in [
            "",
            "{}",
            "[1]",
            "SECRET",
            r#"{"u":7}"#,
            r#"{"x":{"v":2}}"#,
            r#"{"x":7}"#,
            r#"{"x":{"v":1,"confirm":"AA"}}"#,
            r#"{"x":{"v":1,"repair":"SECRET !"}}"#,
        ] {
            let error = Watermark::parse(text).unwrap_err();
            assert_eq!(error.kind, Kind::InvalidWatermark, "{text}");
            assert!(!error.message.contains("SECRET"));
        }
        assert!(Watermark::parse(&format!("{{\"u\":\"{}\"}}", "x".repeat(MAX_LENGTH))).is_err());
    }

    #[test]
    fn a_watermark_that_would_outgrow_the_contract_is_refused() {
        let filled = |length: usize| format!(r#"{{"u":"l","x":{{"v":1,"asked":"{}"}}}}"#, "a".repeat(length));
        assert!(Watermark::parse(&filled(MAX_LENGTH - 2000)).is_ok());
        for text in [filled(MAX_LENGTH - 100), format!(r#"{{"u":"{}"}}"#, "l".repeat(MAX_LINK + 1))] {
            assert_eq!(Watermark::parse(&text).unwrap_err().kind, Kind::InvalidWatermark);
        }
    }

    #[test]
    fn the_time_of_a_link_survives_without_a_fingerprint() {
        let mark = Watermark::parse(r#"{"u":"l","x":{"v":1,"users":{"at":5}}}"#).unwrap();
        assert_eq!(Watermark::parse(&mark.to_text()).unwrap().users.at, Some(5));
    }

    #[test]
    fn no_watermark_is_longer_than_the_contract_allows() {
        let mut mark = whole();
        let id = |n: usize| ObjectId((n as u128).to_be_bytes());
        mark.lists.repair = (0..PLACES).map(|n| Repair { group: id(n), failures: 1 }).collect();
        mark.lists.confirm.clear();
        mark.lists.gone = Some(Gone::of_ids((0..GONE_PLACES).map(id)));
        mark.lists.restored.all = (0..2 * RESTORED_PLACES)
            .map(|n| Restored { who: Who::User, id: id(n), look: Look::Pending, thin: false })
            .collect();
        mark.members.as_mut().unwrap().unread = (0..PLACES).map(id).collect();
        mark.users.link = Some("u".repeat(super::super::watermark::MAX_LINK));
        mark.groups.link = mark.users.link.clone();
        mark.users.position.as_mut().unwrap().page = Some("p".repeat(20_000));
        let text = mark.to_text();
        assert!(text.len() <= MAX_LENGTH, "{}", text.len());
        let read = Watermark::parse(&text).unwrap();
        assert_eq!(read.users.position, None, "positions go first");
        assert!(read.lists.restored.lost && read.lists.restored.all.len() == RESTORED_PLACES);
    }
}
