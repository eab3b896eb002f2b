//! The host rules a second time, in memory and by plain sets, against random streams with kills.
//!
//! The store decides by comparing clock numbers; this host keeps, for each open set, the ids it has seen. They share
//! the records and nothing else. A stream is what a connector might send: sets of five types that interleave, are
//! voided, killed and resumed, edges with one, two and three ends that move, ids that differ in case alone, types that
//! are switched off and on. On a difference the test prints the stream.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::store::RemovalGuard;

/// One record, before it becomes JSON.
#[derive(Debug, Clone)]
enum Told {
    Begin {
        of: usize,
        mode: &'static str,
        set: u32,
        resumed: bool,
        absence: &'static str,
    },
    Object {
        of: usize,
        id: u32,
        name: Option<u32>,
    },
    Edge(Row),
    Delete {
        of: usize,
        id: u32,
        reason: &'static str,
    },
    Cut {
        of: usize,
        source_id: String,
    },
    Scope {
        of: usize,
        scope: u32,
        complete: bool,
    },
    End {
        of: usize,
        complete: bool,
    },
    Checkpoint,
    /// A run ends, and its Result lists these types.
    Result {
        listed: Vec<usize>,
    },
    Kill,
}

/// An Upsert of an edge. An end that is `None` is left out of the record; one that is empty is null in it.
#[derive(Debug, Clone)]
struct Row {
    of: usize,
    source_id: String,
    ends: Vec<Option<String>>,
}

const TYPES: [&str; 5] = ["User", "Group", "GroupMember", "Credential", "LicenseAssignment"];
/// The types from here on are edges.
const EDGES: usize = 2;
/// The attributes of their ends, the scope's first.
const ENDS: [&[&str]; 3] =
    [&["groupId", "memberId"], &["applicationId"], &["principalId", "skuId", "assignedByGroupId"]];

/// Whether an edge of the type is of the object at its first end. Those of the last type have neither scope nor a
/// single end.
fn is_owned(of: usize) -> bool {
    of < 4
}

/// Ids of both objects and ends: users are u0…, groups g0…; the last user differs from the first in case alone.
fn id_of(of: usize, id: u32) -> String {
    if of == 0 && id + 1 == USERS { "U0".to_owned() } else { format!("{}{id}", ["u", "g"][of]) }
}

impl Told {
    fn line(&self) -> String {
        match self {
            Told::Begin { of, mode, set, resumed, absence } => line(json!({"Kind": "Begin", "ObjectType": TYPES[*of],
                "Mode": mode, "SetId": format!("s{set}"), "Resumed": resumed, "Absence": absence})),
            Told::Object { of, id, name } => {
                let attributes =
                    name.map_or_else(|| json!({}), |name| json!({"displayName": name, format!("a{name}"): 1}));
                upsert(TYPES[*of], &id_of(*of, *id), None, attributes)
            }
            Told::Edge(Row { of, source_id, ends }) => {
                let told = ENDS[*of - EDGES].iter().zip(ends).filter_map(|(name, end)| {
                    let end = end.as_ref()?;
                    Some(((*name).to_owned(), if end.is_empty() { Value::Null } else { end.clone().into() }))
                });
                upsert(TYPES[*of], source_id, None, Value::Object(told.collect()))
            }
            Told::Delete { of, id, reason } => delete(TYPES[*of], &id_of(*of, *id), reason),
            Told::Cut { of, source_id } => delete(TYPES[*of], source_id, "Removed"),
            Told::Scope { of, scope: id, complete } => {
                scope(&id_of(1, *id), *complete).replace("GroupMember", TYPES[*of])
            }
            Told::End { of, complete: true } => end(TYPES[*of]),
            Told::End { of, .. } => end_incomplete(TYPES[*of]),
            Told::Checkpoint | Told::Result { .. } | Told::Kill => String::new(),
        }
    }
}

/// A set of one object type that has no End yet.
#[derive(Debug, Clone)]
struct Set {
    mode: &'static str,
    id: u32,
    absence: &'static str,
    /// Whether its first Begin was seen; without it nothing may be inferred.
    known: bool,
    /// SourceIds of its rows.
    came: BTreeSet<String>,
    /// SourceIds of its rows since Begin.
    fresh: BTreeSet<String>,
    /// Of these, the ones that came since the previous Scope of each scope.
    closed: BTreeMap<String, BTreeSet<String>>,
    unread: BTreeSet<String>,
    /// Ids of its type that were marked in it.
    marked: BTreeSet<String>,
}

