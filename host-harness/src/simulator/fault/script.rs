//! The armed faults: which of them is due for a request.
//!
//! Each fault counts the requests it matches; the one that strikes hides the request from those added after it.

use super::walks::Walks;
use super::{Fault, FaultAction, Subject};
use crate::simulator::route::Route;

/// The armed faults.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// Each with how often it was met.
    faults: Vec<(Fault, u32)>,
    walks: Walks,
}

impl Script {
    pub(crate) fn new(faults: &[Fault]) -> Script {
        Script { faults: faults.iter().map(|fault| (fault.clone(), 0)).collect(), walks: Walks::default() }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push((fault, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.faults.clear();
    }

    /// The action for a request, if one is due. Faults after the one that is taken do not count the request.
    pub(crate) fn due(&mut self, asked: &Subject<'_>) -> Option<FaultAction> {
        if asked.route == Route::Control {
            return None;
        }
        let page = self.walks.page(asked);
        let mut taken = None;
        for (fault, met) in &mut self.faults {
            if taken.is_some() || !fault.matches(asked, page) {
                continue;
            }
            if *met < fault.skip {
                *met += 1;
            } else if fault.times.is_none_or(|times| *met - fault.skip < times) {
                *met += 1;
                if fault.sparing.is_none_or(|of| !(*met - fault.skip).is_multiple_of(of)) {
                    taken = Some(fault.action.clone());
                }
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::fault::Call;
    use crate::simulator::fault::Refusal;
    use crate::simulator::throttle::RetryAfter;

    fn asked(route: Route, url: &str) -> Subject<'_> {
        Subject { route, url, object: None, in_batch: false }
    }

    #[test]
    fn a_fault_skips_then_strikes_then_stops() {
        let mut script = Script::new(&[Fault::once(Route::MEMBERS, FaultAction::NotFound).after(2).times(2)]);
        let due: Vec<_> = (0..6).map(|_| script.due(&asked(Route::MEMBERS, "/x")).is_some()).collect();
        assert_eq!(due, [false, false, true, true, false, false]);
        assert_eq!(script.due(&asked(Route::GROUPS_LIST, "/x")), None);
    }

    #[test]
    fn a_fault_that_spares_one_of_three_lets_every_third_request_pass() {
        let mut script = Script::new(&[Fault::always(Route::MEMBERS, FaultAction::NotFound).after(1).sparing(3)]);
        let due: Vec<_> = (0..7).map(|_| script.due(&asked(Route::MEMBERS, "/x")).is_some()).collect();
        assert_eq!(due, [false, true, true, false, true, true, false]);
    }

    #[test]
    fn urls_match_decoded_too() {
        let mut script = Script::new(&[Fault::always(Route::Any, FaultAction::NotFound).on_url("$select=id")]);
        assert!(script.due(&asked(Route::USERS_LIST, "/users?%24select=id")).is_some());
        assert!(script.due(&asked(Route::USERS_LIST, "/users?$top=5")).is_none());
        assert!(script.due(&asked(Route::Control, "/_simulator/x?$select=id")).is_none());
    }

    #[test]
    fn calls_of_a_walk_are_told_apart() {
        for (url, call) in [
            ("/users/delta?$select=id", Call::First),
            ("/users/delta?$deltatoken=latest&$select=id", Call::First),
            ("/users/delta?%24deltaToken=x", Call::DeltaLink),
            ("/users/delta?$deltatoken=", Call::First),
            ("/groups/x/members?$top=5&$skiptoken=x", Call::NextLink),
        ] {
            let mut script = Script::new(&[Fault::always(Route::Any, FaultAction::NotFound).at(call)]);
            assert!(script.due(&asked(Route::Any, url)).is_some(), "{url}");
            let refusal = FaultAction::RefuseDeltaLink { shape: Refusal::ResyncRequired };
            let due = Script::new(&[Fault::once(Route::Any, refusal)]).due(&asked(Route::Any, url));
            assert_eq!(due.is_some(), call == Call::DeltaLink, "{url}");
        }
    }

    #[test]
    fn faults_are_configured_in_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"route": "usersDelta", "times": null, "action": {"status": {"code": 429, "headers": {"Retry-After": "0,120"}}}}"#,
        )
        .unwrap();
        assert_eq!(fault, Fault::always(Route::USERS_DELTA, FaultAction::retry_after(429, "0,120")));
        let aimed = r##"{"route": "members", "call": "nextLink", "object": "#3", "times": 2,
            "action": {"throttled": {"waitMs": 1500, "retryAfter": "httpDate"}}}"##;
        let throttled = FaultAction::Throttled { wait_ms: 1_500, retry_after: RetryAfter::HttpDate };
        assert_eq!(
            serde_json::from_str::<Fault>(aimed).unwrap(),
            Fault::once(Route::MEMBERS, throttled).at(Call::NextLink).on_object("#3").times(2)
        );
        let stall: Fault = serde_json::from_str(r#"{"action": "stallMidBody"}"#).unwrap();
        assert_eq!(stall.action, FaultAction::StallMidBody);
    }
}
