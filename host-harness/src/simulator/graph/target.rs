//! Which of Graph's endpoints a path names.
//!
//! `delta`, `delta()` and `microsoft.graph.delta()` are the same function, and `groups('id')` the same as `groups/id`.

use crate::simulator::kinds::identity::ObjectKind;
use crate::simulator::percent::decode;
use crate::simulator::route::Route;

/// What a Graph path addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Delta(ObjectKind),
    List(ObjectKind),
    Count(ObjectKind),
    Object(ObjectKind, String),
    Members {
        group: String,
        cast: Option<ObjectKind>,
    },
    MembersCount {
        group: String,
    },
    Owners {
        group: String,
    },
    MemberOf {
        kind: ObjectKind,
        id: String,
        cast: Option<ObjectKind>,
    },
    Deleted(ObjectKind),
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
        let kind = |collection: &str| match collection {
            "users" => Some(ObjectKind::User),
            "groups" => Some(ObjectKind::Group),
            _ => None,
        };
        match parts.as_slice() {
            ["$batch"] => Target::Batch,
            ["applications"] => Target::Applications,
            ["directory", "deletedItems", cast] => match cast_to(cast) {
                Some(kind @ (ObjectKind::User | ObjectKind::Group)) => Target::Deleted(kind),
                _ => Target::Unknown((*cast).to_owned()),
            },
            [collection, rest @ ..] => match (kind(collection), rest) {
                (None, _) => Target::Unknown((*collection).to_owned()),
                (Some(kind), []) => Target::List(kind),
                (Some(kind), ["$count"]) => Target::Count(kind),
                (Some(kind), [function]) if is_delta(function) => Target::Delta(kind),
                (Some(kind), [id]) => Target::Object(kind, (*id).to_owned()),
                (Some(kind), [id, "memberOf"]) => Target::MemberOf { kind, id: (*id).to_owned(), cast: None },
                (Some(kind), [id, "memberOf", cast]) => match cast_to(cast) {
                    Some(ObjectKind::Group) => {
                        Target::MemberOf { kind, id: (*id).to_owned(), cast: Some(ObjectKind::Group) }
                    }
                    _ => Target::Unknown((*cast).to_owned()),
                },
                (Some(ObjectKind::Group), [id, "members"]) => Target::Members { group: (*id).to_owned(), cast: None },
                (Some(ObjectKind::Group), [id, "members", "$count"]) => {
                    Target::MembersCount { group: (*id).to_owned() }
                }
                (Some(ObjectKind::Group), [id, "owners"]) => Target::Owners { group: (*id).to_owned() },
                (Some(ObjectKind::Group), [id, "members", cast]) => match cast_to(cast) {
                    Some(kind) => Target::Members { group: (*id).to_owned(), cast: Some(kind) },
                    None => Target::Unknown((*cast).to_owned()),
                },
                (Some(_), [.., last]) => Target::Unknown((*last).to_owned()),
            },
            [] => Target::Unknown(String::new()),
        }
    }

    /// The id of the one object that is addressed, as the client wrote it.
    pub(crate) fn object(&self) -> Option<&str> {
        match self {
            Target::Object(_, id) | Target::MemberOf { id, .. } => Some(id),
            Target::Members { group, .. } | Target::MembersCount { group } | Target::Owners { group } => Some(group),
            _ => None,
        }
    }

    pub(crate) fn route(&self) -> Route {
        match self {
            Target::Delta(ObjectKind::User) => Route::UsersDelta,
            Target::Delta(_) => Route::GroupsDelta,
            Target::List(ObjectKind::User) => Route::UsersList,
            Target::List(_) => Route::GroupsList,
            Target::Count(_) => Route::Count,
            Target::Object(ObjectKind::User, _) => Route::User,
            Target::Object(..) => Route::Group,
            Target::Members { .. } | Target::MembersCount { .. } => Route::Members,
            Target::Owners { .. } => Route::Owners,
            Target::MemberOf { .. } => Route::MemberOf,
            Target::Deleted(ObjectKind::User) => Route::DeletedUsers,
            Target::Deleted(_) => Route::DeletedGroups,
            Target::Applications => Route::Applications,
            Target::Batch => Route::Batch,
            Target::Unknown(_) => Route::Unknown,
        }
    }
}

fn is_delta(segment: &str) -> bool {
    matches!(segment, "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()")
}

/// The type a cast segment names: `microsoft.graph.user` or, as Graph also takes it, `graph.user`.
fn cast_to(segment: &str) -> Option<ObjectKind> {
    let named = |kind: &ObjectKind| {
        let name = kind.odata_type().trim_start_matches('#');
        segment == name || segment == name.trim_start_matches("microsoft.")
    };
    ObjectKind::ALL.into_iter().find(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_delta_are_one_function() {
        for path in ["/groups/delta", "/groups/delta()", "/groups/microsoft.graph.delta()", "groups/delta%28%29"] {
            assert_eq!(Target::parse(path), Target::Delta(ObjectKind::Group), "{path}");
        }
    }

    #[test]
    fn keys_may_stand_in_parentheses() {
        assert_eq!(Target::parse("/users('x')"), Target::Object(ObjectKind::User, "x".into()));
        assert_eq!(Target::parse("/groups/x/members").route(), Route::Members);
        assert_eq!(Target::parse("/users/x/members").route(), Route::Unknown);
        assert_eq!(
            Target::parse("/groups/x/members/microsoft.graph.user"),
            Target::Members { group: "x".into(), cast: Some(ObjectKind::User) }
        );
    }
}
