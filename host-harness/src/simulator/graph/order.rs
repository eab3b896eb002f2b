//! Which objects a list looks at, and in what order.
//!
//! Sorted, when asked for. Else in an order nobody may rely on: scrambled, additions last; or, where two names bound
//! the list, by a hash of the object, so that a page link finds its place again after objects have come and gone.

use serde_json::Value;

use super::Context;
use super::answer::GraphError;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::property::Property;
use crate::simulator::odata::{Filter, Operator};
use crate::simulator::seed::{Progression, mix, stream};
use crate::simulator::tenant::replica::Snapshot;

/// The objects of one list, each at a place that a page link can name.
pub(super) struct Order {
    kind: Kind,
    rows: Rows,
    /// Whoever is in it meets the filter.
    pub(super) exact: bool,
}

enum Rows {
    Scrambled {
        base: u32,
        walk: Progression,
        length: u32,
    },
    /// Places and numbers.
    Picked(Vec<(u32, u32)>),
}

impl Order {
    pub(super) fn new(
        context: &Context<'_>,
        snapshot: &Snapshot<'_>,
        kind: Kind,
        filter: Option<&Filter>,
        orderby: Option<&str>,
    ) -> Result<Order, GraphError> {
        let names = &context.service.names;
        let sorted = orderby.map(|orderby| sorting(kind, orderby)).transpose()?;
        let bounded = filter.and_then(|filter| Bounds::of(filter, kind, sorted.map(|(property, _)| property)));
        let exact = filter.is_none() || bounded.as_ref().is_some_and(|bounds| bounds.exact);
        let rows = match (sorted, bounded) {
            (None, None) => {
                let view = snapshot.view();
                let base = view.base.count(kind);
                let walk = Progression::new(base, mix(view.base.seed, stream("list order"), kind as u64));
                Rows::Scrambled { base, walk, length: view.count(kind) }
            }
            (Some((property, descending)), None) => {
                let by_name = names.of(snapshot, kind, property);
                Rows::Picked(placed(by_name.all(), descending))
            }
            (Some((_, descending)), Some(bounds)) => {
                let by_name = names.of(snapshot, kind, bounds.property);
                Rows::Picked(placed(by_name.within(bounds.low, bounds.high), descending))
            }
            (None, Some(bounds)) => {
                let by_name = names.of(snapshot, kind, bounds.property);
                let seed = snapshot.view().base.seed;
                let hash = |number| mix(seed, stream("list order"), u64::from(number)) as u32;
                let within = by_name.within(bounds.low, bounds.high);
                let mut rows: Vec<_> = within.map(|number| (hash(number), number)).collect();
                rows.sort_unstable();
                Rows::Picked(rows)
            }
        };
        Ok(Order { kind, rows, exact })
    }

    /// From a place on.
    pub(super) fn from(&self, at: u32) -> Box<dyn Iterator<Item = (u32, ObjectRef)> + '_> {
        let object = |number| ObjectRef { kind: self.kind, number };
        match &self.rows {
            Rows::Scrambled { base, walk, length } => Box::new((at..*length).map(move |at| {
                let number = if at < *base { walk.at(at) } else { at };
                (at, object(number))
            })),
            Rows::Picked(rows) => {
                let from = rows.partition_point(|(place, _)| *place < at);
                Box::new(rows[from..].iter().map(move |(place, number)| (*place, object(*number))))
            }
        }
    }
}

fn placed(numbers: impl DoubleEndedIterator<Item = u32>, descending: bool) -> Vec<(u32, u32)> {
    if descending { (0..).zip(numbers.rev()).collect() } else { (0..).zip(numbers).collect() }
}

/// The property to sort by, and whether from its end.
fn sorting(kind: Kind, orderby: &str) -> Result<(&'static Property, bool), GraphError> {
    let mut words = orderby.split_whitespace();
    let name = words.next().unwrap_or_default();
    let descending = words.next() == Some("desc");
    let property = kind.property(name).filter(|property| is_indexed(property));
    property
        .map(|property| (property, descending))
        .ok_or_else(|| GraphError::unsupported("Sorting not supported for current query."))
}

fn is_indexed(property: &Property) -> bool {
    matches!(property.name, "displayName" | "userPrincipalName")
}

/// Two names that every object which meets the filter lies between.
struct Bounds<'a> {
    property: &'static Property,
    low: Option<&'a str>,
    high: Option<&'a str>,
    /// Whoever lies between them meets it.
    exact: bool,
}

impl<'a> Bounds<'a> {
    /// Of the property the list is sorted by, or of any that is indexed.
    fn of(filter: &'a Filter, kind: Kind, sorted: Option<&'static Property>) -> Option<Bounds<'a>> {
        match filter {
            Filter::And(left, right) => {
                let left_bounds = Bounds::of(left, kind, sorted);
                let property = sorted.or(left_bounds.as_ref().map(|bounds| bounds.property));
                match (left_bounds, Bounds::of(right, kind, property)) {
                    // Two lower or two upper bounds: which one is narrower depends on the order of texts.
                    (Some(one), Some(other)) => Some(Bounds {
                        property: one.property,
                        low: one.low.or(other.low),
                        high: one.high.or(other.high),
                        exact: one.exact
                            && other.exact
                            && one.property.name == other.property.name
                            && !(one.low.is_some() && other.low.is_some())
                            && !(one.high.is_some() && other.high.is_some()),
                    }),
                    (one, other) => one.or(other).map(|bounds| Bounds { exact: false, ..bounds }),
                }
            }
            Filter::Compare { path, operator, literal: Value::String(literal) } => {
                let property = kind.property(path).filter(|property| is_indexed(property))?;
                if sorted.is_some_and(|sorted| sorted.name != property.name) {
                    return None;
                }
                let (low, high) = match operator {
                    Operator::Ge => (Some(literal.as_str()), None),
                    Operator::Le => (None, Some(literal.as_str())),
                    _ => return None,
                };
                Some(Bounds { property, low, high, exact: true })
            }
            _ => None,
        }
    }
}
