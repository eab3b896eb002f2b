//! Children of an object → edges: members of groups.
//!
//! Such an edge has no id in Graph, so its SourceId and ExternalId are `<parent>:<child>`, whatever the configuration
//! chose as the external id of objects. Which attributes hold its ends is said by the table of object types.

use super::directory_id;
use super::kinds::Reason;
use super::record::Records;
use crate::model::Member;
use crate::types::{EndTarget, ObjectType, name_of};

/// Writes the edge; `false` when the child has no id. `parent` is as [`directory_id`] gives it.
pub fn edge(object_type: &ObjectType, parent: &str, child: &Member<'_>, out: &mut Records) -> bool {
    let Some(id) = child.id.as_deref().filter(|id| !id.is_empty()) else { return false };
    let id = directory_id(id);
    let [from, to] = object_type.ends else { unreachable!("an edge of {} has not two ends", object_type.name) };
    out.keyed(parent, &id, |out, key| {
        out.upsert(key, Some(key), |attributes| {
            attributes.text(from.attribute, parent);
            attributes.text(to.attribute, &id);
            if let EndTarget::TypeAttribute(attribute) = to.target {
                attributes.text(attribute, &name_of(child.odata_type.as_deref()));
            }
        });
    });
    true
}

/// Writes the end of the edge; `false` when the child has no id.
pub fn removed_edge(parent: &str, child: &str, out: &mut Records) -> bool {
    if child.is_empty() {
        return false;
    }
    out.keyed(parent, &directory_id(child), |out, key| out.delete(key, Some(key), Reason::Removed));
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::GROUP_MEMBER;

    fn member(json: &str) -> Member<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_row_with_only_type_and_id_is_a_complete_edge() {
        let mut out = Records::new("GroupMember");
        assert!(edge(&GROUP_MEMBER, "g", &member(r##"{"@odata.type":"#microsoft.graph.user","id":"m"}"##), &mut out));
        let line = String::from_utf8(out.lines().next().unwrap().to_vec()).unwrap();
        assert!(line.contains(
            r#""SourceId":"g:m","ExternalId":"g:m","Attributes":{"groupId":"g","memberId":"m","memberType":"User"}"#
        ));
    }

    #[test]
    fn a_member_without_an_id_is_no_edge() {
        assert!(!edge(&GROUP_MEMBER, "g", &member("{}"), &mut Records::new("GroupMember")));
    }
}
