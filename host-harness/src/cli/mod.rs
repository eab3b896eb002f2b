//! The command line: arguments in, text out, an exit code.
//!
//! Commands write to the `Console` they are given and never to stdout themselves, so that tests run them in-process.
//! Exit codes are decided here: 0 success, 1 failure, 2 wrong usage, 3 partial.

mod args;
mod check;
mod counts;
mod demo;
mod describe;
mod import;
mod list;
mod outcome;
mod problem;
mod progress;
mod runs;
mod secret;
mod show;
mod simulate;
mod table;

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use crate::connector::DoorKind;
use crate::discovery::{self, Identified};
use crate::library::{connector_folders, connector_library};
use args::{Arguments, Command, ConnectorChoice};

/// Exit code of arguments that make no sense.
const WRONG_USAGE: u8 = 2;

/// Where a command writes.
pub(crate) struct Console<'c> {
    /// Results.
    pub(crate) out: &'c mut dyn Write,
    /// Progress, warnings and errors.
    pub(crate) err: &'c mut dyn Write,
    /// Whether `err` is a terminal: then progress moves.
    pub(crate) terminal: bool,
    /// Letters a line of `out` should have at most.
    pub(crate) columns: usize,
}

/// Columns where there is no terminal to ask: a file, a pipe, a test.
const COLUMNS: usize = 100;

/// Runs a command line on this process's own streams.
pub fn main() -> ExitCode {
    let terminal = io::stderr().is_terminal();
    let columns = terminal_size::terminal_size_of(io::stdout()).map_or(COLUMNS, |(width, _)| width.0.into());
    let (mut out, mut err) = (io::stdout(), io::stderr());
    ExitCode::from(dispatch(std::env::args_os(), &mut Console { out: &mut out, err: &mut err, terminal, columns }))
}

/// Runs a command line, the program's name first, and answers its exit code.
pub fn run<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    dispatch(arguments, &mut Console { out, err, terminal: false, columns: COLUMNS })
}

fn dispatch<A: Into<OsString> + Clone>(arguments: impl IntoIterator<Item = A>, console: &mut Console<'_>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => {
            let to: &mut dyn Write = if usage.use_stderr() { console.err } else { console.out };
            // A reader that went away is no reason for another exit code.
            let _ = write!(to, "{}", usage.render());
            return u8::from(usage.use_stderr()) * WRONG_USAGE;
        }
    };
    let done = match arguments.command {
        Command::Demo(demo) => demo::run(&demo, console),
        Command::List(list) => list::run(&list, console),
        Command::Describe(describe) => describe::run(&describe, console),
        Command::Check(check) => check::run(&check, console),
        Command::Import(import) => import::run(&import, console),
        Command::Show(show) => show::run(&show, console),
        Command::Runs(runs) => runs::run(&runs, console),
        Command::Secret(secret) => secret::run(&secret, console),
        Command::Simulate(simulate) => simulate::run(&simulate, console),
    };
    done.and_then(|code| console.out.flush().map(|()| code).map_err(Into::into)).unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return 0;
        }
        let _ = writeln!(console.err, "error: {error:#}");
        1
    })
}

/// `host-harness show | head` is no failure.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::BrokenPipe))
}

/// The connector that was asked for: from [`connectors_folder`], else the library beside this program or of this
/// workspace.
fn connector(choice: &ConnectorChoice) -> Result<Identified> {
    let (name, door) = (choice.connector.as_deref(), DoorKind::from(choice.door));
    match connectors_folder(choice.connectors.as_deref()) {
        Some(folder) => discovery::choose(&folder, name, door),
        None => Identified::load(&connector_library()?, door),
    }
}

/// The folder that was named, else the first usual one that exists.
fn connectors_folder(named: Option<&Path>) -> Option<PathBuf> {
    named.map(Path::to_owned).or_else(|| connector_folders().into_iter().find(|folder| folder.is_dir()))
}

fn read(what: &str, path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {what} from {}", path.display()))
}
