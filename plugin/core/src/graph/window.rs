//! How many requests are worth having under way at once: it starts modest, grows while more of them bring more answers,
//! and halves when Graph refuses for the limit's sake.
//!
//! Only a full window is judged. While workers wait for something else (the pace of the quota, a slow host, a feed
//! whose pages come one after another) its width changes nothing, and a measurement would say so and mislead.

/// Requests under way in the beginning.
const FIRST: usize = 4;

/// More answers a second by this factor make a wider window worth it.
const WORTH: f64 = 1.05;

/// After a step that did not pay, so many periods pass until the next is tried.
const PATIENCE: u32 = 20;

/// The width, and what was measured at it.
#[derive(Debug)]
pub(crate) struct Window {
    width: usize,
    most: usize,
    /// Doubles instead of adding one, until a step does not pay.
    doubling: bool,
    /// Width and reads a second before the last step.
    before: Option<(usize, f64)>,
    patience: u32,
    period: Period,
}

#[derive(Debug, Default)]
struct Period {
    began: Option<f64>,
    answers: usize,
    reads: f64,
    /// The window was full throughout.
    full: bool,
}

impl Window {
    /// Never wider than `most`.
    pub(crate) fn new(most: usize) -> Window {
        let most = most.max(1);
        Window { width: FIRST.min(most), most, doubling: true, before: None, patience: 0, period: Period::default() }
    }

    /// Requests that may be under way now.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// A request with so many reads was answered, while `waiting` others wanted to be sent. Seconds from any beginning.
    pub(crate) fn answered(&mut self, now: f64, reads: u32, waiting: bool) {
        let period = &mut self.period;
        let Some(began) = period.began else {
            *period = Period { began: Some(now), full: true, ..Period::default() };
            return;
        };
        period.answers += 1;
        period.reads += f64::from(reads);
        period.full &= waiting;
        // Each of them twice, so that what was under way when the width changed does not decide. The first step has
        // nothing to compare with.
        let rounds = if self.doubling && self.before.is_none() { 1 } else { 2 };
        if period.answers < rounds * self.width || now <= began {
            return;
        }
        let (speed, full) = (period.reads / (now - began), period.full);
        self.period = Period { began: Some(now), full: true, ..Period::default() };
        if full {
            self.judge(speed);
        }
    }

    fn judge(&mut self, speed: f64) {
        if let Some((narrower, slower)) = self.before.take()
            && speed < slower * WORTH
        {
            (self.width, self.doubling, self.patience) = (narrower, false, PATIENCE);
            return;
        }
        if self.patience > 0 {
            self.patience -= 1;
        } else if self.width < self.most {
            self.before = Some((self.width, speed));
            self.width = if self.doubling { self.width * 2 } else { self.width + 1 }.min(self.most);
        }
    }

    /// Graph has refused for the limit's sake.
    pub(crate) fn refused(&mut self) {
        self.width = (self.width / 2).max(1);
        (self.doubling, self.before, self.patience) = (false, None, 0);
        self.period = Period::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that answers as many requests at once as it has hands, each in a tenth of a second.
    fn after(requests: usize, hands: usize, most: usize) -> Window {
        let mut window = Window::new(most);
        let mut now = 0.0;
        for _ in 0..requests {
            now += 0.1 / window.width().min(hands) as f64;
            window.answered(now, 20, true);
        }
        window
    }

    #[test]
    fn it_grows_while_it_pays_and_no_further() {
        assert_eq!(after(500, 1000, 8).width(), 8);
        assert_eq!(after(500, 1000, 64).width(), 64);
        let width = after(2_000, 12, 64).width();
        assert!((12..=16).contains(&width), "{width}");
    }

    #[test]
    fn the_first_step_takes_one_round_and_the_next_one_two() {
        // The first answer begins the count.
        let widths = [FIRST, FIRST + 1, 3 * FIRST, 5 * FIRST + 1].map(|answers| after(answers, 1000, 64).width());
        assert_eq!(widths, [FIRST, 2 * FIRST, 2 * FIRST, 4 * FIRST]);
    }

    #[test]
    fn a_service_with_one_hand_keeps_it_narrow() {
        assert!(after(2_000, 1, 64).width() <= FIRST + 1);
    }

    #[test]
    fn a_window_that_is_not_full_is_not_judged() {
        let mut window = Window::new(64);
        (0..500).for_each(|n| window.answered(f64::from(n), 1, false));
        assert_eq!(window.width(), FIRST);
    }

    #[test]
    fn a_refusal_halves_it() {
        let mut window = after(500, 1000, 64);
        window.refused();
        assert_eq!(window.width(), 32);
        (0..10).for_each(|_| window.refused());
        assert_eq!(window.width(), 1);
    }
}
