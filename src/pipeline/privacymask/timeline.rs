//! Output time: one line that only grows, whatever the camera's clocks do.
//!
//! Frames are spaced as they were *taken*, because a viewer recovers the
//! capture time of each frame from the spacing and the last sender report; and
//! the line as a whole follows the gateway's monotonic clock, because viewers,
//! the encoder and the RTSP server live by it. Knows numbers only.

/// Beyond this distance from the monotonic clock the line is laid anew.
const LAY_ANEW_NS: i64 = 300_000_000;
/// The most the line is bent per frame: 0.5 ms a second at 25 fps. A viewer
/// that extrapolates from a report one second old is off by no more.
const BEND_NS: i64 = 20_000;
/// The part of the distance that is taken back per frame.
const BEND_PART: i64 = 64;
/// Two frames never share a stamp, not even on RTP's 90 kHz (11.1 µs) line.
const APART_NS: u64 = 100_000;

/// Gives each frame its stamp on the output's line.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    offset_ns: Option<i64>,
    last_ns: Option<u64>,
}

impl Timeline {
    /// The stamp of a frame that came at `arrival_ns` on the output's clock and
    /// was taken at `capture_ns` in the camera's, if that is known. Later than
    /// every stamp before.
    pub(super) fn stamp(&mut self, capture_ns: Option<i64>, arrival_ns: u64) -> u64 {
        let wanted = match capture_ns {
            Some(capture_ns) => self.follow(capture_ns, arrival_ns),
            None => arrival_ns,
        };
        let stamp = match self.last_ns {
            Some(last) => wanted.max(last.saturating_add(APART_NS)),
            None => wanted,
        };
        self.last_ns = Some(stamp);
        stamp
    }

    fn follow(&mut self, capture_ns: i64, arrival_ns: u64) -> u64 {
        let arrival = i64::try_from(arrival_ns).unwrap_or(i64::MAX);
        let anew = arrival.saturating_sub(capture_ns);
        let offset = match self.offset_ns {
            Some(offset) => {
                let behind = anew.saturating_sub(offset);
                if behind.saturating_abs() > LAY_ANEW_NS {
                    anew
                } else {
                    offset.saturating_add((behind / BEND_PART).clamp(-BEND_NS, BEND_NS))
                }
            }
            None => anew,
        };
        self.offset_ns = Some(offset);
        u64::try_from(capture_ns.saturating_add(offset)).unwrap_or(arrival_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Stamps of frames given as (capture ms, arrival ms).
    fn check(frames: &[(Option<i64>, u64)]) -> Vec<u64> {
        let mut line = Timeline::default();
        frames
            .iter()
            .map(|&(c, a)| line.stamp(c.map(|c| c.saturating_mul(MS as i64)), a * MS))
            .collect()
    }

    #[test]
    fn spacing_is_that_of_the_capture_not_of_the_arrival() {
        let stamps = check(&[
            (Some(0), 1000),
            (Some(40), 1055),
            (Some(80), 1070),
            (Some(120), 1130),
        ]);
        for pair in stamps.windows(2) {
            assert!(
                (pair[1] - pair[0]).abs_diff(40 * MS) <= 20_000,
                "{stamps:?}"
            );
        }
    }

    #[test]
    fn the_line_only_grows() {
        for frames in [
            // The camera's clock steps back by ten seconds, then forward.
            vec![
                (Some(20_000), 1000),
                (Some(10_040), 1040),
                (Some(20_080), 1080),
            ],
            // Two frames with the same capture time.
            vec![(Some(0), 1000), (Some(0), 1001), (Some(0), 1002)],
            // Without, with, and again without capture time.
            vec![
                (None, 1000),
                (Some(5), 1040),
                (None, 1041),
                (Some(85), 1120),
            ],
            vec![(Some(i64::MAX), 1000), (Some(i64::MIN), 1040), (None, 0)],
        ] {
            let stamps = check(&frames);
            assert!(stamps.windows(2).all(|p| p[0] < p[1]), "{stamps:?}");
        }
    }

    #[test]
    fn the_line_stays_with_the_clock_when_the_camera_runs_fast() {
        let mut line = Timeline::default();
        let mut last = (0, 0);
        for n in 0..10_000u64 {
            // 200 ppm fast over 400 s: 80 ms in all if nothing were done.
            let capture = (n * 40 * MS) as i64 / 1_000_000 * 1_000_200;
            let arrival = n * 40 * MS;
            last = (line.stamp(Some(capture), arrival), arrival);
        }
        assert!(last.0.abs_diff(last.1) < 10 * MS, "{last:?}");
    }
}
