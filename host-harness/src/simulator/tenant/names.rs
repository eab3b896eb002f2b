//! Objects by name, for lists that are sorted by one or bounded by two: looked up instead of compared one by one.
//!
//! Kept for the last few states of the tenant, and made anew when a list sees another one: reads that lag see older
//! states.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::replica::Snapshot;
use super::state::State;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::property::Property;
use crate::simulator::odata::TextOrder;

/// States and properties at most; a tenant of a million has some 60 MB for each.
const KEPT: usize = 4;

/// All objects of a kind, deleted ones too, by one of their properties, in the tenant's order of texts.
#[derive(Debug)]
pub(crate) struct ByName {
    /// Those that have none.
    unnamed: Vec<u32>,
    named: Vec<(String, u32)>,
    order: TextOrder,
}

/// A state, and what was sorted of it.
#[derive(Debug)]
struct Kept {
    state: Arc<State>,
    kind: Kind,
    property: &'static str,
    by_name: Arc<ByName>,
}

/// What is kept.
#[derive(Debug)]
pub(crate) struct Names {
    order: TextOrder,
    kept: Mutex<VecDeque<Kept>>,
}

impl Names {
    pub(crate) fn in_order(order: TextOrder) -> Names {
        Names { order, kept: Mutex::default() }
    }

    pub(crate) fn of(&self, snapshot: &Snapshot<'_>, kind: Kind, property: &'static Property) -> Arc<ByName> {
        // Held while sorting: whoever comes meanwhile wants the same.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.iter().find(|known| {
            Arc::ptr_eq(&known.state, &snapshot.state) && known.kind == kind && known.property == property.name
        });
        if let Some(known) = known {
            return Arc::clone(&known.by_name);
        }
        let by_name = Arc::new(ByName::new(snapshot, kind, property, self.order));
        if kept.len() == KEPT {
            kept.pop_front();
        }
        let state = Arc::clone(&snapshot.state);
        kept.push_back(Kept { state, kind, property: property.name, by_name: Arc::clone(&by_name) });
        by_name
    }
}

impl ByName {
    fn new(snapshot: &Snapshot<'_>, kind: Kind, property: &Property, order: TextOrder) -> ByName {
        let view = snapshot.view();
        let (mut unnamed, mut named) = (Vec::new(), Vec::new());
        for object in view.objects(kind) {
            match view.value(object, property).as_str() {
                Some(name) => named.push((order.key(name), object.number)),
                None => unnamed.push(object.number),
            }
        }
        named.sort_unstable();
        ByName { unnamed, named, order }
    }

    /// Numbers of all objects, those without a name first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = u32> {
        self.unnamed.iter().copied().chain(self.within(None, None))
    }

    /// Numbers of the objects whose names lie between two, both included.
    pub(crate) fn within(&self, low: Option<&str>, high: Option<&str>) -> impl DoubleEndedIterator<Item = u32> {
        let (low, high) = (low.map(|low| self.order.key(low)), high.map(|high| self.order.key(high)));
        let from = low.map_or(0, |low| self.named.partition_point(|(name, _)| *name < low));
        let to = high.map_or(self.named.len(), |high| self.named.partition_point(|(name, _)| *name <= high));
        self.named[from..to.max(from)].iter().map(|(_, number)| *number)
    }
}
