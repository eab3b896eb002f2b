//! The watermark. Input: the text; `CANARY` in it stands for a token.
//!
//! Promises: what was read and written is read as the same; no text that is written is longer than the contract allows;
//! whatever a run would start from leads to the configured Graph; the text is never quoted.

use super::canary;
use super::link::at_home;
use crate::error::Kind;
use crate::graph::fuzzing::follow;
use crate::sync::{Asked, Keeps, Start, TypeMark, Wanted, Watermark, plan};
use crate::types;

const TENANT: &str = "3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293";
const ORIGIN: &str = "https://graph.microsoft.com";
/// The contract's.
const LONGEST: usize = 256 * 1024;

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Watermark::parse(text) {
        Ok(mark) => {
            survives_its_text(&mark);
            for follows_members in [false, true] {
                for listed in [false, true] {
                    starts_at_home(&mark, follows_members, listed);
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
    for object_type in types::ALL {
        let (written, read) = (mark.of(object_type), again.of(object_type));
        // Places may be left out where there is no room for them.
        let short = TypeMark { position: None, unread: Vec::new(), ..written.clone() };
        assert!(read == written || *read == short, "written {written:?}, read {read:?}");
    }
    assert_eq!((&again.lists, &again.done, &again.lacking), (&mark.lists, &mark.done, &mark.lacking));
    assert_eq!(again.to_text(), text, "a text that never settles");
}

/// Whatever the plan starts from, or carries into the next watermark, is at home.
fn starts_at_home(mark: &Watermark, follows_members: bool, listed: bool) {
    let asked = |(at, object_type): (usize, &'static types::ObjectType)| {
        let kept = mark.of(object_type);
        let position = kept.position.as_ref().map(|position| position.fingerprint.clone());
        let collection = ["/users", "/groups"].get(at).filter(|_| !listed);
        Asked {
            object_type,
            fingerprint: kept.fingerprint.clone().or(position).unwrap_or_else(|| "f".to_owned()),
            keeps: collection.map_or(Keeps::Place, |collection| Keeps::Link { collection }),
            plain: mark.tenant.is_none(),
            needs_bin: follows_members && at == 0,
            reconciles: follows_members,
        }
    };
    let asked: Vec<Asked> = types::ALL.iter().copied().enumerate().map(asked).collect();
    let wanted = Wanted {
        tenant: TENANT,
        origin: ORIGIN,
        types: &asked,
        all: mark.asked.as_deref().unwrap_or("a"),
        repairs: !listed,
        follows_members,
        reconcile_days: 7,
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
    let starts: Vec<Start> = types::ALL.iter().map(|object_type| planned.start(object_type)).collect();
    for start in &starts {
        match start {
            Start::Done => {}
            Start::Full { resume } => links.extend(resume.as_ref().and_then(|place| place.page.as_deref())),
            Start::Delta { link, page, .. } => {
                links.extend([Some(link), page.as_ref()].into_iter().flatten().map(|l| &**l));
            }
            Start::Reconcile { link, place } => {
                links.push(link);
                links.extend(place.as_ref().and_then(|place| place.page.as_deref()));
            }
        }
    }
    let carried = &planned.carried;
    for kept in types::ALL.iter().map(|object_type| carried.of(object_type)) {
        links.extend(kept.link.as_deref());
        links.extend(kept.position.as_ref().and_then(|position| position.page.as_deref()));
    }
    for link in links {
        at_home(ORIGIN, link);
    }
    assert!(mark.tenant.as_deref().is_none_or(|tenant| tenant == TENANT), "another tenant's watermark");
    assert!(mark.origin.as_deref().is_none_or(|origin| origin == ORIGIN), "another cloud's watermark");
    assert!(carried.to_text().len() <= LONGEST, "the run's first checkpoint has {} bytes", carried.to_text().len());
}
