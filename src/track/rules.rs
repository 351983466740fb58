//! What is assumed about the things that are followed.

use crate::detect::{Class, PixelBox, Scores};
use crate::geom::Size;

/// How one class moves and how sure its detector is.
///
/// Speeds and accelerations are in *sizes*: the longer side of the thing's own
/// box. A thing at twice the distance is half as large and moves half as far in
/// the picture, so these hold at any distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    /// Detections at least this sure are linked first and begin a track that is
    /// held though the next look does not find it, 0…1.
    pub sure_score: f32,
    /// Detections at least this sure begin a track that the next look must
    /// confirm.
    pub begin_score: f32,
    /// Detections at least this sure continue a track; weaker ones are ignored.
    pub keep_score: f32,
    /// Nothing moves faster, sizes per second, along each axis.
    pub speed_sizes_s: f64,
    /// Nothing accelerates more, sizes per second², along each axis.
    pub accel_sizes_s2: f64,
    /// The largest width per height: how much of a thing may lie beyond the
    /// frame's left or right edge.
    pub widest: f64,
    /// The largest height per width.
    pub tallest: f64,
    /// The shorter side of what is hidden is at least this share of the longer
    /// one, before it grows: 0…1.
    pub roundness: f64,
}

impl Kind {
    /// A head of 0.25 m that moves at 2.5 m/s and accelerates at 2 m/s². Detectors
    /// draw faces, above all those seen from the side, narrower than heads are.
    pub const FACE: Self = Self {
        sure_score: 0.3,
        begin_score: 0.1,
        keep_score: 0.05,
        speed_sizes_s: 10.0,
        accel_sizes_s2: 8.0,
        widest: 1.2,
        tallest: 1.8,
        roundness: 0.85,
    };
    /// A plate of 0.52 m that moves at 30 km/h and brakes at 4 m/s².
    pub const PLATE: Self = Self {
        sure_score: 0.3,
        begin_score: 0.1,
        keep_score: 0.05,
        speed_sizes_s: 16.0,
        accel_sizes_s2: 8.0,
        widest: 6.0,
        tallest: 1.2,
        roundness: 0.0,
    };
    /// A figure of 1.7 m that moves at 3.4 m/s and accelerates at 3.4 m/s².
    pub const PERSON: Self = Self {
        sure_score: 0.3,
        begin_score: 0.1,
        keep_score: 0.05,
        speed_sizes_s: 2.0,
        accel_sizes_s2: 2.0,
        widest: 1.5,
        tallest: 5.0,
        roundness: 0.0,
    };
}

/// A tracker's rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// How faces move.
    pub face: Kind,
    /// How plates move.
    pub plate: Kind,
    /// How figures move.
    pub person: Kind,
    /// Every box grows by this share of its sides, half of it on each side.
    pub grow: f64,
    /// And by at least this much on each side, pixels.
    pub min_growth_px: f64,
    /// How far a detector's edges are off, as a share of the box's side (but
    /// taken as a pixel where that is less). `grow` must leave room for it.
    pub jitter: f64,
    /// How long a track is held after it was last seen, seconds; longer where
    /// the detector looked for it less than twice in that time, shorter where
    /// it was seen less than four times.
    pub hold_s: f64,
    /// How long before its first observation a track is hidden, seconds.
    pub before_s: f64,
    /// No box grows by more than this on each side beyond its base growth, in
    /// its own sizes: what was looked for in vain, or is far from every look,
    /// would else hide the street. Whatever moves further unseen is bare.
    pub most_growth_sizes: f64,
    /// The same for what was never seen surely: nearly always something else.
    pub weak_growth_sizes: f64,
    /// How far a picture may have moved where the camera's motion is unknown,
    /// widths of the frame per second.
    pub unknown_motion_widths_s: f64,
    /// How far before the newest look boxes can be asked for, seconds.
    pub remember_s: f64,
    /// More looks than this are not remembered, whatever `remember_s` says.
    pub most_looks: usize,
    /// More tracks than this are not kept.
    pub most_tracks: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            face: Kind::FACE,
            plate: Kind::PLATE,
            person: Kind::PERSON,
            grow: 0.3,
            min_growth_px: 3.0,
            jitter: 0.1,
            hold_s: 0.8,
            before_s: 0.5,
            most_growth_sizes: 1.0,
            weak_growth_sizes: 0.3,
            unknown_motion_widths_s: 1.0,
            remember_s: 3.0,
            most_looks: 256,
            most_tracks: 2048,
        }
    }
}

