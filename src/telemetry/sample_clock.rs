//! When a reported position was measured, in the camera's clock.
//!
//! A stamp with sub-second digits that fits the running offset between the two
//! clocks is believed. A stamp in whole seconds is not a time of measurement,
//! but it still bounds the offset: *some* moment between request and answer
//! lay in that second. The intersection of these bounds turns the request's
//! midpoint into the camera's clock; half the round trip and half of what is
//! left of the offset's interval bound the error (taken as 2σ). An answer that
//! only says what the clock showed while it was given is timed the same way; a
//! head that is read at its own pace makes it older. A stamp that comes in the metadata
//! stream, unasked, bounds nothing: it is compared with what answers have bounded
//! (`streamed`). Must not know HTTP or XML.

mod streamed;

use self::streamed::Delays;
use crate::clock::{CaptureTime, Mono};
use crate::onvif::utc::UtcStamp;
use crate::pose::clockwatch::{ClockRules, OffsetWindow, ReportClock, ReportVerdict};
use std::time::Duration;

/// What a stamp's fine print is worth at best: a camera reads its motors and
/// its clock one after the other.
const MIN_SIGMA_S: f64 = 1e-3;
/// A time less certain than this positions nothing.
const MAX_SIGMA_S: f64 = 0.1;

/// A measurement's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleTime {
    /// When, camera's clock.
    pub at: CaptureTime,
    /// Standard uncertainty, seconds.
    pub sigma_s: f64,
    /// From measurement to arrival, seconds, as far as known.
    pub lateness_s: f64,
    /// For the clock watch.
    pub clock: ReportClock,
}

/// The time of a position that came unasked. It says nothing of the camera's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StreamedTime {
    /// When, camera's clock.
    pub at: CaptureTime,
    /// Standard uncertainty, seconds.
    pub sigma_s: f64,
    /// From measurement to arrival, seconds.
    pub lateness_s: f64,
}

/// When a position was measured that comes without the time of its measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerTimes {
    /// How long before the question at most: cameras read their motors at a pace of
    /// their own and answer with what they read last.
    pub age: Duration,
}

/// What a camera's clock showed at some moment between two of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it showed.
    pub stamp: UtcStamp,
    /// Not earlier than this.
    pub from: Mono,
    /// Not later than this.
    pub to: Mono,
}

/// Why a report has no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTime {
    /// The stamp stands still: an old report, not news.
    Frozen,
    /// No stamp, or none that can be read.
    Missing,
    /// The stamps are coarse and the offset is not narrowed down yet.
    Unresolved,
    /// It came unasked, and its stamp does not fit what answers say of the camera's clock.
    Apart,
}

/// Finds the times of one camera's reports.
#[derive(Debug, Default)]
pub struct SampleClock {
    offset: OffsetWindow,
    delays: Delays,
}

impl SampleClock {
    /// The time of a report that was asked for at `sent` and had arrived at
    /// `received`.
    ///
    /// # Errors
    /// [`NoTime`]: the report must not be used.
    pub fn time(
        &mut self,
        stamp: Option<UtcStamp>,
        sent: Mono,
        received: Mono,
    ) -> Result<SampleTime, NoTime> {
        let stamp = stamp.ok_or(NoTime::Missing)?;
        let clock = ReportClock {
            utc: stamp.at,
            resolution_ns: stamp.resolution_ns,
            sent,
            received,
        };
        let tolerance_s = ClockRules::default().report_tolerance_s;
        if self.take(&clock, tolerance_s) == ReportVerdict::Frozen {
            return Err(NoTime::Frozen);
        }
        let resolution_s = stamp.resolution_ns as f64 * 1e-9;
        let trip_s = received.since(sent).as_secs_f64();
        let middle = Mono(sent.0 / 2 + received.0 / 2);
        let (from_trip, offset_s) = self.offset.camera_time(middle).ok_or(NoTime::Unresolved)?;
        let (arrived, _) = self
            .offset
            .camera_time(received)
            .ok_or(NoTime::Unresolved)?;
        let stamp_sigma_s = (resolution_s / 4.0).max(MIN_SIGMA_S);
        let trip_sigma_s = (trip_s / 4.0 + offset_s / 2.0).max(MIN_SIGMA_S);
        // Whole seconds say when the second began, not when the head stood.
        let (at, sigma_s) = if resolution_s < 1.0 && stamp_sigma_s <= trip_sigma_s.max(0.005) {
            (stamp.at.plus_seconds(resolution_s / 2.0), stamp_sigma_s)
        } else {
            (from_trip, trip_sigma_s)
        };
        if sigma_s > MAX_SIGMA_S {
            return Err(NoTime::Unresolved);
        }
        Ok(SampleTime {
            at,
            sigma_s,
            lateness_s: arrived.seconds_since(at).max(0.0),
            clock,
        })
    }

