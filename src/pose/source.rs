//! The one cell in which positions, clocks and questions about them meet.
//!
//! Telemetry writes, the stream's thread reports its clock, the hold asks. A
//! lock that was lost by a panic is taken over: its contents are evidence with
//! its own doubt, never a reason to stop covering. Must not know protocols.

use super::clockwatch::{ClockRules, ClockState, ClockWatch, ReportClock, ReportVerdict};
use super::{CameraProfile, Evidence, HistoryRules, PoseEstimate, PoseHistory, PoseSample, Pushed};
use crate::clock::{CaptureTime, Mono};
use crate::event::Reason;
use std::collections::VecDeque;
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

/// The evidence about one camera's pose, shared between threads, as one of its streams
/// sees it: positions and doubts are the camera's, the clock of the frames is the stream's.
pub struct PoseSource {
    shared: Arc<Shared>,
    /// Whose frames' clock it is that counts here.
    stream: usize,
}

struct Shared {
    cell: Mutex<Cell>,
    notify: Box<dyn Fn() + Send + Sync>,
}

struct Cell {
    history: PoseHistory,
    /// One for each stream. All of them hear every report, and so say the same of it.
    frames: Vec<Frames>,
    clocks: ClockRules,
}

/// What is known of the frames of one stream.
struct Frames {
    watch: ClockWatch,
    /// How far the stream left the capture times of the last frames open.
    unsure: VecDeque<Duration>,
}

impl Frames {
    fn new(clocks: ClockRules) -> Self {
        Self {
            watch: ClockWatch::new(clocks),
            unsure: VecDeque::new(),
        }
    }
}

/// As many frames as may wait, and as tracks look back on.
const UNSURE_FRAMES: usize = 128;

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
            shared: Arc::new(Shared {
                cell: Mutex::new(Cell {
                    history: PoseHistory::new(profile, history),
                    frames: vec![Frames::new(clocks)],
                    clocks,
                }),
                notify: Box::new(notify),
            }),
            stream: 0,
        }
    }

    /// The same evidence as another stream of the camera sees it, whose frames have a clock
    /// of their own. To be called before the first report: what came earlier it never hears.
    #[must_use]
    pub fn of_further_stream(&self) -> Self {
        let mut cell = self.cell();
        let clocks = cell.clocks;
        cell.frames.push(Frames::new(clocks));
        Self {
            shared: self.shared.clone(),
            stream: cell.history.further_stream(),
        }
    }

    fn cell(&self) -> MutexGuard<'_, Cell> {
        let cell = &self.shared.cell;
        cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self) {
        (self.shared.notify)();
    }

    /// Takes up a report.
    pub fn on_sample(&self, timed: &TimedSample) -> Pushed {
        let pushed = {
            let mut cell = self.cell();
            match cell.report(&timed.clock) {
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
        self.notify();
        pushed
    }

    /// Takes up a position that came unasked, and so says nothing of the clocks.
    pub fn on_streamed(&self, sample: &PoseSample) -> Pushed {
        let pushed = self.cell().history.push(sample);
        self.notify();
        pushed
    }

    /// Notes that two sources of positions, both believed, contradict each other: what
    /// lies after `since` is not known any more.
    pub fn on_contradiction(&self, since: CaptureTime, detail: String) {
        self.cell().history.contradicted(since, detail);
        self.notify();
    }

    /// Notes that a report was refused.
    pub fn on_refused(&self, reason: Reason, received: Mono) {
        self.cell().history.refuse(reason, received);
        self.notify();
    }

    /// Notes the clocks of a frame of this stream. To be called for every frame, before its pose is
    /// asked for; without it nothing is ever known.
    pub fn on_frame_clock(&self, capture: CaptureTime, stream_ns: u64, arrival: Mono) {
        let changed = {
            let mut cell = self.cell();
            cell.history.frame_arrived(self.stream, arrival);
            cell.frames.get_mut(self.stream).is_some_and(|frames| {
                let watch = &mut frames.watch;
                let before = watch.state();
                watch.frame(capture, stream_ns, arrival);
                before != watch.state()
            })
        };
        if changed {
            self.notify();
        }
    }

    /// Notes how far this stream leaves a frame's capture time open. To be called before
    /// [`on_frame_clock`](Self::on_frame_clock). What the last frames of any stream had left open
    /// holds for all that are asked for: those that still wait, and those that others are
    /// carried from.
    pub fn on_frame_unsure(&self, within: Duration) {
        let mut cell = self.cell();
        if let Some(frames) = cell.frames.get_mut(self.stream) {
            frames.unsure.push_back(within);
            while frames.unsure.len() > UNSURE_FRAMES {
                frames.unsure.pop_front();
            }
        }
        let all = cell.frames.iter().flat_map(|frames| &frames.unsure);
        let most = all.max().copied().unwrap_or_default();
        cell.history.frames_within(most);
    }

    /// Notes that this stream was set up anew.
    pub fn on_frames_restarted(&self) {
        {
            let mut cell = self.cell();
            if let Some(frames) = cell.frames.get_mut(self.stream) {
                frames.watch.frames_restarted();
                frames.unsure.clear();
            }
            cell.history.stream_broke(self.stream);
        }
        self.notify();
    }

    /// How long ago, seen from `now`, the newest position was received that was
    /// taken up; none before the first.
    pub fn age(&self, now: Mono) -> Option<Duration> {
        self.cell()
            .history
            .newest_received()
            .map(|at| now.since(at))
    }

    /// What is known about the pose at `t` of this stream's frames, asked at `now`.
    pub fn at(&self, t: CaptureTime, now: Mono) -> Evidence<PoseEstimate> {
        let cell = self.cell();
        let clock = cell.frames.get(self.stream).map(|f| f.watch.state());
        match clock.unwrap_or(ClockState::Unsettled) {
            ClockState::Agree => cell.history.at(t, now),
            ClockState::Jumped { step_s } => Evidence::Unknown(Reason::ClockJump { step_s }),
            ClockState::Unsettled => match cell.history.newest() {
                Some(_) => Evidence::Unknown(Reason::Starting),
                None => cell.history.at(t, now),
            },
        }
    }
}

impl Cell {
    /// What a report says of the camera's clock, told to all streams' watches.
    fn report(&mut self, report: &ReportClock) -> ReportVerdict {
        let mut said = (self.frames.iter_mut()).map(|frames| frames.watch.report(report));
        let first = said.next().unwrap_or(ReportVerdict::Frozen);
        said.for_each(drop);
        first
    }
}

#[cfg(test)]
mod tests;
