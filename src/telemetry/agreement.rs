//! Whether the metadata stream tells the path that answers tell, and when.
//!
//! A stamp that came unasked may be older than its measurement by as much as the document
//! was under way, and nothing in it tells. Answers tell, while the camera turns: there a
//! wrong time is a wrong place. So each answer is compared with the line between the two
//! streamed positions around it. How well they agree, over the speed, is the most by which
//! the time of those two may be off; and that of another by as much more as it came sooner
//! or later after its stamp than they did. Where that is not small, it is not used. What
//! an honest head cannot explain is a contradiction. Must not know protocols.

use crate::clock::{CaptureTime, Mono};
use crate::pose::{CameraProfile, PoseSample};
use std::collections::VecDeque;
use std::time::Duration;

/// Streamed positions further apart say too little about what lies between.
const MOST_APART_S: f64 = 0.25;
/// The time of a streamed position must be known at least so well, seconds.
const MOST_LAG_S: f64 = 0.05;
/// What is compared lies within this, seconds.
const KEPT_S: f64 = 5.0;
const KEPT: usize = 256;
/// So many comparisons that bound the stream's time are remembered, for as long as it
/// takes: a camera that rests proves nothing, and nothing else.
const PROOFS: usize = 16;
/// For how long a stream is not listened to that contradicted.
const DISTRUST: Duration = Duration::from_secs(600);
/// Rounding in the camera's reports, degrees and ln f.
const ROUNDING_DEG: f64 = 0.05;
const ROUNDING_LN_F: f64 = 0.002;

/// A place at a time.
#[derive(Clone, Copy, Debug)]
struct Point {
    at: CaptureTime,
    sigma_s: f64,
    /// Pan and tilt, degrees, ln f.
    axes: [f64; 3],
    /// Arrival by our clock less `at` by the camera's, nanoseconds: only differences mean
    /// anything.
    delay_ns: i128,
}

/// What one comparison showed.
#[derive(Clone, Copy, Debug)]
struct Proof {
    /// By how much the time of the two positions was off at most, seconds.
    lag_s: f64,
    /// Theirs.
    delays_ns: [i128; 2],
}

/// What an honest head may do on each axis.
#[derive(Clone, Copy, Debug)]
struct Rules {
    most_accel: [f64; 3],
    /// Of two reports together, speed aside.
    slack: [f64; 3],
    wraps: bool,
}

/// That the two sources contradict each other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contradiction {
    /// For people.
    pub(super) detail: String,
    /// The last moment at which they agreed.
    pub(super) since: CaptureTime,
    /// Whether streamed positions were used before.
    pub(super) was_believed: bool,
}

/// Compares what two sources tell of one head.
#[derive(Debug)]
pub(super) struct Agreement {
    rules: Rules,
    streamed: VecDeque<Point>,
    /// Answers that streamed positions do not surround yet.
    answers: VecDeque<Point>,
    /// The last answer, and how long after the one before it was measured, seconds.
    newest: Option<(Point, f64)>,
    proofs: VecDeque<Proof>,
    /// Whether any streamed position was let through since this began anew.
    believed: bool,
    agreed: Option<CaptureTime>,
    distrusted_until: Option<Mono>,
}

impl Agreement {
    pub(super) fn new(profile: &CameraProfile) -> Self {
        let d = profile.document();
        let angle = 4.0 * d.sigma.angle_deg + ROUNDING_DEG;
        Self {
            rules: Rules {
                most_accel: [
                    d.limits.max_accel_deg_s2,
                    d.limits.max_accel_deg_s2,
                    d.limits.max_ln_focal_s2,
                ],
                slack: [angle, angle, 4.0 * d.sigma.ln_focal + ROUNDING_LN_F],
                wraps: d.pan.wraps,
            },
            streamed: VecDeque::new(),
            answers: VecDeque::new(),
            newest: None,
            proofs: VecDeque::new(),
            believed: false,
            agreed: None,
            distrusted_until: None,
        }
    }

    /// Forgets what was compared, but no distrust: another connection.
    pub(super) fn reset(&mut self) {
        self.streamed.clear();
        self.answers.clear();
        self.newest = None;
        self.proofs.clear();
        self.believed = false;
        self.agreed = None;
    }

