//! The elementary types of space.

use serde::{Deserialize, Serialize};

/// A frame's size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Size {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// An angle; never a bare number, so that degrees and radians cannot be mixed.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Angle {
    rad: f64,
}

impl Angle {
    /// From degrees.
    pub const fn from_deg(deg: f64) -> Self {
        Self {
            rad: deg * (std::f64::consts::PI / 180.0),
        }
    }
    /// From radians.
    pub const fn from_rad(rad: f64) -> Self {
        Self { rad }
    }
    /// In degrees.
    pub const fn deg(self) -> f64 {
        self.rad * (180.0 / std::f64::consts::PI)
    }
    /// In radians.
    pub const fn rad(self) -> f64 {
        self.rad
    }
}

/// A unit vector from the camera's pivot: x right, y up, z towards pan 0, tilt 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Direction {
    v: [f64; 3],
}

impl Direction {
    /// The direction at `pan` (clockwise seen from above) and `tilt` (upwards).
    pub fn from_pan_tilt(pan: Angle, tilt: Angle) -> Self {
        let (sp, cp) = pan.rad().sin_cos();
        let (st, ct) = tilt.rad().sin_cos();
        Self {
            v: [ct * sp, st, ct * cp],
        }
    }

    /// The direction of `v`; `None` for a vector that is zero or not finite.
    pub fn from_vector(v: [f64; 3]) -> Option<Self> {
        let n = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
        (n.is_finite() && n > 1e-12).then(|| Self {
            v: [v[0] / n, v[1] / n, v[2] / n],
        })
    }

    /// Pan in (−180°, 180°] and tilt in [−90°, 90°].
    pub fn pan_tilt(self) -> (Angle, Angle) {
        let [x, y, z] = self.v;
        (
            Angle::from_rad(x.atan2(z)),
            Angle::from_rad(y.clamp(-1.0, 1.0).asin()),
        )
    }

    /// The unit vector.
    pub const fn vector(self) -> [f64; 3] {
        self.v
    }
}

/// A point of the frame as fractions: (0, 0) is the top left corner of the
/// frame, (1, 1) the bottom right one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImagePoint {
    /// From the left, 0…1 inside the frame.
    pub x: f64,
    /// From the top, 0…1 inside the frame.
    pub y: f64,
}

/// A point of the frame in pixels; pixel (i, j) has its centre at (i + ½, j + ½).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelPoint {
    /// From the left edge.
    pub x: f64,
    /// From the top edge.
    pub y: f64,
}
