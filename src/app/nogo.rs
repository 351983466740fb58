//! Where nobody may look: no narrower than the purpose needs, and not where zones
//! hide all there is to see. Pure: it is told where the camera stands.
//!
//! A camera that is turned by hand goes on for as long as nobody says anything
//! (`steer`'s dead man), and then stops. So what is looked at is not only where it is
//! but where it can be before it stands still: a turn is passed on as slowly as it
//! takes not to come where it may not be, and not at all where no speed does. From
//! where it may not be it is turned out again, and no further in.

use crate::config::Steering;
use crate::geom::Angle;
use crate::pose::{Drift, Margin, PoseEstimate, Support};
use crate::steer::{DEAD_MAN, Deflection, Rates, Reach};
use std::time::Duration;

/// From a stop that is sent to a camera that stands: the answer's way, and braking.
const STOPS_WITHIN: Duration = Duration::from_millis(300);
/// How long ago the newest frame was taken whose pose is known.
const KNOWN_LATE: Duration = Duration::from_millis(400);
/// Shares of what somebody wants, the fastest that may be is taken.
const SHARES: [f64; 4] = [1.0, 0.5, 0.25, 0.1];
/// How often a way is looked at.
const STEPS: u32 = 4;
/// A lens that stands at the limit is told to be a little beyond it at times.
const LENS_SLACK: f64 = 0.02;
/// A picture that is hidden so far has no less hidden side.
const WHOLLY: f64 = 0.9995;
/// What is hidden less by no more than this is not hidden less.
const LESS: f64 = 1e-3;

/// How a camera stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standing {
    /// Of the head, any turn.
    pub(super) pan_deg: f64,
    /// Of the head.
    pub(super) tilt_deg: f64,
    /// Horizontal field of view.
    pub(super) hfov_deg: f64,
}

impl Standing {
    /// Its pose, where nothing about it is uncertain.
    pub(super) fn pose(self) -> PoseEstimate {
        PoseEstimate {
            pan: Angle::from_deg(self.pan_deg),
            tilt: Angle::from_deg(self.tilt_deg),
            roll: Angle::from_deg(0.0),
            focal: focal(self.hfov_deg),
            support: Support::Bracketed { gap_s: 0.0 },
            margin: Margin {
                angle: Angle::from_deg(0.0),
                radial: 0.0,
                floor_px: 0.0,
            },
            drift: Drift::default(),
        }
    }

    /// Where it is `after_s` seconds later, moving so, as far as it reaches.
    fn later(self, rates: Rates, after_s: f64, reach: &Reach) -> Self {
        let pan_deg = self.pan_deg + rates.pan_deg_s * after_s;
        let ([left, right], [low, high]) = (reach.pan_deg, reach.tilt_deg);
        let [narrowest, widest] = reach.hfov_deg;
        let focal = focal(self.hfov_deg) * (rates.ln_focal_s * after_s).exp();
        Self {
            pan_deg: match reach.endless_pan {
                true => pan_deg,
                false => pan_deg.clamp(left.min(self.pan_deg), right.max(self.pan_deg)),
            },
            tilt_deg: (self.tilt_deg + rates.tilt_deg_s * after_s)
                .clamp(low.min(self.tilt_deg), high.max(self.tilt_deg)),
            hfov_deg: (2.0 * (0.5 / focal).atan().to_degrees()).clamp(narrowest, widest),
        }
    }
}

/// Focal length in frame widths of a field of view: 1/(2·tan(hfov/2)).
fn focal(hfov_deg: f64) -> f64 {
    0.5 / (hfov_deg.to_radians() / 2.0).tan()
}

/// Where one camera may look.
pub(super) struct NoGo<'a> {
    pub(super) rules: Steering,
    pub(super) reach: Reach,
    /// The share of the picture that zones hide there, 0…1.
    pub(super) hidden: &'a dyn Fn(Standing) -> f64,
}

