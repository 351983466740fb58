//! The difference between a camera's clock and ours, from its reports.
//!
//! A report stamped `utc` was measured between the request and the answer, so
//! (monotonic − utc) lies in an interval as wide as the round trip, and all
//! intervals share a point until a clock steps. Some cameras measure at their
//! own pace and answer with the latest measurement: then it was made after the
//! *previous* request, whose answer did not have it yet, and no longer ago than its
//! pace is. Such a camera betrays itself by stamps that fall out of the interval and come
//! back into it, but never by one that lies before the last: that clock was set.

use super::{ReportClock, ReportVerdict};
use crate::clock::{CaptureTime, Mono};
use std::collections::VecDeque;

/// (monotonic − camera's UTC), as an interval, from reports.
#[derive(Clone, Debug, Default)]
pub struct OffsetWindow {
    intervals: VecDeque<Interval>,
    last_utc: Option<CaptureTime>,
    /// The last answers: when asked for, and their stamps.
    answers: VecDeque<(Mono, CaptureTime)>,
    /// How far the last stamps that differ lay apart, nanoseconds.
    apart_ns: VecDeque<u64>,
    /// Whether the camera answers with measurements from before the request.
    caches: bool,
    /// What was believed before a step that caching would explain, too.
    suspended: Option<Suspended>,
    /// When the answer came that showed that the last step was none.
    revoked: Option<Mono>,
}

/// Nanoseconds, lowest and highest.
type Span = (i128, i128);

#[derive(Clone, Copy, Debug)]
struct Interval {
    /// If measured when asked.
    fresh: Span,
    /// If measured at any time since the request before.
    stale: Span,
    received: Mono,
}

#[derive(Clone, Debug)]
struct Suspended {
    intervals: VecDeque<Interval>,
    sent: Mono,
}

/// Two clocks drift apart; intervals older than this are forgotten.
const WINDOW_NS: u128 = 20_000_000_000;
const WINDOW_LEN: usize = 256;
/// How fast two clocks drift apart at most (quartz out in the cold, NTP slewing).
const DRIFT: f64 = 500e-6;
/// A stamp this coarse legitimately repeats itself.
const COARSE_NS: i64 = 100_000_000;
/// How many answers are remembered to find the one before a request.
const ANSWERS: usize = 8;
/// How many stamps tell a camera's pace.
const PACES: usize = 4;
/// How long a step may turn out to have been a stale answer.
const SUSPENDED_NS: u128 = 15_000_000_000;

impl OffsetWindow {
    /// Takes up one report; `tolerance_s` is the gap that is not yet a step.
    pub fn push(&mut self, report: &ReportClock, tolerance_s: f64) -> ReportVerdict {
        let repeated = self.last_utc == Some(report.utc);
        let earliest = self.earliest(report);
        self.note_pace(report.utc);
        self.answers.push_back((report.sent, report.utc));
        while self.answers.len() > ANSWERS {
            self.answers.pop_front();
        }
        if repeated && report.resolution_ns < COARSE_NS {
            return ReportVerdict::Frozen;
        }
        let new = Interval {
            fresh: span(report.sent, report),
            stale: span(earliest, report),
            received: report.received,
        };
        let verdict = match common(&self.intervals, self.caches) {
            None => ReportVerdict::Agrees,
            Some(believed) => {
                let silent_ns = self
                    .intervals
                    .back()
                    .map_or(0, |last| report.received.since(last.received).as_nanos());
                let slack = (tolerance_s * 1e9 + silent_ns as f64 * DRIFT) as i128;
                if overlap(new.span(self.caches), believed, slack) {
                    ReportVerdict::Agrees
                } else if repeated {
                    return ReportVerdict::Frozen;
                } else if self.resume_if_cached(report, &new, slack) {
                    ReportVerdict::StepRevoked
                } else {
                    self.begin_anew(report, &new, slack);
                    let now = new.span(self.caches);
                    let moved = (now.0 + now.1 - believed.0 - believed.1) / 2;
                    ReportVerdict::Stepped {
                        step_s: -(moved as f64) * 1e-9,
                    }
                }
            }
        };
        self.last_utc = Some(report.utc);
        self.add(new);
        verdict
    }

    fn note_pace(&mut self, utc: CaptureTime) {
        match self.last_utc.map(|last| utc.0.saturating_sub(last.0)) {
            None | Some(0) => {}
            // The clock was set back: what it told before says nothing of when measurements are
            // made from now on.
            Some(back_ns) if back_ns < 0 => self.answers.clear(),
            Some(apart_ns) => {
                self.apart_ns.push_back(apart_ns.unsigned_abs());
                while self.apart_ns.len() > PACES {
                    self.apart_ns.pop_front();
                }
            }
        }
    }

