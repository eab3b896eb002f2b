//! Stores of older layouts. `layouts/` holds one of each, as the program of that layout wrote it.

use super::*;
use crate::store::schema::VERSION;

const LAYOUT_1: &str = include_str!("layouts/1.sql");

/// A store of that layout, and its folder.
fn stored(dump: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mesh.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(dump).unwrap();
    (folder, path)
}

fn told((folder, path): (tempfile::TempDir, PathBuf)) -> Told {
    let store = Store::open(&path).unwrap();
    let instance = store.instance("default", "Fake").unwrap();
    Told { _folder: folder, path, store, instance, catalog: catalog() }
}

fn layout(path: &std::path::Path) -> i32 {
    rusqlite::Connection::open(path).unwrap().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

/// Tables, views and indexes without comments, spaces and the quotes that a renaming leaves.
fn tables(path: &std::path::Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").unwrap();
    let all = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let plain = |sql: String| -> String {
        let code = sql.lines().map(|line| line.split("--").next().unwrap()).collect::<String>();
        code.chars().filter(|c| !c.is_whitespace() && *c != '"').collect()
    };
    all.map(|sql| plain(sql.unwrap())).collect()
}

#[test]
fn store_of_layout_1_shows_what_it_showed() {
    let told = told(stored(LAYOUT_1));
    assert_eq!(
        (told.shown("User"), told.shown("Group")),
        (vec!["u1".into(), "u2".into()], vec!["g1".into(), "g2".into()])
    );
    assert_eq!(
        (told.shown("SignIn"), told.attributes("User", "u3")),
        (vec!["e1".into()], json!({"displayName": "Diego Siciliani"}))
    );
    assert_eq!(told.members(), ["g1:u1", "g2:d1", "g2:u2"]);
    let mesh = told.mesh();
    let dormant = mesh.edge("RoleAssignment", "a3").unwrap().unwrap();
    assert_eq!(
        (dormant.dormant, dormant.ends, &dormant.attributes["scopeId"]),
        (true, vec!["u3".into(), "r1".into()], &json!("/"))
    );
    assert!(mesh.is_marked("u3").unwrap() && mesh.is_marked("u9").unwrap() && !mesh.is_marked("u1").unwrap());
    assert_eq!(mesh.watermark("default").unwrap().as_deref(), Some("w2"));
    let runs: Vec<_> = mesh.runs(9).unwrap().into_iter().map(|run| run.outcome).collect();
    assert_eq!(runs, ["Running", "Succeeded"]);
}

#[test]
fn store_of_layout_1_goes_on_with_the_set_that_was_under_way() {
    let told = told(stored(LAYOUT_1));
    // g1:u1 was touched before, and the Scope of g2 was incomplete: both stay. The stop that was shown can be accepted.
    assert!(told.store.applier(told.instance, &told.catalog).unwrap().accept_shown_removals().unwrap());
    let tally = told.now(&[resume("GroupMember", "s2"), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u1", "g2:d1", "g2:u2"]);
    let members = &tally.types["GroupMember"];
    assert_eq!((members.unread_scopes, members.warned_scopes), (1, 1));
    told.delta("User", &[user("u3", json!({}))]);
    assert!(!told.mesh().edge("RoleAssignment", "a3").unwrap().unwrap().dormant);
}

#[test]
fn migrated_store_has_the_tables_of_a_new_one() {
    let new = Told::new();
    let old = told(stored(LAYOUT_1));
    assert_eq!(tables(&old.path), tables(&new.path));
    assert_eq!((layout(&old.path), layout(&new.path)), (VERSION, VERSION));
}

#[test]
fn reader_migrates_a_store_too_and_not_under_a_writers_hands() {
    let (_folder, path) = stored(LAYOUT_1);
    let lock = crate::store::lock::Lock::take(&path).unwrap();
    assert!(Mesh::open(&path).unwrap_err().to_string().starts_with("another import is writing to"));
    assert_eq!(layout(&path), 1);
    drop(lock);
    assert_eq!(Mesh::open(&path).unwrap().objects("User").unwrap().len(), 2);
    assert_eq!(layout(&path), VERSION);
}

#[test]
fn migration_that_fails_leaves_the_store_as_it_was() {
    let (_folder, path) = stored(LAYOUT_1);
    // A table that stands in the way of the step's last part.
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE edge_1 (x)").unwrap();
    let before = tables(&path);
    let error = format!("{:#}", Store::open(&path).unwrap_err());
    assert!(error.contains("from layout 1 to layout 2; it is as it was"), "{error}");
    assert_eq!((tables(&path), layout(&path)), (before, 1));
}

#[test]
fn store_of_the_first_days_of_layout_1_is_migrated_with_its_marks() {
    let (folder, path) = stored(LAYOUT_1);
    rusqlite::Connection::open(&path)
        .unwrap()
        .execute_batch(
            "DROP TABLE removal_count; DROP TABLE removal_shown; DROP TABLE scope_warning; DROP TABLE deleted_mark",
        )
        .unwrap();
    let told = told((folder, path));
    // As what u9 was deleted is not known: it was never held.
    assert!(told.mesh().is_marked("u3").unwrap() && told.mesh().is_marked("u9").unwrap());
    assert_eq!(told.members(), ["g1:u1", "g2:d1", "g2:u2"]);
    assert_eq!(tables(&told.path), tables(&Told::new().path));
}

#[test]
fn store_of_a_newer_layout_is_refused_and_left_alone() {
    let told = Told::two_members();
    let Told { _folder, path, store, .. } = told;
    drop(store);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
    for error in [Store::open(&path).unwrap_err().to_string(), Mesh::open(&path).unwrap_err().to_string()] {
        assert!(error.contains(&format!("has layout {}", VERSION + 1)), "{error}");
    }
    assert_eq!(layout(&path), VERSION + 1);
}
