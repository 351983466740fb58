//! From two knots to a pose with its margin.
//!
//! # The margin, and why it holds
//! Let the head obey |θ''| ≤ a on each axis, let the true angle at a sample's
//! true time be within 2σ of its report, the sample's true time within 2σ_s of
//! its stamp, and every pixel of the frame be taken within ±(2σ_c + exposure/2 +
//! readout) of its capture time, or within what the stream leaves open of that time where
//! that is more than 2σ_c. L is the straight line through two samples
//! Δ apart, of slope s.
//!
//! * Linear interpolation errs by at most a/2·|(x−t₀)(x−t₁)| at time x: aΔ²/8
//!   inside the bracket, a/2·τ(Δ+τ) up to τ outside it; extrapolating by h,
//!   a/2·h(h+Δ). (The error term of Lagrange interpolation.)
//! * The line itself moves by |s|·τ while time is uncertain by τ.
//! * The reports' noise moves the line by 2σ inside the bracket, by
//!   2σ(1 + 2h/Δ) beyond it.
//!
//! So speed enters only as the *mean* speed of the bracket: where the head is
//! faster than the mean it is also closer to the line's ends. That is DESIGN.md's
//! formula, with a/2·h(h+Δ) where it says |ω|h + a·h²/2, because the line is
//! followed beyond the newest sample instead of stood still on.
//!
//! That bound allows a head to shake at full acceleration in step with its
//! reports, 0.5° to and fro at 10 Hz, which would hide half of every picture of
//! a zoomed camera at rest. So one more thing is assumed, and only of reports at
//! most [`TURNS_ROUND_IN_S`] apart: compared with going straight on, a head (or
//! lens) that leaves within one gap does not come back within the same gap: it
//! would have to start, turn round and stop in that time. Then its departure
//! from the line is at most what the gap's ends show: D = |s − s'|·Δ, the
//! largest of the neighbouring gaps', plus the noise of the three reports it
//! takes to see it (√6·2σ). Up to τ outside the bracket, where the speed may
//! have changed by √(2aD) unseen, it is √(2aD)·τ + Dτ/Δ + aτ²/2 more.
//!
//! Errors of pan and tilt become a turn of the picture thus: a turn by δ about
//! the vertical is a swing of the optical axis by at most δ·cos(tilt) and a
//! roll of 2·atan(sin(tilt)·tan(δ/2)). Near the nadir pan is wild, but all of it
//! is roll.

use super::drift::Drift;
use super::history::Knot;
use super::profile::CameraProfile;
use super::{Margin, PoseEstimate, Support};
use crate::clock::CaptureTime;
use crate::geom::Angle;
use std::f64::consts::FRAC_PI_2;

/// No head and no lens starts, turns round and comes back within this time.
const TURNS_ROUND_IN_S: f64 = 0.15;

/// The two samples of a bracket among their neighbours.
pub(super) struct Bracket<'a> {
    /// The sample two before `a`, the one before it.
    pub(super) before: [Option<&'a Knot>; 2],
    /// The sample before the time that is asked for.
    pub(super) a: &'a Knot,
    /// The sample after it.
    pub(super) b: &'a Knot,
    /// The sample after `b`.
    pub(super) next: Option<&'a Knot>,
}

impl Bracket<'_> {
    /// The largest change of speed around the bracket times its length;
    /// `None` where reports are too few or too far apart to tell.
    fn departure(&self, value: fn(&Knot) -> f64) -> Option<f64> {
        let [Some(p), Some(q)] = self.before else {
            return None;
        };
        let speed = |x: &Knot, y: &Knot| {
            let gap_s = y.at.seconds_since(x.at);
            let told = y.joined && gap_s <= TURNS_ROUND_IN_S;
            told.then(|| (value(y) - value(x)) / gap_s)
        };
        let (s1, s2, s3) = (speed(p, q)?, speed(q, self.a)?, speed(self.a, self.b)?);
        let after = self.next.and_then(|n| speed(self.b, n)).unwrap_or(s3);
        let change = (s2 - s1).abs().max((s3 - s2).abs()).max((after - s3).abs());
        Some(change * self.b.at.seconds_since(self.a.at))
    }
}

/// The time that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) at: CaptureTime,
    /// How far the stream leaves it open, seconds.
    pub(super) within_s: f64,
}

