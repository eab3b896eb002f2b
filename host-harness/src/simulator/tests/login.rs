//! Signing in, and being turned away.

use anyhow::Result;
use sha2::Digest as _;

use super::client::{Client, form, send, sign_in};
use crate::simulator::{SignIn, Simulator, World};

#[test]
fn refusals_carry_the_documented_numbers() -> Result<()> {
    let simulator = Simulator::start(World::default())?;
    let good = form(&simulator, &simulator.client_secret());
    let tenant = simulator.tenant_id();
    let stranger = "99999999-9999-4999-8999-999999999999";
    let cases = [
        (tenant.as_str(), form(&simulator, "wrong"), 401, "invalid_client", 7_000_215),
        (&tenant, good.replace(&simulator.client_id(), stranger), 400, "unauthorized_client", 700_016),
        (stranger, good.clone(), 400, "invalid_tenant", 90_002),
        ("fabrikam.example", good.clone(), 400, "invalid_tenant", 90_002),
        ("no tenant", good.clone(), 400, "invalid_request", 900_023),
        ("common", good.clone(), 400, "invalid_request", 50_059),
        (&tenant, good.replace("%2F.default", "%2FUser.Read"), 400, "invalid_scope", 1_002_012),
        (
            &tenant,
            good.replace("https%3A%2F%2Fgraph.microsoft.com%2F.default", "nonsense"),
            400,
            "invalid_scope",
            70_011,
        ),
        (&tenant, good.replace("graph.microsoft.com", "graph.example.net"), 400, "invalid_resource", 500_011),
        (&tenant, good.replace("client_secret", "other"), 401, "invalid_client", 7_000_216),
        (&tenant, good.replace("client_credentials", "password"), 400, "unsupported_grant_type", 70_003),
    ];
    for (tenant, form, status, error, code) in cases {
        let reply = sign_in(&simulator, &tenant.replace(' ', "%20"), &form)?;
        assert_eq!((reply.status, reply.body["error"].as_str()), (status, Some(error)), "{}", reply.text);
        assert_eq!(reply.body["error_codes"][0], code);
        let text = reply.body["error_description"].as_str().unwrap_or_default();
        assert!(text.starts_with(&format!("AADSTS{code}: ")) && text.contains("Trace ID: "), "{text}");
    }
    Ok(())
}

#[test]
fn an_expired_secret_is_told_from_a_wrong_one() -> Result<()> {
    let sign_in_rules = SignIn { secret_expired: true, ..SignIn::default() };
    let simulator = Simulator::start(World { sign_in: sign_in_rules, ..World::default() })?;
    let reply = sign_in(&simulator, &simulator.tenant_id(), &form(&simulator, &simulator.client_secret()))?;
    assert_eq!(reply.body["error_codes"][0], 7_000_222);
    Ok(())
}

#[test]
fn the_tenant_has_two_names_and_one_issuer() -> Result<()> {
    let simulator = Simulator::start(World::default())?;
    let good = form(&simulator, &simulator.client_secret());
    assert_eq!(sign_in(&simulator, &simulator.domain().to_uppercase(), &good)?.status, 200);
    for name in [simulator.tenant_id(), simulator.domain()] {
        let target = format!("/{name}/v2.0/.well-known/openid-configuration");
        let reply = send(&simulator.origin(), "GET", &target, &[], "")?;
        let issuer = format!("https://login.microsoftonline.com/{}/v2.0", simulator.tenant_id());
        assert_eq!(reply.body["issuer"].as_str(), Some(issuer.as_str()));
    }
    let reply = send(&simulator.origin(), "GET", "/other.example/v2.0/.well-known/openid-configuration", &[], "")?;
    assert_eq!((reply.status, &reply.body["error"]), (400, &"invalid_tenant".into()));
    Ok(())
}

#[test]
fn a_secret_may_come_in_the_header() -> Result<()> {
    let simulator = Simulator::start(World::default())?;
    let secret = form(&simulator, &simulator.client_secret());
    let secret = secret.split('&').find_map(|pair| pair.strip_prefix("client_secret=")).unwrap_or_default();
    let basic = crate::simulator::seal::base64(format!("{}:{secret}", simulator.client_id()).as_bytes());
    let reply = send(
        &simulator.origin(),
        "POST",
        &format!("/{}/oauth2/v2.0/token", simulator.tenant_id()),
        &[("Authorization", &format!("Basic {basic}"))],
        "grant_type=client_credentials&scope=https://graph.microsoft.com/.default",
    )?;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let seconds = reply.body["expires_in"].as_u64().unwrap_or_default();
    assert!((3_599..5_400).contains(&seconds), "{seconds}");
    Ok(())
}

