//! Claims about what a run starts from.

use super::*;
use crate::types::{GROUP, GROUP_MEMBER, USER};

const USERS: &str = "https://graph/v1.0/users/delta?$deltatoken=1";
const GROUPS: &str = "https://graph/v1.0/groups/delta?$deltatoken=1";
const UNREAD: ObjectId = ObjectId([9; 16]);
const PAGE: &str = "https://graph/v1.0/users/delta?$skiptoken=2";

/// What a run asks for.
struct Run {
    tenant: &'static str,
    origin: &'static str,
    users: Option<&'static str>,
    members: &'static str,
    all: &'static str,
    follows_members: bool,
    reconcile_days: u16,
    plain: bool,
}

fn wanted() -> Run {
    Run {
        tenant: "t",
        origin: "https://graph",
        users: Some("fu"),
        members: "fm",
        all: "all",
        follows_members: false,
        reconcile_days: 7,
        plain: true,
    }
}

fn planned(mark: &Watermark, run: &Run) -> Result<Plan, Error> {
    let follows = run.follows_members;
    let asked = |object_type, fingerprint: &str, keeps| Asked {
        object_type,
        fingerprint: fingerprint.to_owned(),
        keeps,
        plain: run.plain,
        needs_bin: follows && object_type == &USER,
        reconciles: follows && object_type == &GROUP,
    };
    let users = run.users.map(|users| asked(&USER, users, Keeps::Link { collection: "/users" }));
    let groups = asked(&GROUP, "fg", Keeps::Link { collection: "/groups" });
    let members = (!follows).then(|| asked(&GROUP_MEMBER, run.members, Keeps::Place));
    let types: Vec<Asked> = users.into_iter().chain([groups]).chain(members).collect();
    let wanted = Wanted {
        tenant: run.tenant,
        origin: run.origin,
        types: &types,
        all: run.all,
        repairs: true,
        follows_members: follows,
        reconcile_days: run.reconcile_days,
        now: 10 * DAY,
    };
    plan(Some(mark), &wanted, |link| link.starts_with("https://graph/"))
}

fn mark(link: &str, fingerprint: Option<&str>, at: u64) -> Watermark {
    let users = TypeMark {
        link: Some(link.into()),
        fingerprint: fingerprint.map(Into::into),
        at: Some(at),
        full: Some(9 * DAY),
        ..TypeMark::default()
    };
    let marks = [(USER.name, users)].into();
    Watermark { tenant: Some("t".into()), origin: Some("https://graph".into()), marks, ..Watermark::default() }
}

fn position(stage: Stage, set: Option<&str>) -> Position {
    Position { fingerprint: "fu".into(), stage, set: set.map(Into::into), page: Some(PAGE.into()), since: Some(3) }
}

fn delta(link: &str) -> Start {
    Start::Delta { link: link.into(), page: None, stage: Stage::Walk, since: None }
}

#[test]
fn a_matching_link_is_followed_and_a_missing_one_starts_full() {
    let plan = planned(&mark(USERS, Some("fu"), 10 * DAY), &wanted()).unwrap();
    assert_eq!((plan.start(&USER), plan.start(&GROUP)), (delta(USERS), Start::full()));
    assert!(plan.warnings.is_empty());
}

#[test]
fn another_tenant_or_graph_is_refused_naming_both() {
    let error = planned(&mark(USERS, Some("fu"), 0), &Run { tenant: "other", ..wanted() }).unwrap_err();
    assert_eq!(error.kind, Kind::InvalidWatermark);
    assert!(error.message.contains("tenant t,") && error.message.contains("other"));
    assert!(planned(&mark(USERS, Some("fu"), 0), &Run { origin: "https://elsewhere", ..wanted() }).is_err());
}

#[test]
fn another_selection_restarts_as_full_with_a_warning_and_keeps_the_old_link_meanwhile() {
    let plan = planned(&mark(USERS, Some("old"), 0), &wanted()).unwrap();
    assert_eq!((plan.start(&USER), plan.warnings[0].code), (Start::full(), Code::SelectionChanged));
    assert_eq!(plan.carried.of(&USER).fingerprint.as_deref(), Some("old"));
}

