//! The camera model: a direction of the world to a pixel, and back.

use super::GeomError;
use super::mount::Mount;
use super::optics::{Lens, Optics};
use super::rotation::Rotation;
use super::types::{Angle, Direction, PixelPoint, Size};

/// The least cosine from the axis that is projected: 89.4° off the axis.
const NEAR_Z: f64 = 0.01;

/// The largest side of a frame, pixels.
const MAX_SIDE_PX: u32 = 16_384;

/// Where a camera looks.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Gaze {
    /// Pan, clockwise seen from above; any turn.
    pub pan: Angle,
    /// Tilt, upwards.
    pub tilt: Angle,
    /// Roll, positive when the camera turns clockwise about its axis.
    pub roll: Angle,
}

/// A camera looking somewhere through a lens:
/// p = K · distortion · R_roll · R_tilt · R_pan · R_mount · d.
///
/// Camera coordinates are X right, Y down, Z forward; the axis meets the frame
/// in its middle, so u = W/2 + f·x_d and v = H/2 + f·y_d.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    to_camera: Rotation,
    focal_px: f64,
    size: Size,
    lens: Lens,
}

impl View {
    /// The view of a camera that looks along `gaze` with a focal length of
    /// `focal_px` pixels on frames of `size`.
    ///
    /// # Errors
    /// [`GeomError`] for what is not finite, a focal length that is not
    /// positive, a side of 0 or beyond 16 384, and a distortion that is not
    /// one-to-one over the frame.
    pub fn new(
        gaze: Gaze,
        focal_px: f64,
        size: Size,
        optics: Optics,
        mount: Mount,
    ) -> Result<Self, GeomError> {
        if ![gaze.pan, gaze.tilt, gaze.roll]
            .iter()
            .all(|a| a.rad().is_finite())
        {
            return Err(GeomError::NotFinite("gaze"));
        }
        let sides = 1..=MAX_SIDE_PX;
        if !(sides.contains(&size.width) && sides.contains(&size.height)) {
            return Err(GeomError::Size(size));
        }
        let half_diagonal = 0.5 * f64::from(size.width).hypot(f64::from(size.height));
        // Beyond 89° off the axis a flat picture has no meaning.
        if !focal_px.is_finite() || focal_px <= 0.0 || half_diagonal / focal_px > 57.0 {
            return Err(GeomError::Focal(focal_px));
        }
        Ok(Self {
            to_camera: Rotation::Y_DOWN
                .after(Rotation::roll(gaze.roll))
                .after(Rotation::tilt(gaze.tilt))
                .after(Rotation::pan(gaze.pan))
                .after(mount.rotation()),
            focal_px,
            size,
            lens: Lens::new(optics, half_diagonal / focal_px)?,
        })
    }

    /// The focal length that gives a horizontal field of view of `hfov` on a
    /// frame `width_px` wide, before distortion.
    pub fn focal_px_of(hfov: Angle, width_px: u32) -> f64 {
        0.5 * f64::from(width_px) / (0.5 * hfov.rad()).tan()
    }

    /// Where `direction` is seen, inside the frame or not; `None` behind the
    /// camera or more than 89.4° off its axis. Beyond the radius of the
    /// frame's corners the lens' distortion goes on as a straight line.
    pub fn project(&self, direction: Direction) -> Option<PixelPoint> {
        let [x, y, z] = self.to_camera.apply(direction.vector());
        (z >= NEAR_Z).then(|| self.pixel(self.lens.distort([x / z, y / z])))
    }

    /// The direction seen at `at`, inside the frame or not.
    pub fn unproject(&self, at: PixelPoint) -> Direction {
        let [x, y] = self.lens.undistort(self.normalised(at));
        let v = self.to_camera.unapply([x, y, 1.0]);
        Direction::from_vector(v).unwrap_or_else(|| self.axis())
    }

    /// Where the camera looks.
    pub fn axis(&self) -> Direction {
        Direction::from_vector(self.to_camera.unapply([0.0, 0.0, 1.0]))
            .unwrap_or_else(|| Direction::from_pan_tilt(Angle::from_rad(0.0), Angle::from_rad(0.0)))
    }

    /// The frame's size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The focal length in pixels.
    pub fn focal_px(&self) -> f64 {
        self.focal_px
    }

    pub(super) fn lens(&self) -> &Lens {
        &self.lens
    }

    pub(super) fn rotation(&self) -> &Rotation {
        &self.to_camera
    }

    /// A distorted point of the plane at focal length 1, in pixels.
    pub(super) fn pixel(&self, d: [f64; 2]) -> PixelPoint {
        PixelPoint {
            x: 0.5 * f64::from(self.size.width) + self.focal_px * d[0],
            y: 0.5 * f64::from(self.size.height) + self.focal_px * d[1],
        }
    }

    fn normalised(&self, at: PixelPoint) -> [f64; 2] {
        [
            (at.x - 0.5 * f64::from(self.size.width)) / self.focal_px,
            (at.y - 0.5 * f64::from(self.size.height)) / self.focal_px,
        ]
    }
}
