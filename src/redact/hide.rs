//! From boxes, or the lack of an answer, to the plan of one frame.

use crate::detect::PixelBox;
use crate::event::Reason;
use crate::geom::Size;
use crate::plan::{MarginLimits, Plan, PlanInput, RegionSource, decide};
use crate::pose::PoseEstimate;
use crate::zone::{CannotPlace, Region};
use serde::Serialize;

/// Why a whole frame is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cause {
    /// The decoder made parts of it up.
    Damaged,
    /// The detector failed on it.
    NotSearched,
    /// The tracks cannot be told there.
    TracksUnknown,
    /// It is not the frame that was searched.
    NotTheSame,
    /// What was painted did not read back as hidden.
    PaintFailed,
}

impl Cause {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::NotSearched => "not-searched",
            Self::TracksUnknown => "tracks-unknown",
            Self::NotTheSame => "not-the-same",
            Self::PaintFailed => "paint-failed",
        }
    }

    fn reason(self) -> Reason {
        let internal = |detail: &str| Reason::Internal {
            detail: detail.to_owned(),
        };
        match self {
            Self::Damaged => Reason::NoSignal {
                detail: "the recording is damaged".to_owned(),
            },
            Self::NotSearched | Self::TracksUnknown => Reason::DetectorSilent,
            Self::NotTheSame => internal("not the frame that was searched"),
            Self::PaintFailed => Reason::PaintFailed,
        }
    }
}

/// A recording has no zones.
struct NoZones;

impl RegionSource for NoZones {
    fn regions(&self, _: Option<&PoseEstimate>, _: Size) -> Result<Vec<Region>, CannotPlace> {
        Ok(Vec::new())
    }

    fn has_show_only(&self) -> bool {
        false
    }

    fn needs_pose(&self) -> bool {
        false
    }
}

/// What is hidden of a frame of `size` that was `searched` at another one.
pub(super) fn plan(size: Size, searched: Size, things: Result<&[PixelBox], Cause>) -> Plan {
    decide(&PlanInput {
        size,
        made_for: Some(searched),
        zones: Ok(&NoZones),
        pose: None,
        things: Some(things.map_err(Cause::reason)),
        mosaic: false,
        standing: &[],
        limits: MarginLimits::default(),
    })
}
