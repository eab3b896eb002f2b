//! What is tried again, how often, and after how long.
//!
//! A decision, not a loop: the pipeline and the batch ask it after each failure and do the waiting. Everything sent
//! here is a read, so repeating is always safe. `max_retries` counts repeats: with 5, the sixth failure surfaces.

use std::time::Duration;

use super::aadsts;
use super::failure::{Failure, Refusal};

/// The longest wait that is honoured; beyond it the error surfaces at once, and whoever planned the run decides.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// From the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// Repeats of one request at most.
    pub(crate) max_retries: u32,
    /// Wait per attempt where the answer names none.
    pub(crate) base: Duration,
}

/// The running count of one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tries {
    made: u32,
    /// Failures that count against `max_retries`: a renewed token is no retry.
    failed: u32,
    waited: Duration,
    token_renewed: bool,
    licence_doubted: bool,
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try again after a wait; a shared one holds back all workers.
    Wait {
        /// How long.
        wait: Duration,
        /// Whether Graph means the application, not this request.
        shared: bool,
    },
    /// Try again at once with a fresh token.
    FreshToken,
    /// The failure is final.
    GiveUp,
}

impl Tries {
    /// Tries so far; all of them failed.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// All waits together.
    pub(crate) fn waited(&self) -> Duration {
        self.waited
    }

    /// Takes over the failures of the batch that this request goes with, or of the requests that go with this batch:
    /// each was one failure of both.
    pub(crate) fn share(&mut self, other: &Tries) {
        self.failed = self.failed.max(other.failed);
        self.made = self.made.max(other.made);
        self.waited = self.waited.max(other.waited);
    }

    /// Counts a failure and decides.
    pub(crate) fn after(&mut self, failure: &Failure, policy: &Policy) -> Next {
        self.made += 1;
        match failure {
            Failure::Broken(broken) if broken.retryable() => self.again(None, false, policy),
            Failure::Broken(_) => Next::GiveUp,
            Failure::Unreadable { .. } => self.again(None, false, policy),
            Failure::Refused(refusal) => self.after_refusal(refusal, policy),
        }
    }

    fn after_refusal(&mut self, refusal: &Refusal, policy: &Policy) -> Next {
        let named = refusal.named_wait;
        match refusal.status {
            401 if !self.token_renewed && refusal.service.aadsts.is_none() => {
                self.token_renewed = true;
                Next::FreshToken
            }
            429 => self.again(named, true, policy),
            503 => self.again(named, named.is_some(), policy),
            // 424: an item that a batch did not come to. 408 is not Graph's, but that of proxies before it.
            408 | 424 | 500 | 502 | 504 | 509 => self.again(named, false, policy),
            // Reported to come and go in tenants that do have the licence (microsoft-graph-docs-contrib#3033).
            403 if refusal.service.has_code_starting("Authentication_RequestFromNonPremiumTenant")
                && !self.licence_doubted
                && policy.max_retries > 0 =>
            {
                self.licence_doubted = true;
                self.waited += policy.base;
                Next::Wait { wait: policy.base, shared: false }
            }
            _ if refusal.service.aadsts.is_some_and(aadsts::transient) => self.again(named, false, policy),
            _ => Next::GiveUp,
        }
    }

