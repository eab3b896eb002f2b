//! A `GraphEndpoint` that is not Graph: a first import hands out no watermark, which would bind the host to that
//! address.

use connector_abi::*;
use serde_json::Value;

use crate::relay::Relay;
use crate::world::Tenant;

/// A relay whose Graph answers everything with this, while the token service works.
fn not_graph(status: u16, body: &'static str) -> (Tenant, Relay) {
    let tenant = Tenant::small().with("MaxRetries", 0);
    let relay = Relay::before(&tenant.sim.origin());
    relay.rewrite(move |asked, answered| {
        if asked.target.starts_with("/v1.0") {
            answered.status = status;
            answered.body = body.as_bytes().to_vec();
        }
    });
    (tenant.with("GraphEndpoint", relay.origin()), relay)
}

#[test]
fn address_that_is_not_graph_gets_no_watermark() {
    for (status, body) in [(404, "<html>"), (200, "<html>"), (200, "{}"), (403, "{}"), (500, ""), (302, "")] {
        for mode in ["Recompute", "Delta"] {
            let (tenant, _relay) = not_graph(status, body);
            let pulled = tenant.with("MembershipMode", mode).pull(None);
            assert!(pulled.status < 0, "{status} {body}: {}", pulled.result);
            assert_eq!(pulled.checkpoints, Vec::<String>::new(), "{status} {body}");
            assert_eq!(pulled.result["Watermark"], Value::Null, "{status} {body}");
        }
    }
}

#[test]
fn closed_port_gets_no_watermark() {
    let tenant = Tenant::small().with("MaxRetries", 0).with("GraphEndpoint", "http://127.0.0.1:9");
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_NETWORK, "{}", pulled.result);
    assert_eq!((pulled.checkpoints.len(), &pulled.result["Watermark"]), (0, &Value::Null));
}

#[test]
fn type_that_was_read_gets_a_watermark_although_another_was_refused() {
    let (tenant, relay) = not_graph(403, "{}");
    relay.rewrite(|asked, answered| {
        if asked.target.starts_with("/v1.0/users") {
            answered.status = 403;
        }
    });
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END_PARTIAL, "{}", pulled.result);
    assert!(!pulled.checkpoints.is_empty() && pulled.result["Watermark"].is_string());
}

#[test]
fn later_run_that_reads_nothing_keeps_its_place() {
    let (tenant, relay) = not_graph(503, "");
    relay.rewrite(|_, _| {});
    let first = tenant.pull(None);
    relay.rewrite(|asked, answered| {
        if asked.target.starts_with("/v1.0") {
            answered.status = 503;
        }
    });
    let failed = tenant.pull(Some(first.watermark()));
    assert!(failed.status < 0, "{}", failed.result);
    relay.rewrite(|_, _| {});
    let watermark = failed.checkpoints.last().map_or(first.watermark(), String::as_str);
    assert_eq!(tenant.pull(Some(watermark)).status, CONNECTOR_END);
}
