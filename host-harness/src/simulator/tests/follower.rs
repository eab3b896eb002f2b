//! A small importer: walks a feed, merges rows by id, applies membership entries, keeps removed objects aside.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use serde_json::{Map, Value};

use super::client::Client;
use crate::simulator::Truth;

/// What the follower holds.
#[derive(Debug, Default)]
pub(super) struct Follower {
    pub(super) users: BTreeMap<String, Map<String, Value>>,
    pub(super) groups: BTreeMap<String, Map<String, Value>>,
    pub(super) edges: BTreeSet<(String, String)>,
    pub(super) removed: BTreeSet<String>,
    pub(super) links: BTreeMap<&'static str, String>,
    pub(super) pages: usize,
    pub(super) empty_pages: usize,
    pub(super) rows: usize,
    /// Groups seen live again: what happened to them before they were deleted was never told.
    restored: Vec<String>,
}

pub(super) const USERS: &str =
    "/users/delta?$select=displayName,mail,userPrincipalName,accountEnabled,jobTitle,businessPhones";
pub(super) const GROUPS: &str = "/groups/delta?$select=displayName,description,groupTypes,visibility,members";

impl Follower {
    /// One round of both feeds; `between` is called after every page.
    pub(super) fn round(&mut self, client: &Client, between: &mut dyn FnMut()) -> Result<()> {
        for (name, first) in [("users", USERS), ("groups", GROUPS)] {
            let mut url = self.links.get(name).cloned().unwrap_or_else(|| first.to_owned());
            loop {
                let reply = client.get(&url)?;
                ensure!(reply.status == 200, "{url}: {}", reply.text);
                self.pages += 1;
                self.empty_pages += usize::from(reply.rows().is_empty() && reply.next_link().is_some());
                for row in reply.rows() {
                    self.apply(name, row);
                }
                for group in std::mem::take(&mut self.restored) {
                    self.reread(client, &group)?;
                }
                between();
                match (reply.next_link(), reply.delta_link()) {
                    (Some(next), None) => url = next.to_owned(),
                    (None, Some(link)) => {
                        self.links.insert(name, link.to_owned());
                        break;
                    }
                    both => anyhow::bail!("exactly one link has to be there: {both:?}"),
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, name: &str, row: &Value) {
        self.rows += 1;
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        let objects = if name == "users" { &mut self.users } else { &mut self.groups };
        if let Some(reason) = row.get("@removed") {
            self.removed.insert(id.clone());
            if reason["reason"] == "deleted" {
                objects.remove(&id);
                self.edges.retain(|(group, member)| *group != id && *member != id);
            }
            return;
        }
        if self.removed.remove(&id) && name == "groups" {
            self.restored.push(id.clone());
        }
        let attributes = objects.entry(id.clone()).or_default();
        for (name, value) in row.as_object().into_iter().flatten() {
            if !name.contains('@') && name != "id" {
                attributes.insert(name.clone(), value.clone());
            }
        }
        for entry in row["members@delta"].as_array().into_iter().flatten() {
            let edge = (id.clone(), entry["id"].as_str().unwrap_or_default().to_owned());
            if entry.get("@removed").is_some() {
                self.edges.remove(&edge);
            } else {
                self.edges.insert(edge);
            }
        }
    }

    fn reread(&mut self, client: &Client, group: &str) -> Result<()> {
        let eventual = [("ConsistencyLevel", "eventual")];
        let reply = client.get_with(&format!("/groups/{group}"), &eventual)?;
        if reply.status == 404 {
            return Ok(());
        }
        let members = client.all(&format!("/groups/{group}/members?$select=id&$top=999&$count=true"), &eventual)?;
        self.edges.retain(|(holder, _)| holder != group);
        let ids = members.iter().filter_map(|member| member["id"].as_str());
        self.edges.extend(ids.map(|id| (group.to_owned(), id.to_owned())));
        Ok(())
    }

    /// Compare with the truth; null, an empty array and absence are the same to a full import.
    pub(super) fn check(&self, truth: &Truth) -> Result<()> {
        let users = ["displayName", "mail", "userPrincipalName", "accountEnabled", "jobTitle", "businessPhones"];
        let groups = ["displayName", "description", "groupTypes", "visibility"];
        self.check_objects("users", &self.users, truth.users_selecting(&users))?;
        self.check_objects("groups", &self.groups, truth.groups_selecting(&groups))?;
        let expected: BTreeSet<_> = truth.members().map(|edge| (edge.parent, edge.child)).collect();
        let shown = |edge: &&(String, String)| !self.removed.contains(&edge.0) && !self.removed.contains(&edge.1);
        let held: BTreeSet<_> = self.edges.iter().filter(shown).cloned().collect();
        ensure!(
            held == expected,
            "edges: {} too many {:?}, {} missing {:?}",
            held.difference(&expected).count(),
            held.difference(&expected).next(),
            expected.difference(&held).count(),
            expected.difference(&held).next()
        );
        Ok(())
    }

    fn check_objects(
        &self,
        what: &str,
        held: &BTreeMap<String, Map<String, Value>>,
        truth: impl Iterator<Item = crate::simulator::TruthObject>,
    ) -> Result<()> {
        let solid = |attributes: &Map<String, Value>| {
            let something = |value: &&Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
            attributes
                .iter()
                .filter(|(_, value)| something(value))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect::<Map<_, _>>()
        };
        let mut count = 0;
        for object in truth {
            count += 1;
            let Some(attributes) = held.get(&object.id) else { anyhow::bail!("{what}: {} is missing", object.id) };
            let (held, expected) = (solid(attributes), solid(&object.attributes));
            ensure!(held == expected, "{what}: {} holds {held:?}, not {expected:?}", object.id);
            ensure!(!self.removed.contains(&object.id), "{what}: {} is marked removed", object.id);
        }
        let live = held.keys().filter(|id| !self.removed.contains(*id)).count();
        ensure!(live == count, "{what}: {live} held, {count} exist");
        Ok(())
    }
}
