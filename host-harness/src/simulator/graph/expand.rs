//! `$expand` on a list: one object that each row names by its id, shown in full or as its `$select` says.

use serde_json::{Map, Value};

use super::Context;
use super::answer::GraphError;
use super::request::Options;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::{Expand, Kind, Listed};
use crate::simulator::permissions::Permissions;
use crate::simulator::tenant::view::View;

/// What one request expands.
pub(super) struct Expansion<'a> {
    of: &'static Expand,
    select: Option<Vec<String>>,
    permissions: &'a Permissions,
}

impl<'a> Expansion<'a> {
    /// None where nothing is to be added.
    pub(super) fn asked(
        context: &'a Context<'_>,
        kind: Kind,
        options: &Options,
    ) -> Result<Option<Expansion<'a>>, GraphError> {
        let Some(text) = options.get("$expand") else { return Ok(None) };
        let refused = || GraphError::unsupported("The $expand query parameter is not supported by this tenant.");
        let (name, nested) = match text.split_once('(') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(')').ok_or_else(refused)?)),
            None => (text.as_str(), None),
        };
        let listed = kind.table().served.as_ref().map(|served| &served.listed).ok_or_else(refused)?;
        let of = match listed {
            Listed::Paged { empty_expands } if empty_expands.contains(&name) => return Ok(None),
            Listed::Paged { .. } => return Err(refused()),
            Listed::Whole { expand, .. } => expand.iter().find(|expand| expand.name == name).ok_or_else(refused)?,
        };
        if nested.is_some() && context.service.world.roles.nested_select_refused {
            return Err(GraphError::new(400, "BadRequest", "Nested $select is not supported in $expand."));
        }
        let select = match nested {
            None => None,
            Some(nested) => {
                let names = nested.strip_prefix("$select=").ok_or_else(refused)?;
                Some(names.split(',').map(|name| name.trim().to_owned()).collect())
            }
        };
        Ok(Some(Expansion { of, select, permissions: &context.service.world.permissions }))
    }

    /// Adds the object to a row; nothing is added where it is not there any more.
    pub(super) fn add(&self, view: View<'_>, object: ObjectRef, row: &mut Map<String, Value>) {
        let id = object.kind.property(self.of.id).map_or(Value::Null, |property| view.value(object, property));
        let named = id.as_str().and_then(|id| view.find(id)).filter(|named| view.is_live(*named));
        let Some(named) = named else { return };
        let chosen = match &self.select {
            _ if !self.permissions.allow(named.kind.table().read) => Vec::new(),
            None => named.kind.defaults(),
            Some(names) => names.iter().filter_map(|name| named.kind.property(name)).collect(),
        };
        let mut expanded = view.row(named, &chosen);
        expanded.insert("@odata.type".to_owned(), Value::from(view.odata_type(named).0));
        expanded.insert("id".to_owned(), Value::from(view.id(named)));
        row.insert(self.of.name.to_owned(), Value::Object(expanded));
    }
}
