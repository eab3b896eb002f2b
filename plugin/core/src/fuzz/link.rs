//! Links out of answers and watermarks. Input: the link.
//!
//! Promises: what is followed has exactly the configured origin by the `url` crate's reading, which is the one that
//! sends it, and holds nothing that this reading drops or turns round without a word; it is kept byte for byte; cut for
//! a batch it addresses the same thing; `Debug` and refusals show no token.

use std::cell::Cell;

use url::{SyntaxViolation, Url};

use super::canary;
use crate::error::Kind;
use crate::graph::fuzzing::{follow, relative};

const ORIGINS: [&str; 5] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us:8443",
    "http://127.0.0.1:8080",
    "http://[::1]:9",
    "http://localhost",
];

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for origin in ORIGINS {
        followed_or_refused(origin, text);
        // The engine need not learn the origins by heart.
        followed_or_refused(origin, &format!("{origin}{text}"));
    }
}

fn followed_or_refused(origin: &str, text: &str) {
    match follow(origin, text) {
        Ok(link) => {
            assert_eq!(link.as_str(), text, "kept byte for byte");
            let sent = at_home(origin, text);
            let cut = Url::parse(&format!("{origin}/v1.0{}", relative(&link))).expect("the item of a batch");
            assert_eq!(cut, sent, "in a batch it addresses something else");
        }
        Err(error) => {
            assert_eq!(error.error.kind, Kind::Service);
            assert!(error.error.message.chars().count() < 500, "{error:?}");
        }
    }
    // Of a token no more than its first letters is shown.
    let hidden = format!("{origin}/v1.0/users/delta?$deltatoken=abcdefCANARY{text}");
    if text.contains("CANARY") {
        // It may stand in the name of an option, which is shown.
    } else if let Some(hidden) = canary::planted(&hidden) {
        match follow(origin, &hidden) {
            Ok(link) => assert!(!canary::shows(&format!("{link:?}")), "Debug shows a token: {link:?}"),
            Err(error) => assert!(!canary::shows_in(&error.error), "a refusal shows a token: {error:?}"),
        }
    }
}

/// The link as it would be sent, which must be at `origin`.
pub(super) fn at_home(origin: &str, link: &str) -> Url {
    let mended = Cell::new(None);
    let note = |violation| {
        use SyntaxViolation::{Backslash, C0SpaceIgnored, TabOrNewlineIgnored};
        if matches!(violation, Backslash | C0SpaceIgnored | TabOrNewlineIgnored) {
            mended.set(Some(violation));
        }
    };
    let sent = Url::options().syntax_violation_callback(Some(&note)).parse(link).expect("followed, and no URL");
    assert_eq!(mended.get(), None, "{link} is sent otherwise than it is written");
    assert_eq!(sent.origin(), Url::parse(origin).expect("an origin").origin(), "{link} leads elsewhere");
    assert!(sent.username().is_empty() && sent.password().is_none(), "{link} names a user");
    assert!(sent.path().starts_with("/v1.0/"), "{link} leads to {}", sent.path());
    sent
}
