//! Log lines wait here until a host thread comes by and takes them.
//!
//! The connector never calls the host's `log` from a thread of its own, writes nothing to stdout or stderr and installs
//! no subscriber. A line never holds a secret, a token or a whole Graph link: cut links with [`crate::graph::short`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines kept at most; the oldest go first and are counted.
const CAPACITY: usize = 1024;

/// As the header's `CONNECTOR_LOG_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The operation cannot go on.
    Error = 1,
    /// An operator should look.
    Warn = 2,
    /// The course of an operation.
    Info = 3,
    /// Each request and each wait.
    Debug = 4,
}

impl Level {
    /// From the header's number; 0 is the default, Info.
    pub fn from_number(number: u32) -> Level {
        match number {
            1 => Level::Error,
            2 => Level::Warn,
            0 | 3 => Level::Info,
            _ => Level::Debug,
        }
    }
}

/// The queue of one operation. Clones share it.
#[derive(Debug, Clone)]
pub struct Log {
    max: Level,
    lines: Arc<Mutex<Lines>>,
}

#[derive(Debug, Default)]
struct Lines {
    queue: VecDeque<(Level, String)>,
    dropped: u64,
}

impl Log {
    /// A queue that takes lines up to `max`.
    pub fn new(max: Level) -> Log {
        Log { max, lines: Arc::default() }
    }

    /// Queues a line; the text is made only when somebody wants its level.
    pub fn write(&self, level: Level, text: impl FnOnce() -> String) {
        if level > self.max {
            return;
        }
        let text = text();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.queue.len() == CAPACITY {
            lines.queue.pop_front();
            lines.dropped += 1;
        }
        lines.queue.push_back((level, text));
    }

    /// Takes all lines, oldest first. The lock is not held while the caller hands them on.
    pub fn take(&self) -> Vec<(Level, String)> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = std::mem::take(&mut lines.dropped);
        let mut taken: Vec<_> = std::mem::take(&mut lines.queue).into();
        drop(lines);
        if dropped > 0 {
            taken.insert(
                0,
                (Level::Warn, format!("{dropped} older log lines were dropped: the host did not fetch them")),
            );
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_first_and_are_counted() {
        let log = Log::new(Level::Info);
        (0..CAPACITY + 3).for_each(|n| log.write(Level::Info, || n.to_string()));
        let lines = log.take();
        assert!(lines[0].1.starts_with("3 older"));
        assert_eq!(lines[1].1, "3");
    }

    #[test]
    fn lines_above_the_level_are_not_even_made() {
        let log = Log::new(Level::Warn);
        log.write(Level::Info, || unreachable!());
        assert!(log.take().is_empty());
    }
}