    /// Whether the stream is not listened to at all.
    pub(super) fn distrusts(&self, now: Mono) -> bool {
        self.distrusted_until.is_some_and(|until| now < until)
    }

    /// By how much the time of a streamed position may be off at most, seconds; `None`
    /// where that is not known well enough: it must not be used.
    pub(super) fn lag_s(&mut self, sample: &PoseSample) -> Option<f64> {
        let delay_ns = point(sample, 0.0).delay_ns;
        let bound = |proof: &Proof| {
            let slipped = proof.delays_ns.map(|d| (d - delay_ns).unsigned_abs());
            proof.lag_s + slipped[0].max(slipped[1]) as f64 * 1e-9
        };
        let best = self.proofs.iter().map(bound).reduce(f64::min)?;
        let known = (best <= MOST_LAG_S).then_some(best);
        self.believed |= known.is_some();
        known
    }

    /// Takes up a streamed position, with the logarithm of its focal length.
    ///
    /// # Errors
    /// [`Contradiction`]: from now on the stream is distrusted.
    pub(super) fn streamed(
        &mut self,
        sample: &PoseSample,
        ln_focal: f64,
    ) -> Result<(), Contradiction> {
        if keep(&mut self.streamed, point(sample, ln_focal)) {
            self.compare(sample.received)?;
        }
        Ok(())
    }

    /// Takes up an answer.
    ///
    /// # Errors
    /// [`Contradiction`]: from now on the stream is distrusted.
    pub(super) fn answered(
        &mut self,
        sample: &PoseSample,
        ln_focal: f64,
    ) -> Result<(), Contradiction> {
        let answer = point(sample, ln_focal);
        if keep(&mut self.answers, answer) {
            let gap_s = self.newest.map_or(f64::INFINITY, |(before, _)| {
                answer.at.seconds_since(before.at)
            });
            self.newest = Some((answer, gap_s));
            self.compare(sample.received)?;
        }
        Ok(())
    }

    /// Whether answers alone say better where the head is between two of them than
    /// streamed positions do whose times are known to `sigma_s`: then those would only
    /// widen the margin.
    pub(super) fn is_spare(&self, sigma_s: f64) -> bool {
        let mut last = self.streamed.iter().rev();
        let (Some(b), Some(a), Some((answer, gap_s))) = (last.next(), last.next(), self.newest)
        else {
            return false;
        };
        let apart_s = b.at.seconds_since(a.at);
        let speed = self.rules.speed(a, b);
        let unsure = |apart_s: f64, sigma_s: f64| {
            self.rules.most_accel[0] * apart_s * apart_s / 8.0 + 2.0 * sigma_s * speed
        };
        // Late answers leave as much open as seldom ones.
        let answers_apart_s = gap_s.max(b.at.seconds_since(answer.at));
        unsure(answers_apart_s, answer.sigma_s) <= unsure(apart_s, sigma_s)
    }

    fn compare(&mut self, now: Mono) -> Result<(), Contradiction> {
        while let Some(answer) = self.answers.front().copied() {
            let after = self.streamed.partition_point(|p| p.at <= answer.at);
            let Some(b) = self.streamed.get(after).copied() else {
                return Ok(());
            };
            self.answers.pop_front();
            let a = after.checked_sub(1).and_then(|i| self.streamed.get(i));
            let Some(a) = a.copied() else { continue };
            match self.rules.compare(a, b, answer) {
                None => {}
                Some(Ok(lag_s)) => {
                    self.agreed = Some(answer.at);
                    if lag_s <= MOST_LAG_S {
                        let delays_ns = [a.delay_ns, b.delay_ns];
                        self.proofs.push_back(Proof { lag_s, delays_ns });
                    }
                    while self.proofs.len() > PROOFS {
                        self.proofs.pop_front();
                    }
                }
                Some(Err(detail)) => {
                    let was_believed = self.believed;
                    let since = self.agreed.unwrap_or(CaptureTime(i64::MIN));
                    self.reset();
                    self.distrusted_until = Some(now.plus(DISTRUST));
                    return Err(Contradiction {
                        detail,
                        since,
                        was_believed,
                    });
                }
            }
        }
        Ok(())
    }
}

