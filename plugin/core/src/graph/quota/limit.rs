//! What answers have taught about the application's limit in this tenant, and how fast to ask because of it.
//!
//! Graph charges reads in resource units and refills a bucket of them; size and refill differ by tenant and are not
//! told. Nothing here knows a figure of Microsoft's: the bucket is *measured*. Above four fifths of it answers carry
//! the share that is used (`x-ms-throttle-limit-percentage`). At the first such answer nothing is sent for a moment.
//! How far the share falls meanwhile, and what was charged since the start, give two equations for two unknowns: how
//! large the bucket is and how fast it fills. From then on the share is held steady just below full by a controller
//! with a proportional and an integral part, so that an estimate that is wrong, or another program that draws on the
//! same bucket, is corrected as well.
//!
//! Without the header only a 429 speaks. Between two of them the bucket went from empty to empty: what was charged is
//! what it filled. A single 429 among answers that succeed says nothing about the bucket, and is waited for and not
//! learnt from.
//!
//! Times are seconds since the first request; nothing here waits or reads a clock.

/// The share of the bucket that is held in use once it is measured, ...
const TARGET: f64 = 0.92;

/// ... how much nearer to full that moves each second, as the controller settles, ...
const NEARER: f64 = 0.006;

/// ... and how much is left at last, beside what flows in while an answer is on its way. What is left at the end of a
/// run was not needed.
const RESERVE: f64 = 0.03;

/// What an answer without the header says once the limit is known: less than four fifths.
const BELOW_HEADER: f64 = 0.75;

/// Seconds in which the proportional part would bring the share to the target; where answers take long, so many times
/// as long as they.
const APPROACH: (f64, f64) = (1.0, 4.0);

/// How fast the integral part corrects the refill: a share of the bucket for each second and unit of error.
const CORRECTION: f64 = 0.2;

/// Seconds without requests that the first look at the share takes: it is told in hundredths, and must fall by some.
const PAUSE: f64 = 0.6;

/// Seconds by which all other requests follow the probe.
const PROBE: f64 = 0.2;

/// How much the latest answer counts in how long answers take.
const LATEST: f64 = 0.2;

/// Seconds by which requests may be late and still catch up.
const SLACK: f64 = 0.05;

/// The share of the pace within which reads that stand alone pass the others.
const ALONE: f64 = 0.5;

/// Growth of a rate that only 429s have taught, for each second without one.
const PROBING: f64 = 0.1;

/// Reads of one batch that must be refused before a rate is learnt. One refusal may be accidental, and a caller that
/// sends one request at a time needs no pacing.
const TELLING: u32 = 3;

/// Shortest stretch between two 429s that a refill can be measured over, in seconds.
const MEASURABLE: f64 = 0.2;

/// What one answer, or one batch of them, says.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Charge {
    /// Units it was charged.
    pub(crate) units: f64,
    /// Reads that succeeded in it, or failed for reasons of their own.
    pub(crate) answered: u32,
    /// Reads in it that were refused for the limit's sake.
    pub(crate) refused: u32,
    /// Share of the limit in use, where it is said.
    pub(crate) used: Option<f64>,
}

impl Charge {
    /// Adds an answer to so many reads, by its status and its headers.
    pub(crate) fn add<'a>(&mut self, status: u16, reads: u32, header: impl Fn(&str) -> Option<&'a str>) {
        let number = |name| header(name).and_then(|text| text.trim().parse::<f64>().ok()).filter(|n| n.is_finite());
        if status == 429 {
            self.refused += reads;
            return;
        }
        self.answered += reads;
        self.units += number("x-ms-resource-unit").map_or(f64::from(reads), |units| units.clamp(0.0, 1e6));
        // Of a batch the last word counts, and that is the fullest.
        let used = number("x-ms-throttle-limit-percentage").map(|used| used.clamp(0.0, 2.0));
        self.used = if used > self.used { used } else { self.used };
    }
}

/// A look at the bucket.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: f64,
    used: f64,
    charged: f64,
}

/// The bucket as it was measured, in units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    pub(super) size: f64,
    pub(super) refill: f64,
}

#[derive(Debug, Clone, Copy, Default)]
enum Knowledge {
    /// No sign of a limit yet.
    #[default]
    None,
    /// The first sign was seen, and nothing is sent before `until`.
    Pausing { until: f64, highest: Look },
    /// The bucket was measured.
    Measured(Bucket),
    /// Refused without ever being told the share: the last 429, and what was charged until then.
    Refused { at: f64, charged: f64 },
}

/// The limit, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Limit {
    knowledge: Knowledge,
    /// Units for each second; `None`: as fast as it goes.
    rate: Option<f64>,
    /// When the next request may go.
    due: f64,
    /// When the next request that stands alone may go before its turn.
    due_alone: f64,
    /// When the last of those that were admitted goes.
    latest: f64,
    /// The last change of the rate.
    changed: f64,
    /// Answers to what was sent before then say nothing new.
    settled: f64,
    first: Option<f64>,
    charged: f64,
    /// Seconds that answers take, lately.
    delay: f64,
    /// The request that brings the second look is admitted.
    probed: bool,
    /// When the bucket was measured.
    measured: f64,
}

