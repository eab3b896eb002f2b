//! Claims about what the text of a watermark keeps, and what it refuses.

use super::*;
use crate::error::Kind;
use crate::mapping::ObjectId;
use crate::sync::mark::{FollowUp, Position, Stage};
use crate::sync::restored::{Look, Restored};
use crate::types::{GROUP, GROUP_MEMBER, USER};

fn whole() -> Watermark {
    let link = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=a+b%2Bc=\"é";
    let id = |n| ObjectId([n; 16]);
    let position = |stage, page: Option<&str>| Position {
        fingerprint: "f".into(),
        stage,
        set: Some("s".into()),
        page: page.map(Into::into),
        since: Some(9),
    };
    let users = TypeMark {
        link: Some(link.into()),
        fingerprint: Some("f".into()),
        at: Some(7),
        full: Some(5),
        position: Some(position(Stage::Drain, Some("p"))),
        follow_up: FollowUp::Wakes,
        ..TypeMark::default()
    };
    let members = TypeMark { position: Some(position(Stage::Walk, None)), unread: vec![id(9)], ..TypeMark::default() };
    Watermark {
        tenant: Some("t".into()),
        origin: Some("o".into()),
        marks: [(USER.name, users), (GROUP_MEMBER.name, members)].into(),
        asked: Some("a".into()),
        done: vec!["User".into()],
        lacking: vec!["User".into()],
        lists: Lists {
            repair: vec![Repair { group: id(1), failures: 3 }],
            confirm: vec![id(2), id(3)],
            gone: Some(Gone::of_ids([id(6)])),
            restored: RestoredObjects {
                all: vec![
                    Restored { object_type: &GROUP, id: id(4), look: Look::Done, thin: false },
                    Restored { object_type: &USER, id: id(5), look: Look::Again, thin: true },
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
    let link = |link: &str| TypeMark { link: Some(link.into()), ..TypeMark::default() };
    assert_eq!((mark.of(&USER), mark.of(&GROUP)), (&link("a"), &link("b")));
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
    let long = |length: usize| format!(r#"{{"u":"l","x":{{"v":1,"asked":"{}"}}}}"#, "a".repeat(length));
    assert!(Watermark::parse(&long(MAX_LENGTH - POSITIONS - 2000)).is_ok());
    for text in [long(MAX_LENGTH - POSITIONS - 100), format!(r#"{{"u":"{}"}}"#, "l".repeat(8193))] {
        assert_eq!(Watermark::parse(&text).unwrap_err().kind, Kind::InvalidWatermark);
    }
}

#[test]
fn the_time_of_a_link_survives_without_a_fingerprint() {
    let mark = Watermark::parse(r#"{"u":"l","x":{"v":1,"users":{"at":5}}}"#).unwrap();
    assert_eq!(Watermark::parse(&mark.to_text()).unwrap().of(&USER).at, Some(5));
}

#[test]
fn marks_of_watermarks_before_they_were_named_after_types_are_taken_over() {
    let unread = pack([ObjectId([7; 16]).0].into_iter());
    let text = format!(
        r#"{{"u":"l","x":{{"v":1,"users":{{"for":"f","at":5,"now":{{"for":"f","stage":"drain","page":"p"}}}},
            "members":{{"for":"m","set":"s","page":"q","unread":"{unread}"}}}}}}"#
    );
    let mark = Watermark::parse(&text).unwrap();
    let (users, members) = (mark.of(&USER), mark.of(&GROUP_MEMBER));
    assert_eq!(
        (users.link.as_deref(), users.at, users.position.as_ref().unwrap().stage),
        (Some("l"), Some(5), Stage::Drain)
    );
    let place =
        Position { fingerprint: "m".into(), set: Some("s".into()), page: Some("q".into()), ..Position::default() };
    assert_eq!(*members, TypeMark { position: Some(place), unread: vec![ObjectId([7; 16])], ..TypeMark::default() });
    assert_eq!(Watermark::parse(&mark.to_text()).unwrap(), mark);
}

/// A watermark in which every object type has a link as long as there is room for, every list is full, and every type
/// stands inside a page.
fn filled(page: usize) -> Watermark {
    let id = |n: usize| ObjectId((n as u128).to_be_bytes());
    let mut mark = whole();
    for object_type in types::ALL {
        *mark.of_mut(object_type) = TypeMark {
            link: Some("\"".repeat(4096)),
            fingerprint: Some("f".repeat(16)),
            at: Some(u64::MAX),
            full: Some(u64::MAX),
            position: Some(Position {
                fingerprint: "f".repeat(16),
                stage: Stage::Drain,
                set: Some("s".repeat(32)),
                page: Some("p".repeat(page)),
                since: Some(u64::MAX),
            }),
            follow_up: FollowUp::BinNextRun,
            ..TypeMark::default()
        };
    }
    mark.lists.repair = (0..PLACES).map(|n| Repair { group: id(n), failures: 1 }).collect();
    mark.lists.confirm = (0..PLACES).map(id).collect();
    mark.lists.gone = Some(Gone::of_ids((0..GONE_PLACES).map(id)));
    mark.lists.restored.all = (0..2 * RESTORED_PLACES)
        .map(|n| Restored { object_type: &USER, id: id(n), look: Look::Pending, thin: false })
        .collect();
    mark.of_mut(&GROUP_MEMBER).unread = (0..PLACES).map(id).collect();
    mark
}

#[test]
fn no_watermark_is_longer_than_the_contract_allows_and_what_is_written_can_be_read() {
    for page in [100, 1000, 2000, 20_000, 90_000] {
        let text = filled(page).to_text();
        assert!(text.len() <= MAX_LENGTH, "{}", text.len());
        let read = Watermark::parse(&text).unwrap();
        assert!(read.lists.restored.lost && read.lists.restored.all.len() == RESTORED_PLACES);
        assert_eq!(read.to_text(), text);
    }
}

#[test]
fn of_the_places_that_share_their_room_the_longest_leaves_first() {
    let mut mark = filled(100);
    mark.of_mut(&USER).position.as_mut().unwrap().page = Some("p".repeat(98_500));
    let read = Watermark::parse(&mark.to_text()).unwrap();
    assert_eq!((&read.of(&USER).position, read.of(&GROUP)), (&None, mark.of(&GROUP)));
}
