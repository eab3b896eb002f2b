//! Fault scripts: which request of a run fails, how often and how, as cases draw them.
//!
//! Two sorts. A *passing* fault is one that a retry gets over; a *lasting* one is not, or is repeated for ever. Stalls
//! are left out: each costs the connector's time limit, and `cancellation` and the connector's own tests have them.

use std::collections::BTreeMap;

use host_harness::simulator::{Exchange, Fault, FaultAction, FaultBody, Refusal, Route};
use proptest::prelude::*;

use super::coverage::Coverage;

/// Faults within the retry budget, if they end soon enough.
pub(super) const PASSING: [&str; 16] = [
    "429, wait as a number",
    "429, wait as a decimal",
    "429, wait with a comma",
    "429 without a wait",
    "503",
    "503 with a wait",
    "500",
    "502 of a gateway",
    "504 without a body",
    "509",
    "connection reset",
    "reset in the body",
    "JSON cut short",
    "gzip damaged",
    "slow answer",
    "401",
];

/// Faults that no retry helps against.
pub(super) const LASTING: [&str; 9] = [
    "400",
    "403",
    "404",
    "claims challenge",
    "value is no array",
    "foreign next link",
    "repeated next link",
    "expired page token",
    "refused delta link",
];

/// The endpoints that every import calls. The place for `memberOf`, deleted items and groups by id: a run in Delta mode
/// calls them, one in Recompute mode never does.
pub(super) const ROUTES: [Route; 5] =
    [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::GROUPS_LIST, Route::Batch, Route::MEMBERS];

/// One fault of a script.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) kind: &'static str,
    pub(super) route: Route,
    /// How many requests of the route pass first.
    pub(super) skip: u32,
    /// How many fail then; all when absent.
    pub(super) times: Option<u32>,
}

impl Planned {
    /// For the simulator.
    pub(super) fn fault(&self) -> Fault {
        Fault { route: self.route, skip: self.skip, times: self.times, action: action(self.kind), ..Fault::default() }
    }

    /// Whether the journal shows that the fault struck. A batch's items do not say so themselves: one of the route that
    /// came late enough did.
    fn struck(&self, journal: &[Exchange]) -> bool {
        let mine = |exchange: &&Exchange| exchange.route == self.route;
        let struck = journal
            .iter()
            .filter(mine)
            .any(|exchange| exchange.faulted && (self.kind != "refused delta link" || exchange.called_delta_link()));
        let items = journal.iter().flat_map(|it| &it.items).filter(|item| item.route == self.route).count();
        struck || items > self.skip as usize && !on_the_wire(self.kind)
    }
}

/// Counts the faults of a script that struck.
pub(super) fn count(script: &[Planned], journal: &[Exchange], coverage: &Coverage) {
    for planned in script.iter().filter(|planned| planned.struck(journal)) {
        coverage.count("fault", planned.kind, 1);
        coverage.count("fault on", format_args!("{:?}", planned.route), 1);
        coverage.count("fault", "for ever", u64::from(planned.times.is_none()));
    }
}

fn on_the_wire(kind: &str) -> bool {
    matches!(kind, "connection reset" | "reset in the body" | "gzip damaged" | "slow answer")
}

fn action(kind: &str) -> FaultAction {
    let status = |code, body| FaultAction::Status { code, body, headers: BTreeMap::new() };
    match kind {
        "429, wait as a number" => FaultAction::retry_after(429, "0"),
        "429, wait as a decimal" => FaultAction::retry_after(429, "0.012"),
        "429, wait with a comma" => FaultAction::retry_after(429, "0,012"),
        "429 without a wait" => FaultAction::status(429),
        "503" => FaultAction::status(503),
        "503 with a wait" => FaultAction::retry_after(503, "0.01"),
        "500" => FaultAction::status(500),
        "502 of a gateway" => status(502, FaultBody::Html),
        "504 without a body" => status(504, FaultBody::Empty),
        "509" => FaultAction::status(509),
        "connection reset" => FaultAction::ConnectionReset,
        "reset in the body" => FaultAction::ResetMidBody,
        "JSON cut short" => FaultAction::TruncatedJson,
        "gzip damaged" => FaultAction::GzipDamage,
        "slow answer" => FaultAction::SlowDrip { bytes: 2_000, delay_ms: 1 },
        "401" => FaultAction::InvalidToken,
        "400" => FaultAction::status(400),
        "403" => FaultAction::RequestDenied,
        "404" => FaultAction::NotFound,
        "claims challenge" => FaultAction::ClaimsChallenge,
        "value is no array" => FaultAction::WrongJsonType,
        "foreign next link" => FaultAction::ForeignNextLink,
        "repeated next link" => FaultAction::RepeatedNextLink,
        "expired page token" => FaultAction::ExpiredPageToken,
        "refused delta link" => FaultAction::RefuseDeltaLink { shape: Refusal::SyncStateNotFound },
        other => unreachable!("{other} has no action"),
    }
}

/// Scripts that a run must get over: each fault strikes twice at most, and a refused token once in all, since a second
/// one for the same request is final.
pub(super) fn passing() -> impl Strategy<Value = Vec<Planned>> {
    let fault = (prop::sample::select(&PASSING[..]), prop::sample::select(&ROUTES[..]), 0..5_u32, 1..=2_u32)
        .prop_map(|(kind, route, skip, times)| Planned { kind, route, skip, times: Some(times) });
    prop::collection::vec(fault, 0..=3).prop_map(|mut script| {
        let mut refused = false;
        script.retain_mut(|planned| {
            if planned.kind == "401" {
                planned.times = Some(1);
                return !std::mem::replace(&mut refused, true);
            }
            true
        });
        script
    })
}

/// Any scripts.
pub(super) fn any_faults() -> impl Strategy<Value = Vec<Planned>> {
    let kinds: Vec<&'static str> = PASSING.into_iter().chain(LASTING).collect();
    let routes: Vec<Route> = ROUTES.into_iter().chain([Route::Token]).collect();
    let times = prop_oneof![2 => (1..5_u32).prop_map(Some), 1 => Just(None)];
    let anything = (prop::sample::select(kinds), prop::sample::select(routes), 0..6_u32, times)
        .prop_map(|(kind, route, skip, times)| Planned { kind, route, skip, times });
    // A link is refused where one is called, which chance alone seldom finds.
    let feed = prop::sample::select(vec![Route::USERS_DELTA, Route::GROUPS_DELTA]);
    let refused = feed.prop_map(|route| Planned { kind: "refused delta link", route, skip: 0, times: Some(1) });
    let expired = (prop::sample::select(&ROUTES[..3]), 1..4_u32).prop_map(|(route, skip)| Planned {
        kind: "expired page token",
        route,
        skip,
        times: Some(1),
    });
    prop::collection::vec(prop_oneof![8 => anything, 1 => refused, 1 => expired], 0..=4)
}
