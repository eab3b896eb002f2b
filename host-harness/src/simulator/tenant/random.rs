//! Mixed scripts of valid changes, drawn from a seed.
//!
//! Each change is tried on a copy of the tenant before the next is drawn, so that a script may restore what it deleted and
//! fill the groups it added. Applying the script to the same tenant always succeeds. User principal names stay unique, since
//! a host may key users by them; group names move between the prefixes `APP-`, `SEC-` and none, into and out of filters.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::state::Presence;
use super::{Draft, Tenant};
use crate::simulator::change::{Change, ChangeKind};
use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};
use crate::simulator::seed::Dice;

/// A script of about `count` changes; fewer only where the tenant offers nothing to change.
pub(crate) fn random_changes(tenant: &Tenant, seed: u64, count: usize, now: u64) -> Vec<Change> {
    let mut script =
        Script { draft: Draft::new(Arc::clone(&tenant.base), &tenant.now), dice: Dice::new(seed), changes: Vec::new() };
    let mut tries = 0;
    while script.changes.len() < count && tries < count * 20 + 100 {
        tries += 1;
        let kind = script.kind();
        if let Some(change) = script.draw(kind)
            && script.draft.apply(&tenant.rules, now, &change).is_ok()
        {
            script.changes.push(change);
        }
    }
    script.changes
}

struct Script {
    draft: Draft,
    dice: Dice,
    changes: Vec<Change>,
}

impl Script {
    /// Half of all changes are memberships; what importers get wrong (names that move, objects that return) comes next.
    fn kind(&mut self) -> ChangeKind {
        match self.dice.below(20) {
            0..=5 => ChangeKind::MemberAdded,
            6..=9 => ChangeKind::MemberRemoved,
            10 => ChangeKind::UserRestored,
            11 => ChangeKind::GroupRestored,
            12 => ChangeKind::GroupRenamed,
            13 => ChangeKind::UserNamesSwapped,
            _ => ChangeKind::ALL[self.dice.below(ChangeKind::ALL.len() as u32) as usize],
        }
    }

    /// A name inside or outside the scopes that tests filter for.
    fn group_name(&mut self, mark: u32) -> String {
        let prefix = ["APP-", "SEC-", ""][self.dice.below(3) as usize];
        format!("{prefix}Renamed {mark}")
    }

