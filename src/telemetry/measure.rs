//! How often and how late positions come. Must not know protocols.

use crate::clock::Mono;
use std::time::Duration;

/// Counts over one second at a time.
#[derive(Debug)]
pub(super) struct Measure {
    since: Mono,
    samples: u32,
    lateness_s: f64,
}

impl Measure {
    pub(super) fn from(now: Mono) -> Self {
        Self {
            since: now,
            samples: 0,
            lateness_s: 0.0,
        }
    }

    pub(super) fn sample(&mut self, lateness_s: f64) {
        self.samples += 1;
        self.lateness_s += lateness_s;
    }

    /// (samples per second, mean lateness in ms), once a second.
    pub(super) fn due(&mut self, now: Mono) -> Option<(f64, f64)> {
        let passed = now.since(self.since);
        if passed < Duration::from_secs(1) {
            return None;
        }
        let rate_hz = f64::from(self.samples) / passed.as_secs_f64();
        let lateness_ms = if self.samples == 0 {
            0.0
        } else {
            1e3 * self.lateness_s / f64::from(self.samples)
        };
        *self = Self::from(now);
        Some((rate_hz, lateness_ms))
    }
}

/// Lets one message through per period and counts the others.
#[derive(Debug, Default)]
pub(super) struct Rationed {
    last: Option<Mono>,
    held_back: u64,
}

impl Rationed {
    /// `message`, with the number of those held back since the last one.
    pub(super) fn pass(&mut self, now: Mono, message: String) -> Option<String> {
        const PERIOD: Duration = Duration::from_secs(5);
        if self.last.is_some_and(|last| now.since(last) < PERIOD) {
            self.held_back += 1;
            return None;
        }
        self.last = Some(now);
        let held_back = std::mem::take(&mut self.held_back);
        Some(if held_back == 0 {
            message
        } else {
            format!("{message} ({held_back} more since the last message)")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    #[test]
    fn rate_and_lateness_come_once_a_second() {
        let mut m = Measure::from(at(0));
        for i in 0..10 {
            m.sample(0.02 + 0.01 * f64::from(i % 2));
        }
        assert_eq!(m.due(at(999)), None);
        let (rate_hz, lateness_ms) = m.due(at(2000)).unwrap();
        assert!((rate_hz - 5.0).abs() < 1e-9 && (lateness_ms - 25.0).abs() < 1e-9);
        assert_eq!(m.due(at(3000)), Some((0.0, 0.0)));
    }

    #[test]
    fn a_flood_of_faults_is_one_message_with_a_count() {
        let mut r = Rationed::default();
        assert_eq!(r.pass(at(0), "a".into()), Some("a".into()));
        assert_eq!(r.pass(at(10), "b".into()), None);
        assert_eq!(r.pass(at(4999), "c".into()), None);
        assert_eq!(
            r.pass(at(5000), "d".into()),
            Some("d (2 more since the last message)".into())
        );
    }
}
