//! Bytes that belong to the connector while the host holds them.
//!
//! `owner` is the boxed vector itself, so that a buffer can be given back on any thread and after its operation is
//! gone.

#![expect(unsafe_code, reason = "hands memory to the host and takes it back")]

use connector_abi::Buffer;

/// Gives `bytes` to the host. No bytes: the empty buffer, which needs no release.
pub(super) fn lend(bytes: Vec<u8>) -> Buffer {
    if bytes.is_empty() {
        return Buffer::EMPTY;
    }
    let owner = Box::new(bytes);
    Buffer { data: owner.as_ptr(), len: owner.len(), owner: Box::into_raw(owner).cast() }
}

/// Takes a lent buffer back and empties the struct.
///
/// # Safety
/// `buffer` was filled by [`lend`] and not taken back since, or is empty.
pub(super) unsafe fn take_back(buffer: &mut Buffer) {
    let owner = std::mem::replace(buffer, Buffer::EMPTY).owner;
    if !owner.is_null() {
        // SAFETY: `owner` came from `Box::into_raw` in `lend`, and replacing it above makes this the only return.
        drop(unsafe { Box::from_raw(owner.cast::<Vec<u8>>()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_given_back_once_and_then_empty() {
        let mut buffer = lend(b"abc".to_vec());
        assert_eq!(buffer.len, 3);
        // SAFETY: just lent; the second call gets the empty buffer.
        unsafe { take_back(&mut buffer) };
        assert!(buffer.data.is_null() && buffer.len == 0 && buffer.owner.is_null());
        // SAFETY: empty.
        unsafe { take_back(&mut buffer) };
    }

    #[test]
    fn nothing_is_the_empty_buffer() {
        assert!(lend(Vec::new()).owner.is_null());
    }
}
