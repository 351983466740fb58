//! How a turning camera can stand, and its pose when it stands there at rest.

use crate::clock::{CaptureTime, Mono};
use crate::config::{Camera, Kind};
use crate::event::Reason;
use crate::geom::{Angle, Direction, Gaze, Mount, Optics, Size, View};
use crate::pose::{CameraProfile, Evidence, HistoryRules, PoseEstimate, PoseHistory, PoseSample};
use std::sync::Arc;

/// The least uncertainty of a report's time that the gateway ever assumes, so the
/// narrowest margin at rest: nothing is drawn larger than it is painted.
const SIGMA_T_S: f64 = 1e-3;
/// Reports that a pose at rest is made of: enough to know that it rests.
const REPORTS: u32 = 8;

/// Where a head stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    pub(super) pan_deg: f64,
    pub(super) tilt_deg: f64,
    pub(super) zoom: f64,
}

/// What a turning camera can reach, and through which lens.
#[derive(Clone, Debug)]
pub(super) struct Stance {
    pub(super) profile: Arc<CameraProfile>,
    pub(super) optics: Optics,
    pub(super) mount: Mount,
    pub(super) size: Size,
    rate_hz: f64,
}

impl Stance {
    /// None for a camera that never moves.
    ///
    /// # Errors
    /// Why nobody knows how it moves: then all of its picture is covered.
    pub(super) fn of(camera: &Camera, size: Size) -> Result<Option<Self>, String> {
        let Kind::Ptz { profile, telemetry } = &camera.kind else {
            return Ok(None);
        };
        let profile = profile.clone()?;
        let (lens, hang) = (profile.document().distortion, profile.document().mount);
        let optics = Optics::new(lens.k1, lens.k2).map_err(|e| e.to_string())?;
        let [pan, pitch, roll] = [hang.pan_deg, hang.pitch_deg, hang.roll_deg].map(Angle::from_deg);
        let mount = Mount::new(pan, pitch, roll, hang.upside_down).map_err(|e| e.to_string())?;
        Ok(Some(Self {
            profile,
            optics,
            mount,
            size,
            rate_hz: telemetry.rate_hz,
        }))
    }

    /// The head's pan, lowest and highest, degrees.
    pub(super) fn pan_deg(&self) -> [f64; 2] {
        ordered(self.profile.document().pan.to_deg)
    }

    /// Whether it turns on without end.
    pub(super) fn is_endless(&self) -> bool {
        self.profile.document().pan.wraps
    }

    /// The head's tilt, lowest and highest, degrees.
    pub(super) fn tilt_deg(&self) -> [f64; 2] {
        ordered(self.profile.document().tilt.to_deg)
    }

    /// The zooms that show most and least of the world.
    pub(super) fn zooms(&self) -> [f64; 2] {
        let (a, b) = self.profile.zoom_range();
        match self.hfov_deg(a) >= self.hfov_deg(b) {
            true => [a, b],
            false => [b, a],
        }
    }

    /// The horizontal field of view, degrees; not a number outside the calibration.
    pub(super) fn hfov_deg(&self, zoom: f64) -> f64 {
        let focal = self.profile.ln_focal(zoom).map_or(f64::NAN, f64::exp);
        2.0 * (0.5 / focal).atan().to_degrees()
    }

    /// The vertical field of view, degrees, before distortion.
    pub(super) fn vfov_deg(&self, zoom: f64) -> f64 {
        let focal = self.profile.ln_focal(zoom).map_or(f64::NAN, f64::exp);
        let ratio = f64::from(self.size.height) / f64::from(self.size.width);
        2.0 * (0.5 * ratio / focal).atan().to_degrees()
    }

    /// The position whose picture has `direction` nearest to its middle, `aside`
    /// degrees of pan and tilt from it, within reach.
    pub(super) fn aimed(&self, direction: Direction, aside: [f64; 2], zoom: f64) -> Position {
        let (pan, tilt) = self.mount.head_towards(direction);
        let [low, high] = self.pan_deg();
        let wanted = pan.deg() + aside[0];
        // The turn of it that the head can reach, if any can.
        let turns = [0.0, 360.0, -360.0].map(|turn| wanted + turn);
        let inside = turns.into_iter().find(|p| (low..=high).contains(p));
        let miss = |p: &f64| (p - p.clamp(low, high)).abs();
        let nearest = turns.into_iter().min_by(|a, b| miss(a).total_cmp(&miss(b)));
        let [lowest, highest] = self.tilt_deg();
        Position {
            pan_deg: inside.or(nearest).unwrap_or(wanted).clamp(low, high),
            tilt_deg: (tilt.deg() + aside[1]).clamp(lowest, highest),
            zoom,
        }
    }

    /// The pose that the gateway's own history gives for a head that stands still
    /// there, with its margin.
    ///
    /// # Errors
    /// Why the picture is covered there.
    pub(super) fn pose(&self, position: Position) -> Result<PoseEstimate, Reason> {
        let mut history = PoseHistory::new(self.profile.clone(), HistoryRules::default());
        let gap_s = 1.0 / self.rate_hz;
        let at = |n: f64| CaptureTime(1_000_000_000_000).plus_seconds(n * gap_s);
        for n in 0..REPORTS {
            let _ = history.push(&PoseSample {
                at: at(f64::from(n)),
                sigma_t_s: SIGMA_T_S,
                pan_deg: position.pan_deg,
                tilt_deg: position.tilt_deg,
                zoom: position.zoom,
                hfov_deg: None,
                received: Mono(0),
            });
        }
        match history.at(at(f64::from(REPORTS) - 3.5), Mono(0)) {
            Evidence::Known(pose) => Ok(pose),
            Evidence::Pending { so_far } => so_far,
            Evidence::Unknown(reason) => Err(reason),
        }
    }

    /// Through which directions of the world are seen then.
    pub(super) fn view(&self, pose: &PoseEstimate) -> Option<View> {
        let gaze = Gaze {
            pan: pose.pan,
            tilt: pose.tilt,
            roll: pose.roll,
        };
        let focal_px = pose.focal * f64::from(self.size.width);
        View::new(gaze, focal_px, self.size, self.optics, self.mount).ok()
    }
}

fn ordered([a, b]: [f64; 2]) -> [f64; 2] {
    [a.min(b), a.max(b)]
}
