//! How the picture moves when the camera turns: where a point of one picture
//! lies in another.

use crate::clock::{CaptureTime, Clock};
use crate::geom::{Gaze, Mount, Optics, PixelPoint, Size, View};
use crate::pose::{Evidence, PoseEstimate, PoseSource};
use crate::track::CameraMotion;
use std::sync::{Arc, OnceLock};

/// One camera's.
pub(super) enum Motion {
    /// It never moves.
    Fixed,
    /// It turns: two poses and the lens tell.
    Turning {
        poses: Arc<PoseSource>,
        optics: Optics,
        mount: Mount,
        clock: Arc<dyn Clock>,
        /// The size of its pictures, once there are any.
        size: Arc<OnceLock<Size>>,
    },
}

impl Motion {
    /// The pose of a turning camera at `t`; `None` where it is not known.
    fn pose(&self, t: CaptureTime) -> Option<PoseEstimate> {
        let Self::Turning { poses, clock, .. } = self else {
            return None;
        };
        match poses.at(t, clock.mono()) {
            Evidence::Known(pose) => Some(pose),
            Evidence::Pending { so_far } => so_far.ok(),
            Evidence::Unknown(_) => None,
        }
    }

    /// The longest focal length that the picture taken at `t` may have had,
    /// pixels; `None` where the lens or the position is not known.
    pub(super) fn focal_px(&self, t: CaptureTime) -> Option<f64> {
        let Self::Turning { size, .. } = self else {
            return None;
        };
        let pose = self.pose(t)?;
        Some(pose.focal * pose.margin.radial.exp() * f64::from(size.get()?.width))
    }
}

impl CameraMotion for Motion {
    fn carry(&self, from: CaptureTime, to: CaptureTime, point: PixelPoint) -> Option<PixelPoint> {
        let ([carried, ..], _) = self.carry_corners(from, to, [point; 4])?;
        Some(carried)
    }

    fn carry_corners(
        &self,
        from: CaptureTime,
        to: CaptureTime,
        corners: [PixelPoint; 4],
    ) -> Option<([PixelPoint; 4], f64)> {
        let Self::Turning {
            optics,
            mount,
            size,
            ..
        } = self
        else {
            return Some((corners, 0.0));
        };
        let size = *size.get()?;
        // Each pose is asked for once: a report that comes meanwhile must not
        // give one box two of them.
        let (was, is) = (self.pose(from)?, self.pose(to)?);
        let view = |pose: &PoseEstimate| {
            let gaze = Gaze {
                pan: pose.pan,
                tilt: pose.tilt,
                roll: pose.roll,
            };
            let focal_px = pose.focal * f64::from(size.width);
            View::new(gaze, focal_px, size, *optics, *mount).ok()
        };
        let (before, after) = (view(&was)?, view(&is)?);
        let carry = |corner| after.project(before.unproject(corner));
        let [a, b, c, d] = corners.map(carry);
        let carried = [a?, b?, c?, d?];
        let [width, height] = [size.width, size.height].map(f64::from);
        let far = |corners: &[PixelPoint; 4]| {
            let radii = corners.map(|p| (p.x - width / 2.0).hypot(p.y - height / 2.0));
            radii.into_iter().fold(0.0, f64::max)
        };
        // Each pose's error of scale acts where the box is in its own picture.
        let r_px = far(&carried).max(far(&corners) * is.focal / was.focal);
        let unsure_px = is.against(&was).px_at(r_px, is.focal * width);
        Some((carried, unsure_px))
    }
}
