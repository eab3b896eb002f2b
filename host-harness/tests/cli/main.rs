//! The real program in a process of its own: exit codes, what it prints, and what happens when it is stopped or killed.
//!
//! Everything else about the commands is cheaper to test in-process. A test here needs the process itself; all of them
//! use the library as cargo builds it and a simulated tenant in another process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use host_harness::compare::compare;
use host_harness::library::connector_library;
use host_harness::secrets::Secrets;
use host_harness::simulator_process::SimulatorProcess;
use host_harness::store::Mesh;
use serde_json::json;

mod guard;

const PROGRAM: &str = env!("CARGO_BIN_EXE_host-harness");

/// A folder with the two documents and a secret, and a tenant that they lead to.
struct World {
    folder: tempfile::TempDir,
    simulator: SimulatorProcess,
    secret: String,
}

impl World {
    fn new(world: &serde_json::Value) -> World {
        let folder = tempfile::tempdir().unwrap();
        // As an operator would. It also keeps cargo out of the programs these tests stop and kill.
        let library = connector_library().unwrap();
        std::fs::create_dir(folder.path().join("Connectors")).unwrap();
        std::fs::copy(&library, folder.path().join("Connectors").join(library.file_name().unwrap())).unwrap();
        let file = folder.path().join("world.json");
        std::fs::write(&file, world.to_string()).unwrap();
        let simulator = SimulatorProcess::start(Path::new(PROGRAM), ["--world".as_ref(), file.as_os_str()]).unwrap();
        let tenant = simulator.tenant().unwrap();
        let origin = simulator.origin();
        let config = json!({"TenantId": tenant.id, "GraphEndpoint": origin, "AuthorityHost": origin});
        let auth = json!({"Mode": "ClientSecret", "ClientId": tenant.client_id, "ClientSecret": "secret://contoso"});
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        std::fs::write(folder.path().join("auth.json"), auth.to_string()).unwrap();
        Secrets::in_folder(folder.path().join("secrets")).set("contoso", &tenant.client_secret).unwrap();
        World { folder, simulator, secret: tenant.client_secret }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("mesh.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn check(&self, flags: &[&str]) -> Output {
        self.run(&[&["check", "--config", "config.json", "--auth", "auth.json"], flags].concat())
    }

    fn write(&self, name: &str, document: &serde_json::Value) {
        std::fs::write(self.folder.path().join(name), document.to_string()).unwrap();
    }

    fn client(&self) -> String {
        self.simulator.tenant().unwrap().client_id
    }

    fn import(&self) -> Output {
        self.run(&["import", "--config", "config.json", "--auth", "auth.json"])
    }

    /// An import that is under way: its run is in the store.
    fn importing(&self) -> Child {
        let runs = || Mesh::open(&self.store()).and_then(|mesh| mesh.runs(u32::MAX)).map_or(0, |runs| runs.len());
        let before = runs();
        let child = quiet(self.command(&["import", "--config", "config.json", "--auth", "auth.json"])).spawn().unwrap();
        until(|| runs() > before);
        child
    }

    fn differences(&self) -> u64 {
        compare(&Mesh::open(&self.store()).unwrap(), self.simulator.truth().unwrap()).unwrap().count
    }
}

/// Only what goes wrong is looked at.
fn quiet(mut command: Command) -> Command {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn until(mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_secs(60), "nothing happened for a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A tenant whose import takes some seconds.
fn slow() -> serde_json::Value {
    json!({"users": 2000, "groups": 200, "edges": 6000, "latencyMs": 120})
}

#[test]
fn wrong_usage_exits_with_two_and_help_with_zero() {
    let program = |argument: &str| Command::new(PROGRAM).arg(argument).output().unwrap();
    assert_eq!(program("unknown").status.code(), Some(2));
    assert_eq!(program("--help").status.code(), Some(0));
    for command in ["demo", "list", "describe", "check", "import", "show", "runs", "secret", "simulate"] {
        let help = Command::new(PROGRAM).args([command, "--help"]).output().unwrap();
        assert!(text(&help.stdout).contains("Example"), "{command} --help has no example");
    }
}

#[test]
fn library_beside_the_program_is_found_by_list_and_describe() {
    let folder = tempfile::tempdir().unwrap();
    let (library, program) = (connector_library().unwrap(), Path::new(PROGRAM));
    let beside = |file: &Path| {
        let copy = folder.path().join(file.file_name().unwrap());
        std::fs::copy(file, &copy).unwrap();
        copy
    };
    beside(&library);
    let program = beside(program);
    let elsewhere = tempfile::tempdir().unwrap();
    let run = |command: &str| {
        Command::new(&program).arg(command).current_dir(elsewhere.path()).env_remove("CARGO").output().unwrap()
    };
    let (list, describe) = (run("list"), run("describe"));
    assert_eq!(list.status.code(), Some(0), "{}", text(&list.stderr));
    assert!(text(&list.stdout).contains("EntraId") && text(&list.stdout).contains("ready"), "{}", text(&list.stdout));
    assert_eq!(describe.status.code(), Some(0), "{}", text(&describe.stderr));
}

#[test]
fn program_under_cargo_says_that_it_builds_the_library_before_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let no_cargo = folder.path().join("no-cargo");
    let describe = Command::new(PROGRAM).arg("describe").current_dir(folder.path()).env("CARGO", &no_cargo).output();
    let said = text(&describe.unwrap().stderr);
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].contains("cargo build -p entra-id") && lines[1].contains("no-cargo"),
        "{said}"
    );
}

