//! Sound laid beside the picture: what waits for its picture to leave, and when it leaves.
//!
//! Sound of a moment leaves with the first picture that was taken after it, stamped on the
//! same line of time as that. Numbers only.

use std::collections::VecDeque;

const MS: u64 = 1_000_000;
/// Pieces that wait for their picture. Two seconds of pieces of 8 ms; when there are
/// more, the oldest goes.
const MOST: usize = 256;
/// Sound that is later than this behind its picture is left out; what is missing by then is
/// silence.
const LATE_NS: u64 = 500 * MS;
/// A piece whose capture time says that it came so much before or after its picture is
/// placed by its arrival: one of the two sender reports lies.
const BELIEVED_NS: i64 = 700 * MS as i64;
/// Stamps only grow; these are RTP's of 48 kHz, and more.
const APART_NS: u64 = 100_000;
/// A piece that would have to be moved by more, for stamps to grow, is left out.
const MOVED_NS: u64 = 60 * MS;

/// A piece of sound as it came.
#[derive(Debug)]
pub(super) struct Heard<T> {
    /// When it came, on the line on which pictures leave.
    pub(super) arrival_ns: u64,
    /// When it was taken, in the camera's clock, where that is known.
    pub(super) capture_ns: Option<i64>,
    pub(super) what: T,
}

/// A piece that leaves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Laid<T> {
    /// On the line on which pictures leave; later than that of every piece before.
    pub(super) stamp_ns: u64,
    /// When it was taken, where its stamp says so, too.
    pub(super) capture_ns: Option<i64>,
    pub(super) what: T,
}

/// What waits. [`Lane::beside`] is to be asked at every picture.
#[derive(Debug)]
pub(super) struct Lane<T> {
    waiting: VecDeque<Heard<T>>,
    last_ns: Option<u64>,
    /// Whether what left last was silence.
    silent: bool,
    /// Pieces that left, and that did not.
    pub(super) passed: u64,
    pub(super) left_out: u64,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            last_ns: None,
            silent: false,
            passed: 0,
            left_out: 0,
        }
    }
}

impl<T> Lane<T> {
    pub(super) fn hear(&mut self, heard: Heard<T>) {
        if self.waiting.len() == MOST {
            self.waiting.pop_front();
            self.left_out += 1;
        }
        self.waiting.push_back(heard);
    }

    /// Forgets what waits.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// What leaves beside a picture stamped `picture_ns`, taken at `capture_ns`.
    pub(super) fn beside(&mut self, picture_ns: u64, capture_ns: Option<i64>) -> Vec<Laid<T>> {
        let shift = capture_ns.map(|at| picture_ns.cast_signed().saturating_sub(at));
        let mut leave = Vec::new();
        while let Some(next) = self.waiting.front() {
            let (stamp_ns, told) = place(next, shift);
            if stamp_ns > picture_ns {
                break;
            }
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
            let grown = self.last_ns.map_or(0, |last| last + APART_NS);
            let late = picture_ns - stamp_ns > LATE_NS;
            if late || grown.saturating_sub(stamp_ns) > MOVED_NS {
                self.left_out += 1;
                continue;
            }
            let stamp_ns = stamp_ns.max(grown);
            self.last_ns = Some(stamp_ns);
            self.silent = false;
            self.passed += 1;
            leave.push(Laid {
                stamp_ns,
                capture_ns: next.capture_ns.filter(|_| told),
                what: next.what,
            });
        }
        leave
    }

    /// Stamps of silence, `step_ns` each, that is missing beside a picture stamped `picture_ns`:
    /// at once where nothing is to come, else where it can come no more.
    pub(super) fn silence(&mut self, picture_ns: u64, step_ns: u64, at_once: bool) -> Vec<u64> {
        let wait = if at_once { 0 } else { LATE_NS };
        let until = picture_ns.saturating_sub(wait);
        let mut stamps = Vec::new();
        loop {
            let stamp = match self.last_ns {
                None => until,
                Some(last) if last + step_ns > until => break,
                // After a piece of a length that is not known, or of a long pause of pictures.
                Some(last) if !self.silent || until - last > 2 * LATE_NS => until,
                Some(last) => last + step_ns,
            };
            self.last_ns = Some(stamp);
            self.silent = true;
            stamps.push(stamp);
        }
        stamps
    }
}

