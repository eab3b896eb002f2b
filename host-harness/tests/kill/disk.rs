//! A full disk is an error in words and no damage: the store opens, is whole, and the next run with room ends equal.
//!
//! Two ways to be without room. A small file system answers ENOSPC, as a real disk does; mounting one takes a
//! privileged process. A limit on the size of files (`ulimit -f`) works for everybody and answers EFBIG, which SQLite
//! takes for a failing disk. Easy to get wrong: the second half of the write-ahead log may be missing, and that is
//! fine.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use host_harness::simulator::World;

use crate::hosts::{Hosts, PROGRAM, integrity};

fn hosts() -> Hosts {
    let world = World { users: 600, groups: 60, edges: 6_000, hidden_membership_groups: false, ..World::default() };
    Hosts::of(world, "Recompute")
}

/// The program with files of at most so many KiB. The signal that goes with the limit is ignored, or it would kill.
fn limited(hosts: &Hosts, store: &Path, kib: u64) -> Output {
    // POSIX counts in blocks of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
    Command::new("sh")
        .current_dir(hosts.folder.path())
        .args(["-c", &script, PROGRAM])
        .args(Hosts::arguments(store, false))
        .output()
        .unwrap()
}

/// An error in words and its exit code; not a crash, and not a panic.
#[track_caller]
fn failed_in_words(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}{}", String::from_utf8_lossy(&output.stdout));
    let words = ["disk", "full", "I/O", "written"];
    assert!(words.iter().any(|word| said.contains(word)) && !said.contains("panicked"), "{said}");
}

#[test]
fn store_that_may_not_grow_is_an_error_and_goes_on_with_room() {
    let mut failures = 0;
    for kib in [32, 96, 160, 256, 384, 512, 768] {
        let hosts = hosts();
        let store = hosts.folder.path().join("mesh.db");
        let output = limited(&hosts, &store, kib);
        if output.status.success() {
            continue;
        }
        failures += 1;
        failed_in_words(&output);
        assert_eq!(integrity(&store), "ok", "{kib} KiB");
        hosts.import(&store, false);
        assert_eq!(hosts.differences(&store), "", "{kib} KiB");
    }
    assert!(failures >= 3, "the limits were none");
}

#[test]
fn store_that_holds_a_tenant_survives_a_delta_run_without_room() {
    let hosts = hosts();
    let store = hosts.folder.path().join("mesh.db");
    hosts.import(&store, false);
    let size = std::fs::metadata(&store).unwrap().len();
    let changes = hosts.sim.random_changes(5, 200);
    for change in changes {
        let _ = hosts.sim.apply(&[change]);
    }
    // The database fits, its log does not.
    let output = limited(&hosts, &store, 64);
    failed_in_words(&output);
    assert!(size > 64 * 1024);
    assert_eq!(integrity(&store), "ok");
    hosts.import(&store, false);
    assert_eq!(hosts.differences(&store), "");
}

/// A file system of its own; gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, kib: u64) -> Option<SmallDisk> {
        std::fs::create_dir(at).unwrap();
        let size = format!("size={kib}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| SmallDisk(at.to_owned()))
    }

    fn grow(&self, kib: u64) {
        let size = format!("remount,size={kib}k");
        assert!(Command::new("mount").args(["-o", &size]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn full_disk_is_an_error_and_no_damage() {
    let mut failures = 0;
    for kib in [64, 200, 400, 700, 1_000] {
        let hosts = hosts();
        let Some(disk) = SmallDisk::mount(&hosts.folder.path().join("disk"), kib) else {
            println!("NOT CHECKED: no file system can be mounted here; the limit on files stands in for it");
            return;
        };
        let store = disk.0.join("mesh.db");
        let output = hosts.command(&store, false).output().unwrap();
        if !output.status.success() {
            failures += 1;
            failed_in_words(&output);
        }
        disk.grow(64 * 1024);
        assert_eq!(integrity(&store), "ok", "{kib} KiB");
        hosts.import(&store, false);
        assert_eq!(hosts.differences(&store), "", "{kib} KiB");
    }
    assert!(failures >= 3, "the disks were not full");
}
