//! The watermark as the text a host stores: `{"u":"…","g":"…","x":{…}}`.
//!
//! `u` and `g` are the delta links of users and groups, as other implementations store them too; a watermark of just
//! these two can be read. Everything else stands in `x`, object types by their name in `x.types`. Lists of ids are
//! packed into base64, so that five hundred of them cost eleven kilobytes. Places of interrupted runs share what is
//! left, and the longest leaves first: that type then walks its round again, which costs time and nothing else.

use std::collections::BTreeMap;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::lists::{Lists, PLACES, Repair};
use super::mark::{TypeMark, has_room_for};
use super::mark_text::{Note, position_length};
use super::packed::{id_of, pack, restored_bytes, restored_of, unpack, with};
use super::restored::{GONE_PLACES, Gone, RESTORED_PLACES, RestoredObjects};
use super::watermark::{Watermark, invalid};
use crate::error::Error;
use crate::types::{self, ObjectType};

/// No watermark is longer, whatever the tenant: 256 KiB.
const MAX_LENGTH: usize = 256 * 1024;

/// What the places of all object types may take of it.
const POSITIONS: usize = 96 * 1024;

/// What a run adds to the watermark it starts from, before there is anything new: tenant, origin, what is asked for.
const ROOM: usize = 1024;

/// The version this connector writes.
const VERSION: u32 = 1;

const OURS: &str = "a checkpoint of this connector, byte for byte";

/// The whole text. Object types that have a member of their own beside `x` are looked up in `members`.
#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    x: Option<Extra>,
    #[serde(flatten)]
    members: BTreeMap<String, Value>,
}

#[derive(Serialize, Deserialize, Default)]
struct Extra {
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    origin: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    types: BTreeMap<String, Note>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    asked: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    done: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    repair: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    confirm: String,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    lacking: Vec<String>,
    /// Whole ids of soft-deleted objects: read, no longer written.
    #[serde(skip_serializing, default)]
    gone: Option<String>,
    /// Soft-deleted objects, six bytes each.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    away: Option<String>,
    /// There are more of them.
    #[serde(skip_serializing_if = "is_false", default)]
    away_more: bool,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    restored: String,
    /// There are more of them.
    #[serde(skip_serializing_if = "is_false", default)]
    restored_more: bool,
    /// Marks outside `types`, by the names they had: read, no longer written.
    #[serde(flatten, skip_serializing)]
    former: BTreeMap<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Watermark {
    /// Reads a host's text. The error never quotes it: links hold tokens.
    pub fn parse(text: &str) -> Result<Watermark, Error> {
        if text.len() > MAX_LENGTH {
            return Err(invalid("", format!("{} bytes", text.len()), format!("at most {MAX_LENGTH} bytes")));
        }
        let mut raw: Text = serde_json::from_str(text).map_err(|e| {
            let found = format!("text that is not a watermark (line {} column {})", e.line(), e.column());
            invalid("", found, OURS)
        })?;
        let links = types::ALL.iter().filter_map(|object_type| object_type.link_member);
        if raw.x.is_none() && !links.into_iter().any(|name| raw.members.contains_key(name)) {
            return Err(invalid("", "a JSON object without u, g and x", OURS));
        }
        let mut x = raw.x.take().unwrap_or(Extra { v: VERSION, ..Extra::default() });
        if x.v != VERSION {
            return Err(invalid("/x/v", x.v.to_string(), format!("{VERSION}: a newer connector wrote this watermark")));
        }
        let mut mark = Watermark::default();
        for object_type in types::ALL {
            let kept = kept(object_type, &mut raw.members, &mut x)?;
            if !kept.is_empty() {
                *mark.of_mut(object_type) = kept;
            }
        }
        mark.lists = lists(&x)?;
        mark.tenant = x.tenant;
        mark.origin = x.origin;
        mark.asked = x.asked;
        mark.done = x.done;
        mark.lacking = x.lacking;
        // The next watermark grows from this one and must not outgrow the contract.
        let length = mark.written(|_| false).len();
        if length > MAX_LENGTH - POSITIONS - ROOM {
            return Err(invalid("", format!("{length} bytes that are no places"), OURS));
        }
        Ok(mark)
    }

    /// The text for the host.
    pub fn to_text(&self) -> String {
        let mut places: Vec<(&str, usize)> = self.kept().map(|(name, mark)| (name, position_length(mark))).collect();
        places.sort_by_key(|(_, length)| *length);
        while places.iter().map(|(_, length)| length).sum::<usize>() > POSITIONS {
            places.pop();
        }
        self.written(|name| places.iter().any(|(kept, _)| *kept == name))
    }

    /// With the places of those object types that `with_position` names.
    fn written(&self, with_position: impl Fn(&str) -> bool) -> String {
        let lists = &self.lists;
        let mut links = Vec::new();
        let mut notes = BTreeMap::new();
        for (name, mark) in self.kept() {
            let mut note = Note::of(mark, with_position(name));
            match types::ALL.iter().find(|object_type| object_type.name == name).and_then(|it| it.link_member) {
                Some(member) => links.extend(mark.link.as_deref().map(|link| (member, link))),
                None => note.link.clone_from(&mark.link),
            }
            if !note.is_empty() {
                notes.insert(name.to_owned(), note);
            }
        }
        let x = Extra {
            v: VERSION,
            tenant: self.tenant.clone(),
            origin: self.origin.clone(),
            types: notes,
            asked: self.asked.clone(),
            done: self.done.clone(),
            repair: pack(lists.repair.iter().map(|r| with(r.group, r.failures))),
            confirm: pack(lists.confirm.iter().map(|id| id.0)),
            lacking: self.lacking.clone(),
            away: lists.gone.as_ref().map(|gone| pack(gone.ids())),
            away_more: lists.gone.as_ref().is_some_and(|gone| gone.incomplete),
            restored: pack(lists.restored.all.iter().take(RESTORED_PLACES).map(restored_bytes)),
            restored_more: lists.restored.is_too_long(),
            ..Extra::default()
        };
        // Strings and numbers into memory: there is nothing that could fail.
        serde_json::to_string(&Written { links, x }).unwrap_or_default()
    }
}

struct Written<'a> {
    links: Vec<(&'static str, &'a str)>,
    x: Extra,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = serializer.serialize_map(Some(self.links.len() + 1))?;
        for (member, link) in &self.links {
            text.serialize_entry(member, link)?;
        }
        text.serialize_entry("x", &self.x)?;
        text.end()
    }
}

