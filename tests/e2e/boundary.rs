//! The boundary misused on purpose, through the raw functions: every misuse is a status, none harms the process.

#![expect(unsafe_code, reason = "calls the C functions as a careless host would")]

use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

use connector_abi::*;
use host_harness::connector::{Connector, Next, StartRequest};
use serde_json::Value;

use crate::world::{Tenant, connector, drain};

/// What the compiler says of the plug-in's first file alone, with one way to panic. Without its dependencies it never
/// gets far; the refusal comes before that.
fn compiler_says(panic: &str) -> String {
    let out = tempfile::tempdir().unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition=2024", "--crate-name=EntraId", "--crate-type=cdylib", "--emit=metadata"])
        .arg(format!("-Cpanic={panic}"))
        .arg("--out-dir")
        .arg(out.path())
        .arg(root.join("plugin/src/lib.rs"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_build_whose_panics_would_end_the_host_is_refused_by_the_compiler() {
    let refusal = "error: this library lives in other people's processes";
    assert!(compiler_says("abort").contains(refusal), "{}", compiler_says("abort"));
    assert!(!compiler_says("unwind").contains(refusal));
}

/// Starts an import with these raw texts and takes the answer apart.
fn start(
    connector: &Connector,
    config: (*const c_char, usize),
    auth: (*const c_char, usize),
    options: *const Options,
) -> (Status, u64, Value) {
    let raw = connector.raw().unwrap();
    let (mut operation, mut json) = (77, Buffer::EMPTY);
    // SAFETY: lengths given by the tests are those of live texts, or are ones the library must refuse unread.
    let status =
        unsafe { (raw.ImportAsync)(config.0, config.1, auth.0, auth.1, options, &raw mut operation, &raw mut json) };
    // SAFETY: the library filled the buffer.
    let text = if json.data.is_null() { b"null" } else { unsafe { std::slice::from_raw_parts(json.data, json.len) } };
    let error = serde_json::from_slice(text).unwrap();
    // SAFETY: the library filled the buffer; the second release gets it emptied.
    unsafe { (raw.BufferRelease)(&raw mut json) };
    // SAFETY: empty now.
    unsafe { (raw.BufferRelease)(&raw mut json) };
    (status, operation, error)
}

fn text(text: &str) -> (*const c_char, usize) {
    (text.as_ptr().cast(), text.len())
}

#[track_caller]
fn assert_refused(outcome: &(Status, u64, Value), says: &str) {
    assert_eq!((outcome.0, outcome.1), (CONNECTOR_E_INVALID_ARGUMENT, 0));
    assert_eq!(outcome.2["Code"], "InvalidArgument");
    assert!(outcome.2["Message"].as_str().unwrap().contains(says), "{}", outcome.2);
}

#[test]
fn null_texts_are_refused_in_words() {
    let connector = connector();
    assert_refused(&start(&connector, (ptr::null(), 0), text("{}"), ptr::null()), "config_json is NULL");
    assert_refused(&start(&connector, text("{}"), (ptr::null(), 5), ptr::null()), "auth_json is NULL");
}

#[test]
fn bad_utf_8_is_refused_with_its_place() {
    let outcome = start(&connector(), (b"{\"a\":\"\xff\"}".as_ptr().cast(), 9), text("{}"), ptr::null());
    assert_refused(&outcome, "not UTF-8 at byte 6");
}

#[test]
fn lengths_that_do_not_fit_are_refused_unread() {
    let connector = connector();
    for length in [CONNECTOR_MAX_INPUT + 1, isize::MAX as usize, isize::MAX as usize + 1, usize::MAX - 1] {
        assert_refused(&start(&connector, (text("{}").0, length), text("{}"), ptr::null()), "16 MiB");
    }
}

#[test]
fn a_text_may_end_at_its_nul() {
    let outcome = start(&connector(), (c"{oops}".as_ptr(), CONNECTOR_NUL_TERMINATED), text("{}"), ptr::null());
    assert_eq!(outcome.0, CONNECTOR_E_INVALID_CONFIG, "it was read up to the NUL, and is no JSON");
}

#[test]
fn null_and_misaligned_answers_are_refused() {
    let connector = connector();
    let raw = connector.raw().unwrap();
    let mut json = Buffer::EMPTY;
    let (config, config_len) = text("{}");
    // SAFETY: texts are live; null answers are what is tested.
    let status = unsafe {
        (raw.ImportAsync)(config, config_len, config, config_len, ptr::null(), ptr::null_mut(), &raw mut json)
    };
    assert_eq!(status, CONNECTOR_E_INVALID_ARGUMENT);
    // SAFETY: filled by the library.
    unsafe { (raw.BufferRelease)(&raw mut json) };
    // SAFETY: as above, without a place for the error text.
    let status = unsafe {
        (raw.ImportAsync)(config, config_len, config, config_len, ptr::null(), ptr::null_mut(), ptr::null_mut())
    };
    assert_eq!(status, CONNECTOR_E_INVALID_ARGUMENT);
    // SAFETY: null is what is tested.
    assert_eq!(unsafe { (raw.Describe)(ptr::null_mut()) }, CONNECTOR_E_INVALID_ARGUMENT);
    let mut bytes = [0_u8; 128];
    let odd = bytes.as_mut_ptr().wrapping_add(usize::from((bytes.as_ptr() as usize).is_multiple_of(2)));
    // SAFETY: misaligned is what is tested; the memory is there.
    assert_eq!(unsafe { (raw.Describe)(odd.cast()) }, CONNECTOR_E_INVALID_ARGUMENT);
    // SAFETY: as above.
    assert_eq!(unsafe { (raw.OperationNext)(1, 0, odd.cast()) }, CONNECTOR_E_INVALID_ARGUMENT);
    // SAFETY: null is harmless by contract.
    unsafe { (raw.BufferRelease)(ptr::null_mut()) };
}

fn options(struct_size: u32) -> Options {
    Options {
        struct_size,
        flags: 0,
        watermark: ptr::null(),
        watermark_len: 0,
        max_batch_rows: 0,
        max_batch_bytes: 0,
        max_queued_batches: 0,
        reserved: 0,
        callbacks: ptr::null(),
    }
}

#[test]
fn struct_sizes_are_checked_and_unknown_wishes_refused() {
    let connector = connector();
    let size = size_of::<Options>() as u32;
    for wrong in [0, size - 1, u32::MAX] {
        assert_refused(&start(&connector, text("{}"), text("{}"), &raw const *Box::new(options(wrong))), "struct_size");
    }
    let (status, _, error) =
        start(&connector, text("{}"), text("{}"), &raw const *Box::new(Options { flags: 1, ..options(size) }));
    assert_eq!((status, error["Problems"][0]["Path"].as_str()), (CONNECTOR_E_NOT_SUPPORTED, Some("/flags")));
}

#[test]
fn a_longer_struct_of_a_later_host_is_fine_while_its_tail_is_zero() {
    #[repr(C)]
    struct Later {
        options: Options,
        tail: [u64; 4],
    }
    let connector = connector();
    let mut later = Later { options: options(size_of::<Later>() as u32), tail: [0; 4] };
    assert_eq!(start(&connector, text("{}"), text("{}"), (&raw const later).cast()).0, CONNECTOR_E_INVALID_CONFIG);
    later.tail[3] = 1;
    assert_eq!(start(&connector, text("{}"), text("{}"), (&raw const later).cast()).0, CONNECTOR_E_NOT_SUPPORTED);
}

#[test]
fn a_released_handle_and_a_foreign_one_are_unknown() {
    let connector = connector();
    let raw = connector.raw().unwrap();
    let tenant = Tenant::small();
    let operation = tenant.start(None).unwrap();
    let handle = operation.handle();
    drop(operation);
    for handle in [handle, 0, 1, u64::MAX] {
        let (mut batch, mut progress, mut json) = (Batch::empty(), Progress::empty(), Buffer::EMPTY);
        // SAFETY: all answers are live and well formed.
        let statuses = unsafe {
            [
                (raw.OperationNext)(handle, 0, &raw mut batch),
                (raw.OperationCancel)(handle),
                (raw.OperationProgress)(handle, &raw mut progress),
                (raw.OperationResult)(handle, &raw mut json),
                (raw.OperationRelease)(handle),
            ]
        };
        assert_eq!(statuses, [CONNECTOR_E_INVALID_ARGUMENT; 5]);
    }
}

#[test]
fn a_second_next_at_the_same_time_is_busy_and_harms_nothing() {
    let tenant = Tenant::small();
    tenant.sim.add_fault(crate::throttling::wait(host_harness::simulator::Route::Token, 429, "1"));
    let mut operation = tenant.start(None).unwrap();
    let connector = connector();
    let raw = connector.raw().unwrap().clone();
    let handle = operation.handle();
    std::thread::scope(|threads| {
        let first = threads.spawn(|| operation.next(Duration::from_secs(60)).unwrap());
        let mut batch = Batch::empty();
        // The other thread is inside within moments; until then this one is told Pending.
        // SAFETY: the handle is live, the batch well formed.
        while unsafe { (raw.OperationNext)(handle, 0, &raw mut batch) } == CONNECTOR_PENDING {
            std::thread::yield_now();
        }
        // SAFETY: as above.
        assert_eq!(unsafe { (raw.OperationNext)(handle, 0, &raw mut batch) }, CONNECTOR_E_BUSY);
        assert!(matches!(first.join().unwrap(), Next::Batch(_)));
    });
    while matches!(operation.next(Duration::from_secs(60)).unwrap(), Next::Batch(_)) {}
    assert!(operation.result_json().unwrap().contains("Succeeded"));
}

#[test]
fn the_result_is_there_when_next_has_told_the_end_and_not_before() {
    let tenant = Tenant::small();
    let mut operation = tenant.start(None).unwrap();
    assert_eq!(operation.result_json().unwrap_err(), CONNECTOR_E_INVALID_STATE);
    while matches!(operation.next(Duration::from_secs(60)).unwrap(), Next::Batch(_)) {}
    let result: Value = serde_json::from_str(&operation.result_json().unwrap()).unwrap();
    assert_eq!((result["Outcome"].as_str(), result["Status"].as_i64()), (Some("Succeeded"), Some(1)));
    assert!(matches!(operation.next(Duration::ZERO).unwrap(), Next::End { checkpoint: Some(_) }), "the end repeats");
    let progress = operation.progress().unwrap();
    assert_eq!((progress.state, progress.rows_fetched), (CONNECTOR_STATE_SUCCEEDED, progress.rows_delivered));
}

#[test]
fn describe_needs_nothing_and_is_json() {
    let described: Value = serde_json::from_str(&connector().describe().unwrap()).unwrap();
    assert_eq!((described["Name"].as_str(), described["Direction"].as_str()), (Some("EntraId"), Some("Import")));
    assert_eq!(described["Abi"], format!("{CONNECTOR_ABI_MAJOR}.{CONNECTOR_ABI_MINOR}"));
}

#[test]
fn batches_keep_the_hosts_limits() {
    let tenant = Tenant::small();
    let (config, auth) = (tenant.config(), tenant.auth());
    let request = StartRequest {
        config: &config,
        auth: &auth,
        max_batch_rows: 7,
        max_queued_batches: 1,
        ..StartRequest::default()
    };
    let mut operation = connector().import(&request).unwrap();
    let mut batches = 0;
    while let Next::Batch(batch) = operation.next(Duration::from_secs(60)).unwrap() {
        assert!(batch.row_count <= 7);
        batches += 1;
    }
    assert!(batches > 10, "{batches}");
    let request = StartRequest { config: &config, auth: &auth, max_batch_bytes: 1, ..StartRequest::default() };
    let mut operation = connector().import(&request).unwrap();
    while let Next::Batch(batch) = operation.next(Duration::from_secs(60)).unwrap() {
        assert!(batch.row_count == 1, "one larger record is delivered alone");
    }
}

#[test]
fn a_host_that_is_only_woken_gets_everything() {
    let tenant = Tenant::small();
    let (config, auth) = (tenant.config(), tenant.auth());
    let (sender, woken) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let wake = std::sync::Arc::new(move || {
        let _ = sender.lock().unwrap().send(());
    });
    let request = StartRequest { config: &config, auth: &auth, wake: Some(wake), ..StartRequest::default() };
    let mut operation = connector().import(&request).unwrap();
    let mut rows = 0;
    loop {
        match operation.next(Duration::ZERO).unwrap() {
            Next::Batch(batch) => rows += batch.row_count,
            Next::Pending => woken.recv_timeout(Duration::from_secs(60)).expect("a wake-up after every Pending"),
            Next::End { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(rows, drain(tenant.start(None).unwrap()).records.len() as u64);
}
