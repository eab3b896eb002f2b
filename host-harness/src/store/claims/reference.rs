//! The host rules a second time, in memory and by plain sets, against random streams with kills.
//!
//! The store decides by comparing clock numbers; this host keeps, for each open set, the ids it has seen. They share the
//! records and nothing else. A stream is what a connector might send: sets of three types that interleave, are voided,
//! killed and resumed. On a difference the test prints the stream.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// One record, before it becomes JSON.
#[derive(Debug, Clone)]
enum Told {
    Begin { of: usize, mode: &'static str, set: u32, resumed: bool, absence: &'static str },
    Object { of: usize, id: u32, name: Option<u32> },
    Edge { group: u32, member: u32 },
    Delete { of: usize, id: u32, reason: &'static str },
    Cut { group: u32, member: u32 },
    Scope { group: u32, complete: bool },
    End { of: usize, complete: bool },
    Checkpoint,
    Kill,
}

const TYPES: [&str; 3] = ["User", "Group", "GroupMember"];
const EDGES: usize = 2;

/// Ids of both objects and ends: users are u0…, groups g0….
fn id_of(of: usize, id: u32) -> String {
    format!("{}{id}", ["u", "g"][of])
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
            Told::Edge { group, member } => edge(&id_of(1, *group), &id_of(0, *member)),
            Told::Delete { of, id, reason } => delete(TYPES[*of], &id_of(*of, *id), reason),
            Told::Cut { group, member } => {
                delete("GroupMember", &format!("{}:{}", id_of(1, *group), id_of(0, *member)), "Removed")
            }
            Told::Scope { group, complete } => scope(&id_of(1, *group), *complete),
            Told::End { of, complete: true } => end(TYPES[*of]),
            Told::End { of, .. } => end_incomplete(TYPES[*of]),
            Told::Checkpoint | Told::Kill => String::new(),
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
    open: bool,
    objects: BTreeSet<String>,
    edges: BTreeSet<(String, String)>,
    /// Edges that came since the group's previous Scope, or since Begin.
    fresh: BTreeMap<String, BTreeSet<String>>,
    unread: BTreeSet<String>,
    /// Ids of its type that were marked in it.
    marked: BTreeSet<String>,
}

/// What the rules say a host holds.
#[derive(Debug, Clone, Default)]
struct Reference {
    shown: [BTreeMap<String, BTreeMap<String, u32>>; 2],
    hidden: [BTreeMap<String, BTreeMap<String, u32>>; 2],
    edges: BTreeSet<(String, String)>,
    marks: BTreeSet<String>,
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
                    open: true,
                    objects: BTreeSet::new(),
                    edges: BTreeSet::new(),
                    fresh: BTreeMap::new(),
                    unread: BTreeSet::new(),
                    marked: BTreeSet::new(),
                });
                now.fresh.clear();
                (now.open, now.absence) = (true, absence);
                self.sets.insert(*of, now);
            }
            Told::Object { of, id, name } => {
                let id = id_of(*of, *id);
                self.marks.remove(&id);
                let Some(set) = self.sets.get_mut(of) else { return };
                set.objects.insert(id.clone());
                let held = self.hidden[*of].remove(&id).or_else(|| self.shown[*of].get(&id).cloned());
                let mut image = if set.mode == "Full" { BTreeMap::new() } else { held.unwrap_or_default() };
                image.extend(name.map(|name| ("displayName".to_owned(), name)));
                image.extend(name.map(|name| (format!("a{name}"), 1)));
                self.shown[*of].insert(id, image);
            }
            Told::Edge { group, member } => {
                let (group, member) = (id_of(1, *group), id_of(0, *member));
                let Some(set) = self.sets.get_mut(&EDGES) else { return };
                set.edges.insert((group.clone(), member.clone()));
                set.fresh.entry(group.clone()).or_default().insert(member.clone());
                self.edges.insert((group, member));
            }
            Told::Delete { of, id, reason } => self.go(*of, &id_of(*of, *id), reason),
            Told::Cut { group, member } => {
                let (group, member) = (id_of(1, *group), id_of(0, *member));
                if let Some(set) = self.sets.get_mut(&EDGES) {
                    set.fresh.entry(group.clone()).or_default().remove(&member);
                }
                self.edges.remove(&(group, member));
            }
            Told::Scope { group, complete } => {
                let group = id_of(1, *group);
                let Some(set) = self.sets.get_mut(&EDGES) else { return };
                let came = set.fresh.remove(&group).unwrap_or_default();
                if *complete {
                    set.unread.remove(&group);
                    self.edges.retain(|(from, to)| *from != group || came.contains(to));
                } else {
                    set.unread.insert(group);
                }
            }
            Told::End { of, complete } => self.end(*of, *complete),
            Told::Checkpoint | Told::Kill => {}
        }
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
                self.edges.retain(|(from, _)| from != id);
            }
            "SoftDeleted" => {
                self.marks.insert(id.to_owned());
                self.hidden[of].extend(held.map(|held| (id.to_owned(), held)));
            }
            _ => {
                self.hidden[of].remove(id);
                self.marks.insert(id.to_owned());
                self.edges.retain(|(from, to)| from != id && to != id);
            }
        }
    }

    fn end(&mut self, of: usize, complete: bool) {
        let Some(set) = self.sets.get_mut(&of) else { return };
        set.open = false;
        let set = set.clone();
        if !complete || set.mode != "Full" || !set.known {
            return;
        }
        if of == EDGES {
            self.edges.retain(|edge| set.edges.contains(edge) || set.unread.contains(&edge.0));
            return;
        }
        let absent: Vec<String> = self.shown[of].keys().filter(|id| !set.objects.contains(*id)).cloned().collect();
        for id in absent {
            self.go(of, &id, set.absence);
        }
        if set.absence == "LeftScope" {
            let of_type = id_of(of, 0).split_at(1).0.to_owned();
            let old = |id: &String| id.starts_with(&of_type) && !set.marked.contains(id);
            let woken: BTreeSet<String> = self.marks.iter().filter(|id| old(id)).cloned().collect();
            self.marks.retain(|id| !woken.contains(id));
            self.edges.retain(|(from, _)| !woken.contains(from));
        }
    }

    /// What an observer of the store can see, as text.
    fn seen(&self) -> String {
        let edges: Vec<String> = self
            .edges
            .iter()
            .map(|(from, to)| {
                let dormant = self.marks.contains(from) || self.marks.contains(to);
                format!("{from}:{to}{}", if dormant { " dormant" } else { "" })
            })
            .collect();
        format!("{:?} {:?} {edges:?} {:?}", self.shown, self.hidden, self.marks)
    }
}

