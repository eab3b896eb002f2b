//! How an import shows that it is alive: a moving line on a terminal, a plain one every few seconds elsewhere.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::table::{grouped, visible};
use crate::connector::LogLine;
use crate::import::{Snapshot, Watch};

/// Between two plain lines.
const PLAIN: Duration = Duration::from_secs(5);

/// Progress of one import, and its copy of the records.
pub(super) struct Progress<'p> {
    bar: Option<ProgressBar>,
    err: &'p mut dyn Write,
    copy: Option<&'p mut dyn Write>,
    verbose: bool,
    last: Instant,
}

impl<'p> Progress<'p> {
    pub(super) fn new(title: &str, terminal: bool, err: &'p mut dyn Write) -> Progress<'p> {
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(spinner());
            bar.set_prefix(title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Progress { bar, err, copy: None, verbose: false, last: Instant::now() }
    }

    /// Also writes every record to `copy`.
    pub(super) fn copying(mut self, copy: Option<&'p mut dyn Write>) -> Progress<'p> {
        self.copy = copy;
        self
    }

    /// Also shows the connector's log.
    pub(super) fn with_log(mut self, verbose: bool) -> Progress<'p> {
        self.verbose = verbose;
        self
    }

    fn line(&mut self, text: &str) -> Result<()> {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => writeln!(self.err, "{text}")?,
        }
        Ok(())
    }
}

impl Watch for Progress<'_> {
    fn progress(&mut self, progress: &Snapshot) -> Result<()> {
        let counters = progress.counters;
        let throttled = match counters.throttled_ms {
            0 => String::new(),
            wait => format!(", throttled {} s", wait.div_ceil(1000)),
        };
        let text = format!(
            "{} records, {} requests, {}{throttled}",
            grouped(progress.records),
            grouped(counters.requests),
            HumanBytes(counters.bytes_received)
        );
        if let Some(bar) = &self.bar {
            if counters.total_rows_estimate > 0 && bar.length().is_none() {
                bar.set_style(estimated());
            }
            if counters.total_rows_estimate > 0 {
                bar.set_length(counters.total_rows_estimate.max(counters.rows_delivered));
                bar.set_position(counters.rows_delivered);
            }
            bar.set_message(text);
        } else if self.last.elapsed() >= PLAIN {
            self.last = Instant::now();
            writeln!(self.err, "{:>4} s  {text}", progress.elapsed.as_secs())?;
        }
        Ok(())
    }

    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        if let Some(copy) = &mut self.copy {
            copy.write_all(rows)?;
        }
        Ok(())
    }

    fn held_back(&mut self) -> Result<()> {
        self.line("the removal guard was passed: nothing more is stored, the rest is read to count what would go")
    }

    fn log(&mut self, line: &LogLine) -> Result<()> {
        if self.verbose {
            let level = ["", "error", "warn", "info", "debug"].get(line.level as usize).copied().unwrap_or("log");
            self.line(&format!("{level:>5}  {}", visible(&line.message)))?;
        }
        Ok(())
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn spinner() -> ProgressStyle {
    style("{spinner} {prefix} {elapsed_precise}  {msg}")
}

fn estimated() -> ProgressStyle {
    style("{spinner} {prefix} {elapsed_precise} [{bar:24}] {percent}%  {msg}")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
