//! Large blocks of memory, straight from the kernel and back to it, on Linux.
//!
//! A page of answers and a batch of rows are hundreds of kilobytes, made on one thread and freed on another. glibc
//! keeps such blocks in the arena of the thread that made them, one arena a thread, and an import that needs 13 MiB
//! held 26 of its host's. `mallopt` would change that for the host too; this is for the library alone. Easy to get
//! wrong: nothing needs to be overwritten here, since the kernel hands no page on with what was in it (mmap(2):
//! anonymous pages are zero).

#![expect(unsafe_code, reason = "memory is asked of the kernel")]

use std::alloc::Layout;
use std::ptr;

/// Bytes from which a block is large. glibc begins there too, and then moves its own limit up to 32 MiB (mallopt(3)).
const LARGE: usize = 128 * 1024;

/// The kernel's pages are this large at least, and a mapping begins at one.
const PAGE: usize = 4096;

/// Whether a block of this layout is one of these.
pub(crate) fn is_large(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= PAGE
}

/// A new block of zeros; null when there is no memory.
pub(crate) fn map(size: usize) -> *mut u8 {
    // SAFETY: a new private mapping touches no other memory.
    let block = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if block == libc::MAP_FAILED { ptr::null_mut() } else { block.cast() }
}

/// The block with its content, smaller or larger, here or elsewhere; null, and the block as it was, when there is no
/// memory.
///
/// # Safety
/// `block` came from [`map`] or from here with `size`, and nobody uses it afterwards unless this answers null.
pub(crate) unsafe fn resize(block: *mut u8, size: usize, wanted: usize) -> *mut u8 {
    // SAFETY: the caller's promise; the kernel moves whole pages.
    let moved = unsafe { libc::mremap(block.cast(), size, wanted, libc::MREMAP_MAYMOVE) };
    if moved == libc::MAP_FAILED { ptr::null_mut() } else { moved.cast() }
}

/// Gives the block back.
///
/// # Safety
/// `block` came from [`map`] or [`resize`] with `size`, and nobody uses it afterwards.
pub(crate) unsafe fn unmap(block: *mut u8, size: usize) {
    // SAFETY: the caller's promise. It fails only where there is no such mapping.
    unsafe { libc::munmap(block.cast(), size) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(size: usize) -> *mut u8 {
        let block = map(size);
        assert!(!block.is_null());
        // SAFETY: as long as it was asked for.
        unsafe { ptr::write_bytes(block, 7, size) };
        block
    }

    #[test]
    fn a_block_keeps_its_content_when_it_grows_and_what_is_new_is_zero() {
        let (small, large) = (LARGE + 5 * PAGE, 9 * LARGE);
        // SAFETY: each block is used with its own size, until it is given up.
        unsafe {
            let block = resize(filled(small), small, large);
            assert_eq!((*block, *block.add(small - 1), *block.add(large - 1)), (7, 7, 0));
            let block = resize(block, large, LARGE);
            assert_eq!(*block.add(LARGE - 1), 7);
            unmap(block, LARGE);
        }
    }

    #[test]
    fn what_was_in_a_block_is_in_no_other() {
        // SAFETY: each block is used with its own size, until it is given up.
        unsafe {
            unmap(filled(LARGE), LARGE);
            let again = map(LARGE);
            assert!((0..LARGE).all(|at| *again.add(at) == 0));
            unmap(again, LARGE);
        }
    }

    #[test]
    fn the_system_has_what_is_small_or_aligned_to_more_than_a_page() {
        let large = |size, align| is_large(Layout::from_size_align(size, align).unwrap());
        assert!(large(LARGE, 1) && large(LARGE, PAGE));
        assert!(!large(LARGE - 1, 1) && !large(LARGE, 2 * PAGE));
    }

    #[test]
    fn more_than_there_is_answers_null() {
        assert!(map(usize::MAX / 2).is_null());
    }
}
