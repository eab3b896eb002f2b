//! Every `Mode` of AuthJson through the loaded library: imports that equal the tenant, and mistakes made on purpose.
//!
//! The simulator verifies what it is shown: signature, thumbprint, audience, times, an id that never comes twice. Keys
//! are those of `tests/keys`; certificates for them are made here.

mod certificate;
mod managed_identity;
mod tokens;
mod workload_identity;

use host_harness::simulator::{Exchange, Route, SignIn, World};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};

use crate::world::Tenant;

const ONE: &str = include_str!("../../keys/one.pem");
const TWO: &str = include_str!("../../keys/two.pem");

/// A certificate for a key, in force from and to the first day of these years.
fn certificate_of(key: &str, years: [i32; 2]) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    params.self_signed(&KeyPair::from_pem(key).unwrap()).unwrap().pem()
}

/// A small tenant that trusts what `sign_in` says, with the keys of AuthJson that `mode` names beside `Mode`.
fn tenant_of(sign_in: SignIn, mode: &str, keys: Value) -> Tenant {
    let world = World { users: 30, groups: 5, edges: 60, sign_in, ..World::gentle() };
    let mut tenant = Tenant::of(world).with_auth("Mode", mode).with_auth("ClientSecret", Value::Null);
    for (key, value) in keys.as_object().unwrap() {
        tenant = tenant.with_auth(key, value.clone());
    }
    tenant
}

/// The requests for tokens, at the token service or the platform.
fn token_requests(tenant: &Tenant) -> Vec<Exchange> {
    let asked = tenant.sim.journal().into_iter();
    asked.filter(|x| matches!(x.route, Route::Token | Route::ManagedIdentity)).collect()
}

#[test]
fn describe_names_every_mode() {
    let described: Value = serde_json::from_str(&crate::world::connector().describe().unwrap()).unwrap();
    let modes = json!(["ClientSecret", "ClientCertificate", "ManagedIdentity", "WorkloadIdentity"]);
    assert_eq!((&described["AuthModes"], &described["AuthSchema"]["properties"]["Mode"]["enum"]), (&modes, &modes));
}

#[test]
fn keys_of_two_modes_are_refused_by_name_with_what_the_mode_wants() {
    let (_, error) = Tenant::small().with_auth("TokenFile", "/run/token").with_auth("PrivateKey", "hush").refused(None);
    let problems = error["Problems"].as_array().unwrap();
    let paths: Vec<_> = problems.iter().map(|problem| problem["Path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/PrivateKey", "/TokenFile"]);
    assert!(problems.iter().all(|p| p["Expected"].as_str().unwrap().contains("ClientId; ClientSecret")), "{error:#}");
    assert!(!error.to_string().contains("hush") && !error.to_string().contains("/run/token"));
}

#[test]
fn schema_and_loaded_parser_agree_in_every_mode() {
    let described: Value = serde_json::from_str(&crate::world::connector().describe().unwrap()).unwrap();
    let validator = jsonschema::validator_for(&described["AuthSchema"]).unwrap();
    let id = "c0ffee00-0000-4000-8000-000000000001";
    let keys = [
        ("ClientId", json!(id)),
        ("ClientSecret", json!("x")),
        ("Certificate", json!(certificate_of(ONE, [2020, 2090]))),
        ("CertificateFile", json!("/nowhere/certificate.pem")),
        ("PrivateKey", json!(ONE)),
        ("PrivateKeyFile", json!("/nowhere/key.pem")),
        ("TokenFile", json!("/nowhere/token")),
    ];
    let tenant = Tenant::small();
    let config = tenant.config();
    let mut accepted = 0;
    for mode in ["ClientSecret", "ClientCertificate", "ManagedIdentity", "WorkloadIdentity", "Kerberos"] {
        for chosen in 0..1_u32 << keys.len() {
            let mut document = json!({ "Mode": mode });
            let there = keys.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1);
            there.for_each(|(_, (key, value))| document[key] = value.clone());
            let auth = document.to_string();
            let request = host_harness::connector::StartRequest { config: &config, auth: &auth, ..Default::default() };
            // A file that is named and not there is no matter of the schema.
            let refused = crate::world::connector().check(&request).err().is_some_and(|error| {
                !error.error_json.contains("cannot be read") || error.error_json.contains("no use for")
            });
            assert_eq!(validator.is_valid(&document), !refused, "{mode} {chosen:b}");
            accepted += u32::from(!refused);
        }
    }
    assert_eq!(accepted, 1 + 4 + 2 + 1);
}
