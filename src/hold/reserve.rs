//! How much of the budget planning and painting need.

use std::collections::VecDeque;
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
    recent: VecDeque<Duration>,
    at_least: Duration,
    at_most: Duration,
}

impl Reserve {
    /// A measure that never leaves `at_least ..= at_most`. It starts at
    /// `at_most`: until something was measured, keep the most.
    pub fn new(at_least: Duration, at_most: Duration) -> Self {
        Self {
            recent: VecDeque::with_capacity(REMEMBERED),
            at_least: at_least.min(at_most),
            at_most,
        }
    }

    /// Takes the time from one frame's release to the moment at which it was
    /// ready to be pushed. What happens behind the push is no longer inside
    /// the budget and must not be counted.
    pub fn took(&mut self, work: Duration) {
        if self.recent.len() >= REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back(work);
    }

    /// What to keep now.
    pub fn now(&self) -> Duration {
        let longest = self.recent.iter().max().copied().unwrap_or(self.at_most);
        longest
            .saturating_add(longest / 2)
            .clamp(self.at_least, self.at_most)
    }
}
