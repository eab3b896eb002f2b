//! AuthJson. Input: the text; `CANARY` stands for a secret.
//!
//! Promises: those of ConfigJson, and that no value of the text, whatever key it stands under, is in an error or in
//! what `Debug` prints of the outcome.

use super::canary;
use super::config::{mistakes_point_into, read_twice};
use super::json::Json;
use crate::config::{Auth, Pem, parse};
use crate::error::Document;

const CONFIG: &str = r#"{"TenantId":"contoso.onmicrosoft.com"}"#;

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match read_twice(CONFIG, text) {
        Ok(setup) => {
            let client_id = match &setup.auth {
                Auth::ClientSecret { client_id, .. }
                | Auth::ClientCertificate { client_id, .. }
                | Auth::WorkloadIdentity { client_id, .. } => Some(client_id),
                Auth::ManagedIdentity { client_id } => client_id.as_ref(),
            };
            if let Some(client_id) = client_id {
                assert!(client_id.len() == 36 && client_id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit()));
                assert_eq!(*client_id, client_id.to_ascii_lowercase());
            }
            match &setup.auth {
                Auth::ClientSecret { client_secret, .. } => {
                    let secret = client_secret.expose();
                    assert!(!secret.is_empty() && secret.trim_matches(' ') == secret, "a secret nobody can have meant");
                    assert!(!secret.contains(|c: char| c.is_ascii_control()), "no header can carry it");
                }
                Auth::ClientCertificate { certificate, private_key, .. } => {
                    for pem in [certificate, private_key] {
                        assert!(!matches!(pem, Pem::File(path) if path.is_relative()), "relative to whose folder?");
                    }
                }
                Auth::WorkloadIdentity { token_file, .. } => assert!(token_file.is_absolute()),
                Auth::ManagedIdentity { .. } => {}
            }
        }
        Err(error) => mistakes_point_into(text, Document::Auth, &error),
    }
    if let Some(planted) = canary::planted(text)
        && only_in_values(&planted)
    {
        match parse(CONFIG, &planted) {
            Ok(setup) => assert!(!canary::shows(&format!("{setup:?}")), "Debug shows a secret"),
            Err(error) => assert!(!canary::shows_in(&error), "an error shows a secret: {error:?}"),
        }
    }
}

/// Names of unknown keys are shown, and so are references: the operator needs both.
fn only_in_values(text: &str) -> bool {
    let reference = |text: &str| text.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("secret://"));
    match Json::read(text.trim_start_matches('\u{feff}').as_bytes()) {
        Ok(json) => !canary::in_a_name(&json) && !canary::in_a_text(&json, &reference),
        // Of a text that is no JSON nothing is shown at all.
        Err(_) => true,
    }
}
