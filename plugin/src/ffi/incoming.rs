//! What the host hands in: pointers and lengths, checked before anything is read, copied before the call returns.
//!
//! A length beyond the host's own buffer cannot be noticed here; everything else is an error, never undefined
//! behaviour.

#![expect(unsafe_code, reason = "reads the host's memory")]

use core::ffi::c_char;

use connector_abi::{CONNECTOR_MAX_INPUT, CONNECTOR_NUL_TERMINATED, Callbacks, Options};
use entra_id_core::error::{Document, Error, Kind, Problem};
use entra_id_core::log::Level;
use entra_id_core::operation::Limits;

/// Structs of later versions may be this long; a longer size is garbage.
const MAX_STRUCT: usize = 4096;

/// An error about an argument, with the parameter's name.
pub(super) fn bad_argument(name: &str, what: &str) -> Error {
    Error::new(Kind::InvalidArgument, format!("{name} {what}"))
}

/// The answer to a pointer that cannot be one to its struct.
pub(super) fn misaligned(name: &str) -> Error {
    bad_argument(name, "is not aligned for its struct")
}

/// The size that a struct of the host says it has, if it can be one: what lies outside is memory nobody set.
pub(super) fn plausible<T>(name: &str, said: u32) -> Result<usize, Error> {
    let (said, least) = (said as usize, size_of::<T>());
    if !(least..=MAX_STRUCT).contains(&said) {
        return Err(bad_argument(name, &format!("has struct_size {said}; set it to its sizeof, at least {least}")));
    }
    Ok(said)
}

/// A text of the host, borrowed for the call.
///
/// # Safety
/// If `data` is not null and `len` is neither above the limit nor `CONNECTOR_NUL_TERMINATED`, `len` bytes can be read;
/// if it is `CONNECTOR_NUL_TERMINATED`, bytes can be read up to and including the first NUL.
pub(super) unsafe fn text<'a>(name: &str, data: *const c_char, len: usize) -> Result<&'a str, Error> {
    if data.is_null() {
        return Err(bad_argument(name, "is NULL; pass UTF-8 text"));
    }
    let data = data.cast::<u8>();
    let len = if len == CONNECTOR_NUL_TERMINATED {
        // SAFETY: the caller promises readable bytes up to the first NUL, and `take_while` stops there.
        (0..=CONNECTOR_MAX_INPUT).take_while(|&i| unsafe { data.add(i).read() } != 0).count()
    } else {
        len
    };
    if len > CONNECTOR_MAX_INPUT {
        return Err(bad_argument(name, "is longer than 16 MiB (CONNECTOR_MAX_INPUT)"));
    }
    // SAFETY: the caller promises `len` readable bytes; they are copied or parsed before the export returns.
    let bytes = unsafe { std::slice::from_raw_parts(data, len) };
    std::str::from_utf8(bytes).map_err(|e| bad_argument(name, &format!("is not UTF-8 at byte {}", e.valid_up_to())))
}

/// A struct of the host that begins with its size: the part this version knows.
///
/// # Safety
/// If `pointer` is not null and aligned, as many bytes as its first `u32` says can be read.
pub(super) unsafe fn sized<T: Copy>(name: &str, pointer: *const T) -> Result<T, Error> {
    if !pointer.is_aligned() {
        return Err(misaligned(name));
    }
    // SAFETY: every struct of the contract begins with a `u32`, and `pointer` is aligned for the whole.
    let said = unsafe { pointer.cast::<u32>().read() };
    let said = plausible::<T>(name, said)?;
    // SAFETY: `said` bytes can be read, by the caller's promise.
    let beyond = unsafe { std::slice::from_raw_parts(pointer.cast::<u8>().add(size_of::<T>()), said - size_of::<T>()) };
    if beyond.iter().any(|&b| b != 0) {
        return Err(Error::new(
            Kind::NotSupported,
            format!("{name} asks for something this version of the connector does not have"),
        ));
    }
    // SAFETY: aligned, and at least `size_of::<T>()` bytes can be read.
    Ok(unsafe { pointer.read() })
}

/// The host's options, copied.
pub(super) struct Wishes {
    /// `None`: full import.
    pub(super) watermark: Option<String>,
    pub(super) limits: Limits,
    pub(super) max_log_level: Level,
    pub(super) callbacks: Option<Callbacks>,
}

/// Reads options and callbacks.
///
/// # Safety
/// As for [`sized`], for `options` and for the callbacks it points to; as for [`text`], for the watermark.
pub(super) unsafe fn wishes(options: *const Options) -> Result<Wishes, Error> {
    if options.is_null() {
        return Ok(Wishes { watermark: None, limits: Limits::default(), max_log_level: Level::Info, callbacks: None });
    }
    // SAFETY: not null; the rest is the caller's promise.
    let options = unsafe { sized("options", options) }?;
    if options.flags != 0 || options.reserved != 0 {
        let mut error = Error::new(Kind::NotSupported, "options.flags and options.reserved must be 0 in this version");
        error.problems.push(Problem {
            document: Document::Options,
            path: if options.flags == 0 { "/reserved" } else { "/flags" }.to_owned(),
            found: options.flags.max(options.reserved).to_string(),
            expected: "0".to_owned(),
            nearest: None,
        });
        return Err(error);
    }
    let watermark = if options.watermark.is_null() && matches!(options.watermark_len, 0 | CONNECTOR_NUL_TERMINATED) {
        None
    } else {
        // SAFETY: the caller's promise for the watermark.
        Some(unsafe { text("options.watermark", options.watermark, options.watermark_len) }?.to_owned())
    };
    let callbacks = if options.callbacks.is_null() {
        None
    } else {
        // SAFETY: not null; the rest is the caller's promise.
        Some(unsafe { sized("options.callbacks", options.callbacks) }?)
    };
    Ok(Wishes {
        watermark,
        limits: limits(options.max_batch_rows, options.max_batch_bytes, options.max_queued_batches),
        max_log_level: Level::from_number(callbacks.map_or(0, |c| c.max_log_level)),
        callbacks,
    })
}

/// Batch limits, zeros being the defaults.
pub(super) fn limits(rows: u32, bytes: u32, queued: u32) -> Limits {
    let or = |asked: u32, default: usize| if asked == 0 { default } else { asked as usize };
    let default = Limits::default();
    Limits { rows: or(rows, default.rows), bytes: or(bytes, default.bytes), queued: or(queued, default.queued) }
}
