//! What an operator is told of a run that did not bring everything: what is old now, what would have gone, what to do.
//!
//! `import` says it when the run is over and `runs --run N` says it again later, in the same words. Easy to get
//! wrong: a partial run is not to be repeated with `--full`. Its watermark moved only for what was delivered.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::runs::time;
use super::table::{grouped, visible};
use crate::delivery::{Delivery, Standing};
use crate::store::{AbsentRows, Removal, RemovalStop, RemovedEnd};

/// One line for each object type that is not fresh, or fresh by another run.
pub(super) fn standings(delivery: &BTreeMap<String, Delivery>, to: &mut dyn Write) -> io::Result<()> {
    for (name, it) in delivery {
        let name = visible(name);
        let unread = format!(
            "{} {} not read",
            grouped(it.unread_scopes),
            if it.unread_scopes == 1 { "group was" } else { "groups were" }
        );
        match it.standing {
            Standing::Whole => {}
            Standing::FinishedBefore => {
                writeln!(to, "  {name}: finished by the run before, which was interrupted; nothing is missing")?;
            }
            Standing::ScopesUnread => {
                writeln!(to, "  {name}: {unread}; what the store holds of them is as an earlier import left it")?;
            }
            Standing::NotWhole => {
                let old = it.last_whole.map_or_else(
                    || "no run before has delivered it whole".to_owned(),
                    |run| format!("the rest is as run {} left it ({} UTC)", run.run, time(run.started_ms)),
                );
                let unread = if it.unread_scopes > 0 { format!(" ({unread})") } else { String::new() };
                writeln!(
                    to,
                    "  {name}: not delivered whole{unread}; what came is stored, nothing was removed for absence, {old}"
                )?;
            }
        }
    }
    Ok(())
}

/// Whether there is something to say with [`standings`].
pub(super) fn is_remarkable(delivery: &BTreeMap<String, Delivery>) -> bool {
    delivery.values().any(|it| it.standing != Standing::Whole)
}

/// What the removal guard stopped the run for.
pub(super) fn removals(stop: &RemovalStop, to: &mut dyn Write) -> io::Result<()> {
    for (name, rows) in &stop.types {
        let AbsentRows { held, removed_before, would_go, accepted, listed } = rows;
        let before = if *removed_before > 0 {
            format!(", {} more went with earlier checkpoints", grouped(*removed_before))
        } else {
            String::new()
        };
        let accepted =
            if *accepted > 0 { format!("; {} in all were accepted", grouped(*accepted)) } else { String::new() };
        let (would_go, held) = (grouped(*would_go), grouped(*held));
        writeln!(to, "  {}: {would_go} of {held} rows would go{before}{accepted}", visible(name))?;
        for removal in listed {
            writeln!(to, "    {}", line(removal))?;
        }
        if rows.would_go > listed.len() as u64 {
            writeln!(to, "    … and {} more", grouped(rows.would_go - listed.len() as u64))?;
        }
    }
    if !stop.whole {
        writeln!(to, "  not everything was read while these were counted: more may go")?;
    }
    writeln!(
        to,
        "  what to do: if the source really lost them, import once with --accept-deletes, which removes these numbers and \
         no more; if not, correct the connector's filter or its permissions and import again"
    )
}

fn line(removal: &Removal) -> String {
    let name = |id: &str, name: Option<&String>| match name {
        Some(name) if name != id => format!("{} ({})", visible(id), visible(name)),
        _ => visible(id),
    };
    let end = |end: &RemovedEnd| name(&end.id, end.name.as_ref());
    match &removal.ends {
        Some([from, to]) => format!("{} -> {}", end(from), end(to)),
        None => name(&removal.id, removal.name.as_ref()),
    }
}
