//! How often a checkpoint is given inside a set: when a batch's worth of rows has come since the last one, or enough
//! pages.
//!
//! A checkpoint costs the host a transaction, and the lack of one costs an interrupted run the pages since. Time has no
//! say here: the same pages give the same checkpoints.

/// Pages without a checkpoint at most; pages of groups may hold a single row.
const PAGES: u64 = 16;

/// Counts since the last checkpoint.
#[derive(Debug)]
pub struct Pace {
    enough: u64,
    rows: u64,
    pages: u64,
}

impl Pace {
    /// A checkpoint about every `enough` rows.
    pub fn new(enough: u64) -> Pace {
        Pace { enough, rows: 0, pages: 0 }
    }

    /// A page with so many rows was delivered: whether a checkpoint is due with it.
    pub fn page(&mut self, rows: u64) -> bool {
        self.rows += rows;
        self.pages += 1;
        let due = self.rows >= self.enough || self.pages >= PAGES;
        if due {
            *self = Pace::new(self.enough);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_after_enough_rows_or_pages() {
        let mut pace = Pace::new(1000);
        assert_eq!([400, 400, 400, 400].map(|rows| pace.page(rows)), [false, false, true, false]);
        let mut pace = Pace::new(1000);
        assert_eq!((1..=17).filter(|_| pace.page(0)).count(), 1);
    }
}
