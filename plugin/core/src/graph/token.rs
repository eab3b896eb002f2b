//! The bearer token of an operation: fetched once for all workers, renewed ahead of its end, replaced when refused.
//!
//! Two locks. `state` is held for moments only. `flight` is held while a token is fetched, so that one worker fetches
//! and the others wait for its result, good or bad: eight workers must not try a wrong secret eight times. While the
//! token at hand is still good, nobody waits at all: whoever finds the flight free renews it, the rest goes on.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::clock::Clock;
use crate::error::{Error, Kind};
use crate::log::{Level, Log};

/// How long before its end a token is renewed. One that lives shorter is renewed after five sixths of its life: with a
/// fixed margin a token of four minutes would mean a token request per call.
const AHEAD: Duration = Duration::from_secs(300);

/// How long a renewal that failed is left alone while the token at hand is good.
const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// Where tokens come from.
pub(crate) trait Credential: Send + Sync {
    /// Gets a token nobody has used yet. `patient`: with all retries; otherwise one try. `claims`: JSON that Graph
    /// demands (`claims.rs`).
    fn fetch(&self, patient: bool, claims: Option<&str>) -> Result<Fetched, Error>;
}

/// A token as it came.
pub(crate) struct Fetched {
    pub(crate) token: Zeroizing<String>,
    /// From the moment it was asked for.
    pub(crate) lifetime: Duration,
    /// When it was asked for.
    pub(crate) asked: Instant,
}

/// A token for one request.
#[derive(Clone)]
pub(crate) struct Bearer {
    /// `Bearer …`, as the header wants it.
    pub(crate) header: Zeroizing<String>,
    /// Which of the operation's tokens this is.
    generation: u64,
}

