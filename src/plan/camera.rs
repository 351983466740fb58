//! One camera's zones with what they are seen through.

use super::RegionSource;
use crate::geom::{Mount, Optics, Size};
use crate::pose::PoseEstimate;
use crate::zone::{CannotPlace, Region, ZoneSet};

/// A camera's zones, its lens at the frame's zoom and its mount.
#[derive(Clone, Copy, Debug)]
pub struct CameraZones<'a> {
    /// The zones.
    pub zones: &'a ZoneSet,
    /// The lens.
    pub optics: Optics,
    /// How the camera hangs.
    pub mount: Mount,
}

impl RegionSource for CameraZones<'_> {
    fn regions(&self, pose: Option<&PoseEstimate>, size: Size) -> Result<Vec<Region>, CannotPlace> {
        self.zones.regions(pose, &self.optics, &self.mount, size)
    }

    fn has_show_only(&self) -> bool {
        self.zones.has_show_only()
    }

    fn needs_pose(&self) -> bool {
        self.zones.needs_pose()
    }
}
