//! The limit against a bucket that is simulated event by event: no thread, no clock, no chance that is not seeded.
//!
//! The bucket is Graph's as it is documented: every read costs units, a read that finds too few is refused and told to
//! wait until a tenth is there. Nothing of it is known to [`Limit`] but what the answers say.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::limit::{Charge, Limit};

const ITEMS: u32 = 20;
const UNITS: f64 = 2.0;

/// Graph's side.
struct Tenant {
    refill: f64,
    size: f64,
    level: f64,
    filled: f64,
    shut_until: f64,
    says_share: bool,
    /// Units a second that somebody else takes.
    others: f64,
    /// One read in so many is refused for no reason.
    whim: Option<u32>,
    seen: u32,
    /// From then on the refill is another one.
    changes: Option<(f64, f64)>,
}

impl Tenant {
    fn new(refill: f64) -> Tenant {
        let size = refill * 10.0;
        Tenant {
            refill,
            size,
            level: size,
            filled: 0.0,
            shut_until: 0.0,
            says_share: true,
            others: 0.0,
            whim: None,
            seen: 0,
            changes: None,
        }
    }

    fn charge(&mut self, now: f64) -> Result<(), f64> {
        if let Some((_, refill)) = self.changes.take_if(|(at, _)| now >= *at) {
            self.refill = refill;
        }
        self.level = (self.level + (now - self.filled) * (self.refill - self.others)).clamp(0.0, self.size);
        self.filled = now;
        self.seen += 1;
        if self.whim.is_some_and(|one_in| self.seen.is_multiple_of(one_in)) {
            return Err(now + 0.5);
        }
        if now < self.shut_until {
            return Err(self.shut_until);
        }
        if self.level < UNITS {
            self.shut_until = now + ((self.size / 10.0 - self.level) / self.refill).max(0.1);
            return Err(self.shut_until);
        }
        self.level -= UNITS;
        Ok(())
    }

    fn share(&self) -> Option<f64> {
        let used = 1.0 - self.level / self.size;
        (self.says_share && used > 0.8).then_some((used * 100.0).round() / 100.0)
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Ready,
    Send(u32),
    Arrive { items: u32, sent: f64 },
    Answer { items: u32, sent: f64, charge: Charge, wait: f64 },
}

struct At(f64, u64, Event);

impl PartialEq for At {
    fn eq(&self, other: &At) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for At {}

impl PartialOrd for At {
    fn partial_cmp(&self, other: &At) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for At {
    fn cmp(&self, other: &At) -> Ordering {
        other.0.total_cmp(&self.0).then(other.1.cmp(&self.1))
    }
}

/// What a run came to.
#[derive(Debug)]
struct Run {
    seconds: f64,
    /// Beyond the bucket's first content all has to be refilled, and all has to go over the wire.
    ideal: f64,
    refused: u32,
    answered: u32,
    limit: Limit,
}

impl Run {
    fn ratio(&self) -> f64 {
        self.seconds / self.ideal
    }

