//! The text a host stores between runs: the two delta links, and what is needed to judge them.
//!
//! `{"u":"<users delta link>","g":"<groups delta link>","x":{…}}`. The links stand byte for byte as Graph gave them, never
//! taken apart or encoded anew: Graph answers a mangled token with the words of an expired one. Everything of ours is in
//! `x`, so that a watermark of just the two links, as another implementation stored it, can be read too.

use serde::{Deserialize, Serialize};

use crate::error::{Document, Error, Kind, Problem};

/// No watermark is longer, whatever the tenant.
pub(super) const MAX_LENGTH: usize = 64 * 1024;

/// The version this connector writes.
const VERSION: u32 = 1;

/// Which feed a link belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `u`.
    Users,
    /// `g`.
    Groups,
}

/// One feed's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The delta link.
    pub link: String,
    /// What was asked for; `None` in a watermark of just links.
    pub fingerprint: Option<String>,
    /// When Graph gave the link: seconds since 1970, by Graph's clock.
    pub at: Option<u64>,
}

/// What a run starts from or leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermark {
    /// Directory GUID, lower case; `None` in a watermark of just links.
    pub tenant: Option<String>,
    /// Graph origin; `None` in a watermark of just links.
    pub origin: Option<String>,
    /// The users feed.
    pub users: Option<Entry>,
    /// The groups feed.
    pub groups: Option<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Text {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    u: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    g: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    x: Option<Extra>,
}

#[derive(Serialize, Deserialize)]
struct Extra {
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    users: Option<Note>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    groups: Option<Note>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    #[serde(rename = "for")]
    fingerprint: String,
    at: u64,
}

impl Watermark {
    /// Reads a host's text. The error never quotes it: links hold tokens.
    pub fn parse(text: &str) -> Result<Watermark, Error> {
        if text.len() > MAX_LENGTH {
            return Err(invalid("", format!("{} bytes", text.len()), format!("at most {MAX_LENGTH} bytes")));
        }
        let raw: Text = serde_json::from_str(text).map_err(|e| {
            invalid(
                "",
                format!("text that is not a watermark (line {} column {})", e.line(), e.column()),
                "a checkpoint of this connector, byte for byte",
            )
        })?;
        if raw.u.is_none() && raw.g.is_none() && raw.x.is_none() {
            return Err(invalid(
                "",
                "a JSON object without u, g and x",
                "a checkpoint of this connector, byte for byte",
            ));
        }
        let extra = raw.x;
        if let Some(x) = extra.as_ref().filter(|x| x.v != VERSION) {
            return Err(invalid("/x/v", x.v.to_string(), format!("{VERSION}: a newer connector wrote this watermark")));
        }
        let (tenant, origin, users, groups) = match extra {
            Some(x) => (x.tenant, x.origin, x.users, x.groups),
            None => (None, None, None, None),
        };
        let entry = |link: Option<String>, note: Option<Note>| {
            link.map(|link| {
                let (fingerprint, at) = note.map_or((None, None), |n| (Some(n.fingerprint), Some(n.at)));
                Entry { link, fingerprint, at }
            })
        };
        Ok(Watermark { tenant, origin, users: entry(raw.u, users), groups: entry(raw.g, groups) })
    }

    /// The text for the host.
    pub fn to_text(&self) -> String {
        let note = |entry: &Option<Entry>| {
            entry.as_ref().and_then(|e| Some(Note { fingerprint: e.fingerprint.clone()?, at: e.at.unwrap_or(0) }))
        };
        let text = Text {
            u: self.users.as_ref().map(|e| e.link.clone()),
            g: self.groups.as_ref().map(|e| e.link.clone()),
            x: Some(Extra {
                v: VERSION,
                tenant: self.tenant.clone(),
                origin: self.origin.clone(),
                users: note(&self.users),
                groups: note(&self.groups),
            }),
        };
        // Strings and numbers into memory: there is nothing that could fail.
        serde_json::to_string(&text).unwrap_or_default()
    }

    /// A feed's place.
    pub fn entry(&self, key: Key) -> Option<&Entry> {
        match key {
            Key::Users => self.users.as_ref(),
            Key::Groups => self.groups.as_ref(),
        }
    }

    /// Sets or removes a feed's place.
    pub fn set(&mut self, key: Key, entry: Option<Entry>) {
        match key {
            Key::Users => self.users = entry,
            Key::Groups => self.groups = entry,
        }
    }
}

/// `InvalidWatermark` with one problem.
pub(super) fn invalid(path: &str, found: impl Into<String>, expected: impl Into<String>) -> Error {
    let (found, expected) = (found.into(), expected.into());
    let message = format!(
        "the watermark cannot be used: found {found}, expected {expected}; import in full, without a watermark"
    );
    let mut error = Error::new(Kind::InvalidWatermark, message);
    error.problems.push(Problem {
        document: Document::Watermark,
        path: path.to_owned(),
        found,
        expected,
        nearest: None,
    });
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_come_back_byte_for_byte() {
        let link = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=a+b%2Bc=\"é";
        let entry = Entry { link: link.into(), fingerprint: Some("f".into()), at: Some(7) };
        let mark = Watermark { users: Some(entry), tenant: Some("t".into()), ..Watermark::default() };
        assert_eq!(Watermark::parse(&mark.to_text()).unwrap(), mark);
    }

    #[test]
    fn just_the_two_links_are_a_watermark() {
        let mark = Watermark::parse(r#"{"u":"a","g":"b"}"#).unwrap();
        assert_eq!(mark.users.unwrap(), Entry { link: "a".into(), fingerprint: None, at: None });
    }

    #[test]
    fn what_is_not_ours_is_refused_without_quoting_it() {
        for text in ["", "{}", "[1]", "SECRET", r#"{"u":7}"#, r#"{"x":{"v":2}}"#, r#"{"x":7}"#] {
            let error = Watermark::parse(text).unwrap_err();
            assert_eq!(error.kind, Kind::InvalidWatermark, "{text}");
            assert!(!error.message.contains("SECRET"));
        }
        assert!(Watermark::parse(&format!("{{\"u\":\"{}\"}}", "x".repeat(MAX_LENGTH))).is_err());
    }
}
