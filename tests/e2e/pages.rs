//! The pages of the repository, in Markdown: every link leads to a file and a heading that are there, and every table
//! is one.
//!
//! What stands in a fenced or indented block is code, and no link or table is looked for in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use crate::tree::{files, text};

/// A line of prose: its number and what is in it.
type Line<'t> = (usize, &'t str);

fn pages() -> BTreeMap<PathBuf, String> {
    let pages = files().into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    pages.map(|file| (file.clone(), text(&file))).collect()
}

/// The lines of a page without its code.
fn prose(page: &str) -> Vec<Line<'_>> {
    let mut in_code = false;
    let lines = page.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines
        .filter(|(_, line)| {
            let fence = line.starts_with("```");
            in_code ^= fence;
            !in_code && !fence && !line.starts_with("    ")
        })
        .collect()
}

/// The line without what stands between backticks.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// Where the links of a line lead.
fn links(line: &str) -> Vec<String> {
    without_code(line).split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchors that GitHub makes of a page's headings. Of two equal ones the second gets `-1`.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut taken = BTreeMap::<String, u32>::new();
    let headings = prose(page)
        .into_iter()
        .filter_map(|(_, line)| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    headings
        .map(|heading| {
            let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
            let anchor = heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
            let before = taken.entry(anchor.clone()).or_default();
            *before += 1;
            if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
        })
        .collect()
}

/// `docs` and `../README.md#limits` make `README.md`, `limits`.
fn target(page: &Path, link: &str) -> (PathBuf, String) {
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let mut path = if file.is_empty() { page.to_owned() } else { page.parent().unwrap().to_owned() };
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => assert!(path.pop(), "{}: {link} leads out of the repository", page.display()),
            part => path.push(part),
        }
    }
    (path, anchor.to_owned())
}

#[test]
fn every_link_of_every_page_leads_to_a_file_and_a_heading_that_exist() {
    let pages = pages();
    let mut followed = 0;
    for (page, text) in &pages {
        let places =
            prose(text).into_iter().flat_map(|(number, line)| links(line).into_iter().map(move |link| (number, link)));
        for (number, link) in places.filter(|(_, link)| !link.contains("://")) {
            let (file, anchor) = target(page, &link);
            let place = format!("{}:{number}: {link}", page.display());
            assert!(crate::tree::root().join(&file).exists(), "{place}: no such file");
            let known = anchor.is_empty() || pages.get(&file).is_some_and(|page| anchors(page).contains(&anchor));
            assert!(known, "{place}: no such heading");
            followed += 1;
        }
    }
    assert!(followed > 100, "{followed} links");
}

/// The cells of a row. A bar behind a backslash is text.
fn cells(row: &str) -> Vec<String> {
    let row = row.replace(r"\|", "/");
    let inside = row.strip_prefix('|').unwrap_or(&row);
    inside.strip_suffix('|').unwrap_or(inside).split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// What is wrong with the tables of a page, by line.
fn mistakes_in_tables(page: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    let rows: BTreeMap<usize, &str> = prose(page).into_iter().filter(|(_, line)| line.starts_with('|')).collect();
    let mut width = 0;
    let mut before = BTreeSet::new();
    for (&number, row) in &rows {
        let (row, cells) = (row.trim_end(), cells(row.trim_end()));
        let is_rule = |row: &str| row.chars().all(|c| "|-: ".contains(c));
        if !rows.contains_key(&(number - 1)) {
            width = cells.len();
            before.clear();
            if !rows.get(&(number + 1)).is_some_and(|row| is_rule(row)) {
                mistakes.push(format!("{number}: a row outside a table"));
            }
        } else if cells[1..].iter().all(String::is_empty) {
            // The heading of a part of the table.
            before.clear();
        } else if !is_rule(row) && !before.insert(row.to_owned()) {
            mistakes.push(format!("{number}: a row that stands there before"));
        }
        if cells.len() != width || !row.ends_with('|') {
            mistakes.push(format!("{number}: {} cells under {width} columns", cells.len()));
        }
    }
    mistakes
}

#[test]
fn every_row_of_every_table_has_the_columns_of_its_header() {
    let wrong: Vec<_> = pages()
        .iter()
        .flat_map(|(page, text)| {
            mistakes_in_tables(text).into_iter().map(move |mistake| format!("{}:{mistake}", page.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn rows_without_a_table_with_a_cell_too_many_or_repeated_are_found() {
    let table = "| a | b |\n|---|---|\n| 1 | `x\\|y` |\n";
    let faults = ["\ntext\n| 1 | 2 |\n", "| 1 | 2 | 3 |\n", "| 1 | `x\\|y` |\n", "| 1 | 2\n"];
    assert_eq!(mistakes_in_tables(table), Vec::<String>::new());
    assert!(faults.iter().all(|fault| mistakes_in_tables(&format!("{table}{fault}")).len() == 1));
}
