//! The endpoints of the simulator, as the journal and faults name them.

use serde::{Deserialize, Serialize};

use super::kinds::Kind;
use super::relations::Relation;
use super::streams::Stream;

/// An endpoint of the simulator. In JSON it is a word: `usersDelta`, `usersList`, `user`, `deletedUsers`, `usersCount`,
/// `members`, `memberOf`, `signIns`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(into = "String", try_from = "String")]
pub enum Route {
    /// In a fault: every route but the control routes.
    #[default]
    Any,
    /// `POST /{tenant}/oauth2/v2.0/token`.
    Token,
    /// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
    OpenId,
    /// `GET /msi/token`: the managed identity of App Service.
    ManagedIdentity,
    /// `/{collection}/delta`.
    Delta(Kind),
    /// `/{collection}`.
    List(Kind),
    /// `/{collection}/{id}`.
    Object(Kind),
    /// `/directory/deletedItems/microsoft.graph.{kind}`.
    Deleted(Kind),
    /// `/{collection}/$count`.
    Count(Kind),
    /// `/{collection}/{id}/{relation}`, also with a cast or `$count`.
    Children(Relation),
    /// The same relation from the other end, also with a cast to the parent's kind.
    Parents(Relation),
    /// The list of a stream, such as `/auditLogs/signIns`.
    Log(Stream),
    /// `/applications`.
    Applications,
    /// `/$batch`.
    Batch,
    /// `/_simulator/…`; never matched by a fault.
    Control,
    /// Anything else.
    Unknown,
}

impl Route {
    /// Every route.
    pub fn all() -> impl Iterator<Item = Route> {
        let kinds = Kind::ALL.iter().filter(|kind| kind.table().served.is_some()).flat_map(|kind| {
            [Route::Delta(*kind), Route::List(*kind), Route::Object(*kind), Route::Deleted(*kind), Route::Count(*kind)]
        });
        let relations =
            Relation::ALL.iter().flat_map(|relation| [Route::Children(*relation), Route::Parents(*relation)]);
        [Route::Any, Route::Token, Route::OpenId, Route::ManagedIdentity, Route::Applications, Route::Batch]
            .into_iter()
            .chain([Route::Control, Route::Unknown])
            .chain(kinds)
            .chain(relations)
            .chain(Stream::ALL.iter().map(|stream| Route::Log(*stream)))
    }

    /// The word for it.
    pub fn name(self) -> String {
        let last = |kind: Kind| kind.collection().rsplit('/').next().unwrap_or_default();
        match self {
            Route::Any => "any".to_owned(),
            Route::Token => "token".to_owned(),
            Route::OpenId => "openId".to_owned(),
            Route::ManagedIdentity => "managedIdentity".to_owned(),
            Route::Delta(kind) => format!("{}Delta", last(kind)),
            Route::List(kind) => format!("{}List", last(kind)),
            Route::Object(kind) => first(kind.name(), char::to_ascii_lowercase),
            Route::Deleted(kind) => format!("deleted{}", first(last(kind), char::to_ascii_uppercase)),
            Route::Count(kind) => format!("{}Count", last(kind)),
            Route::Children(relation) => relation.table().segment.to_owned(),
            Route::Parents(relation) => {
                let table = relation.table();
                table.reverse.map_or_else(|| format!("{}Of", table.segment), str::to_owned)
            }
            Route::Log(stream) => stream.path().rsplit('/').next().unwrap_or_default().to_owned(),
            Route::Applications => "applications".to_owned(),
            Route::Batch => "batch".to_owned(),
            Route::Control => "control".to_owned(),
            Route::Unknown => "unknown".to_owned(),
        }
    }

    /// The kind of object that its paths name by id.
    pub(crate) fn addresses(self) -> Option<Kind> {
        match self {
            Route::Delta(kind)
            | Route::List(kind)
            | Route::Object(kind)
            | Route::Deleted(kind)
            | Route::Count(kind) => Some(kind),
            Route::Children(relation) => Some(relation.table().parent),
            Route::Any
            | Route::Token
            | Route::OpenId
            | Route::ManagedIdentity
            | Route::Parents(_)
            | Route::Log(_)
            | Route::Applications
            | Route::Batch
            | Route::Control
            | Route::Unknown => None,
        }
    }
}

/// A word with its first letter changed.
fn first(word: &str, change: impl Fn(&char) -> char) -> String {
    word.chars().enumerate().map(|(at, letter)| if at == 0 { change(&letter) } else { letter }).collect()
}

impl From<Route> for String {
    fn from(route: Route) -> String {
        route.name()
    }
}

impl TryFrom<String> for Route {
    type Error = String;

    fn try_from(name: String) -> Result<Route, String> {
        Route::all().find(|route| route.name() == name).ok_or_else(|| format!("there is no route {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_known_by_its_name() {
        for route in Route::all() {
            assert_eq!(Route::try_from(route.name()), Ok(route));
        }
        assert!(Route::try_from("nothing".to_owned()).is_err());
    }
}
