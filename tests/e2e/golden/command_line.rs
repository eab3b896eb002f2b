//! What the program prints, command after command as an operator would type them.
//!
//! Times, sizes, places and random ids are masked; runs of spaces are one space, since columns are as wide as what is
//! masked.

use std::fmt::Write as _;

use host_harness::cli::run;
use host_harness::library::connector_library;

use super::{assert_golden, change, tenant};

/// One command: its exit code and both streams.
fn said(arguments: &[&str]) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run([&["host-harness"], arguments].concat(), &mut out, &mut err);
    let [out, err] = [out, err].map(|text| String::from_utf8(text).unwrap());
    let mut text = format!("$ host-harness {}\n{out}", arguments.join(" "));
    if !err.is_empty() {
        write!(text, "--- standard error\n{err}").unwrap();
    }
    text + &format!("--- exit code {code}\n\n")
}

/// Without the line breaks inside a table's last column, which depend on how long the machine took.
fn unwrapped(said: &str) -> String {
    let mut text = String::new();
    for line in said.split_inclusive('\n') {
        if line.starts_with("   ") {
            text.truncate(text.trim_end().len());
            text.push(' ');
        }
        text.push_str(line.trim_start_matches(' '));
    }
    text.replace("less than a second", "about 0 s")
}

/// Rows of a store come in the order in which the store first heard of their ids, which the threads of an import
/// decide.
fn sorted(said: &str) -> String {
    let (command, rows) = said.split_once('\n').unwrap();
    let (rows, end) = rows.split_once("--- exit code").unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    let header = usize::from(!command.contains("--json"));
    rows[header..].sort_unstable();
    format!("{command}\n{}\n--- exit code{end}", rows.join("\n"))
}

/// Replaces what differs from run to run.
fn masked(text: &str, places: &[(String, &str)]) -> String {
    let text = places.iter().fold(text.to_owned(), |text, (place, mask)| text.replace(place, mask));
    text.lines().map(|line| line_masked(line) + "\n").collect()
}

fn line_masked(line: &str) -> String {
    // The secret of the simulator ends some months from now.
    let line = line.split_once(" ends on ").map_or(line, |(before, _)| before);
    let words: Vec<&str> = line.split_whitespace().collect();
    let unit = |word: &str| ["s", "ms", "B", "KiB", "MiB"].contains(&word.trim_end_matches([',', ')', ';']));
    let shown = words.iter().enumerate().map(|(at, word)| {
        let measured = words.get(at + 1).is_some_and(|next| unit(next)) && word.parse::<f64>().is_ok();
        let process = at > 0 && words[at - 1] == "process";
        if measured || process || is_time(word) || is_hash(word) || is_fraction(word) { "…" } else { word }
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// A date or a time of day.
fn is_time(word: &str) -> bool {
    let number = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_digit());
    ['-', ':'].iter().any(|sign| word.split(*sign).count() == 3 && word.split(*sign).all(number))
}

/// The short form of a watermark.
fn is_hash(word: &str) -> bool {
    let word = word.trim_end_matches(',');
    word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Seconds in a table.
fn is_fraction(word: &str) -> bool {
    word.split_once('.').is_some_and(|(whole, rest)| [whole, rest].iter().all(|part| part.parse::<u32>().is_ok()))
}

#[test]
fn help_of_every_command_is_what_it_was() {
    let commands = ["demo", "list", "describe", "check", "import", "show", "runs", "secret", "simulate"];
    let text: String = commands.iter().map(|command| said(&[command, "--help"])).collect();
    assert_golden("command-line/help.txt", &(said(&["--help"]) + &text));
}

#[test]
fn session_of_an_operator_reads_as_it_did() {
    let tenant = tenant();
    let folder = tenant.folder();
    let path = |name: &str| folder.join(name).into_os_string().into_string().unwrap();
    std::fs::write(path("entra.json"), tenant.config()).unwrap();
    std::fs::write(path("auth.json"), tenant.auth()).unwrap();
    let (config, auth, store) = (path("entra.json"), path("auth.json"), path("mesh.db"));
    let documents = ["--config", &config, "--auth", &auth];
    let import = || said(&[&["import"], &documents[..], &["--store", &store]].concat());
    let mut session = said(&["describe"]);
    session += &unwrapped(&said(&[&["check"], &documents[..]].concat()));
    session += &import();
    change(&tenant.sim);
    session += &import();
    for show in [&[][..], &["objects"], &["objects", "--deleted"], &["edges"], &["edges", "--json"]] {
        session += &sorted(&said(&[&["show"], show, &["--store", &store]].concat()));
    }
    session += &said(&["runs", "--store", &store]);
    session += &said(&["runs", "--store", &store, "--run", "2"]);
    let library = connector_library().unwrap().into_os_string().into_string().unwrap();
    let places = [
        (library, "LIBRARY"),
        (folder.into_os_string().into_string().unwrap(), "FOLDER"),
        (tenant.sim.origin(), "http://127.0.0.1:PORT"),
    ];
    assert_golden("command-line/session.txt", &masked(&session, &places));
}
