//! `simulate`: a simulated Microsoft Graph until somebody stops it.
//!
//! The first line on stdout is for programs: one JSON object with the origin and who may sign in. All of it is made up,
//! the secret too.

use std::fs;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::Console;
use super::args::Simulate;
use crate::interrupt::Interrupt;
use crate::simulator::{JournalMode, Simulator, World};

pub(super) fn run(simulate: &Simulate, console: &mut Console<'_>) -> Result<u8> {
    let simulator = Arc::new(Simulator::start_on(world(simulate)?, simulate.port)?);
    if let (Some(path), Some(pem)) = (&simulate.ca_file, simulator.ca_pem()) {
        fs::write(path, pem).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let hello = json!({
        "origin": simulator.origin(),
        "tenantId": simulator.tenant_id(),
        "domain": simulator.domain(),
        "clientId": simulator.client_id(),
        "clientSecret": simulator.client_secret(),
    });
    writeln!(console.out, "{hello}")?;
    console.out.flush()?;
    if console.terminal {
        explain(&simulator, console)?;
    }
    wait(&simulator, simulate.until_stdin_ends);
    if let Some(path) = &simulate.journal {
        simulator.write_journal(path)?;
    }
    Ok(0)
}

/// The world of the file, or the default one, with the flags on top.
fn world(simulate: &Simulate) -> Result<World> {
    let mut world = match &simulate.world {
        None => World::default(),
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_str(&text).with_context(|| format!("{} is no world", path.display()))?
        }
    };
    world.users = simulate.users.unwrap_or(world.users);
    world.groups = simulate.groups.unwrap_or(world.groups);
    world.edges = simulate.edges.unwrap_or(world.edges);
    world.seed = simulate.seed.unwrap_or(world.seed);
    world.https |= simulate.https;
    if simulate.journal.is_some() {
        world.journal = JournalMode::Full;
    }
    Ok(world)
}

fn explain(simulator: &Simulator, console: &mut Console<'_>) -> Result<()> {
    let origin = simulator.origin();
    let config = json!({"TenantId": simulator.tenant_id(), "GraphEndpoint": origin, "AuthorityHost": origin});
    let auth = json!({"Mode": "ClientSecret", "ClientId": simulator.client_id(), "ClientSecret": "secret://simulator"});
    writeln!(console.err, "\nConfigJson  {config}\nAuthJson    {auth}")?;
    writeln!(
        console.err,
        "secret://simulator is clientSecret above: host-harness secret set simulator\nCtrl-C ends it."
    )?;
    Ok(())
}

/// Until Ctrl-C, `POST /_simulator/shutdown`, or the end of stdin when that was asked for.
fn wait(simulator: &Arc<Simulator>, until_stdin_ends: bool) {
    let over = Interrupt::of_process();
    let stopped = (Arc::clone(simulator), over.clone());
    std::thread::spawn(move || {
        stopped.0.wait_for_shutdown();
        stopped.1.raise();
    });
    if until_stdin_ends {
        let ended = over.clone();
        std::thread::spawn(move || {
            // Whatever comes is thrown away; an error is an end.
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            ended.raise();
        });
    }
    while !over.is_raised() {
        std::thread::sleep(Duration::from_millis(50));
    }
}
