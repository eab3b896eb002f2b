//! From a change, which names objects in words, to the steps that carry it out, or the reason why it cannot be done.
//!
//! What Graph would refuse is refused here: members of deleted groups, deleted members, a second membership, unknown
//! properties. A script that was accepted has therefore happened exactly as written.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::state::{APPENDED, Event, Presence, Step};
use super::view::View;
use crate::simulator::change::Change;
use crate::simulator::clock::{format_moment, parse_moment};
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::{Deletion, Kind};
use crate::simulator::relations::Relation;
use crate::simulator::seed::stream;
use crate::simulator::streams::Stream;
use crate::simulator::world::Delta;

/// What a change's outcome depends on besides the tenant.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) security_group_deletion: Deletion,
    pub(crate) purge_shows_in_groups: bool,
    pub(crate) restore_shows_in_groups: bool,
}

impl Rules {
    pub(crate) fn new(security_group_deletion: Deletion, delta: &Delta) -> Rules {
        Rules {
            security_group_deletion,
            purge_shows_in_groups: delta.purge_shows_in_groups,
            restore_shows_in_groups: delta.restore_shows_in_groups,
        }
    }
}

/// The steps a change consists of.
pub(crate) fn resolve(view: View<'_>, rules: &Rules, now: u64, change: &Change) -> Result<Vec<Step>> {
    match change {
        Change::Add { kind, properties } => create(view, *kind, properties, now),
        Change::Update { kind, object, properties } => update(view, find(view, *kind, object)?, properties),
        Change::SwapNames { kind, object, other } => {
            swap_names(view, *kind, find(view, *kind, object)?, find(view, *kind, other)?)
        }
        Change::Delete { kind, object: name } => {
            let object = find(view, *kind, name)?;
            ensure!(view.is_live(object), "{name} is not live");
            match deletion(view, rules, object) {
                Deletion::Soft => Ok(vec![Step::SoftDelete { object, at: now }]),
                Deletion::Permanent => Ok(purge(view, rules, object)),
            }
        }
        Change::Restore { kind, object } => restore(view, rules, find(view, *kind, object)?),
        Change::Purge { kind, object } => {
            let object = find(view, *kind, object)?;
            ensure!(view.presence(object) != Some(Presence::Purged), "the object is gone already");
            Ok(purge(view, rules, object))
        }
        Change::Link { relation, parent, child, child_kind } => {
            let (parent, child) = edge(view, *relation, parent, child, *child_kind)?;
            ensure!(!view.children(*relation, parent.number).holds(child), "already a child");
            ensure!(child != parent, "an object cannot be its own child");
            Ok(vec![Step::Link { relation: *relation, parent: parent.number, child }])
        }
        Change::Unlink { relation, parent, child, child_kind } => {
            let (parent, child) = edge(view, *relation, parent, child, *child_kind)?;
            ensure!(view.children(*relation, parent.number).holds(child), "not a child");
            Ok(vec![Step::Unlink { relation: *relation, parent: parent.number, child }])
        }
        Change::Append { stream, properties, delay_seconds } => append(view, *stream, properties, *delay_seconds, now),
        Change::Rewrite { stream: of, event, properties } => {
            let number = view.base.ids.find_event(stream(of.name()), event);
            let number = number.with_context(|| format!("no {} has the id {event}", of.name()))?;
            Ok(vec![Step::Rewrite { stream: *of, number, fields: event_fields(view, *of, properties)? }])
        }
    }
}

/// An event that happens now, or at the time its properties say, and that reads see after a while.
fn append(view: View<'_>, stream: Stream, properties: &Map<String, Value>, delay: u64, now: u64) -> Result<Vec<Step>> {
    let time = stream.table().time;
    let at = match properties.get(time) {
        None => now,
        Some(moment) => {
            let moment = moment.as_str().and_then(parse_moment);
            moment.with_context(|| format!("{time} is not a moment"))? / 1_000
        }
    };
    let mut others = properties.clone();
    others.remove(time);
    let fields = event_fields(view, stream, &others)?;
    let number = APPENDED + view.state.appended(stream).count() as u64;
    Ok(vec![Step::Append { stream, event: Event { at, number, visible: now + delay }, fields }])
}

fn event_fields(view: View<'_>, stream: Stream, properties: &Map<String, Value>) -> Result<Map<String, Value>> {
    let known = (stream.table().row)(view.base, 0);
    let unknown = properties.keys().find(|name| !known.contains_key(*name));
    ensure!(unknown.is_none(), "{} has no property {}", stream.name(), unknown.map_or("", String::as_str));
    Ok(properties.clone())
}

/// The object a script names.
fn find(view: View<'_>, kind: Kind, name: &str) -> Result<ObjectRef> {
    ensure!(kind.table().mirrors.is_none(), "a {} changes with what it mirrors", kind.name());
    let object = match name.strip_prefix('#') {
        Some(number) => ObjectRef { kind, number: number.parse().with_context(|| format!("no number: {name}"))? },
        None => view.find(name).with_context(|| format!("no object has the id {name}"))?,
    };
    ensure!(object.kind == kind, "{name} is a {}, not a {}", object.kind.name(), kind.name());
    ensure!(view.presence(object).is_some(), "there is no {} {name}", kind.name());
    Ok(object)
}

