//! A test that needs a process of its own: an environment, or a memory, that nobody else has touched.
//!
//! The process is this test binary again, running one ignored test. Its order goes in by stdin and its answer out by
//! stdout, so that neither a command line nor an environment variable holds anything.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs the ignored test of this name with an order, and answers what it said by [`answer`].
pub(crate) fn run(test: &str, environment: &[(&str, &str)], order: &Value) -> Value {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{order}").unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(child.wait().unwrap().success(), "{said}");
    let line = said.lines().find_map(|line| line.split_once(ANSWER)).unwrap_or_else(|| panic!("{said}"));
    serde_json::from_str(line.1).unwrap()
}

const ANSWER: &str = "the answer is ";

/// In the child: what it was told.
pub(crate) fn order() -> Value {
    let mut line = String::new();
    BufReader::new(std::io::stdin()).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap()
}

/// In the child: what it found.
pub(crate) fn answer(found: &Value) {
    println!("{ANSWER}{found}");
}
