//! How much memory the bodies of one operation's answers may take together.
//!
//! Every worker may hold a page, and a page may be as large as an answer may be, so a limit for each answer alone would
//! bound nothing. Bodies share one pool. A body that finds the pool empty waits, or becomes the one large body, whose
//! room is apart from the pool. It always fits, so it is read to its end and dropped, and the next waiting body goes
//! on.
//!
//! The mistake that is easy to make here is to let a body wait that is asked for ahead of its use: it is dropped only
//! after other requests are over, and those may be waiting for its room. Such a body gets room at once or not at all.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::transport::{Broken, Fault};
use crate::cancel::Cancel;

/// What all bodies but the large one may take together: some twenty times the largest common page.
const POOL: usize = 16 << 20;

/// Room is taken in steps of this size.
const STEP: usize = 256 << 10;

/// A waiting thread looks at the cancel flag this often.
const CANCEL_CHECK: Duration = Duration::from_millis(200);

/// Room for the bodies of one operation.
#[derive(Debug)]
pub(crate) struct Room {
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Some body is the large one.
    large: bool,
}

/// What one body takes; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    room: Arc<Room>,
    taken: usize,
    large: bool,
}

impl Room {
    pub(crate) fn new() -> Arc<Room> {
        Arc::new(Room { state: Mutex::new(State { free: POOL, large: false }), returned: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For a body that has no byte yet.
    pub(crate) fn share(self: &Arc<Room>) -> Share {
        Share { room: Arc::clone(self), taken: 0, large: false }
    }
}

impl Share {
    /// Takes room for `bytes` in all. Without `patient` an empty pool is a [`Fault::NoRoom`].
    pub(crate) fn grow(&mut self, bytes: usize, patient: bool, cancel: &Cancel) -> Result<(), Broken> {
        if self.large || bytes <= self.taken {
            return Ok(());
        }
        let wanted = bytes.next_multiple_of(STEP) - self.taken;
        let mut state = self.room.lock();
        loop {
            if state.free >= wanted {
                state.free -= wanted;
                self.taken += wanted;
                return Ok(());
            }
            if !patient {
                return Err(Broken { fault: Fault::NoRoom, text: "other answers take the memory".to_owned() });
            }
            if !state.large {
                state.large = true;
                state.free += std::mem::take(&mut self.taken);
                self.large = true;
                self.room.returned.notify_all();
                return Ok(());
            }
            state = self.room.returned.wait_timeout(state, CANCEL_CHECK).unwrap_or_else(PoisonError::into_inner).0;
            if cancel.is_cancelled() {
                return Err(Broken { fault: Fault::Cancelled, text: "cancelled".to_owned() });
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        state.free += self.taken;
        if self.large {
            state.large = false;
        }
        drop(state);
        self.room.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(room: &Arc<Room>, bytes: usize) -> Share {
        let mut share = room.share();
        share.grow(bytes, true, &Cancel::new()).unwrap();
        share
    }

    #[test]
    fn full_pool_makes_one_body_the_large_one_and_the_next_wait() {
        let room = Room::new();
        let pooled = share(&room, POOL);
        let large = share(&room, STEP);
        assert!(large.large && !pooled.large);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| share(&room, STEP).large);
            drop(large);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn large_body_leaves_its_part_of_the_pool_to_others() {
        let room = Room::new();
        let _other = share(&room, POOL / 2);
        let mut growing = share(&room, POOL / 2);
        growing.grow(2 * POOL, true, &Cancel::new()).unwrap();
        assert!(growing.large && !share(&room, POOL / 2).large);
    }

    #[test]
    fn room_is_whole_again_after_every_body_is_dropped() {
        let room = Room::new();
        drop([share(&room, POOL), share(&room, 2 * POOL)]);
        let state = room.lock();
        assert!(state.free == POOL && !state.large);
    }

    #[test]
    fn body_asked_for_ahead_never_waits_and_is_never_the_large_one() {
        let room = Room::new();
        let _pooled = share(&room, POOL);
        let broken = room.share().grow(1, false, &Cancel::new()).unwrap_err();
        assert_eq!(broken.fault, Fault::NoRoom);
    }

    #[test]
    fn cancel_ends_the_wait_for_room() {
        let (room, cancel) = (Room::new(), Cancel::new());
        let _held = (share(&room, POOL), share(&room, POOL));
        cancel.cancel();
        assert_eq!(room.share().grow(1, true, &cancel).unwrap_err().fault, Fault::Cancelled);
    }
}
