//! The time in which a camera is not believed: how it begins, what ends it.

use super::{Knot, PoseHistory, Pushed, TrustAfterRestart};
use crate::clock::{CaptureTime, Mono};
use crate::event::Reason;

/// Stray reports that are forgiven, and for how long.
const MOST_STRAYS: usize = 2;
const STRAY_WINDOW_S: f64 = 0.35;
#[derive(Clone, Debug)]
pub(super) struct Doubt {
    /// Frames after this are covered.
    pub(super) from: CaptureTime,
    /// Frames up to this are covered; `None` while it lasts.
    pub(super) until: Option<CaptureTime>,
    pub(super) detail: String,
    /// Where the run of consistent reports began.
    pub(super) run_from: CaptureTime,
    run_received: Mono,
    run_len: usize,
}

impl PoseHistory {
    pub(super) fn begin_doubt(
        &mut self,
        mut knot: Knot,
        last_good: CaptureTime,
        detail: String,
    ) -> Pushed {
        let from = match &self.doubt {
            // Still in doubt: the cover reaches back to where it began.
            Some(d) if d.until.is_none() => d.from,
            _ => last_good,
        };
        knot.joined = false;
        self.doubt = Some(Doubt {
            from,
            until: None,
            detail: detail.clone(),
            run_from: knot.at,
            run_received: knot.received,
            run_len: 1,
        });
        self.knots.push_back(knot);
        Pushed::Unsteady(Reason::CameraUnsteady { detail })
    }

    /// Two sources contradict each other: of what either told after `since` nothing is
    /// believed, until consistent reports end the doubt.
    pub(in crate::pose) fn contradicted(&mut self, since: CaptureTime, detail: String) {
        let from = match &self.doubt {
            Some(d) if d.until.is_none() => d.from.min(since),
            _ => since,
        };
        self.knots.clear();
        self.left = None;
        self.doubt = Some(Doubt {
            from,
            until: None,
            detail,
            // It begins with the next report.
            run_from: CaptureTime(i64::MAX),
            run_received: Mono(0),
            run_len: MOST_STRAYS + 1,
        });
    }

    pub(super) fn continue_run(&mut self, knot: &Knot) -> Pushed {
        let Some(doubt) = self.doubt.as_mut().filter(|d| d.until.is_none()) else {
            return Pushed::Taken;
        };
        if doubt.run_from == CaptureTime(i64::MAX) {
            doubt.run_from = knot.at;
            doubt.run_received = knot.received;
        }
        doubt.run_len += 1;
        if let TrustAfterRestart::Consistent { quiet_s } = self.rules.trust
            && knot.at.seconds_since(doubt.run_from) >= quiet_s
            && knot.received.since(doubt.run_received).as_secs_f64() >= quiet_s * 0.9
        {
            doubt.until = Some(knot.at);
            return Pushed::Taken;
        }
        Pushed::Unsteady(Reason::CameraUnsteady {
            detail: doubt.detail.clone(),
        })
    }

    /// Forgets a stray report or two once `knot` is back on the path from
    /// before them, and joins it to that path; whether it did.
    pub(super) fn resume_after_strays(&mut self, knot: &Knot) -> bool {
        let Some((good, knot)) = self.back_on_path(knot) else {
            return false;
        };
        self.knots.truncate(good + 1);
        self.knots.push_back(knot);
        self.doubt = None;
        true
    }

    fn back_on_path(&self, knot: &Knot) -> Option<(usize, Knot)> {
        let doubt = self.doubt.as_ref().filter(|d| d.until.is_none())?;
        let recent = knot.at.seconds_since(doubt.from) <= STRAY_WINDOW_S;
        if doubt.run_len > MOST_STRAYS || !recent {
            return None;
        }
        let before = self.knots.partition_point(|k| k.at <= doubt.from);
        let good = before.checked_sub(1)?;
        let (last, stray) = (self.knots.get(good)?, self.knots.back()?);
        // Only a path with a known speed can be returned to.
        let base = self
            .knots
            .get(good.checked_sub(1)?)
            .filter(|_| last.joined)?;
        let mut knot = *knot;
        knot.pan_deg = self.unwrap_near(knot.pan_deg, last.pan_deg);
        knot.joined = true;
        // Near to where the path leads, and not just nearer than the stray: in
        // the time that has passed a head could have reached either.
        let gap_s = knot.at.seconds_since(last.at);
        let ahead = |a: f64, b: f64| b + (b - a) / last.at.seconds_since(base.at) * gap_s;
        let off_path = f64::hypot(
            knot.pan_deg - ahead(base.pan_deg, last.pan_deg),
            knot.tilt_deg - ahead(base.tilt_deg, last.tilt_deg),
        );
        let off_stray = f64::hypot(knot.pan_deg - stray.pan_deg, knot.tilt_deg - stray.tilt_deg);
        let returned =
            off_path < off_stray / 4.0 && self.implausible(&knot, last, Some(base)).is_none();
        returned.then_some((good, knot))
    }
}