/// Why a tracker cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum RuleFault {
    /// A number that is NaN, negative or beyond reason.
    #[error("{rule} is {value}; it must lie in {least}…{most}")]
    Outside {
        /// Which rule.
        rule: &'static str,
        /// Its value.
        value: f64,
        /// The least it may be.
        least: f64,
        /// The most it may be.
        most: f64,
    },
    /// The base growth does not contain what detectors are off by.
    #[error("boxes that grow by {grow} and {min_growth_px} px do not hold a jitter of {jitter}")]
    Jitter {
        /// [`Rules::grow`].
        grow: f64,
        /// [`Rules::min_growth_px`].
        min_growth_px: f64,
        /// [`Rules::jitter`].
        jitter: f64,
    },
    /// A frame without pixels, or beyond 16 384 on a side.
    #[error("a frame of {}x{} is not a picture", .0.width, .0.height)]
    Size(Size),
}

impl Kind {
    /// For a detector with these scores.
    #[must_use]
    pub fn with(self, scores: Scores) -> Self {
        Self {
            sure_score: scores.sure,
            begin_score: scores.begin,
            keep_score: scores.keep,
            ..self
        }
    }
}

impl Rules {
    /// What holds for `class`, to change it.
    pub fn kind_mut(&mut self, class: Class) -> &mut Kind {
        match class {
            Class::Face => &mut self.face,
            Class::Plate => &mut self.plate,
            Class::Person => &mut self.person,
        }
    }

    /// What holds for `class`.
    pub fn kind(&self, class: Class) -> &Kind {
        match class {
            Class::Face => &self.face,
            Class::Plate => &self.plate,
            Class::Person => &self.person,
        }
    }

    /// By how much a box of this kind grows on each side along each axis, wherever
    /// it was seen, pixels.
    pub(super) fn growth_px(&self, kind: &Kind, b: &PixelBox) -> [f64; 2] {
        let sides = [b.width(), b.height()];
        let least = kind.roundness * sides[0].max(sides[1]);
        sides.map(|side| {
            let grown = (1.0 + self.grow) * side.max(least);
            (0.5 * (grown - side)).max(self.min_growth_px)
        })
    }

    /// What is hidden of a thing of that class that was seen in this very picture.
    pub fn around(&self, class: Class, b: &PixelBox) -> PixelBox {
        let [x, y] = self.growth_px(self.kind(class), b);
        PixelBox {
            x0: b.x0 - x,
            y0: b.y0 - y,
            x1: b.x1 + x,
            y1: b.y1 + y,
        }
    }

    pub(super) fn check(&self) -> Result<(), RuleFault> {
        for kind in [&self.face, &self.plate, &self.person] {
            within("sure_score", f64::from(kind.sure_score), 0.0, 1.0)?;
            let sure = f64::from(kind.sure_score);
            within("begin_score", f64::from(kind.begin_score), 0.0, sure)?;
            let begin = f64::from(kind.begin_score);
            within("keep_score", f64::from(kind.keep_score), 0.0, begin)?;
            within("speed_sizes_s", kind.speed_sizes_s, 0.0, 1e3)?;
            within("accel_sizes_s2", kind.accel_sizes_s2, 0.0, 1e3)?;
            within("widest", kind.widest, 0.01, 100.0)?;
            within("tallest", kind.tallest, 0.01, 100.0)?;
            within("roundness", kind.roundness, 0.0, 1.0)?;
        }
        within("grow", self.grow, 0.01, 10.0)?;
        within("most_growth_sizes", self.most_growth_sizes, 0.0, 1e6)?;
        within("weak_growth_sizes", self.weak_growth_sizes, 0.0, 1e6)?;
        within("min_growth_px", self.min_growth_px, 1.0, 1e3)?;
        within("jitter", self.jitter, 0.0, 1.0)?;
        within("hold_s", self.hold_s, 0.0, 60.0)?;
        within("before_s", self.before_s, 0.0, 60.0)?;
        let widths = self.unknown_motion_widths_s;
        within("unknown_motion_widths_s", widths, 0.0, 1e3)?;
        within("remember_s", self.remember_s, 0.1, 1e6)?;
        within("most_looks", self.most_looks as f64, 2.0, 1e6)?;
        within("most_tracks", self.most_tracks as f64, 1.0, 1e5)?;
        // jitter·side + 1 px ≤ max(grow/2·side, min_growth_px) for every side
        // holds if it holds where the two arms of the maximum meet.
        let spare = self.grow - 2.0 * self.jitter;
        if spare < 0.0 || self.min_growth_px * spare < self.grow * (1.0 - 1e-9) {
            return Err(RuleFault::Jitter {
                grow: self.grow,
                min_growth_px: self.min_growth_px,
                jitter: self.jitter,
            });
        }
        Ok(())
    }
}

pub(super) fn check_size(frame: Size) -> Result<(), RuleFault> {
    let side = 1..=16_384;
    if side.contains(&frame.width) && side.contains(&frame.height) {
        Ok(())
    } else {
        Err(RuleFault::Size(frame))
    }
}

fn within(rule: &'static str, value: f64, least: f64, most: f64) -> Result<(), RuleFault> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(RuleFault::Outside {
            rule,
            value,
            least,
            most,
        })
    }
}
