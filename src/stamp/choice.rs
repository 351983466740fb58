//! Which of the times that are told of a frame it gets.
//!
//! A stamp in the frame's own packets needs no report to wait for and none to be carried
//! on from, so it leads. But whoever leads is held to what can be checked:
//!
//! * the stamps of one source go on as the stream's time (RTP timestamps) does;
//! * the sources that tell of a frame say the same, within [`APART_NS`].
//!
//! Where that does not hold the frame has no time: there is nothing to tell which of them is
//! right. What is less than that is not ignored either: it is how exact the time
//! is. A step of the sender reports alone is left to the watch over the camera's clocks,
//! which has positions to compare with. Must not know where claims come from.

use super::{Captured, Claim, Claims, TimeSource, Untimed};
use crate::clock::CaptureTime;
use std::collections::VecDeque;
use std::time::Duration;

/// Further than this two words for one time are not the same.
const APART_NS: u128 = 100_000_000;
/// For how long a stamp tells of frames after it that carry none, seconds of the stream.
pub const CARRIED_FOR_S: f64 = 10.0;
/// For how long it is remembered how stamps wandered, nanoseconds of the stream.
const WATCHED_NS: u64 = 10_000_000_000;
const REMEMBERED: usize = 512;
/// After a jump so many stamps must go on as the stream does.
const STEADY: usize = 10;
/// What a camera's clock may drift against its RTP timestamps, a second.
const DRIFT: f64 = 1e-3;

impl TimeSource {
    /// What its form alone leaves open. Stamps: RTP's ticks. Reports: ticks, rtspsrc's
    /// rounding, and 100 ppm of drift over the five seconds between two reports.
    fn at_best(self) -> Duration {
        match self {
            Self::Ntp64 | Self::OnvifReplay => Duration::from_micros(100),
            Self::SenderReport => Duration::from_millis(1),
        }
    }

    /// Whether the frame's own packets carry it.
    fn is_stamp(self) -> bool {
        self != Self::SenderReport
    }
}

/// Chooses for the frames of one connection, in the order in which they are shown.
#[derive(Debug, Default)]
pub struct Chooser {
    courses: [Course; 3],
}

impl Chooser {
    /// The capture time of a frame at `stream_ns` of the stream's own time, of which its
    /// sources say `claims`.
    ///
    /// # Errors
    /// Why it has none: [`Untimed`].
    pub fn take(&mut self, claims: &Claims, stream_ns: u64) -> Result<Captured, Untimed> {
        let sources = TimeSource::ALL.into_iter().zip(claims);
        // Each source is followed, whatever the others say.
        let told = sources.zip(&mut self.courses).map(|((by, claim), course)| {
            let told = course.told(by, *claim, stream_ns)?;
            Ok(told.map(|(at, within)| Captured { at, by, within }))
        });
        let told: Vec<Result<Option<Captured>, Untimed>> = told.collect();
        let mut best: Option<Captured> = None;
        for told in told {
            let told = match told {
                // A report came between two packets of the frame. Its stamps tell more.
                Err(Untimed::Contradictory(TimeSource::SenderReport)) if best.is_some() => continue,
                told => told?,
            };
            let Some(best) = &mut best else {
                best = told;
                continue;
            };
            if let Some(other) = told {
                let apart = i128::from(other.at.0) - i128::from(best.at.0);
                if apart.unsigned_abs() > APART_NS {
                    let by_s = apart as f64 * 1e-9;
                    return Err(Untimed::Apart { by_s });
                }
                best.within = best.within.max(duration(apart.unsigned_abs()));
            }
        }
        best.ok_or(Untimed::Untold)
    }
}

fn duration(ns: u128) -> Duration {
    Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}

/// One source's times against the stream's.
#[derive(Debug, Default)]
struct Course {
    /// Stream time, and capture time minus stream time, nanoseconds; oldest first.
    ahead: VecDeque<(u64, i128)>,
    last: Option<(u64, CaptureTime)>,
    /// So many stamps are missing until it is believed again.
    missing: usize,
}

impl Course {
    fn told(
        &mut self,
        by: TimeSource,
        claim: Claim,
        stream_ns: u64,
    ) -> Result<Option<(CaptureTime, Duration)>, Untimed> {
        let (at, gap_ns) = match claim {
            Claim::Contradictory => {
                if by.is_stamp() {
                    self.begin_anew();
                }
                return Err(Untimed::Contradictory(by));
            }
            Claim::At(at) => {
                if !self.goes_on(at, stream_ns) {
                    self.begin_anew();
                    if !by.is_stamp() {
                        self.missing = 0;
                    }
                }
                self.note(at, stream_ns);
                (at, 0)
            }
            Claim::Silent | Claim::Unreadable => match self.carried(stream_ns) {
                Some(carried) if by.is_stamp() => carried,
                _ => return Ok(None),
            },
        };
        if self.missing > 0 {
            return Err(Untimed::Unsteady(by));
        }
        let drift = Duration::from_secs_f64(gap_ns as f64 * 1e-9 * DRIFT);
        let wandered = duration(self.wandered_ns(None)) + drift;
        Ok(Some((at, wandered.max(by.at_best()))))
    }

    /// Whether a stamp fits those of the last seconds.
    fn goes_on(&self, at: CaptureTime, stream_ns: u64) -> bool {
        let turns = |(last_ns, last_at): (u64, CaptureTime)| {
            stream_ns.cmp(&last_ns) != at.0.cmp(&last_at.0)
        };
        if self.last.is_some_and(turns) {
            return false;
        }
        self.wandered_ns(Some(ahead_ns(at, stream_ns))) <= APART_NS
    }

    fn note(&mut self, at: CaptureTime, stream_ns: u64) {
        self.last = Some((stream_ns, at));
        self.ahead.push_back((stream_ns, ahead_ns(at, stream_ns)));
        let old = |(then, _): &(u64, i128)| stream_ns.saturating_sub(*then) > WATCHED_NS;
        while self.ahead.len() > REMEMBERED || self.ahead.front().is_some_and(old) {
            self.ahead.pop_front();
        }
        self.missing = self.missing.saturating_sub(1);
    }

    fn begin_anew(&mut self) {
        self.ahead.clear();
        self.missing = STEADY;
    }

    /// The time of a frame without a stamp, and how far the last one is from it.
    fn carried(&self, stream_ns: u64) -> Option<(CaptureTime, u64)> {
        let (then, ahead) = self.ahead.back()?;
        let gap_ns = stream_ns.abs_diff(*then);
        let at = i64::try_from(i128::from(stream_ns) + ahead).ok()?;
        (gap_ns as f64 * 1e-9 <= CARRIED_FOR_S).then_some((CaptureTime(at), gap_ns))
    }

    /// How far the stamps of the last seconds lie apart, the stream's time taken off.
    fn wandered_ns(&self, with: Option<i128>) -> u128 {
        let all = || self.ahead.iter().map(|(_, ahead)| *ahead).chain(with);
        match (all().min(), all().max()) {
            (Some(least), Some(most)) => most.abs_diff(least),
            _ => 0,
        }
    }
}

fn ahead_ns(at: CaptureTime, stream_ns: u64) -> i128 {
    i128::from(at.0) - i128::from(stream_ns)
}

#[cfg(test)]
mod tests;
