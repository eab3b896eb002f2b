//! Transactions, checkpoints, instances and the lock.

use super::*;

#[test]
fn rows_after_the_last_checkpoint_are_taken_back() {
    let told = Told::two_members();
    let mut applier = told.store.applier(told.instance, &told.catalog).unwrap();
    applier.apply([begin("User", "Delta", "d"), user("u3", json!({}))].concat().as_bytes()).unwrap();
    applier.commit(Some("w3")).unwrap();
    applier.apply(user("u4", json!({})).as_bytes()).unwrap();
    assert_eq!(applier.tally().types["User"].added, 1);
    drop(applier);
    assert_eq!(told.shown("User"), ["u1", "u2", "u3"]);
    assert_eq!(told.mesh().watermark("default").unwrap().as_deref(), Some("w3"));
}

#[test]
fn reader_beside_a_writer_sees_the_last_checkpoint() {
    let told = Told::two_members();
    let mut applier = told.store.applier(told.instance, &told.catalog).unwrap();
    applier.apply([begin("User", "Full", "s1"), end("User")].concat().as_bytes()).unwrap();
    assert_eq!(told.shown("User"), ["u1", "u2"]);
    applier.commit(Some("w")).unwrap();
    assert!(told.shown("User").is_empty());
}

#[test]
fn commit_without_a_checkpoint_leaves_the_watermark() {
    let told = Told::two_members();
    let mut applier = told.store.applier(told.instance, &told.catalog).unwrap();
    applier.apply([begin("User", "Delta", "d"), user("u3", json!({}))].concat().as_bytes()).unwrap();
    applier.commit(None).unwrap();
    assert_eq!((told.shown("User").len(), told.mesh().watermark("default").unwrap().as_deref()), (3, Some("w")));
}

#[test]
fn second_writer_is_told_so_and_the_first_goes_on() {
    let told = Told::two_members();
    let refused = Store::open(&told.path).unwrap_err().to_string();
    assert!(refused.starts_with("another import is writing to"), "{refused}");
    told.delta("User", &[user("u3", json!({}))]);
}

#[test]
fn store_opens_again_when_its_writer_is_gone() {
    let Told { _folder, path, store, .. } = Told::two_members();
    drop(store);
    assert!(Store::open(&path).is_ok());
}

#[test]
fn two_instances_that_import_the_same_type_are_refused_with_words() {
    let told = Told::two_members();
    let other = told.store.instance("second", "Fake").unwrap();
    let mut applier = told.store.applier(other, &told.catalog).unwrap();
    let error = format!("{:#}", applier.apply(begin("User", "Full", "x").as_bytes()).unwrap_err());
    assert!(error.contains("User is imported into this store by the instance default"), "{error}");
}

#[test]
fn instance_of_another_connector_is_refused() {
    let told = Told::two_members();
    let error = told.store.instance("default", "Other").unwrap_err().to_string();
    assert!(error.contains("belongs to the connector Fake"), "{error}");
}

#[test]
fn watermarks_belong_to_their_instances() {
    let told = Told::two_members();
    let other = told.store.instance("second", "Fake").unwrap();
    assert_eq!(
        (told.store.watermark(told.instance).unwrap().as_deref(), told.store.watermark(other).unwrap()),
        (Some("w"), None)
    );
}

#[test]
fn foreign_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (x); PRAGMA user_version = 3;").unwrap();
    assert!(Store::open(&path).unwrap_err().to_string().contains("not a store of this program"));
    std::fs::write(&path, "no database at all, only some text that is long enough").unwrap();
    assert!(Store::open(&path).unwrap_err().to_string().contains("is not a store"));
}

#[test]
fn run_that_was_killed_is_shown_as_interrupted() {
    let told = Told::new();
    told.store.begin_run(told.instance, true, None).unwrap();
    let second = told.store.begin_run(told.instance, false, Some("w")).unwrap();
    told.store.end_run(second, "Succeeded", Some(1), Some("w2"), &json!({})).unwrap();
    let outcomes: Vec<_> = told.mesh().runs(10).unwrap().into_iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, ["Succeeded", "Interrupted"]);
}

#[test]
fn checkpoint_without_rows_moves_the_watermark() {
    let told = Told::two_members();
    let mut applier = told.store.applier(told.instance, &told.catalog).unwrap();
    applier.apply(b"").unwrap();
    applier.commit(Some("w9")).unwrap();
    assert_eq!(told.mesh().watermark("default").unwrap().as_deref(), Some("w9"));
}

#[test]
fn watermark_of_the_greatest_length_is_kept_byte_for_byte() {
    let told = Told::new();
    let watermark: String = "0123456789abcdeé".chars().cycle().take(256 * 1024 * 16 / 17).collect();
    assert!((256 * 1024 - 17..=256 * 1024).contains(&watermark.len()), "{}", watermark.len());
    told.store.applier(told.instance, &told.catalog).unwrap().commit(Some(&watermark)).unwrap();
    assert!(told.store.watermark(told.instance).unwrap() == Some(watermark));
}

#[test]
#[ignore = "a measurement: cargo test --release -p host-harness thousand_checkpoints -- --ignored --nocapture"]
fn thousand_checkpoints_are_cheap() {
    let told = Told::two_members();
    let watermark = "w".repeat(256 * 1024);
    let mut applier = told.store.applier(told.instance, &told.catalog).unwrap();
    applier.apply(begin("GroupMember", "Full", "s1").as_bytes()).unwrap();
    let started = std::time::Instant::now();
    for number in 0..1000 {
        let group = format!("g{number}");
        let rows: String = (0..50).map(|member| edge(&group, &format!("u{member}"))).collect();
        applier.apply((rows + &scope(&group, true)).as_bytes()).unwrap();
        applier.commit(Some(&watermark)).unwrap();
    }
    let each = started.elapsed() / 1000;
    println!("{each:?} for 50 rows and a checkpoint with a watermark of 256 KiB");
    assert!(each < std::time::Duration::from_millis(100), "{each:?}");
}
