//! Whether the camera's two clocks still tell the same time.
//!
//! Frames carry capture times through the stream's sender reports, positions
//! carry their own time stamps. Both are the camera's UTC, but a step of that
//! clock reaches the two at different moments (a sender report may be five
//! seconds away): in between, every pose would be looked up at the wrong time.
//! So a step on either side makes both worthless until they agree again.
//!
//! * Frames: capture time must advance as the stream's own time (its RTP timestamps) does, and
//!   that never goes back.
//! * Positions: a report stamped `utc`, asked for at `sent` and answered at
//!   `received`, says that (monotonic − utc) lies in \[sent − utc, received −
//!   utc\]. All such intervals must have a common point.
//! * Agreement: frames arrive some latency after their capture. Measured
//!   through the positions' clock, that latency is after a step what it was
//!   before, or one of the clocks has not followed yet. So it is, too, when the stream
//!   was set up anew.
//!
//! A step smaller than the tolerance plus the shortest round trip cannot be
//! seen this way, nor, at a camera that answers with measurements made before
//! the request (see [`OffsetWindow`]), one smaller than the time between two
//! requests. Must not know positions, pictures or protocols.

mod offset;

pub use offset::OffsetWindow;

use crate::clock::{CaptureTime, Mono};
use std::collections::VecDeque;

/// What disagreement is tolerated, and for how long agreement is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockRules {
    /// Largest departure of the frames' capture time from the stream's time,
    /// and of the latency from what it was before a step, seconds.
    pub frame_tolerance_s: f64,
    /// Largest gap between two reports' intervals, seconds.
    pub report_tolerance_s: f64,
    /// Frames that must be seen before the clocks are believed (again).
    pub frames: usize,
    /// Reports that must be seen before the clocks are believed (again).
    pub reports: usize,
    /// Shortest believable latency from capture to arrival, seconds.
    pub min_latency_s: f64,
    /// Longest believable latency from capture to arrival, seconds.
    pub max_latency_s: f64,
    /// After a step before the clocks ever agreed, or with another latency than before
    /// the stream was set up anew, there is nothing to return to: both must then be steady for this long, seconds. Longer than sender
    /// reports are apart.
    pub steady_s: f64,
}

impl Default for ClockRules {
    fn default() -> Self {
        Self {
            frame_tolerance_s: 0.04,
            report_tolerance_s: 0.02,
            frames: 10,
            reports: 3,
            min_latency_s: -0.05,
            max_latency_s: 1.5,
            steady_s: 15.0,
        }
    }
}

/// The time stamp of one report and when it was asked for and received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportClock {
    /// The camera's time stamp, as written.
    pub utc: CaptureTime,
    /// The stamp's resolution, nanoseconds: the moment meant lies in
    /// \[utc, utc + resolution\].
    pub resolution_ns: i64,
    /// When the request left.
    pub sent: Mono,
    /// When the answer had arrived.
    pub received: Mono,
}

/// What one report says about the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReportVerdict {
    /// The stamp has not moved since the last report: no news.
    Frozen,
    /// It fits those before.
    Agrees,
    /// It fits, and shows that the last step was none: the camera answers with
    /// measurements made before the request.
    StepRevoked,
    /// The camera's clock stepped by this many seconds, positive forwards.
    Stepped {
        /// Seconds.
        step_s: f64,
    },
}

/// What the watch says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClockState {
    /// Too little was seen of one of the clocks.
    Unsettled,
    /// Both tell the same time.
    Agree,
    /// One of them stepped and the other has not followed.
    Jumped {
        /// The step that was seen, seconds, positive forwards.
        step_s: f64,
    },
}

