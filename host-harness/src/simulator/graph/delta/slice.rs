//! The entries of `members@delta`: who is there in a first round, who came and went in a later one.
//!
//! A later round tells each member once, as it stands now, however often it came and went in between; or, where
//! `Delta::membership_history` says so, each coming and going in its order. Slices of one group keep their order in
//! both.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::simulator::kinds::Kind;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::relations::Relation;
use crate::simulator::tenant::Tenant;
use crate::simulator::tenant::state::Step;
use crate::simulator::tenant::view::{Roster, View};

/// Up to `length` members from slot `from` on, and the slot the next slice starts at if there are more.
pub(super) fn present(
    roster: Roster<'_>,
    view: View<'_>,
    from: u32,
    length: usize,
    lists: impl Fn(Kind) -> bool,
    with_deleted: bool,
) -> (Vec<Value>, Option<u32>) {
    let mut entries = Vec::new();
    for slot in from..roster.slots() {
        let member = if with_deleted { roster.recorded(slot) } else { roster.shown(slot) };
        let Some(member) = member.filter(|member| lists(member.kind)) else { continue };
        if entries.len() == length {
            return (entries, Some(slot));
        }
        entries.push(json!({"@odata.type": view.odata_type(member).0, "id": view.id(member)}));
    }
    (entries, None)
}

/// Up to `length` comings and goings since a position of the log, from the `from`-th on.
pub(super) fn history(
    tenant: &Tenant,
    relation: Relation,
    parent: ObjectRef,
    since: u32,
    from: u32,
    length: usize,
    lists: impl Fn(Kind) -> bool,
) -> (Vec<Value>, Option<u32>) {
    let moves = tenant.log.of(parent, since, tenant.log.end()).filter_map(|step| match step {
        Step::Link { relation: of, child, .. } if *of == relation => Some((*child, false)),
        Step::Unlink { relation: of, child, .. } if *of == relation => Some((*child, true)),
        Step::Link { .. }
        | Step::Unlink { .. }
        | Step::Create { .. }
        | Step::Update { .. }
        | Step::SoftDelete { .. }
        | Step::Restore { .. }
        | Step::Purge { .. }
        | Step::Append { .. }
        | Step::Rewrite { .. } => None,
    });
    let mut moves = moves.filter(|(member, _)| lists(member.kind)).skip(from as usize);
    let entries: Vec<_> = moves.by_ref().take(length).map(|(member, left)| entry(tenant, member, left)).collect();
    let next = from + entries.len() as u32;
    (entries, moves.next().map(|_| next))
}

fn entry(tenant: &Tenant, member: ObjectRef, left: bool) -> Value {
    let mut entry = json!({"@odata.type": tenant.now().odata_type(member).0, "id": tenant.base.ids.id(member)});
    if left {
        entry["@removed"] = json!({"reason": "deleted"});
    }
    entry
}

/// Up to `length` members that came or went in a window of the log, from the `from`-th on.
pub(super) fn changed(
    tenant: &Tenant,
    relation: Relation,
    parent: ObjectRef,
    window: (u32, u32),
    from: u32,
    length: usize,
    lists: impl Fn(Kind) -> bool,
) -> (Vec<Value>, Option<u32>) {
    let view = tenant.now();
    let roster = view.children(relation, parent.number);
    let mut seen = HashSet::new();
    let mut members: Vec<ObjectRef> = Vec::new();
    for step in tenant.log.of(parent, window.0, window.1) {
        if let Step::Link { relation: of, child: member, .. } | Step::Unlink { relation: of, child: member, .. } = step
            && *of == relation
            && lists(member.kind)
            && seen.insert(*member)
        {
            members.push(*member);
        }
    }
    let slice = members.iter().skip(from as usize).take(length);
    let entries = slice.map(|member| entry(tenant, *member, !roster.holds(*member)));
    let next = from as usize + length;
    (entries.collect(), (next < members.len()).then_some(next as u32))
}