/// The same of the store.
fn seen(told: &super::Told) -> String {
    let mesh = told.mesh();
    let (mut shown, mut hidden): ([BTreeMap<_, _>; 2], [BTreeMap<_, _>; 2]) = Default::default();
    for of in 0..2 {
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
    for group in (0..GROUPS).map(|id| id_of(1, id)) {
        for edge in mesh.edges_of(&group).unwrap() {
            edges.insert((edge.ends[0].clone(), edge.ends[1].clone(), edge.dormant));
        }
    }
    let edges: Vec<String> = edges
        .into_iter()
        .map(|(from, to, dormant)| format!("{from}:{to}{}", if dormant { " dormant" } else { "" }))
        .collect();
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

/// A stream of records, legal as far as the rules go: rows stand inside sets.
fn stream(dice: &mut Dice, length: usize) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let mut open = [false; 3];
    let mut last = [("Full", 0); 3];
    let mut set = 0;
    while told.len() < length {
        let of = dice.below(3) as usize;
        let begins = !open[of] || dice.below(12) == 0;
        told.push(match dice.below(20) {
            0 => {
                open = [false; 3];
                Told::Kill
            }
            1 | 2 => Told::Checkpoint,
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
            5..=8 if of == EDGES => Told::Scope { group: dice.below(GROUPS), complete: dice.below(3) > 0 },
            9 if of == EDGES => Told::Cut { group: dice.below(GROUPS), member: dice.below(USERS) },
            _ if of == EDGES => Told::Edge { group: dice.below(GROUPS), member: dice.below(USERS) },
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
    for seed in 1..=50 {
        let stream = stream(&mut Dice(seed * 0x9e37_79b9_7f4a), 120);
        let host = super::Told::new();
        let (mut reference, mut kept) = (Reference::default(), Reference::default());
        let mut applier = host.store.applier(host.instance, &host.catalog).unwrap();
        for (at, told) in stream.iter().enumerate() {
            reference.apply(told);
            applier.apply(told.line().as_bytes()).unwrap();
            match told {
                Told::Checkpoint => {
                    applier.commit(Some("w")).unwrap();
                    kept = reference.clone();
                }
                Told::Kill => {
                    drop(applier);
                    reference = kept.clone();
                    applier = host.store.applier(host.instance, &host.catalog).unwrap();
                }
                _ => continue,
            }
            assert_eq!(seen(&host), reference.seen(), "seed {seed}, after record {at}: {:#?}", &stream[..=at]);
        }
    }
}
