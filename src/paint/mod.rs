//! Painting: applies a [`Plan`] to a frame in place.
//!
//! The only maker of [`MaskedFrame`]. Whatever goes wrong on the way covers the
//! whole frame; where even that fails, the frame is shut into a [`PaintFailed`]
//! that can only be dropped. This module must not know how a plan came to be,
//! nor GStreamer: a frame's memory comes through [`Paintable`].

mod bits;
mod caption;
mod coverage;
mod fill;
mod margin;
mod mosaic;
mod planes;
mod readback;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::event::Reason;
use crate::frame::{FrameError, FrameMut};
use crate::plan::{Hide, Plan};
use crate::zone::Region;
use mosaic::Mosaic;

pub use coverage::Coverage;

/// The luma of what is hidden: the middle of the scale, bright enough to be
/// seen as a plane and not as night.
pub const GREY: u8 = 128;

/// The chroma of what is hidden: none.
pub const NEUTRAL: u8 = 128;

/// A frame's memory that can be written.
pub trait Paintable {
    /// The writable planes.
    ///
    /// # Errors
    /// Why the memory cannot be mapped or is not the picture it claims to be.
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError>;
}

/// A frame that has been masked; nothing else may leave.
///
/// Only [`paint`] makes one:
///
/// ```
/// # use greyplane::{event::Reason, geom::Size, plan::Plan};
/// # use greyplane::frame::{FrameError, FrameMut, PixelFormat, PlaneMut};
/// # use greyplane::paint::{paint, MaskedFrame, Paintable};
/// struct Grab(Vec<u8>);
/// # impl Paintable for Grab {
/// #     fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
/// #         let (y, uv) = self.0.split_at_mut(4);
/// #         let planes = vec![PlaneMut { data: y, stride: 2 }, PlaneMut { data: uv, stride: 2 }];
/// #         FrameMut::new(PixelFormat::Nv12, Size { width: 2, height: 2 }, planes)
/// #     }
/// # }
/// fn push(frame: MaskedFrame<Grab>) -> Vec<u8> {
///     frame.into_inner().0
/// }
/// let grab = Grab(vec![17; 6]);
/// let plan = Plan::cover(Size { width: 2, height: 2 }, Reason::Starting);
/// let masked = paint(&plan, grab).expect("the memory is a picture");
/// assert_eq!(push(masked), [128; 6]);
/// ```
///
/// The same, but around `paint`, does not compile:
///
/// ```compile_fail,E0451
/// # use greyplane::{event::Reason, geom::Size, plan::Plan};
/// # use greyplane::frame::{FrameError, FrameMut, PixelFormat, PlaneMut};
/// # use greyplane::paint::{paint, MaskedFrame, Paintable};
/// struct Grab(Vec<u8>);
/// # impl Paintable for Grab {
/// #     fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
/// #         let (y, uv) = self.0.split_at_mut(4);
/// #         let planes = vec![PlaneMut { data: y, stride: 2 }, PlaneMut { data: uv, stride: 2 }];
/// #         FrameMut::new(PixelFormat::Nv12, Size { width: 2, height: 2 }, planes)
/// #     }
/// # }
/// fn push(frame: MaskedFrame<Grab>) -> Vec<u8> {
///     frame.into_inner().0
/// }
/// let grab = Grab(vec![17; 6]);
/// let plan = Plan::cover(Size { width: 2, height: 2 }, Reason::Starting);
/// let masked = MaskedFrame { inner: grab, painted: todo!() };
/// assert_eq!(push(masked), [128; 6]);
/// ```
#[derive(Debug)]
pub struct MaskedFrame<B> {
    inner: B,
    painted: Painted,
}

impl<B> MaskedFrame<B> {
    /// The masked frame's carrier, to push on.
    pub fn into_inner(self) -> B {
        self.inner
    }

    /// The masked frame's carrier, to look at.
    pub fn inner(&self) -> &B {
        &self.inner
    }

    /// What was done to it.
    pub fn painted(&self) -> &Painted {
        &self.painted
    }
}

/// What [`paint`] did.
#[derive(Clone, Debug, PartialEq)]
pub struct Painted {
    /// The hidden part of the frame, 0…1.
    pub hidden_share: f64,
    /// Why all of it was hidden, where that is not merely what the regions say:
    /// the plan's reason, or one that was found here.
    pub covered: Option<Reason>,
    /// Painted samples did not read back as hidden; the frame was covered.
    /// Raise an alarm: [`ReadBackFailed`](crate::event::Event::ReadBackFailed).
    pub read_back_failed: bool,
}

