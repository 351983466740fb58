//! Tracks: from what a detector found in some pictures to what must be hidden
//! in every picture between, before and after them.
//!
//! Association follows the tracking-by-detection family: constant velocity and
//! gating as in SORT (Bewley et al. 2016, arXiv 1602.00763), weak detections
//! keep known tracks alive as in ByteTrack (Zhang et al. 2022,
//! arXiv 2110.06864), and velocities come from observations, with the gap
//! filled in afterwards, as in OC-SORT (Cao et al. 2023, arXiv 2203.14360). It
//! departs from them where privacy and their benchmarks want different things:
//! one detection begins a track at once, nothing is gated by IoU alone (a face
//! of 10 px leaves its own box between two looks), and boxes are not the
//! likeliest place but a bound of all possible ones (`reach` derives it).
//!
//! Boxes lie in the picture of *their* time; a [`CameraMotion`] carries them to
//! any other. This module must not know frames' samples, detectors' insides,
//! poses, zones or what is done with its answer; it owns no thread and no clock.

mod associate;
mod course;
mod reach;
mod rules;
#[cfg(test)]
mod tests;
mod tracker;

pub use rules::{Kind, RuleFault, Rules};
pub use tracker::Tracker;

use crate::clock::CaptureTime;
use crate::detect::{Class, PixelBox};
use crate::geom::PixelPoint;

/// How the camera turned between two capture times.
pub trait CameraMotion {
    /// Where the direction that `point` shows in the picture taken at `from`
    /// is in the picture taken at `to`, which may be outside of it. `None`
    /// when unknown: boxes are then widened by
    /// [`Rules::unknown_motion_widths_s`] instead of guessed.
    fn carry(&self, from: CaptureTime, to: CaptureTime, point: PixelPoint) -> Option<PixelPoint>;

    /// The same for the corners of a box, and by how many pixels they may lie
    /// elsewhere: all by one and the same knowledge of the two pictures.
    fn carry_corners(
        &self,
        from: CaptureTime,
        to: CaptureTime,
        corners: [PixelPoint; 4],
    ) -> Option<([PixelPoint; 4], f64)> {
        let [a, b, c, d] = corners.map(|corner| self.carry(from, to, corner));
        Some(([a?, b?, c?, d?], 0.0))
    }
}

/// A camera that does not move.
#[derive(Clone, Copy, Debug, Default)]
pub struct FixedCamera;

impl CameraMotion for FixedCamera {
    fn carry(&self, _from: CaptureTime, _to: CaptureTime, point: PixelPoint) -> Option<PixelPoint> {
        Some(point)
    }
}

/// Names one track of one [`Tracker`]; never used twice, not even after
/// [`Tracker::forget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub u64);

/// What must be hidden of one track at one capture time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hidden {
    /// The track.
    pub id: TrackId,
    /// What it is.
    pub class: Class,
    /// Where it may be, in the picture of the time asked for, grown by
    /// everything that is uncertain. Sound; part of it may lie outside of the
    /// frame, some of it lies inside.
    pub at: PixelBox,
    /// Where it most likely is, not grown: what to look at, not what to hide.
    pub likely: PixelBox,
    /// How the box was found.
    pub why: Why,
    /// Another thing may have been taken for this one in the observations
    /// around: what is hidden does not depend on it, whose box it is does.
    pub doubtful: bool,
}

/// How a box was found, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Why {
    /// The detector saw it in this very picture.
    Observed,
    /// Between two observations.
    Interpolated,
    /// After the newest observation; the detector has not looked since.
    Extrapolated {
        /// Seconds since the observation.
        s: f64,
    },
    /// Before the first observation.
    Before {
        /// Seconds until the observation.
        s: f64,
    },
    /// The detector looked again and did not find it.
    After {
        /// Seconds since the last observation.
        s: f64,
    },
}

/// What became of the detections of one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many continue a known track.
    pub linked: usize,
    /// How many began a track.
    pub begun: usize,
    /// How many found no room: [`CannotSay::TooMany`] around this look.
    pub untracked: usize,
}

/// Why a look was refused as a whole. Nothing was changed by it.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Looks come in order of capture time, each time once. A camera whose
    /// clock stepped back needs [`Tracker::forget`].
    #[error("looked at {} ns, which is not after {} ns", .at.0, .newest.0)]
    NotNewer {
        /// The refused look.
        at: CaptureTime,
        /// The newest one.
        newest: CaptureTime,
    },
    /// A box that is NaN, infinite, inside out or absurdly far away.
    #[error("detection {index} has no sound box: {at:?}")]
    Unsound {
        /// Which detection.
        index: usize,
        /// Its box.
        at: PixelBox,
    },
    /// A score outside 0…1, or NaN.
    #[error("detection {index} has a score of {score}")]
    Score {
        /// Which detection.
        index: usize,
        /// Its score.
        score: f32,
    },
}

/// Why nothing can be said about the tracks at a capture time. The caller must
/// treat the frame as one whose tracks are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotSay {
    /// More was found than is followed at once.
    #[error("{untracked} detections found no track at {} ns", .looked.0)]
    TooMany {
        /// The look that found too many.
        looked: CaptureTime,
        /// How many found no track.
        untracked: usize,
    },
    /// The time is before what is remembered.
    #[error("tracks before {} ns are forgotten", .since.0)]
    Forgotten {
        /// The earliest time that can be answered.
        since: CaptureTime,
    },
}
