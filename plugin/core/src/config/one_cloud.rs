//! Endpoint, authority and scope belong to one cloud: an address of another one is refused by name.
//!
//! Each of the three may be replaced alone, by a gateway or a simulator that nobody here knows. But Graph of one of
//! Microsoft's clouds beside the token service of another can only fail, after a sign-in that sent the secret to the
//! wrong cloud, and with words (`InvalidAuthenticationToken`) that name no key. So what is known to belong elsewhere is
//! refused before a request. The schema says the same ([`bind`]); what it compares is spelling, so every spelling that
//! means such an address stands in its patterns.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::choice::Words;
use super::cloud::Cloud;
use super::problems::Problems;

/// An address that `Cloud` decides.
struct Part {
    key: &'static str,
    of: fn(Cloud) -> String,
    /// What may follow the host, as a pattern.
    ends: &'static str,
}

const PARTS: [Part; 3] = [
    Part { key: "GraphEndpoint", of: |cloud| cloud.graph().to_owned(), ends: "(:443)?/?" },
    Part { key: "AuthorityHost", of: |cloud| cloud.authority().to_owned(), ends: "(:443)?/?" },
    Part { key: "GraphScope", of: Cloud::scope, ends: r"(:443)?/*/\.default" },
];

/// Refuses each address that belongs to another cloud. The addresses are in the order of the keys, where they were
/// written.
pub(super) fn check(cloud: Cloud, written: [Option<&str>; 3], problems: &mut Problems) {
    for (part, text) in PARTS.iter().zip(written).filter_map(|(part, text)| Some((part, text?))) {
        let own = (part.of)(cloud);
        let owners: Vec<String> = clouds()
            .filter(|(_, other)| same(text, &(part.of)(*other)))
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        if owners.is_empty() || same(text, &own) {
            continue;
        }
        let (key, word) = (part.key, word(cloud));
        let instead = format!(
            "{own}, which belongs to Cloud \"{word}\" (this one is that of {}: set Cloud and leave {key} out; addresses of \
             two clouds do not work together)",
            owners.join(" and ")
        );
        problems.key(key).report(format!("\"{text}\""), instead, None);
    }
}

/// Whether two texts are one address: host names have no case, 443 is the port of https, a slash at the end says
/// nothing.
fn same(text: &str, known: &str) -> bool {
    let bare = |text: &str| {
        let text = text.strip_suffix("/.default").unwrap_or(text).trim_end_matches('/').to_ascii_lowercase();
        text.strip_suffix(":443").unwrap_or(&text).to_owned()
    };
    bare(text) == bare(known)
}

fn clouds() -> impl Iterator<Item = (&'static str, Cloud)> {
    Cloud::WORDS.iter().copied()
}

fn word(cloud: Cloud) -> &'static str {
    clouds().find(|(_, other)| *other == cloud).map_or("", |(word, _)| word)
}

/// Says the same in the schema, one condition for each cloud, and shows the addresses.
pub(super) fn bind(schema: &mut Schema) {
    let conditions: Vec<Value> = clouds().map(|(word, cloud)| condition(word, cloud)).collect();
    schema.insert("allOf".to_owned(), conditions.into());
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for part in &PARTS {
        let text = properties.get_mut(part.key).and_then(|property| property["anyOf"].get_mut(0));
        if let Some(text) = text {
            text["examples"] = distinct(clouds().map(|(_, cloud)| (part.of)(cloud))).into();
        }
    }
}

fn condition(word: &str, cloud: Cloud) -> Value {
    let mut properties = Map::new();
    for part in &PARTS {
        let own = (part.of)(cloud);
        let others = distinct(clouds().map(|(_, other)| (part.of)(other)).filter(|other| *other != own));
        let hosts: Vec<String> = others.iter().map(|other| in_any_case(host(other))).collect();
        let pattern = format!("^{}({}){}$", in_any_case("https://"), hosts.join("|"), part.ends);
        properties.insert(part.key.to_owned(), json!({ "not": { "type": "string", "pattern": pattern } }));
    }
    let mut condition =
        json!({ "if": { "properties": { "Cloud": { "const": word } } }, "then": { "properties": properties } });
    // A cloud that is not named is the default one.
    if cloud != Cloud::default() {
        condition["if"]["required"] = json!(["Cloud"]);
    }
    condition
}

fn host(address: &str) -> &str {
    let host = address.trim_start_matches("https://");
    host.split('/').next().unwrap_or(host)
}

/// Patterns in a schema have no flag for that.
fn in_any_case(text: &str) -> String {
    let letter = |c: char| match c {
        'a'..='z' => format!("[{}{c}]", c.to_ascii_uppercase()),
        '.' => r"\.".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(letter).collect()
}

fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}
