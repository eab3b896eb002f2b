//! `secret`: keeps the values that `secret://` references stand for. Prints names and sources, never a value.

use std::io::{self, IsTerminal, Read};

use anyhow::{Context, Result, bail};

use super::Console;
use super::args::{Secret, SecretCommand};
use super::table::Table;
use crate::secrets::{Secrets, variable};

pub(super) fn run(secret: &Secret, console: &mut Console<'_>) -> Result<u8> {
    let secrets = Secrets::in_folder(secret.secrets.clone().unwrap_or_else(Secrets::default_folder));
    match &secret.what {
        SecretCommand::Set { name } => {
            let value = if io::stdin().is_terminal() { ask(name, console)? } else { piped()? };
            let path = secrets.set(name, &value)?;
            writeln!(console.out, "secret://{name} is kept in {}", path.display())?;
        }
        SecretCommand::List => {
            let listed = secrets.list()?;
            let mut table = Table::new(&["Reference", "Source"]).widest(200);
            for it in &listed {
                table.row([format!("secret://{}", it.name), it.source.clone()]);
            }
            if listed.is_empty() {
                writeln!(
                    console.out,
                    "no secrets in {} or in variables like {}",
                    secrets.folder().display(),
                    variable("name")
                )?;
            } else {
                table.print(console.out)?;
            }
            for warning in listed.iter().filter_map(|it| it.warning.as_ref()) {
                writeln!(console.err, "warning: {warning}")?;
            }
        }
    }
    Ok(0)
}

/// What was piped in, without the line end that `echo` puts there.
fn piped() -> Result<String> {
    let mut value = String::new();
    io::stdin().read_to_string(&mut value).context("the secret could not be read from stdin")?;
    Ok(value.strip_suffix('\n').map_or(&*value, |line| line.strip_suffix('\r').unwrap_or(line)).to_owned())
}

/// What is typed, unseen. The shell turns the echo off and, whatever happens, on again; the value comes through a pipe
/// and never stands on a command line.
#[cfg(unix)]
fn ask(name: &str, console: &mut Console<'_>) -> Result<String> {
    use crate::interrupt::Interrupt;
    use std::process::{Command, Stdio};

    const READ: &str =
        r#"trap 'stty echo' EXIT; trap 'exit 130' INT TERM; stty -echo; IFS= read -r value; printf '%s' "$value""#;
    // Ctrl-C goes to both; this process must outlive the shell that puts the echo back.
    let _kept = Interrupt::of_process();
    write!(console.err, "value of {name} (not shown): ")?;
    console.err.flush()?;
    let answer = Command::new("sh").args(["-c", READ]).stdin(Stdio::inherit()).stderr(Stdio::inherit()).output();
    let answer = answer.context("no shell to ask for the secret: pipe it in instead")?;
    writeln!(console.err)?;
    if !answer.status.success() {
        bail!("nothing was written");
    }
    String::from_utf8(answer.stdout).context("the secret is not UTF-8")
}

#[cfg(not(unix))]
fn ask(name: &str, _: &mut Console<'_>) -> Result<String> {
    bail!("pipe the value in, so that it is not seen: Get-Content secret.txt | host-harness secret set {name}")
}
