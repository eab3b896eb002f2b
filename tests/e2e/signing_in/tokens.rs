//! How many tokens a run asks for, however many workers it has and whatever happens to the tokens.

use std::time::Instant;

use connector_abi::*;
use host_harness::simulator::{Fault, FaultAction, Route, SignIn, World};
use serde_json::json;

use super::{ONE, certificate_of, tenant_of, token_requests};
use crate::world::Tenant;

/// Enough groups for all eight workers.
fn busy(sign_in: SignIn) -> Tenant {
    Tenant::of(World { users: 200, groups: 400, edges: 4_000, latency_ms: 5, sign_in, ..World::gentle() })
        .with("MaxConcurrency", 8)
}

#[test]
fn a_run_of_eight_workers_asks_for_one_token() {
    let tenant = busy(SignIn::default());
    assert_eq!(tenant.pull(None).status, CONNECTOR_END);
    assert_eq!(token_requests(&tenant).len(), 1);
}

#[test]
fn tokens_that_die_under_all_workers_are_replaced_by_one() {
    for after in [0, 3, 10] {
        let tenant = busy(SignIn::default());
        tenant.sim.add_fault(Fault::once(Route::Batch, FaultAction::RevokeTokens).after(after));
        let pulled = tenant.pull(None);
        assert_eq!(pulled.status, CONNECTOR_END, "{:#}", pulled.result);
        assert!(tenant.sim.journal().iter().any(|x| x.status == Some(401)), "the tokens died in the middle");
        assert_eq!(token_requests(&tenant).len(), 2, "one, and one for all workers");
    }
}

#[test]
fn every_refusal_costs_one_token_at_most() {
    let tenant = busy(SignIn::default());
    // One for each route: a request that is refused twice ends the run.
    for route in [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::Batch] {
        tenant.sim.add_fault(Fault::once(route, FaultAction::InvalidToken));
    }
    assert_eq!(tenant.pull(None).status, CONNECTOR_END);
    let refused = tenant.sim.journal().iter().filter(|x| x.status == Some(401)).count();
    let tokens = token_requests(&tenant).len();
    assert!(refused == 3 && (2..=1 + refused).contains(&tokens), "{tokens} tokens for {refused} refusals");
}

#[test]
fn short_lived_tokens_are_renewed_by_their_life_and_not_by_the_request() {
    let tenant = busy(SignIn { token_seconds: Some(3), ..SignIn::default() });
    let started = Instant::now();
    let mut runs = 0;
    while started.elapsed().as_secs() < 4 {
        assert_eq!(tenant.pull(None).status, CONNECTOR_END);
        runs += 1;
    }
    // A token of three seconds is renewed after two and a half: the slower the machine, the more there may be.
    let bound = 2 * runs + started.elapsed().as_secs() as usize / 2;
    let tokens = token_requests(&tenant).len();
    assert!(tokens <= bound, "{tokens} tokens in {:?}", started.elapsed());
    assert!(tenant.sim.journal().len() > 5 * tokens, "there were requests enough to tell");
}

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;

#[test]
fn a_demand_for_claims_is_met_with_one_token_for_all_workers() {
    let own = certificate_of(ONE, [2020, 2090]);
    let keys = json!({ "Certificate": own, "PrivateKey": ONE });
    let by_certificate = tenant_of(SignIn { certificates: vec![own], ..SignIn::default() }, "ClientCertificate", keys);
    for tenant in [busy(SignIn::default()), by_certificate] {
        tenant.sim.demand_claims(Some(CLAIMS.to_owned()));
        let pulled = tenant.pull(None);
        assert_eq!(pulled.status, CONNECTOR_END, "{:#}", pulled.result);
        assert_eq!(token_requests(&tenant).len(), 2);
        assert!(!format!("{:?}{}", pulled.log, pulled.result).contains("essential"));
    }
}

#[test]
fn an_item_of_a_batch_that_demands_claims_is_read_again() {
    let tenant = busy(SignIn::default());
    tenant.sim.add_fault(Fault::once(Route::MEMBERS, FaultAction::ClaimsChallenge));
    assert_eq!(tenant.import().status, CONNECTOR_END);
    tenant.assert_equals_truth();
    assert_eq!(token_requests(&tenant).len(), 2);
}

#[test]
fn a_second_demand_ends_the_run_with_words() {
    let tenant = Tenant::small();
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::ClaimsChallenge));
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_AUTH);
    assert!(pulled.error()["Message"].as_str().unwrap().contains("continuous access evaluation"));
    assert_eq!(token_requests(&tenant).len(), 2);
}
