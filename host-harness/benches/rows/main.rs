//! What a row costs: CPU of the connector for each user, against `serde_json` on the same bytes.
//!
//!     cargo bench -p host-harness --bench rows                 50,000 users, medians of five
//!     cargo bench -p host-harness --bench rows -- 200000 3     so many users, so many times
//!
//! Prints one table in Markdown, for the fourteen attributes that every import selects and for all that
//! `UserAttributes` may name besides. The simulator is a process of its own, so its CPU is not counted. The host's is:
//! it throws batches away. Easy to get wrong: the connector's CPU holds what the kernel does for its sockets, the
//! baseline's does not, since it finds its bytes in memory; that share is told apart. Times are printed and not judged;
//! wrong counts end this program with 1.

mod baseline;
mod cpu;
#[path = "../measured/mod.rs"]
mod measured;
mod tenant;
mod walk;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use host_harness::connector::{Connector, Next, StartRequest};
use host_harness::library::shipped_library;

use baseline::{AllUser, LeanUser, Shape};
use cpu::Cpu;
use measured::{exit_code, say};
use tenant::{Tenant, Wire};

fn main() -> ExitCode {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let (users, times) = (numbers.first().copied().unwrap_or(50_000), numbers.get(1).copied().unwrap_or(5));
    exit_code(measure(users, times.max(1)))
}

fn measure(users: u32, times: u32) -> Result<()> {
    let connector = Connector::load(&shipped_library()?)?;
    connector.describe()?;
    say(&format!(
        "{users} users, no limit of requests, 0 ms, batches of 1,000 rows; CPU in µs for each row, medians of {times}\n"
    ));
    say(
        "| attributes | bytes a row | `serde_json` | connector, plain | of it kernel | ratio | connector, TLS and gzip | of it kernel | ratio |",
    );
    say("|---|---|---|---|---|---|---|---|---|");
    say(&line::<LeanUser<'static>>(&connector, users, times)?);
    say(&line::<AllUser<'static>>(&connector, users, times)?);
    Ok(())
}

fn line<S: Shape>(connector: &Connector, users: u32, times: u32) -> Result<String> {
    let plain = Tenant::start(users, Wire::Plain)?;
    let pages = walk::pages(&plain, S::NAMES)?;
    let bytes: usize = pages.iter().map(Vec::len).sum();
    let baseline = median(times, || baseline::read_and_write::<S>(&pages, users))?;
    let imported = median(times, || import(connector, &plain, S::NAMES, users))?;
    drop((pages, plain));
    let tenant = Tenant::start(users, Wire::TlsAndGzip)?;
    let encrypted = median(times, || import(connector, &tenant, S::NAMES, users))?;
    let each = |cpu: Cpu| cpu.total().as_secs_f64() * 1e6 / f64::from(users);
    let kernel = |cpu: Cpu| cpu.kernel.as_secs_f64() * 1e6 / f64::from(users);
    Ok(format!(
        "| {} | {} | {:.2} | {:.2} | {:.2} | **{:.2}** | {:.2} | {:.2} | {:.2} |",
        S::NAMES.len(),
        bytes / users as usize,
        each(baseline),
        each(imported),
        kernel(imported),
        each(imported) / each(baseline),
        each(encrypted),
        kernel(encrypted),
        each(encrypted) / each(baseline),
    ))
}

fn median(times: u32, mut run: impl FnMut() -> Result<Cpu>) -> Result<Cpu> {
    let mut all = (0..times).map(|_| run()).collect::<Result<Vec<_>>>()?;
    all.sort_by_key(|cpu| cpu.total());
    Ok(all[all.len() / 2])
}

/// A first import of users into a host that throws the rows away.
fn import(connector: &Connector, tenant: &Tenant, attributes: &[&str], users: u32) -> Result<Cpu> {
    let config = tenant.config(attributes);
    let before = Cpu::of_process()?;
    let request = StartRequest { config: &config, auth: tenant.auth(), ..StartRequest::default() };
    let mut operation = connector.import(&request)?;
    loop {
        match operation.next(Duration::from_secs(120))? {
            Next::Batch(_) => {}
            Next::End { .. } => break,
            other => bail!("{other:?}: {}", operation.result_json().unwrap_or_default()),
        }
    }
    let rows = operation.progress().map_err(|status| anyhow!("status {status}"))?.rows_delivered;
    drop(operation);
    let spent = Cpu::of_process()?.since(before);
    ensure!(rows == u64::from(users), "{users} users exist, {rows} rows came");
    Ok(spent)
}