/// Where a piece lies on the pictures' line, and whether its capture time says so.
fn place<T>(piece: &Heard<T>, shift: Option<i64>) -> (u64, bool) {
    let by_capture = piece.capture_ns.zip(shift);
    let by_capture = by_capture.map(|(at, shift)| at.saturating_add(shift));
    let arrival = piece.arrival_ns.cast_signed();
    match by_capture {
        Some(at) if at >= 0 && at.saturating_sub(arrival).saturating_abs() <= BELIEVED_NS => {
            (at.cast_unsigned(), true)
        }
        _ => (piece.arrival_ns, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces at (arrival, capture), milliseconds.
    fn lane(pieces: &[(u64, Option<i64>)]) -> Lane<usize> {
        let mut lane = Lane::default();
        for (what, (arrival, capture)) in pieces.iter().enumerate() {
            lane.hear(Heard {
                arrival_ns: arrival * MS,
                capture_ns: capture.map(|ms| ms * MS as i64),
                what,
            });
        }
        lane
    }

    /// (piece, stamp in ms, whether it tells its capture time)
    fn left(laid: &[Laid<usize>]) -> Vec<(usize, u64, bool)> {
        let one = |l: &Laid<usize>| (l.what, l.stamp_ns / MS, l.capture_ns.is_some());
        laid.iter().map(one).collect()
    }

    #[test]
    fn sound_leaves_with_the_first_picture_after_it_by_their_capture_times() {
        // It came 30 ms after the picture of its moment did.
        let pieces = [(1030, Some(0)), (1050, Some(20)), (1070, Some(40))];
        let mut lane = lane(&pieces);
        let beside = |lane: &mut Lane<usize>, stamp: u64, at: i64| {
            left(&lane.beside(stamp * MS, Some(at * MS as i64)))
        };
        assert_eq!(beside(&mut lane, 999, -1), []);
        assert_eq!(
            beside(&mut lane, 1039, 39),
            [(0, 1000, true), (1, 1020, true)]
        );
        assert_eq!(beside(&mut lane, 1079, 79), [(2, 1040, true)]);
        assert_eq!(lane.passed, 3);
    }

    #[test]
    fn without_capture_times_or_with_one_that_lies_it_is_placed_by_its_arrival() {
        for (piece, picture) in [(None, Some(40)), (Some(0), None), (Some(9000), Some(40))] {
            let mut lane = lane(&[(1010, piece)]);
            let picture = picture.map(|ms: i64| ms * MS as i64);
            assert_eq!(left(&lane.beside(1009 * MS, picture)), []);
            assert_eq!(
                left(&lane.beside(1040 * MS, picture)),
                [(0, 1010, false)],
                "{piece:?}"
            );
        }
    }

    #[test]
    fn what_comes_too_late_is_left_out_and_stamps_only_grow() {
        let mut lane = lane(&[(1000, None), (1500, None), (1490, None), (1300, None)]);
        assert_eq!(
            left(&lane.beside(1600 * MS, None)),
            [(1, 1500, false), (2, 1500, false)]
        );
        assert_eq!((lane.passed, lane.left_out), (2, 2));
        for n in 0..1000 {
            lane.hear(Heard {
                arrival_ns: (9_000 + n) * MS,
                capture_ns: None,
                what: 0,
            });
        }
        assert_eq!(lane.waiting.len(), MOST);
        let stamps = left(&lane.beside(9_999 * MS, None));
        assert!(stamps.windows(2).all(|p| p[0].1 < p[1].1));
    }

    #[test]
    fn silence_is_without_gaps_and_waits_for_what_may_still_come() {
        let mut lane = lane(&[]);
        let ms = |stamps: Vec<u64>| stamps.iter().map(|s| s / MS).collect::<Vec<_>>();
        assert_eq!(ms(lane.silence(1000 * MS, 20 * MS, true)), [1000]);
        assert_eq!(ms(lane.silence(1040 * MS, 20 * MS, true)), [1020, 1040]);
        assert_eq!(ms(lane.silence(1059 * MS, 20 * MS, true)), [0_u64; 0]);
        // No picture left for an hour.
        assert_eq!(ms(lane.silence(3_600_000 * MS, 20 * MS, true)), [3_600_000]);

        let mut lane = self::lane(&[(1990, None)]);
        assert_eq!(ms(lane.silence(2000 * MS, 20 * MS, false)), [1500]);
        assert_eq!(left(&lane.beside(2000 * MS, None)), [(0, 1990, false)]);
        assert_eq!(ms(lane.silence(2480 * MS, 20 * MS, false)), [0_u64; 0]);
        assert_eq!(ms(lane.silence(2520 * MS, 20 * MS, false)), [2020]);
        assert_eq!(ms(lane.silence(2560 * MS, 20 * MS, false)), [2040, 2060]);
    }
}
