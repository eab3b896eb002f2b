//! The C door against a connector written in C from the header alone.

use std::sync::atomic::{AtomicUsize, Ordering};

use connector_abi::status::{
    CONNECTOR_E_CANCELLED, CONNECTOR_E_INVALID_CONFIG, CONNECTOR_E_INVALID_STATE, CONNECTOR_LOG_INFO,
};

use super::*;

const NOW: Duration = Duration::ZERO;

fn fake(macros: &str) -> (tempfile::TempDir, Connector) {
    let folder = tempfile::tempdir().unwrap();
    let path = fake::connector(folder.path(), "Fake", macros);
    let connector = Connector::load(&path).unwrap();
    (folder, connector)
}

/// How many buffers are out and whether the operation was released, as the fake counts.
fn left_behind(connector: &Connector) -> (u64, u64) {
    let said: serde_json::Value = serde_json::from_str(&connector.describe().unwrap()).unwrap();
    (said["Outstanding"].as_u64().unwrap(), said["Released"].as_u64().unwrap())
}

#[test]
fn operation_is_pulled_to_its_end_and_every_buffer_goes_back() {
    let (_folder, connector) = fake("");
    assert!(connector.describe().unwrap().contains("\"Fake\""));
    let mut operation = connector.import(&StartRequest::default()).unwrap();
    assert!(
        matches!(operation.next(NOW).unwrap(), Next::Batch(batch) if &*batch.rows == b"{\"Kind\":\"One\"}\n" && batch.checkpoint.is_none())
    );
    assert_eq!(operation.result_json().unwrap_err(), CONNECTOR_E_INVALID_STATE);
    assert!(matches!(operation.next(NOW).unwrap(), Next::Pending));
    assert!(
        matches!(operation.next(NOW).unwrap(), Next::Batch(batch) if batch.sequence == 1 && batch.checkpoint.as_deref() == Some("half way"))
    );
    assert!(
        matches!(operation.next(NOW).unwrap(), Next::End { checkpoint } if checkpoint.as_deref() == Some("the end"))
    );
    assert_eq!(operation.result_json().unwrap(), "{\"Outcome\":\"Succeeded\"}");
    assert_eq!(operation.progress().unwrap().rows_delivered, 4);
    drop(operation);
    assert_eq!(left_behind(&connector), (0, 1));
}

#[test]
fn refusal_carries_status_and_error_json() {
    let (_folder, connector) = fake("");
    let refused = connector.import(&StartRequest { config: "bad", ..StartRequest::default() }).unwrap_err();
    assert_eq!((refused.status, refused.error_json.contains("InvalidConfig")), (CONNECTOR_E_INVALID_CONFIG, true));
    assert!(connector.export(&StartRequest::default()).unwrap_err().error_json.contains("NotSupported"));
    assert_eq!(left_behind(&connector).0, 0);
}

#[test]
fn partial_end_and_failure_are_told_apart() {
    let (_folder, partial) = fake("#define FAKE_LAST CONNECTOR_END_PARTIAL");
    let (_other, failing) = fake("#define FAKE_LAST CONNECTOR_E_SERVICE");
    let last = |connector: &Connector| {
        let mut operation = connector.import(&StartRequest::default()).unwrap();
        (0..4).map(|_| operation.next(NOW).unwrap()).last().unwrap()
    };
    assert!(matches!(last(&partial), Next::EndPartial { checkpoint } if checkpoint.is_some()));
    assert!(matches!(last(&failing), Next::Failed(-10)));
}

#[test]
fn cancel_from_another_thread_ends_the_operation() {
    let (_folder, connector) = fake("");
    let mut operation = connector.check(&StartRequest::default()).unwrap();
    let cancel = operation.cancel_handle();
    std::thread::spawn(move || cancel.cancel()).join().unwrap();
    assert!(matches!(operation.next(NOW).unwrap(), Next::Failed(CONNECTOR_E_CANCELLED)));
    let late = operation.cancel_handle();
    drop(operation);
    late.cancel();
}

#[test]
fn log_lines_and_wake_reach_the_host() {
    let (_folder, connector) = fake("");
    let woken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&woken);
    let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let request = StartRequest { log_level: Some(CONNECTOR_LOG_INFO), wake: Some(wake), ..StartRequest::default() };
    let mut operation = connector.import(&request).unwrap();
    operation.next(NOW).unwrap();
    operation.next(NOW).unwrap();
    assert_eq!(operation.take_log(), vec![LogLine { level: CONNECTOR_LOG_INFO, message: "a step".to_owned() }; 2]);
    assert_eq!(woken.load(Ordering::SeqCst), 1);
}
