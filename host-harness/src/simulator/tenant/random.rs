//! Mixed scripts of valid changes, drawn from a seed.
//!
//! Each change is tried on a copy of the tenant before the next is drawn, so that a script may restore what it deleted
//! and fill the groups it added. Applying the script to the same tenant always succeeds. What is drawn, and how often,
//! is in the tables of kinds and relations.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::state::Presence;
use super::{Draft, Tenant};
use crate::simulator::change::script::Draw;
use crate::simulator::change::{Change, ChangeKind};
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::deed::{Deed, Drawing};
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::relations::Relation;
use crate::simulator::seed::Dice;

/// A script of about `count` changes; fewer only where the tenant offers nothing to change.
pub(crate) fn random_changes(tenant: &Tenant, draw: &Draw, now: u64) -> Vec<Change> {
    let also = draw.also.iter().copied().flat_map(ChangeKind::of);
    let mut script = Script {
        draft: Draft::new(Arc::clone(&tenant.base), &tenant.now),
        dice: Dice::new(draw.seed),
        all: ChangeKind::all().into_iter().chain(also).collect(),
        turns: turns(),
    };
    let (mut changes, mut tries) = (Vec::new(), 0);
    while changes.len() < draw.count && tries < draw.count * 20 + 100 {
        tries += 1;
        let kind = script.kind();
        if let Some(change) = script.draw(kind)
            && script.draft.apply(&tenant.rules, now, &change).is_ok()
        {
            changes.push(change);
        }
    }
    changes
}

/// How many turns a round has.
const TURNS: u32 = 20;

/// Half of all changes are edges; what importers get wrong (names that move, objects that return) comes next. A turn
/// that nobody has is the common draw's.
fn turns() -> Vec<Option<ChangeKind>> {
    let mut turns = vec![None; TURNS as usize];
    let objects = Kind::ALL
        .iter()
        .flat_map(|kind| kind.table().deeds.iter().map(|(deed, turns)| (ChangeKind::Object(*kind, *deed), *turns)));
    let edges = Relation::ALL.iter().flat_map(|relation| {
        relation.table().deeds.iter().map(|(deed, turns)| (ChangeKind::Edge(*relation, *deed), *turns))
    });
    for (kind, taken) in objects.chain(edges) {
        for turn in taken {
            turns[*turn as usize] = Some(kind);
        }
    }
    turns
}

struct Script {
    draft: Draft,
    dice: Dice,
    /// Everything that can be drawn.
    all: Vec<ChangeKind>,
    turns: Vec<Option<ChangeKind>>,
}

impl Script {
    fn kind(&mut self) -> ChangeKind {
        let turn = self.turns[self.dice.below(TURNS) as usize];
        turn.unwrap_or_else(|| self.all[self.dice.below(self.all.len() as u32) as usize])
    }

    fn draw(&mut self, change: ChangeKind) -> Option<Change> {
        let mark = self.dice.below(100_000);
        match change {
            ChangeKind::Object(kind, deed) => self.object(kind, deed, mark),
            ChangeKind::Edge(relation, Deed::Removed) => {
                let (parent, child) = self.edge(relation)?;
                let view = self.draft.view();
                Some(Change::unlink(relation, view.id(parent), view.id(child), child.kind))
            }
            // Random scripts draw no events.
            ChangeKind::Event(..) => None,
            ChangeKind::Edge(relation, _) => {
                let table = relation.table();
                let child_kind = (table.drawn)(mark);
                Some(Change::link(relation, self.live(table.parent)?, self.live(child_kind)?, child_kind))
            }
        }
    }

    fn object(&mut self, kind: Kind, deed: Deed, mark: u32) -> Option<Change> {
        Some(match deed {
            Deed::NamesSwapped => Change::swap_names(kind, self.live(kind)?, self.live(kind)?),
            Deed::Deleted => Change::delete(kind, self.live(kind)?),
            Deed::Restored => Change::restore(kind, self.deleted(kind)?),
            Deed::Purged => Change::purge(kind, self.deleted(kind)?),
            Deed::Added => Change::add(kind, self.properties(kind, deed, mark)?.0),
            Deed::Updated
            | Deed::Renamed
            | Deed::Disabled
            | Deed::PropertyCleared
            | Deed::VisibilityChanged
            | Deed::Removed => {
                let (properties, target) = self.properties(kind, deed, mark)?;
                Change::update(kind, target.or_else(|| self.live(kind))?, properties)
            }
        })
    }

    /// What a kind draws for a deed, and the object it asked for while it did.
    fn properties(&mut self, kind: Kind, deed: Deed, mark: u32) -> Option<(Map<String, Value>, Option<String>)> {
        let (draft, mut asked) = (&self.draft, None);
        let properties = (kind.table().draw)(
            deed,
            &mut Drawing {
                mark,
                newcomer: draft.view().count(kind),
                domain: &draft.base.domain,
                dice: &mut self.dice,
                target: &mut |dice: &mut Dice| {
                    asked = asked.take().or_else(|| live(draft, dice, kind));
                    asked.clone()
                },
                any: &|dice: &mut Dice, kind: Kind| live(draft, dice, kind),
            },
        )?;
        Some((properties, asked))
    }

    fn live(&mut self, kind: Kind) -> Option<String> {
        live(&self.draft, &mut self.dice, kind)
    }

    /// Something in the recycle bin, which is small: the base tenant's share of it, and what scripts put there.
    fn deleted(&mut self, kind: Kind) -> Option<String> {
        let view = self.draft.view();
        let base = (0..view.base.count(kind)).rev().map(|number| ObjectRef { kind, number });
        let mut bin: Vec<_> = base
            .take_while(|object| view.base.is_deleted(*object))
            .chain(self.draft.state.altered_objects().map(|(object, _)| object).filter(|object| object.kind == kind))
            .filter(|object| view.presence(*object) == Some(Presence::SoftDeleted))
            .collect();
        bin.sort_unstable();
        bin.dedup();
        bin.get(self.dice.below(bin.len() as u32) as usize).map(|object| view.id(*object))
    }

    fn edge(&mut self, relation: Relation) -> Option<(ObjectRef, ObjectRef)> {
        let view = self.draft.view();
        let kind = relation.table().parent;
        let parents = view.count(kind);
        (0..60).find_map(|_| {
            let parent = ObjectRef { kind, number: self.dice.below(parents) };
            let roster = view.children(relation, parent.number);
            let slots = roster.slots();
            let child = if slots == 0 { None } else { roster.shown(self.dice.below(slots)) };
            child.filter(|_| view.is_live(parent)).map(|child| (parent, child))
        })
    }
}

fn live(draft: &Draft, dice: &mut Dice, kind: Kind) -> Option<String> {
    let view = draft.view();
    (0..40).find_map(|_| {
        let object = ObjectRef { kind, number: dice.below(view.count(kind)) };
        view.is_live(object).then(|| view.id(object))
    })
}