/// What the rules say a host holds.
#[derive(Debug, Clone, Default)]
struct Reference {
    shown: [BTreeMap<String, BTreeMap<String, u32>>; 2],
    hidden: [BTreeMap<String, BTreeMap<String, u32>>; 2],
    /// Ends by type and SourceId.
    edges: BTreeMap<(usize, String), Vec<String>>,
    /// Deleted ids and what they were deleted as.
    marks: BTreeMap<String, usize>,
    switched_off: BTreeSet<usize>,
    sets: BTreeMap<usize, Set>,
}

impl Reference {
    fn apply(&mut self, told: &Told) {
        match told {
            Told::Begin { of, mode, set, resumed, absence } => {
                let before =
                    self.sets.remove(of).filter(|it| *resumed && it.id == *set && it.mode == *mode && it.known);
                let known = !resumed || before.is_some();
                let mut now = before.unwrap_or_else(|| Set {
                    mode,
                    id: *set,
                    absence,
                    known,
                    came: BTreeSet::new(),
                    fresh: BTreeSet::new(),
                    closed: BTreeMap::new(),
                    unread: BTreeSet::new(),
                    marked: BTreeSet::new(),
                });
                now.fresh.clear();
                now.closed.clear();
                now.absence = absence;
                self.sets.insert(*of, now);
                self.switched_off.remove(of);
            }
            Told::Object { of, id, name } => {
                let id = id_of(*of, *id);
                self.marks.remove(&id);
                let Some(set) = self.sets.get_mut(of) else { return };
                set.came.insert(id.clone());
                let held = self.hidden[*of].remove(&id).or_else(|| self.shown[*of].get(&id).cloned());
                let mut image = if set.mode == "Full" { BTreeMap::new() } else { held.unwrap_or_default() };
                image.extend(name.map(|name| ("displayName".to_owned(), name)));
                image.extend(name.map(|name| (format!("a{name}"), 1)));
                self.shown[*of].insert(id, image);
            }
            Told::Edge(Row { of, source_id, ends }) => {
                let Some(set) = self.sets.get_mut(of) else { return };
                set.came.insert(source_id.clone());
                set.fresh.insert(source_id.clone());
                for closed in set.closed.values_mut() {
                    closed.remove(source_id);
                }
                let held =
                    self.edges.entry((*of, source_id.clone())).or_insert_with(|| vec![String::new(); ends.len()]);
                for (held, end) in held.iter_mut().zip(ends) {
                    match end {
                        Some(end) => held.clone_from(end),
                        None if set.mode == "Full" => held.clear(),
                        None => {}
                    }
                }
            }
            Told::Delete { of, id, reason } => self.go(*of, &id_of(*of, *id), reason),
            Told::Cut { of, source_id } => {
                self.edges.remove(&(*of, source_id.clone()));
            }
            Told::Scope { of, scope, complete } => self.scope(*of, &id_of(1, *scope), *complete),
            Told::End { of, complete } => self.end(*of, *complete),
            Told::Result { listed } => {
                self.switched_off = (0..TYPES.len()).filter(|of| !listed.contains(of)).collect();
            }
            Told::Checkpoint | Told::Kill => {}
        }
    }

    fn scope(&mut self, of: usize, scope: &str, complete: bool) {
        let Some(set) = self.sets.get_mut(&of) else { return };
        let before = set.closed.entry(scope.to_owned()).or_default();
        if complete {
            set.unread.remove(scope);
            let came = |id: &String| set.fresh.contains(id) && !before.contains(id);
            self.edges.retain(|(edge_of, id), ends| *edge_of != of || ends[0] != scope || came(id));
        } else {
            set.unread.insert(scope.to_owned());
        }
        before.clone_from(&set.fresh);
    }

