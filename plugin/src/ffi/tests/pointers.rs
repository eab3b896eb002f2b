//! Pointers and lengths that a host hands in: nothing beyond them is read, and what cannot be one starts nothing.

use super::*;

/// What ImportAsync answers to these.
fn started(config: (*const c_char, usize), options: *const Options) -> (Status, String) {
    let (mut operation, mut json) = (77, Buffer::EMPTY);
    let auth = c"{}";
    // SAFETY: what the tests pass is live, or must not be read; Miri sees which.
    let status = unsafe {
        ImportAsync(
            config.0,
            config.1,
            auth.as_ptr(),
            CONNECTOR_NUL_TERMINATED,
            options,
            &raw mut operation,
            &raw mut json,
        )
    };
    drop(std::panic::take_hook());
    assert_eq!(operation, 0);
    (status, taken(json))
}

#[test]
fn not_a_byte_is_read_beyond_what_the_host_said() {
    let text: Box<[u8]> = (*b"{oops").into();
    assert_eq!(started((text.as_ptr().cast(), 5), ptr::null()).0, CONNECTOR_E_INVALID_CONFIG);
    let ended: Box<[u8]> = (*b"{oops\0").into();
    assert_eq!(started((ended.as_ptr().cast(), CONNECTOR_NUL_TERMINATED), ptr::null()).0, CONNECTOR_E_INVALID_CONFIG);
    let nowhere: *const c_char = ptr::without_provenance(64);
    for length in [CONNECTOR_MAX_INPUT + 1, isize::MAX as usize, isize::MAX as usize + 1, usize::MAX - 1] {
        assert_eq!(started((nowhere, length), ptr::null()).0, CONNECTOR_E_INVALID_ARGUMENT);
    }
    assert_eq!(started((nowhere, 0), ptr::null()).0, CONNECTOR_E_INVALID_CONFIG, "an empty text is read nowhere");
}

#[repr(C)]
struct Later(Options, u64);

#[test]
fn structs_are_read_as_far_as_they_say_and_pointers_that_cannot_be_are_not_read() {
    let text = (c"{}".as_ptr(), 2);
    // A size, and nothing behind it.
    for size in [0, 8, size_of::<Options>() as u64 - 1, 4097, u64::from(u32::MAX)] {
        let short = Box::new(size);
        let (status, error) = started(text, ptr::from_ref(&*short).cast());
        assert!(status == CONNECTOR_E_INVALID_ARGUMENT && error.contains("struct_size"), "{size}: {error}");
    }
    let misaligned = |by: usize| ptr::without_provenance::<Options>(64 + by);
    for by in [1, 2, 4] {
        assert_eq!(started(text, misaligned(by)).0, CONNECTOR_E_INVALID_ARGUMENT);
    }
    let options = Options {
        struct_size: size_of::<Later>() as u32,
        flags: 0,
        watermark: ptr::null(),
        watermark_len: 0,
        max_batch_rows: 0,
        max_batch_bytes: 0,
        max_queued_batches: 0,
        reserved: 0,
        callbacks: ptr::null(),
    };
    let later = Box::new(Later(options, 0));
    assert_eq!(started(text, ptr::from_ref(&*later).cast()).0, CONNECTOR_E_INVALID_CONFIG);
    let later = Box::new(Later(options, 1));
    assert_eq!(started(text, ptr::from_ref(&*later).cast()).0, CONNECTOR_E_NOT_SUPPORTED);
    let wrong = Options { struct_size: size_of::<Options>() as u32, callbacks: ptr::without_provenance(68), ..options };
    assert_eq!(started(text, &raw const wrong).0, CONNECTOR_E_INVALID_ARGUMENT);
}

#[test]
fn answers_that_cannot_be_written_start_nothing() {
    let text = c"{}".as_ptr();
    let mut operation = 77;
    // SAFETY: none of these may be touched but the handle.
    let statuses = unsafe {
        [
            Describe(ptr::null_mut()),
            Describe(ptr::without_provenance_mut(65)),
            OperationNext(1, 0, ptr::null_mut()),
            OperationNext(1, 0, ptr::without_provenance_mut(68)),
            OperationProgress(1, ptr::without_provenance_mut(68)),
            OperationResult(1, ptr::without_provenance_mut(65)),
            ImportAsync(text, 2, text, 2, ptr::null(), ptr::null_mut(), ptr::null_mut()),
            CheckAsync(text, 2, text, 2, ptr::null(), ptr::without_provenance_mut(65), ptr::null_mut()),
            ImportAsync(text, 2, text, 2, ptr::null(), &raw mut operation, ptr::without_provenance_mut(65)),
            ExportAsync(text, 2, text, 2, ptr::null(), &raw mut operation, ptr::without_provenance_mut(65)),
        ]
    };
    drop(std::panic::take_hook());
    assert_eq!((statuses, operation), ([CONNECTOR_E_INVALID_ARGUMENT; 10], 0));
}

#[test]
fn an_answer_nobody_has_initialised_is_written_and_not_read() {
    let mut json = std::mem::MaybeUninit::<Buffer>::uninit();
    // SAFETY: may be written.
    assert_eq!(unsafe { OperationResult(1, json.as_mut_ptr()) }, CONNECTOR_E_INVALID_ARGUMENT);
    // SAFETY: emptied on failure too.
    assert!(unsafe { json.assume_init() }.data.is_null());
}
