//! The simulated lens: which direction of the world a pixel looks into.
//!
//! This is the simulator's own spherical geometry. It must never know the
//! gateway's `geom`: a fault in one must not be able to hide a fault in the
//! other.

/// A vector in the world (x to the right of pan 0, y up, z along pan 0).
pub type Vec3 = [f64; 3];

/// Dot product.
pub fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Cross product.
pub fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

/// The vector at length one; a vector of no length stays as it is.
pub fn normalised(a: Vec3) -> Vec3 {
    let length = dot(a, a).sqrt();
    if length > 0.0 {
        [a[0] / length, a[1] / length, a[2] / length]
    } else {
        a
    }
}

/// The unit direction at a pan (degrees, growing to the right) and a tilt
/// (degrees, growing upwards, 0 = horizon).
pub fn direction(pan_deg: f64, tilt_deg: f64) -> Vec3 {
    let (sin_pan, cos_pan) = pan_deg.to_radians().sin_cos();
    let (sin_tilt, cos_tilt) = tilt_deg.to_radians().sin_cos();
    [cos_tilt * sin_pan, sin_tilt, cos_tilt * cos_pan]
}

/// Pan (−180…180) and tilt (−90…90) in degrees of a direction of any length.
pub fn pan_tilt(d: Vec3) -> (f64, f64) {
    (
        d[0].atan2(d[2]).to_degrees(),
        d[1].atan2(d[0].hypot(d[2])).to_degrees(),
    )
}

/// Where the simulated camera looks at one instant.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Pose {
    /// Degrees, growing to the right, not wrapped.
    pub pan_deg: f64,
    /// Degrees, growing upwards, 0 = horizon.
    pub tilt_deg: f64,
    /// Degrees; positive when the camera turns clockwise seen from behind it.
    pub roll_deg: f64,
    /// The generic zoom, 0 (wide) to 1 (tele).
    pub zoom: f64,
    /// Horizontal field of view in degrees, defined without distortion.
    pub hfov_deg: f64,
}

/// A lens in front of a sensor of a given size, in one pose.
#[derive(Debug, Clone, Copy)]
pub struct View {
    right: Vec3,
    down: Vec3,
    forward: Vec3,
    focal_px: f64,
    half_width: f64,
    half_height: f64,
    k1: f64,
    k2: f64,
}

impl View {
    /// The view of a `width` × `height` px picture from `pose` through a lens
    /// with radial distortion `k1`, `k2` (undistorted to distorted).
    pub fn new(pose: &Pose, width: usize, height: usize, k1: f64, k2: f64) -> Self {
        let (sin_pan, cos_pan) = pose.pan_deg.to_radians().sin_cos();
        let (sin_tilt, cos_tilt) = pose.tilt_deg.to_radians().sin_cos();
        let (sin_roll, cos_roll) = pose.roll_deg.to_radians().sin_cos();
        let forward = [cos_tilt * sin_pan, sin_tilt, cos_tilt * cos_pan];
        let level_right = [cos_pan, 0.0, -sin_pan];
        let level_down = [sin_tilt * sin_pan, -cos_tilt, sin_tilt * cos_pan];
        let mut right = [0.0; 3];
        let mut down = [0.0; 3];
        for i in 0..3 {
            right[i] = cos_roll * level_right[i] + sin_roll * level_down[i];
            down[i] = cos_roll * level_down[i] - sin_roll * level_right[i];
        }
        let half_width = width as f64 / 2.0;
        Self {
            right,
            down,
            forward,
            focal_px: half_width / (pose.hfov_deg.to_radians() / 2.0).tan(),
            half_width,
            half_height: height as f64 / 2.0,
            k1,
            k2,
        }
    }

    /// Focal length in pixels.
    pub fn focal_px(&self) -> f64 {
        self.focal_px
    }

    /// The direction (not of unit length: its component along the optical
    /// axis is 1) seen at picture position `(u, v)`, pixel (i, j) having its
    /// centre at (i + ½, j + ½).
    pub fn direction_at(&self, u: f64, v: f64) -> Vec3 {
        let (x, y) = self.undistorted(
            (u - self.half_width) / self.focal_px,
            (v - self.half_height) / self.focal_px,
        );
        let mut d = self.forward;
        for (i, axis) in d.iter_mut().enumerate() {
            *axis += x * self.right[i] + y * self.down[i];
        }
        d
    }

    /// Inverts x_d = x_u·(1 + k1·r² + k2·r⁴) by Newton's method on the radius.
    fn undistorted(&self, x: f64, y: f64) -> (f64, f64) {
        let distorted = (x * x + y * y).sqrt();
        if (self.k1 == 0.0 && self.k2 == 0.0) || distorted == 0.0 {
            return (x, y);
        }
        let mut r = distorted;
        for _ in 0..8 {
            let r2 = r * r;
            let value = r * (1.0 + r2 * (self.k1 + self.k2 * r2)) - distorted;
            let slope = 1.0 + r2 * (3.0 * self.k1 + 5.0 * self.k2 * r2);
            if slope.abs() < 1e-6 {
                break;
            }
            let step = value / slope;
            r -= step;
            if step.abs() < 1e-13 {
                break;
            }
        }
        let scale = r / distorted;
        (x * scale, y * scale)
    }

