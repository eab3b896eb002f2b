//! The token goes to the configured origin and nowhere else: each way in which an address reaches the connector, each
//! trick an address can play, and listeners that would have seen a connection.
//!
//! ```text
//! tricks      what a link may look like           links       in pages, batches and watermarks
//! elsewhere   who must never be called            redirects   in status 3xx and in headers
//! proxy       through a gateway, or past it       authorities CaFile and the system's store
//! ```

// Where the system's store is found through the environment.
#[cfg(all(unix, not(target_vendor = "apple")))]
mod authorities;
mod elsewhere;
mod links;
mod mistyped;
mod proxy;
mod redirects;
mod tricks;

use connector_abi::CONNECTOR_END;
use host_harness::simulator::World;

use self::elsewhere::Elsewhere;
use crate::relay::Relay;
use crate::world::Tenant;

/// A small tenant behind a relay, with listeners around it.
struct Stage {
    tenant: Tenant,
    relay: Relay,
    elsewhere: Elsewhere,
}

impl Stage {
    fn new() -> Stage {
        Stage::of(World { users: 6, groups: 4, edges: 12, ..World::gentle() })
    }

    fn of(world: World) -> Stage {
        let tenant = Tenant::of(world);
        let relay = Relay::before(&tenant.sim.origin());
        let elsewhere = Elsewhere::around(relay.port());
        let tenant = tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin());
        Stage { tenant: tenant.with("MaxRetries", 0), relay, elsewhere }
    }

    fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Stage {
        self.tenant = self.tenant.with(key, value);
        self
    }

    /// Nobody was called elsewhere, and at home nothing that holds `mark`.
    #[track_caller]
    fn assert_nobody_went(&self, mark: &str, after: &str) {
        self.elsewhere.assert_nobody_came(after);
        for asked in self.relay.seen() {
            let body = String::from_utf8_lossy(&asked.body);
            assert!(!asked.target.contains(mark) && !body.contains(mark), "after {after}: {} {body}", asked.target);
        }
    }
}

#[test]
fn behind_an_honest_relay_an_import_equals_the_tenant() {
    let stage = Stage::new();
    let report = stage.tenant.import_into("mesh.db", true);
    assert_eq!(report.status, CONNECTOR_END, "{:#}", report.error);
    stage.tenant.assert_equals_truth();
    assert!(!stage.relay.seen().is_empty());
    stage.elsewhere.assert_nobody_came("an honest import");
}