    fn refused_share(&self) -> f64 {
        f64::from(self.refused) / f64::from(self.refused + self.answered)
    }
}

/// `workers` read the members of so many groups, twenty to a batch, over a wire of `latency` seconds there and back.
fn run(mut tenant: Tenant, workers: u32, groups: u32, latency: f64) -> Run {
    let (mut limit, mut events, mut order) = (Limit::default(), BinaryHeap::new(), 0_u64);
    let mut push = |events: &mut BinaryHeap<At>, at: f64, event: Event| {
        order += 1;
        events.push(At(at, order, event));
    };
    (0..workers).for_each(|_| push(&mut events, 0.0, Event::Ready));
    let (mut left, mut gate, mut end, mut refused, mut answered) = (groups, 0.0_f64, 0.0, 0, 0);
    while let Some(At(now, _, event)) = events.pop() {
        assert!(now < 3600.0, "an hour for {groups} groups: {limit:?}");
        match event {
            Event::Ready => {
                let items = left.min(ITEMS);
                if items > 0 {
                    left -= items;
                    let (start, _) = limit.admit(now.max(gate), f64::from(items) * UNITS, items == 1);
                    push(&mut events, start, Event::Send(items));
                }
            }
            Event::Send(items) if now < gate => push(&mut events, gate, Event::Send(items)),
            Event::Send(items) => push(&mut events, now + latency / 2.0, Event::Arrive { items, sent: now }),
            Event::Arrive { items, sent } => {
                let mut charge = Charge::default();
                let mut until = now;
                for _ in 0..items {
                    match tenant.charge(now) {
                        Ok(()) => {
                            charge.answered += 1;
                            charge.units += UNITS;
                        }
                        Err(wait) => {
                            charge.refused += 1;
                            until = until.max(wait);
                        }
                    }
                }
                charge.used = tenant.share();
                push(&mut events, now + latency / 2.0, Event::Answer { items, sent, charge, wait: until - now });
            }
            Event::Answer { items, sent, charge, wait } => {
                (refused, answered) = (refused + charge.refused, answered + charge.answered);
                left += items - charge.answered;
                if charge.refused > 0 {
                    gate = gate.max(now + wait);
                }
                limit.answer(sent, now, charge);
                end = now;
                // As many workers as there may be: one that found nothing to do has gone.
                push(&mut events, now, Event::Ready);
            }
        }
    }
    let refilled = (f64::from(groups) * UNITS - tenant.size) / tenant.refill;
    let wire = f64::from(groups) / f64::from(workers * ITEMS) * latency;
    let ideal = refilled.max(wire);
    Run { seconds: end, ideal, refused, answered, limit }
}

const GROUPS: u32 = 10_020;

#[test]
fn an_unknown_bucket_is_used_up_and_next_to_nothing_is_refused() {
    for refill in [350.0, 800.0, 1200.0] {
        for latency in [0.025, 0.04, 0.12, 0.3, 0.6] {
            let run = run(Tenant::new(refill), 8, GROUPS, latency);
            assert!(run.ratio() <= 1.15, "{refill} units/s: {:.3} of the ideal", run.ratio());
            assert!(run.refused_share() <= 0.01, "{refill} units/s: {:.2} % refused", run.refused_share() * 100.0);
        }
    }
}

#[test]
fn the_bucket_is_measured() {
    for refill in [350.0, 800.0, 1200.0] {
        let bucket = run(Tenant::new(refill), 8, GROUPS, 0.04).limit.bucket().unwrap();
        // What is under way at the first look was charged there and not yet counted here.
        assert!((bucket.refill / refill - 1.0).abs() < 0.2, "{refill}: {bucket:?}");
        assert!((bucket.size / refill / 10.0 - 1.0).abs() < 0.2, "{refill}: {bucket:?}");
    }
}

#[test]
fn without_the_header_the_bucket_is_used_up_all_the_same() {
    for refill in [350.0, 800.0, 1200.0] {
        let run = run(Tenant { says_share: false, ..Tenant::new(refill) }, 8, GROUPS, 0.04);
        assert!(run.ratio() <= 1.5, "{refill} units/s: {:.3} of the ideal", run.ratio());
    }
}

#[test]
fn another_program_on_the_same_bucket_gets_its_share() {
    let run = run(Tenant { others: 300.0, ..Tenant::new(800.0) }, 8, GROUPS, 0.04);
    let ideal = (f64::from(GROUPS) * UNITS - 8000.0) / 500.0;
    assert!(run.seconds <= 1.2 * ideal && run.refused_share() <= 0.01, "{:.1} s, ideal {ideal:.1} s", run.seconds);
}

#[test]
fn a_limit_that_changes_while_it_is_used_is_found_again() {
    let slower = run(Tenant { changes: Some((5.0, 400.0)), ..Tenant::new(800.0) }, 8, GROUPS, 0.04);
    let faster = run(Tenant { changes: Some((5.0, 1600.0)), ..Tenant::new(800.0) }, 8, GROUPS, 0.04);
    assert!(slower.refused_share() <= 0.02, "{:.2} % refused", slower.refused_share() * 100.0);
    // Twelve thousand units are refilled: 4,000 by then, the rest at the new pace.
    assert!(slower.seconds <= 1.15 * (5.0 + 8_040.0 / 400.0), "{:.1} s", slower.seconds);
    assert!(faster.seconds <= 1.3 * (5.0 + 8_040.0 / 1600.0), "{:.1} s", faster.seconds);
}

#[test]
fn whims_are_waited_for_and_not_learnt_from() {
    let steady = Tenant { whim: Some(50), size: 1e9, level: 1e9, ..Tenant::new(800.0) };
    let run = run(steady, 8, GROUPS, 0.04);
    let rate = run.limit.bucket();
    assert!(rate.is_none(), "there is no limit to know");
    // Every batch of 20 waits half a second at the gate in two and a half; nothing else holds it back.
    assert!(run.seconds <= f64::from(GROUPS) / 160.0 * 0.6, "{:.1} s", run.seconds);
}

#[test]
fn between_two_refusals_the_bucket_filled_what_was_charged() {
    let mut limit = Limit::default();
    let refused = Charge { refused: 20, ..Charge::default() };
    limit.admit(0.0, 80.0, false);
    limit.answer(0.0, 0.1, refused);
    for tenth in 1..=100 {
        let at = 0.1 * f64::from(tenth);
        limit.answer(at, at, Charge { units: 80.0, answered: 40, ..Charge::default() });
    }
    limit.answer(10.05, 10.1, refused);
    let last = (0..=100).map(|_| limit.admit(10.2, 80.0, false).0).last().unwrap();
    assert!((9.5..10.5).contains(&(last - 10.2)), "8,000 units at 800 a second took {}", last - 10.2);
}

#[test]
fn a_read_that_stands_alone_passes_those_that_wait_and_takes_half_the_pace_at_most() {
    let mut limit = Limit::default();
    let refused = Charge { refused: 20, ..Charge::default() };
    limit.admit(0.0, 80.0, false);
    limit.answer(0.0, 0.1, refused);
    limit.answer(5.0, 5.0, Charge { units: 8_000.0, answered: 40, ..Charge::default() });
    limit.answer(10.05, 10.1, refused);
    let batches = (0..10).map(|_| limit.admit(10.2, 80.0, false).0).last().unwrap();
    let alone: Vec<f64> = (0..201).map(|_| limit.admit(10.2, 2.0, true).0).collect();
    assert!(batches > 11.0 && alone[0] < 10.21, "{batches}, {}", alone[0]);
    assert!(alone[200] > 11.0, "400 units at half of 800 a second take a second, not {}", alone[200] - 10.2);
}