impl NoGo<'_> {
    /// Whether there is anywhere that nobody may look.
    pub(super) fn any(rules: &Steering) -> bool {
        rules.least_hfov_deg.is_some() || rules.most_hidden_share.is_some()
    }

    /// Whether it may be sent there.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn place(&self, there: Standing) -> Result<(), String> {
        if let Some(least) = self.rules.least_hfov_deg
            && there.hfov_deg < least * (1.0 - LENS_SLACK)
        {
            return Err(too_close(least));
        }
        match self.rules.most_hidden_share {
            Some(most) if (self.hidden)(there) > most => Err(private(most)),
            _ => Ok(()),
        }
    }

    /// What of a turn may be passed on. `rates`: how fast the camera moves when it is
    /// turned so. `now`: where it stands; none where nobody knows.
    ///
    /// # Errors
    /// Why none of it may be: then the camera is to be stopped.
    pub(super) fn turn(
        &self,
        by: Deflection,
        now: Option<Standing>,
        rates: impl Fn(Deflection) -> Rates,
    ) -> Result<Deflection, String> {
        if !Self::any(&self.rules) {
            return Ok(by);
        }
        let now = now.ok_or("nobody knows where the camera looks: send it to a place instead")?;
        let by = self.lens(by, now, &rates)?;
        let Some(most) = self.rules.most_hidden_share else {
            return Ok(by);
        };
        let hidden_now = (self.hidden)(now);
        if hidden_now > most {
            let end = now.later(rates(by), horizon_s(), &self.reach);
            let less = (self.hidden)(end) < hidden_now - LESS;
            return match less || hidden_now >= WHOLLY {
                true => Ok(by),
                false => Err(private(most)),
            };
        }
        let free = |by: &Deflection| {
            let rates = rates(*by);
            (1..=STEPS).all(|step| {
                let after_s = horizon_s() * f64::from(step) / f64::from(STEPS);
                (self.hidden)(now.later(rates, after_s, &self.reach)) <= most
            })
        };
        let slower = SHARES.map(|share| scaled(by, share, share));
        slower.into_iter().find(free).ok_or_else(|| private(most))
    }

    /// The same, as far as the lens may go.
    fn lens(
        &self,
        by: Deflection,
        now: Standing,
        rates: impl Fn(Deflection) -> Rates,
    ) -> Result<Deflection, String> {
        let Some(least) = self.rules.least_hfov_deg else {
            return Ok(by);
        };
        if now.hfov_deg < least * (1.0 - LENS_SLACK) {
            return match by.zoom < 0.0 {
                true => Ok(by),
                false => Err(too_close(least)),
            };
        }
        if by.zoom <= 0.0 {
            return Ok(by);
        }
        let fits = |by: &Deflection| {
            let end = now.later(rates(*by), horizon_s(), &self.reach);
            end.hfov_deg >= least
        };
        let slower = SHARES.map(|share| scaled(by, 1.0, share));
        let without = scaled(by, 1.0, 0.0);
        match slower.into_iter().find(fits) {
            Some(by) => Ok(by),
            None if (without.pan, without.tilt) != (0.0, 0.0) => Ok(without),
            None => Err(too_close(least)),
        }
    }
}

/// How long after the frame that tells where it is a camera can go on before it
/// stands, whatever breaks, seconds.
fn horizon_s() -> f64 {
    (KNOWN_LATE + DEAD_MAN + STOPS_WITHIN).as_secs_f64()
}

fn scaled(by: Deflection, head: f64, lens: f64) -> Deflection {
    Deflection {
        pan: by.pan * head,
        tilt: by.tilt * head,
        zoom: by.zoom * lens,
    }
}

fn too_close(least: f64) -> String {
    format!("nobody may look closer here than {least}\u{b0} of view")
}

fn private(most: f64) -> String {
    format!(
        "nobody may look where more than {:.0} % of the picture is private",
        most * 100.0
    )
}

#[cfg(test)]
mod tests;