    /// Since when the measurement in `report` may have been made, if it was made before it was
    /// asked for: after the last request that was answered with an older one, and no longer
    /// ago than the camera's pace is.
    fn earliest(&self, report: &ReportClock) -> Mono {
        let Some(last_utc) = self.last_utc else {
            return Mono(0); // Nothing is known of its pace yet.
        };
        // A camera that measures at its own pace does so also while nobody asks.
        let by_pace = self.apart_ns.iter().max();
        let by_pace = by_pace.map(|ns| Mono(report.sent.0.saturating_sub(*ns)));
        if report.utc < last_utc {
            return by_pace.filter(|_| self.caches).unwrap_or(report.sent);
        }
        let older = self
            .answers
            .iter()
            .filter(|(sent, utc)| *sent < report.sent && *utc < report.utc);
        let asked = older.map(|(sent, _)| *sent).max();
        asked.max(by_pace).unwrap_or(report.sent)
    }

    /// After a step, or what looks like one.
    fn begin_anew(&mut self, report: &ReportClock, new: &Interval, slack: i128) {
        let intervals = std::mem::take(&mut self.intervals);
        let only_stale = !self.caches
            && common(&intervals, true).is_some_and(|all| overlap(new.stale, all, slack));
        if !only_stale {
            self.suspended = None;
        } else if self.suspended.is_none() {
            self.suspended = Some(Suspended {
                intervals,
                sent: report.sent,
            });
        }
    }

    /// A fresh answer that fits what was believed before a step shows that
    /// there was none: the answers between were only stale.
    fn resume_if_cached(&mut self, report: &ReportClock, new: &Interval, slack: i128) -> bool {
        let Some(suspended) = &self.suspended else {
            return false;
        };
        if report.sent.since(suspended.sent).as_nanos() > SUSPENDED_NS {
            self.suspended = None;
            return false;
        }
        // Any one of them: staleness creeps, and their common part with it.
        let fits = |before: &Interval| overlap(new.fresh, before.fresh, slack);
        let returned = report.sent > suspended.sent && suspended.intervals.iter().any(fits);
        if returned && let Some(suspended) = self.suspended.take() {
            self.caches = true;
            let between = std::mem::replace(&mut self.intervals, suspended.intervals);
            self.intervals.extend(between);
            self.revoked = Some(report.received);
        }
        returned
    }

    fn add(&mut self, new: Interval) {
        self.intervals.push_back(new);
        while self.intervals.len() > WINDOW_LEN
            || self.intervals.len() > 1
                && self.intervals.front().is_some_and(|oldest| {
                    new.received.since(oldest.received).as_nanos() > WINDOW_NS
                })
        {
            self.intervals.pop_front();
        }
    }

    /// The interval of (monotonic − UTC), nanoseconds, once a report was seen.
    pub fn offset_ns(&self) -> Option<(i128, i128)> {
        common(&self.intervals, self.caches)
    }

    /// The same, of what was answered since a step turned out to be none, as if all that was
    /// measured when it was asked for: then the clock was set, and set back. `None` where the
    /// answers contradict that by more than `tolerance_s`, or are fewer than `reports`.
    pub fn offset_if_fresh_ns(&self, tolerance_s: f64, reports: usize) -> Option<Span> {
        let since = self.revoked?;
        let fresh = || {
            let later = self.intervals.iter().filter(|i| i.received >= since);
            later.map(|i| i.fresh)
        };
        let (low, high) = (fresh().map(|f| f.0).max()?, fresh().map(|f| f.1).min()?);
        let contradicts = low - high > (tolerance_s * 1e9) as i128;
        (fresh().count() >= reports && !contradicts).then(|| (low.min(high), low.max(high)))
    }

    /// How many reports the interval rests on.
    pub fn len(&self) -> usize {
        self.intervals.len()
    }

    /// Whether no report was seen.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// The camera's time at `at`, and how far that may be off (a bound, in
    /// seconds); `None` before the first report or outside representable time.
    pub fn camera_time(&self, at: Mono) -> Option<(CaptureTime, f64)> {
        let (low, high) = self.offset_ns()?;
        let utc = i128::from(at.0) - (low + high) / 2;
        let half_s = (high - low) as f64 * 0.5e-9;
        i64::try_from(utc)
            .ok()
            .map(|utc| (CaptureTime(utc), half_s))
    }
}

impl Interval {
    fn span(&self, stale: bool) -> Span {
        if stale { self.stale } else { self.fresh }
    }
}

/// What all intervals have in common. Within tolerance they may cross: then it
/// lies in what is between them, and nobody knows where.
fn common(intervals: &VecDeque<Interval>, stale: bool) -> Option<Span> {
    let low = intervals.iter().map(|i| i.span(stale).0).max()?;
    let high = intervals.iter().map(|i| i.span(stale).1).min()?;
    Some((low.min(high), low.max(high)))
}

/// (monotonic − UTC) of a measurement made between `earliest` and the answer.
fn span(earliest: Mono, report: &ReportClock) -> Span {
    let utc = i128::from(report.utc.0);
    let resolution = i128::from(report.resolution_ns.max(0));
    (
        i128::from(earliest.0) - utc - resolution,
        i128::from(report.received.0) - utc,
    )
}

fn overlap(a: Span, b: Span, slack: i128) -> bool {
    a.0 <= b.1 + slack && a.1 >= b.0 - slack
}
