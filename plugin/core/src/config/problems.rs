//! Mistakes, collected: where, what stands there, what may stand there.
//!
//! What stands there is itself a danger: AuthJson's values are never shown, only their type; a proxy's password is cut
//! out of ConfigJson's, and long values are cut short. A text can be 16 MiB of mistakes, so the list ends somewhere and
//! only counts from there.

use serde_json::Value;

use crate::error::{Document, Error, Kind, Problem};

/// Mistakes listed per document; the rest is counted.
const LISTED: usize = 100;
/// Characters shown of a value, and of an unknown key.
const SHOWN: usize = 80;
/// Mistakes spelt out in the error's message; all listed ones are in its `Problems`.
const IN_MESSAGE: usize = 3;

/// The mistakes of one document.
#[derive(Debug)]
pub(super) struct Problems {
    document: Document,
    listed: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    pub(super) fn new(document: Document) -> Problems {
        Problems { document, listed: Vec::new(), unlisted: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Whether further mistakes are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.listed.len() >= LISTED
    }

    pub(super) fn document(&self) -> Document {
        self.document
    }

    /// The document itself.
    pub(super) fn whole(&mut self) -> Place<'_> {
        Place { problems: self, path: String::new() }
    }

    /// A key of the document.
    pub(super) fn key(&mut self, key: &str) -> Place<'_> {
        self.whole().into_step(key)
    }
}

/// A place in a document, at which something may be wrong.
#[derive(Debug)]
pub(super) struct Place<'a> {
    problems: &'a mut Problems,
    path: String,
}

impl<'a> Place<'a> {
    /// An item of the array that stands here.
    pub(super) fn item(&mut self, index: usize) -> Place<'_> {
        Place { path: self.path.clone(), problems: self.problems }.into_step(&index.to_string())
    }

    /// Whether a mistake here is only counted, since enough are listed.
    pub(super) fn is_counted_only(&self) -> bool {
        self.problems.is_full()
    }

    /// This value is not what `expected` says.
    pub(super) fn refuse(&mut self, found: &Value, expected: impl Into<String>) {
        self.refuse_near(found, expected, None);
    }

    /// The same for a misspelt word.
    pub(super) fn refuse_near(&mut self, found: &Value, expected: impl Into<String>, nearest: Option<&str>) {
        let found = match self.problems.document {
            Document::Auth => type_of(found).to_owned(),
            _ => shown(found),
        };
        self.report(found, expected, nearest);
    }

    /// The same for a mistake that no value can show; `found` must hold nothing secret.
    pub(super) fn report(&mut self, found: impl Into<String>, expected: impl Into<String>, nearest: Option<&str>) {
        if self.problems.is_full() {
            self.problems.unlisted += 1;
            return;
        }
        self.problems.listed.push(Problem {
            document: self.problems.document,
            path: self.path.clone(),
            found: found.into(),
            expected: expected.into(),
            nearest: nearest.map(str::to_owned),
        });
    }

    // RFC 6901: `~` and `/` are escaped, in this order.
    fn into_step(mut self, step: &str) -> Place<'a> {
        self.path.push('/');
        self.path.push_str(&cut(step).replace('~', "~0").replace('/', "~1"));
        self
    }
}

/// Both documents' mistakes as one error.
pub(super) fn error(config: Problems, auth: Problems) -> Error {
    let unlisted = config.unlisted + auth.unlisted;
    let problems: Vec<Problem> = config.listed.into_iter().chain(auth.listed).collect();
    let mut message: Vec<String> = problems.iter().take(IN_MESSAGE).map(sentence).collect();
    let rest = problems.len() - message.len() + unlisted;
    if rest > 0 {
        message.push(format!("and {rest} more"));
    }
    Error { problems, ..Error::new(Kind::InvalidConfig, message.join("; ")) }
}

fn sentence(problem: &Problem) -> String {
    let document = match problem.document {
        Document::Auth => "AuthJson",
        _ => "ConfigJson",
    };
    let space = if problem.path.is_empty() { "" } else { " " };
    let nearest = problem.nearest.as_ref().map_or(String::new(), |nearest| format!(" (did you mean {nearest}?)"));
    format!("{document}{space}{}: found {}, expected {}{nearest}", problem.path, problem.found, problem.expected)
}

/// A value's type in words: all that is ever shown of AuthJson.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A value of ConfigJson as JSON, without the user-info of an address in it.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let Some(start) = text.find("://").map(|at| at + 3) else { return cut(&text) };
    match text[start..].rfind('@') {
        Some(end) => cut(&format!("{}…{}", &text[..start], &text[start + end..])),
        None => cut(&text),
    }
}

pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(document: Document, found: &Value) -> Problem {
        let mut problems = Problems::new(document);
        problems.key("a/b~c").item(2).refuse(found, "less");
        problems.listed.remove(0)
    }

    #[test]
    fn a_path_is_an_rfc_6901_pointer() {
        assert_eq!(one(Document::Config, &json!(1)).path, "/a~1b~0c/2");
    }

    #[test]
    fn a_value_of_auth_json_is_never_shown() {
        let problem = one(Document::Auth, &json!({"ClientSecret": "hush"}));
        assert_eq!(problem.found, "an object");
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        let problem = one(Document::Config, &json!("http://user:p@ss/w\"ord@proxy:8080"));
        assert_eq!(problem.found, "\"http://…@proxy:8080\"");
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let problem = one(Document::Config, &json!("ü".repeat(500)));
        assert_eq!(problem.found.chars().count(), SHOWN + 1);
    }

    #[test]
    fn mistakes_beyond_the_list_are_counted() {
        let mut problems = Problems::new(Document::Config);
        (0..LISTED + 7).for_each(|n| problems.key("k").item(n).refuse(&json!(n), "less"));
        let error = error(problems, Problems::new(Document::Auth));
        assert_eq!(error.problems.len(), LISTED);
        assert!(error.message.ends_with(&format!("and {} more", LISTED + 7 - IN_MESSAGE)), "{}", error.message);
    }
}
