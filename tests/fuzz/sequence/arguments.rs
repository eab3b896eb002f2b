//! The arguments of the three starting functions, picked by bytes: good ones, and one of each kind of wrong.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use connector_abi::{CONNECTOR_MAX_INPUT, CONNECTOR_NUL_TERMINATED, Callbacks, Options};

use super::operation::{Shared, on_log, on_wake};
use super::server::Server;

const TENANT: &str = "3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293";

/// A text as the header wants it, and its owner.
pub(super) struct Text {
    _owner: Vec<u8>,
    pub(super) data: *const c_char,
    pub(super) len: usize,
    /// The header says that it is answered with an error.
    pub(super) wrong: bool,
}

impl Text {
    fn new(text: impl Into<Vec<u8>>, wrong: bool) -> Text {
        let owner = text.into();
        Text { data: owner.as_ptr().cast(), len: owner.len(), _owner: owner, wrong }
    }

    fn nul_terminated(text: &str) -> Text {
        Text { len: CONNECTOR_NUL_TERMINATED, ..Text::new(format!("{text}\0"), false) }
    }
}

/// A wrong text of the kind that `how` names, if it names one.
fn wrong(how: u8) -> Option<Text> {
    Some(match how {
        0 => Text { data: ptr::null(), ..Text::new("", true) },
        1 => Text { data: ptr::null(), len: 5, ..Text::new("", true) },
        2 => Text { len: CONNECTOR_MAX_INPUT + 1, ..Text::new("{}", true) },
        3 => Text { len: isize::MAX as usize + 1, ..Text::new("{}", true) },
        4 => Text::new(&b"{\"a\":\"\xff\"}"[..], true),
        5 => Text::new("{oops}", true),
        6 => Text::new("", true),
        _ => return None,
    })
}

pub(super) fn config(how: u8, server: &Server) -> Text {
    // Most sequences should get past the start.
    if let Some(wrong) = wrong(how % 32) {
        return wrong;
    }
    let origin = if how & 64 == 0 { server.origin() } else { "http://127.0.0.1:1".to_owned() };
    let what = match how % 4 {
        0 => r#""ImportGroups":false,"ImportMemberships":false"#,
        1 => r#""GroupSelectionFilter":"startswith(displayName,'A')""#,
        2 => r#""MembershipMode":"Delta""#,
        _ => r#""UserAttributes":["employeeId"],"MaxDeletes":1"#,
    };
    let text = format!(
        r#"{{"TenantId":"{TENANT}","GraphEndpoint":"{origin}","AuthorityHost":"{origin}","MaxRetries":0,"RetryBaseSeconds":0.01,"MaxConcurrency":2,{what}}}"#
    );
    if how & 128 == 0 { Text::new(text, false) } else { Text::nul_terminated(&text) }
}

pub(super) fn auth(how: u8) -> Text {
    let good = r#"{"Mode":"ClientSecret","ClientId":"11111111-2222-4333-8444-555555555555","ClientSecret":"x"}"#;
    wrong(how % 64).unwrap_or_else(|| if how & 128 == 0 { Text::new(good, false) } else { Text::nul_terminated(good) })
}

/// Options, and whatever they point to. One size larger than this version's, as a later host has them.
pub(super) struct Wishes {
    room: Box<Room>,
    _callbacks: Box<Callbacks>,
    _watermark: Text,
    given: bool,
    shifted: bool,
    pub(super) wrong: bool,
    /// Good in every other way: an import refuses it, a check tells so in a record.
    pub(super) no_watermark: bool,
}

#[repr(C, align(8))]
struct Room {
    options: Options,
    tail: [u8; 64],
}

impl Wishes {
    pub(super) fn of(how: u8, more: u8, server: &Server, shared: &Arc<Shared>) -> Wishes {
        let origin = server.origin();
        let watermark = match more % 8 {
            0..=3 => Text::new("", false),
            4 => Text::new(format!(r#"{{"u":"{origin}/v1.0/users/delta?$deltatoken=a"}}"#), false),
            5 => Text::new(r#"{"u":"https://evil.example/v1.0/users/delta"}"#, false),
            6 => Text::new("no watermark", false),
            _ => Text { data: ptr::null(), len: 5, ..Text::new("", true) },
        };
        let callbacks = Box::new(Callbacks {
            struct_size: if how & 15 == 15 { 3 } else { size_of::<Callbacks>() as u32 },
            max_log_level: u32::from(how >> 5),
            user_data: Arc::as_ptr(shared).cast_mut().cast(),
            log: (how & 32 == 0).then_some(on_log),
            wake: (how & 64 == 0).then_some(on_wake),
        });
        let mut room = Box::new(Room {
            options: Options {
                struct_size: size_of::<Options>() as u32,
                flags: 0,
                watermark: watermark.data,
                watermark_len: watermark.len,
                max_batch_rows: u32::from(more >> 6),
                max_batch_bytes: 0,
                max_queued_batches: u32::from(more >> 7),
                reserved: 0,
                callbacks: if how & 1 == 1 { &raw const *callbacks } else { ptr::null() },
            },
            tail: [0; 64],
        });
        let mut wrong = watermark.wrong || how & 15 == 15;
        match how & 0b1110 {
            2 => room.options.struct_size += 64,
            4 if how & 16 == 16 => {
                (room.options.struct_size, room.tail[63], wrong) = (size_of::<Room>() as u32, 1, true);
            }
            6 if how & 16 == 16 => (room.options.struct_size, wrong) = (u32::from(more) % 48, true),
            8 if how & 16 == 16 => (room.options.flags, wrong) = (u32::from(more) + 1, true),
            _ => {}
        }
        let (given, shifted) = (how & 0b1110 != 0, how & 0b1_1110 == 26);
        Wishes {
            room,
            _callbacks: callbacks,
            _watermark: watermark,
            given,
            shifted,
            wrong: given && (wrong || shifted),
            no_watermark: given && more % 8 == 6,
        }
    }

    pub(super) fn pointer(&self) -> *const Options {
        match (self.given, self.shifted) {
            (false, _) => ptr::null(),
            (true, false) => (&raw const *self.room).cast(),
            // Not aligned, and inside memory of ours.
            (true, true) => (&raw const *self.room).cast::<u8>().wrapping_add(1).cast(),
        }
    }
}
