//! The one cell in which positions, clocks and questions about them meet.
//!
//! Telemetry writes, the stream's thread reports its clock, the hold asks. A
//! lock that was lost by a panic is taken over: its contents are evidence with
//! its own doubt, never a reason to stop covering. Must not know protocols.

use super::clockwatch::{ClockRules, ClockState, ClockWatch, ReportClock, ReportVerdict};
use super::{CameraProfile, Evidence, HistoryRules, PoseEstimate, PoseHistory, PoseSample, Pushed};
use crate::clock::{CaptureTime, Mono};
use crate::event::Reason;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A sample with what the clock watch needs to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedSample {
    /// The position.
    pub sample: PoseSample,
    /// The report's own time stamp and round trip.
    pub clock: ReportClock,
}

/// The evidence about one camera's pose, shared between threads.
pub struct PoseSource {
    cell: Mutex<Cell>,
    notify: Box<dyn Fn() + Send + Sync>,
}

struct Cell {
    history: PoseHistory,
    watch: ClockWatch,
}

impl fmt::Debug for PoseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoseSource").finish_non_exhaustive()
    }
}

impl PoseSource {
    /// An empty cell; `notify` is called after every change of the evidence,
    /// on the changer's thread and outside the lock. It must return at once.
    pub fn new(
        profile: Arc<CameraProfile>,
        history: HistoryRules,
        clocks: ClockRules,
        notify: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self {
            cell: Mutex::new(Cell {
                history: PoseHistory::new(profile, history),
                watch: ClockWatch::new(clocks),
            }),
            notify: Box::new(notify),
        }
    }

    fn cell(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes up a report.
    pub fn on_sample(&self, timed: &TimedSample) -> Pushed {
        let pushed = {
            let mut cell = self.cell();
            match cell.watch.report(&timed.clock) {
                ReportVerdict::Frozen => Pushed::NotNews,
                ReportVerdict::Agrees | ReportVerdict::StepRevoked => {
                    cell.history.push(&timed.sample)
                }
                ReportVerdict::Stepped { .. } => {
                    cell.history.forget_samples();
                    cell.history.push(&timed.sample)
                }
            }
        };
        (self.notify)();
        pushed
    }

    /// Takes up a position that came unasked, and so says nothing of the clocks.
    pub fn on_streamed(&self, sample: &PoseSample) -> Pushed {
        let pushed = self.cell().history.push_streamed(sample);
        (self.notify)();
        pushed
    }

    /// Notes that two sources of positions, both believed, contradict each other: what
    /// lies after `since` is not known any more.
    pub fn on_contradiction(&self, since: CaptureTime, detail: String) {
        self.cell().history.contradicted(since, detail);
        (self.notify)();
    }

    /// Notes that a report was refused.
    pub fn on_refused(&self, reason: Reason, received: Mono) {
        self.cell().history.refuse(reason, received);
        (self.notify)();
    }

    /// Notes a frame's clocks. To be called for every frame, before its pose is
    /// asked for; without it nothing is ever known.
    pub fn on_frame_clock(&self, capture: CaptureTime, stream_ns: u64, arrival: Mono) {
        let changed = {
            let mut cell = self.cell();
            let before = cell.watch.state();
            cell.watch.frame(capture, stream_ns, arrival);
            cell.history.frame_arrived(arrival);
            before != cell.watch.state()
        };
        if changed {
            (self.notify)();
        }
    }

    /// Notes that the stream was set up anew.
    pub fn on_frames_restarted(&self) {
        {
            let mut cell = self.cell();
            cell.watch.frames_restarted();
            cell.history.stream_broke();
        }
        (self.notify)();
    }

    /// How long ago, seen from `now`, the newest position was received that was
    /// taken up; none before the first.
    pub fn age(&self, now: Mono) -> Option<Duration> {
        self.cell()
            .history
            .newest_received()
            .map(|at| now.since(at))
    }

    /// What is known about the pose at `t`, asked at `now`.
    pub fn at(&self, t: CaptureTime, now: Mono) -> Evidence<PoseEstimate> {
        let cell = self.cell();
        match cell.watch.state() {
            ClockState::Agree => cell.history.at(t, now),
            ClockState::Jumped { step_s } => Evidence::Unknown(Reason::ClockJump { step_s }),
            ClockState::Unsettled => match cell.history.newest() {
                Some(_) => Evidence::Unknown(Reason::Starting),
                None => cell.history.at(t, now),
            },
        }
    }
}

#[cfg(test)]
mod tests;
