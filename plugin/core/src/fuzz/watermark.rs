//! The watermark. Input: the text; `CANARY` in it stands for a token.
//!
//! Promises: what was read and written is read as the same; no text that is written is longer than the contract allows;
//! whatever a run would start from leads to the configured Graph; the text is never quoted.

use super::canary;
use super::link::at_home;
use crate::error::Kind;
use crate::graph::fuzzing::follow;
use crate::sync::{FeedMark, MembersMark, MembersStart, Start, Wanted, Watermark, plan};

const TENANT: &str = "3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293";
const ORIGIN: &str = "https://graph.microsoft.com";
/// The contract's.
const LONGEST: usize = 64 * 1024;

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Watermark::parse(text) {
        Ok(mark) => {
            survives_its_text(&mark);
            for follows_members in [false, true] {
                for groups_listed in [false, true] {
                    starts_at_home(&mark, follows_members, groups_listed);
                }
            }
        }
        Err(error) => {
            assert_eq!(error.kind, Kind::InvalidWatermark);
            assert!(!error.problems.is_empty() && error.message.chars().count() < 500, "{error:?}");
        }
    }
    if let Some(planted) = canary::planted(text)
        && let Err(error) = Watermark::parse(&planted)
    {
        assert!(!canary::shows_in(&error), "the text is quoted: {error:?}");
    }
}

fn survives_its_text(mark: &Watermark) {
    let text = mark.to_text();
    assert!(text.len() <= LONGEST, "{} bytes are written", text.len());
    let again = Watermark::parse(&text).expect("a text of our own");
    let bare = |feed: &FeedMark| FeedMark { position: None, ..feed.clone() };
    // Positions may be left out where there is no room for them.
    let short = Watermark { users: bare(&mark.users), groups: bare(&mark.groups), members: None, ..mark.clone() };
    assert!(again == *mark || again == short, "written {mark:?}, read {again:?}");
    assert_eq!(again.to_text(), text, "a text that never settles");
}

/// Whatever the plan starts from, or carries into the next watermark, is at home.
fn starts_at_home(mark: &Watermark, follows_members: bool, groups_listed: bool) {
    let members = mark.members.as_ref().map_or("m", |members| members.fingerprint.as_str());
    let known = |feed: &FeedMark| {
        let position = feed.position.as_ref().map(|position| position.fingerprint.clone());
        feed.fingerprint.clone().or(position).unwrap_or_else(|| "f".to_owned())
    };
    let (users, groups) = (known(&mark.users), known(&mark.groups));
    let wanted = Wanted {
        tenant: TENANT,
        origin: ORIGIN,
        users: Some(&users),
        groups: Some(&groups),
        groups_listed,
        members: (!follows_members).then_some(members),
        all: mark.asked.as_deref().unwrap_or("a"),
        follows_members,
        reconcile_days: 7,
        defaults: mark.tenant.is_none(),
        now: 1_800_000_000,
    };
    let planned = match plan(Some(mark), &wanted, |link| follow(ORIGIN, link).is_ok()) {
        Ok(planned) => planned,
        Err(error) => {
            assert_eq!(error.kind, Kind::InvalidWatermark);
            return;
        }
    };
    let mut links: Vec<&str> = Vec::new();
    for start in [&planned.users, &planned.groups] {
        match start {
            Start::Done => {}
            Start::Full { resume } => links.extend(resume.as_ref().map(|place| place.page.as_str())),
            Start::Delta { link, page, .. } => {
                links.extend([Some(link), page.as_ref()].into_iter().flatten().map(|l| &**l));
            }
            Start::Reconcile { link, place } => {
                links.push(link);
                links.extend(place.as_ref().and_then(|place| place.page.as_deref()));
            }
        }
    }
    if let MembersStart::Resume { page: Some(page), .. } = &planned.members {
        links.push(page);
    }
    let carried = &planned.carried;
    for feed in [&carried.users, &carried.groups] {
        links.extend(feed.link.as_deref());
        links.extend(feed.position.as_ref().and_then(|position| position.page.as_deref()));
    }
    links.extend(carried.members.as_ref().and_then(|MembersMark { page, .. }| page.as_deref()));
    for link in links {
        at_home(ORIGIN, link);
    }
    assert!(mark.tenant.as_deref().is_none_or(|tenant| tenant == TENANT), "another tenant's watermark");
    assert!(mark.origin.as_deref().is_none_or(|origin| origin == ORIGIN), "another cloud's watermark");
    assert!(carried.to_text().len() <= LONGEST, "the run's first checkpoint has {} bytes", carried.to_text().len());
}