#[test]
fn tokens_expire_are_revoked_and_may_lack_roles() -> Result<()> {
    let client = Client::start(World::default())?;
    assert_eq!(client.get("/users?$top=1")?.status, 200);
    client.simulator.revoke_tokens();
    let reply = client.get("/users?$top=1")?;
    assert_eq!((reply.status, reply.code()), (401, "InvalidAuthenticationToken"));
    assert!(reply.header("www-authenticate").is_some());

    let client = Client::start(World::default())?;
    client.simulator.advance_clock(2 * 3_600);
    assert_eq!(client.get("/users?$top=1")?.message(), "Lifetime validation failed, the token is expired.");

    let sign_in = SignIn { without_roles: true, ..SignIn::default() };
    let client = Client::start(World { sign_in, ..World::default() })?;
    let reply = client.get("/groups?$top=1")?;
    assert_eq!((reply.status, reply.code()), (403, "Authorization_RequestDenied"));
    Ok(())
}

#[test]
fn no_token_reaches_the_journal() -> Result<()> {
    let client = Client::start(World { journal: crate::simulator::JournalMode::Full, ..World::default() })?;
    client.get("/users?$top=1")?;
    let text = serde_json::to_string(&client.simulator.journal())?;
    assert!(!text.contains(&client.token) && !text.contains(&client.simulator.client_secret()));
    assert_eq!(client.simulator.journal().len(), 2);
    Ok(())
}

#[test]
fn the_authority_of_https_can_be_written_out() -> Result<()> {
    let simulator = Simulator::start(World { https: true, ..World::default() })?;
    assert!(simulator.origin().starts_with("https://127.0.0.1:"));
    assert!(simulator.ca_pem().is_some_and(|pem| pem.starts_with("-----BEGIN CERTIFICATE-----")));
    Ok(())
}

#[test]
fn an_assertion_is_verified_in_every_part() -> Result<()> {
    let key = rcgen::KeyPair::from_pem(include_str!("../../../../tests/keys/one.pem"))?;
    let certificate = rcgen::CertificateParams::new(Vec::new())?.self_signed(&key)?;
    let rules = SignIn { certificates: vec![certificate.pem()], ..SignIn::default() };
    let simulator = Simulator::start(World { sign_in: rules, clock_start: Some(1_800_000_000), ..World::default() })?;
    let url =
        |bytes: &[u8]| crate::simulator::seal::base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_");
    let thumbprint = url(&sha2::Sha256::digest(certificate.der()));
    let good = serde_json::json!({
        "aud": format!("{}/{}/oauth2/v2.0/token", simulator.origin(), simulator.tenant_id()),
        "iss": simulator.client_id(), "sub": simulator.client_id(),
        "jti": "1", "nbf": 1_800_000_000_u64, "exp": 1_800_000_600_u64,
    });
    let signer = ring::signature::RsaKeyPair::from_pkcs8(&key.serialize_der()).map_err(anyhow::Error::msg)?;
    let sent = |thumbprint: &str, change: (&str, serde_json::Value), spoil: bool| -> Result<serde_json::Value> {
        let mut payload = good.clone();
        payload[change.0] = change.1;
        let header = serde_json::json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
        let signed = format!("{}.{}", url(header.to_string().as_bytes()), url(payload.to_string().as_bytes()));
        let mut signature = vec![0; signer.public().modulus_len()];
        let random = ring::rand::SystemRandom::new();
        let done = signer.sign(&ring::signature::RSA_PSS_SHA256, &random, signed.as_bytes(), &mut signature);
        done.map_err(|error| anyhow::anyhow!("{error}"))?;
        signature[7] ^= u8::from(spoil);
        let form = format!(
            "grant_type=client_credentials&client_id={}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default\
             &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={signed}.{}",
            simulator.client_id(),
            url(&signature)
        );
        let reply = sign_in(&simulator, &simulator.tenant_id(), &form)?;
        Ok(if reply.status == 200 { 0.into() } else { reply.body["error_codes"][0].clone() })
    };
    let id = |text: &str| ("jti", text.into());
    assert_eq!(sent(&thumbprint, id("a"), false)?, 0);
    assert_eq!(sent(&thumbprint, id("a"), false)?, 700_024, "an id comes once");
    assert_eq!(sent(&thumbprint, id("b"), true)?, 700_027, "a signature of another text");
    assert_eq!(sent("AAAA", id("c"), false)?, 700_027);
    assert_eq!(sent(&thumbprint, ("aud", "https://login.microsoftonline.com/x".into()), false)?, 50_012);
    assert_eq!(sent(&thumbprint, ("sub", "somebody".into()), false)?, 50_027);
    assert_eq!(sent(&thumbprint, ("exp", 1_799_999_000_u64.into()), false)?, 700_024);
    assert_eq!(sent(&thumbprint, ("nbf", 1_800_009_000_u64.into()), false)?, 700_024);
    Ok(())
}