    fn draw(&mut self, kind: ChangeKind) -> Option<Change> {
        use ObjectKind::{Group, User};
        let mark = self.dice.below(100_000);
        let newcomer = self.draft.view().count(User);
        Some(match kind {
            ChangeKind::UserAdded => Change::AddUser {
                properties: properties([
                    ("displayName", json!(format!("Added \"{mark}\" 新しい"))),
                    ("userPrincipalName", json!(format!("added{mark}.{newcomer}@{}", self.draft.base.domain))),
                    (
                        "mail",
                        if mark.is_multiple_of(3) {
                            Value::Null
                        } else {
                            json!(format!("added{mark}.{newcomer}@contoso.com"))
                        },
                    ),
                    ("businessPhones", json!([format!("+49 30 {mark}, 2")])),
                ]),
            },
            ChangeKind::UserUpdated => {
                let (name, value) = match mark % 6 {
                    0 => ("jobTitle", json!(format!("Title {mark}"))),
                    1 => ("department", json!(format!("Department, {mark}"))),
                    2 => ("displayName", json!(format!("Renamed O'{mark}"))),
                    3 => ("businessPhones", json!([format!("+1 {mark}"), "x,y"])),
                    4 => ("accountEnabled", json!(true)),
                    _ => ("usageLocation", json!("CH")),
                };
                Change::UpdateUser { user: self.live(User)?, properties: properties([(name, value)]) }
            }
            ChangeKind::UserRenamed => {
                let user = self.live(User)?;
                // The id makes the name nobody else's, also where two scripts draw the same mark.
                let name = format!("renamed{mark}.{}@{}", &user[..8], self.draft.base.domain);
                Change::UpdateUser { user, properties: properties([("userPrincipalName", json!(name))]) }
            }
            ChangeKind::UserNamesSwapped => Change::SwapUserNames { user: self.live(User)?, other: self.live(User)? },
            ChangeKind::UserDisabled => Change::UpdateUser {
                user: self.live(User)?,
                properties: properties([("accountEnabled", json!(false))]),
            },
            ChangeKind::UserPropertyCleared => {
                let name = ["mail", "jobTitle", "businessPhones", "mobilePhone", "usageLocation"][mark as usize % 5];
                Change::UpdateUser { user: self.live(User)?, properties: properties([(name, Value::Null)]) }
            }
            ChangeKind::UserDeleted => Change::DeleteUser { user: self.live(User)? },
            ChangeKind::UserRestored => Change::RestoreUser { user: self.deleted(User)? },
            ChangeKind::UserPurged => Change::PurgeUser { user: self.deleted(User)? },
            ChangeKind::GroupAdded => {
                let unified = mark.is_multiple_of(2);
                Change::AddGroup {
                    properties: properties([
                        ("displayName", json!(self.group_name(mark))),
                        ("groupTypes", if unified { json!(["Unified"]) } else { json!([]) }),
                        ("securityEnabled", json!(!unified)),
                        ("mailEnabled", json!(unified)),
                    ]),
                }
            }
            ChangeKind::GroupUpdated => Change::UpdateGroup {
                group: self.live(Group)?,
                properties: properties([("description", json!(format!("Described {mark}\nagain")))]),
            },
            ChangeKind::GroupRenamed => {
                let name = self.group_name(mark);
                Change::UpdateGroup { group: self.live(Group)?, properties: properties([("displayName", json!(name))]) }
            }
            ChangeKind::GroupPropertyCleared => {
                let name = ["description", "mail"][mark as usize % 2];
                Change::UpdateGroup { group: self.live(Group)?, properties: properties([(name, Value::Null)]) }
            }
            ChangeKind::GroupVisibilityChanged => Change::UpdateGroup {
                group: self.live(Group)?,
                properties: properties([("visibility", json!(["Public", "Private"][mark as usize % 2]))]),
            },
            ChangeKind::GroupDeleted => Change::DeleteGroup { group: self.live(Group)? },
            ChangeKind::GroupRestored => Change::RestoreGroup { group: self.deleted(Group)? },
            ChangeKind::GroupPurged => Change::PurgeGroup { group: self.deleted(Group)? },
            ChangeKind::MemberAdded => {
                let member_type = match mark % 10 {
                    0 | 1 => Group,
                    2 => ObjectKind::Device,
                    3 => ObjectKind::ServicePrincipal,
                    4 => ObjectKind::OrgContact,
                    _ => User,
                };
                Change::AddMember { group: self.live(Group)?, member: self.live(member_type)?, member_type }
            }
            ChangeKind::MemberRemoved => {
                let (group, member) = self.edge()?;
                let view = self.draft.view();
                Change::RemoveMember {
                    group: view.id(ObjectRef::group(group)),
                    member: view.id(member),
                    member_type: member.kind,
                }
            }
        })
    }

    fn live(&mut self, kind: ObjectKind) -> Option<String> {
        let view = self.draft.view();
        (0..40).find_map(|_| {
            let object = ObjectRef { kind, number: self.dice.below(view.count(kind)) };
            view.is_live(object).then(|| view.id(object))
        })
    }

    /// Something in the recycle bin, which is small: the base tenant's share of it, and what scripts put there.
    fn deleted(&mut self, kind: ObjectKind) -> Option<String> {
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

    fn edge(&mut self) -> Option<(u32, ObjectRef)> {
        let view = self.draft.view();
        let groups = view.count(ObjectKind::Group);
        (0..60).find_map(|_| {
            let group = self.dice.below(groups);
            let roster = view.roster(group);
            let slots = roster.slots();
            let member = if slots == 0 { None } else { roster.shown(self.dice.below(slots)) };
            member.filter(|_| view.is_live(ObjectRef::group(group))).map(|member| (group, member))
        })
    }
}

fn properties<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
