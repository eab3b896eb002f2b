//! The modes over a scripted token service: what goes out, and what an operator's mistakes are answered with before
//! anything does.

use std::path::PathBuf;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use ring::signature::{RSA_PSS_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::Value;

use super::authority::refusal;
use super::*;
use crate::config::Pem;
use crate::error::Kind;
use crate::graph::clock::Clock as _;
use crate::graph::transport::Fault;

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/keys/", $name))
    };
}

const ONE: &str = key!("one.pem");
const TWO: &str = key!("two.pem");

/// A certificate for a key, from and to the first day of these years.
fn certificate(key: &str, years: [i32; 2]) -> String {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    [params.not_before, params.not_after] = years.map(|year| date_time_ymd(year, 1, 1));
    params.self_signed(&KeyPair::from_pem(key).unwrap()).unwrap().pem()
}

fn by_certificate(certificate: &str, key: &str) -> Auth {
    let [certificate, private_key] = [certificate, key].map(|text| Pem::Text(Secret::new(text.to_owned())));
    Auth::ClientCertificate { client_id: CLIENT.to_owned(), certificate, private_key }
}

/// A file that is gone with its guard.
fn file(name: &str, content: &[u8]) -> (PathBuf, Guard) {
    let path = std::env::temp_dir().join(format!("{}-{name}", request_id::fresh()));
    std::fs::write(&path, content).unwrap();
    (path.clone(), Guard(path))
}

pub(super) struct Guard(PathBuf);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

const FEDERATED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJoIn0.c2lnbmF0dXJl";

/// The modes that sign in at the token service: secret, certificate, federated token.
pub(super) fn of_each_mode() -> [(Auth, Option<Guard>); 3] {
    let (token_file, guard) = file("token", format!("{FEDERATED}\n").as_bytes());
    let workload = Auth::WorkloadIdentity { client_id: CLIENT.to_owned(), token_file };
    [(by_secret(), None), (by_certificate(&certificate(ONE, [2020, 2040]), ONE), None), (workload, Some(guard))]
}

pub(super) fn platform_token(token: &str) -> String {
    format!(
        r#"{{"access_token":"{token}","expires_on":"4000000000","resource":"https://graph.microsoft.com","token_type":"Bearer"}}"#
    )
}

/// The problems of a refused AuthJson, each as `path: found, expected`.
fn problems(auth: Auth) -> Vec<String> {
    let connection =
        Connection { auth, ..connection("https://graph.microsoft.com", "https://login.microsoftonline.com") };
    let Err(error) = World::try_with(connection) else { panic!("was accepted") };
    assert_eq!(error.kind, Kind::InvalidConfig);
    assert!(!format!("{error:?}").contains("MII"), "{error:?}");
    error.problems.iter().map(|p| format!("{}: {}, {}", p.path, p.found, p.expected)).collect()
}

fn one_problem(auth: Auth) -> String {
    let mut problems = problems(auth);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

fn assertion(world: &World, nth: usize) -> (Value, Value, String, Vec<u8>) {
    let form = world.script.asked()[nth].body.clone().unwrap();
    let pairs: std::collections::HashMap<_, _> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    assert_eq!(pairs["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert!(!pairs.contains_key("client_secret") && pairs["grant_type"] == "client_credentials");
    let (signed, signature) = pairs["client_assertion"].rsplit_once('.').unwrap();
    let [header, payload] = [0, 1].map(|at| signed.split('.').nth(at).unwrap());
    let [header, payload] =
        [header, payload].map(|part| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap());
    (header, payload, signed.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn an_assertion_is_what_microsoft_documents_and_new_each_time() {
    let pem = certificate(ONE, [2020, 2040]);
    let world = World::by(by_certificate(&pem, ONE));
    world.reply(503, &[], "").token("t1");
    world.graph.token().unwrap();
    let (header, payload, signed, signature) = assertion(&world, 0);
    let der = base64::engine::general_purpose::STANDARD
        .decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>())
        .unwrap();
    let thumbprint = URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, &der));
    assert_eq!(header, serde_json::json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint }));
    assert_eq!(payload["aud"], format!("https://login.microsoftonline.com/{DOMAIN}/oauth2/v2.0/token"));
    assert_eq!((&payload["iss"], &payload["sub"]), (&CLIENT.into(), &CLIENT.into()));
    let now = world.clock.date().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    assert_eq!((&payload["nbf"], &payload["iat"], &payload["exp"]), (&now.into(), &now.into(), &(now + 600).into()));
    let key = RsaKeyPair::from_pkcs8(&KeyPair::from_pem(ONE).unwrap().serialize_der()).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public().as_ref());
    public.verify(signed.as_bytes(), &signature).unwrap();
    assert_ne!(assertion(&world, 1).1["jti"], payload["jti"]);
}