/// Watches both clocks of one camera.
#[derive(Debug)]
pub struct ClockWatch {
    rules: ClockRules,
    reports: OffsetWindow,
    reports_since: usize,
    /// Capture time minus stream time as it should be, ns, and when it was so.
    anchor: Option<(f64, i128, u64)>,
    /// (arrival − capture) of the last frames, ns.
    delays: VecDeque<i128>,
    /// The latency interval while the clocks agreed, ns.
    latency: Option<(i128, i128)>,
    /// The one before the stream was set up anew, or before it turned out that the camera may
    /// answer with old measurements.
    latency_before: Option<(i128, i128)>,
    /// That one was measured as if every answer were fresh, and so is what it is compared with.
    before_if_fresh: bool,
    /// The one that was believed first, or that time alone has told since.
    latency_first: Option<(i128, i128)>,
    state: ClockState,
    /// The newest time told, and when the last step of either was seen.
    now: Mono,
    frames_stepped_at: Option<Mono>,
    reports_stepped_at: Option<Mono>,
}

/// Over how many frames the shortest delay is taken.
const DELAYS: usize = 50;
/// The frames' clock may drift against the stream's by this much per second
/// before it counts as a jump.
const FRAME_DRIFT: f64 = 1e-3;
/// The shortest of some frames' delays differs by so much on a busy machine, seconds.
const DRIFT_SLACK_S: f64 = 0.03;

impl ClockWatch {
    /// Nothing seen yet.
    pub fn new(rules: ClockRules) -> Self {
        Self {
            rules,
            reports: OffsetWindow::default(),
            reports_since: 0,
            anchor: None,
            delays: VecDeque::new(),
            latency: None,
            latency_before: None,
            before_if_fresh: false,
            latency_first: None,
            state: ClockState::Unsettled,
            now: Mono(0),
            frames_stepped_at: None,
            reports_stepped_at: None,
        }
    }

    /// What is known now.
    pub fn state(&self) -> ClockState {
        self.state
    }

    /// How far the two clocks have come apart since they were first believed, beyond what
    /// tolerance and noise explain: seconds by which a frame's time may be off against the
    /// positions'. Clocks that drift (a camera that counts its video's time with one quartz and
    /// disciplines the other by NTP) do so in steps too small for anything else here. Where
    /// it is the way that has become longer instead, this is more than is true.
    pub fn drifted_s(&self) -> f64 {
        let (Some(first), Some(now)) = (self.latency_first, self.latency) else {
            return 0.0;
        };
        let apart_ns = (now.0 - first.1).max(first.0 - now.1);
        (apart_ns as f64 * 1e-9 - DRIFT_SLACK_S).max(0.0)
    }

    /// A frame captured at `capture`, at `stream_ns` of the stream's own time,
    /// that arrived at `arrival`.
    pub fn frame(&mut self, capture: CaptureTime, stream_ns: u64, arrival: Mono) {
        self.now = self.now.max(arrival);
        let ahead = i128::from(capture.0) - i128::from(stream_ns);
        match self.anchor {
            None => self.anchor = Some((0.0, ahead, stream_ns)),
            Some((drifted_s, base, last_ns)) => {
                let off_s = (ahead - base) as f64 * 1e-9 - drifted_s;
                // A stream that counts anew takes its old mapping along, and no
                // longer tells when its frames were taken.
                let back_s = last_ns.saturating_sub(stream_ns) as f64 * 1e-9;
                if off_s.abs().max(back_s) > self.rules.frame_tolerance_s {
                    self.frames_stepped_at = Some(self.now);
                    self.jump(if back_s > 0.0 { -back_s } else { off_s });
                    self.delays.clear();
                    self.anchor = Some((0.0, ahead, stream_ns));
                } else {
                    let passed_s =
                        stream_ns.saturating_sub(last_ns).min(20_000_000_000) as f64 * 1e-9;
                    let follow_s = FRAME_DRIFT * passed_s;
                    let drifted_s = drifted_s + off_s.clamp(-follow_s, follow_s);
                    self.anchor = Some((drifted_s, base, stream_ns));
                }
            }
        }
        self.delays
            .push_back(i128::from(arrival.0) - i128::from(capture.0));
        while self.delays.len() > DELAYS {
            self.delays.pop_front();
        }
        self.reconsider();
    }

    /// The stream was set up anew: stream time starts over, the latency may be
    /// another, and the mapping to capture time is fresh.
    pub fn frames_restarted(&mut self) {
        self.anchor = None;
        self.delays.clear();
        if let Some(latency) = self.latency.take() {
            self.latency_before = Some(latency);
            self.before_if_fresh = false;
        }
        self.frames_stepped_at = None;
        self.reports_stepped_at = None;
        self.reports_since = 0;
        self.state = ClockState::Unsettled;
    }

