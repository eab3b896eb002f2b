//! The engine against a connector that does what its ConfigJson says.

use super::*;
use crate::connector::fake;
use crate::delivery::Standing;
use serde_json::json;

const BEGIN: &str = r#"{"Kind":"Begin","ObjectType":"User","Mode":"Delta","SetId":"s","Resumed":false}"#;
const END: &str = r#"{"Kind":"End","ObjectType":"User","Complete":true,"Upserts":1,"Deletes":0,"LeftScope":0}"#;

fn engine() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let library = fake::scripted(folder.path());
    let engine = Engine::new(library, folder.path().join("mesh.db"))
        .with_secrets(Secrets::in_folder(folder.path().join("secrets")));
    (folder, engine)
}

fn user(id: &str) -> String {
    format!(
        r#"{{"Kind":"Upsert","ObjectType":"User","SourceId":"{id}","ExternalId":"{id}","Attributes":{{"displayName":"{id}"}}}}"#
    )
}

fn script(lines: &[&str]) -> String {
    lines.join("\n")
}

fn shown(engine: &Engine) -> Vec<String> {
    engine.mesh().unwrap().objects("User").unwrap().into_iter().map(|object| object.source_id).collect()
}

#[test]
fn successful_run_is_stored_and_recorded() {
    let (_folder, engine) = engine();
    let report = engine.import(&script(&[BEGIN, &user("u1"), END, "=checkpoint w1", "=end w2"]), "{}", false).unwrap();
    assert_eq!((report.outcome, report.exit_code(), report.rows(), report.checkpoints), (Outcome::Succeeded, 0, 3, 2));
    let run = &engine.mesh().unwrap().runs(1).unwrap()[0];
    assert_eq!((run.outcome.as_str(), run.watermark_to.as_deref()), ("Succeeded", Some(&*watermark_hash("w2"))));
    assert_eq!(run.report.as_ref().unwrap()["Result"]["Requests"], 12);
    assert!(!run.report.as_ref().unwrap().to_string().contains("w-in-result") && report.tally.notes.is_empty());
}

#[test]
fn stored_watermark_is_handed_to_the_next_run_and_full_leaves_it_aside() {
    let (_folder, engine) = engine();
    engine.import("=end w1", "{}", false).unwrap();
    let seen =
        |full| engine.import(&script(&["=echo", "=batch", "=end w1"]), "{}", full).unwrap().issues()[0].message.clone();
    assert_eq!((seen(false).as_str(), seen(true).as_str()), ("w1", ""));
}

#[test]
fn failed_run_keeps_what_its_checkpoints_cover_and_nothing_else() {
    let (_folder, engine) = engine();
    let report = engine
        .import(&script(&[BEGIN, &user("u1"), "=checkpoint w1", &user("u2"), "=batch", "=fail -10"]), "{}", false)
        .unwrap();
    assert_eq!((report.outcome, report.status, report.exit_code()), (Outcome::Failed, -10, 1));
    assert_eq!(
        (shown(&engine), engine.mesh().unwrap().watermark("Scripted").unwrap()),
        (vec!["u1".to_owned()], Some("w1".to_owned()))
    );
}

#[test]
fn partial_run_exits_with_three_and_moves_the_watermark() {
    let (_folder, engine) = engine();
    let report = engine.import(&script(&[BEGIN, &user("u1"), "=batch", "=partial w1"]), "{}", false).unwrap();
    assert_eq!((report.outcome, report.exit_code(), shown(&engine).len()), (Outcome::Partial, 3, 1));
    let run = &engine.mesh().unwrap().runs(1).unwrap()[0];
    assert_eq!((run.outcome.as_str(), run.status), ("Partial", Some(3)));
    assert_eq!(engine.mesh().unwrap().watermark("Scripted").unwrap().as_deref(), Some("w1"));
}

#[test]
fn partial_run_says_which_object_type_is_old_and_since_when() {
    let (_folder, engine) = engine();
    let whole = engine.import(&script(&[BEGIN, &user("u1"), END, "=batch", "=end w1"]), "{}", false).unwrap();
    let halted = END.replace("true", "false");
    let types = r#"=types {"User":{"Mode":"Delta","Complete":false},"GroupMember":{"Mode":null,"Complete":true}}"#;
    engine.import(&script(&[BEGIN, &halted, types, "=batch", "=partial w2"]), "{}", false).unwrap();
    let report = engine.import(&script(&[types, "=partial w2"]), "{}", false).unwrap();
    assert_eq!(report.delivery["GroupMember"].standing, Standing::FinishedBefore);
    let user = &report.delivery["User"];
    assert_eq!((user.standing, user.last_whole.map(|it| it.run)), (Standing::NotWhole, Some(whole.run)));
    assert_eq!(report.to_json()["Delivery"]["User"]["Standing"], "NotWhole");
}

