//! The positions of the last seconds, in order of capture time, pan unwrapped.
//!
//! A report is taken up only if the head could have got there: the margin's
//! premise is the profile's limits on speed and acceleration, so a report that
//! breaks them means that the camera restarted, lost its position, or lies.
//! From the last good report on, everything is then covered. One or two stray
//! reports followed by a return to the old path are forgotten; anything else
//! is trusted again only as [`TrustAfterRestart`] says.
//!
//! A silence is judged by the streams: while frames of one of them went on without a break
//! the camera did not restart, and its first report after the silence is believed.
//!
//! What it cannot know: whether the *first* position it ever hears is true,
//! and whether a camera lies plausibly. Must not know protocols or pixels.

mod doubt;
mod plausible;

use doubt::Doubt;

use super::profile::{CameraProfile, ln_focal_of};
use super::{Evidence, PoseEstimate};
use super::{PoseSample, estimate};
use crate::clock::{CaptureTime, Mono};
use crate::event::Reason;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// When a camera that lost its position is believed again.
///
/// A camera that homes after a restart reports positions it is not at, with
/// fresh time stamps and at rest. No rule that looks at reports alone can tell
/// that from the truth; only time or a person can.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrustAfterRestart {
    /// Not before the history is made anew (the camera is configured anew).
    Never,
    /// Once its reports have been consistent for `quiet_s`, which must be
    /// longer than the camera takes to restart and find its home.
    Consistent {
        /// Seconds without an implausible report.
        quiet_s: f64,
    },
}

/// The history's limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryRules {
    /// Samples further apart than this do not bracket anything, seconds.
    pub max_gap_s: f64,
    /// No pose is extrapolated further than this, seconds.
    pub max_ahead_s: f64,
    /// A silence longer than `max_gap_s` in which the stream broke too means
    /// that the camera may have restarted, unless it is found where it was left
    /// within this time, seconds: shorter than any camera takes to restart.
    pub restart_gap_s: f64,
    /// How long this camera needs at least to restart, seconds, where somebody has
    /// measured it: after a shorter silence it may be found anywhere. 0: nobody has.
    pub restart_takes_s: f64,
    /// What happens after a restart.
    pub trust: TrustAfterRestart,
    /// How many samples are kept.
    pub capacity: usize,
}

impl Default for HistoryRules {
    fn default() -> Self {
        Self {
            max_gap_s: 1.0,
            max_ahead_s: 0.5,
            restart_gap_s: 5.0,
            restart_takes_s: 0.0,
            trust: TrustAfterRestart::Consistent { quiet_s: 30.0 },
            capacity: 256,
        }
    }
}

/// What became of a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Pushed {
    /// It is evidence.
    Taken,
    /// It carries no news: the same time stamp again, or too close to another.
    NotNews,
    /// It starts or continues a time in which the camera is not believed.
    Unsteady(Reason),
    /// It cannot be used.
    Refused(Reason),
}

/// One sample as the history keeps it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Knot {
    pub(super) at: CaptureTime,
    pub(super) sigma_t_s: f64,
    /// Unwrapped.
    pub(super) pan_deg: f64,
    pub(super) tilt_deg: f64,
    pub(super) ln_focal: f64,
    pub(super) received: Mono,
    /// Whether it may be joined with the knot before it.
    pub(super) joined: bool,
}

/// Frames further apart than this are not one stream.
const STREAM_BREAK_S: f64 = 0.5;
/// Reports closer together than this (or than six σ of their times) add noise
/// to the speed and nothing else.
const MIN_SPACING_S: f64 = 0.015;
/// A reported field of view is believed within this share of the calibrated one.
const HFOV_SHARE: f64 = 0.1;

impl Stream {
    /// None came yet.
    const NEW: Self = Self {
        unbroken_since: None,
        last: Mono(0),
    };
}

/// The bounded history of one camera's positions.
#[derive(Debug)]
pub struct PoseHistory {
    profile: Arc<CameraProfile>,
    rules: HistoryRules,
    knots: VecDeque<Knot>,
    doubt: Option<Doubt>,
    /// Why the latest report was refused, until a good one follows.
    refused: Option<(Reason, Mono)>,
    /// The newest sample before [`forget_samples`](Self::forget_samples).
    left: Option<Knot>,
    /// Of each of its streams; the main one first.
    streams: Vec<Stream>,
    /// How far any of them leaves frames' capture times open, seconds.
    within_s: f64,
}

