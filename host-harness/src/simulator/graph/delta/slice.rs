//! The entries of `members@delta`: who is there in a first round, who came and went in a later one.
//!
//! A later round tells each member once, as it stands now, however often it came and went in between; or, where
//! `Delta::membership_history` says so, each coming and going in its order. Slices of one group keep their order in both.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};
use crate::simulator::tenant::Tenant;
use crate::simulator::tenant::state::Step;
use crate::simulator::tenant::view::View;

/// Up to `length` members from slot `from` on, and the slot the next slice starts at if there are more.
pub(super) fn present(
    view: View<'_>,
    group: u32,
    from: u32,
    length: usize,
    lists: impl Fn(ObjectKind) -> bool,
    with_deleted: bool,
) -> (Vec<Value>, Option<u32>) {
    let roster = view.roster(group);
    let mut entries = Vec::new();
    for slot in from..roster.slots() {
        let member = if with_deleted { roster.recorded(slot) } else { roster.shown(slot) };
        let Some(member) = member.filter(|member| lists(member.kind)) else { continue };
        if entries.len() == length {
            return (entries, Some(slot));
        }
        entries.push(json!({"@odata.type": member.kind.odata_type(), "id": view.id(member)}));
    }
    (entries, None)
}

/// Up to `length` comings and goings since a position of the log, from the `from`-th on.
pub(super) fn history(
    tenant: &Tenant,
    group: ObjectRef,
    since: u32,
    from: u32,
    length: usize,
    lists: impl Fn(ObjectKind) -> bool,
) -> (Vec<Value>, Option<u32>) {
    let moves = tenant.log.of(group, since, tenant.log.end()).filter_map(|step| match step {
        Step::Join { member, .. } => Some((*member, false)),
        Step::Leave { member, .. } => Some((*member, true)),
        _ => None,
    });
    let mut moves = moves.filter(|(member, _)| lists(member.kind)).skip(from as usize);
    let entries: Vec<_> = moves.by_ref().take(length).map(|(member, left)| entry(tenant, member, left)).collect();
    let next = from + entries.len() as u32;
    (entries, moves.next().map(|_| next))
}

fn entry(tenant: &Tenant, member: ObjectRef, left: bool) -> Value {
    let mut entry = json!({"@odata.type": member.kind.odata_type(), "id": tenant.base.ids.id(member)});
    if left {
        entry["@removed"] = json!({"reason": "deleted"});
    }
    entry
}

/// Up to `length` members that came or went in a window of the log, from the `from`-th on.
pub(super) fn changed(
    tenant: &Tenant,
    group: ObjectRef,
    window: (u32, u32),
    from: u32,
    length: usize,
    lists: impl Fn(ObjectKind) -> bool,
) -> (Vec<Value>, Option<u32>) {
    let view = tenant.now();
    let roster = view.roster(group.number);
    let mut seen = HashSet::new();
    let mut members: Vec<ObjectRef> = Vec::new();
    for step in tenant.log.of(group, window.0, window.1) {
        if let Step::Join { member, .. } | Step::Leave { member, .. } = step
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