/// A frame that could not even be covered. It cannot be taken out again: drop
/// it, and count it as [`Unpaintable`](crate::event::DropReason::Unpaintable).
///
/// ```
/// fn look<B>(failed: greyplane::paint::PaintFailed<B>) -> String {
///     failed.error().to_string()
/// }
/// ```
///
/// The same, but with the frame, does not compile:
///
/// ```compile_fail,E0616
/// fn look<B>(failed: greyplane::paint::PaintFailed<B>) -> B {
///     failed.carrier
/// }
/// ```
pub struct PaintFailed<B> {
    error: PaintError,
    /// Kept so that it is dropped where the caller drops this, not inside
    /// `paint`; it has no way out.
    #[allow(dead_code, reason = "held only to be dropped with this value")]
    carrier: B,
}

impl<B> PaintFailed<B> {
    /// Why.
    pub fn error(&self) -> &PaintError {
        &self.error
    }
}

// By hand: the carrier's own `Debug` might show the picture.
impl<B> fmt::Debug for PaintFailed<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaintFailed")
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<B> fmt::Display for PaintFailed<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<B> std::error::Error for PaintFailed<B> {}

/// Why a frame could not be covered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaintError {
    /// Its memory is not a picture we can write.
    #[error("the frame's memory cannot be painted: {0}")]
    Planes(#[from] FrameError),
    /// It was covered, and still did not read back as covered.
    #[error("a covered frame did not read back as covered")]
    NotCovered,
}

/// Hides in `frame` what `plan` says, and checks it.
///
/// Hidden luma becomes [`GREY`] and hidden chroma [`NEUTRAL`]; a chroma sample
/// is hidden when any luma sample it colours is. Nothing else is written, in
/// particular no byte between the end of a row and the stride. Afterwards
/// points of every region are read back, found without the rasteriser's help;
/// one that is not hidden covers the frame. A plan for another size covers it
/// too. Covered frames say why in a caption. Where the plan wants a mosaic,
/// things (regions of no zone) then show at most 25 flat colours each, zones
/// never anything.
///
/// # Errors
/// [`PaintFailed`] where the frame could not even be covered; it holds the
/// frame and never lets go of it.
pub fn paint<B: Paintable>(plan: &Plan, frame: B) -> Result<MaskedFrame<B>, PaintFailed<B>> {
    paint_by(Coverage::of, plan, frame)
}

/// [`paint`] with the rasteriser given, so that a test can give a broken one.
fn paint_by<B: Paintable>(
    rasterise: impl FnOnce(&Plan) -> Coverage,
    plan: &Plan,
    mut frame: B,
) -> Result<MaskedFrame<B>, PaintFailed<B>> {
    let painted = frame
        .planes()
        .map_err(PaintError::from)
        .and_then(|mut planes| hide(rasterise, plan, &mut planes));
    match painted {
        Ok(painted) => Ok(MaskedFrame {
            inner: frame,
            painted,
        }),
        Err(error) => Err(PaintFailed {
            error,
            carrier: frame,
        }),
    }
}

fn hide(
    rasterise: impl FnOnce(&Plan) -> Coverage,
    plan: &Plan,
    frame: &mut FrameMut<'_>,
) -> Result<Painted, PaintError> {
    let size = frame.size();
    let regions = match &plan.hide {
        _ if plan.size != size => {
            let [is, was] = [size, plan.size].map(|s| format!("{}x{}", s.width, s.height));
            let detail = format!("{was} to {is}");
            return cover(frame, Reason::StreamChanged { detail }, false);
        }
        Hide::All(reason) => return cover(frame, reason.clone(), false),
        Hide::Regions { regions, show_only } => (regions, *show_only),
    };
    let coverage = rasterise(plan);
    let mosaic = plan.mosaic.then(|| Mosaic::of(frame, regions.0, regions.1));
    planes::paint(frame, &coverage);
    if !readback::regions_are_hidden(frame, regions.0, regions.1) {
        return cover(frame, Reason::PaintFailed, true);
    }
    if let Some(mosaic) = mosaic {
        mosaic.put(frame);
        let zones: Vec<Region> = zones_of(regions.0);
        if !readback::regions_are_hidden(frame, &zones, regions.1) {
            return cover(frame, Reason::PaintFailed, true);
        }
    }
    Ok(Painted {
        hidden_share: coverage.share(),
        covered: None,
        read_back_failed: false,
    })
}

fn zones_of(regions: &[Region]) -> Vec<Region> {
    let zones = regions.iter().filter(|r| r.zone.is_some());
    zones.cloned().collect()
}

fn cover(
    frame: &mut FrameMut<'_>,
    reason: Reason,
    read_back_failed: bool,
) -> Result<Painted, PaintError> {
    planes::cover(frame);
    if !readback::all_is_hidden(frame) {
        return Err(PaintError::NotCovered);
    }
    caption::draw(frame, &reason.to_string());
    Ok(Painted {
        hidden_share: 1.0,
        covered: Some(reason),
        read_back_failed,
    })
}