fn edge(
    view: View<'_>,
    relation: Relation,
    parent: &str,
    child: &str,
    child_kind: Kind,
) -> Result<(ObjectRef, ObjectRef)> {
    let parent = find(view, relation.table().parent, parent)?;
    let kind = view.find(child).map_or(child_kind, |object| object.kind);
    let child = find(view, kind, child)?;
    ensure!(view.is_live(parent), "the parent is not live");
    ensure!(view.is_live(child), "the child is not live");
    Ok((parent, child))
}

fn create(view: View<'_>, kind: Kind, properties: &Map<String, Value>, now: u64) -> Result<Vec<Step>> {
    ensure!(kind.table().mirrors.is_none(), "a {} changes with what it mirrors", kind.name());
    let object = ObjectRef { kind, number: view.count(kind) };
    let mut fields = fields(kind, properties)?;
    if let Some(property) = kind.property("createdDateTime") {
        fields.entry(property.name).or_insert(json!(format_moment(now)));
    }
    for (name, value) in (kind.table().fresh)(view.base, object.number) {
        fields.entry(name).or_insert(value);
    }
    Ok(vec![Step::Create { object, fields }])
}

fn update(view: View<'_>, object: ObjectRef, properties: &Map<String, Value>) -> Result<Vec<Step>> {
    ensure!(view.is_live(object), "the object is not live");
    ensure!(!properties.is_empty(), "no properties to update");
    Ok(vec![Step::Update { object, fields: fields(object.kind, properties)? }])
}

fn swap_names(view: View<'_>, kind: Kind, object: ObjectRef, other: ObjectRef) -> Result<Vec<Step>> {
    ensure!(object != other, "an object cannot swap names with itself");
    let name = kind.table().other_key.with_context(|| format!("a {} is found by its id alone", kind.name()))?;
    let property = kind.property(name).context("what objects are found by is a property")?;
    let step = |object: ObjectRef, from: ObjectRef| {
        ensure!(view.is_live(object), "the object is not live");
        Ok(Step::Update { object, fields: BTreeMap::from([(property.name, view.value(from, property))]) })
    };
    Ok(vec![step(object, other)?, step(other, object)?])
}

fn fields(kind: Kind, properties: &Map<String, Value>) -> Result<BTreeMap<&'static str, Value>> {
    let mut fields = BTreeMap::new();
    for (name, value) in properties {
        let Some(property) = kind.property(name) else {
            bail!("{} has no property {name}", kind.name());
        };
        ensure!(!matches!(property.name, "id" | "deletedDateTime"), "{name} cannot be written");
        ensure!(property.shape.accepts(value), "{value} does not fit {name}");
        fields.insert(property.name, value.clone());
    }
    Ok(fields)
}

fn restore(view: View<'_>, rules: &Rules, object: ObjectRef) -> Result<Vec<Step>> {
    ensure!(view.presence(object) == Some(Presence::SoftDeleted), "only soft-deleted objects can be restored");
    let mut steps = vec![Step::Restore { object }];
    if rules.restore_shows_in_groups {
        let links = live_parents(view, object);
        steps.extend(links.map(|(relation, parent)| Step::Link { relation, parent, child: object }));
        if let Some(relation) = Relation::followed_by(object.kind) {
            let children: Vec<_> = view.children(relation, object.number).shown_children().collect();
            let parent = object.number;
            steps.extend(children.into_iter().map(|child| Step::Link { relation, parent, child }));
        }
    }
    Ok(steps)
}

fn purge(view: View<'_>, rules: &Rules, object: ObjectRef) -> Vec<Step> {
    let mut steps = vec![Step::Purge { object }];
    if rules.purge_shows_in_groups {
        let links = live_parents(view, object);
        steps.extend(links.map(|(relation, parent)| Step::Unlink { relation, parent, child: object }));
    }
    steps
}

/// The live parents of an object whose feeds carry it.
fn live_parents(view: View<'_>, child: ObjectRef) -> impl Iterator<Item = (Relation, u32)> {
    let followed = Relation::ALL.iter().copied().filter(|relation| relation.table().followed);
    followed.flat_map(move |relation| {
        let kind = relation.table().parent;
        let live =
            view.parents(relation, child).filter(move |number| view.is_live(ObjectRef { kind, number: *number }));
        live.map(move |parent| (relation, parent))
    })
}

fn deletion(view: View<'_>, rules: &Rules, object: ObjectRef) -> Deletion {
    let value = |name: &str| object.kind.property(name).map_or(Value::Null, |property| view.value(object, property));
    (object.kind.table().deletion)(&value, rules.security_group_deletion)
}
