//! The plan: what of one frame will be hidden, and why.
//!
//! Pure and comparable: the same evidence gives the same plan. Whatever is not
//! known covers the frame. This module must not know pixels' values, clocks or
//! GStreamer.

mod camera;
mod decide;
#[cfg(test)]
mod tests;

use crate::event::{CameraState, Reason};
use crate::geom::Size;
use crate::zone::Region;

pub use camera::{CameraZones, PictureZones};
pub use decide::{MarginLimits, PlanInput, RegionSource, decide};

/// What of one frame is hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The frame's size this plan is for; painting another size covers it.
    pub size: Size,
    /// What to hide.
    pub hide: Hide,
    /// What the observer is told.
    pub state: CameraState,
    /// Whether what was detected is shown as a few flat colours instead of
    /// grey. Zones are always grey.
    pub mosaic: bool,
}

/// How much is hidden.
#[derive(Clone, Debug, PartialEq)]
pub enum Hide {
    /// Everything, with the reason written on it.
    All(Reason),
    /// These regions. Without a show-only region everything else is shown;
    /// with at least one, everything outside them is hidden too.
    Regions {
        /// The regions that touch the frame.
        regions: Vec<Region>,
        /// Whether the camera has any show-only zone (they may all lie outside this frame).
        show_only: bool,
    },
}

impl Plan {
    /// The plan that hides all of a frame. A camera that does not send
    /// ([`Reason::NoSignal`]) is in the state `no-signal`, any other `covered`:
    /// so the grey picture of a camera that is gone is planned and painted in
    /// the same way as any other.
    pub fn cover(size: Size, reason: Reason) -> Self {
        Self {
            size,
            hide: Hide::All(reason.clone()),
            mosaic: false,
            state: match reason {
                Reason::NoSignal { .. } => CameraState::NoSignal(reason),
                _ => CameraState::Covered(reason),
            },
        }
    }
}
