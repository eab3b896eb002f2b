//! Members of groups → edges.
//!
//! An edge has no id in Graph, so its SourceId and ExternalId are `<group>:<member>`, whatever the configuration chose as
//! the external id of users.

use std::borrow::Cow;

use super::directory_id;
use super::kinds::Reason;
use super::record::Records;
use crate::model::Member;

/// Writes the edge; `false` when the member has no id. `group` is as [`directory_id`] gives it.
pub fn edge(group: &str, member: &Member<'_>, out: &mut Records) -> bool {
    let Some(id) = member.id.as_deref().filter(|id| !id.is_empty()) else { return false };
    let id = directory_id(id);
    let kind = member_type(member.odata_type.as_deref());
    out.keyed(group, &id, |out, key| {
        out.upsert(key, Some(key), |attributes| {
            attributes.text("groupId", group);
            attributes.text("memberId", &id);
            attributes.text("memberType", &kind);
        });
    });
    true
}

/// Writes the end of the edge; `false` when the member has no id.
pub fn removed_edge(group: &str, member: &str, out: &mut Records) -> bool {
    if member.is_empty() {
        return false;
    }
    out.keyed(group, &directory_id(member), |out, key| out.delete(key, Some(key), Reason::Removed));
    true
}

/// `#microsoft.graph.user` → `User`. A type this connector does not know keeps its own name; a row without one is a
/// `DirectoryObject`, which is what every member is.
pub fn member_type(odata_type: Option<&str>) -> Cow<'_, str> {
    let Some(odata_type) = odata_type else { return Cow::Borrowed("DirectoryObject") };
    match odata_type.trim_start_matches('#').trim_start_matches("microsoft.graph.") {
        "user" => Cow::Borrowed("User"),
        "group" => Cow::Borrowed("Group"),
        "servicePrincipal" => Cow::Borrowed("ServicePrincipal"),
        "device" => Cow::Borrowed("Device"),
        "orgContact" => Cow::Borrowed("OrgContact"),
        other => Cow::Owned(other.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(json: &str) -> Member<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_row_with_only_type_and_id_is_a_complete_edge() {
        let mut out = Records::new("GroupMember");
        assert!(edge("g", &member(r##"{"@odata.type":"#microsoft.graph.user","id":"m"}"##), &mut out));
        let line = String::from_utf8(out.lines().next().unwrap().to_vec()).unwrap();
        assert!(line.contains(
            r#""SourceId":"g:m","ExternalId":"g:m","Attributes":{"groupId":"g","memberId":"m","memberType":"User"}"#
        ));
    }

    #[test]
    fn an_unknown_type_keeps_its_own_name() {
        assert_eq!(member_type(Some("#microsoft.graph.agentIdentity")), "agentIdentity");
        assert_eq!(member_type(None), "DirectoryObject");
    }

    #[test]
    fn a_member_without_an_id_is_no_edge() {
        assert!(!edge("g", &member("{}"), &mut Records::new("GroupMember")));
    }
}
