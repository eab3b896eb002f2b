//! Columns of text.
//!
//! Names come from a directory that anybody may write to, so control characters are shown, not sent: a display name
//! must not move the cursor of an operator's terminal.

use std::io::{self, Write};

/// The widest a column becomes unless it is said; `--json` shows everything.
const WIDEST: usize = 60;

/// A table that is filled row by row and then printed.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
    widest: usize,
}

impl Table {
    pub(super) fn new(header: &[&str]) -> Table {
        Table { rows: vec![header.iter().map(|cell| (*cell).to_owned()).collect()], right: Vec::new(), widest: WIDEST }
    }

    /// Columns of numbers.
    pub(super) fn right(mut self, columns: &[usize]) -> Table {
        self.right = columns.to_vec();
        self
    }

    /// Lets the cells be this long.
    pub(super) fn widest(mut self, letters: usize) -> Table {
        self.widest = letters;
        self
    }

    pub(super) fn row<C: ToString>(&mut self, cells: impl IntoIterator<Item = C>) {
        let cells = cells.into_iter().map(|cell| shortened(&visible(&cell.to_string()), self.widest));
        self.rows.push(cells.collect());
    }

    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[column] - cell.chars().count());
                let cell = if self.right.contains(&column) { pad + cell } else { format!("{cell}{pad}") };
                line = line + if column == 0 { "" } else { "  " } + &cell;
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Text with its control characters written out, those that turn the direction of writing included.
pub(super) fn visible(text: &str) -> String {
    let shown = |letter: char| match letter {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => letter.escape_unicode().to_string(),
        letter if letter.is_control() => letter.escape_default().to_string(),
        letter => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Text in lines of at most so many letters, broken at spaces. A longer word stays whole: it is a link or a name to
/// copy.
pub(super) fn wrapped(text: &str, letters: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let room = |line: &String| line.is_empty() || line.chars().count() + 1 + word.chars().count() <= letters;
        match lines.last_mut().filter(|line| room(line)) {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn shortened(text: &str, widest: usize) -> String {
    if text.chars().count() <= widest {
        return text.to_owned();
    }
    text.chars().take(widest - 1).chain(['…']).collect()
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    digits.char_indices().fold(String::new(), |mut text, (at, digit)| {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_on_the_right() {
        let mut table = Table::new(&["Name", "Count"]).right(&[1]);
        table.row(["Zoë".to_owned(), grouped(1_234_567)]);
        table.row(["x".to_owned(), grouped(5)]);
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "Name      Count\nZoë   1,234,567\nx             5\n");
    }

    #[test]
    fn lines_are_broken_at_spaces_and_words_never() {
        assert_eq!(wrapped("to be or not", 5), ["to be", "or", "not"]);
        assert_eq!(wrapped("see https://example.net/x now", 8), ["see", "https://example.net/x", "now"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn control_characters_of_a_name_never_reach_the_terminal() {
        assert_eq!(visible("a\u{1b}[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\n\\u{202e}c");
    }
}