#[test]
fn demo_proves_the_store_equal_to_the_tenant() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["demo", "--users", "200", "--groups", "30", "--edges", "600", "--keep", "stage", "--door", "abi-stable"];
    let demo = Command::new(PROGRAM).current_dir(folder.path()).args(arguments).output().unwrap();
    let said = text(&demo.stdout);
    assert_eq!(demo.status.code(), Some(0), "{said}{}", text(&demo.stderr));
    for mode in ["memberships recomputed", "memberships by delta"] {
        let of_mode = said.split_once(mode).map(|(_, rest)| rest.split("\n\n").next().unwrap()).unwrap_or_default();
        assert!(of_mode.contains("equal to the tenant          yes           yes"), "{mode}: {said}");
        assert!(of_mode.contains("the delta import called the stored delta links"), "{mode}: {said}");
    }
    assert!(folder.path().join("stage/mesh.db").is_file() && folder.path().join("stage/Connectors").is_dir());
}

#[test]
fn operator_imports_looks_and_never_sees_a_secret() {
    let world = World::new(&json!({"users": 50, "groups": 8, "edges": 100}));
    let said: String = [
        world.import(),
        world.import(),
        world.run(&[
            "import",
            "--config",
            "config.json",
            "--auth",
            "auth.json",
            "--full",
            "--json",
            "-vv",
            "--out",
            "rows.ndjson",
        ]),
        world.run(&["check", "--config", "config.json", "--auth", "auth.json"]),
        world.run(&["list"]),
        world.run(&["describe"]),
        world.run(&["show"]),
        world.run(&["show", "objects", "--type", "User", "--json", "--limit", "0"]),
        world.run(&["show", "edges"]),
        world.run(&["runs"]),
        world.run(&["runs", "--run", "1"]),
        world.run(&["secret", "list"]),
    ]
    .iter()
    .map(|output| {
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    })
    .collect();
    assert!(said.contains("User.Read.All") && said.contains("secret://contoso") && said.contains("Succeeded"));
    let kept = [world.store(), world.folder.path().join("rows.ndjson")].map(|file| text(&std::fs::read(file).unwrap()));
    assert!(!said.contains(&world.secret) && kept.iter().all(|bytes| !bytes.contains(&world.secret)));
    assert_eq!(world.differences(), 0);
}

/// What `check --json` said: all of it is one document.
#[track_caller]
fn checked(world: &World, flags: &[&str], exit: i32) -> serde_json::Value {
    let output = world.check(&[&["--json"], flags].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(exit), "{said}{}", text(&output.stderr));
    assert!(!said.contains(&world.secret));
    let document = serde_json::from_str(&said);
    assert!(document.is_ok(), "{document:?}: {said}");
    document.unwrap()
}

