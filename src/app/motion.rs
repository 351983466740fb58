//! How the picture moves when the camera turns: where a point of one picture
//! lies in another.

use crate::clock::{CaptureTime, Clock};
use crate::detect::PixelBox;
use crate::geom::{Gaze, Mount, Optics, PixelPoint, Size, View};
use crate::pose::{Evidence, PoseEstimate, PoseSource};
use crate::track::CameraMotion;
use std::sync::{Arc, OnceLock};

/// Farther than any frame is wide.
const ANYWHERE_PX: f64 = 1e5;

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
}

impl Motion {
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
        let Self::Turning {
            optics,
            mount,
            size,
            ..
        } = self
        else {
            return Some(point);
        };
        let size = *size.get()?;
        let view = |t| {
            let pose = self.pose(t)?;
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

    fn unsure_px(&self, from: CaptureTime, to: CaptureTime, place: &PixelBox) -> f64 {
        let Self::Turning { size, .. } = self else {
            return 0.0;
        };
        let (Some(size), Some(was), Some(is)) = (size.get(), self.pose(from), self.pose(to)) else {
            // Known a moment ago, when the corners were carried.
            return ANYWHERE_PX;
        };
        let [width, height] = [size.width, size.height].map(f64::from);
        let far = |low: f64, high: f64, side: f64| {
            (low - side / 2.0).abs().max((high - side / 2.0).abs())
        };
        let r_px = far(place.x0, place.x1, width).hypot(far(place.y0, place.y1, height));
        is.against(&was).px_at(r_px, is.focal * width)
    }
}
