//! CPU time of this process: that of its threads, those that have ended included, and not that of its children.

use std::time::Duration;

use anyhow::Result;

/// Time on a processor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    user: Duration,
    pub(crate) kernel: Duration,
}

impl Cpu {
    /// Since this process began.
    #[cfg(unix)]
    pub(crate) fn of_process() -> Result<Cpu> {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::{TimeVal, TimeValLike as _};
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        let time = |value: TimeVal| Duration::from_micros(value.num_microseconds().unsigned_abs());
        Ok(Cpu { user: time(usage.user_time()), kernel: time(usage.system_time()) })
    }

    /// Since this process began.
    #[cfg(not(unix))]
    pub(crate) fn of_process() -> Result<Cpu> {
        anyhow::bail!("this measurement needs getrusage, which this system does not have")
    }

    pub(crate) fn since(self, before: Cpu) -> Cpu {
        Cpu { user: self.user.saturating_sub(before.user), kernel: self.kernel.saturating_sub(before.kernel) }
    }

    pub(crate) fn total(self) -> Duration {
        self.user + self.kernel
    }
}