#[test]
fn certificate_and_key_are_found_in_texts_files_one_file_and_chains() {
    let own = certificate(ONE, [2020, 2040]);
    let chain = format!("{}{own}{}", certificate(TWO, [2020, 2040]), key!("one.pkcs1.pem"));
    let (path, _guard) = file("chain.pem", format!("Bag Attributes: x\r\n{}", chain.replace('\n', "\r\n")).as_bytes());
    let both = || Pem::File(path.clone());
    let in_one_file =
        Auth::ClientCertificate { client_id: CLIENT.to_owned(), certificate: both(), private_key: both() };
    for auth in [in_one_file, by_certificate(&own, key!("one.pkcs1.pem")), by_certificate(&own, ONE)] {
        let world = World::by(auth);
        world.token("t1");
        world.graph.token().unwrap();
        let end = world.graph.credential_expiry().unwrap();
        assert_eq!(end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 2_208_988_800, "2040-01-01");
    }
    assert!(World::new().graph.credential_expiry().is_none());
}

#[test]
fn an_encrypted_key_is_refused_with_the_command_that_decrypts_it() {
    let own = certificate(ONE, [2020, 2040]);
    for key in [key!("one.encrypted.pem"), key!("one.encrypted.pkcs1.pem")] {
        let problem = one_problem(by_certificate(&own, key));
        assert!(problem.starts_with("/PrivateKey: an encrypted private key, "), "{problem}");
        assert!(problem.contains("openssl pkey -in encrypted.pem -out key.pem"), "{problem}");
    }
}

#[test]
fn a_key_of_another_certificate_is_found_out() {
    let problem = one_problem(by_certificate(&certificate(TWO, [2020, 2040]), ONE));
    assert!(problem.starts_with("/PrivateKey: a private key that does not belong to the certificate"), "{problem}");
}

#[test]
fn keys_that_cannot_sign_ps256_are_refused_in_words() {
    let own = certificate(ONE, [2020, 2040]);
    let ec = KeyPair::generate().unwrap();
    for key in [key!("ec.sec1.pem").to_owned(), ec.serialize_pem()] {
        let problem = one_problem(by_certificate(&own, &key));
        assert!(
            problem.starts_with("/PrivateKey: a private key that is no RSA key, ") && problem.contains("openssl req")
        );
    }
    let small = one_problem(by_certificate(&own, key!("small.pem")));
    assert!(small.contains("2048 to 4096 bits"), "{small}");
    let of_ec = CertificateParams::new(Vec::new()).unwrap().self_signed(&ec).unwrap().pem();
    let problem = one_problem(by_certificate(&of_ec, ONE));
    assert!(problem.starts_with("/Certificate: a certificate whose key is no RSA key, "), "{problem}");
    let problems = problems(by_certificate("-----BEGIN CERTIFICATE-----\nAAEC\n", &ec.serialize_pem()));
    assert_eq!(problems.len(), 2, "both mistakes in one answer: {problems:?}");
}

#[test]
fn what_is_no_pem_is_told_with_the_command_that_makes_one() {
    let damaged = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
    assert!(one_problem(by_certificate(damaged, ONE)).starts_with("/Certificate: a damaged certificate"));
    let (pfx, _one) = file("key.pfx", &[0x30, 0x82, 0xff, 0xfe]);
    let (empty, _two) = file("empty.pem", b"");
    let own = certificate(ONE, [2020, 2040]);
    let gone = std::env::temp_dir().join(request_id::fresh());
    for (path, says) in [(pfx, "openssl pkcs12"), (empty, "no PEM block"), (gone.clone(), "cannot be read")] {
        let certificate = Pem::Text(Secret::new(own.clone()));
        let auth = Auth::ClientCertificate { client_id: CLIENT.to_owned(), certificate, private_key: Pem::File(path) };
        let problem = one_problem(auth);
        assert!(problem.starts_with("/PrivateKeyFile: ") && problem.contains(says), "{problem}");
        assert!(!problem.contains(gone.parent().unwrap().to_str().unwrap()), "a value of AuthJson is shown: {problem}");
    }
    let only_key = one_problem(by_certificate(ONE, ONE));
    assert!(only_key.starts_with("/Certificate: no certificate") && only_key.contains("-inform der"), "{only_key}");
    assert!(one_problem(by_certificate(&own, &own)).starts_with("/PrivateKey: no private key"));
}

