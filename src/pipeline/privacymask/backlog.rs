//! How long frames waited before they reached the element.
//!
//! Between camera and element frames may pile up: in the jitter buffer, in the
//! socket, before a decoder that is too slow. Their stamps tell: a stream in
//! time arrives at a constant distance from its stamps. Must not know GStreamer.

use crate::clock::Mono;
use std::time::Duration;

/// The shortest distance of a connection's frames from their stamps so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backlog {
    least_ns: Option<i128>,
}

/// The clocks of camera and gateway drift apart: what was shortest is forgotten
/// by this much per frame (at 25 fps 250 ppm; crystals stay below 100).
const FORGET_NS: i128 = 10_000;
/// Stamps that jump by more than this begin anew.
const JUMP_NS: i128 = 10_000_000_000;

impl Backlog {
    /// How much longer than the quickest of its connection the frame stamped
    /// `stream_ns` took until `arrival`.
    pub(super) fn waited(&mut self, arrival: Mono, stream_ns: u64) -> Duration {
        let distance = i128::from(arrival.0) - i128::from(stream_ns);
        let least = match self.least_ns {
            Some(least) if (distance - least).abs() < JUMP_NS => (least + FORGET_NS).min(distance),
            _ => distance,
        };
        self.least_ns = Some(least);
        Duration::from_nanos(u64::try_from(distance - least).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_later_than_the_quickest_has_waited() {
        let mut backlog = Backlog::default();
        let ms = 1_000_000;
        let mut waited =
            |arrival_ms: u64, stream_ms: u64| backlog.waited(Mono(arrival_ms * ms), stream_ms * ms);
        assert_eq!(waited(1_000, 0).as_millis(), 0);
        assert_eq!(waited(1_070, 40).as_millis(), 29);
        assert_eq!(waited(1_070, 80).as_millis(), 0);
        assert_eq!(waited(1_410, 120).as_millis(), 299);
        // Stamps that begin anew tell nothing about waiting.
        assert_eq!(waited(1_450, 90_000).as_millis(), 0);
        assert_eq!(waited(1_490, 90_040).as_millis(), 0);
    }
}