    fn go(&mut self, of: usize, id: &str, reason: &str) {
        let held = self.shown[of].remove(id);
        if let Some(set) = self.sets.get_mut(&of).filter(|_| reason != "LeftScope") {
            set.marked.insert(id.to_owned());
        }
        match reason {
            "LeftScope" => {
                self.hidden[of].remove(id);
                self.marks.remove(id);
                self.edges.retain(|(of, _), ends| !is_owned(*of) || ends[0] != id);
            }
            "SoftDeleted" => {
                self.marks.insert(id.to_owned(), of);
                self.hidden[of].extend(held.map(|held| (id.to_owned(), held)));
            }
            _ => {
                self.hidden[of].remove(id);
                self.marks.insert(id.to_owned(), of);
                self.edges.retain(|_, ends| !ends.iter().any(|end| end == id));
            }
        }
    }

    fn end(&mut self, of: usize, complete: bool) {
        let Some(set) = self.sets.get(&of).cloned() else { return };
        if !complete || set.mode != "Full" || !set.known {
            return;
        }
        if of >= EDGES {
            self.edges
                .retain(|(edge_of, id), ends| *edge_of != of || set.came.contains(id) || set.unread.contains(&ends[0]));
            return;
        }
        let absent: Vec<String> = self.shown[of].keys().filter(|id| !set.came.contains(*id)).cloned().collect();
        for id in absent {
            self.go(of, &id, set.absence);
        }
        if set.absence == "LeftScope" {
            let old = |(id, by): &(&String, &usize)| **by == of && !set.marked.contains(*id);
            let woken: BTreeSet<String> = self.marks.iter().filter(old).map(|(id, _)| id.clone()).collect();
            self.marks.retain(|id, _| !woken.contains(id));
            self.edges.retain(|(of, _), ends| !is_owned(*of) || !woken.contains(&ends[0]));
        }
    }

    /// Deleted ids whose marks count.
    fn counted(&self) -> BTreeSet<String> {
        self.marks.iter().filter(|(_, of)| !self.switched_off.contains(of)).map(|(id, _)| id.clone()).collect()
    }

    /// What an observer of the store can see, as text.
    fn seen(&self) -> String {
        let marks = self.counted();
        let edges = self.edges.iter().map(|((of, source_id), ends)| {
            let dormant = ends.iter().any(|end| marks.contains(end));
            format!("{} {source_id} {ends:?} {dormant}", TYPES[*of])
        });
        format!("{:?} {:?} {:?} {marks:?}", self.shown, self.hidden, edges.collect::<BTreeSet<_>>())
    }
}

/// The same of the store.
fn seen(told: &super::Told) -> String {
    let mesh = told.mesh();
    let (mut shown, mut hidden): ([BTreeMap<_, _>; 2], [BTreeMap<_, _>; 2]) = Default::default();
    for of in 0..EDGES {
        mesh.each_object(Some(TYPES[of]), |object| {
            let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
            let image: BTreeMap<String, u32> =
                object.attributes.iter().map(|(name, it)| (name.clone(), number(it))).collect();
            let side = if object.hidden { &mut hidden } else { &mut shown };
            side[of].insert(object.source_id, image);
            Ok(())
        })
        .unwrap();
    }
    let mut edges = BTreeSet::new();
    mesh.each_edge(None, |edge| {
        edges.insert(format!("{} {} {:?} {}", edge.object_type, edge.source_id, edge.ends, edge.dormant));
        Ok(())
    })
    .unwrap();
    let ids = (0..USERS).map(|id| id_of(0, id)).chain((0..GROUPS).map(|id| id_of(1, id)));
    let marks: BTreeSet<String> = ids.filter(|id| mesh.is_marked(id).unwrap()).collect();
    format!("{shown:?} {hidden:?} {edges:?} {marks:?}")
}

const USERS: u32 = 4;
const GROUPS: u32 = 3;

/// Numbers that look random, the same ones on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 33) % u64::from(sides)).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(u32::try_from(of.len()).unwrap()) as usize]
    }
}