fn point(sample: &PoseSample, ln_focal: f64) -> Point {
    Point {
        at: sample.at,
        sigma_s: sample.sigma_t_s,
        axes: [sample.pan_deg, sample.tilt_deg, ln_focal],
        delay_ns: i128::from(sample.received.0) - i128::from(sample.at.0),
    }
}

/// Adds what is later than all before; whether it was.
fn keep(points: &mut VecDeque<Point>, point: Point) -> bool {
    if points.back().is_some_and(|last| last.at >= point.at) {
        return false;
    }
    points.push_back(point);
    while points.len() > KEPT
        || points
            .front()
            .is_some_and(|first| point.at.seconds_since(first.at) > KEPT_S)
    {
        points.pop_front();
    }
    true
}

impl Rules {
    /// `x`, on an axis that may wrap, as it lies nearest to `to`.
    fn near(&self, axis: usize, x: f64, to: f64) -> f64 {
        match self.wraps && axis == 0 {
            true => x + 360.0 * ((to - x) / 360.0).round(),
            false => x,
        }
    }

    /// How fast the head turned from `a` to `b`, degrees a second in pan or tilt.
    fn speed(&self, a: &Point, b: &Point) -> f64 {
        let moved = |axis: usize| self.near(axis, b.axes[axis], a.axes[axis]) - a.axes[axis];
        moved(0).abs().max(moved(1).abs()) / b.at.seconds_since(a.at)
    }

