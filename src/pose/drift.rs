//! How far two poses of one camera may be off *against each other*.
//!
//! What is carried from one picture to another does not care where the camera
//! really looks, only how it turned between the two. What both poses are off by
//! alike drops out of that: the calibration, the offset between the clocks of
//! frames and reports, the middle of the exposure. [`Margin`] of a pose bounds
//! all of it; [`Drift`] keeps apart what does not drop out:
//!
//! * each pose's own error: how far the head may have been from the line
//!   between two reports, the reports' own noise and stamps;
//! * a common shift of time δ moves two poses by δ times *the difference* of
//!   their speeds;
//! * a focal length (or roll) that is off by a share moves what turned by an
//!   angle by that share of the angle; a lens beside the pan axis likewise.
//!
//! Common to all pictures is the offset between the frames' clock and the
//! reports' (that is what the uncertainty of a capture time is: frames are stamped
//! by one RTP clock) and the middle of the exposure. When its row was read is each
//! picture's own.

use super::estimate::turn_of_picture;
use super::{Margin, PoseEstimate};
use crate::geom::Angle;

/// What a pose does not share with others of the same camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drift {
    /// Own errors of pan and tilt, degrees, and of ln f.
    pub(crate) own: [f64; 3],
    /// Their speeds, per second.
    pub(super) speed: [f64; 3],
    /// By how much time all poses may be off together, seconds.
    pub(super) shared_s: f64,
    /// Calibration errors as a share of the angle between two poses.
    pub(super) shared: f64,
}

/// Slower than this a head stands still, degrees a second…
const STILL_DEG_S: f64 = 0.5;
/// …and a lens, in ln f a second.
const STILL_LN_F_S: f64 = 0.02;

impl PoseEstimate {
    /// Whether the camera turns or zooms at that moment.
    pub fn moves(&self) -> bool {
        let [pan, tilt, ln_focal] = self.drift.speed.map(f64::abs);
        pan.max(tilt) > STILL_DEG_S || ln_focal > STILL_LN_F_S
    }

    /// How far what was carried from the picture of `other` to the picture of
    /// this pose (or back) may be from where it really is.
    pub fn against(&self, other: &Self) -> Margin {
        let (own, others) = (self.drift, other.drift);
        let shared_s = own.shared_s.max(others.shared_s);
        let axis = |i: usize| {
            own.own[i] + others.own[i] + shared_s * (own.speed[i] - others.speed[i]).abs()
        };
        let (pan_err, tilt_err, ln_focal_err) = (axis(0), axis(1), axis(2));
        let turns = [self, other].map(|p| turn_of_picture(p.tilt.deg(), pan_err, tilt_err));
        let (swing, roll) = (turns[0].0.max(turns[1].0), turns[0].1.max(turns[1].1));
        let turned = (self.pan.rad() - other.pan.rad()).hypot(self.tilt.rad() - other.tilt.rad());
        let zoomed = (self.focal / other.focal).ln().abs();
        let shared = own.shared.max(others.shared);
        Margin {
            // What is off by a share moves what turned by that share of the turn.
            angle: Angle::from_rad(swing + (shared + ln_focal_err) * turned),
            radial: ln_focal_err + roll + shared * zoomed,
            floor_px: 0.0,
        }
    }
}
