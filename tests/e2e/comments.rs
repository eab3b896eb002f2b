//! Comments are at most 120 columns wide, as the code is: rustfmt and compilers leave them alone.
//!
//! A line counts as a comment where it begins as one or is inside of `/* */`. Frozen headers are never edited, and in
//! Go's preamble of C the block is code.

use std::path::Path;

use crate::tree::{files, root};

const WIDTH: usize = 120;

/// How the languages that have block comments are told by their files.
const SLASHED: &[&str] = &["rs", "c", "h", "cpp", "cs", "java", "go", "js", "mjs"];

/// The marks that begin a comment in this file; none in what is no source.
fn marks(file: &Path, text: &str) -> &'static [&'static str] {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension {
        "go" => &["//"],
        _ if SLASHED.contains(&extension) => &["//", "/*"],
        "py" | "sh" => &["#"],
        "" if text.starts_with("#!") => &["#"],
        _ => &[],
    }
}

/// The numbers of the comment lines that are too wide.
fn too_wide(text: &str, marks: &[&str]) -> Vec<usize> {
    let mut in_block = false;
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let begins = marks.iter().any(|mark| line.trim_start().starts_with(mark));
        if (begins || in_block) && line.chars().count() > WIDTH {
            found.push(index + 1);
        }
        if marks.contains(&"/*") && (in_block || line.trim_start().starts_with("/*")) {
            in_block = !line.contains("*/");
        }
    }
    found
}

#[test]
fn no_line_of_a_comment_is_wider_than_120_columns() {
    let frozen = |file: &Path| file.starts_with("tests/abi") && file.extension().is_some_and(|it| it == "h");
    let mut read = 0;
    let mut wide = Vec::new();
    for file in files().iter().filter(|file| !frozen(file)) {
        // Keys and corpora among them are no text.
        let bytes = std::fs::read(root().join(file)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let marks = marks(file, &text);
        read += usize::from(!marks.is_empty());
        wide.extend(too_wide(&text, marks).iter().map(|line| format!("{}:{line}", file.display())));
    }
    assert!(read > 300 && wide.is_empty(), "{read} files, too wide: {wide:#?}");
}

#[test]
fn wide_comments_are_found_in_every_form_and_wide_code_is_not() {
    let long = "x".repeat(WIDTH + 1);
    let slashed = [format!("/// {long}"), format!("/*\n{long}\n*/"), format!("    // {long}")];
    assert!(slashed.iter().all(|text| too_wide(text, &["//", "/*"]).len() == 1));
    assert_eq!(too_wide(&format!("# {long}\ncode {long}"), &["#"]), [1]);
    assert_eq!(too_wide(&format!("/* */\nlet a = \"{long}\"; // b"), &["//", "/*"]), Vec::<usize>::new());
}