/// Tokens, then permission, licence and size of each object type.
fn steps(document: &serde_json::Value) -> Vec<String> {
    let rows = document["Checks"].as_array().unwrap();
    rows.iter()
        .map(|row| format!("{} {}", row["ObjectType"].as_str().unwrap_or("-"), row["Step"].as_str().unwrap()))
        .collect()
}

#[test]
fn check_says_in_a_table_what_is_wrong_and_what_to_do() {
    let world =
        World::new(&json!({"users": 5, "groups": 2, "edges": 4, "permissions": {"revoked": ["GroupMember.Read.All"]}}));
    let output = world.check(&[]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}{}", text(&output.stderr));
    let mut lines = said.lines();
    assert_eq!(
        lines.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["Object", "type", "Step", "Outcome", "What"]
    );
    let what = said.lines().next().unwrap().find("What").unwrap();
    let rows: Vec<_> = lines.clone().filter(|line| !line.starts_with(' ') && line.len() > what).collect();
    let document = checked(&world, &[], 3);
    assert_eq!(rows.len(), document["Checks"].as_array().unwrap().len(), "a line begins each row: {said}");
    for (line, row) in rows.iter().zip(document["Checks"].as_array().unwrap()) {
        let cells: Vec<_> = line[..what].split_whitespace().collect();
        let told = ["ObjectType", "Step", "Outcome"].map(|name| row[name].as_str().unwrap_or("-"));
        assert_eq!(cells, told, "{said}");
    }
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Group Permission Failed GroupMember.Read.All: "), "{said}");
    assert!(words.contains("What to do: in the Entra admin center open App registrations"), "{said}");
    assert!(words.contains("add GroupMember.Read.All, then press Grant admin consent"), "{said}");
    assert!(words.contains("Graph's request id: "), "{said}");
    assert!(lines.next_back().unwrap().contains(" passed, 2 failed, "), "{said}");
}

#[test]
fn check_as_json_is_one_document_whatever_happens() {
    let world = World::new(&json!({"users": 5, "groups": 2, "edges": 4}));
    let good = checked(&world, &[], 0);
    assert_eq!((&good["Outcome"], &good["Status"], &good["Error"]), (&json!("Succeeded"), &json!(1), &json!(null)));
    assert_eq!(good["Connector"]["Name"], "EntraId");
    assert_eq!(
        steps(&good),
        [
            "- Token",
            "- Token",
            "User Permission",
            "User Licence",
            "User Size",
            "Group Permission",
            "Group Licence",
            "Group Size",
            "GroupMember Permission",
            "GroupMember Licence",
            "GroupMember Permission",
            "GroupMember Size"
        ]
    );
    world.write("auth.json", &json!({"Mode": "ClientSecret", "ClientId": world.client(), "ClientSecret": "wrong"}));
    let refused = checked(&world, &[], 3);
    assert_eq!((&refused["Outcome"], &refused["Checks"][0]["Outcome"]), (&json!("Partial"), &json!("Failed")));
    world.write("config.json", &json!({"TennantId": "common"}));
    let unread = checked(&world, &[], 1);
    assert_eq!((&unread["Checks"], &unread["Error"]["Code"]), (&json!([]), &json!("InvalidConfig")));
}

