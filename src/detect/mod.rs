//! Detection: where faces, plates and people are in one picture.
//!
//! A part of a frame is brought to a network's input size ([`Letterbox`],
//! [`Preparer`]), the network runs ([`ort`], the only place that knows its
//! runtime), its outputs become boxes ([`decode`]), of which the surest stay
//! ([`nms`]). Must not know time, tracks, zones or what becomes of what it finds.

pub mod decode;
mod descriptor;
mod letterbox;
pub mod manifest;
pub mod nms;
#[cfg(feature = "gateway")]
pub mod ort;
mod prepare;
mod resample;
mod search;

use std::fmt;

use crate::frame::FrameRef;
use crate::geom::Size;

pub use decode::DecodeError;
pub use descriptor::{Channels, DecoderKind, Descriptor, DescriptorError, Input, Layout, Scores};
pub use letterbox::Letterbox;
pub use prepare::Preparer;
pub use search::{Part, Search, TILE_OVERLAP, sees_tiles, tiles};

/// What is looked for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A human face.
    Face,
    /// A licence plate.
    Plate,
    /// A whole figure.
    Person,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Face => "face",
            Self::Plate => "plate",
            Self::Person => "person",
        })
    }
}

/// An upright box in luma samples of a frame: x to the right, y downwards, the
/// centre of the first sample at (0.5, 0.5). It may reach beyond the frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelBox {
    /// Left edge.
    pub x0: f64,
    /// Upper edge.
    pub y0: f64,
    /// Right edge, at least `x0`.
    pub x1: f64,
    /// Lower edge, at least `y0`.
    pub y1: f64,
}

impl PixelBox {
    /// Width, samples.
    pub fn width(&self) -> f64 {
        self.x1 - self.x0
    }

    /// Height, samples.
    pub fn height(&self) -> f64 {
        self.y1 - self.y0
    }

    /// Area, samples².
    pub fn area(&self) -> f64 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// What both cover; empty boxes have no area.
    pub fn intersection(&self, other: &Self) -> Self {
        let (x0, y0) = (self.x0.max(other.x0), self.y0.max(other.y0));
        Self {
            x0,
            y0,
            x1: self.x1.min(other.x1).max(x0),
            y1: self.y1.min(other.y1).max(y0),
        }
    }

    /// Intersection over union, 0…1; 0 where both are empty.
    pub fn iou(&self, other: &Self) -> f64 {
        let both = self.intersection(other).area();
        let either = self.area() + other.area() - both;
        if either > 0.0 { both / either } else { 0.0 }
    }

    /// Grown about its centre: each side by `share` of the side, so that 0.3
    /// makes it 1.3 times as wide and as high.
    #[must_use]
    pub fn grown(&self, share: f64) -> Self {
        let (dx, dy) = (0.5 * share * self.width(), 0.5 * share * self.height());
        Self {
            x0: self.x0 - dx,
            y0: self.y0 - dy,
            x1: self.x1 + dx,
            y1: self.y1 + dy,
        }
    }

    /// Whether all numbers are finite and no side is negative.
    pub fn is_sound(&self) -> bool {
        [self.x0, self.y0, self.x1, self.y1]
            .iter()
            .all(|v| v.is_finite())
            && self.x1 >= self.x0
            && self.y1 >= self.y0
    }
}

/// One thing that a detector found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// What it is.
    pub class: Class,
    /// Where it is.
    pub at: PixelBox,
    /// How sure the detector is, 0…1.
    pub score: f32,
}

/// Finds things of one class in parts of frames.
pub trait Detector: Send {
    /// What it finds, and how its network is fed.
    fn descriptor(&self) -> &Descriptor;

    /// What is in the part `area` of `frame`, looked at with its longer side
    /// brought to `long_side` input samples. Boxes are in luma samples of the
    /// frame and may reach beyond `area`.
    ///
    /// # Errors
    /// [`DetectError`]; then nothing is known about this part of the frame.
    /// An empty list, in contrast, says that nothing was found there.
    fn detect(
        &mut self,
        frame: &FrameRef<'_>,
        area: &PixelBox,
        long_side: u32,
    ) -> Result<Vec<Detection>, DetectError>;
}

/// Why a part of a frame was not searched.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DetectError {
    /// Nobody looks for this class.
    #[error("no model finds a {class}")]
    NoModel {
        /// The class.
        class: Class,
    },
    /// There is nothing of the frame in the part.
    #[error("the part {area:?} is not in a frame of {}x{}", frame.width, frame.height)]
    Area {
        /// The part.
        area: PixelBox,
        /// The frame.
        frame: Size,
    },
    /// Not a size that inputs have.
    #[error("{0} is no input size; write 32 to 4096 for the longer side")]
    LongSide(u32),
    /// The runtime failed.
    #[error("{model}: the network did not run over {}x{} samples: {why}", input.width, input.height)]
    Run {
        /// The model.
        model: String,
        /// The size it was to run over.
        input: Size,
        /// What the runtime says.
        why: String,
    },
    /// The network ran, but its outputs cannot be read.
    #[error("{model}: {why}")]
    Decode {
        /// The model.
        model: String,
        /// What is wrong with them.
        why: DecodeError,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_overlap_and_grow() {
        let a = PixelBox {
            x0: 0.0,
            y0: 0.0,
            x1: 10.0,
            y1: 10.0,
        };
        let half = PixelBox {
            x0: 5.0,
            y0: 0.0,
            x1: 15.0,
            y1: 10.0,
        };
        let apart = PixelBox {
            x0: 20.0,
            y0: 0.0,
            x1: 30.0,
            y1: 10.0,
        };
        assert!((a.iou(&half) - 1.0 / 3.0).abs() < 1e-12);
        assert!(a.iou(&apart) == 0.0 && a.iou(&a) == 1.0);
        assert_eq!(a.grown(0.3).width(), 13.0);
        assert!(a.is_sound() && !PixelBox { x1: f64::NAN, ..a }.is_sound());
    }
}
