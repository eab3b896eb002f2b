//! Keeps the library in memory for as long as the process lives.
//!
//! A host may free its handle while a worker is inside our code; unmapping that code then ends the process. On Linux a
//! link flag says so once and for all (`plugin/build.rs`). Windows and macOS have no such flag: there the library takes
//! a hold of itself that nobody can give back, in the first call that could start a thread, before it does anything.
//! This must not run while the library is loaded: hardly anything may be called inside `DllMain`.

#![cfg_attr(any(windows, target_os = "macos"), expect(unsafe_code, reason = "asks the loader"))]

use std::sync::atomic::{AtomicBool, Ordering};

static PINNED: AtomicBool = AtomicBool::new(false);

/// Called by every export that does more than answer a constant. Should the loader refuse, the next call asks again;
/// until then the rule of the header holds, which says never to unload.
pub(super) fn pin() {
    if !PINNED.load(Ordering::Relaxed) && hold() {
        PINNED.store(true, Ordering::Relaxed);
    }
}

/// Whether this library stays. Twice is as good as once, so threads need not agree on who asks.
#[cfg(windows)]
fn hold() -> bool {
    use core::ffi::c_void;

    /// The module stays until the process ends, whatever its count is.
    const PIN: u32 = 1;
    /// The second argument is an address inside the module.
    const FROM_ADDRESS: u32 = 4;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, inside: *const c_void, module: *mut *mut c_void) -> i32;
    }

    let mut module = core::ptr::null_mut();
    // SAFETY: the address is one of ours, and the answer goes to a place that outlives the call.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, (&raw const PINNED).cast(), &raw mut module) != 0 }
}

/// Whether this library stays. Twice is as good as once, so threads need not agree on who asks.
#[cfg(target_os = "macos")]
fn hold() -> bool {
    use core::ffi::{c_char, c_int, c_void};

    /// `Dl_info`.
    #[repr(C)]
    struct Whereabouts {
        file: *const c_char,
        base: *mut c_void,
        symbol: *const c_char,
        address: *mut c_void,
    }
    /// `RTLD_LAZY`, `RTLD_LOCAL`, `RTLD_NOLOAD`, `RTLD_NODELETE` of <dlfcn.h>: only what is loaded already, for ever.
    const KEEP: c_int = 0x1 | 0x4 | 0x10 | 0x80;

    unsafe extern "C" {
        fn dladdr(inside: *const c_void, found: *mut Whereabouts) -> c_int;
        fn dlopen(file: *const c_char, mode: c_int) -> *mut c_void;
    }

    let null: *mut c_void = core::ptr::null_mut();
    let mut found = Whereabouts { file: null.cast(), base: null, symbol: null.cast(), address: null };
    // SAFETY: the address is one of ours; the file name is the loader's own and lives as long as the library is loaded,
    // which is while we are in here.
    unsafe { dladdr((&raw const PINNED).cast(), &raw mut found) != 0 && !dlopen(found.file, KEEP).is_null() }
}

/// Whether this library stays.
#[cfg(not(any(windows, target_os = "macos")))]
fn hold() -> bool {
    true // linked so
}
