//! From the word in ConfigJson to the wire: in each of Microsoft's clouds one token service, one Graph, one scope.

use super::*;
use crate::config::parse;

#[test]
fn in_each_cloud_token_scope_and_request_are_its_own() {
    for (cloud, graph, authority) in [
        ("Public", "graph.microsoft.com", "login.microsoftonline.com"),
        ("UsGov", "graph.microsoft.us", "login.microsoftonline.us"),
        ("UsGovDoD", "dod-graph.microsoft.us", "login.microsoftonline.us"),
        ("China", "microsoftgraph.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
    ] {
        let document = serde_json::json!({ "TenantId": DOMAIN, "Cloud": cloud }).to_string();
        let auth =
            serde_json::json!({ "Mode": "ClientSecret", "ClientId": CLIENT, "ClientSecret": SECRET }).to_string();
        let config = parse(&document, &auth).unwrap().config;
        let world =
            World::with(Connection { scope: config.scope, ..connection(&config.graph_origin, &config.authority) });
        world.token("t1").reply(200, &[], "{}");
        world.get("/things").unwrap();
        let asked = world.script.asked();
        assert_eq!(asked[0].url, format!("https://{authority}/{DOMAIN}/oauth2/v2.0/token"));
        let scope = format!("scope=https%3A%2F%2F{graph}%2F.default");
        assert!(asked[0].body.as_deref().unwrap().contains(&scope), "{cloud}");
        assert_eq!(asked[1].url, format!("https://{graph}/v1.0/things"));
        assert_eq!(asked[1].header("authorization"), "Bearer t1");
    }
}
