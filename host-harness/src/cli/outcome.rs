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
        let unread = format!("{} not read", scopes(it));
        let as_of = || {
            it.last_whole.map_or_else(
                || "no run before has delivered it whole".to_owned(),
                |run| format!("as run {} left it ({} UTC)", run.run, time(run.started_ms)),
            )
        };
        match it.standing {
            Standing::Whole => {}
            Standing::FinishedBefore => {
                writeln!(to, "  {name}: finished by the run before, which was interrupted; nothing is missing")?;
            }
            Standing::NotDue => {
                let at =
                    |time: Option<&String>| time.map_or_else(|| "at a time not told".to_owned(), |time| visible(time));
                let not_due = it.not_due.clone().unwrap_or_default();
                let (read, due) = (at(not_due.read_at.as_ref()), at(not_due.due_at.as_ref()));
                writeln!(to, "  {name}: not due; read {read}, due again {due}; nothing is missing")?;
            }
            Standing::EndedByWarning => {
                let why = it.reason.as_ref().map_or_else(|| "not offered by the source".to_owned(), |why| visible(why));
                writeln!(
                    to,
                    "  {name}: not read ({why}); this makes no run partial; what the store holds of it is {}",
                    as_of()
                )?;
            }
            Standing::ScopesUnread => {
                writeln!(to, "  {name}: {unread}; what the store holds of them is as an earlier import left it")?;
            }
            Standing::NotWhole => {
                let old = if it.last_whole.is_some() { format!("the rest is {}", as_of()) } else { as_of() };
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

/// `1 group was`, `3 service principals were`: what the scopes of an object type are, and how many stay unread.
fn scopes(of: &Delivery) -> String {
    let mut word = String::new();
    for letter in of.scope.as_deref().unwrap_or("Scope").chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push(' ');
        }
        word.extend(letter.to_lowercase());
    }
    let count = grouped(of.unread_scopes);
    if of.unread_scopes == 1 {
        format!("{count} {} was", visible(&word))
    } else {
        format!("{count} {}s were", visible(&word))
    }
}

/// Whether something is as it was although the run succeeded.
pub(super) fn is_worth_a_word(delivery: &BTreeMap<String, Delivery>) -> bool {
    let quiet = [Standing::Whole, Standing::ScopesUnread];
    delivery.values().any(|it| !quiet.contains(&it.standing))
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
    match removal.ends.as_slice() {
        [] => name(&removal.id, removal.name.as_ref()),
        // It belongs to one object: the end does not say which of its edges this is.
        [of] => format!("{} of {}", visible(&removal.id), end(of)),
        ends => ends.iter().map(end).collect::<Vec<_>>().join(" -> "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::NotDue;

    fn said(delivery: Delivery) -> String {
        let mut out = Vec::new();
        standings(&[("T".to_owned(), delivery)].into(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn delivery(standing: Standing) -> Delivery {
        let (unread_scopes, warned_scopes) = (0, 0);
        Delivery { standing, unread_scopes, warned_scopes, scope: None, not_due: None, reason: None, last_whole: None }
    }

    #[test]
    fn scopes_are_called_what_they_are() {
        let of = |count, scope: Option<&str>| {
            said(Delivery { unread_scopes: count, scope: scope.map(str::to_owned), ..delivery(Standing::ScopesUnread) })
        };
        assert!(of(1, Some("Group")).starts_with("  T: 1 group was not read;"));
        assert!(of(1200, Some("ServicePrincipal")).starts_with("  T: 1,200 service principals were not read;"));
        assert!(of(2, None).starts_with("  T: 2 scopes were not read;"));
    }

    #[test]
    fn type_that_was_not_due_says_when_it_is() {
        let not_due =
            NotDue { read_at: Some("2026-11-30T08:00:00Z".into()), due_at: Some("2026-12-01T08:00:00Z".into()) };
        let said = said(Delivery { not_due: Some(not_due), ..delivery(Standing::NotDue) });
        assert_eq!(
            said,
            "  T: not due; read 2026-11-30T08:00:00Z, due again 2026-12-01T08:00:00Z; nothing is missing\n"
        );
    }

    #[test]
    fn type_that_a_warning_ended_says_why_and_how_old_it_is() {
        let last_whole = Some(crate::store::WholeRun { run: 4, started_ms: 0 });
        let said =
            said(Delivery { reason: Some("no licence".into()), last_whole, ..delivery(Standing::EndedByWarning) });
        assert!(
            said.contains("not read (no licence)") && said.contains("as run 4 left it (1970-01-01 00:00:00 UTC)"),
            "{said}"
        );
    }
}
