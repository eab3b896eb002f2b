//! Redirects, and headers that name another address: nothing of them is followed, whoever sends them.

use connector_abi::*;

use super::Stage;
use crate::relay::{Answered, Asked};

const MARK: &str = "trick-0816";

/// Who answers with the redirect.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Token,
    OpenId,
    Page,
    Batch,
    /// The outer answer is a 200, and this stands inside.
    BatchItem,
}

impl Place {
    const ALL: [Place; 5] = [Place::Token, Place::OpenId, Place::Page, Place::Batch, Place::BatchItem];

    fn is(self, asked: &Asked) -> bool {
        match self {
            Place::Token => asked.target.ends_with("/oauth2/v2.0/token"),
            Place::OpenId => asked.target.contains("/.well-known/"),
            Place::Page => asked.target.starts_with("/v1.0/users"),
            Place::Batch | Place::BatchItem => asked.target.starts_with("/v1.0/$batch"),
        }
    }

    fn put(self, status: u16, location: &str, asked: &Asked, answered: &mut Answered) {
        if !self.is(asked) {
            return;
        }
        if self == Place::BatchItem {
            let mut body = answered.json();
            let item = &mut body["responses"][0];
            item["status"] = status.into();
            for name in NAMES {
                item["headers"][name] = location.into();
            }
            if status >= 300 {
                item["body"] = serde_json::Value::Null;
            }
            return answered.set_json(&body);
        }
        answered.status = status;
        answered.headers.extend(NAMES.map(|name| (name.to_owned(), location.to_owned())));
        if status >= 300 {
            answered.body = b"Moved.".to_vec();
        }
    }
}

/// Headers that name an address some client somewhere goes to.
const NAMES: [&str; 3] = ["Location", "Content-Location", "Operation-Location"];

fn locations(stage: &Stage) -> [String; 5] {
    let (home, other) = (stage.relay.port(), stage.elsewhere.port);
    let path = format!("/v1.0/users?{MARK}");
    [
        format!("http://127.0.0.1:{other}{path}"),
        format!("//127.0.0.1:{other}{path}"),
        format!("https://localhost:{home}{path}"),
        // Even at home: what Graph did not give as a link is not one.
        format!("http://127.0.0.1:{home}{path}"),
        path,
    ]
}

#[test]
fn no_redirect_is_followed_from_anywhere() {
    let stage = Stage::new();
    let domain = stage.tenant.sim.domain();
    let stage = stage.with("TenantId", domain);
    for place in Place::ALL {
        for status in [300, 301, 302, 303, 305, 307, 308] {
            for location in locations(&stage) {
                let about = format!("{status} to {location} from {place:?}");
                stage.relay.rewrite(move |asked, answered| place.put(status, &location, asked, answered));
                let pulled = stage.tenant.pull(None);
                stage.assert_nobody_went(MARK, &about);
                let (error, code) = match place {
                    Place::Token | Place::OpenId => (pulled.error().clone(), pulled.status),
                    Place::Page => (pulled.failure("User").clone(), CONNECTOR_E_SERVICE),
                    Place::Batch => (pulled.failure("GroupMember").clone(), CONNECTOR_E_SERVICE),
                    Place::BatchItem => {
                        assert_eq!(pulled.end("GroupMember")["UnreadScopes"], 1, "{about}: {}", pulled.result);
                        (pulled.of("Issue", "GroupMember").next().unwrap().clone(), pulled.status)
                    }
                };
                let message = error["Message"].as_str().unwrap_or_default();
                assert!(message.contains("redirect") && !message.contains(MARK), "{about}: {error}");
                assert!(code < 0 || place == Place::BatchItem, "{about}");
            }
        }
    }
}

#[test]
fn an_address_in_a_header_of_a_success_is_not_looked_at() {
    let stage = Stage::new();
    for place in [Place::Token, Place::Page, Place::Batch, Place::BatchItem] {
        for status in [200, 201, 202] {
            for location in locations(&stage) {
                let about = format!("{status} with {location} from {place:?}");
                let refresh = format!("0; url={location}");
                let other = stage.elsewhere.port;
                stage.relay.rewrite(move |asked, answered| {
                    place.put(status, &location, asked, answered);
                    let also = [("Refresh", refresh.clone()), ("Alt-Svc", format!("http/1.1=\"127.0.0.1:{other}\""))];
                    answered.headers.extend(also.map(|(name, value)| (name.to_owned(), value)));
                });
                let pulled = stage.tenant.pull(None);
                stage.assert_nobody_went(MARK, &about);
                assert_eq!(pulled.status, CONNECTOR_END, "{about}: {}", pulled.result);
            }
        }
    }
}

#[test]
fn the_secret_goes_to_the_configured_token_service_whatever_the_openid_configuration_names() {
    let stage = Stage::new();
    let (domain, elsewhere) = (stage.tenant.sim.domain(), format!("http://127.0.0.1:{}", stage.elsewhere.port));
    let stage = stage.with("TenantId", domain);
    stage.relay.rewrite(move |asked, answered| {
        if Place::OpenId.is(asked) {
            let mut body = answered.json();
            let mut named = 0;
            for (name, value) in body.as_object_mut().unwrap() {
                if name.ends_with("_endpoint") || name.ends_with("_uri") || name == "msgraph_host" {
                    *value = elsewhere.clone().into();
                    named += 1;
                }
            }
            assert!(named >= 3, "{body}");
            answered.set_json(&body);
        }
    });
    assert_eq!(stage.tenant.pull(None).status, CONNECTOR_END);
    stage.assert_nobody_went(MARK, "an OpenID configuration with other endpoints");
}
