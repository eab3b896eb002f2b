//! Throttling by resource units: one bucket for the application in the tenant, as Graph keeps it.
//!
//! Who keeps asking while throttled pushes the end of the wait away. Times come from the simulated clock.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::clock::format_http;

/// How the tenant throttles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Throttling {
    /// The published limit to apply.
    pub size: TenantSize,
    /// Another limit than the published one, in resource units per 10 seconds.
    pub units_per_10_seconds: Option<u32>,
    /// How the wait is written.
    pub retry_after: RetryAfter,
    /// Milliseconds every request made while throttled adds to the wait.
    pub penalty_ms: u64,
    /// Who is refused waits until so many hundredths of the bucket are full again; 0: until the refused read fits.
    pub until_percent_full: u32,
    /// Whether answers carry `x-ms-throttle-limit-percentage` above four fifths of the limit.
    pub tells_load: bool,
}

/// The size classes of Graph's identity limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TenantSize {
    /// Below 50 users: 3,500 units per 10 seconds.
    Small,
    /// 50 to 500 users: 5,000 units per 10 seconds.
    Medium,
    /// Above 500 users: 8,000 units per 10 seconds.
    Large,
}

/// The forms in which `Retry-After` has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RetryAfter {
    /// `3`
    Integer,
    /// `2.128`
    Decimal,
    /// `2,128`
    DecimalComma,
    /// An HTTP date.
    HttpDate,
    /// No header at all.
    Absent,
}

impl Default for Throttling {
    fn default() -> Throttling {
        Throttling {
            size: TenantSize::Large,
            units_per_10_seconds: None,
            retry_after: RetryAfter::Integer,
            penalty_ms: 500,
            until_percent_full: 0,
            tells_load: true,
        }
    }
}

impl RetryAfter {
    /// The header's value for a wait that starts at `now_ms`.
    pub(crate) fn write(self, now_ms: u64, wait_ms: u64) -> Option<String> {
        Some(match self {
            RetryAfter::Integer => wait_ms.div_ceil(1_000).to_string(),
            RetryAfter::Decimal => format!("{}.{:03}", wait_ms / 1_000, wait_ms % 1_000),
            RetryAfter::DecimalComma => format!("{},{:03}", wait_ms / 1_000, wait_ms % 1_000),
            RetryAfter::HttpDate => format_http((now_ms + wait_ms).div_ceil(1_000)),
            RetryAfter::Absent => return None,
        })
    }
}

/// The bucket itself. Levels are in thousandths of a unit.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) throttling: Throttling,
    capacity: u64,
    level: u64,
    filled_at: u64,
    blocked_until: u64,
}

impl Bucket {
    pub(crate) fn new(throttling: Throttling, now_ms: u64) -> Bucket {
        let published = match throttling.size {
            TenantSize::Small => 3_500,
            TenantSize::Medium => 5_000,
            TenantSize::Large => 8_000,
        };
        let capacity = u64::from(throttling.units_per_10_seconds.unwrap_or(published).max(1)) * 1_000;
        Bucket { throttling, capacity, level: capacity, filled_at: now_ms, blocked_until: 0 }
    }

    /// Take units out, or say how many milliseconds to wait.
    pub(crate) fn charge(&mut self, now_ms: u64, units: u32) -> Result<(), u64> {
        let elapsed = now_ms.saturating_sub(self.filled_at);
        self.level = self.capacity.min(self.level + elapsed.saturating_mul(self.capacity) / 10_000);
        self.filled_at = now_ms;
        if now_ms < self.blocked_until {
            self.blocked_until += self.throttling.penalty_ms;
            return Err(self.blocked_until - now_ms);
        }
        let wanted = u64::from(units) * 1_000;
        if self.level >= wanted {
            self.level -= wanted;
            return Ok(());
        }
        let enough = wanted.max(self.capacity / 100 * u64::from(self.throttling.until_percent_full.min(100)));
        let wait = ((enough - self.level) * 10_000).div_ceil(self.capacity).max(100);
        self.blocked_until = now_ms + wait;
        Err(wait)
    }

    /// The used share of the limit when it is above 80 %, as the header writes it.
    pub(crate) fn load(&self) -> Option<String> {
        let used = 100 - self.level * 100 / self.capacity;
        (self.throttling.tells_load && used > 80).then(|| format!("{}.{:02}", used / 100, used % 100))
    }
}

/// Requests in a window of time that slides along.
#[derive(Debug)]
pub(crate) struct Window {
    most: usize,
    length_ms: u64,
    taken: VecDeque<u64>,
}

impl Window {
    pub(crate) fn new(most: u32, length_ms: u64) -> Window {
        Window { most: most.max(1) as usize, length_ms, taken: VecDeque::new() }
    }

    /// Count a request, or say how many milliseconds to wait.
    pub(crate) fn take(&mut self, now_ms: u64) -> Result<(), u64> {
        while self.taken.front().is_some_and(|oldest| oldest + self.length_ms <= now_ms) {
            self.taken.pop_front();
        }
        match self.taken.front() {
            Some(oldest) if self.taken.len() >= self.most => Err(oldest + self.length_ms - now_ms),
            _ => {
                self.taken.push_back(now_ms);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_empties_waits_and_fills() {
        let throttling = Throttling { units_per_10_seconds: Some(10), ..Throttling::default() };
        let mut bucket = Bucket::new(throttling, 0);
        for _ in 0..10 {
            assert_eq!(bucket.charge(0, 1), Ok(()));
        }
        assert!(bucket.load().is_some());
        let wait = bucket.charge(0, 1).unwrap_err();
        assert!(bucket.charge(wait / 2, 1).is_err(), "asked too early");
        assert_eq!(bucket.charge(20_000, 1), Ok(()));
    }

    #[test]
    fn a_window_takes_so_many_and_slides() {
        let mut window = Window::new(2, 10_000);
        assert_eq!([window.take(0), window.take(4_000), window.take(5_000)], [Ok(()), Ok(()), Err(5_000)]);
        assert_eq!([window.take(10_000), window.take(10_001)], [Ok(()), Err(3_999)]);
    }

    #[test]
    fn a_wait_may_last_until_a_share_is_full() {
        let throttling =
            Throttling { units_per_10_seconds: Some(100), until_percent_full: 10, ..Throttling::default() };
        let mut bucket = Bucket::new(throttling, 0);
        (0..100).for_each(|_| bucket.charge(0, 1).unwrap());
        assert_eq!(bucket.charge(0, 1), Err(1_000));
    }

    #[test]
    fn asking_while_throttled_extends_the_wait() {
        let throttling = Throttling { units_per_10_seconds: Some(1), penalty_ms: 500, ..Throttling::default() };
        let mut bucket = Bucket::new(throttling, 0);
        assert_eq!(bucket.charge(0, 1), Ok(()));
        let wait = bucket.charge(0, 1).unwrap_err();
        assert_eq!(bucket.charge(0, 1), Err(wait + 500));
    }

    #[test]
    fn retry_after_has_five_forms() {
        assert_eq!(RetryAfter::Integer.write(0, 2_128).as_deref(), Some("3"));
        assert_eq!(RetryAfter::Decimal.write(0, 249).as_deref(), Some("0.249"));
        assert_eq!(RetryAfter::DecimalComma.write(0, 120).as_deref(), Some("0,120"));
        assert_eq!(RetryAfter::HttpDate.write(0, 1_500).as_deref(), Some("Thu, 01 Jan 1970 00:00:02 GMT"));
        assert_eq!(RetryAfter::Absent.write(0, 1), None);
    }
}
