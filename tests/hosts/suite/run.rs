//! One run of a host, whatever it is written in, and what it said.
//!
//! The Rust host of the comparison is the harness's own safe binding, in this process. Everything else is a program,
//! and what it says of itself (counts, checkpoints, log) is checked here against what it wrote.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use connector_abi::{CONNECTOR_END, CONNECTOR_END_PARTIAL, Status};
use host_harness::connector::{Connector, DoorKind, Next, StartRequest};
use host_harness::library::connector_library;
use serde_json::Value;

/// A guard against a host that hangs; no machine needs this long.
const HANGS: Duration = Duration::from_secs(300);

/// Who runs.
#[derive(Debug)]
pub(crate) enum Host {
    /// A program and the words before its arguments.
    Program(Vec<OsString>),
    /// The same for Windows; the library it loads speaks of Windows paths in `Describe`.
    Windows(Vec<OsString>),
    /// The harness's binding in this process.
    Door(DoorKind),
}

/// What it is asked.
#[derive(Debug)]
pub(crate) struct Order<'a> {
    /// ConfigJson.
    pub(crate) config: &'a str,
    /// AuthJson.
    pub(crate) auth: &'a str,
    /// import, export or check.
    pub(crate) operation: &'static str,
    /// Read when it exists, replaced by checkpoints.
    pub(crate) watermark: PathBuf,
    /// Cancel from another thread once so many records are stored; 0: never.
    pub(crate) cancel_after: u64,
}

/// What it said and wrote.
#[derive(Debug)]
pub(crate) struct Said {
    /// The exit code.
    pub(crate) exit: i32,
    /// The last status.
    pub(crate) status: Status,
    /// The lines of `--out`.
    pub(crate) lines: Vec<String>,
    /// The watermark as it was left.
    pub(crate) watermark: Option<String>,
    /// How many checkpoints came.
    pub(crate) checkpoints: u64,
    /// How many log lines came.
    pub(crate) log_lines: u64,
    /// Describe.
    pub(crate) describe: Value,
    /// The result JSON, or null.
    pub(crate) result: Value,
    /// The error of a refused start, or null.
    pub(crate) error: Value,
}

impl Host {
    /// Runs it in `folder`, which is its own.
    pub(crate) fn run(&self, connectors: &Path, folder: &Path, order: &Order<'_>) -> Result<Said> {
        match self {
            Host::Program(words) => run_program(words, connectors, folder, order),
            Host::Windows(words) => {
                let mut said = run_program(words, connectors, folder, order)?;
                said.describe = described_here(&said.describe)?;
                Ok(said)
            }
            Host::Door(door) => run_door(*door, order),
        }
    }
}

