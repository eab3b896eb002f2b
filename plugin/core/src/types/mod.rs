//! What the connector can deliver: object types, their attributes, permissions and edge ends, as one table.
//!
//! Describe prints this table, every reading selects by it, and lists of further attributes are checked against it,
//! so a record can carry nothing that Describe does not name. Types are those of *records*, not of Graph: Graph's
//! `businessPhones` is an array, the record's is a string, because it is joined on the way.

mod extension;
mod group;
mod group_member;
mod named;
mod refused;
mod user;

pub use group::{GROUP, GROUP_EXTRA};
pub use group_member::GROUP_MEMBER;
pub use named::name_of;
pub use refused::why_refused;
pub use user::{USER, USER_EXTRA};

pub(crate) use extension::{EXTENSION_PATTERN, extension_name};

/// Every object type of this version, in the order in which Describe names them.
pub static ALL: &[&ObjectType] = &[&USER, &GROUP, &GROUP_MEMBER];

/// The object type that `GroupSelectionFilter` selects.
pub static FILTERED: &ObjectType = &GROUP;

/// The object types that `MembershipMode` "Delta" needs: the objects that are members or have them, and the
/// memberships.
pub static FOLLOWED: [&ObjectType; 3] = [&USER, &GROUP, &GROUP_MEMBER];

/// How an attribute's value looks in a record; null is possible for every type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeType {
    /// Text.
    String,
    /// true or false.
    Boolean,
    /// A whole number.
    Integer,
    /// An instant as Graph writes it: RFC 3339, UTC.
    DateTime,
    /// A JSON array of strings.
    StringArray,
    /// Any JSON value: directory extensions, whose types the tenant alone knows.
    Json,
}

impl AttributeType {
    /// Its word in Describe.
    pub fn name(self) -> &'static str {
        match self {
            AttributeType::String => "String",
            AttributeType::Boolean => "Boolean",
            AttributeType::Integer => "Integer",
            AttributeType::DateTime => "DateTime",
            AttributeType::StringArray => "StringArray",
            AttributeType::Json => "Json",
        }
    }
}

/// What a host does with records of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A thing with an id that stays.
    Object,
    /// A relation between two objects; the contract's rules for edges hold.
    Edge,
    /// Something that happened; only ever added.
    Event,
}

impl Class {
    /// Its word in Describe.
    pub fn name(self) -> &'static str {
        match self {
            Class::Object => "Object",
            Class::Edge => "Edge",
            Class::Event => "Event",
        }
    }
}

/// One attribute of an object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// Its name in records and in Graph.
    pub name: &'static str,
    /// Its type in records.
    pub kind: AttributeType,
    /// Whether every import delivers it; otherwise only one whose configuration names it.
    pub always: bool,
}

/// A permission that widens what can be read but that no import needs in order to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalPermission {
    /// Application permission of Microsoft Graph.
    pub name: &'static str,
    /// What stays invisible without it.
    pub purpose: &'static str,
}

/// Where an edge's end points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndTarget {
    /// Always to one of these object types.
    ObjectTypes(&'static [&'static str]),
    /// To the object type that this other attribute of the same record names.
    TypeAttribute(&'static str),
}

/// One end of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The attribute that holds the SourceId of the object at this end.
    pub attribute: &'static str,
    /// Which object types may stand there.
    pub target: EndTarget,
}

/// The key by which a configuration asks for more attributes, and what it may name beside directory extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extra {
    /// ConfigJson key.
    pub key: &'static str,
    /// What it means, for operators.
    pub help: &'static str,
    /// The properties it may name.
    pub attributes: &'static [Attribute],
}

/// How an object type is read.
#[derive(Debug, Clone, Copy)]
pub enum Read {
    /// By the change feed of its collection; every row becomes a record.
    Feed(&'static FeedOf),
    /// Groups: by their change feed, judged by the filter, or as a list.
    Groups(&'static FeedOf),
    /// Members of groups: read for each group, or with the feed of groups.
    Members,
}

/// A collection that has a change feed.
#[derive(Debug)]
pub struct FeedOf {
    /// Its path, `/users`.
    pub collection: &'static str,
    /// A property that every object has and that Graph compares and sorts by: lists are cut by it. `None`: the feed is
    /// always walked.
    pub sorted_by: Option<&'static str>,
    /// Attributes that are arrays in Graph and one string in records.
    pub joined: &'static [&'static str],
    /// The attribute that `ExternalIdAttribute` may name.
    pub external_id: Option<&'static str>,
    /// Where its soft-deleted objects are.
    pub bin: Option<RecycleBin>,
}

/// The soft-deleted objects of a collection, `/directory/deletedItems/microsoft.graph.user`.
#[derive(Debug, Clone, Copy)]
pub struct RecycleBin {
    /// The type in the path: `user`.
    pub cast: &'static str,
    /// The application permission that shows them.
    pub permission: &'static str,
}

impl ObjectType {
    /// The collection whose feed brings it, where it has one.
    pub fn feed(&self) -> Option<&'static FeedOf> {
        match self.read {
            Read::Feed(feed) | Read::Groups(feed) => Some(feed),
            Read::Members => None,
        }
    }
}

/// Which of Graph's limits requests count against: each has its own, and one that is reached slows no other down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Resource units of the directory (throttling limits of the identity service).
    Directory,
}

impl Lane {
    /// Its word in a check.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Directory => "Directory",
        }
    }
}

/// A ConfigJson key that switches object types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// The key.
    pub key: &'static str,
    /// What it means, for operators.
    pub help: &'static str,
    /// The presets that switch them on where the key is absent.
    pub presets: &'static [Preset],
}

