//! How late the documents of the metadata stream come, by stamps of the camera's clock.
//!
//! Nobody asked for them, so nothing says *after* which moment they were measured: a
//! stamp that lies by so much looks like a document that is so much later. Therefore a
//! document must come soon after its stamp, about as soon as those before it, and answers
//! must have vouched for the clock since one last came too soon. A step of the clock that
//! answers have not shown yet is so kept out from both sides.

use crate::clock::Mono;
use std::collections::VecDeque;

/// A coarser stamp is no time of measurement.
pub(super) const COARSEST_NS: i64 = 20_000_000;
/// From stamp to arrival at most, whatever the network.
const MOST_LATE_NS: i128 = 250_000_000;
/// Arrivals jitter by so much, to the late side…
const LATER_NS: i128 = 40_000_000;
/// …and what comes sooner than ever by more than this shows another clock.
const SOONER_NS: i128 = 20_000_000;
/// The shortest delay is that of the last twenty seconds.
const WINDOW_NS: u128 = 20_000_000_000;
const WINDOW_LEN: usize = 512;
/// How fast two clocks drift apart at most.
const DRIFT: f64 = 500e-6;
/// After a silence this long the delay is found anew: in it clocks drift by 60 ms.
const FORGET_NS: u128 = 120_000_000_000;

/// The delays of the last documents: arrival by our clock less stamp by the camera's.
#[derive(Debug, Default)]
pub(super) struct Delays {
    last: VecDeque<(Mono, i128)>,
    vouched: bool,
}

impl Delays {
    /// An answer fits what is known of the camera's clock.
    pub(super) fn vouch(&mut self) {
        self.vouched = true;
    }

    /// Whether a document with that delay may be believed; `offset` is (monotonic −
    /// camera's UTC) as answers bound it, nanoseconds.
    pub(super) fn fits(&mut self, delay: i128, offset: (i128, i128), received: Mono) -> bool {
        let silent_ns = self
            .last
            .back()
            .map_or(0, |(at, _)| received.since(*at).as_nanos());
        if silent_ns > FORGET_NS {
            self.last.clear();
        }
        if delay < offset.0 - SOONER_NS || delay - offset.1 > MOST_LATE_NS {
            return false;
        }
        let drift = (silent_ns as f64 * DRIFT) as i128;
        if let Some(shortest) = self.last.iter().map(|(_, delay)| *delay).min() {
            if delay < shortest - SOONER_NS - drift {
                *self = Self::default();
                return false;
            }
            if delay > shortest + LATER_NS + drift {
                return false;
            }
        }
        if !self.vouched {
            return false;
        }
        self.last.push_back((received, delay));
        while self.last.len() > WINDOW_LEN
            || self.last.len() > 1
                && self
                    .last
                    .front()
                    .is_some_and(|(at, _)| received.since(*at).as_nanos() > WINDOW_NS)
        {
            self.last.pop_front();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i128 = 1_000_000;

    /// Whether documents are believed that arrive every 100 ms with these delays, in ms,
    /// and an answer before those where it says so; the offset is 0 to 5 ms.
    fn believed(documents: &[(bool, i128)]) -> Vec<bool> {
        let mut delays = Delays::default();
        let each = documents.iter().zip(1..);
        each.map(|((answer, delay), n)| {
            if *answer {
                delays.vouch();
            }
            delays.fits(delay * MS, (0, 5 * MS), Mono(n * 100_000_000))
        })
        .collect()
    }

    #[test]
    fn a_document_is_believed_that_comes_as_soon_as_those_before() {
        for (documents, expected) in [
            // Nobody has vouched for the clock.
            (&[(false, 20), (false, 20)][..], &[false, false][..]),
            (&[(true, 20), (false, 50), (false, 10)], &[true; 3]),
            // Late ones are passed over, and change nothing.
            (
                &[(true, 20), (false, 70), (false, 20)],
                &[true, false, true],
            ),
            // Sooner than ever, or before it was measured: another clock, until an answer.
            (
                &[(true, 60), (false, 30), (false, 30), (true, 30)],
                &[true, false, false, true],
            ),
            (
                &[(true, 10), (false, -60), (true, 10)],
                &[true, false, true],
            ),
            // Too late from the first on.
            (&[(true, 300), (true, 300)], &[false, false]),
        ] {
            assert_eq!(believed(documents), expected, "{documents:?}");
        }
    }

    #[test]
    fn delays_may_drift_over_minutes_but_not_leap() {
        let mut delays = Delays::default();
        delays.vouch();
        let minutes_apart = |delays: &mut Delays, minute: u64, delay: i128| {
            delays.fits(delay * MS, (0, 5 * MS), Mono(minute * 60_000_000_000))
        };
        assert!(minutes_apart(&mut delays, 1, 20));
        assert!(minutes_apart(&mut delays, 2, 80), "30 ms a minute of drift");
        assert!(!minutes_apart(&mut delays, 3, 180));
        // After a long silence the delay is found anew.
        assert!(minutes_apart(&mut delays, 10, 180));
    }
}
