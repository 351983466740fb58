//! When to try a camera, or a server, again. Knows numbers only.

use std::time::Duration;

/// The first try after a working connection: a camera often only hiccups.
const AT_FIRST: Duration = Duration::from_millis(250);
const FROM: Duration = Duration::from_secs(1);
const UP_TO: Duration = Duration::from_secs(30);

/// Waits that double from one second to thirty, after one quick try.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The wait before the next try, spread by ±20 % with `random` in 0…1, so
    /// that a hundred gateways do not fall upon a rebooted switch at once.
    pub(crate) fn next(&mut self, random: f64) -> Duration {
        let plain = match self.failures {
            0 => AT_FIRST,
            n => FROM
                .saturating_mul(1u32.checked_shl(n - 1).unwrap_or(u32::MAX))
                .min(UP_TO),
        };
        self.failures = (self.failures + 1).min(16);
        plain.mul_f64(0.8 + 0.4 * random.clamp(0.0, 1.0))
    }

    /// The camera worked, or came back after it could not be reached.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_thirty_seconds_and_start_over() {
        let mut b = Backoff::default();
        let waits: Vec<f64> = (0..8).map(|_| b.next(0.5).as_secs_f64()).collect();
        assert_eq!(waits, [0.25, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
        for _ in 0..100 {
            b.next(0.5);
        }
        assert_eq!(b.next(0.0), Duration::from_secs(24));
        assert_eq!(b.next(1.0), Duration::from_secs(36));
        b.reset();
        assert_eq!(b.next(0.5), AT_FIRST);
    }
}
