//! Secrets and tokens leave no trace: not in anything the host can see, and not in its memory.

mod canary;
#[cfg(target_os = "linux")]
mod memory;
mod visible;
