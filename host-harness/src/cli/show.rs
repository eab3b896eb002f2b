//! `show`: what is in the store.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::Console;
use super::args::{Show, Shown};
use super::table::{Table, grouped};
use crate::store::{Edge, Mesh, Object};

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
            let mut table = Table::new(&["Edge type", "From", "To", "Attributes"]);
            let mut more = Limit::new(show);
            mesh.each_edge(object_type.as_deref(), |edge| {
                if edge.dormant == *dormant && more.one() {
                    edge_row(&mesh, &edge, show, &mut table, console)?;
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
            let mut table = Table::new(&["Edge type", "Member", "Name", "Type", ""]);
            let mut more = Limit::new(show);
            for edge in mesh.edges_of(group)? {
                if more.one() {
                    member_row(&mesh, &edge, show, &mut table, console)?;
                }
            }
            more.print(show, &table, console)?;
        }
    }
    Ok(0)
}

fn overview(mesh: &Mesh, show: &Show, console: &mut Console<'_>) -> Result<()> {
    let mut table = Table::new(&["Object type", "Class", "Instance", "Shown", "Hidden or dormant"]).right(&[3, 4]);
    for it in mesh.types()? {
        if show.json {
            writeln!(
                console.out,
                "{}",
                json!({"ObjectType": it.name, "Class": it.class, "Instance": it.instance, "Shown": it.visible, "Kept": it.kept})
            )?;
        }
        table.row([it.name, it.class, it.instance, grouped(it.visible), grouped(it.kept)]);
    }
    if !show.json {
        table.print(console.out)?;
    }
    Ok(())
}

fn edge_row(_: &Mesh, edge: &Edge, show: &Show, table: &mut Table, console: &mut Console<'_>) -> Result<()> {
    if show.json {
        writeln!(console.out, "{}", edge_json(edge))?;
        return Ok(());
    }
    let rest = edge
        .attributes
        .iter()
        .filter(|(_, value)| value.as_str().is_none_or(|text| text != edge.from && text != edge.to));
    let rest: Vec<String> = rest.map(|(name, value)| format!("{name}={}", text(value))).collect();
    table.row([&edge.object_type, &edge.from, &edge.to, &rest.join(" ")]);
    Ok(())
}

fn member_row(mesh: &Mesh, edge: &Edge, show: &Show, table: &mut Table, console: &mut Console<'_>) -> Result<()> {
    if show.json {
        writeln!(console.out, "{}", edge_json(edge))?;
        return Ok(());
    }
    let kind = edge.attributes.get("memberType").and_then(Value::as_str).unwrap_or("-");
    let member = mesh.object(kind, &edge.to)?;
    let state = if edge.dormant { "dormant" } else { "" };
    table.row([edge.object_type.as_str(), &edge.to, member.as_ref().map_or("-", name), kind, state]);
    Ok(())
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
    json!({"ObjectType": edge.object_type, "SourceId": edge.source_id, "From": edge.from, "To": edge.to,
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