impl Switch {
    /// Whether they are imported when neither the key nor a preset is written.
    pub fn default(&self) -> bool {
        self.presets.contains(&Preset::default())
    }

    /// Whether the preset has a say at all.
    pub fn depends_on_preset(&self) -> bool {
        self.presets.len() < Preset::ALL.len()
    }
}

/// `Preset`: which object types are imported whose switch is not written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Preset {
    /// Users, groups and memberships.
    #[default]
    Basic,
    /// What tells who has access and who administers.
    Governance,
    /// That, and how the tenant is protected and used.
    Posture,
    /// Everything that does not cost a request for each user.
    Wide,
}

impl Preset {
    /// Every preset, from the narrowest to the widest.
    pub const ALL: &'static [Preset] = &[Preset::Basic, Preset::Governance, Preset::Posture, Preset::Wide];

    /// Its word in ConfigJson.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Basic => "Basic",
            Preset::Governance => "Governance",
            Preset::Posture => "Posture",
            Preset::Wide => "Wide",
        }
    }
}

/// A setting with which an object type needs further permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// ConfigJson key.
    pub key: &'static str,
    /// Its value.
    pub value: &'static str,
    /// Application permissions of Microsoft Graph.
    pub permissions: &'static [&'static str],
}

/// One row of the table.
#[derive(Debug)]
pub struct ObjectType {
    /// Its name in records.
    pub name: &'static str,
    /// Its name in Graph, `user`; `None` for what is no type there.
    pub odata_type: Option<&'static str>,
    /// Its number in packed lists of ids; never given to another type.
    pub code: u8,
    /// The member of a watermark that holds its delta link, where that is not in its mark.
    pub link_member: Option<&'static str>,
    /// The name its mark had in watermarks before marks were named after object types.
    pub former_mark: Option<&'static str>,
    /// What a host does with its records.
    pub class: Class,
    /// The ConfigJson key that switches it. Several types may have the same.
    pub switch: Switch,
    /// The least application permissions its import needs.
    pub permissions: &'static [&'static str],
    /// For one of these, others that Graph accepts as well (Microsoft's table of permissions for each path).
    pub accepted_instead: &'static [(&'static str, &'static [&'static str])],
    /// Settings with which it needs more.
    pub when: &'static [When],
    /// Permissions that complete it.
    pub optional_permissions: &'static [OptionalPermission],
    /// The licence the tenant needs, if any.
    pub licence: Option<&'static str>,
    /// How changes are found unless a configuration says otherwise: `DeltaLink` (Graph's change feed) or `Recompute`
    /// (read anew on every run). A set's own mode stands in its Begin.
    pub delta: &'static str,
    /// Whose limits its requests count against.
    pub lane: Lane,
    /// How it is read.
    pub read: Read,
    /// What every import delivers, in the order of the records.
    pub attributes: &'static [Attribute],
    /// What a configuration may add.
    pub extra: Option<Extra>,
    /// For edges: where they point.
    pub ends: &'static [End],
    /// For edges: the attribute whose value a Scope record closes.
    pub scope_attribute: Option<&'static str>,
}

impl PartialEq for ObjectType {
    fn eq(&self, other: &ObjectType) -> bool {
        self.name == other.name
    }
}

impl Eq for ObjectType {}

/// The object type that has this number.
pub fn of_code(code: u8) -> Option<&'static ObjectType> {
    ALL.iter().copied().find(|object_type| object_type.code == code)
}

const fn always(name: &'static str, kind: AttributeType) -> Attribute {
    Attribute { name, kind, always: true }
}

const fn extra(name: &'static str, kind: AttributeType) -> Attribute {
    Attribute { name, kind, always: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_attribute_is_named_twice_and_extras_are_never_always_there() {
        for object_type in ALL {
            let extras = object_type.extra.map_or(&[] as &[Attribute], |extra| extra.attributes);
            assert!(object_type.attributes.iter().all(|a| a.always) && extras.iter().all(|a| !a.always));
            let mut names: Vec<_> = object_type.attributes.iter().chain(extras).map(|a| a.name).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{}", object_type.name);
        }
    }

    #[test]
    fn no_two_types_share_a_name_or_a_number() {
        for (at, one) in ALL.iter().enumerate() {
            assert!(ALL[..at].iter().all(|other| other.name != one.name && other.code != one.code), "{}", one.name);
        }
    }

    #[test]
    fn edge_ends_and_scopes_name_attributes_that_every_record_carries() {
        for object_type in ALL {
            let carries = |name: &str| object_type.attributes.iter().any(|a| a.name == name);
            for end in object_type.ends {
                assert!(carries(end.attribute));
                match end.target {
                    EndTarget::TypeAttribute(name) => assert!(carries(name)),
                    EndTarget::ObjectTypes(names) => {
                        assert!(names.iter().all(|name| ALL.iter().any(|o| o.name == *name)));
                    }
                }
            }
            assert!(object_type.scope_attribute.is_none_or(carries));
            assert_eq!(object_type.class == Class::Edge, object_type.ends.len() == 2);
        }
    }

    #[test]
    fn a_property_is_either_selectable_or_refused() {
        for object_type in ALL {
            let extras = object_type.extra.map_or(&[] as &[Attribute], |extra| extra.attributes);
            for attribute in object_type.attributes.iter().chain(extras) {
                assert_eq!(why_refused(object_type, attribute.name), None, "{}", attribute.name);
            }
        }
    }
}
