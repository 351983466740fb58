//! What the tests of this module share: a profile and a head that really moves.

use super::CameraProfile;
use crate::geom::Direction;
use std::sync::Arc;

pub(crate) const PROFILE: &str = include_str!("../../tests/fixtures/profile-generic.toml");

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