/// How two samples lie to the time that is asked for.
struct Line {
    /// Seconds between the samples.
    gap_s: f64,
    /// Share of the way from the first to the second; beyond 1: extrapolated.
    share: f64,
    /// Bound of the time by which the line's foot may be off, seconds.
    tau_s: f64,
    /// What of it is the same for neighbouring frames.
    shared_s: f64,
    /// Largest of |(x−t₀)(x−t₁)|/2 over the possible times, s²: times an
    /// acceleration it bounds the departure from the line.
    bend_s2: f64,
    /// How the reports' noise grows.
    noise_gain: f64,
    /// Where extrapolated: bound of how long the head moved unseen, seconds.
    unseen_s: Option<f64>,
    /// Bound of the uncertainty of `gap_s`.
    gap_unsure_s: f64,
}

impl Line {
    fn new(profile: &CameraProfile, a: &Knot, b: &Knot, t: Asked) -> Self {
        let d = profile.document();
        let Asked { at: t, within_s } = t;
        let gap_s = b.at.seconds_since(a.at);
        let ahead_s = t.seconds_since(b.at).max(0.0);
        let sigma_s = a.sigma_t_s.max(b.sigma_t_s);
        let noise_gain = 1.0 + 2.0 * ahead_s / gap_s;
        let shared_s = 2e-3 * d.sigma.capture_ms + 1e-3 * d.timing.exposure_ms / 2.0;
        // What the profile's own figure does not hold yet; each picture's own.
        let unsure_s = (within_s - 2e-3 * d.sigma.capture_ms).max(0.0);
        let tau_s = shared_s + unsure_s + 1e-3 * d.timing.readout_ms + 2.0 * sigma_s * noise_gain;
        let gap_unsure_s = 4.0 * sigma_s;
        let span_s = gap_s + gap_unsure_s;
        let beyond_s = ahead_s + tau_s;
        let outside = beyond_s * (span_s + beyond_s) / 2.0;
        Self {
            gap_s,
            share: t.seconds_since(a.at) / gap_s,
            tau_s,
            shared_s,
            bend_s2: outside.max(span_s * span_s / 8.0),
            noise_gain,
            unseen_s: (ahead_s > 0.0).then_some(beyond_s),
            gap_unsure_s,
        }
    }

    /// What is known of one axis on the line from `a` to `b`. `departure`: see
    /// [`Bracket::departure`].
    fn axis(&self, a: f64, b: f64, departure: Option<f64>, limits: AxisLimits) -> Axis {
        let AxisLimits {
            noise,
            own_noise,
            max_speed,
            max_accel,
            ..
        } = limits;
        let moved = (b - a).abs();
        let sure_s = self.gap_s - self.gap_unsure_s;
        let mean_speed = if sure_s > 0.0 {
            ((moved + 2.0 * noise) / sure_s).min(max_speed)
        } else {
            max_speed
        };
        let mut bend = max_accel * self.bend_s2;
        if let Some(departure) = departure {
            let seen = departure + limits.change_noise;
            let turned = (2.0 * max_accel * seen).sqrt() + seen / self.gap_s;
            let outside = (turned + max_accel * self.tau_s / 2.0) * self.tau_s;
            bend = bend.min(seen.max(outside));
        }
        let most = self
            .unseen_s
            .map_or(f64::INFINITY, |s| (max_speed + moved / self.gap_s) * s);
        let with = |tau_s: f64| (bend + mean_speed * tau_s).min(most);
        Axis {
            value: a + (b - a) * self.share,
            err: with(self.tau_s) + noise * self.noise_gain,
            own_err: with(self.tau_s - self.shared_s) + own_noise * self.noise_gain,
            speed: (b - a) / self.gap_s,
        }
    }
}

/// One axis at one time.
struct Axis {
    value: f64,
    /// How far the truth may lie from it.
    err: f64,
    /// What of that neighbouring frames do not share.
    own_err: f64,
    /// Mean speed of the bracket, per second.
    speed: f64,
}

/// √6: three reports with weights 1, 2, 1.
const SIX_SQRT: f64 = 2.449_489_742_783_178;

/// What bounds one axis; any unit.
#[derive(Clone, Copy)]
struct AxisLimits {
    /// 2σ of a report.
    noise: f64,
    /// The part of it that neighbouring reports do not share…
    own_noise: f64,
    /// …and what that amounts to in a change of speed.
    change_noise: f64,
    max_speed: f64,
    max_accel: f64,
}

/// The pose within a bracket.
pub(super) fn bracketed(profile: &CameraProfile, bracket: &Bracket<'_>, t: Asked) -> PoseEstimate {
    let line = Line::new(profile, bracket.a, bracket.b, t);
    let support = Support::Bracketed { gap_s: line.gap_s };
    pose(profile, &line, bracket, support)
}

