//! Radial lens distortion, and its continuation beyond the frame.

use super::GeomError;

/// Radial distortion: a point at x, y of the undistorted picture (focal
/// length 1, origin on the axis) is seen at (x, y) · (1 + k1·r² + k2·r⁴),
/// r² = x² + y² (the radial part of the Brown–Conrady model). Negative `k1` is
/// a barrel.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Optics {
    k1: f64,
    k2: f64,
}

/// The smallest local radial stretch that is still a picture: below it the
/// polynomial is about to fold back and its coefficients are not a lens.
const MIN_STRETCH: f64 = 0.05;

/// Steps in which the field is searched for a fold.
const FIELD_STEPS: u32 = 64;

impl Optics {
    /// A lens that keeps straight lines straight.
    pub const STRAIGHT: Self = Self { k1: 0.0, k2: 0.0 };

    /// The coefficients of a lens. Whether they are one-to-one over the frame
    /// depends on the focal length: [`View::new`](super::View::new) checks it.
    ///
    /// # Errors
    /// [`GeomError::NotFinite`].
    pub fn new(k1: f64, k2: f64) -> Result<Self, GeomError> {
        if k1.is_finite() && k2.is_finite() {
            Ok(Self { k1, k2 })
        } else {
            Err(GeomError::NotFinite("distortion"))
        }
    }

    /// k1, dimensionless.
    pub const fn k1(&self) -> f64 {
        self.k1
    }

    /// k2, dimensionless.
    pub const fn k2(&self) -> f64 {
        self.k2
    }

    /// r_d / r_u at `r2` = r_u².
    fn scale(&self, r2: f64) -> f64 {
        1.0 + r2 * (self.k1 + self.k2 * r2)
    }

    /// dr_d / dr_u at `r2` = r_u².
    fn stretch(&self, r2: f64) -> f64 {
        1.0 + r2 * (3.0 * self.k1 + 5.0 * self.k2 * r2)
    }
}

/// An [`Optics`] on a frame. Exact from the axis to the frame's corners; beyond
/// the corners' radius it goes on as a straight line with the slope it has
/// there, so that it is one-to-one on the whole plane. What lies out there is
/// never seen: it only has to stay outside, and in order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lens {
    optics: Optics,
    straight: bool,
    /// Radius of the frame's corners, undistorted and distorted (focal length 1).
    edge_u: f64,
    edge_d: f64,
    edge_stretch: f64,
    max_stretch: f64,
}

impl Lens {
    /// `corner` is the radius of the frame's corner as seen, focal length 1.
    pub(super) fn new(optics: Optics, corner: f64) -> Result<Self, GeomError> {
        if optics == Optics::STRAIGHT {
            return Ok(Self {
                optics,
                straight: true,
                edge_u: corner,
                edge_d: corner,
                edge_stretch: 1.0,
                max_stretch: 1.0,
            });
        }
        let folds = || GeomError::FoldedOptics {
            k1: optics.k1,
            k2: optics.k2,
        };
        let step = corner / f64::from(FIELD_STEPS);
        let (mut low, mut high) = (0.0, 0.0);
        let mut max_stretch = 1.0f64;
        // A barrel's corner lies further out than it is seen; a lens that needs
        // more than 16 times the radius is refused.
        for _ in 0..16 * FIELD_STEPS {
            if high * optics.scale(high * high) >= corner {
                break;
            }
            low = high;
            high += step;
            let r2 = high * high;
            let stretch = optics.stretch(r2);
            if !stretch.is_finite() || stretch < MIN_STRETCH {
                return Err(folds());
            }
            max_stretch = max_stretch.max(stretch).max(optics.scale(r2));
        }
        if high * optics.scale(high * high) < corner {
            return Err(folds());
        }
        for _ in 0..60 {
            let mid = 0.5 * (low + high);
            if mid * optics.scale(mid * mid) < corner {
                low = mid;
            } else {
                high = mid;
            }
        }
        Ok(Self {
            optics,
            straight: false,
            edge_u: high,
            edge_d: corner,
            edge_stretch: optics.stretch(high * high),
            max_stretch,
        })
    }

    pub(super) fn is_straight(&self) -> bool {
        self.straight
    }

    /// Undistorted radius of the frame's corners; exact up to here.
    pub(super) fn edge_u(&self) -> f64 {
        self.edge_u
    }

    /// The largest local enlargement over the frame, at least 1.
    pub(super) fn max_stretch(&self) -> f64 {
        self.max_stretch
    }

    /// The seen radius over the undistorted one.
    fn factor(&self, r_u: f64) -> f64 {
        if self.straight {
            1.0
        } else if r_u <= self.edge_u {
            self.optics.scale(r_u * r_u)
        } else {
            (self.edge_d + self.edge_stretch * (r_u - self.edge_u)) / r_u
        }
    }

    pub(super) fn distort_radius(&self, r_u: f64) -> f64 {
        r_u * self.factor(r_u)
    }

    pub(super) fn distort(&self, p: [f64; 2]) -> [f64; 2] {
        if self.straight {
            return p;
        }
        let s = self.factor(p[0].hypot(p[1]));
        [p[0] * s, p[1] * s]
    }

    pub(super) fn undistort_radius(&self, r_d: f64) -> f64 {
        if self.straight {
            return r_d;
        }
        if r_d >= self.edge_d {
            return self.edge_u + (r_d - self.edge_d) / self.edge_stretch;
        }
        // Newton, kept inside a bracket that shrinks: the function is
        // increasing on [0, edge_u].
        let (mut low, mut high) = (0.0, self.edge_u);
        let mut r = r_d.min(high);
        for _ in 0..60 {
            let miss = r * self.optics.scale(r * r) - r_d;
            if miss.abs() < 1e-15 {
                break;
            }
            if miss > 0.0 {
                high = r;
            } else {
                low = r;
            }
            let next = r - miss / self.optics.stretch(r * r);
            r = if next > low && next < high {
                next
            } else {
                0.5 * (low + high)
            };
        }
        r
    }

    pub(super) fn undistort(&self, p: [f64; 2]) -> [f64; 2] {
        if self.straight {
            return p;
        }
        let r_d = p[0].hypot(p[1]);
        if r_d < 1e-12 {
            return p;
        }
        let s = self.undistort_radius(r_d) / r_d;
        [p[0] * s, p[1] * s]
    }
}