#[test]
fn a_certificate_out_of_force_is_told_before_anything_is_sent() {
    // The test clock stands at 2027-01-15.
    for (years, says) in [([2020, 2027], "has expired on 2027-01-01"), ([2028, 2040], "is not valid before 2028-01-01")]
    {
        let world = World::by(by_certificate(&certificate(ONE, years), ONE));
        let error = world.graph.token().unwrap_err();
        assert_eq!(error.kind, Kind::Auth);
        assert!(error.message.contains(says) && error.message.contains("today is 2027-01-15"), "{}", error.message);
        assert!(world.script.asked().is_empty());
    }
}

#[test]
fn a_wrong_clock_is_corrected_by_the_date_of_the_refusal_once() {
    let an_hour_on = httpdate::fmt_http_date(TestClock::new().date() + Duration::from_secs(3600));
    let no = refusal(700_024, "invalid_client", "Not within its valid time range.");
    let world = World::by(by_certificate(&certificate(ONE, [2020, 2040]), ONE));
    world.reply(401, &[("date", &an_hour_on)], &no).token("t1");
    world.graph.token().unwrap();
    let [first, second] = [0, 1].map(|nth| assertion(&world, nth).1["nbf"].as_u64().unwrap());
    assert_eq!(second - first, 3600);
    assert!(world.logged().contains("clock is 3600 s off"));

    let world = World::by(by_certificate(&certificate(ONE, [2020, 2040]), ONE));
    world.reply(401, &[("date", &an_hour_on)], &no).reply(401, &[("date", &an_hour_on)], &no);
    assert_eq!(world.graph.token().unwrap_err().kind, Kind::Auth);
    assert_eq!(world.script.asked().len(), 2);
}

#[test]
fn a_federated_token_is_read_anew_for_each_request_and_never_shown() {
    let (token_file, guard) = file("federated", format!(" {FEDERATED}\r\n").as_bytes());
    let world = World::by(Auth::WorkloadIdentity { client_id: CLIENT.to_owned(), token_file: token_file.clone() });
    let newer = FEDERATED.replace("eyJzdWIiOiJoIn0", "eyJzdWIiOiJuIn0");
    let written = newer.clone();
    world.script.then(move |_| {
        std::fs::write(&token_file, &written).unwrap();
        Ok(crate::graph::transport::scripted::reply(503, &[], &refusal(50000, "server_error", FEDERATED)))
    });
    world.token("t1");
    world.graph.token().unwrap();
    let sent: Vec<_> = world.script.asked().into_iter().map(|asked| asked.body.unwrap()).collect();
    assert!(sent[0].contains(&format!("client_assertion={FEDERATED}&")) && sent[1].contains(&newer), "{sent:?}");
    assert!(!world.logged().contains("eyJ"));
    drop(guard);
}

#[test]
fn a_token_file_that_is_missing_or_holds_something_else_is_told() {
    let (other, _guard) = file("not-a-token", b"hush hush");
    let gone = std::env::temp_dir().join(request_id::fresh());
    for (token_file, says) in [(gone, "cannot be read"), (other, "holds no token")] {
        let world = World::by(Auth::WorkloadIdentity { client_id: CLIENT.to_owned(), token_file });
        let error = world.graph.token().unwrap_err();
        assert_eq!((error.kind, &*error.problems[0].path), (Kind::InvalidConfig, "/TokenFile"));
        assert!(error.message.contains(says) && !format!("{error:?}").contains("hush"), "{}", error.message);
        assert!(world.script.asked().is_empty());
    }
}

#[test]
fn a_virtual_machine_asks_its_metadata_service() {
    let world = World::by(Auth::ManagedIdentity { client_id: Some(CLIENT.to_owned()) });
    world.reply(200, &[], &platform_token("t1")).reply(200, &[], "{}");
    world.get("/things").unwrap();
    let asked = &world.script.asked()[0];
    assert_eq!(
        asked.url,
        format!(
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com&client_id={CLIENT}"
        )
    );
    assert_eq!((asked.header("metadata"), asked.header("authorization")), ("true", ""));
    assert!(asked.body.is_none());
    assert_eq!(world.asked()[1].header("authorization"), "Bearer t1");
}