/// The pose after `newest`, on the line from `base`.
pub(super) fn extrapolated(
    profile: &CameraProfile,
    base: &Knot,
    newest: &Knot,
    t: Asked,
) -> PoseEstimate {
    let line = Line::new(profile, base, newest, t);
    let support = Support::Extrapolated {
        ahead_s: t.at.seconds_since(newest.at),
    };
    // What comes next may turn any way: the neighbours say nothing about it.
    let bracket = Bracket {
        before: [None; 2],
        a: base,
        b: newest,
        next: None,
    };
    pose(profile, &line, &bracket, support)
}

fn pose(
    profile: &CameraProfile,
    line: &Line,
    bracket: &Bracket<'_>,
    support: Support,
) -> PoseEstimate {
    let d = profile.document();
    let axis = |value: fn(&Knot) -> f64, limits: AxisLimits| {
        let departure = bracket.departure(value);
        line.axis(value(bracket.a), value(bracket.b), departure, limits)
    };
    let head = AxisLimits {
        noise: 2.0 * d.sigma.angle_deg,
        own_noise: 2.0 * d.sigma.angle_deg,
        change_noise: SIX_SQRT * 2.0 * d.sigma.angle_deg,
        max_speed: d.limits.max_speed_deg_s,
        max_accel: d.limits.max_accel_deg_s2,
    };
    let lens = AxisLimits {
        noise: 2.0 * d.sigma.ln_focal,
        // σ of ln f is the calibration's: the same for neighbouring reports.
        own_noise: 0.0,
        change_noise: 0.0,
        max_speed: d.limits.max_ln_focal_s,
        max_accel: d.limits.max_ln_focal_s2,
    };
    let pan = axis(|k| k.pan_deg, head);
    let tilt = axis(|k| k.tilt_deg, head);
    let ln_focal = axis(|k| k.ln_focal, lens);
    // A lens cannot leave its own range, whatever its speed was.
    let (shortest, longest) = profile.ln_focal_range();
    let focal = ln_focal.value.clamp(shortest - 0.2, longest + 0.2).exp();
    let (swing, roll) = turn_of_picture(tilt.value, pan.err, tilt.err);
    let parallax = d.sigma.parallax_deg.to_radians();
    let roll_noise = 2.0 * d.sigma.roll_deg.to_radians();
    PoseEstimate {
        pan: Angle::from_deg(pan.value),
        tilt: Angle::from_deg(tilt.value),
        roll: Angle::from_deg(0.0),
        focal,
        support,
        margin: Margin {
            angle: Angle::from_rad(swing + parallax),
            radial: ln_focal.err + roll_noise + roll,
            floor_px: d.picture.compression_px,
        },
        drift: Drift {
            own: [pan.own_err, tilt.own_err, ln_focal.own_err],
            speed: [pan.speed, tilt.speed, ln_focal.speed],
            shared_s: line.shared_s,
            shared: parallax + roll_noise + lens.noise,
        },
    }
}

/// The swing of the optical axis and the roll about it, radians, that errors
/// of pan and tilt (degrees) can amount to around `tilt_deg`.
pub(super) fn turn_of_picture(tilt_deg: f64, pan_err_deg: f64, tilt_err_deg: f64) -> (f64, f64) {
    let half_pan = (pan_err_deg.to_radians() / 2.0).min(1.5);
    let tilt_err = tilt_err_deg.to_radians();
    let (low, high) = (
        tilt_deg.to_radians().abs() - tilt_err,
        tilt_deg.to_radians().abs() + tilt_err,
    );
    // Over the possible tilts, through the horizon and through a pole too.
    let most_cos = if low <= 0.0 {
        1.0
    } else {
        low.cos().abs().max(high.cos().abs())
    };
    let most_sin = if low <= FRAC_PI_2 && high >= FRAC_PI_2 {
        1.0
    } else {
        low.sin().abs().max(high.sin().abs())
    };
    let swing_pan = 2.0 * half_pan * most_cos;
    let roll = 2.0 * (most_sin * half_pan.tan()).atan();
    // The two swings are at right angles but for half the roll (cosine law).
    let swing = (swing_pan * swing_pan
        + tilt_err * tilt_err
        + 2.0 * swing_pan * tilt_err * (roll / 2.0).sin())
    .sqrt();
    (swing, roll)
}

#[cfg(test)]
mod tests;
