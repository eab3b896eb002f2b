//! Which of Graph's endpoints a path names.
//!
//! `delta`, `delta()` and `microsoft.graph.delta()` are the same function, and `groups('id')` the same as `groups/id`.

use super::applications;
use crate::simulator::kinds::{Kind, Listed};
use crate::simulator::percent::decode;
use crate::simulator::relations::Relation;
use crate::simulator::route::Route;
use crate::simulator::streams::Stream;

/// What a Graph path addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Delta(Kind),
    List(Kind),
    Count(Kind),
    Object(Kind, String),
    Children {
        relation: Relation,
        parent: String,
        cast: Option<Kind>,
    },
    ChildCount {
        relation: Relation,
        parent: String,
    },
    Parents {
        relation: Relation,
        kind: Kind,
        id: String,
        cast: Option<Kind>,
    },
    Deleted(Kind),
    Log(Stream),
    Applications,
    Batch,
    /// A segment that nothing answers to.
    Unknown(String),
}

impl Target {
    /// Take a path below the version root apart, such as `/groups/delta`.
    pub(crate) fn parse(path: &str) -> Target {
        let decoded: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(|part| decode(part, false)).collect();
        let mut parts: Vec<&str> = Vec::new();
        for part in &decoded {
            match part.strip_suffix("')").and_then(|part| part.split_once("('")) {
                Some((collection, key)) => parts.extend([collection, key]),
                None => parts.push(part),
            }
        }
        let unknown = || Target::Unknown((*parts.last().unwrap_or(&"")).to_owned());
        match parts.as_slice() {
            ["$batch"] => Target::Batch,
            [applications::COLLECTION] => Target::Applications,
            ["directory", "deletedItems", cast] => {
                cast_to(cast).filter(|kind| bin(*kind)).map_or_else(unknown, Target::Deleted)
            }
            parts if log_at(parts).is_some() => log_at(parts).map_or_else(unknown, Target::Log),
            parts => match collection(parts) {
                Some((kind, rest)) => within(kind, rest).unwrap_or_else(unknown),
                None => Target::Unknown((*parts.first().unwrap_or(&"")).to_owned()),
            },
        }
    }

    /// The id of the one object that is addressed, as the client wrote it.
    pub(crate) fn object(&self) -> Option<&str> {
        match self {
            Target::Object(_, id) | Target::Parents { id, .. } => Some(id),
            Target::Children { parent, .. } | Target::ChildCount { parent, .. } => Some(parent),
            Target::Delta(_)
            | Target::List(_)
            | Target::Count(_)
            | Target::Deleted(_)
            | Target::Log(_)
            | Target::Applications
            | Target::Batch
            | Target::Unknown(_) => None,
        }
    }

    pub(crate) fn route(&self) -> Route {
        match self {
            Target::Delta(kind) => Route::Delta(*kind),
            Target::List(kind) => Route::List(*kind),
            Target::Count(kind) => Route::Count(*kind),
            Target::Object(kind, _) => Route::Object(*kind),
            Target::Children { relation, .. } | Target::ChildCount { relation, .. } => Route::Children(*relation),
            Target::Parents { relation, .. } => Route::Parents(*relation),
            Target::Deleted(kind) => Route::Deleted(*kind),
            Target::Log(stream) => Route::Log(*stream),
            Target::Applications => Route::Applications,
            Target::Batch => Route::Batch,
            Target::Unknown(_) => Route::Unknown,
        }
    }
}

fn log_at(parts: &[&str]) -> Option<Stream> {
    Stream::ALL.iter().find(|stream| stream.path().split('/').eq(parts.iter().copied())).copied()
}

/// The kind whose collection a path begins with, and what follows.
fn collection<'a, 'b>(parts: &'a [&'b str]) -> Option<(Kind, &'a [&'b str])> {
    let served = Kind::ALL.iter().filter(|kind| kind.table().served.is_some());
    let mut found = served.filter_map(|kind| {
        let segments: Vec<&str> = kind.collection().split('/').collect();
        parts.strip_prefix(segments.as_slice()).map(|rest| (*kind, rest))
    });
    found.next()
}

/// What a path addresses below the collection of a kind.
fn within(kind: Kind, rest: &[&str]) -> Option<Target> {
    let listed = kind.table().served.as_ref().map(|served| &served.listed);
    let counted = matches!(listed, Some(Listed::Paged { .. }));
    let feeds = kind.table().served.as_ref().is_some_and(|served| served.feed.is_some());
    let child = |segment: &str| {
        let leads = |relation: &&Relation| relation.table().parent == kind && relation.table().segment == segment;
        Relation::ALL.iter().find(leads).copied()
    };
    let parent = |segment: &str| Relation::ALL.iter().find(|it| it.table().reverse == Some(segment)).copied();
    Some(match rest {
        [] => Target::List(kind),
        ["$count"] if counted => Target::Count(kind),
        [function] if is_delta(function) && feeds => Target::Delta(kind),
        [id] => Target::Object(kind, (*id).to_owned()),
        [id, segment] => match child(segment) {
            Some(relation) => Target::Children { relation, parent: (*id).to_owned(), cast: None },
            None => Target::Parents { relation: parent(segment)?, kind, id: (*id).to_owned(), cast: None },
        },
        [id, segment, "$count"] => Target::ChildCount { relation: child(segment)?, parent: (*id).to_owned() },
        [id, segment, cast] => {
            let cast = cast_to(cast)?;
            if let Some(relation) = child(segment) {
                return Some(Target::Children { relation, parent: (*id).to_owned(), cast: Some(cast) });
            }
            let relation = parent(segment).filter(|relation| relation.table().parent == cast)?;
            Target::Parents { relation, kind, id: (*id).to_owned(), cast: Some(cast) }
        }
        _ => return None,
    })
}

fn bin(kind: Kind) -> bool {
    kind.table().served.as_ref().is_some_and(|served| served.bin.is_some())
}

fn is_delta(segment: &str) -> bool {
    matches!(segment, "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()")
}

/// The type a cast segment names: `microsoft.graph.user` or, as Graph also takes it, `graph.user`.
fn cast_to(segment: &str) -> Option<Kind> {
    let named = |kind: &Kind| {
        let name = kind.odata_type().trim_start_matches('#');
        segment == name || segment == name.trim_start_matches("microsoft.")
    };
    Kind::ALL.iter().copied().find(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_delta_are_one_function() {
        for path in ["/groups/delta", "/groups/delta()", "/groups/microsoft.graph.delta()", "groups/delta%28%29"] {
            assert_eq!(Target::parse(path), Target::Delta(Kind::Group), "{path}");
        }
    }

    #[test]
    fn keys_may_stand_in_parentheses() {
        assert_eq!(Target::parse("/users('x')"), Target::Object(Kind::User, "x".into()));
        assert_eq!(Target::parse("/groups/x/members").route(), Route::Children(Relation::Member));
        assert_eq!(Target::parse("/users/x/members").route(), Route::Unknown);
        assert_eq!(
            Target::parse("/groups/x/members/microsoft.graph.user"),
            Target::Children { relation: Relation::Member, parent: "x".into(), cast: Some(Kind::User) }
        );
    }
}
