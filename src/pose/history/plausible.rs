//! Whether a head can have got from one report to the next.

use super::{Knot, PoseHistory};

/// Slack on the limits in the test of plausibility: a profile is a data sheet,
/// not a promise.
const SPEED_SLACK: f64 = 1.2;
const ACCEL_SLACK: f64 = 1.5;
const ANGLE_SLACK_DEG: f64 = 0.3;
const LN_FOCAL_SLACK: f64 = 0.02;
/// A head that is found this near to where it was left has not moved, degrees.
const WHERE_LEFT_DEG: f64 = 0.5;

impl PoseHistory {
    /// Why a silence of `gap_s` may have been a restart; `None` where not.
    pub(super) fn restarted(&self, from: &Knot, to: &Knot, gap_s: f64) -> Option<String> {
        let too_short = gap_s <= self.rules.max_gap_s || gap_s < self.rules.restart_takes_s;
        if too_short || self.streamed_between(from, to) {
            return None;
        }
        let where_left = (to.pan_deg - from.pan_deg).abs() < WHERE_LEFT_DEG
            && (to.tilt_deg - from.tilt_deg).abs() < WHERE_LEFT_DEG
            && (to.ln_focal - from.ln_focal).abs() < LN_FOCAL_SLACK;
        let back_at_once = where_left && gap_s <= self.rules.restart_gap_s;
        (!back_at_once).then(|| format!("silent for {gap_s:.1} s, may have restarted"))
    }

    /// The pan that lies nearest to `near` among those that mean the same.
    pub(super) fn unwrap_near(&self, pan_deg: f64, near: f64) -> f64 {
        if self.profile.document().pan.wraps {
            pan_deg + 360.0 * ((near - pan_deg) / 360.0).round()
        } else {
            pan_deg
        }
    }

    /// Whether the head could have gone the other way round, too.
    pub(super) fn ambiguous(&self, gap_s: f64, knot: &Knot, newest: &Knot) -> bool {
        let d = self.profile.document();
        let other_way = 360.0 - (knot.pan_deg - newest.pan_deg).abs();
        d.pan.wraps && other_way <= d.limits.max_speed_deg_s * gap_s * SPEED_SLACK
    }

    /// Why the head cannot have come from `from` to `to`; `None` where it can.
    pub(super) fn implausible(
        &self,
        to: &Knot,
        from: &Knot,
        base: Option<&Knot>,
    ) -> Option<String> {
        let l = &self.profile.document().limits;
        let s = &self.profile.document().sigma;
        let step_s = to.at.seconds_since(from.at).abs();
        let sigma_t = to.sigma_t_s.max(from.sigma_t_s);
        let span_s = step_s + 4.0 * sigma_t;
        let speeds = [
            (
                "pan",
                to.pan_deg - from.pan_deg,
                l.max_speed_deg_s,
                l.max_accel_deg_s2,
                ANGLE_SLACK_DEG + 4.0 * s.angle_deg,
                base.map(|b| (from.pan_deg - b.pan_deg, b)),
            ),
            (
                "tilt",
                to.tilt_deg - from.tilt_deg,
                l.max_speed_deg_s,
                l.max_accel_deg_s2,
                ANGLE_SLACK_DEG + 4.0 * s.angle_deg,
                base.map(|b| (from.tilt_deg - b.tilt_deg, b)),
            ),
            (
                "zoom",
                to.ln_focal - from.ln_focal,
                l.max_ln_focal_s,
                l.max_ln_focal_s2,
                LN_FOCAL_SLACK + 4.0 * s.ln_focal,
                base.map(|b| (from.ln_focal - b.ln_focal, b)),
            ),
        ];
        for (what, moved, max_speed, max_accel, slack, earlier) in speeds {
            if moved.abs() > max_speed * span_s * SPEED_SLACK + slack {
                return Some(format!("{what} jumped {moved:+.2} in {step_s:.2} s"));
            }
            let Some((moved_before, base)) = earlier else {
                continue;
            };
            let base_s = from.at.seconds_since(base.at);
            let sure_s = base_s - 4.0 * sigma_t;
            if base_s > self.rules.max_gap_s || step_s > self.rules.max_gap_s || sure_s <= 0.0 {
                continue;
            }
            let speed = (moved_before / base_s).clamp(-max_speed, max_speed);
            let astray = (moved - speed * step_s).abs();
            let curve = max_accel / 2.0 * span_s * (span_s + base_s + 4.0 * sigma_t);
            // The speed itself is only known as well as its two reports are.
            let unsure = speed.abs() * 4.0 * sigma_t * (1.0 + 2.0 * step_s / base_s)
                + slack * (1.0 + 2.0 * step_s / base_s);
            if astray > curve * ACCEL_SLACK + unsure {
                return Some(format!(
                    "{what} moved {moved:+.2} in {step_s:.2} s, beyond its profile's limits"
                ));
            }
        }
        None
    }
}