/// When frames of one stream came.
#[derive(Clone, Copy, Debug)]
struct Stream {
    unbroken_since: Option<Mono>,
    last: Mono,
}

impl PoseHistory {
    /// An empty history.
    pub fn new(profile: Arc<CameraProfile>, rules: HistoryRules) -> Self {
        Self {
            profile,
            rules,
            knots: VecDeque::new(),
            doubt: None,
            refused: None,
            left: None,
            streams: vec![Stream::NEW],
            within_s: 0.0,
        }
    }

    /// One more stream of the same camera: its number. The main one has 0.
    pub fn further_stream(&mut self) -> usize {
        self.streams.push(Stream::NEW);
        self.streams.len() - 1
    }

    /// Notes that a frame of that stream arrived.
    pub fn frame_arrived(&mut self, stream: usize, arrival: Mono) {
        let Some(stream) = self.streams.get_mut(stream) else {
            return;
        };
        let broke = arrival.since(stream.last).as_secs_f64() > STREAM_BREAK_S;
        if broke || stream.unbroken_since.is_none() {
            stream.unbroken_since = Some(arrival);
        }
        stream.last = stream.last.max(arrival);
    }

    /// Notes how far the stream leaves frames' capture times open: what the profile's
    /// `sigma.capture_ms` does not hold of it widens every margin.
    pub fn frames_within(&mut self, within: Duration) {
        self.within_s = within.as_secs_f64();
    }

    fn asked(&self, at: CaptureTime) -> estimate::Asked {
        let within_s = self.within_s;
        estimate::Asked { at, within_s }
    }

    /// Notes that the stream of that number ended or was set up anew.
    pub fn stream_broke(&mut self, stream: usize) {
        if let Some(stream) = self.streams.get_mut(stream) {
            stream.unbroken_since = None;
        }
    }

    /// Whether frames of one stream came all the time between two reports.
    fn streamed_between(&self, from: &Knot, to: &Knot) -> bool {
        self.streams.iter().any(|stream| {
            let began = stream.unbroken_since.is_some_and(|s| s <= from.received);
            began && to.received.since(stream.last).as_secs_f64() <= STREAM_BREAK_S
        })
    }

    /// Takes up one report. Late ones find their place between the others.
    pub fn push(&mut self, sample: &PoseSample) -> Pushed {
        let knot = match self.knot(sample) {
            Ok(knot) => knot,
            Err(reason) => {
                self.refuse(reason.clone(), sample.received);
                return Pushed::Refused(reason);
            }
        };
        let pushed = match self.knots.back().copied() {
            None => self.push_first(knot),
            Some(newest) if knot.at > newest.at => self.push_newest(knot, newest),
            Some(_) => self.push_between(knot),
        };
        if matches!(pushed, Pushed::Taken) {
            self.refused = None;
        }
        while self.knots.len() > self.rules.capacity.max(4) {
            self.knots.pop_front();
        }
        pushed
    }

    /// Notes that a report was refused: it breaks nothing that later reports
    /// bracket, but while refusals last they are the reason to cover.
    pub fn refuse(&mut self, reason: Reason, received: Mono) {
        self.refused = Some((reason, received));
    }

    /// Forgets every sample: the camera's clock stepped, so that their times
    /// mean something else now. Doubt stays.
    pub fn forget_samples(&mut self) {
        self.left = self.knots.back().copied().or(self.left);
        self.knots.clear();
        if let Some(doubt) = self.doubt.as_mut().filter(|d| d.until.is_none()) {
            // Its times were of the other clock; the run starts over.
            doubt.from = CaptureTime(i64::MIN);
            doubt.run_from = CaptureTime(i64::MAX);
        } else {
            self.doubt = None;
        }
    }

    /// When the newest sample was taken, if there is one.
    pub fn newest(&self) -> Option<CaptureTime> {
        self.knots.back().map(|k| k.at)
    }

    /// When the newest sample was received, if there is one.
    pub fn newest_received(&self) -> Option<Mono> {
        self.knots.back().map(|k| k.received)
    }