#[test]
fn guard_stops_the_run_before_the_end_is_applied_and_an_accepted_one_finishes() {
    let (_folder, engine) = engine();
    let users: Vec<String> = (0..600).map(|number| user(&format!("u{number:03}"))).collect();
    let first = [vec![BEGIN.to_owned()], users, vec![END.to_owned(), "=batch".to_owned(), "=end w1".to_owned()]]
        .concat()
        .join("\n");
    engine.import(&first, "{}", false).unwrap();
    let full = BEGIN.replace("Delta", "Full");
    let told = script(&[&full, &user("u000"), "=checkpoint w2", END, "=checkpoint w3", "=end w4"]);
    let stopped = engine.import(&told, "{}", false).unwrap();
    assert_eq!((stopped.outcome, stopped.exit_code(), stopped.checkpoints), (Outcome::Failed, 1, 1));
    assert_eq!(stopped.removals.as_ref().unwrap().types["User"].would_go, 599);
    let mesh = engine.mesh().unwrap();
    assert_eq!((shown(&engine).len(), mesh.watermark("Scripted").unwrap().as_deref()), (600, Some("w2")));
    let run = &mesh.runs(1).unwrap()[0];
    let kept = run.report.as_ref().unwrap();
    assert_eq!(
        (run.outcome.as_str(), run.status, &kept["Removals"]["Types"]["User"]["Held"]),
        ("Failed", None, &json!(600))
    );
    assert!(stopped.host_error.unwrap().starts_with("stopped by the removal guard"));
    assert!(stopped.removals.unwrap().whole && stopped.result["Requests"] == 12);

    let resumed = full.replace("false", "true");
    let rest = script(&[&resumed, END, "=batch", "=end w4"]);
    assert_eq!(engine.import(&rest, "{}", false).unwrap().outcome, Outcome::Failed);
    let accepted = engine.clone().accepting_shown_removals().import(&rest, "{}", false).unwrap();
    assert_eq!((accepted.outcome, shown(&engine)), (Outcome::Succeeded, vec!["u000".to_owned()]));
    assert!(accepted.warnings.is_empty(), "{:?}", accepted.warnings);
}

#[test]
fn acceptance_without_a_stop_warns_and_leaves_the_guard_in_place() {
    let (_folder, engine) = engine();
    engine.import(&script(&[BEGIN, &user("u1"), END, "=batch", "=end w1"]), "{}", false).unwrap();
    let accepting = engine.guarded_by(RemovalGuard::beyond(0, 0)).accepting_shown_removals();
    let full = BEGIN.replace("Delta", "Full");
    let told = script(&[&full, END, "=batch", "=end w2"]);
    let stopped = accepting.import(&told, "{}", false).unwrap();
    assert!(stopped.removals.is_some() && stopped.warnings[0].starts_with("there are no removals to accept"));
    // What it showed can be accepted now.
    let accepted = accepting.import(&told, "{}", false).unwrap();
    assert_eq!((accepted.outcome, accepted.warnings.len(), shown(&accepting).len()), (Outcome::Succeeded, 0, 0));
}

#[test]
fn interrupt_while_removals_are_counted_cancels_and_says_that_more_may_go() {
    struct WhenHeldBack(Interrupt);
    impl Watch for WhenHeldBack {
        fn held_back(&mut self) -> Result<()> {
            self.0.raise();
            Ok(())
        }
    }
    let (_folder, engine) = engine();
    engine.import(&script(&[BEGIN, &user("u1"), END, "=batch", "=end w1"]), "{}", false).unwrap();
    let full = BEGIN.replace("Delta", "Full");
    let interrupt = Interrupt::new();
    let guarded = engine.clone().guarded_by(RemovalGuard::beyond(0, 0)).stopped_by(interrupt.clone());
    // The script never ends by itself.
    let told = script(&[&full, END, "=batch", "=wait"]);
    let stopped = guarded.import_watched(&told, "{}", false, &mut WhenHeldBack(interrupt)).unwrap();
    assert_eq!((stopped.outcome, shown(&engine).len()), (Outcome::Failed, 1));
    assert!(!stopped.removals.unwrap().whole);
}

