//! From evidence to a plan.

use super::{Hide, Plan};
use crate::detect::PixelBox;
use crate::event::{CameraState, Reason};
use crate::geom::{PixelPoint, Size};
use crate::pose::PoseEstimate;
use crate::zone::{CannotPlace, GrownPoint, Mode, Region};

/// Where the regions of a frame come from: a camera's zones with its optics.
pub trait RegionSource {
    /// The zones as they lie in a frame of `size`, with their margins. `pose`
    /// is `None` for a fixed camera.
    ///
    /// # Errors
    /// [`CannotPlace`]: the frame is to be covered.
    fn regions(&self, pose: Option<&PoseEstimate>, size: Size) -> Result<Vec<Region>, CannotPlace>;
    /// Whether any zone is show-only, wherever it lies.
    fn has_show_only(&self) -> bool;
    /// Whether the zones lie on the sphere, so that a pose is needed. False for
    /// the image zones of a fixed camera.
    fn needs_pose(&self) -> bool;
}

/// All that is known about one frame.
pub struct PlanInput<'a> {
    /// The frame's size.
    pub size: Size,
    /// The size for which the masks and the calibration were made, where one
    /// is known.
    pub made_for: Option<Size>,
    /// The zones, or why there are none.
    pub zones: Result<&'a dyn RegionSource, Reason>,
    /// Where the camera looked, or why that is not known; `None` where nothing
    /// was asked because the camera is fixed.
    pub pose: Option<Result<PoseEstimate, Reason>>,
    /// Faces, plates and people, grown as far as they may have moved, or why
    /// nobody knows where they are; `None` where none are looked for.
    pub things: Option<Result<&'a [PixelBox], Reason>>,
    /// Whether `things` are shown as a mosaic instead of grey.
    pub mosaic: bool,
    /// What stands against showing anything, whatever the zones say: the health
    /// of the sources. The first one is the one that is told.
    pub standing: &'a [Reason],
    /// How wide a margin may be.
    pub limits: MarginLimits,
}

/// How wide a margin may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MarginLimits {
    /// Above this largest margin in the frame, degrees, the camera's state is
    /// [`CameraState::Widened`].
    pub widened_deg: f64,
    /// Above this margin at the left and right edge of the frame, as a share of
    /// its width, the frame is covered.
    pub cover_share_of_width: f64,
}

impl Default for MarginLimits {
    /// Widened above 1°, covered above a quarter of the width.
    fn default() -> Self {
        Self {
            widened_deg: 1.0,
            cover_share_of_width: 0.25,
        }
    }
}

/// What to hide of a frame. Never fails: whatever is missing, wrong or too
/// uncertain is a reason to cover.
///
/// A frame of another size than `made_for` is covered: a camera that changes
/// its resolution often changes its crop too, and nothing in the stream tells.
pub fn decide(input: &PlanInput<'_>) -> Plan {
    match regions(input) {
        Ok(plan) => plan,
        Err(reason) => Plan::cover(input.size, reason),
    }
}

fn regions(input: &PlanInput<'_>) -> Result<Plan, Reason> {
    if let Some(reason) = input.standing.first() {
        return Err(reason.clone());
    }
    let zones = *input.zones.as_ref().map_err(Clone::clone)?;
    size_fits(input.size, input.made_for)?;
    let pose = match &input.pose {
        Some(Err(reason)) => return Err(reason.clone()),
        None if zones.needs_pose() => return Err(Reason::NoPosition),
        Some(Ok(pose)) if zones.needs_pose() => Some(pose),
        // Image zones do not turn along; a pose says nothing about them.
        Some(Ok(_)) | None => None,
    };
    let state = match pose {
        Some(pose) => margin_state(pose, input.size, &input.limits)?,
        None => CameraState::Live,
    };
    let things = match &input.things {
        Some(things) => *things.as_ref().map_err(Clone::clone)?,
        None => &[],
    };
    let mut regions = zones
        .regions(pose, input.size)
        .map_err(|e| Reason::Internal {
            detail: e.to_string(),
        })?;
    regions.extend(things.iter().map(rounded));
    if !regions.iter().all(is_sound) {
        return Err(Reason::Internal {
            detail: "a zone was projected to numbers that are none".to_owned(),
        });
    }
    Ok(Plan {
        size: input.size,
        hide: Hide::Regions {
            regions,
            show_only: zones.has_show_only(),
        },
        state,
        mosaic: input.mosaic,
    })
}

fn size_fits(is: Size, made_for: Option<Size>) -> Result<(), Reason> {
    match made_for {
        Some(was) if is != was => {
            let detail = format!("{}x{} to {}x{}", was.width, was.height, is.width, is.height);
            Err(Reason::StreamChanged { detail })
        }
        _ => Ok(()),
    }
}

fn margin_state(
    pose: &PoseEstimate,
    size: Size,
    limits: &MarginLimits,
) -> Result<CameraState, Reason> {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let f_px = pose.focal * width;
    let numbers = [
        pose.pan.rad(),
        pose.tilt.rad(),
        pose.roll.rad(),
        pose.margin.angle.rad(),
        pose.margin.radial,
        pose.margin.floor_px,
        limits.widened_deg,
        limits.cover_share_of_width,
    ];
    let sound = numbers.iter().all(|v| v.is_finite()) && f_px.is_finite() && f_px > 0.0;
    if !sound {
        return Err(Reason::Internal {
            detail: "the pose holds a number that is none".to_owned(),
        });
    }
    if numbers[3..].iter().any(|&v| v < 0.0) {
        return Err(Reason::Internal {
            detail: "the margin is negative".to_owned(),
        });
    }
    let share = pose.margin.px_at(width / 2.0, f_px) / width;
    // Asked this way round, so that what is not a number covers.
    let narrow = share <= limits.cover_share_of_width;
    if !narrow {
        // Also for what is not a number; and no caption of three hundred digits.
        return Err(Reason::MarginTooWide {
            percent: (100.0 * share).min(999.0),
        });
    }
    // A margin of m px at radius r is an angle of m·f/(f² + r²): the derivative
    // of atan(r/f). Largest in the middle, at the corner or, by its radial
    // part, where r = f.
    let corner = width.hypot(height) / 2.0;
    let margin_deg = [0.0, f_px.min(corner), corner]
        .map(|r| pose.margin.px_at(r, f_px) * f_px / (f_px * f_px + r * r))
        .into_iter()
        .fold(0.0, f64::max)
        .to_degrees();
    Ok(if margin_deg <= limits.widened_deg {
        CameraState::Live
    } else {
        CameraState::Widened { margin_deg }
    })
}

/// Half of a thing's smaller side that its corners are rounded by.
const ROUNDING: f64 = 0.5;

/// A box with round corners: the disc of the margin rolls around a smaller box.
fn rounded(thing: &PixelBox) -> Region {
    let radius = 0.5 * ROUNDING * thing.width().min(thing.height());
    let corner = |x, y| GrownPoint {
        at: PixelPoint { x, y },
        margin_px: radius,
    };
    let (x0, x1) = (thing.x0 + radius, thing.x1 - radius);
    let (y0, y1) = (thing.y0 + radius, thing.y1 - radius);
    Region {
        zone: None,
        mode: Mode::Hide,
        outline: vec![
            corner(x0, y0),
            corner(x1, y0),
            corner(x1, y1),
            corner(x0, y1),
        ],
    }
}

fn is_sound(region: &Region) -> bool {
    region.outline.len() >= 3
        && region.outline.iter().all(|p| {
            p.at.x.is_finite()
                && p.at.y.is_finite()
                && p.margin_px.is_finite()
                && p.margin_px >= 0.0
        })
}
