//! Files that the documents name: something else than a regular file is refused in words, and nothing waits for it.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use connector_abi::CONNECTOR_E_INVALID_CONFIG;
use serde_json::{Value, json};

use crate::world::Tenant;

const ID: &str = "c0ffee00-0000-4000-8000-000000000001";

/// A tenant whose `key` names `path`.
fn naming(key: &str, path: &Path) -> Tenant {
    let tenant = Tenant::small();
    let certificate = |certificate: &Path, private_key: &Path| {
        json!({"Mode": "ClientCertificate", "ClientId": ID, "ClientSecret": null,
               "CertificateFile": certificate, "PrivateKeyFile": private_key})
    };
    let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/one.pem");
    let auth = match key {
        "CaFile" => return tenant.with(key, json!(path)),
        "CertificateFile" => certificate(path, &pem),
        "PrivateKeyFile" => certificate(&pem, path),
        _ => json!({"Mode": "WorkloadIdentity", "ClientId": ID, "ClientSecret": null, "TokenFile": path}),
    };
    let Value::Object(auth) = auth else { unreachable!() };
    auth.into_iter().fold(tenant, |tenant, (key, value)| tenant.with_auth(&key, value))
}

/// The error of an import, from its start or from its end. Fails if neither comes in two minutes.
fn error_of(tenant: Tenant) -> Value {
    let (ended, end) = channel();
    // A thread that waits for a file cannot be joined.
    std::thread::spawn(move || {
        let error = match tenant.start(None) {
            Err(refused) => serde_json::from_str(&refused.error_json).unwrap(),
            Ok(operation) => crate::world::drain(operation).error().clone(),
        };
        let _ = ended.send(error);
    });
    end.recv_timeout(Duration::from_secs(120)).expect("the import waits for a file")
}

#[test]
fn file_that_is_not_regular_or_too_large_is_refused_by_its_key_without_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let large = folder.path().join("large");
    std::fs::File::create(&large).unwrap().set_len(5 * 1024 * 1024).unwrap();
    for key in ["CaFile", "CertificateFile", "PrivateKeyFile", "TokenFile"] {
        let found = [
            (pipe.as_path(), "a named pipe"),
            (Path::new("/dev/zero"), "a device"),
            (folder.path(), "a directory"),
            (large.as_path(), "a file of more than"),
        ];
        for (path, says) in found {
            let error = error_of(naming(key, path));
            assert_eq!(error["Status"], CONNECTOR_E_INVALID_CONFIG, "{key}, {says}: {error}");
            let problems = error["Problems"].as_array().unwrap();
            let problem = problems.iter().find(|problem| problem["Path"] == format!("/{key}"));
            let problem = problem.unwrap_or_else(|| panic!("{key}, {says}: {error}"));
            assert!(problem["Found"].as_str().unwrap().contains(says), "{key}: {problem}");
            assert!(problem["Expected"].as_str().unwrap().contains("regular file of at most"), "{key}: {problem}");
        }
    }
}
