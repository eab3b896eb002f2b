//! What each `Mode` makes of the other keys: needed, optional, one of two, or out of place.
//!
//! One table, from which come the parser's verdicts, the words for operators and the schema's conditions; a mode that
//! is added here is known everywhere. A key that is null counts as absent.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::super::choice::Words;
use super::RawAuth;

/// `Mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Mode {
    ClientSecret,
    ClientCertificate,
    ManagedIdentity,
    WorkloadIdentity,
}

impl Words for Mode {
    const WORDS: &'static [(&'static str, Mode)] = &[
        ("ClientSecret", Mode::ClientSecret),
        ("ClientCertificate", Mode::ClientCertificate),
        ("ManagedIdentity", Mode::ManagedIdentity),
        ("WorkloadIdentity", Mode::WorkloadIdentity),
    ];
}

/// The keys of a mode besides `Mode`.
struct Keys {
    needed: &'static [&'static str],
    optional: &'static [&'static str],
    /// Exactly one of each two.
    either: &'static [[&'static str; 2]],
}

/// What a mode makes of a key.
pub(super) enum Part {
    Needed,
    Optional,
    /// Needed, unless this other key is there.
    EitherOr(&'static str),
    Foreign,
}

impl Mode {
    fn keys(self) -> Keys {
        match self {
            Mode::ClientSecret => Keys { needed: &["ClientId", "ClientSecret"], optional: &[], either: &[] },
            Mode::ClientCertificate => Keys {
                needed: &["ClientId"],
                optional: &[],
                either: &[["Certificate", "CertificateFile"], ["PrivateKey", "PrivateKeyFile"]],
            },
            Mode::ManagedIdentity => Keys { needed: &[], optional: &["ClientId"], either: &[] },
            Mode::WorkloadIdentity => Keys { needed: &["ClientId", "TokenFile"], optional: &[], either: &[] },
        }
    }

    pub(super) fn part(self, key: &'static str) -> Part {
        let keys = self.keys();
        if keys.needed.contains(&key) {
            Part::Needed
        } else if keys.optional.contains(&key) {
            Part::Optional
        } else if let Some([one, two]) = keys.either.iter().find(|two| two.contains(&key)) {
            Part::EitherOr(if *one == key { two } else { one })
        } else {
            Part::Foreign
        }
    }

    /// Which of two keys is read first, and therefore complained about.
    pub(super) fn comes_first(self, key: &'static str, other: &'static str) -> bool {
        self.keys().either.contains(&[key, other])
    }

    pub(super) fn word(self) -> &'static str {
        Mode::WORDS.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }

    /// The keys, in words that end the sentence "expected …".
    pub(super) fn wants(self) -> String {
        let keys = self.keys();
        let mut wants: Vec<String> = keys.needed.iter().map(|key| (*key).to_owned()).collect();
        wants.extend(keys.either.iter().map(|[one, two]| format!("{one} or {two}")));
        wants.extend(keys.optional.iter().map(|key| format!("if need be {key}")));
        format!("beside Mode: {}, and nothing else", wants.join("; "))
    }
}

/// Says the same in the schema, one condition for each mode.
pub(super) fn bind(schema: &mut Schema) {
    let conditions: Vec<Value> = Mode::WORDS.iter().map(|(word, mode)| condition(word, *mode)).collect();
    schema.insert("allOf".to_owned(), conditions.into());
}

fn condition(word: &str, mode: Mode) -> Value {
    let there = json!({ "not": { "type": "null" } });
    let keys = mode.keys();
    let mut properties = Map::new();
    for key in RawAuth::KEYS.iter().filter(|key| **key != "Mode") {
        match mode.part(key) {
            Part::Needed => drop(properties.insert((*key).to_owned(), there.clone())),
            Part::Foreign => drop(properties.insert((*key).to_owned(), json!({ "type": "null" }))),
            Part::Optional | Part::EitherOr(_) => {}
        }
    }
    let mut then = json!({ "properties": properties, "required": keys.needed });
    let present = |key: &str| json!({ "properties": { key: there }, "required": [key] });
    if !keys.either.is_empty() {
        let either = keys.either.iter().map(|two| json!({ "oneOf": two.map(present) }));
        then["allOf"] = either.collect();
    }
    json!({ "if": { "properties": { "Mode": { "const": word } }, "required": ["Mode"] }, "then": then })
}
