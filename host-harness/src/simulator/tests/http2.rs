//! HTTP/2 over TLS, as one client with one connection sees it: what it shares, and what a fault breaks.
//!
//! The client is a real one, since plain sockets cannot speak it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Version;
use reqwest::blocking::{Client, Response};

use super::client::form;
use crate::simulator::{Exchange, Fault, FaultAction, Route, Simulator, World};

/// A client that trusts the simulator, signed in.
struct Browser {
    simulator: Simulator,
    client: Client,
    token: String,
}

impl Browser {
    fn start(world: World) -> Result<Browser> {
        // An error only says that another test was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let simulator = Simulator::start(World { https: true, ..world })?;
        let pem = simulator.ca_pem().context("no authority")?;
        let authority = reqwest::Certificate::from_pem(pem.as_bytes())?;
        let client =
            Client::builder().tls_certs_only([authority]).no_proxy().timeout(Duration::from_secs(60)).build()?;
        let address = format!("{}/{}/oauth2/v2.0/token", simulator.origin(), simulator.tenant_id());
        let answer = client.post(address).body(form(&simulator, &simulator.client_secret())).send()?;
        let answer: serde_json::Value = serde_json::from_str(&answer.text()?)?;
        let token = answer["access_token"].as_str().context("no token")?.to_owned();
        Ok(Browser { simulator, client, token })
    }

    fn get(&self, path: &str) -> reqwest::Result<Response> {
        let address = format!("{}/v1.0{path}", self.simulator.origin());
        self.client.get(address).bearer_auth(&self.token).send()
    }

    /// Waits until the simulator has struck this route.
    fn struck(&self, route: Route) {
        let since = Instant::now();
        let struck = |it: &Exchange| it.route == route && it.faulted;
        while !self.simulator.journal().iter().any(struck) && since.elapsed() < Duration::from_secs(60) {
            std::thread::yield_now();
        }
    }
}

fn small() -> World {
    World { users: 20, groups: 5, edges: 40, ..World::gentle() }
}

#[test]
fn who_offers_http2_gets_it_and_one_connection_is_enough() -> Result<()> {
    for (http2, version, name) in [(true, Version::HTTP_2, "HTTP/2.0"), (false, Version::HTTP_11, "HTTP/1.1")] {
        let browser = Browser::start(World { http2, latency_ms: 20, ..small() })?;
        std::thread::scope(|threads| {
            let readers: Vec<_> = (0..40).map(|_| threads.spawn(|| browser.get("/users?$select=id"))).collect();
            for reader in readers {
                let answer = reader.join().ok().context("a panic")??;
                ensure!(answer.status() == 200 && answer.version() == version, "{answer:?}");
            }
            anyhow::Ok(())
        })?;
        let journal = browser.simulator.journal();
        assert!(journal.iter().all(|it| it.protocol == name && it.headers.contains_key("host")), "{journal:?}");
        assert_eq!(browser.simulator.connections() == 1, http2);
    }
    Ok(())
}

#[test]
fn links_over_http2_lead_back_to_where_the_client_was() -> Result<()> {
    let browser = Browser::start(World { users: 20, ..small() })?;
    let page: serde_json::Value = serde_json::from_str(&browser.get("/users?$select=id&$top=7")?.text()?)?;
    let next = page["@odata.nextLink"].as_str().context("no next link")?;
    assert!(next.starts_with(&format!("{}/v1.0/users?", browser.simulator.origin())), "{next}");
    Ok(())
}

#[test]
fn a_reset_breaks_every_request_of_the_connection() -> Result<()> {
    for action in [FaultAction::ConnectionReset, FaultAction::ResetMidBody] {
        let browser = Browser::start(small())?;
        browser.simulator.add_fault(Fault::once(Route::USERS_LIST, FaultAction::StallBeforeHeaders));
        browser.simulator.add_fault(Fault::once(Route::GROUPS_LIST, action));
        std::thread::scope(|threads| {
            let other = threads.spawn(|| browser.get("/users?$select=id"));
            browser.struck(Route::USERS_LIST);
            ensure!(browser.get("/groups?$select=id").and_then(Response::text).is_err());
            let broken = other.join().ok().context("a panic")?.err().context("it was answered")?;
            ensure!(!broken.is_timeout(), "{broken:?}");
            anyhow::Ok(())
        })?;
        assert_eq!((browser.get("/users?$select=id")?.status(), browser.simulator.connections()), (200.try_into()?, 2));
    }
    Ok(())
}

#[test]
fn what_stalls_holds_back_nobody_else() -> Result<()> {
    for action in [FaultAction::StallMidBody, FaultAction::StallBeforeHeaders] {
        let browser = Browser::start(small())?;
        browser.simulator.add_fault(Fault::once(Route::USERS_LIST, action));
        std::thread::scope(|threads| {
            let stalled = threads.spawn(|| browser.get("/users?$select=id").and_then(Response::text));
            browser.struck(Route::USERS_LIST);
            for _ in 0..20 {
                ensure!(browser.get("/groups?$select=id")?.text()?.contains("@odata.context"));
            }
            ensure!(!stalled.is_finished() && browser.simulator.connections() == 1);
            // So that nobody waits for the stalled one.
            browser.simulator.add_fault(Fault::once(Route::GROUPS_LIST, FaultAction::ConnectionReset));
            ensure!(browser.get("/groups?$select=id").is_err() && stalled.join().is_ok_and(|text| text.is_err()));
            anyhow::Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn who_goes_away_takes_the_connection_along_and_comes_back() -> Result<()> {
    let browser = Browser::start(small())?;
    browser.simulator.add_fault(Fault::once(Route::USERS_LIST, FaultAction::ConnectionRefused));
    ensure!(browser.get("/users?$select=id").is_err());
    if cfg!(target_os = "linux") {
        ensure!(browser.get("/users?$select=id").is_err_and(|error| error.is_connect()));
    }
    browser.simulator.listen_again()?;
    assert_eq!(browser.get("/users?$select=id")?.status(), 200);
    Ok(())
}