    /// The time of a position that was measured between `times.age` before `sent` and
    /// `received`; `shown` is what tells the camera's clock, no later than `received`.
    ///
    /// # Errors
    /// [`NoTime`]: the report must not be used.
    pub fn time_of_answer(
        &mut self,
        shown: Option<Shown>,
        times: AnswerTimes,
        sent: Mono,
        received: Mono,
    ) -> Result<SampleTime, NoTime> {
        let shown = shown.ok_or(NoTime::Missing)?;
        let clock = ReportClock {
            utc: shown.stamp.at,
            resolution_ns: shown.stamp.resolution_ns,
            sent: shown.from,
            received: shown.to,
        };
        let tolerance_s = ClockRules::default().report_tolerance_s;
        if self.take(&clock, tolerance_s) == ReportVerdict::Frozen {
            return Err(NoTime::Frozen);
        }
        let age_ns = u64::try_from(times.age.as_nanos()).unwrap_or(u64::MAX);
        let earliest = Mono(sent.0.saturating_sub(age_ns));
        let span_s = received.since(earliest).as_secs_f64();
        let middle = Mono(earliest.0 / 2 + received.0 / 2);
        let (at, offset_s) = self.offset.camera_time(middle).ok_or(NoTime::Unresolved)?;
        let sigma_s = (span_s / 4.0 + offset_s / 2.0).max(MIN_SIGMA_S);
        if sigma_s > MAX_SIGMA_S {
            return Err(NoTime::Unresolved);
        }
        Ok(SampleTime {
            at,
            sigma_s,
            lateness_s: span_s / 2.0,
            clock,
        })
    }

    /// The time of a position that had arrived at `received` in the metadata stream.
    ///
    /// # Errors
    /// [`NoTime`]: it must not be used. That is so until an answer was timed, too.
    pub fn time_of_streamed(
        &mut self,
        stamp: Option<UtcStamp>,
        received: Mono,
    ) -> Result<StreamedTime, NoTime> {
        let stamp = stamp.ok_or(NoTime::Missing)?;
        if stamp.resolution_ns > streamed::COARSEST_NS {
            return Err(NoTime::Unresolved);
        }
        let offset = self.offset.offset_ns().ok_or(NoTime::Unresolved)?;
        let delay_ns = i128::from(received.0) - i128::from(stamp.at.0);
        if !self.delays.fits(delay_ns, offset, received) {
            return Err(NoTime::Apart);
        }
        let resolution_s = stamp.resolution_ns as f64 * 1e-9;
        let least_ns = delay_ns - (offset.0 + offset.1) / 2;
        Ok(StreamedTime {
            at: stamp.at.plus_seconds(resolution_s / 2.0),
            sigma_s: (resolution_s / 4.0).max(MIN_SIGMA_S),
            lateness_s: (least_ns as f64 * 1e-9).max(0.0),
        })
    }

    /// Takes up what an answer says of the clock.
    fn take(&mut self, clock: &ReportClock, tolerance_s: f64) -> ReportVerdict {
        let verdict = self.offset.push(clock, tolerance_s);
        match verdict {
            ReportVerdict::Frozen => {}
            ReportVerdict::Agrees | ReportVerdict::StepRevoked => self.delays.vouch(),
            ReportVerdict::Stepped { .. } => self.delays = Delays::default(),
        }
        verdict
    }

    /// Forgets everything: another connection, perhaps another camera.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests;