#[test]
fn mistake_of_the_connector_while_removals_are_counted_is_reported_beside_the_stop() {
    let (_folder, engine) = engine();
    engine.import(&script(&[BEGIN, &user("u1"), END, "=batch", "=end w1"]), "{}", false).unwrap();
    let full = BEGIN.replace("Delta", "Full");
    let guarded = engine.clone().guarded_by(RemovalGuard::beyond(0, 0));
    let stopped =
        guarded.import(&script(&[&full, END, "=batch", "{ not json", "=batch", "=end w2"]), "{}", false).unwrap();
    assert!(!stopped.removals.unwrap().whole && shown(&engine).len() == 1);
    let said = stopped.host_error.unwrap();
    assert!(
        said.starts_with("stopped by the removal guard") && said.contains("; then: record 3 of this run"),
        "{said}"
    );
}

#[test]
fn type_that_a_warning_ended_makes_no_run_partial_and_is_as_old_as_its_last_whole_run() {
    let (_folder, engine) = engine();
    let whole = engine.import(&script(&[BEGIN, &user("u1"), END, "=batch", "=end w1"]), "{}", false).unwrap();
    let full = BEGIN.replace("Delta", "Full");
    let issue = r#"{"Kind":"Issue","ObjectType":"User","Severity":"Warning","Code":"NotLicensed","Message":"m"}"#;
    let types =
        r#"=types {"User":{"Mode":"Full","Complete":false,"Error":{"Code":"Forbidden","Message":"no licence"}}}"#;
    let told = script(&[&full, issue, &END.replace("true", "false"), types, "=batch", "=end w2"]);
    let report = engine.import(&told, "{}", false).unwrap();
    let it = &report.delivery["User"];
    assert_eq!((report.outcome, it.standing, shown(&engine).len()), (Outcome::Succeeded, Standing::EndedByWarning, 1));
    assert_eq!((it.reason.as_deref(), it.last_whole.map(|it| it.run)), (Some("no licence"), Some(whole.run)));
}

#[test]
fn type_that_the_result_does_not_list_is_switched_off_and_its_marks_do_not_count() {
    let (_folder, engine) = engine();
    let members = MEMBERS.replace("Full", "Delta");
    let edge = r#"{"Kind":"Upsert","ObjectType":"GroupMember","SourceId":"g1:u1","Attributes":{"groupId":"g1","memberId":"u1"}}"#;
    let gone = r#"{"Kind":"Delete","ObjectType":"User","SourceId":"u1","Reason":"SoftDeleted"}"#;
    let end = r#"{"Kind":"End","ObjectType":"GroupMember","Complete":true}"#;
    let both = r#"=types {"User":{"Mode":"Delta","Complete":true},"GroupMember":{"Mode":"Delta","Complete":true}}"#;
    let told = script(&[BEGIN, &user("u1"), gone, END, &members, edge, end, both, "=batch", "=end w1"]);
    let first = engine.import(&told, "{}", false).unwrap();
    let shows = || engine.mesh().unwrap().edges("GroupMember").unwrap().len();
    assert_eq!(shows(), 0);
    let one = r#"=types {"GroupMember":{"Mode":"Delta","Complete":true}}"#;
    engine.import(&script(&[&members, end, one, "=batch", "=end w2"]), "{}", false).unwrap();
    assert_eq!(shows(), 1);
    let types = engine.mesh().unwrap().types().unwrap();
    let off: Vec<_> = types.iter().map(|it| (it.name.as_str(), it.switched_on, it.as_of.map(|it| it.run))).collect();
    assert_eq!(off, [("GroupMember", true, None), ("User", false, Some(first.run))]);
    // An import that was refused tells nothing about what is switched on.
    engine.import("", "{}", false).unwrap();
    assert_eq!(shows(), 1);
    engine.import(&script(&[both, "=end w3"]), "{}", false).unwrap();
    assert_eq!(shows(), 0);
}

const MEMBERS: &str = r#"{"Kind":"Begin","ObjectType":"GroupMember","Mode":"Full","SetId":"m","Resumed":false}"#;
const UNREAD: &str = r#"{"Kind":"Scope","ObjectType":"GroupMember","Scope":"g1","Complete":false,"Rows":0}"#;