#[test]
fn check_looks_at_the_watermark_of_a_store_and_leaves_it_as_it_is() {
    let world = World::new(&json!({"users": 5, "groups": 2, "edges": 4}));
    let none = world.check(&["--store", "mesh.db"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("there is no store at mesh.db"), "{}", text(&none.stderr));
    assert!(!world.store().exists());
    assert_eq!(world.import().status.code(), Some(0));
    let watermark = || Mesh::open(&world.store()).unwrap().watermark("EntraId").unwrap().unwrap();
    let before = watermark();
    let looked = checked(&world, &["--store", "mesh.db"], 0);
    assert_eq!(steps(&looked)[12..], ["User Watermark", "Group Watermark"]);
    assert!(looked["Checks"].as_array().unwrap()[12..].iter().all(|row| row["Outcome"] == "Passed"), "{looked:#}");
    let other = world.check(&["--store", "mesh.db", "--instance", "another"]);
    assert!(text(&other.stderr).contains("instance another") && !text(&other.stdout).contains("Watermark"));
    assert_eq!((watermark(), Mesh::open(&world.store()).unwrap().runs(9).unwrap().len()), (before, 1));
    assert_eq!(world.differences(), 0);
}

#[test]
fn refused_configuration_is_explained_and_exits_with_one() {
    let world = World::new(&json!({"users": 5, "groups": 1, "edges": 1}));
    std::fs::write(world.folder.path().join("config.json"), r#"{"TennantId": "common", "PageSize": "999"}"#).unwrap();
    let refused = world.import();
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said.contains("/PageSize") && said.contains("did you mean TenantId?") && said.contains("what to do"),
        "{said}"
    );
}

/// An import of this world stands in a wait of an hour: it ends by force, or not while a test looks.
fn endless() -> serde_json::Value {
    let mut world = slow();
    world["faults"] = json!([{
        "route": "usersDelta", "skip": 3, "times": null,
        "action": {"status": {"code": 429, "headers": {"Retry-After": "3600"}}},
    }]);
    world
}

#[test]
#[cfg(unix)]
fn second_import_into_a_store_says_so_and_leaves_it_alone() {
    let world = World::new(&endless());
    let first = world.importing();
    let second = world.command(&["import", "--config", "config.json", "--auth", "auth.json"]);
    // Without the lock it would stand in the same wait as the first.
    let second = ended(quiet(second).spawn().unwrap());
    assert_eq!(second.status.code(), Some(1));
    assert!(text(&second.stderr).contains("another import is writing to"), "{}", text(&second.stderr));
    assert_eq!(interrupted(first).status.code(), Some(1));
    world.simulator.clear_faults().unwrap();
    assert_eq!(world.import().status.code(), Some(0));
    assert_eq!(world.differences(), 0);
}

/// Waits for the end; an import that does not end is ended and fails the test.
fn ended(mut import: Child) -> Output {
    let since = Instant::now();
    while import.try_wait().unwrap().is_none() {
        if since.elapsed() > Duration::from_secs(60) {
            import.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    import.wait_with_output().unwrap()
}

/// Sends what Ctrl-C sends, and waits for the end.
#[cfg(unix)]
fn interrupted(import: Child) -> Output {
    assert!(Command::new("kill").args(["-INT", &import.id().to_string()]).status().unwrap().success());
    ended(import)
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_an_import_through_the_connector() {
    let world = World::new(&endless());
    let ended = interrupted(world.importing());
    assert_eq!(ended.status.code(), Some(1));
    assert!(text(&ended.stderr).contains("stopped: "), "{}", text(&ended.stderr));
    assert_eq!(Mesh::open(&world.store()).unwrap().runs(1).unwrap()[0].outcome, "Cancelled");
}

#[test]
fn killed_imports_leave_a_store_that_the_next_run_completes() {
    let world = World::new(&endless());
    for pause in [0, 200, 450, 700, 950] {
        let mut import = world.importing();
        std::thread::sleep(Duration::from_millis(pause));
        import.kill().unwrap();
        import.wait().unwrap();
    }
    world.simulator.clear_faults().unwrap();
    let last = world.import();
    assert_eq!(last.status.code(), Some(0), "{}", text(&last.stderr));
    assert_eq!(world.differences(), 0);
    let runs = Mesh::open(&world.store()).unwrap().runs(10).unwrap();
    assert!(runs[1..].iter().all(|run| run.outcome == "Interrupted"), "{runs:?}");
}

#[test]
fn simulator_ends_when_its_parent_is_gone() {
    let mut child = Command::new(PROGRAM)
        .args(["simulate", "--users", "5", "--groups", "1", "--edges", "1", "--until-stdin-ends"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    until(|| child.try_wait().unwrap().is_some());
}
