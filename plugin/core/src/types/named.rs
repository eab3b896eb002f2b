//! Graph's `@odata.type` → the name of an object type, for ends of edges whose type stands in the row.

use std::borrow::Cow;

use super::ALL;

/// Types that are ends of edges and not imported yet.
const OTHERS: &[(&str, &str)] =
    &[("servicePrincipal", "ServicePrincipal"), ("device", "Device"), ("orgContact", "OrgContact")];

/// Types that Graph derives from another one (v1.0 metadata), and the one they are imported as.
const DERIVED: &[(&str, &str)] = &[
    ("agentUser", "user"),
    ("agentIdentity", "servicePrincipal"),
    ("agentIdentityBlueprintPrincipal", "servicePrincipal"),
    ("agentIdentityBlueprint", "application"),
];

/// `#microsoft.graph.user` → `User`; a derived type has the name of its base. A type this connector does not know keeps
/// its own name; a row without one is a `DirectoryObject`, which is what every object is.
pub fn name_of(odata_type: Option<&str>) -> Cow<'_, str> {
    let Some(odata_type) = odata_type else { return Cow::Borrowed("DirectoryObject") };
    let own = odata_type.trim_start_matches('#').trim_start_matches("microsoft.graph.");
    if let Some(name) = own_name_of(own) {
        return Cow::Borrowed(name);
    }
    let base = DERIVED.iter().find(|(derived, _)| *derived == own).map_or(own, |(_, base)| *base);
    own_name_of(base).map_or_else(|| Cow::Owned(base.to_owned()), Cow::Borrowed)
}

/// The name of a type that is derived from no other one.
fn own_name_of(graphs: &str) -> Option<&'static str> {
    let imported = ALL.iter().find(|object_type| object_type.odata_type == Some(graphs));
    imported.map(|object_type| object_type.name).or_else(|| Some(OTHERS.iter().find(|(other, _)| *other == graphs)?.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_type_has_the_name_of_its_base_and_an_unknown_one_its_own() {
        let name = |own: &str| name_of(Some(own)).into_owned();
        assert_eq!(name("#microsoft.graph.group"), "Group");
        assert_eq!(name("#microsoft.graph.agentUser"), "User");
        assert_eq!(name("#microsoft.graph.agentIdentity"), "ServicePrincipal");
        assert_eq!(name("#microsoft.graph.administrativeUnit"), "administrativeUnit");
        assert_eq!(name_of(None), "DirectoryObject");
    }
}