/// A row of an edge: one with the ids of its ends as SourceId, one of an object, or one with an id of its own, whose
/// ends move and are left out of a change now and then.
fn edge_row(dice: &mut Dice, of: usize) -> Row {
    let mut id = |of: usize| id_of(of, dice.below([USERS, GROUPS][of]));
    let (group, user, other) = (id(1), id(0), id(1));
    match TYPES[of] {
        "GroupMember" => Row { of, source_id: format!("{group}:{user}"), ends: vec![Some(group), Some(user)] },
        "Credential" => Row { of, source_id: format!("{group}:k{}", dice.below(2)), ends: vec![Some(group)] },
        _ => {
            let by = match dice.below(3) {
                0 => None,
                1 => Some(String::new()),
                _ => Some(other),
            };
            let principal = (dice.below(4) > 0).then_some(user);
            // Two of these ids are those of three ends, which may be the row's or not.
            let source_id = dice.one(&["l0", "l1", "u0:g0:g1", "U0:g0:g1"]).to_owned();
            Row { of, source_id, ends: vec![principal, Some(group), by] }
        }
    }
}

/// A stream of records, legal as far as the rules go: rows stand inside sets.
fn stream(dice: &mut Dice, length: usize) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let mut open = [false; TYPES.len()];
    let mut last = [("Full", 0); TYPES.len()];
    let mut set = 0;
    while told.len() < length {
        let of = dice.below(5) as usize;
        let begins = !open[of] || dice.below(12) == 0;
        told.push(match dice.below(21) {
            0 => {
                open = [false; TYPES.len()];
                Told::Kill
            }
            1 | 2 => Told::Checkpoint,
            20 => {
                open = [false; TYPES.len()];
                Told::Result { listed: (0..TYPES.len()).filter(|_| dice.below(4) > 0).collect() }
            }
            _ if begins => {
                open[of] = true;
                set += 1;
                let resumed = dice.below(2) == 0;
                if !resumed || last[of].1 == 0 || dice.below(8) == 0 {
                    last[of] = (dice.one(&["Full", "Full", "Delta"]), set);
                }
                let (mode, set) = last[of];
                Told::Begin { of, mode, set, resumed, absence: dice.one(&["SoftDeleted", "LeftScope"]) }
            }
            3 | 4 => {
                open[of] = false;
                Told::End { of, complete: dice.below(4) > 0 }
            }
            5..=8 if of == EDGES || of == EDGES + 1 => {
                Told::Scope { of, scope: dice.below(GROUPS), complete: dice.below(3) > 0 }
            }
            9 if of >= EDGES => Told::Cut { of, source_id: edge_row(dice, of).source_id },
            _ if of >= EDGES => Told::Edge(edge_row(dice, of)),
            5..=8 => {
                let reason = dice.one(&["SoftDeleted", "Purged", "LeftScope"]);
                Told::Delete { of, id: dice.below([USERS, GROUPS][of]), reason }
            }
            _ => {
                let name = (dice.below(4) > 0).then(|| dice.below(3));
                Told::Object { of, id: dice.below([USERS, GROUPS][of]), name }
            }
        });
    }
    told.push(Told::Checkpoint);
    told
}

#[test]
fn store_agrees_with_the_rules_on_random_streams_with_kills() {
    for seed in 1..=40 {
        let stream = stream(&mut Dice(seed * 0x9e37_79b9_7f4a), 150);
        let host = super::Told::new();
        let (mut reference, mut kept) = (Reference::default(), Reference::default());
        let mut applier = host.guarded(RemovalGuard::lifted());
        for (at, told) in stream.iter().enumerate() {
            reference.apply(told);
            applier.apply(told.line().as_bytes()).unwrap();
            match told {
                Told::Checkpoint => {
                    applier.commit(Some("w")).unwrap();
                    kept = reference.clone();
                }
                Told::Result { listed } => {
                    applier.commit(Some("w")).unwrap();
                    drop(applier);
                    let names: Vec<&str> = listed.iter().map(|of| TYPES[*of]).collect();
                    host.store.keep_listed(host.instance, &names).unwrap();
                    kept = reference.clone();
                    applier = host.guarded(RemovalGuard::lifted());
                }
                Told::Kill => {
                    drop(applier);
                    reference = kept.clone();
                    applier = host.guarded(RemovalGuard::lifted());
                }
                _ => continue,
            }
            assert_eq!(seen(&host), reference.seen(), "seed {seed}, after record {at}: {:#?}", &stream[..=at]);
        }
    }
}