    /// A report. After [`ReportVerdict::Stepped`] every earlier report's time
    /// means something else: forget those.
    pub fn report(&mut self, report: &ReportClock) -> ReportVerdict {
        self.now = self.now.max(report.received);
        let verdict = self.reports.push(report, self.rules.report_tolerance_s);
        match verdict {
            ReportVerdict::Frozen => {}
            ReportVerdict::Agrees => self.reports_since += 1,
            ReportVerdict::StepRevoked => {
                self.reports_stepped_at = None;
                self.reports_since = 1;
                // Either it answers with old measurements, and no clock was set; or its clock was
                // set, and set back, and the frames' may have followed, and not yet back. If they
                // are as late as they were, all measured as if every answer were fresh, both
                // clocks are what they were in either case.
                self.state = ClockState::Unsettled;
                self.latency_before = self.latency.take().or(self.latency_before);
                self.before_if_fresh = true;
                self.latency_first = None;
            }
            ReportVerdict::Stepped { step_s } => {
                self.reports_stepped_at = Some(self.now);
                self.jump(step_s);
                self.reports_since = 1;
            }
        }
        self.reconsider();
        verdict
    }

    fn jump(&mut self, step_s: f64) {
        self.state = ClockState::Jumped { step_s };
    }

    fn reconsider(&mut self) {
        if self.delays.len() < self.rules.frames || self.reports_since < self.rules.reports {
            return;
        }
        let (Some(shortest), Some((low, high))) =
            (self.delays.iter().min(), self.reports.offset_ns())
        else {
            return;
        };
        let latency = (shortest - high, shortest - low);
        let ns = |s: f64| (s * 1e9) as i128;
        let believable =
            latency.1 >= ns(self.rules.min_latency_s) && latency.0 <= ns(self.rules.max_latency_s);
        if !believable {
            self.jump(-(latency.0 as f64) * 1e-9);
            return;
        }
        let alike = |latency: (i128, i128), before: (i128, i128)| {
            let slack = ns(self.rules.frame_tolerance_s);
            latency.0 <= before.1 + slack && latency.1 >= before.0 - slack
        };
        // `None` where there is nothing to compare with.
        let back = self.latency_before.map(|before| {
            if !self.before_if_fresh {
                return alike(latency, before);
            }
            let rules = (self.rules.report_tolerance_s, self.rules.reports);
            let fresh = self.reports.offset_if_fresh_ns(rules.0, rules.1);
            fresh.is_some_and(|(low, high)| alike((shortest - high, shortest - low), before))
        });
        match (self.state, self.latency) {
            (ClockState::Jumped { .. }, Some(before)) => {
                if alike(latency, before) {
                    self.state = ClockState::Agree;
                }
            }
            (ClockState::Jumped { .. }, None) => {
                let last = self.frames_stepped_at.max(self.reports_stepped_at);
                let steady =
                    last.is_none_or(|at| self.now.since(at).as_secs_f64() >= self.rules.steady_s);
                // A new connection may have another latency, and then time must tell.
                let back = back == Some(true);
                if steady && !back {
                    self.latency_first = None;
                }
                if steady || back {
                    self.agree_at(latency);
                }
            }
            (ClockState::Unsettled, _) => match self.latency_before {
                // Another way to the camera, or a first sender report that is wrong, or a
                // clock that stepped meanwhile on one side: time must tell.
                Some(before) if back == Some(false) => {
                    self.frames_stepped_at = Some(self.now);
                    let earlier = before.0 + before.1 - latency.0 - latency.1;
                    self.jump(earlier as f64 * 0.5e-9);
                }
                _ => self.agree_at(latency),
            },
            (ClockState::Agree, _) => self.latency = Some(latency),
        }
    }

    fn agree_at(&mut self, latency: (i128, i128)) {
        self.state = ClockState::Agree;
        self.latency = Some(latency);
        self.latency_first.get_or_insert(latency);
    }
}

#[cfg(test)]
mod played;
#[cfg(test)]
mod tests;
