//! `show`: what is in the store.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Console;
use super::args::{Show, Shown};
use super::runs::time;
use super::table::{Table, grouped};
use crate::catalog::End;
use crate::store::{Edge, Mesh, Object};

/// Room for the ends of an edge.
const THREE_GUIDS: usize = 3 * 36 + 2 * " -> ".len();

pub(super) fn run(show: &Show, console: &mut Console<'_>) -> Result<u8> {
    let mesh = Mesh::open(&show.store)?;
    match &show.what {
        None => overview(&mesh, show, console)?,
        Some(Shown::Objects { object_type, deleted }) => {
            let mut table = Table::new(&["Object type", "Id", "Name", "External id"]);
            let mut more = Limit::new(show);
            mesh.each_object(object_type.as_deref(), |object| {
                if object.hidden == *deleted && more.one() {
                    if show.json {
                        writeln!(console.out, "{}", object_json(&object))?;
                    } else {
                        table.row([
                            object.object_type.as_str(),
                            &object.source_id,
                            name(&object),
                            object.external_id.as_deref().unwrap_or("-"),
                        ]);
                    }
                }
                Ok(())
            })?;
            more.print(show, &table, console)?;
        }
        Some(Shown::Edges { object_type, dormant }) => {
            let mut table = Table::new(&["Edge type", "Ends", "Attributes"]).widest(THREE_GUIDS);
            let mut more = Limit::new(show);
            mesh.each_edge(object_type.as_deref(), |edge| {
                if edge.dormant == *dormant && more.one() {
                    if show.json {
                        writeln!(console.out, "{}", edge_json(&edge))?;
                    } else {
                        table.row([edge.object_type.as_str(), &edge.ends.join(" -> "), &other_attributes(&edge)]);
                    }
                }
                Ok(())
            })?;
            more.print(show, &table, console)?;
        }
        Some(Shown::Group { name }) => {
            let groups = mesh.named(name)?;
            let [group] = groups.as_slice() else {
                match groups.len() {
                    0 => bail!("nothing in the store has the id or name {name}"),
                    many => bail!("{many} objects are called {name}; choose one by id:\n  {}", groups.join("\n  ")),
                }
            };
            edges_of(&mesh, group, show, console)?;
        }
    }
    Ok(0)
}

/// The edges of one object, with what stands at their other ends.
fn edges_of(mesh: &Mesh, source_id: &str, show: &Show, console: &mut Console<'_>) -> Result<()> {
    let types = mesh.types()?;
    let mut table = Table::new(&["Edge type", "Member", "Name", "Type", ""]);
    let mut more = Limit::new(show);
    for edge in mesh.edges_of(source_id)? {
        if !more.one() {
            continue;
        }
        if show.json {
            writeln!(console.out, "{}", edge_json(&edge))?;
            continue;
        }
        let known = types.iter().find(|it| it.name == edge.object_type).map_or(&[][..], |it| &it.ends);
        let state = if edge.dormant { "dormant" } else { "" };
        let others = edge.ends.iter().zip(known).skip(1).filter(|(id, _)| !id.is_empty());
        let mut rows = Vec::new();
        for (id, end) in others {
            let kind = kind_at(&edge, end);
            let object = kind.map(|kind| mesh.object(kind, id)).transpose()?.flatten();
            rows.push([id.clone(), object.as_ref().map_or("-", name).to_owned(), kind.unwrap_or("-").to_owned()]);
        }
        if rows.is_empty() {
            // It belongs to this object alone.
            rows.push([edge.source_id.clone(), "-".to_owned(), "-".to_owned()]);
        }
        for [id, name, kind] in rows {
            table.row([edge.object_type.as_str(), &id, &name, &kind, state]);
        }
    }
    more.print(show, &table, console)
}

/// The object type at an end: the only one that may be there, or the one that the edge names.
fn kind_at<'e>(edge: &'e Edge, end: &'e End) -> Option<&'e str> {
    match (&end.type_attribute, end.object_types.as_slice()) {
        (Some(attribute), _) => edge.attributes.get(attribute).and_then(Value::as_str),
        (None, [one]) => Some(one),
        (None, _) => None,
    }
}

fn overview(mesh: &Mesh, show: &Show, console: &mut Console<'_>) -> Result<()> {
    let mut table = Table::new(&["Object type", "Class", "Instance", "Shown", "Hidden or dormant", ""]).right(&[3, 4]);
    for it in mesh.types()? {
        let state = match it.as_of {
            _ if it.switched_on => String::new(),
            Some(run) => format!("switched off; as run {} left it ({} UTC)", run.run, time(run.started_ms)),
            None => "switched off".to_owned(),
        };
        if show.json {
            writeln!(
                console.out,
                "{}",
                json!({"ObjectType": it.name, "Class": it.class, "Instance": it.instance, "Shown": it.visible, "Kept": it.kept,
                    "SwitchedOn": it.switched_on, "AsOfRun": it.as_of.map(|run| run.run)})
            )?;
        }
        table.row([it.name, it.class, it.instance, grouped(it.visible), grouped(it.kept), state]);
    }
    if !show.json {
        table.print(console.out)?;
    }
    Ok(())
}

/// The attributes that do not repeat an end.
fn other_attributes(edge: &Edge) -> String {
    let others = edge
        .attributes
        .iter()
        .filter(|(_, value)| value.as_str().is_none_or(|text| !edge.ends.iter().any(|end| end == text)));
    others.map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(" ")
}

fn name(object: &Object) -> &str {
    object.attributes.get("displayName").and_then(Value::as_str).unwrap_or("-")
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn object_json(object: &Object) -> Value {
    json!({"ObjectType": object.object_type, "SourceId": object.source_id, "ExternalId": object.external_id,
        "Hidden": object.hidden, "Attributes": object.attributes})
}

fn edge_json(edge: &Edge) -> Value {
    json!({"ObjectType": edge.object_type, "SourceId": edge.source_id, "Ends": edge.ends,
        "Dormant": edge.dormant, "Attributes": edge.attributes})
}

/// Counts what was shown and what was not.
struct Limit {
    limit: u64,
    seen: u64,
}

impl Limit {
    fn new(show: &Show) -> Limit {
        Limit { limit: if show.limit == 0 { u64::MAX } else { show.limit }, seen: 0 }
    }

    fn one(&mut self) -> bool {
        self.seen += 1;
        self.seen <= self.limit
    }

    fn print(&self, show: &Show, table: &Table, console: &mut Console<'_>) -> Result<()> {
        if !show.json {
            table.print(console.out)?;
        }
        if self.seen > self.limit {
            writeln!(console.err, "{} of {}; --limit 0 shows all", grouped(self.limit), grouped(self.seen))?;
        }
        Ok(())
    }
}
