//! A still in memory, and its one way out.

use super::mark::{Mark, put};
use super::plan::StillPlan;
use crate::clock::CaptureTime;
use crate::frame::{FrameError, FrameMut, FrameRef, Picture};
use crate::geom::Size;
use crate::paint::{MaskedFrame, Paintable};
use crate::plan::Hide;
use crate::pose::PoseEstimate;
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// Quality of the JPEG, 1 to 100.
const QUALITY: u8 = 90;

/// The copy of a frame; overwritten when it is dropped.
pub(super) struct Taken(Picture);

impl Taken {
    pub(super) fn of(frame: &FrameRef<'_>) -> Result<Self, FrameError> {
        Picture::of(frame).map(Self)
    }
}

impl Paintable for Taken {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        self.0.frame_mut()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let rows = self.0.size().height as usize;
        // Never fails for a picture that exists.
        if let Ok(mut planes) = self.0.frame_mut() {
            for plane in 0..planes.plane_count() {
                (0..rows).for_each(|y| planes.row_mut(plane, y).zeroize());
            }
        }
    }
}

/// A still: its zones show, what was looked for in it is hidden.
///
/// Only a [`Slot`](super::Slot) makes one, and nothing takes it out but
/// [`marked`](Self::marked). That the picture cannot be had:
///
/// ```compile_fail,E0616
/// fn look(still: greyplane::still::ClearStill) {
///     let _ = still.masked;
/// }
/// ```
pub struct ClearStill {
    masked: MaskedFrame<Taken>,
    capture: Option<CaptureTime>,
    pose: Option<PoseEstimate>,
    hidden: usize,
}

// By hand: a derived one might write the picture into a log.
impl fmt::Debug for ClearStill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClearStill")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

/// A still that bears its marks cannot be made of this one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the still cannot be written as JPEG: {0}")]
pub struct CannotMark(String);

/// A marked still as JPEG: the picture, and nothing beside it. Overwritten when
/// it is dropped; cannot be copied.
pub struct Jpeg(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Jpeg {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Jpeg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jpeg({} bytes)", self.0.len())
    }
}

impl ClearStill {
    pub(super) fn new(
        masked: MaskedFrame<Taken>,
        capture: Option<CaptureTime>,
        plan: &StillPlan,
    ) -> Self {
        let hidden = match &plan.things.hide {
            Hide::Regions { regions, .. } => regions.len(),
            Hide::All(_) => 0,
        };
        Self {
            masked,
            capture,
            pose: plan.pose,
            hidden,
        }
    }

    /// Width and height, pixels.
    pub fn size(&self) -> Size {
        self.masked.inner().0.size()
    }

    /// Where the camera looked when it was taken; none for a fixed camera.
    pub fn pose(&self) -> Option<PoseEstimate> {
        self.pose
    }

    /// When it was taken, where the camera tells.
    pub fn capture(&self) -> Option<CaptureTime> {
        self.capture
    }

    /// How many faces, plates and people are hidden in it.
    pub fn hidden(&self) -> usize {
        self.hidden
    }

    /// The picture, with `mark` all over it.
    ///
    /// # Errors
    /// [`CannotMark`]; the picture is gone then.
    pub fn marked(self, mark: &Mark) -> Result<Jpeg, CannotMark> {
        let size = self.size();
        let mut rgb = Zeroizing::new(self.masked.inner().0.to_rgb());
        put(mark, &mut rgb, size, &mut rand::rng());
        // As long as it can become: one that grew would leave its parts behind.
        let mut jpeg = Zeroizing::new(Vec::with_capacity(rgb.len() + 4096));
        JpegEncoder::new_with_quality(&mut *jpeg, QUALITY)
            .write_image(&rgb, size.width, size.height, ExtendedColorType::Rgb8)
            .map_err(|e| CannotMark(e.to_string()))?;
        Ok(Jpeg(jpeg))
    }
}