fn run_program(words: &[OsString], connectors: &Path, folder: &Path, order: &Order<'_>) -> Result<Said> {
    let at = |name: &str| folder.join(name);
    fs::write(at("config.json"), order.config)?;
    fs::write(at("auth.json"), order.auth)?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg("--connectors").arg(connectors).args(["--connector", "EntraId"]);
    command.arg("--config").arg(at("config.json")).arg("--auth").arg(at("auth.json"));
    command.arg("--watermark").arg(&order.watermark).arg("--out").arg(at("records.ndjson"));
    if order.operation != "import" {
        command.args(["--operation", order.operation]);
    }
    if order.cancel_after > 0 {
        command.args(["--cancel-after", &order.cancel_after.to_string()]);
    }
    // Files instead of pipes: a host that is killed leaves what it said.
    command.stdin(Stdio::null()).stdout(File::create(at("stdout"))?).stderr(File::create(at("stderr"))?);
    let mut child = command.spawn().with_context(|| format!("{words:?}"))?;
    let since = Instant::now();
    let exit = loop {
        if let Some(exit) = child.try_wait()? {
            break exit;
        }
        if since.elapsed() > HANGS {
            child.kill()?;
            child.wait()?;
            bail!("still running after {HANGS:?}; it said:\n{}", text(&at("stderr"))?);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (out, err) = (text(&at("stdout"))?, text(&at("stderr"))?);
    let heard = || format!("{exit}\n{out}{err}");
    let said: Value = serde_json::from_str(&out).with_context(heard)?;
    ensure!(out.trim_end_matches(['\r', '\n']).lines().count() == 1, "more than one line on stdout: {out}");
    let lines_of = |label: &str| err.lines().filter_map(|line| line.strip_prefix(label)).collect::<Vec<_>>();
    let records = if at("records.ndjson").exists() { text(&at("records.ndjson"))? } else { String::new() };
    ensure!(records.is_empty() || records.ends_with('\n'), "the last record has no line end");
    let number = |name: &str| said[name].as_u64().with_context(|| format!("{name}: {said}"));
    let it = Said {
        exit: exit.code().with_context(heard)?,
        status: said["status"].as_i64().with_context(heard)?.try_into()?,
        lines: records.split_terminator('\n').map(str::to_owned).collect(),
        watermark: watermark(order)?,
        checkpoints: number("checkpoints")?,
        log_lines: number("logLines")?,
        describe: serde_json::from_str(lines_of("describe: ").first().with_context(heard)?)?,
        result: said["result"].clone(),
        error: said["error"].clone(),
    };
    ensure!(
        number("records")? == it.lines.len() as u64,
        "it counted {} records and wrote {}",
        number("records")?,
        it.lines.len()
    );
    ensure!(number("batches")? > 0 || it.lines.is_empty(), "records without batches");
    ensure!(
        lines_of("log: ").len() as u64 >= it.log_lines,
        "it counted {} log lines and showed fewer: {err}",
        it.log_lines
    );
    ensure!(it.result.is_null() || !lines_of("progress: ").is_empty(), "no progress was shown: {err}");
    let _ = fs::remove_file(at("records.ndjson"));
    Ok(it)
}

/// What the library for Windows says of itself, with what is an absolute path here in place of what is one there.
fn described_here(described: &Value) -> Result<Value> {
    const THERE: &str = r#""^([A-Za-z]:[\\\\/]|\\\\\\\\)""#;
    let text = described.to_string();
    ensure!(text.contains(THERE), "it does not ask for Windows paths: {text}");
    Ok(serde_json::from_str(&text.replace(THERE, "\"^/\""))?)
}

fn run_door(door: DoorKind, order: &Order<'_>) -> Result<Said> {
    let connector = Connector::load_through(&connector_library()?, door)?;
    let before = watermark(order)?;
    let request = StartRequest {
        config: order.config,
        auth: order.auth,
        watermark: before.as_deref(),
        log_level: Some(connector_abi::CONNECTOR_LOG_INFO),
        ..StartRequest::default()
    };
    let mut said = Said {
        exit: 1,
        status: 0,
        lines: Vec::new(),
        watermark: None,
        checkpoints: 0,
        log_lines: 0,
        describe: serde_json::from_str(&connector.describe()?)?,
        result: Value::Null,
        error: Value::Null,
    };
    let started = match order.operation {
        "export" => connector.export(&request),
        "check" => connector.check(&request),
        _ => connector.import(&request),
    };
    let mut operation = match started {
        Ok(operation) => operation,
        Err(refused) => {
            said.status = refused.status;
            said.error = serde_json::from_str(&refused.error_json)?;
            said.watermark = watermark(order)?;
            return Ok(said);
        }
    };
    let cancel = operation.cancel_handle();
    let (wanted, want) = mpsc::channel::<()>();
    std::thread::scope(|threads| {
        threads.spawn(move || {
            if want.recv().is_ok() {
                cancel.cancel();
            }
        });
        let wanted = wanted; // gone when this closure returns, which ends the thread
        let since = Instant::now();
        loop {
            let checkpoint = match operation.next(Duration::from_millis(250))? {
                Next::Pending if since.elapsed() > HANGS => bail!("still running after {HANGS:?}"),
                Next::Pending => None,
                Next::Batch(batch) => {
                    let text = std::str::from_utf8(&batch.rows)?;
                    said.lines.extend(text.split_terminator('\n').map(str::to_owned));
                    batch.checkpoint
                }
                Next::End { checkpoint } => {
                    (said.status, said.exit) = (CONNECTOR_END, 0);
                    checkpoint
                }
                Next::EndPartial { checkpoint } => {
                    (said.status, said.exit) = (CONNECTOR_END_PARTIAL, 3);
                    checkpoint
                }
                Next::Failed(status) => {
                    said.status = status;
                    None
                }
            };
            said.log_lines += operation.take_log().len() as u64;
            if let Some(checkpoint) = checkpoint {
                said.checkpoints += 1;
                fs::write(&order.watermark, checkpoint)?;
            }
            if said.status != 0 {
                return Ok(());
            }
            if order.cancel_after > 0 && said.lines.len() as u64 >= order.cancel_after {
                let _ = wanted.send(());
            }
        }
    })?;
    said.result = serde_json::from_str(&operation.result_json().map_err(|status| anyhow::anyhow!("{status}"))?)?;
    said.watermark = watermark(order)?;
    Ok(said)
}

fn watermark(order: &Order<'_>) -> Result<Option<String>> {
    if order.watermark.exists() { text(&order.watermark).map(Some) } else { Ok(None) }
}

fn text(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))
}
