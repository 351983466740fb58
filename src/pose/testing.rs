//! What the tests of this module share: a profile and a head that really moves.

use super::CameraProfile;
use crate::geom::Direction;
use std::sync::Arc;

pub(super) const PROFILE: &str = r#"
format = 1
name = "test dome"
position_space = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace"
zoom_space = "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace"
pan  = { from = [-1.0, 1.0], to_deg = [-180.0, 180.0], wraps = true }
tilt = { from = [-1.0, 1.0], to_deg = [-90.0, 20.0] }
zoom = [
    { zoom = 0.0, hfov_deg = 60.0 },
    { zoom = 0.5, hfov_deg = 15.0 },
    { zoom = 1.0, hfov_deg = 3.0 },
]
distortion = { k1 = -0.05, k2 = 0.0 }
mount = { pan_deg = 0.0, pitch_deg = 0.0, roll_deg = 0.0, upside_down = false }
limits = { max_speed_deg_s = 300.0, max_accel_deg_s2 = 400.0, max_ln_focal_s = 2.0, max_ln_focal_s2 = 8.0 }
sigma = { angle_deg = 0.02, roll_deg = 0.02, ln_focal = 0.002, parallax_deg = 0.0, capture_ms = 2.0 }
timing = { exposure_ms = 10.0, readout_ms = 0.0 }
"#;

pub(super) fn profile() -> Arc<CameraProfile> {
    Arc::new(CameraProfile::from_toml(PROFILE).unwrap())
}

/// Where a direction falls in the picture of an ideal camera, in frame widths
/// from the centre (right, up); `None` behind it. Written from the definition
/// of a gimbal, not from `geom`.
pub(super) fn seen(pan_deg: f64, tilt_deg: f64, focal: f64, d: Direction) -> Option<[f64; 2]> {
    let [x, y, z] = d.vector();
    let (sp, cp) = pan_deg.to_radians().sin_cos();
    let (st, ct) = tilt_deg.to_radians().sin_cos();
    // Undo pan about the vertical, then tilt about the axis to the right.
    let (x, z) = (cp * x - sp * z, sp * x + cp * z);
    let (y, z) = (ct * y - st * z, st * y + ct * z);
    (z > 0.05).then(|| [focal * x / z, focal * y / z])
}
