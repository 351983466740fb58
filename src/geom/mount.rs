//! How the camera's pan axis stands in the world.

use super::GeomError;
use super::rotation::Rotation;
use super::types::{Angle, Direction};

/// The rotation from the world to the camera's own base: a crooked pole, or a
/// camera that hangs from a ceiling.
///
/// The world is x right, y up, z towards the zones' pan 0. The camera's own
/// pan 0 looks `pan` to the right of that; seen from behind it, a positive
/// `roll` leans the pole clockwise (to the right), a positive `pitch` leans it
/// backwards, so that the camera at tilt 0 looks up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mount {
    base: Rotation,
}

impl Mount {
    /// A plumb pole.
    pub const LEVEL: Self = Self {
        base: Rotation::IDENTITY,
    };

    /// A pole turned by `pan` that leans by `pitch` and `roll`; with `ceiling` the camera then
    /// hangs upside down, half a turn about its pan-0 axis. Its picture is then
    /// upside down too, and its pan grows to the left as the world sees it; a
    /// camera that turns its picture back has a pose with 180° of roll.
    ///
    /// # Errors
    /// [`GeomError::NotFinite`].
    pub fn new(pan: Angle, pitch: Angle, roll: Angle, ceiling: bool) -> Result<Self, GeomError> {
        if ![pan, pitch, roll].iter().all(|a| a.rad().is_finite()) {
            return Err(GeomError::NotFinite("mount"));
        }
        let hang = if ceiling {
            Angle::from_rad(std::f64::consts::PI)
        } else {
            Angle::from_rad(0.0)
        };
        Ok(Self {
            base: Rotation::roll(hang)
                .after(Rotation::roll(roll))
                .after(Rotation::tilt(pitch))
                .after(Rotation::pan(pan)),
        })
    }

    /// Where the head must look, in its own pan (−180°, 180°] and tilt, to have
    /// `direction` of the world in the middle of its picture.
    pub fn head_towards(&self, direction: Direction) -> (Angle, Angle) {
        let own = Direction::from_vector(self.base.apply(direction.vector()));
        own.unwrap_or(direction).pan_tilt()
    }

    pub(super) fn rotation(&self) -> Rotation {
        self.base
    }
}

impl Default for Mount {
    fn default() -> Self {
        Self::LEVEL
    }
}