    /// What is known about the pose at `t`, asked at `now`.
    pub fn at(&self, t: CaptureTime, now: Mono) -> Evidence<PoseEstimate> {
        if let Some(doubt) = &self.doubt
            && t > doubt.from
            && doubt.until.is_none_or(|until| t < until)
        {
            return Evidence::Unknown(Reason::CameraUnsteady {
                detail: doubt.detail.clone(),
            });
        }
        let Some(newest) = self.knots.back() else {
            return Evidence::Unknown(match &self.refused {
                Some((reason, _)) => reason.clone(),
                None => Reason::NoPosition,
            });
        };
        if t > newest.at {
            return Evidence::Pending {
                so_far: self.ahead(t, now, newest),
            };
        }
        let after = self.knots.partition_point(|k| k.at < t);
        if after == 0 {
            return Evidence::Unknown(Reason::NoPosition);
        }
        let (Some(a), Some(b)) = (self.knots.get(after - 1), self.knots.get(after)) else {
            return Evidence::Unknown(Reason::NoPosition);
        };
        let gap_s = b.at.seconds_since(a.at);
        if !b.joined || gap_s > self.rules.max_gap_s {
            return Evidence::Unknown(Reason::TelemetryStale {
                age_s: t.seconds_since(a.at),
            });
        }
        let at = |i: Option<usize>| i.and_then(|i| self.knots.get(i));
        let before = [at(after.checked_sub(3)), at(after.checked_sub(2))];
        let bracket = estimate::Bracket {
            before,
            a,
            b,
            next: self.knots.get(after + 1),
        };
        Evidence::Known(estimate::bracketed(&self.profile, &bracket, self.asked(t)))
    }

    fn ahead(&self, t: CaptureTime, now: Mono, newest: &Knot) -> Result<PoseEstimate, Reason> {
        let ahead_s = t.seconds_since(newest.at);
        let silent_s = now.since(newest.received).as_secs_f64();
        let stale = || match &self.refused {
            Some((reason, at)) if *at >= newest.received => reason.clone(),
            _ => Reason::TelemetryStale {
                age_s: ahead_s.max(silent_s),
            },
        };
        // Silence on our own clock counts too: a camera may stamp its frames
        // and stop answering.
        if ahead_s > self.rules.max_ahead_s || silent_s > self.rules.max_ahead_s {
            return Err(stale());
        }
        let base = self.base_for_speed().ok_or_else(stale)?;
        let asked = self.asked(t);
        Ok(estimate::extrapolated(&self.profile, base, newest, asked))
    }

    /// The knot against which the newest one's speed is measured: far enough
    /// back that rounding does not dominate, never across a gap.
    fn base_for_speed(&self) -> Option<&Knot> {
        let newest = self.knots.back()?;
        let mut joined = newest.joined;
        let mut base = None;
        for k in self.knots.iter().rev().skip(1) {
            let back_s = newest.at.seconds_since(k.at);
            if !joined || back_s > self.rules.max_gap_s {
                break;
            }
            base = Some(k);
            if back_s >= 0.04 {
                break;
            }
            joined = k.joined;
        }
        base
    }

    fn knot(&self, s: &PoseSample) -> Result<Knot, Reason> {
        let bad = |detail: String| Reason::BadPosition { detail };
        for (what, v) in [
            ("pan", s.pan_deg),
            ("tilt", s.tilt_deg),
            ("time uncertainty", s.sigma_t_s),
        ] {
            if !v.is_finite() || v.abs() > 1e6 {
                return Err(bad(format!("{what} is {v}")));
            }
        }
        if s.sigma_t_s < 0.0 {
            return Err(bad(format!("time uncertainty is {}", s.sigma_t_s)));
        }
        let calibrated = self
            .profile
            .ln_focal(s.zoom)
            .ok_or(Reason::ZoomOutsideCalibration { zoom: s.zoom })?;
        let ln_focal = match s.hfov_deg.map(ln_focal_of) {
            None => calibrated,
            Some(reported) if (reported - calibrated).abs() <= HFOV_SHARE => reported,
            Some(_) => {
                return Err(bad(format!(
                    "field of view {:.2}° contradicts zoom {}",
                    s.hfov_deg.unwrap_or(f64::NAN),
                    s.zoom
                )));
            }
        };
        Ok(Knot {
            at: s.at,
            sigma_t_s: s.sigma_t_s,
            pan_deg: s.pan_deg,
            tilt_deg: s.tilt_deg,
            ln_focal,
            received: s.received,
            joined: false,
        })
    }

