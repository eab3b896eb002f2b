//! What the pages tell a newcomer to type, with `...` and `/full/path` in place of where things lie.

use std::path::Path;

const README: &str = include_str!("../README.md");
const CONTRACT: &str = include_str!("../../../docs/contract.md");

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The section of a page under that heading.
#[track_caller]
fn section(page: &'static str, heading: &str) -> &'static str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading:?}"));
    rest.split("\n## ").next().unwrap_or_default()
}

/// The lines that are code, a blank one between paragraphs.
fn typed() -> String {
    let lines = section(README, "From an empty folder").lines();
    let code: Vec<&str> =
        lines.filter_map(|line| if line.is_empty() { Some("") } else { line.strip_prefix("    ") }).collect();
    code.join("\n")
}

/// The text that the page gives for a document, names of members of the simulator's first line in it.
pub(crate) fn document(name: &str) -> String {
    let lines = typed();
    assert!(lines.contains("host-harness simulate > "), "the page no longer starts a simulator");
    let text = lines.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(name)?.strip_prefix(": "));
    text.unwrap_or_else(|| panic!("the page no longer says what {name} holds")).to_owned()
}

/// The paragraph of commands that has a line which begins with `tool`.
pub(crate) fn from_an_empty_folder(tool: &str) -> String {
    let lines = typed();
    let paragraph = lines.split("\n\n").find(|paragraph| paragraph.lines().any(|line| line.starts_with(tool)));
    let commands = paragraph.unwrap_or_else(|| panic!("no paragraph with {tool:?}")).trim();
    commands.replace(".../", &format!("{}/", root().display()))
}

/// The program that the contract shows in that language, and the commands below it.
pub(crate) fn minimal_host(language: &str) -> (String, String) {
    let heading = format!("A minimal host in {}", if language == "c" { "C" } else { "Python" });
    let text = section(CONTRACT, &heading);
    let block = |fence: &str| text.split_once(&format!("\n{fence}\n")).unwrap().1.split_once("\n```").unwrap();
    let (program, below) = block(&format!("```{language}"));
    let (commands, _) = below.split_once("\n```\n").unwrap().1.split_once("\n```").unwrap();
    (format!("{program}\n"), commands.replace("/full/path/", "./Connectors/"))
}
