//! What an access token says of itself: the directory it was issued for (`tid`) and the application permissions it
//! carries (`roles`).
//!
//! Microsoft asks clients not to rely on what stands in a token for Graph, since its form may change
//! (`entra/identity-platform/access-tokens`). So `tid` can only refuse a plain contradiction and `roles` can only prove
//! that a permission is there: a token that cannot be read proves nothing.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::guid::guid;

#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow, default)]
    tid: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    roles: Vec<Cow<'a, str>>,
}

/// The directory's GUID in lower case; `None` if the token is no readable JWT (RFC 7519 §3) with such a claim.
pub(crate) fn directory_of(token: &str) -> Option<String> {
    read(token, |claims| guid(&claims.tid?))
}

/// Whether the token says that it carries an application permission.
pub(crate) fn has_role(token: &str, role: &str) -> bool {
    read(token, |claims| claims.roles.iter().any(|held| held == role).then_some(())).is_some()
}

fn read<R>(token: &str, take: impl FnOnce(Claims<'_>) -> Option<R>) -> Option<R> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let decoded = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?);
    take(serde_json::from_slice(&decoded).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("eyJ0eXAiOiJKV1QifQ.{}.c2lnbmVk", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn tid_of_a_jwt_is_read_in_lower_case() {
        let named = token(r#"{"aud":"x","tid":"3A5C7E9B-1D2F-4A6B-8C0D-2E4F60718293","roles":[]}"#);
        assert_eq!(directory_of(&named).as_deref(), Some("3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293"));
        let padded = named.replacen(".c2", "==.c2", 1);
        assert_eq!(directory_of(&padded), directory_of(&named));
    }

    #[test]
    fn role_is_proven_only_by_a_token_that_names_it() {
        let named = token(r#"{"roles":["User.Read.All","Member.Read.Hidden"]}"#);
        assert!(has_role(&named, "Member.Read.Hidden") && !has_role(&named, "Member.Read"));
        for other in [token(r#"{"roles":"Member.Read.Hidden"}"#), token("{}"), "opaque".to_owned()] {
            assert!(!has_role(&other, "Member.Read.Hidden"));
        }
    }

    #[test]
    fn token_of_another_form_names_no_directory() {
        let good = token(r#"{"tid":"3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293"}"#);
        let odd = [r#"{"aud":"x"}"#, r#"{"tid":null}"#, r#"{"tid":7}"#, r#"{"tid":"contoso.com"}"#, "{", "[]"];
        let odd = odd.map(token);
        let forms = [String::new(), "opaque".into(), "a.b.c".into(), format!("{good}.x.y"), good.replacen('.', "", 1)];
        for token in odd.iter().chain(&forms) {
            assert_eq!(directory_of(token), None, "{token}");
        }
    }
}
