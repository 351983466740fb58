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

/// Zones of the picture of a camera that rests where they were drawn, or nearly there.
#[derive(Clone, Copy, Debug)]
pub struct PictureZones<'a> {
    /// The zones.
    pub zones: &'a ZoneSet,
    /// How far beside that it may rest, pixels: they grow by it.
    pub beside_px: f64,
}

impl RegionSource for PictureZones<'_> {
    fn regions(&self, _: Option<&PoseEstimate>, size: Size) -> Result<Vec<Region>, CannotPlace> {
        self.zones.picture_regions(size, self.beside_px)
    }

    fn has_show_only(&self) -> bool {
        self.zones.has_show_only()
    }

    fn needs_pose(&self) -> bool {
        self.zones.needs_pose()
    }
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
