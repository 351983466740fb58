//! Where the camera looked at a capture time, and how sure that is.
//!
//! Samples of position arrive late and in lumps; frames ask for the pose at
//! *their* capture time. The answer is interpolated when samples bracket it,
//! extrapolated (with a margin that grows) when they do not yet, and refused
//! with a [`Reason`] when nothing safe can be said. This module must not know
//! protocols, pixels or GStreamer.

pub mod clockwatch;
mod curve;
mod drift;
mod estimate;
mod history;
pub mod profile;
mod source;
#[cfg(test)]
pub(crate) mod testing;

pub use drift::Drift;
pub use history::{HistoryRules, PoseHistory, Pushed, TrustAfterRestart};
pub use profile::CameraProfile;
pub use source::{PoseSource, TimedSample};

use crate::clock::{CaptureTime, Mono};
use crate::event::Reason;
use crate::geom::Angle;

/// One accepted report of the camera's position, in degrees of our convention.
#[derive(Clone, Debug, PartialEq)]
pub struct PoseSample {
    /// When the head stood there, camera's clock.
    pub at: CaptureTime,
    /// Standard uncertainty of `at`, seconds.
    pub sigma_t_s: f64,
    /// Pan, degrees clockwise from above, any turn (unwrapped by the history).
    pub pan_deg: f64,
    /// Tilt, degrees upwards from the horizon.
    pub tilt_deg: f64,
    /// Zoom in the profile's own unit.
    pub zoom: f64,
    /// Horizontal field of view as reported, where the camera reports one.
    pub hfov_deg: Option<f64>,
    /// When the report reached the gateway.
    pub received: Mono,
}

/// How a pose was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Support {
    /// Between two samples `gap_s` apart.
    Bracketed {
        /// Seconds between the samples.
        gap_s: f64,
    },
    /// `ahead_s` seconds after the newest sample.
    Extrapolated {
        /// Seconds.
        ahead_s: f64,
    },
}

/// The pose at one capture time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoseEstimate {
    /// Pan, unwrapped.
    pub pan: Angle,
    /// Tilt.
    pub tilt: Angle,
    /// Roll, positive when the camera turns clockwise about its axis.
    pub roll: Angle,
    /// Focal length as a fraction of the frame's width: f_px = `focal` × width.
    pub focal: f64,
    /// How the pose was found.
    pub support: Support,
    /// How far zones must grow.
    pub margin: Margin,
    /// What of the margin another pose of the same camera does not share.
    pub drift: Drift,
}

impl PoseEstimate {
    /// The same pose with a direction that is less sure by `angle`.
    #[must_use]
    pub fn wider_by(mut self, angle: Angle) -> Self {
        self.margin.angle = Angle::from_rad(self.margin.angle.rad() + angle.rad());
        self
    }
}

/// How far a zone grows at radius r (px) from the frame's centre, DESIGN.md's
/// margin: f(1 + r²/f²)·`angle` + r·`radial` + `floor_px`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Margin {
    /// ε: uncertainty of the direction.
    pub angle: Angle,
    /// 2σ_lnf + |dlnf/dt|·τ + 2σ_roll: dimensionless share of r.
    pub radial: f64,
    /// Pixels that are always added: rasterising, chroma, what the camera's
    /// compression smears.
    pub floor_px: f64,
}

impl Margin {
    /// The margin in pixels at `r_px` from the centre for focal length `f_px`.
    ///
    /// DESIGN.md's formula is the first-order form of this: a direction at
    /// angle θ from the axis that turns by ε moves by f·(tan(θ+ε) − tan θ) =
    /// f·(1 + r²/f²)·tan ε / (1 − (r/f)·tan ε), and a scale that is off by
    /// e^`radial` (or a roll by `radial`) moves it by r·(e^`radial` − 1) more.
    /// Far outside the frame, where θ+ε nears 90°, the growth is capped at
    /// twenty times the first order, so that the result stays finite.
    pub fn px_at(&self, r_px: f64, f_px: f64) -> f64 {
        let slope = r_px / f_px;
        let turn = self.angle.rad().clamp(0.0, MOST_TURN_RAD).tan();
        let left = (1.0 - slope * turn).max(0.05);
        let moved = f_px * (1.0 + slope * slope) * turn / left;
        let radial = self.radial.clamp(0.0, MOST_RADIAL);
        moved * radial.exp() + r_px * radial.exp_m1() + self.floor_px
    }
}

/// Beyond these a margin covers any frame: bounds that keep `px_at` finite.
const MOST_TURN_RAD: f64 = 1.5;
const MOST_RADIAL: f64 = 3.0;

/// What is known about one thing at one capture time.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence<T> {
    /// Complete: nothing that may still arrive would improve it.
    Known(T),
    /// More may arrive. `so_far` is what must be used when the budget ends
    /// first: an extrapolation, or the reason to cover.
    Pending {
        /// The best answer now.
        so_far: Result<T, Reason>,
    },
    /// Nothing safe can be said, and waiting does not help: cover.
    Unknown(Reason),
}