#[test]
fn a_platform_without_the_identity_is_told_from_one_that_does_not_answer() {
    let identity = || World::by(Auth::ManagedIdentity { client_id: None });
    let world = identity();
    world.reply(400, &[], r#"{"error":"invalid_request","error_description":"Identity not found"}"#);
    let error = world.graph.token().unwrap_err();
    assert!(error.kind == Kind::Auth && error.message.contains("switch on its system-assigned identity"));
    assert!(error.message.ends_with("Identity not found") && error.http.unwrap().status == 400);

    let world = identity();
    for _ in 0..3 {
        world.script.breaks(Fault::Connect);
    }
    let error = world.graph.token().unwrap_err();
    assert!(error.kind == Kind::Network && error.message.contains("Mode ClientCertificate"), "{}", error.message);
    assert!(error.message.contains("http://169.254.169.254"), "{}", error.message);

    let world = identity();
    world.reply(500, &[], "").reply(429, &[("retry-after", "1")], "").reply(200, &[], &platform_token("t1"));
    world.graph.token().unwrap();
    assert_eq!(world.waits(), [5.0, 1.0], "the waits are ours");
    assert!(identity().graph.credential_expiry().is_none());
}

/// A platform's token for a directory, good for an hour of the real clock.
fn token_for(directory: &str) -> String {
    let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"tid":"{directory}"}}"#));
    let ends = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 3600;
    platform_token(&format!("eyJ9.{payload}.c2ln")).replace("4000000000", &ends.to_string())
}

fn identity_in(tenant: &str) -> World {
    World::with(Connection {
        tenant: tenant.to_owned(),
        auth: Auth::ManagedIdentity { client_id: None },
        ..connection("https://graph.microsoft.com", "https://login.microsoftonline.com")
    })
}

const ELSEWHERE: &str = "99999999-8888-4777-8666-555555555555";

#[test]
fn renewed_token_of_another_directory_is_never_sent() {
    let world = identity_in(GUID);
    world.reply(200, &[], &token_for(GUID)).reply(200, &[], "{}");
    world.get("/things").unwrap();
    // Ahead of its end: the token at hand is still good and goes on.
    world.clock.advance(Duration::from_secs(3400));
    world.reply(200, &[], &token_for(ELSEWHERE)).reply(200, &[], "{}");
    world.get("/things").unwrap();
    world.clock.advance(Duration::from_secs(300));
    world.reply(200, &[], &token_for(ELSEWHERE));
    let error = world.get("/things").unwrap_err().error;
    assert_eq!((error.kind, &*error.problems[0].path), (Kind::InvalidConfig, "/TenantId"));
    assert!(error.message.contains(GUID) && error.message.contains(ELSEWHERE), "{}", error.message);
    let sent: Vec<_> = world.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    let sent: Vec<_> = sent.iter().filter(|header| !header.is_empty()).collect();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
    assert!(world.logged().contains("could not be renewed"));
}

#[test]
fn token_that_replaces_a_refused_one_is_compared_too() {
    let world = identity_in(GUID);
    world.reply(200, &[], &token_for(GUID)).reply(401, &[], "{}").reply(200, &[], &token_for(ELSEWHERE));
    assert_eq!(world.get("/things").unwrap_err().error.kind, Kind::InvalidConfig);
}

#[test]
fn directory_of_a_configured_domain_is_asked_for_once_and_compared() {
    let issuer = |guid: &str| format!(r#"{{"issuer":"https://login.microsoftonline.com/{guid}/v2.0"}}"#);
    let world = identity_in(DOMAIN);
    world.reply(200, &[], &token_for(GUID)).reply(200, &[], &issuer(GUID));
    assert_eq!(world.graph.token().unwrap(), Issued::ForDirectory);
    assert_eq!(world.graph.tenant_guid().unwrap(), GUID);
    assert_eq!(world.script.asked().len(), 2);
    let world = identity_in(DOMAIN);
    world.reply(200, &[], &token_for(GUID)).reply(200, &[], &issuer(ELSEWHERE));
    let message = world.graph.token().unwrap_err().message;
    assert!([DOMAIN, GUID, ELSEWHERE].iter().all(|part| message.contains(part)), "{message}");
}

#[test]
fn token_without_readable_claims_passes_as_unread() {
    let world = identity_in(GUID);
    world.reply(200, &[], &platform_token("opaque"));
    assert_eq!(world.graph.token().unwrap(), Issued::Unread);
    let world = World::signed_in();
    assert_eq!(world.graph.token().unwrap(), Issued::ByDirectory);
}
