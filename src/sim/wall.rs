//! The camera's wall clock, which faults may step, and its past: a time it
//! told before a step must still lead to the instant it was told at.
//!
//! Reads no clock itself: instants are nanoseconds since the camera's start.

use std::collections::VecDeque;

use crate::clock::CaptureTime;

/// How many steps are remembered; the oldest is forgotten first.
const STEPS: usize = 64;

/// A clock that starts at `start` and has been stepped since.
#[derive(Debug)]
pub(super) struct CameraClock {
    start: CaptureTime,
    /// From which instant how far ahead it went, both in nanoseconds; in
    /// order, never empty.
    epochs: VecDeque<(u64, i64)>,
}

fn ns(step_s: f64) -> i64 {
    (step_s * 1e9) as i64
}

impl CameraClock {
    /// A clock that says `start` plus `step_s` at instant 0.
    pub(super) fn new(start: CaptureTime, step_s: f64) -> Self {
        Self {
            start,
            epochs: VecDeque::from([(0, ns(step_s))]),
        }
    }

    /// From instant `now_ns` on it is `step_s` ahead.
    pub(super) fn step(&mut self, now_ns: u64, step_s: f64) {
        let ahead = ns(step_s);
        match self.epochs.back_mut() {
            Some(last) if last.1 == ahead => {}
            Some(last) if last.0 >= now_ns => last.1 = ahead,
            _ => self.epochs.push_back((now_ns, ahead)),
        }
        if self.epochs.len() > STEPS {
            self.epochs.pop_front();
        }
    }

    /// What it said, or will say, at an instant.
    pub(super) fn at(&self, t_ns: u64) -> CaptureTime {
        let newest_first = self.epochs.iter().rev();
        let ahead = newest_first
            .clone()
            .find(|(from, _)| *from <= t_ns)
            .or(self.epochs.front())
            .map_or(0, |(_, ahead)| *ahead);
        let t = i64::try_from(t_ns).unwrap_or(i64::MAX);
        CaptureTime(self.start.0.saturating_add(t).saturating_add(ahead))
    }

    /// The instant, not after `now_ns`, at which it said `utc`: the latest, if
    /// it was set back and said it twice. Where it was set ahead and never
    /// said it, the clock before that step is taken to have run on, as it does
    /// for a receiver that has not seen the next sender report yet.
    pub(super) fn instant(&self, utc: CaptureTime, now_ns: u64) -> Option<u64> {
        let candidate = |(from, ahead): (u64, i64)| {
            let t = utc.0.checked_sub(self.start.0)?.checked_sub(ahead)?;
            let t = u64::try_from(t).ok()?;
            (from <= t && t <= now_ns).then_some(t)
        };
        let mut until = u64::MAX;
        let mut ran_on = None;
        for &epoch in self.epochs.iter().rev() {
            match candidate(epoch) {
                Some(t) if t < until => return Some(t),
                Some(t) => ran_on = ran_on.or(Some(t)),
                None => {}
            }
            until = epoch.0;
        }
        ran_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;
    const START: i64 = 1_700_000_000_000_000_000;

    fn told(s: i64) -> CaptureTime {
        CaptureTime(START + s * 1_000_000_000)
    }

    /// (what was told, in seconds after the start; the instant, if any)
    fn check(steps: &[(u64, f64)], now_s: u64, cases: &[(i64, Option<u64>)]) {
        let mut clock = CameraClock::new(CaptureTime(START), 0.0);
        for &(at_s, step_s) in steps {
            clock.step(at_s * S, step_s);
        }
        for &(utc_s, expected) in cases {
            let got = clock.instant(told(utc_s), now_s * S);
            assert_eq!(got, expected.map(|s| s * S), "{steps:?}, told {utc_s}");
        }
    }

    #[test]
    fn what_was_told_leads_back_across_steps() {
        check(
            &[],
            50,
            &[(0, Some(0)), (50, Some(50)), (51, None), (-1, None)],
        );
        // Ahead at 10 s: told 10…39 never, but a receiver may have run on.
        let ahead = [(10, 30.0)];
        check(&ahead, 20, &[(9, Some(9)), (40, Some(10)), (50, Some(20))]);
        check(&ahead, 20, &[(15, Some(15)), (21, None), (51, None)]);
        // Back at 10 s: told 4…9 twice.
        let back = [(10, -6.0)];
        check(
            &back,
            12,
            &[(3, Some(3)), (5, Some(11)), (8, Some(8)), (11, Some(11))],
        );
        // There and back again.
        let both = [(10, 30.0), (20, 0.0)];
        check(
            &both,
            25,
            &[(9, Some(9)), (45, Some(15)), (22, Some(22)), (52, Some(22))],
        );
    }

    #[test]
    fn an_instant_keeps_the_time_it_was_told_with() {
        let mut clock = CameraClock::new(CaptureTime(START), 2.0);
        clock.step(10 * S, 30.0);
        clock.step(10 * S, 5.0);
        clock.step(20 * S, 5.0);
        for (t_s, utc_s) in [(0, 2), (9, 11), (10, 15), (25, 30)] {
            assert_eq!(clock.at(t_s * S), told(utc_s), "at {t_s} s");
        }
    }
}