impl Limit {
    /// When a request that will be charged so much may go, and how much later that makes the last of all that wait. It
    /// is taken to go then.
    ///
    /// One that is `alone` is a page of a feed or of a large group, for whose answer the next page waits: it passes
    /// those that wait, as long as such pages take less than [`ALONE`] of the pace.
    pub(super) fn admit(&mut self, now: f64, units: f64, alone: bool) -> (f64, f64) {
        self.first.get_or_insert(now);
        let open = match self.knowledge {
            // One goes first and brings the second look; beside it the others would be charged and not counted yet.
            Knowledge::Pausing { until, .. } if !self.probed => {
                self.probed = true;
                now.max(until)
            }
            Knowledge::Pausing { until, .. } => now.max(until + PROBE),
            _ => now,
        };
        let latest = self.latest.max(now);
        let mut start = open;
        if let Some(rate) = self.rate {
            self.due = self.due.max(open - SLACK);
            if alone {
                self.due_alone = self.due_alone.max(open - SLACK);
                start = open.max(self.due_alone.min(self.due));
                self.due_alone += units / (rate * ALONE);
            } else {
                start = open.max(self.due);
            }
            self.due += units / rate;
        }
        self.latest = latest.max(start);
        (start, self.latest - latest)
    }

    /// The bucket, once measured.
    #[cfg(test)]
    pub(super) fn bucket(&self) -> Option<Bucket> {
        match self.knowledge {
            Knowledge::Measured(bucket) => Some(bucket),
            _ => None,
        }
    }

    /// An answer to what was sent at `sent` has come.
    pub(super) fn answer(&mut self, sent: f64, now: f64, charge: Charge) {
        self.charged += charge.units;
        self.delay += LATEST * (now - sent - self.delay);
        if charge.refused > 0 {
            self.refused(sent, now, charge);
        } else {
            self.accepted(sent, now, charge.used);
        }
    }

    fn refused(&mut self, sent: f64, now: f64, charge: Charge) {
        if sent < self.settled || charge.refused < TELLING || charge.refused <= charge.answered / 4 {
            return;
        }
        self.settled = now;
        match self.knowledge {
            // The bucket ran over while the limit was looked at; the look goes on.
            Knowledge::Pausing { .. } => {}
            Knowledge::Measured(bucket) => {
                self.know(now, Bucket { refill: bucket.refill * 0.9, ..bucket }, bucket.refill * 0.9);
            }
            Knowledge::Refused { at, charged } if now - at > MEASURABLE => {
                self.pace(now, (self.charged - charged) / (now - at));
                self.knowledge = Knowledge::Refused { at: now, charged: self.charged };
            }
            Knowledge::None | Knowledge::Refused { .. } => {
                self.knowledge = Knowledge::Refused { at: now, charged: self.charged };
            }
        }
    }

    fn accepted(&mut self, sent: f64, now: f64, used: Option<f64>) {
        match (self.knowledge, used) {
            (Knowledge::None, None) => {}
            (Knowledge::None | Knowledge::Refused { .. }, Some(used)) => {
                let highest = Look { at: now, used, charged: self.charged };
                self.probed = false;
                self.knowledge = Knowledge::Pausing { until: now + PAUSE, highest };
            }
            (Knowledge::Refused { .. }, None) => {
                if let Some(rate) = self.rate {
                    self.pace(now, rate * (1.0 + PROBING * (now - self.changed).clamp(0.0, 1.0)));
                }
            }
            (Knowledge::Pausing { until, highest }, used) => {
                let look = Look { at: now, used: used.unwrap_or(BELOW_HEADER), charged: self.charged };
                let first = self.first.unwrap_or(0.0);
                if sent >= until {
                    // What cannot be measured so is found by the controller, from a modest start.
                    let modest = highest.charged / (highest.at - first).max(MEASURABLE) / 4.0;
                    let bucket = measured(first, highest, look)
                        .unwrap_or(Bucket { size: highest.charged.max(1.0), refill: modest });
                    self.measured = now;
                    self.know(now, bucket, bucket.refill);
                } else if look.used >= highest.used {
                    self.knowledge = Knowledge::Pausing { until, highest: look };
                }
            }
            (Knowledge::Measured(bucket), used) => self.hold(now, bucket, used.unwrap_or(BELOW_HEADER)),
        }
    }

    /// Keeps the share that is in use where it belongs.
    fn hold(&mut self, now: f64, bucket: Bucket, used: f64) {
        let nearest = 1.0 - RESERVE - self.delay * bucket.refill / bucket.size;
        let target = (TARGET + NEARER * (now - self.measured)).min(nearest);
        // A target that moves is followed by itself, so that the refill is not taken for a larger one.
        let moving = if target < nearest { NEARER * bucket.size } else { 0.0 };
        let (error, passed) = (target - used, (now - self.changed).clamp(0.0, 0.1));
        let approach = APPROACH.0.max(APPROACH.1 * self.delay);
        let bucket = Bucket { refill: bucket.refill + CORRECTION * error * bucket.size * passed, ..bucket };
        self.know(now, bucket, bucket.refill + moving + error * bucket.size / approach);
    }

    fn know(&mut self, now: f64, bucket: Bucket, rate: f64) {
        let bucket = Bucket { refill: bucket.refill.max(1.0), ..bucket };
        self.knowledge = Knowledge::Measured(bucket);
        self.pace(now, rate.max(bucket.refill / 10.0));
    }

    fn pace(&mut self, now: f64, rate: f64) {
        self.rate = Some(rate.max(1.0));
        self.changed = now;
    }
}

/// The bucket was full at `first`, at `high` in use most, and after a pause as `low` says.
fn measured(first: f64, high: Look, low: Look) -> Option<Bucket> {
    // charged = size × used + refill × time, over both stretches.
    let (used, time, charged) = (high.used, high.at - first, high.charged);
    let (fallen, paused, since) = (low.used - high.used, low.at - high.at, low.charged - high.charged);
    let determinant = used * paused - fallen * time;
    let size = (charged * paused - since * time) / determinant;
    let refill = (used * since - fallen * charged) / determinant;
    (determinant > 0.0 && size >= 1.0 && refill > 0.0).then_some(Bucket { size, refill })
}