    /// What `answer`, between `a` and `b`, leaves open of the stream's time, seconds;
    /// what it contradicts; `None` where the two are too far apart to tell.
    fn compare(&self, a: Point, b: Point, answer: Point) -> Option<Result<f64, String>> {
        let apart_s = b.at.seconds_since(a.at);
        if apart_s > MOST_APART_S {
            return None;
        }
        let share = answer.at.seconds_since(a.at) / apart_s;
        // 2σ of the two times together.
        let unsure_s = 2.0 * (answer.sigma_s + a.sigma_s.max(b.sigma_s));
        let mut least_lag_s = f64::INFINITY;
        for (axis, name) in ["pan", "tilt", "zoom"].into_iter().enumerate() {
            let near = |x: f64, to: f64| self.near(axis, x, to);
            let from = a.axes[axis];
            let moved = near(b.axes[axis], from) - from;
            let off = (near(answer.axes[axis], from) - from - moved * share).abs();
            let speed = moved.abs() / apart_s;
            let accel = self.most_accel[axis];
            let honest = self.slack[axis]
                + accel * apart_s * apart_s / 8.0
                + (speed + accel * unsure_s / 2.0) * unsure_s;
            if off > honest {
                return Some(Err(format!(
                    "the metadata stream and the answers disagree by {off:.2} in {name}"
                )));
            }
            if speed > 0.0 {
                least_lag_s = least_lag_s.min((off + honest) / speed);
            }
        }
        Some(Ok(least_lag_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::testing::PROFILE;

    fn agreement() -> Agreement {
        Agreement::new(&CameraProfile::from_toml(PROFILE).unwrap())
    }

    fn sample(at_s: f64, pan_deg: f64) -> PoseSample {
        PoseSample {
            at: CaptureTime(1_700_000_000_000_000_000).plus_seconds(at_s),
            sigma_t_s: 0.001,
            pan_deg,
            tilt_deg: 0.0,
            zoom: 0.0,
            hfov_deg: None,
            received: mono(at_s),
        }
    }

    fn mono(at_s: f64) -> Mono {
        Mono((at_s * 1e9) as u64 + 1_000_000_000)
    }

    /// What is known of the time of a document that comes as those of `play` do, and
    /// `slip_s` later.
    fn lag_s(found: &mut Agreement, lag_s: f64, slip_s: f64) -> Option<f64> {
        let at_s = 6.0;
        found.lag_s(&PoseSample {
            received: mono(at_s + slip_s),
            ..sample(at_s - lag_s, 0.0)
        })
    }

    /// A head that turns at `speed`, answers every half second and streams every tenth
    /// with stamps `lag_s` older than the truth; from 3 s on streamed pan is `lie_deg` off.
    fn play(speed: f64, lag_s: f64, lie_deg: f64) -> (Agreement, Option<Contradiction>) {
        let mut found = agreement();
        for tenth in 0..60 {
            let at_s = f64::from(tenth) * 0.1;
            let pan = (speed * at_s + 180.0).rem_euclid(360.0) - 180.0;
            let lie = if at_s > 3.0 { lie_deg } else { 0.0 };
            let document = PoseSample {
                received: mono(at_s),
                ..sample(at_s - lag_s, pan + lie)
            };
            let mut result = found.streamed(&document, 0.0);
            found.lag_s(&document);
            if tenth % 5 == 0 {
                let at_s = at_s - 0.033;
                let pan = (speed * at_s + 180.0).rem_euclid(360.0) - 180.0;
                result = result.and(found.answered(&sample(at_s, pan), 0.0));
            }
            if let Err(contradiction) = result {
                return (found, Some(contradiction));
            }
        }
        (found, None)
    }

    #[test]
    fn a_stream_is_proven_by_agreement_in_motion() {
        for (speed, proven) in [(0.0, false), (4.0, false), (60.0, true), (-100.0, true)] {
            let (mut found, contradiction) = play(speed, 0.0, 0.0);
            assert_eq!(contradiction, None, "{speed}");
            let known = lag_s(&mut found, 0.0, 0.0);
            assert_eq!(known.is_some(), proven, "{speed}: {:?}", found.proofs);
        }
    }

    #[test]
    fn a_lag_that_is_not_seen_is_bounded() {
        for (speed, lag_ms) in [(20.0, 10.0), (60.0, 3.0), (100.0, 5.0)] {
            let (mut found, contradiction) = play(speed, lag_ms * 1e-3, 0.0);
            assert_eq!(contradiction, None, "{speed}");
            let mut known = |slip_s| lag_s(&mut found, lag_ms * 1e-3, slip_s);
            let bound_s = known(0.0).unwrap();
            assert!(bound_s >= lag_ms * 1e-3, "{bound_s} at {speed}");
            // Sooner or later than those that were compared: by so much less is known.
            for slip_s in [0.005, -0.005] {
                let wider = known(slip_s).unwrap_or(f64::INFINITY);
                assert!(wider > bound_s + 0.0049, "{wider} at {speed}");
            }
            assert_eq!(known(0.06), None);
        }
    }

    #[test]
    fn a_stream_that_lies_is_caught_and_no_longer_listened_to() {
        for (speed, lag_s, lie_deg, believed) in [
            (60.0, 0.1, 0.0, false),
            (8.0, 0.2, 0.0, false),
            (60.0, 0.0, 5.0, true),
            (0.0, 0.0, 2.0, false),
        ] {
            let (mut found, contradiction) = play(speed, lag_s, lie_deg);
            let contradiction = contradiction.unwrap_or_else(|| panic!("{speed} {lag_s}"));
            assert_eq!(contradiction.was_believed, believed, "{speed} {lag_s}");
            let now = found.distrusted_until.unwrap();
            assert!(found.distrusts(Mono(now.0 - 1)) && !found.distrusts(now));
            found.reset();
            assert!(
                found.distrusts(Mono(now.0 - 1)),
                "a new connection is no excuse"
            );
        }
    }

    #[test]
    fn what_lies_far_apart_is_not_compared() {
        let mut found = agreement();
        found.streamed(&sample(0.0, 0.0), 0.0).unwrap();
        found.answered(&sample(1.0, 5.0), 0.0).unwrap();
        found.streamed(&sample(2.0, 40.0), 0.0).unwrap();
        assert!(found.answers.is_empty() && found.proofs.is_empty());
        // Out of order, and of before the first: nothing to compare.
        found.streamed(&sample(1.5, 90.0), 0.0).unwrap();
        assert_eq!(found.streamed.len(), 2);
    }
}
