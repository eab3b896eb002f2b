//! The allocator of this library: the system's, and every block is overwritten before it goes back.
//!
//! Secrets and tokens pass through libraries that copy them and do not know what they hold: `azure_identity` builds a
//! form, `hyper` a request, `rustls` a record. Each copy lies in a block of this allocator and is gone when its owner
//! is; our own `Zeroizing` types shorten lives, they cannot reach those. Only blocks of this library are concerned: the
//! host has its own allocator, and so has the system's C library. Easy to get wrong: a plain write before `free` is
//! dead code to an optimiser, and the system's `realloc` leaves the old place behind as it was.

#![expect(unsafe_code, reason = "an allocator is made of raw memory")]

#[cfg(not(miri))]
use core::arch::asm;
use core::ptr;
use std::alloc::{GlobalAlloc, Layout, System};

#[cfg(all(target_os = "linux", not(miri)))]
use crate::large_blocks::{is_large, map, resize, unmap};

#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

struct WipingAllocator;

// In each of the thousands of places where something is dropped these would be half a megabyte of code; a call costs
// nothing that could be measured.
//
// SAFETY: blocks come from the kernel or from the system's allocator, by their layout alone, and go back where they
// came from with the layout they were asked for with.
unsafe impl GlobalAlloc for WipingAllocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        #[cfg(all(target_os = "linux", not(miri)))]
        if is_large(layout) {
            return map(layout.size());
        }
        // SAFETY: the caller's promise is the one this function asks for.
        unsafe { System.alloc(layout) }
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        #[cfg(all(target_os = "linux", not(miri)))]
        if is_large(layout) {
            return map(layout.size());
        }
        // SAFETY: likewise.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that this size is not zero and fits.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        #[cfg(all(target_os = "linux", not(miri)))]
        if is_large(layout) && is_large(wanted) {
            // SAFETY: `alloc` mapped it, and the caller gives it up.
            return unsafe { resize(block, layout.size(), size) };
        }
        // SAFETY: likewise, a new block, a copy of what fits, and the old one goes back.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        #[cfg(all(target_os = "linux", not(miri)))]
        if is_large(layout) {
            // SAFETY: `alloc` mapped it, and the caller gives it up.
            unsafe { unmap(block, layout.size()) };
            return;
        }
        // SAFETY: the caller gives the block up, and it is `layout.size()` bytes long.
        unsafe { wipe(block, layout.size()) };
        // SAFETY: `alloc` got it from there with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Overwrites memory, also where nobody will read it again.
///
/// # Safety
/// `length` bytes from `start` may be written.
unsafe fn wipe(start: *mut u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { ptr::write_bytes(start, 0, length) };
    // Miri interprets, it leaves no write out and knows no assembler.
    #[cfg(not(miri))]
    // SAFETY: no instruction. To the compiler it may read all memory, so what was written above must be there.
    unsafe {
        asm!("/* {0} */", in(reg) start, options(readonly, nostack, preserves_flags));
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_survives_growing_into_a_large_block_and_back() {
        let mut bytes = b"contoso".repeat(10_000);
        bytes.reserve_exact(1 << 20);
        assert!(bytes == b"contoso".repeat(10_000));
        bytes.shrink_to_fit();
        assert!(bytes == b"contoso".repeat(10_000) && bytes.capacity() == bytes.len());
    }

    #[test]
    fn a_block_is_empty_when_it_goes_back_and_when_it_moves() {
        // Of memory that is still ours: to look at a block after `free` would be undefined.
        let mut block = *b"canary of sixteen";
        // SAFETY: as long as the array.
        unsafe { wipe(block.as_mut_ptr(), 16) };
        assert_eq!(&block, b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0n", "not a byte less, not a byte more");
    }
}
