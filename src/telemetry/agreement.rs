//! Whether the metadata stream tells the path that answers tell, and when.
//!
//! A stamp that came unasked may be older than its measurement by as much as the document
//! was under way, and nothing in it tells. Answers tell, while the camera turns: there a
//! wrong time is a wrong place. So each answer is compared with the line between the two
//! streamed positions around it. How well they agree, over the speed, is the most by which
//! the time of those two may be off. One comparison may agree by luck: a camera that reads
//! its motors at its own pace and stamps what it read last with the time of sending is now
//! right and now late. So several must agree, and the worst of them counts. The time of
//! another position may be off by as much more as it came sooner or later after its stamp
//! than those did. Where that is not small, it is not used, nor is one too far from its
//! predecessor: that stretch is never compared. What an honest head cannot explain is a
//! contradiction. Must not know protocols.

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
const REMEMBERED: usize = 16;
/// So many of them must agree, and the worst of so many counts: those that could tell best.
const PROOFS: usize = 8;
/// Once so many answers in a row found nothing to be compared with, though positions were
/// let through before each of them, nothing is proven any more.
const UNCOMPARED: u32 = 2;
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
    shown: Shown,
    /// Theirs.
    delays_ns: [i128; 2],
}

/// What a comparison says of the time of two positions, seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shown {
    /// By how much it was off at most.
    lag_s: f64,
    /// The least that this could have been, had the two agreed wholly: what the comparison
    /// can tell at all, whatever it told.
    least_s: f64,
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
    /// Between when those were measured that were let through since the last answer that was
    /// looked at.
    used: Option<[CaptureTime; 2]>,
    /// Answers in a row that found nothing to be compared with where positions were used.
    uncompared: u32,
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
            used: None,
            uncompared: 0,
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
        self.used = None;
        self.uncompared = 0;
        self.agreed = None;
    }

    /// Whether the stream is not listened to at all.
    pub(super) fn distrusts(&self, now: Mono) -> bool {
        self.distrusted_until.is_some_and(|until| now < until)
    }

    /// By how much the time of the streamed position that was [taken up](Self::streamed)
    /// last may be off at most, seconds; `None` where that is not known well enough: it
    /// must not be used.
    pub(super) fn lag_s(&mut self) -> Option<f64> {
        let mut last = self.streamed.iter().rev();
        let (b, a) = (*last.next()?, *last.next()?);
        if b.at.seconds_since(a.at) > MOST_APART_S {
            return None;
        }
        let known = self.proven_s()? + self.slipped_s(b.delay_ns)?;
        let known = (known <= MOST_LAG_S).then_some(known)?;
        self.believed = true;
        self.used = Some([self.used.map_or(b.at, |[first, _]| first), b.at]);
        Some(known)
    }

    /// The worst of the comparisons that could tell best. Which those are is not chosen by
    /// what they told: luck must not choose.
    fn proven_s(&self) -> Option<f64> {
        let mut shown: Vec<Shown> = self.proofs.iter().map(|p| p.shown).collect();
        shown.sort_by(|a, b| a.least_s.total_cmp(&b.least_s));
        let best = shown.get(..PROOFS)?;
        best.iter().map(|s| s.lag_s).reduce(f64::max)
    }

    /// By how much sooner or later after its stamp a position came that came after
    /// `delay_ns` than any that were compared, seconds.
    fn slipped_s(&self, delay_ns: i128) -> Option<f64> {
        let slipped = |proof: &Proof| {
            let slipped = proof.delays_ns.map(|d| (d - delay_ns).unsigned_abs());
            slipped[0].max(slipped[1])
        };
        let least = self.proofs.iter().map(slipped).min()?;
        Some(least as f64 * 1e-9)
    }

    /// Takes up a streamed position, with the logarithm of its focal length; whether it is
    /// later than all before, and so may be used at all.
    ///
    /// # Errors
    /// [`Contradiction`]: from now on the stream is distrusted.
    pub(super) fn streamed(
        &mut self,
        sample: &PoseSample,
        ln_focal: f64,
    ) -> Result<bool, Contradiction> {
        let kept = keep(&mut self.streamed, point(sample, ln_focal));
        if kept {
            self.compare(sample.received)?;
        }
        Ok(kept)
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
            let found = a.and_then(|a| self.rules.compare(a, &b, &answer));
            let delays_ns = [a.map_or(b.delay_ns, |a| a.delay_ns), b.delay_ns];
            let was_used = self.was_used_before(answer.at);
            match found {
                None if was_used => self.miss(),
                None => {}
                Some(Ok(shown)) => {
                    self.agreed = Some(answer.at);
                    self.uncompared = 0;
                    // What could have told and tells against the stream counts as well.
                    if shown.lag_s <= MOST_LAG_S || shown.least_s <= MOST_LAG_S / 2.0 {
                        self.proofs.push_back(Proof { shown, delays_ns });
                    }
                    while self.proofs.len() > REMEMBERED {
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

    /// Whether positions were let through between the answer before and this one, of `at`.
    fn was_used_before(&mut self, at: CaptureTime) -> bool {
        let Some([first, last]) = self.used else {
            return false;
        };
        self.used = (last > at).then_some([first.max(at), last]);
        first <= at
    }

    /// An answer lies between no two streamed positions that are near to each other, though
    /// the stream was used before it. It must soon be found beside one again, or prove itself
    /// anew: it might leave out just what is compared.
    fn miss(&mut self) {
        self.uncompared += 1;
        if self.uncompared >= UNCOMPARED {
            self.uncompared = 0;
            self.proofs.clear();
        }
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

    /// What `answer`, between `a` and `b`, leaves open of the stream's time; what it
    /// contradicts; `None` where the two are too far apart to tell.
    fn compare(&self, a: &Point, b: &Point, answer: &Point) -> Option<Result<Shown, String>> {
        let apart_s = b.at.seconds_since(a.at);
        if apart_s > MOST_APART_S {
            return None;
        }
        let since_s = answer.at.seconds_since(a.at);
        let share = since_s / apart_s;
        // 2σ of the two times together.
        let unsure_s = 2.0 * (answer.sigma_s + a.sigma_s.max(b.sigma_s));
        let mut shown = Shown {
            lag_s: f64::INFINITY,
            least_s: f64::INFINITY,
        };
        let mut worst_s: f64 = 0.0;
        for (axis, name) in ["pan", "tilt", "zoom"].into_iter().enumerate() {
            let near = |x: f64, to: f64| self.near(axis, x, to);
            let from = a.axes[axis];
            let moved = near(b.axes[axis], from) - from;
            let off = (near(answer.axes[axis], from) - from - moved * share).abs();
            let speed = moved.abs() / apart_s;
            let accel = self.most_accel[axis];
            let unsure = self.slack[axis] + (speed + accel * unsure_s / 2.0) * unsure_s;
            let honest = unsure + accel * apart_s * apart_s / 8.0;
            if off > honest {
                return Some(Err(format!(
                    "the metadata stream and the answers disagree by {off:.2} in {name}"
                )));
            }
            let edge_s = since_s.min(apart_s - since_s);
            let lag_s = |off: f64| most_lag_s(off + unsure, speed, accel, apart_s, edge_s);
            let here = Shown {
                lag_s: lag_s(off),
                least_s: lag_s(0.0),
            };
            if here.least_s < shown.least_s {
                shown = here;
            }
            // Each axis may be read at a pace of its own.
            if here.least_s <= MOST_LAG_S / 2.0 {
                worst_s = worst_s.max(here.lag_s);
            }
        }
        shown.lag_s = shown.lag_s.max(worst_s);
        Some(Ok(shown))
    }
}

/// The most by which the time of a line of `apart_s` may be off, seconds, where a head that
/// turns at `speed` along it was found `off` beside it, `edge_s` from its nearer end. More
/// than [`MOST_LAG_S`] where that cannot be told.
///
/// A head that is late by L stood L later where the answer says. There the line differs
/// from its path by half the acceleration times (x−t₀)(x−t₁), so by no more than at its
/// middle, or than beyond its end where L leads there. That L·`speed` is no more than `off`
/// and this bounds L, if it was bounded before: so it is taken in a few steps, from
/// [`MOST_LAG_S`] on.
fn most_lag_s(off: f64, speed: f64, accel: f64, apart_s: f64, edge_s: f64) -> f64 {
    let mut lag_s = MOST_LAG_S;
    for _ in 0..4 {
        let beyond_s = (lag_s - edge_s).max(0.0);
        let bend_s2 = (apart_s * apart_s / 4.0).max(beyond_s * (apart_s + beyond_s));
        let bound_s = (off + accel * bend_s2 / 2.0) / speed;
        if bound_s >= lag_s {
            return if lag_s < MOST_LAG_S { lag_s } else { bound_s };
        }
        lag_s = bound_s;
    }
    lag_s
}

#[cfg(test)]
mod lies;
#[cfg(test)]
mod tests;
