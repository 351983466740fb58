//! How much of the budget planning, painting and pushing need.

use std::time::Duration;

/// Work times that are remembered: five seconds at 25 frames a second.
const REMEMBERED: usize = 125;

/// A running measure of the reserve: the longest of the last 125 work times,
/// half as long again, within bounds.
///
/// The longest and not the mean: one frame that is late because an average was
/// kept is a frame lost.
#[derive(Clone, Debug)]
pub struct Reserve {
    recent: [Duration; REMEMBERED],
    next: usize,
    at_least: Duration,
    at_most: Duration,
}

impl Reserve {
    /// A measure that never leaves `at_least ..= at_most`. It starts at
    /// `at_most`: until something was measured, keep the most.
    pub fn new(at_least: Duration, at_most: Duration) -> Self {
        Self {
            recent: [at_most; REMEMBERED],
            next: 0,
            at_least: at_least.min(at_most),
            at_most,
        }
    }

    /// Takes the time one frame took from its release to the end of its push.
    pub fn took(&mut self, work: Duration) {
        if let Some(slot) = self.recent.get_mut(self.next) {
            *slot = work;
        }
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// What to keep now.
    pub fn now(&self) -> Duration {
        let longest = self.recent.iter().max().copied().unwrap_or(self.at_most);
        (longest.saturating_add(longest / 2)).clamp(self.at_least, self.at_most)
    }
}