    /// Where a direction appears, in pixels; `None` behind the camera.
    pub fn project(&self, d: Vec3) -> Option<(f64, f64)> {
        let depth = dot(d, self.forward);
        if depth <= 1e-9 {
            return None;
        }
        let (x, y) = (dot(d, self.right) / depth, dot(d, self.down) / depth);
        let r2 = x * x + y * y;
        let scale = 1.0 + r2 * (self.k1 + self.k2 * r2);
        Some((
            self.half_width + self.focal_px * x * scale,
            self.half_height + self.focal_px * y * scale,
        ))
    }
}

/// The zoom lens: which field of view a generic zoom gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZoomCurve {
    wide_hfov_deg: f64,
    ln_range: f64,
}

/// How far the focal length's logarithm bends away from linear in zoom: real
/// zoom drives are not linear, and a curve tests the gateway's calibration.
const BEND: f64 = 0.15;

impl ZoomCurve {
    /// A lens from `wide_hfov_deg` at zoom 0 to `tele_hfov_deg` at zoom 1.
    pub fn new(wide_hfov_deg: f64, tele_hfov_deg: f64) -> Self {
        let tan_half = |deg: f64| (deg.to_radians() / 2.0).tan();
        Self {
            wide_hfov_deg,
            ln_range: (tan_half(wide_hfov_deg) / tan_half(tele_hfov_deg)).ln(),
        }
    }

    /// ln(f at tele / f at wide).
    pub fn ln_range(&self) -> f64 {
        self.ln_range
    }

    /// ln(f / f at wide) at a generic zoom.
    pub fn ln_at(&self, zoom: f64) -> f64 {
        self.ln_range * (zoom + BEND * zoom * (1.0 - zoom))
    }

    /// The generic zoom at ln(f / f at wide).
    pub fn zoom_at_ln(&self, ln: f64) -> f64 {
        if self.ln_range == 0.0 {
            return 0.0;
        }
        let y = (ln / self.ln_range).clamp(0.0, 1.0);
        let b = 1.0 + BEND;
        (b - (b * b - 4.0 * BEND * y).max(0.0).sqrt()) / (2.0 * BEND)
    }

    /// Horizontal field of view in degrees at ln(f / f at wide).
    pub fn hfov_at_ln(&self, ln: f64) -> f64 {
        let wide = (self.wide_hfov_deg.to_radians() / 2.0).tan();
        2.0 * (wide * (-ln).exp()).atan().to_degrees()
    }

    /// `count` calibration knots (zoom, hfov_deg), equally spaced in ln f.
    pub fn knots(&self, count: usize) -> Vec<(f64, f64)> {
        let last = count.saturating_sub(1).max(1) as f64;
        (0..count)
            .map(|i| {
                let ln = self.ln_range * i as f64 / last;
                (self.zoom_at_ln(ln), self.hfov_at_ln(ln))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_comes_back_to_its_pixel() {
        let cases = [
            (0.0, 0.0, 0.0, 60.0),
            (170.0, -40.0, 3.0, 60.0),
            (-91.0, -89.9, -7.0, 20.0),
            (1000.0, 15.0, 0.0, 3.0),
        ];
        for (pan_deg, tilt_deg, roll_deg, hfov_deg) in cases {
            let pose = Pose {
                pan_deg,
                tilt_deg,
                roll_deg,
                zoom: 0.0,
                hfov_deg,
            };
            let view = View::new(&pose, 1920, 1080, -0.05, 0.01);
            for (u, v) in [(0.0, 0.0), (960.0, 540.0), (1920.0, 3.0), (10.5, 1079.5)] {
                let (u2, v2) = view.project(view.direction_at(u, v)).unwrap();
                assert!(
                    (u - u2).abs() < 1e-6 && (v - v2).abs() < 1e-6,
                    "{pose:?} ({u},{v}) came back as ({u2},{v2})"
                );
            }
        }
    }

    #[test]
    fn the_conventions_are_those_of_the_contract() {
        let level = Pose {
            pan_deg: 0.0,
            tilt_deg: 0.0,
            roll_deg: 0.0,
            zoom: 0.0,
            hfov_deg: 60.0,
        };
        let at = |pose: Pose, pan, tilt| {
            View::new(&pose, 200, 100, 0.0, 0.0)
                .project(direction(pan, tilt))
                .unwrap()
        };
        let (u, _) = at(level, 30.0, 0.0);
        assert!(
            (u - 200.0).abs() < 1e-9,
            "half the field of view is the edge"
        );
        assert!(at(level, 0.0, 10.0).1 < 50.0, "up is up");
        let rolled = Pose {
            roll_deg: 10.0,
            ..level
        };
        assert!(
            at(rolled, 0.0, 10.0).0 < 100.0,
            "content turns the other way"
        );
    }

    #[test]
    fn the_zoom_curve_is_its_own_inverse_and_monotone() {
        let curve = ZoomCurve::new(60.0, 3.0);
        let mut last = f64::NEG_INFINITY;
        for i in 0..=100 {
            let zoom = f64::from(i) / 100.0;
            let ln = curve.ln_at(zoom);
            assert!(ln > last);
            last = ln;
            assert!((curve.zoom_at_ln(ln) - zoom).abs() < 1e-12);
        }
        assert!((curve.hfov_at_ln(curve.ln_at(1.0)) - 3.0).abs() < 1e-9);
        assert!((curve.hfov_at_ln(0.0) - 60.0).abs() < 1e-9);
    }
}