#[test]
fn a_link_of_a_foreign_origin_or_feed_is_refused() {
    for link in ["https://evil/v1.0/users/delta?$deltatoken=1", GROUPS, "https://graph/v1.0/users"] {
        let error = planned(&mark(link, Some("fu"), 0), &wanted()).unwrap_err();
        assert_eq!(error.kind, Kind::InvalidWatermark, "{link}");
    }
    let mut away = mark(USERS, Some("fu"), 0);
    away.of_mut(&USER).position = Some(Position { page: Some("https://evil/x".into()), ..position(Stage::Walk, None) });
    assert_eq!(planned(&away, &wanted()).unwrap_err().problems[0].path, "/x/types/User/now/page");
}

#[test]
fn just_links_are_taken_over_for_the_defaults_only() {
    let foreign = Watermark::parse(&format!(r#"{{"u":"{USERS}"}}"#)).unwrap();
    let plan = planned(&foreign, &wanted()).unwrap();
    assert_eq!((plan.start(&USER), plan.warnings[0].code), (delta(USERS), Code::ForeignWatermark));
    let plan = planned(&foreign, &Run { plain: false, ..wanted() }).unwrap();
    assert_eq!((plan.start(&USER), plan.warnings[0].code), (Start::full(), Code::ForeignWatermark));
}

#[test]
fn a_type_switched_off_loses_its_link() {
    let plan = planned(&mark(USERS, Some("fu"), 0), &Run { users: None, ..wanted() }).unwrap();
    assert!(plan.carried.of(&USER).is_empty());
}

#[test]
fn from_the_fifth_day_a_run_warns() {
    assert_eq!(planned(&mark(USERS, Some("fu"), 5 * DAY), &wanted()).unwrap().warnings[0].code, Code::DeltaLinkAge);
    assert!(planned(&mark(USERS, Some("fu"), 5 * DAY + 1), &wanted()).unwrap().warnings.is_empty());
}

#[test]
fn an_interrupted_round_goes_on_where_it_stopped() {
    let mut interrupted = mark(USERS, Some("fu"), 10 * DAY);
    interrupted.of_mut(&USER).position = Some(position(Stage::Walk, None));
    let Start::Delta { page, .. } = planned(&interrupted, &wanted()).unwrap().start(&USER) else { panic!() };
    assert_eq!(page.as_deref(), Some(PAGE));
    interrupted.of_mut(&USER).position = Some(position(Stage::Walk, Some("s")));
    let Start::Full { resume: Some(place) } = planned(&interrupted, &wanted()).unwrap().start(&USER) else { panic!() };
    assert_eq!((place.set.as_str(), place.page.as_deref()), ("s", Some(PAGE)));
    let other = Run { users: Some("new"), ..wanted() };
    assert_eq!(planned(&interrupted, &other).unwrap().start(&USER), Start::full(), "asked for something else");
}

#[test]
fn a_type_that_the_interrupted_run_finished_is_left_out_unless_something_else_is_asked() {
    let mut interrupted = mark(USERS, Some("fu"), 10 * DAY);
    interrupted.asked = Some("all".into());
    interrupted.done = vec!["User".into(), "GroupMember".into()];
    let plan = planned(&interrupted, &wanted()).unwrap();
    assert_eq!((plan.start(&USER), plan.start(&GROUP_MEMBER)), (Start::Done, Start::Done));
    let plan = planned(&interrupted, &Run { all: "else", ..wanted() }).unwrap();
    assert_eq!(
        (plan.start(&USER), plan.start(&GROUP_MEMBER), plan.carried.done.len()),
        (delta(USERS), Start::full(), 0)
    );
}

#[test]
fn users_that_were_finished_are_looked_at_again_where_memberships_follow_the_feed() {
    let mut interrupted = mark(USERS, Some("fu"), 10 * DAY);
    interrupted.asked = Some("all".into());
    interrupted.done = vec!["User".into()];
    interrupted.lists.gone = Some(Gone::default());
    let plan = planned(&interrupted, &Run { follows_members: true, ..wanted() }).unwrap();
    assert_eq!(plan.start(&USER), delta(USERS));
}

#[test]
fn recomputed_memberships_go_on_only_for_the_same_groups() {
    let mut interrupted = mark(USERS, Some("fu"), 10 * DAY);
    interrupted.asked = Some("all".into());
    let place = Position { fingerprint: "fm".into(), set: Some("s".into()), ..Position::default() };
    *interrupted.of_mut(&GROUP_MEMBER) =
        TypeMark { position: Some(place), unread: vec![UNREAD], ..TypeMark::default() };
    let plan = planned(&interrupted, &wanted()).unwrap();
    let place = FullPlace { set: "s".into(), page: None, since: None, unread: vec![UNREAD] };
    assert_eq!(plan.start(&GROUP_MEMBER), Start::Full { resume: Some(place) });
    let plan = planned(&interrupted, &Run { members: "other", ..wanted() }).unwrap();
    assert_eq!(plan.start(&GROUP_MEMBER), Start::full());
    assert!(plan.carried.of(&GROUP_MEMBER).is_empty(), "no checkpoint before the new Begin brings the old place back");
}

#[test]
fn after_so_many_days_everything_is_read_again_and_never_with_zero() {
    let mut old = mark(USERS, Some("fu"), 10 * DAY);
    old.of_mut(&USER).full = Some(3 * DAY);
    assert_eq!(planned(&old, &wanted()).unwrap().start(&USER), Start::full());
    assert_eq!(planned(&old, &Run { reconcile_days: 0, ..wanted() }).unwrap().start(&USER), delta(USERS));
    old.of_mut(&USER).full = None;
    assert_eq!(planned(&old, &wanted()).unwrap().start(&USER), delta(USERS));
}

#[test]
fn a_reconcile_of_followed_memberships_keeps_the_link() {
    let mut old = mark(USERS, Some("fu"), 10 * DAY);
    old.lists.gone = Some(Gone::default());
    *old.of_mut(&GROUP) =
        TypeMark { link: Some(GROUPS.into()), fingerprint: Some("fg".into()), full: Some(0), ..TypeMark::default() };
    let wanted = Run { follows_members: true, ..wanted() };
    assert_eq!(planned(&old, &wanted).unwrap().start(&GROUP), Start::Reconcile { link: GROUPS.into(), place: None });
    let place = Position { fingerprint: "fg".into(), ..position(Stage::Groups, Some("s")) };
    old.of_mut(&GROUP).position = Some(place.clone());
    assert_eq!(
        planned(&old, &wanted).unwrap().start(&GROUP),
        Start::Reconcile { link: GROUPS.into(), place: Some(place) }
    );
    old.of_mut(&GROUP).position = Some(Position { fingerprint: "fg".into(), ..position(Stage::Drain, None) });
    assert!(matches!(
        planned(&old, &wanted).unwrap().start(&GROUP),
        Start::Delta { stage: Stage::Drain, since: Some(3), .. }
    ));
}

#[test]
fn restored_objects_that_no_list_names_make_the_run_a_reconcile() {
    let mut short = mark(USERS, Some("fu"), 10 * DAY);
    short.lists.gone = Some(Gone::default());
    short.lists.restored.lost = true;
    *short.of_mut(&GROUP) = TypeMark {
        link: Some(GROUPS.into()),
        fingerprint: Some("fg".into()),
        position: Some(Position { fingerprint: "fg".into(), ..position(Stage::Walk, None) }),
        ..TypeMark::default()
    };
    let wanted = Run { follows_members: true, ..wanted() };
    assert_eq!(planned(&short, &wanted).unwrap().start(&GROUP), Start::Reconcile { link: GROUPS.into(), place: None });
}

#[test]
fn recycle_bin_that_was_never_read_is_read_also_where_the_run_before_stopped_early() {
    let wanted = Run { follows_members: true, ..wanted() };
    let plan = planned(&mark(USERS, Some("fu"), 10 * DAY), &wanted).unwrap();
    assert!(plan.carried.of(&USER).is_empty(), "a checkpoint before the users' Begin must not bring the link back");
    let mut inside = mark(USERS, Some("fu"), 10 * DAY);
    inside.of_mut(&USER).position = Some(position(Stage::Walk, Some("s")));
    assert_eq!(planned(&inside, &wanted).unwrap().start(&USER), Start::full(), "a set that began without the bin");
}

#[test]
fn what_an_interrupted_run_left_unread_is_carried_by_the_run_that_resumes_it_alone() {
    let mut interrupted = mark(USERS, Some("fu"), 10 * DAY);
    interrupted.asked = Some("all".into());
    interrupted.lacking = vec!["User".into(), "GroupMember".into()];
    assert_eq!(planned(&interrupted, &wanted()).unwrap().carried.lacking, ["User", "GroupMember"]);
    let other = Run { all: "else", ..wanted() };
    assert!(planned(&interrupted, &other).unwrap().carried.lacking.is_empty());
}

#[test]
fn following_memberships_for_the_first_time_reads_users_again() {
    let wanted = Run { follows_members: true, ..wanted() };
    let plan = planned(&mark(USERS, Some("fu"), 10 * DAY), &wanted).unwrap();
    assert_eq!((plan.start(&USER), plan.warnings[0].code), (Start::full(), Code::SelectionChanged));
}