    fn push_newest(&mut self, mut knot: Knot, newest: Knot) -> Pushed {
        let gap_s = knot.at.seconds_since(newest.at);
        if gap_s < MIN_SPACING_S.max(6.0 * knot.sigma_t_s.max(newest.sigma_t_s)) {
            return Pushed::NotNews;
        }
        knot.pan_deg = self.unwrap_near(knot.pan_deg, newest.pan_deg);
        if self.resume_after_strays(&knot) {
            return Pushed::Taken;
        }
        if let Some(detail) = self.restarted(&newest, &knot, gap_s) {
            return self.begin_doubt(knot, newest.at, detail);
        }
        let base = self.base_for_speed();
        let ambiguous = self.ambiguous(gap_s, &knot, &newest);
        let mut detail = self.implausible(&knot, &newest, base);
        if detail.is_some() && ambiguous {
            let mut other_way = knot;
            other_way.pan_deg += 360.0 * (newest.pan_deg - knot.pan_deg).signum();
            detail = self.implausible(&other_way, &newest, base);
        }
        match detail {
            Some(detail) => self.begin_doubt(knot, newest.at, detail),
            None => {
                knot.joined = gap_s <= self.rules.max_gap_s && !ambiguous;
                self.knots.push_back(knot);
                self.continue_run(&knot)
            }
        }
    }

    /// The first report of all, or the first since the camera's clock stepped:
    /// then only our own clock tells how far the head can have come.
    fn push_first(&mut self, mut knot: Knot) -> Pushed {
        let Some(left) = self.left.take() else {
            self.knots.push_back(knot);
            return self.continue_run(&knot);
        };
        knot.pan_deg = self.unwrap_near(knot.pan_deg, left.pan_deg);
        let gap_s = knot.received.since(left.received).as_secs_f64();
        let mut stamped = left;
        stamped.at = knot.at.plus_seconds(-gap_s);
        // A round trip's worth of doubt about either moment.
        stamped.sigma_t_s = stamped.sigma_t_s.max(0.05);
        let detail = self
            .restarted(&stamped, &knot, gap_s)
            .or_else(|| self.implausible(&knot, &stamped, None));
        match detail {
            Some(detail) => self.begin_doubt(knot, CaptureTime(i64::MIN), detail),
            None => {
                self.knots.push_back(knot);
                self.continue_run(&knot)
            }
        }
    }

    /// A report that arrives after a younger one.
    fn push_between(&mut self, mut knot: Knot) -> Pushed {
        let after = self.knots.partition_point(|k| k.at < knot.at);
        let (Some(a), Some(b)) = (
            after
                .checked_sub(1)
                .and_then(|i| self.knots.get(i))
                .copied(),
            self.knots.get(after).copied(),
        ) else {
            return Pushed::NotNews;
        };
        let spacing = MIN_SPACING_S.max(6.0 * knot.sigma_t_s);
        let near = knot.at.seconds_since(a.at).min(b.at.seconds_since(knot.at)) < spacing;
        if near || !b.joined || self.doubt.as_ref().is_some_and(|d| d.until.is_none()) {
            return Pushed::NotNews;
        }
        knot.pan_deg = self.unwrap_near(knot.pan_deg, (a.pan_deg + b.pan_deg) / 2.0);
        knot.joined = true;
        let detail = self
            .implausible(&knot, &a, None)
            .or_else(|| self.implausible(&b, &knot, None));
        match detail {
            Some(detail) => {
                // Two reports contradict each other; which one lies is unknown.
                let newest = self.knots.pop_back().unwrap_or(b);
                self.begin_doubt(newest, a.at, format!("late report: {detail}"))
            }
            None => {
                self.knots.insert(after, knot);
                Pushed::Taken
            }
        }
    }
}

#[cfg(test)]
mod tests;