/// The outcome of a run that resumes one that had left a scope unread, for an Issue of this severity.
fn resumed_after_an_unread_scope(severity: &str) -> RunReport {
    let (_folder, engine) = engine();
    let issue = format!(
        r#"{{"Kind":"Issue","ObjectType":"GroupMember","Scope":"g1","Severity":"{severity}","Code":"C","Message":"m"}}"#
    );
    let told = script(&[MEMBERS, UNREAD, &issue, "=checkpoint w1", "=fail -10"]);
    assert_eq!(engine.import(&told, "{}", false).unwrap().outcome, Outcome::Failed);
    let end = r#"{"Kind":"End","ObjectType":"GroupMember","Complete":true}"#;
    let told = script(&[&MEMBERS.replace("false", "true"), end, "=batch", "=end w2"]);
    engine.import(&told, "{}", false).unwrap()
}

#[test]
fn resumed_run_is_partial_while_a_scope_of_the_run_before_stays_unread() {
    let report = resumed_after_an_unread_scope("Error");
    assert_eq!((report.status, report.outcome, report.exit_code()), (CONNECTOR_END, Outcome::Partial, 3));
    assert_eq!(report.delivery["GroupMember"].standing, Standing::ScopesUnread);
}

#[test]
fn resumed_run_succeeds_while_the_unread_scopes_only_hide_their_members() {
    let report = resumed_after_an_unread_scope("Warning");
    assert_eq!((report.outcome, report.delivery["GroupMember"].warned_scopes), (Outcome::Succeeded, 1));
}

#[test]
fn refused_configuration_is_a_failed_run_with_the_connectors_words() {
    let (_folder, engine) = engine();
    let report = engine.import("", "{}", false).unwrap();
    assert_eq!(
        (report.outcome, report.status, report.error["Code"].as_str()),
        (Outcome::Failed, -3, Some("InvalidConfig"))
    );
    assert_eq!(engine.mesh().unwrap().runs(1).unwrap()[0].outcome, "Failed");
}

#[test]
fn interrupt_cancels_and_keeps_the_last_checkpoint() {
    struct AtCheckpoint(Interrupt);
    impl Watch for AtCheckpoint {
        fn committed(&mut self, _: &str) -> Result<()> {
            self.0.raise();
            Ok(())
        }
    }
    let (_folder, engine) = engine();
    let interrupt = Interrupt::new();
    let engine = engine.stopped_by(interrupt.clone());
    let told = script(&[BEGIN, &user("u1"), "=checkpoint w1", &user("u2"), "=wait"]);
    let report = engine.import_watched(&told, "{}", false, &mut AtCheckpoint(interrupt)).unwrap();
    assert_eq!((report.outcome, shown(&engine).len()), (Outcome::Cancelled, 1));
}

#[test]
fn broken_record_fails_the_run_on_the_host_side() {
    let (_folder, engine) = engine();
    let report = engine.import(&script(&[BEGIN, "{ not json", "=checkpoint w1", "=end w2"]), "{}", false).unwrap();
    assert_eq!((report.outcome, report.checkpoints), (Outcome::Failed, 0));
    assert!(report.host_error.unwrap().starts_with("record 2 of this run"));
}

#[test]
fn type_of_another_instance_is_refused_before_anything_starts() {
    let (_folder, engine) = engine();
    engine.import(&script(&[BEGIN, &user("u1"), END, "=batch", "=end w1"]), "{}", false).unwrap();
    let second = engine.clone().as_instance("second");
    assert!(
        format!("{:#}", second.import("{}", "{}", false).unwrap_err())
            .contains("imported into this store by the instance Scripted")
    );
    assert_eq!(second.import(r#"{"ImportUsers":false}"#, "{}", false).unwrap().status, -15);
}

#[test]
fn second_engine_on_a_store_says_so() {
    struct Twice(Engine, Option<String>);
    impl Watch for Twice {
        fn rows(&mut self, _: &[u8]) -> Result<()> {
            self.1 = Some(self.0.import("=end w", "{}", false).unwrap_err().to_string());
            Ok(())
        }
    }
    let (_folder, engine) = engine();
    let mut watch = Twice(engine.clone(), None);
    engine.import_watched(&script(&[BEGIN, "=batch", "=end w1"]), "{}", false, &mut watch).unwrap();
    assert!(watch.1.unwrap().starts_with("another import is writing to"));
}
