//! Zones: the private places of one camera, and where they lie in a frame.
//!
//! A zone document (JSON, `format: 1`) is read, validated and projected here.
//! This module must not know time, telemetry, pixels' values or GStreamer.

use crate::geom::PixelPoint;

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

/// One zone as it lies in one frame: a closed outline of straight edges.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Index of the zone in its [document](self), for explanations.
    pub zone: usize,
    /// What it does.
    pub mode: Mode,
    /// The outline, at least three corners, closed implicitly, filled non-zero.
    pub outline: Vec<GrownPoint>,
}
