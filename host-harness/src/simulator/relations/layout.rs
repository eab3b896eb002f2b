//! Children of one parent that are computed instead of listed.
//!
//! They are laid out in slots, a run of slots for each kind. Each run is a [`Progression`], so slot k and the question
//! "is X a child" both cost a few multiplications.

use std::fmt::Debug;

use crate::simulator::kinds::Kind;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::seed::Progression;

/// The edges of a relation in the base tenant.
pub(crate) trait BaseEdges: Debug + Send + Sync {
    /// How many slots a parent has.
    fn size(&self, parent: u32) -> u32;

    /// The slots of one parent. Making one costs more than asking it: keep it while walking a parent.
    fn layout(&self, parent: u32) -> Layout;

    /// Children that must exist beyond what the world asks for.
    fn needs(&self) -> Option<(Kind, u32)>;
}

/// The slots of one parent.
#[derive(Debug)]
pub(crate) struct Layout {
    segments: [Segment; 5],
}

/// One run of slots with children of one kind.
#[derive(Debug)]
pub(crate) struct Segment {
    kind: Kind,
    length: u32,
    walk: Progression,
    /// Numbers of the kind, and where they are counted from.
    modulus: u32,
    shift: u32,
}

impl Segment {
    /// `length` of the `available` children with the numbers `0..available`.
    pub(crate) fn new(kind: Kind, length: u32, available: u32, entropy: u64) -> Segment {
        Segment { kind, length, walk: walk(length, available, entropy), modulus: available.max(1), shift: 0 }
    }

    /// Among `count` objects, counted from the one behind `parent`, so that none can come out as its own child.
    pub(crate) fn beside(parent: u32, kind: Kind, length: u32, count: u32, entropy: u64) -> Segment {
        let available = count.saturating_sub(1);
        let (modulus, shift) = (count.max(1), (parent + 1) % count.max(1));
        Segment { kind, length, walk: walk(length, available, entropy), modulus, shift }
    }

    fn member(&self, slot: u32) -> ObjectRef {
        let number = (u64::from(self.walk.at(slot)) + u64::from(self.shift)) % u64::from(self.modulus);
        ObjectRef { kind: self.kind, number: number as u32 }
    }

    fn slot_of(&self, member: ObjectRef) -> Option<u32> {
        if self.kind != member.kind || self.length == 0 || member.number >= self.modulus {
            return None;
        }
        let turned = u64::from(member.number) + u64::from(self.modulus) - u64::from(self.shift);
        let value = (turned % u64::from(self.modulus)) as u32;
        let position = (value < self.walk.modulus()).then(|| self.walk.position_of(value))?;
        (position < self.length).then_some(position)
    }
}

fn walk(length: u32, available: u32, entropy: u64) -> Progression {
    Progression::new(if length == 0 { 1 } else { available }, entropy)
}

impl Layout {
    pub(crate) fn new(segments: [Segment; 5]) -> Layout {
        Layout { segments }
    }

    /// The child in a slot below the parent's size.
    pub(crate) fn member(&self, slot: u32) -> Option<ObjectRef> {
        let mut slot = slot;
        for segment in &self.segments {
            if slot < segment.length {
                return Some(segment.member(slot));
            }
            slot -= segment.length;
        }
        None
    }

    /// The slot a child sits in, if it is one.
    pub(crate) fn slot_of(&self, member: ObjectRef) -> Option<u32> {
        let mut before = 0;
        for segment in &self.segments {
            if let Some(position) = segment.slot_of(member) {
                return Some(before + position);
            }
            before += segment.length;
        }
        None
    }
}
