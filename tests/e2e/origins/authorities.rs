//! Whose certificates are believed: the system's store and `CaFile` beside it. A bare container has no store; then the
//! error says what to do, and `CaFile` alone is enough.

use connector_abi::*;
use host_harness::simulator::World;

use super::proxy::import_with;
use crate::world::{Tenant, drain};

/// An environment in which the system's store is nowhere to be found.
const BARE: [(&str, &str); 2] = [("SSL_CERT_FILE", "/nonexistent/ca.pem"), ("SSL_CERT_DIR", "/nonexistent/certs")];

fn world(https: bool) -> World {
    World { users: 6, groups: 4, edges: 12, https, ..World::gentle() }
}

#[test]
fn without_a_store_the_error_names_package_and_key() {
    let found = import_with(&Tenant::of(world(true)), &BARE);
    let message = found["error"]["Message"].as_str().unwrap();
    assert_eq!(found["status"], CONNECTOR_E_NETWORK, "{found}");
    assert!(message.contains("ca-certificates") && message.contains("CaFile"), "{message}");
}

#[test]
fn without_a_store_a_ca_file_is_enough() {
    let tenant = Tenant::of(world(true));
    let ca_file = tenant.folder().join("ca.pem");
    std::fs::write(&ca_file, tenant.sim.ca_pem().unwrap()).unwrap();
    let found = import_with(&tenant.with("CaFile", ca_file.to_str().unwrap()), &BARE);
    assert_eq!((&found["status"], &found["users"]), (&CONNECTOR_END.into(), &6.into()), "{found}");
}

#[test]
fn a_ca_file_stands_beside_the_systems_store_and_not_in_its_place() {
    let (tenant, other) = (Tenant::of(world(true)), Tenant::of(world(true)));
    let [store, ca_file] = ["store.pem", "ca.pem"].map(|name| tenant.folder().join(name));
    std::fs::write(&store, tenant.sim.ca_pem().unwrap()).unwrap();
    std::fs::write(&ca_file, other.sim.ca_pem().unwrap()).unwrap();
    let environment = [("SSL_CERT_FILE", store.to_str().unwrap()), BARE[1]];
    let found = import_with(&tenant.with("CaFile", ca_file.to_str().unwrap()), &environment);
    assert_eq!((&found["status"], &found["users"]), (&CONNECTOR_END.into(), &6.into()), "{found}");
}

#[test]
fn without_a_store_plain_http_on_this_machine_needs_none() {
    let found = import_with(&Tenant::of(world(false)), &BARE);
    assert_eq!((&found["status"], &found["users"]), (&CONNECTOR_END.into(), &6.into()), "{found}");
}

#[test]
fn an_authority_that_nobody_vouches_for_is_refused_with_the_key_that_helps() {
    let tenant = Tenant::of(world(true));
    let other = Tenant::of(world(true));
    let ca_file = tenant.folder().join("ca.pem");
    std::fs::write(&ca_file, other.sim.ca_pem().unwrap()).unwrap();
    let tenant = tenant.with("CaFile", ca_file.to_str().unwrap());
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_NETWORK);
    let message = pulled.error()["Message"].as_str().unwrap();
    assert!(message.contains("is not trusted") && message.contains("CaFile"), "{message}");
    assert!(tenant.sim.journal().is_empty(), "no secret without a certificate");
}

#[test]
fn a_ca_file_that_cannot_be_used_is_refused_by_its_key() {
    let tenant = Tenant::of(world(true));
    let missing = tenant.folder().join("nowhere.pem");
    let (_, error) = tenant.with("CaFile", missing.to_str().unwrap()).refused(None);
    assert_eq!(
        (&error["Code"], &error["Problems"][0]["Path"]),
        (&"InvalidConfig".into(), &"/CaFile".into()),
        "{error}"
    );

    let torn = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for bad in ["", "no PEM at all", torn, "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
        let tenant = Tenant::of(world(true));
        let ca_file = tenant.folder().join("bad.pem");
        std::fs::write(&ca_file, bad).unwrap();
        let tenant = tenant.with("CaFile", ca_file.to_str().unwrap());
        let error = match tenant.start(None) {
            Err(refused) => serde_json::from_str(&refused.error_json).unwrap(),
            Ok(operation) => drain(operation).error().clone(),
        };
        assert_eq!(error["Code"], "InvalidConfig", "{bad:?}: {error}");
        assert!(error["Message"].as_str().unwrap().contains("CaFile"), "{bad:?}: {error}");
        assert!(tenant.sim.journal().is_empty(), "nobody is asked with half of what was configured");
    }
}
