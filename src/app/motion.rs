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

impl CameraMotion for Motion {
    fn carry(&self, from: CaptureTime, to: CaptureTime, point: PixelPoint) -> Option<PixelPoint> {
        let Self::Turning {
            poses,
            optics,
            mount,
            clock,
            size,
        } = self
        else {
            return Some(point);
        };
        let size = *size.get()?;
        let now = clock.mono();
        let view = |t| {
            let pose: PoseEstimate = match poses.at(t, now) {
                Evidence::Known(pose) => pose,
                Evidence::Pending { so_far } => so_far.ok()?,
                Evidence::Unknown(_) => return None,
            };
            let gaze = Gaze {
                pan: pose.pan,
                tilt: pose.tilt,
                roll: pose.roll,
            };
            let focal_px = pose.focal * f64::from(size.width);
            View::new(gaze, focal_px, size, *optics, *mount).ok()
        };
        let (was, is) = (view(from)?, view(to)?);
        is.project(was.unproject(point))
    }
}
