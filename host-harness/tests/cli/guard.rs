//! The removal guard as an operator meets it: what is said, what is accepted, and the exit codes.

use std::collections::BTreeSet;
use std::process::Output;

use host_harness::store::Mesh;
use serde_json::json;

use crate::{World, text};

/// A tenant whose memberships are worth guarding.
fn guarded() -> serde_json::Value {
    json!({"users": 400, "groups": 40, "edges": 3000})
}

impl World {
    /// The memberships of users, by group.
    fn members(&self) -> Vec<(String, String)> {
        let rows = self.simulator.truth().unwrap().map(Result::unwrap);
        rows.filter(|row| row.text("memberType") == "User")
            .map(|row| (row.text("groupId").to_owned(), row.text("memberId").to_owned()))
            .collect()
    }

    fn remove(&self, members: &[(String, String)]) {
        let remove = |(group, member): &(String, String)| json!({"change": "unlink", "relation": "member", "parent": group, "child": member});
        self.simulator.change(&json!(members.iter().map(remove).collect::<Vec<_>>())).unwrap();
    }

    /// Takes the users out of all groups but every tenth.
    fn empty_most_groups(&self) {
        let mut members = self.members();
        let groups: BTreeSet<String> = members.iter().map(|(group, _)| group.clone()).collect();
        let spared: BTreeSet<&String> = groups.iter().step_by(10).collect();
        members.retain(|(group, _)| !spared.contains(group));
        self.remove(&members);
    }

    fn import_with(&self, flags: &[&str]) -> Output {
        self.run(&[&["import", "--config", "config.json", "--auth", "auth.json"], flags].concat())
    }

    fn edges(&self) -> usize {
        Mesh::open(&self.store()).unwrap().edges("GroupMember").unwrap().len()
    }
}

/// How many memberships a stopped import shows, those that went with earlier checkpoints included.
fn shown(stopped: &Output) -> u64 {
    let report: serde_json::Value = serde_json::from_slice(&stopped.stdout).unwrap();
    let rows = &report["Removals"]["Types"]["GroupMember"];
    rows["RemovedBefore"].as_u64().unwrap() + rows["WouldGo"].as_u64().unwrap()
}

#[test]
fn import_that_would_empty_most_groups_is_stopped_until_it_is_accepted() {
    let world = World::new(&guarded());
    assert_eq!(world.import().status.code(), Some(0));
    let before = world.edges();
    world.empty_most_groups();
    for _ in 0..3 {
        let stopped = world.import();
        let said = text(&stopped.stderr);
        assert_eq!(stopped.status.code(), Some(1), "{said}");
        assert!(said.contains("stopped by the removal guard") && said.contains("--accept-deletes"), "{said}");
        assert!(said.contains(" -> ") && said.contains("GroupMember: "), "{said}");
        // The default limit is the larger of its two.
        assert!(before - world.edges() <= 500.max(before / 5), "{} of {before} edges are left", world.edges());
    }
    let run = text(&world.run(&["runs", "--run", "2"]).stdout);
    assert!(run.contains("Failed") && run.contains("stopped by the removal guard") && run.contains(" -> "), "{run}");
    let accepted = world.import_with(&["--accept-deletes"]);
    assert_eq!(accepted.status.code(), Some(0), "{}", text(&accepted.stderr));
    assert_eq!(world.differences(), 0);
    assert_eq!(world.import().status.code(), Some(0));
}

#[test]
fn limits_of_the_guard_stand_alone_or_together() {
    let world = World::new(&guarded());
    assert_eq!(world.import_with(&["--max-removals", "0"]).status.code(), Some(0));
    world.empty_most_groups();
    let all = world.edges();
    for limit in [["--max-removals", "30"], ["--max-removals-percent", "1"]] {
        assert_eq!(world.import_with(&limit).status.code(), Some(1));
        assert!(all - world.edges() <= 30);
    }
    assert_eq!(world.import_with(&["--max-removals", "30", "--accept-deletes"]).status.code(), Some(2));
    assert_eq!(world.import_with(&["--max-removals-percent", "101"]).status.code(), Some(2));
    let both = ["--max-removals", "30", "--max-removals-percent", "100"];
    assert_eq!(world.import_with(&both).status.code(), Some(0));
    assert_eq!(world.differences(), 0);
}

#[test]
fn acceptance_covers_what_was_shown_and_no_more() {
    let world = World::new(&guarded());
    let unasked = world.import_with(&["--accept-deletes"]);
    assert_eq!(unasked.status.code(), Some(0));
    assert!(text(&unasked.stderr).contains("there are no removals to accept"), "{}", text(&unasked.stderr));
    world.empty_most_groups();
    let first = shown(&world.import_with(&["--json"]));
    // One more membership goes before the operator accepts.
    world.remove(&world.members()[..1]);
    let stopped = world.import_with(&["--accept-deletes", "--json"]);
    let said = text(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(1), "{said}");
    assert_eq!(shown(&stopped), first + 1, "{said}");
    assert!(said.contains(&format!("{first} were accepted")), "{said}");
    let accepted = world.import_with(&["--accept-deletes"]);
    assert_eq!(accepted.status.code(), Some(0), "{}", text(&accepted.stderr));
    assert_eq!(world.differences(), 0);
}
