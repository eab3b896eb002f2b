//! Keeps the host's signals off the library's threads.
//!
//! A write to a connection that the other side has closed raises SIGPIPE in the writing thread. Rust's `write`
//! suppresses it (`MSG_NOSIGNAL`), but `write_vectored` is a plain `writev`, and HTTP and TLS write through that one.
//! With the default disposition the signal ends the process. Here it is blocked, so the write fails with EPIPE instead.
//! A thread inherits the mask of the thread that starts it. So the host's thread blocks signals only while it starts an
//! operation, and every thread of that operation, also one started an hour later, has them blocked for its whole life.
//!
//! The one mistake that is easy to make here: to ignore SIGPIPE by `signal(SIGPIPE, SIG_IGN)`. That is the host's
//! setting.

#[cfg(all(unix, not(miri)))]
pub(super) use unix::blocked;

/// Windows has no such signals, and Miri has no signals at all.
#[cfg(not(all(unix, not(miri))))]
pub(super) fn blocked<R>(start: impl FnOnce() -> R) -> R {
    start()
}

#[cfg(all(unix, not(miri)))]
mod unix {
    #![expect(unsafe_code, reason = "the C library's signal masks")]

    use std::marker::PhantomData;
    use std::mem::MaybeUninit;
    use std::ptr;

    /// Signals that stay open. Six report a fault of the running thread itself; the kernel ends a process that blocks
    /// them. SIGABRT stays open so that a crash reporter of the host sees an abort here too. SIGPROF stays open so that
    /// a profiler of the host sees what the connector costs: its handler is written to interrupt any thread.
    const OPEN: [libc::c_int; 8] = [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGSYS,
        libc::SIGABRT,
        libc::SIGPROF,
    ];

    /// A managed runtime whose `wake` is called attaches that thread, and later stops it by a signal for a collection
    /// or at its end. Mono and collectors in C wait for the answer for ever, so their signals stay open.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const OF_RUNTIMES: &[libc::c_int] = &[libc::SIGPWR, libc::SIGXCPU];
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const OF_RUNTIMES: &[libc::c_int] = &[libc::SIGXCPU];

    /// Real-time signals of Linux, which runtimes use likewise. Other systems refuse these numbers, which does no harm.
    const REAL_TIME: std::ops::RangeInclusive<libc::c_int> = 34..=64;

    /// Runs `start` with every signal blocked but those above, then restores the calling thread's own mask.
    pub(in super::super) fn blocked<R>(start: impl FnOnce() -> R) -> R {
        let _mask = Mask::block();
        start()
    }

    /// The calling thread's own mask, restored on drop. It belongs to one thread, so it must not be sent to another.
    struct Mask {
        own: libc::sigset_t,
        not_send: PhantomData<*const ()>,
    }

    impl Mask {
        /// `None` if the system refuses, which it does only for a wrong first argument. Then the mask is unchanged.
        fn block() -> Option<Mask> {
            let mut most = MaybeUninit::uninit();
            let mut own = MaybeUninit::uninit();
            // SAFETY: `sigfillset` initialises `most`, which the other calls then change and read; `own` is read only
            // after the call that fills it has succeeded. glibc and musl keep the signals that they need themselves
            // open.
            unsafe {
                libc::sigfillset(most.as_mut_ptr());
                for signal in OPEN.into_iter().chain(OF_RUNTIMES.iter().copied()).chain(REAL_TIME) {
                    libc::sigdelset(most.as_mut_ptr(), signal);
                }
                (libc::pthread_sigmask(libc::SIG_BLOCK, most.as_ptr(), own.as_mut_ptr()) == 0)
                    .then(|| Mask { own: own.assume_init(), not_send: PhantomData })
            }
        }
    }

    impl Drop for Mask {
        fn drop(&mut self) {
            // SAFETY: `own` was filled by the call that made this guard.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.own, ptr::null_mut()) };
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// Which signals the calling thread blocks.
        fn mask() -> Vec<libc::c_int> {
            let mut own = MaybeUninit::uninit();
            // SAFETY: a null set changes nothing; the call fills `own`.
            unsafe {
                assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), own.as_mut_ptr()), 0);
                (1..32).filter(|signal| libc::sigismember(own.as_ptr(), *signal) == 1).collect()
            }
        }

        #[test]
        fn thread_started_inside_inherits_the_mask_and_faults_stay_open() {
            let inherited = blocked(|| std::thread::spawn(mask)).join().unwrap();
            assert!(
                [libc::SIGPIPE, libc::SIGTERM, libc::SIGINT, libc::SIGCHLD].iter().all(|it| inherited.contains(it))
            );
            assert!(OPEN.iter().all(|signal| !inherited.contains(signal)), "{inherited:?}");
        }

        #[test]
        fn callers_mask_is_restored_after_success_and_after_panic() {
            // On a thread of its own: a mask that the host chose itself must come back as it was.
            std::thread::spawn(|| {
                let chosen = Mask::block().unwrap();
                let mut one = MaybeUninit::uninit();
                // SAFETY: `sigemptyset` initialises `one`.
                unsafe {
                    libc::sigemptyset(one.as_mut_ptr());
                    libc::sigaddset(one.as_mut_ptr(), libc::SIGUSR1);
                    libc::pthread_sigmask(libc::SIG_SETMASK, one.as_ptr(), ptr::null_mut());
                }
                assert_eq!(mask(), [libc::SIGUSR1]);
                assert!(blocked(mask).contains(&libc::SIGPIPE));
                assert_eq!(mask(), [libc::SIGUSR1]);
                std::panic::catch_unwind(|| blocked(|| std::panic::resume_unwind(Box::new(())))).unwrap_err();
                assert_eq!(mask(), [libc::SIGUSR1]);
                drop(chosen);
            })
            .join()
            .unwrap();
        }
    }
}