    fn again(&mut self, named: Option<Duration>, shared: bool, policy: &Policy) -> Next {
        self.failed += 1;
        let wait = named.unwrap_or_else(|| policy.base.saturating_mul(self.failed));
        if self.failed > policy.max_retries || wait > LONGEST {
            return Next::GiveUp;
        }
        self.waited += wait;
        Next::Wait { wait, shared }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::error::HttpEvidence;
    use crate::graph::failure::Signals;
    use crate::graph::transport::{Broken, Fault};

    const POLICY: Policy = Policy { max_retries: 5, base: Duration::from_secs(5) };

    fn refused(status: u16, retry_after: Option<&str>, code: &str) -> Failure {
        let signals = Signals { retry_after, ..Signals::default() };
        let body = format!(r#"{{"error":{{"code":"{code}"}}}}"#);
        Refusal::new(status, &signals, body.as_bytes(), "", SystemTime::UNIX_EPOCH).into()
    }

    fn broken(fault: Fault) -> Failure {
        Failure::Broken(Broken { fault, text: String::new() })
    }

    fn first(failure: &Failure) -> Next {
        Tries::default().after(failure, &POLICY)
    }

    fn wait(seconds: u64, shared: bool) -> Next {
        Next::Wait { wait: Duration::from_secs(seconds), shared }
    }

    #[test]
    fn throttling_waits_as_long_as_it_says_and_for_all_workers() {
        assert_eq!(first(&refused(429, Some("10"), "")), wait(10, true));
        assert_eq!(first(&refused(503, Some("10"), "")), wait(10, true));
        assert_eq!(first(&refused(429, Some("0"), "")), wait(0, true));
    }

    #[test]
    fn without_a_named_wait_each_attempt_waits_longer() {
        let mut tries = Tries::default();
        let failure = refused(429, Some("soon"), "");
        let waits: Vec<_> = (0..5).map(|_| tries.after(&failure, &POLICY)).collect();
        assert_eq!(waits, [5, 10, 15, 20, 25].map(|seconds| wait(seconds, true)));
        assert_eq!(tries.after(&failure, &POLICY), Next::GiveUp);
        assert_eq!((tries.made(), tries.waited()), (6, Duration::from_secs(75)));
    }

    #[test]
    fn a_503_without_a_named_wait_concerns_this_request_alone() {
        assert_eq!(first(&refused(503, None, "")), wait(5, false));
    }

    #[test]
    fn what_may_pass_is_repeated() {
        for status in [408, 424, 500, 502, 504, 509] {
            assert_eq!(first(&refused(status, None, "")), wait(5, false), "{status}");
        }
        for fault in [Fault::Connect, Fault::Timeout, Fault::Interrupted] {
            assert_eq!(first(&broken(fault)), wait(5, false), "{fault:?}");
        }
        let unreadable = Failure::Unreadable { why: String::new(), evidence: HttpEvidence::default() };
        assert_eq!(first(&unreadable), wait(5, false));
    }

    #[test]
    fn what_stays_is_not_repeated() {
        for status in [301, 302, 304, 400, 403, 404, 405, 409, 410, 413, 501, 507] {
            assert_eq!(first(&refused(status, Some("1"), "")), Next::GiveUp, "{status}");
        }
        for fault in [Fault::Cancelled, Fault::Certificate, Fault::Request, Fault::TooLarge] {
            assert_eq!(first(&broken(fault)), Next::GiveUp, "{fault:?}");
        }
    }

    #[test]
    fn a_refused_token_is_renewed_once() {
        let mut tries = Tries::default();
        let failure = refused(401, None, "InvalidAuthenticationToken");
        assert_eq!(tries.after(&failure, &POLICY), Next::FreshToken);
        assert_eq!(tries.after(&failure, &POLICY), Next::GiveUp);
    }

    #[test]
    fn a_doubtful_licence_error_gets_one_more_try() {
        let mut tries = Tries::default();
        let failure = refused(403, None, "Authentication_RequestFromNonPremiumTenantOrB2CTenant");
        assert_eq!(tries.after(&failure, &POLICY), wait(5, false));
        assert_eq!(tries.after(&failure, &POLICY), Next::GiveUp);
    }

    #[test]
    fn an_hour_is_honoured_and_more_than_a_day_is_not() {
        assert_eq!(first(&refused(429, Some("3600"), "")), wait(3600, true));
        assert_eq!(first(&refused(429, Some("86401"), "")), Next::GiveUp);
        assert_eq!(first(&refused(429, Some("99999999999999999999999"), "")), Next::GiveUp);
    }

    #[test]
    fn with_no_retries_the_first_failure_is_final() {
        let policy = Policy { max_retries: 0, ..POLICY };
        assert_eq!(Tries::default().after(&refused(503, Some("1"), ""), &policy), Next::GiveUp);
    }
}
