//! Zones: the private places of one camera, and where they lie in a frame.
//!
//! A zone document (JSON, `format: 1`) is read, validated and projected here.
//! This module must not know time, telemetry, pixels' values or GStreamer.

mod compare;
mod document;
mod error;
mod json;
mod read;
mod reader;
mod region;
mod trim;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::geom::{GeomError, ImagePolygon, Mount, Optics, PixelPoint, Size, SpherePolygon};
use crate::pose::PoseEstimate;

pub use document::{Document, FORMAT, PicturePoint, Preset, Shape, SpherePoint, Trim, Zone};
pub use error::{ZoneError, ZoneErrors};
pub use read::{MAX_DOCUMENT_BYTES, MAX_POINTS, MAX_PRESETS, MAX_TRIM_DEG, MAX_ZONE_POINTS};
pub use region::IMAGE_MARGIN_PX;
pub use trim::{FADE_DEG, NEAR_DEG, SETTLED_DEG};

/// The checked zones of one camera. There is no way to make one from a document
/// with errors, nor an empty one without a reason.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneSet {
    document: Document,
    /// In the order of the document's zones.
    outlines: Vec<read::Outline>,
    index_of: HashMap<String, usize>,
}

impl ZoneSet {
    /// Reads the zone document of camera `camera_id`.
    ///
    /// # Errors
    /// Everything that is wrong, at once, with place and remedy: the camera
    /// must stay covered.
    pub fn parse(bytes: &[u8], camera_id: &str) -> Result<Self, ZoneErrors> {
        Self::read(bytes, Some(camera_id))
    }

    /// Reads a zone document for whichever camera it names: for tools that
    /// look at documents, not for a camera that is about to be masked.
    ///
    /// # Errors
    /// As [`ZoneSet::parse`].
    pub fn parse_for_any_camera(bytes: &[u8]) -> Result<Self, ZoneErrors> {
        Self::read(bytes, None)
    }

    /// Checks a document made in memory, as if it had been read.
    ///
    /// # Errors
    /// As [`ZoneSet::parse`]; the lines are those of [`Document::to_json`].
    pub fn from_document(document: &Document, camera_id: &str) -> Result<Self, ZoneErrors> {
        match document.to_json() {
            Ok(text) => Self::parse(text.as_bytes(), camera_id),
            Err(e) => Err(ZoneErrors::whole(
                e.to_string(),
                "make a document that can be written",
            )),
        }
    }

    fn read(bytes: &[u8], camera_id: Option<&str>) -> Result<Self, ZoneErrors> {
        let (document, outlines) = read::read(bytes, camera_id)?;
        let index_of = document
            .zones
            .iter()
            .enumerate()
            .map(|(i, zone)| (zone.id.clone(), i))
            .collect();
        Ok(Self {
            document,
            outlines,
            index_of,
        })
    }

    /// What was read.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The zones; [`Region::zone`] is an index into them.
    pub fn zones(&self) -> &[Zone] {
        &self.document.zones
    }

    /// Whether everything outside some zones is to be hidden.
    pub fn has_show_only(&self) -> bool {
        self.zones().iter().any(|zone| zone.mode == Mode::ShowOnly)
    }

    /// Whether any zone lies on the sphere: without a pose the camera is covered.
    pub fn needs_pose(&self) -> bool {
        self.outlines
            .iter()
            .any(|outline| matches!(outline, read::Outline::Sphere(_)))
    }

    /// The polygon of the zone with this index, if it is one of directions.
    pub fn sphere_polygon(&self, zone: usize) -> Option<&SpherePolygon> {
        match self.outlines.get(zone) {
            Some(read::Outline::Sphere(polygon)) => Some(polygon),
            _ => None,
        }
    }

    /// The polygon of the zone with this index, if it is one of the picture.
    pub fn image_polygon(&self, zone: usize) -> Option<&ImagePolygon> {
        match self.outlines.get(zone) {
            Some(read::Outline::Image(polygon)) => Some(polygon),
            _ => None,
        }
    }

    /// Where the zones lie in a frame of `size`: those that may touch it, grown
    /// by the margin of `pose` and by the trims of the presets it is near.
    ///
    /// # Errors
    /// [`CannotPlace`] for a sphere zone without a pose, numbers that are not
    /// finite, a lens that folds, a margin beyond what a picture can show: the
    /// whole frame must be covered.
    pub fn regions(
        &self,
        pose: Option<&PoseEstimate>,
        optics: &Optics,
        mount: &Mount,
        size: Size,
    ) -> Result<Vec<Region>, CannotPlace> {
        region::regions(self, pose, *optics, *mount, size)
    }

    /// Where zones of the picture lie in a frame of `size` that may lie `more_px` beside the
    /// one they were drawn for: grown by that beyond [`IMAGE_MARGIN_PX`], with a rim of it
    /// along the picture's sides, as a zone more than there are.
    ///
    /// # Errors
    /// [`CannotPlace`] for a zone on the sphere, and numbers that are not finite: the whole
    /// frame must be covered.
    pub fn picture_regions(&self, size: Size, more_px: f64) -> Result<Vec<Region>, CannotPlace> {
        region::in_picture(self, size, more_px)
    }
}

/// Nobody can say where a zone lies in a frame.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("zone {zone:?} cannot be placed in the picture: {why}")]
pub struct CannotPlace {
    /// Its id.
    pub zone: String,
    /// What stands against it.
    pub why: GeomError,
}

/// What a zone does to the frame.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The inside is hidden.
    Hide,
    /// Everything outside all show-only zones is hidden.
    ShowOnly,
}

/// A corner of a region with the margin that holds there. Between two corners
/// the margin is at most the linear interpolation of theirs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrownPoint {
    /// Where, in pixels; may lie outside the frame.
    pub at: PixelPoint,
    /// How far the region grows (hide) or shrinks (show-only) there, pixels.
    pub margin_px: f64,
}

/// One zone, or something that was detected, as it lies in one frame: a closed
/// outline of straight edges.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Index of the zone in its [document](self), for explanations; one past the last for the
    /// picture's rim; `None` for what was detected.
    pub zone: Option<usize>,
    /// What it does.
    pub mode: Mode,
    /// The outline, at least three corners, closed implicitly, filled non-zero.
    pub outline: Vec<GrownPoint>,
}