impl Bearer {
    /// The token alone.
    pub(crate) fn token(&self) -> &str {
        self.header.strip_prefix("Bearer ").unwrap_or(&self.header)
    }
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// The token of one operation.
pub(crate) struct Tokens {
    credential: Box<dyn Credential>,
    state: Mutex<State>,
    flight: Mutex<()>,
    /// Fetches that are over; tells a waiting worker that the one it waited for was made for it too.
    landed: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// Why the last fetch gave nothing.
    failed: Option<Error>,
    /// What Graph demands of the next token.
    demanded: Option<String>,
}

#[derive(Debug, Clone)]
struct Held {
    bearer: Bearer,
    /// What was demanded of it.
    claims: Option<String>,
    renew: Instant,
    end: Instant,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a credential holds has no `Debug`.
        f.debug_struct("Tokens").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(credential: Box<dyn Credential>) -> Tokens {
        Tokens { credential, state: Mutex::default(), flight: Mutex::default(), landed: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that is good now.
    pub(crate) fn get(&self, clock: &dyn Clock, log: &Log) -> Result<Bearer, Error> {
        let landed = self.landed.load(Ordering::Acquire);
        let held = self.state().held.clone();
        match held.filter(|held| clock.now() < held.end) {
            Some(held) if clock.now() < held.renew => Ok(held.bearer),
            Some(held) => Ok(self.renew(held, clock, log)),
            None => self.wait_for_one(landed, clock),
        }
    }

    /// A token that is good now and need not be renewed; asks nobody.
    pub(crate) fn at_hand(&self, clock: &dyn Clock) -> Option<Bearer> {
        self.state().held.as_ref().filter(|held| clock.now() < held.renew).map(|held| held.bearer.clone())
    }

    /// Graph has refused this token, and may demand claims of another: the next call fetches one, unless somebody has
    /// done so already. One that was fetched meanwhile without the claims is no better.
    pub(crate) fn refused(&self, bearer: &Bearer, claims: Option<&str>) {
        let mut state = self.state();
        let Some(held) = &state.held else {
            state.demanded = claims.map(str::to_owned).or(state.demanded.take());
            return;
        };
        let without = claims.is_some() && held.claims.as_deref() != claims;
        if held.bearer.generation == bearer.generation || without {
            state.held = None;
            state.demanded = claims.map(str::to_owned);
        }
    }

    /// Renews a token that is still good: one try, and if it fails the old one will do for now.
    fn renew(&self, held: Held, clock: &dyn Clock, log: &Log) -> Bearer {
        let _flight = match self.flight.try_lock() {
            Ok(flight) => flight,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return held.bearer,
        };
        // Somebody may have finished between the look at the state and the flight.
        if let Some(newer) = self.state().held.as_ref().filter(|now| now.bearer.generation != held.bearer.generation) {
            return newer.bearer.clone();
        }
        match self.credential.fetch(false, None) {
            Ok(fetched) => self.keep(fetched, None),
            Err(error) => {
                log.write(Level::Warn, || {
                    format!("the token could not be renewed, the old one is still good: {error}")
                });
                if let Some(held) = &mut self.state().held {
                    held.renew = clock.now() + RENEW_AGAIN;
                }
                held.bearer
            }
        }
    }

    /// Fetches a token, or waits for the worker that does.
    fn wait_for_one(&self, landed: u64, clock: &dyn Clock) -> Result<Bearer, Error> {
        let _flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = {
            let state = self.state();
            if let Some(held) = state.held.as_ref().filter(|held| clock.now() < held.end) {
                return Ok(held.bearer.clone());
            }
            if let Some(error) = &state.failed {
                // Whoever waited shares the result; a refused secret stays refused for the whole operation.
                if error.kind == Kind::Auth || self.landed.load(Ordering::Acquire) != landed {
                    return Err(error.clone());
                }
            }
            state.demanded.clone()
        };
        match self.credential.fetch(true, claims.as_deref()) {
            Ok(fetched) => Ok(self.keep(fetched, claims)),
            Err(error) => {
                self.state().failed = Some(error.clone());
                self.landed.fetch_add(1, Ordering::Release);
                Err(error)
            }
        }
    }

    fn keep(&self, fetched: Fetched, claims: Option<String>) -> Bearer {
        let generation = self.landed.fetch_add(1, Ordering::Release) + 1;
        let header = Zeroizing::new(format!("Bearer {}", *fetched.token));
        let bearer = Bearer { header, generation };
        // A second at least: a life of zero would make every request ask for a token of its own.
        let lifetime = fetched.lifetime.max(Duration::from_secs(1));
        let held = Held {
            bearer: bearer.clone(),
            claims,
            renew: fetched.asked + lifetime.saturating_sub(AHEAD.min(lifetime / 6)),
            end: fetched.asked + lifetime,
        };
        *self.state() = State { held: Some(held), failed: None, demanded: None };
        bearer
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::atomic::AtomicU32;
    use std::sync::{Arc, Condvar};

    use super::*;
    use crate::graph::clock::TestClock;

    /// Hands out `token-1`, `token-2` … with the given lifetimes in seconds, or the error in between.
    #[derive(Debug)]
    struct Script {
        clock: Arc<TestClock>,
        lives: Mutex<VecDeque<Result<u64, Error>>>,
        fetches: Arc<AtomicU32>,
        claims: Arc<Mutex<Vec<Option<String>>>>,
    }

    impl Credential for Script {
        fn fetch(&self, _: bool, claims: Option<&str>) -> Result<Fetched, Error> {
            self.claims.lock().unwrap().push(claims.map(str::to_owned));
            let number = self.fetches.fetch_add(1, Ordering::Relaxed) + 1;
            let life = self.lives.lock().unwrap().pop_front().expect("one fetch too many")?;
            let token = Zeroizing::new(format!("token-{number}"));
            Ok(Fetched { token, lifetime: Duration::from_secs(life), asked: self.clock.now() })
        }
    }

    struct World {
        clock: Arc<TestClock>,
        fetches: Arc<AtomicU32>,
        claims: Arc<Mutex<Vec<Option<String>>>>,
        tokens: Tokens,
    }

    impl World {
        fn new(lives: impl IntoIterator<Item = Result<u64, Error>>) -> World {
            let (clock, fetches) = (TestClock::new(), Arc::new(AtomicU32::new(0)));
            let lives = Mutex::new(lives.into_iter().collect());
            let claims = Arc::<Mutex<Vec<_>>>::default();
            let script = Script { clock: clock.clone(), lives, fetches: fetches.clone(), claims: claims.clone() };
            World { clock, fetches, claims, tokens: Tokens::new(Box::new(script)) }
        }

        fn get(&self) -> Result<Bearer, Error> {
            self.tokens.get(&*self.clock, &Log::new(Level::Error))
        }

        fn header(&self) -> String {
            self.get().unwrap().header.to_string()
        }

        fn after(&self, seconds: u64) -> &World {
            self.clock.advance(Duration::from_secs(seconds));
            self
        }
    }

    fn error(kind: Kind) -> Error {
        Error::new(kind, "no")
    }

    #[test]
    fn one_token_serves_all_requests_until_it_is_nearly_over() {
        let world = World::new([Ok(3600), Ok(3600)]);
        assert_eq!(world.header(), "Bearer token-1");
        assert_eq!(world.after(3299).header(), "Bearer token-1");
        assert_eq!(world.after(2).header(), "Bearer token-2");
    }

    #[test]
    fn a_token_that_lives_shorter_than_the_margin_is_not_fetched_per_request() {
        let world = World::new([Ok(60), Ok(60)]);
        for _ in 0..49 {
            assert_eq!(world.after(1).header(), "Bearer token-1");
        }
        assert_eq!(world.after(2).header(), "Bearer token-2");
    }

    #[test]
    fn a_lifetime_of_zero_is_not_a_token_per_request() {
        let world = World::new([Ok(0)]);
        assert_eq!((world.header(), world.header()), ("Bearer token-1".to_owned(), "Bearer token-1".to_owned()));
    }

    #[test]
    fn a_failed_renewal_leaves_the_old_token_and_is_not_repeated_at_once() {
        let world = World::new([Ok(3600), Err(error(Kind::Network)), Ok(3600)]);
        world.header();
        assert_eq!(world.after(3400).header(), "Bearer token-1");
        assert_eq!(world.after(29).header(), "Bearer token-1");
        assert_eq!(world.fetches.load(Ordering::Relaxed), 2);
        assert_eq!(world.after(2).header(), "Bearer token-3");
    }

    #[test]
    fn a_refused_token_is_replaced_once_for_all_who_held_it() {
        let world = World::new([Ok(3600), Ok(3600)]);
        let (one, same) = (world.get().unwrap(), world.get().unwrap());
        world.tokens.refused(&one, None);
        assert_eq!(world.header(), "Bearer token-2");
        world.tokens.refused(&same, None);
        assert_eq!(world.header(), "Bearer token-2");
    }

    #[test]
    fn demanded_claims_go_with_one_fetch_and_not_with_the_next() {
        let world = World::new([Ok(3600), Ok(3600), Ok(3600)]);
        let (one, same) = (world.get().unwrap(), world.get().unwrap());
        world.tokens.refused(&one, Some("{}"));
        assert_eq!(world.header(), "Bearer token-2");
        // Who held the same token and was challenged alike has nothing to wait for.
        world.tokens.refused(&same, Some("{}"));
        assert_eq!(world.header(), "Bearer token-2");
        assert_eq!(world.after(3400).header(), "Bearer token-3");
        assert_eq!(*world.claims.lock().unwrap(), [None, Some("{}".to_owned()), None]);
    }

    #[test]
    fn a_token_fetched_meanwhile_without_the_demanded_claims_is_replaced_too() {
        let world = World::new([Ok(3600), Ok(3600), Ok(3600)]);
        let (one, same) = (world.get().unwrap(), world.get().unwrap());
        world.tokens.refused(&one, None);
        assert_eq!(world.header(), "Bearer token-2");
        world.tokens.refused(&same, Some("{}"));
        assert_eq!(world.header(), "Bearer token-3");
        // A demand that comes while nothing is held is not lost, nor is it by a plain refusal after it.
        world.tokens.refused(&world.get().unwrap(), None);
        world.tokens.refused(&one, Some("{\"a\":1}"));
        world.tokens.refused(&same, None);
        assert_eq!(world.tokens.state().demanded.as_deref(), Some("{\"a\":1}"));
    }

    #[test]
    fn a_refused_secret_is_tried_once_in_an_operation() {
        let world = World::new([Err(error(Kind::Auth))]);
        for _ in 0..3 {
            assert_eq!(world.get().unwrap_err().kind, Kind::Auth);
        }
        assert_eq!(world.fetches.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_passing_failure_is_tried_again_by_the_next_request() {
        let world = World::new([Err(error(Kind::Network)), Ok(3600)]);
        assert_eq!(world.get().unwrap_err().kind, Kind::Network);
        assert_eq!(world.header(), "Bearer token-2");
    }

    /// Hands out one token, and only when a second fetch has begun or none did for a while.
    struct Slow {
        fetches: Mutex<u32>,
        another: Condvar,
    }

    impl Credential for Arc<Slow> {
        fn fetch(&self, _: bool, _: Option<&str>) -> Result<Fetched, Error> {
            let mut fetches = self.fetches.lock().unwrap();
            *fetches += 1;
            self.another.notify_all();
            let _ =
                self.another.wait_timeout_while(fetches, Duration::from_millis(300), |fetches| *fetches < 2).unwrap();
            let token = Zeroizing::new("token-1".to_owned());
            Ok(Fetched { token, lifetime: Duration::from_secs(3600), asked: TestClock::new().now() })
        }
    }

    #[test]
    fn workers_that_come_together_share_one_fetch() {
        let credential = Arc::new(Slow { fetches: Mutex::new(0), another: Condvar::new() });
        let (clock, tokens) = (TestClock::new(), Tokens::new(Box::new(Arc::clone(&credential))));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let bearer = tokens.get(&*clock, &Log::new(Level::Error)).unwrap();
                    assert_eq!(*bearer.header, "Bearer token-1");
                });
            }
        });
        assert_eq!(*credential.fetches.lock().unwrap(), 1);
    }

    #[test]
    fn a_worker_that_waited_for_a_failed_fetch_does_not_repeat_it() {
        let world = World::new([Err(error(Kind::Network))]);
        let before = world.tokens.landed.load(Ordering::Acquire);
        world.get().unwrap_err();
        assert_eq!(world.tokens.wait_for_one(before, &*world.clock).unwrap_err().kind, Kind::Network);
        assert_eq!(world.fetches.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_worker_that_comes_late_to_a_renewal_takes_its_token() {
        let world = World::new([Ok(3600), Ok(3600)]);
        world.header();
        let held = world.tokens.state().held.clone().unwrap();
        assert_eq!(world.after(3400).header(), "Bearer token-2");
        let late = world.tokens.renew(held, &*world.clock, &Log::new(Level::Error));
        assert_eq!(*late.header, "Bearer token-2");
    }

    #[test]
    fn debug_shows_no_token() {
        let world = World::new([Ok(3600)]);
        world.header();
        assert!(!format!("{:?}", world.tokens).contains("token-1"));
    }
}