/// The mark of an object type, wherever the text has it.
fn kept(object_type: &ObjectType, members: &mut BTreeMap<String, Value>, x: &mut Extra) -> Result<TypeMark, Error> {
    let not_a_mark = |path: String| invalid(&path, "what is no mark", OURS);
    let former = object_type.former_mark.and_then(|name| Some((name, x.former.remove(name)?)));
    let (path, note) = match (x.types.remove(object_type.name), former) {
        (Some(note), _) => (format!("/x/types/{}", object_type.name), note),
        (None, Some((_, Value::Null)) | None) => (String::new(), Note::default()),
        (None, Some((name, value))) => {
            let path = format!("/x/{name}");
            let note = serde_json::from_value(value).map_err(|_| not_a_mark(path.clone()))?;
            (path, note)
        }
    };
    let mut mark = note.mark().ok_or_else(|| invalid(&format!("{path}/unread"), "ids that cannot be read", OURS))?;
    let mut link_path = format!("{path}/link");
    if let Some(member) = object_type.link_member {
        link_path = format!("/{member}");
        mark.link = match members.remove(member) {
            None | Some(Value::Null) => None,
            Some(Value::String(link)) => Some(link),
            Some(_) => return Err(not_a_mark(link_path)),
        };
    }
    if let Some(link) = mark.link.as_deref().filter(|link| !has_room_for(link)) {
        return Err(invalid(&link_path, format!("a link of {} bytes", link.len()), "at most 8192 bytes"));
    }
    Ok(mark)
}

fn lists(x: &Extra) -> Result<Lists, Error> {
    let unreadable = |path: &'static str| move || invalid(path, "ids that cannot be read", OURS);
    let repair = unpack::<17>(&x.repair, PLACES).ok_or_else(unreadable("/x/repair"))?;
    let confirm = unpack::<16>(&x.confirm, PLACES).ok_or_else(unreadable("/x/confirm"))?;
    let restored = unpack::<17>(&x.restored, RESTORED_PLACES).ok_or_else(unreadable("/x/restored"))?;
    let restored: Option<Vec<_>> = restored.iter().map(restored_of).collect();
    let whole_ids = x.gone.as_deref().map(|text| unpack::<16>(text, PLACES).ok_or_else(unreadable("/x/gone")));
    let away = x.away.as_deref().map(|text| unpack::<6>(text, GONE_PLACES).ok_or_else(unreadable("/x/away")));
    let gone = match (away.transpose()?, whole_ids.transpose()?) {
        (Some(ids), _) => Some(Gone::of(ids, x.away_more)),
        (None, Some(ids)) => Some(Gone::of_ids(ids.iter().map(|bytes| id_of(bytes)))),
        (None, None) => None,
    };
    Ok(Lists {
        repair: repair.iter().map(|b| Repair { group: id_of(b), failures: b[16] }).collect(),
        confirm: confirm.iter().map(|b| id_of(b)).collect(),
        gone,
        restored: RestoredObjects { all: restored.ok_or_else(unreadable("/x/restored"))?, lost: x.restored_more },
        ..Lists::default()
    })
}

#[cfg(test)]
mod tests;
