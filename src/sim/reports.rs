//! How else than over ONVIF the simulated camera counts its position.
//!
//! Whole numbers are cut off, not rounded: the worst that a camera may do, and none says
//! which it does.

use serde::{Deserialize, Serialize};

use super::config::SimConfig;
use super::faults::{Measured, PositionFault};

/// In whose words a position is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reports {
    /// ONVIF, in the spaces of the configuration.
    #[default]
    Onvif,
    /// Axis: degrees, zoom from 1 to 9999.
    Vapix,
    /// Hikvision: tenths of degrees, tilt downwards, zoom factor times ten.
    Isapi,
    /// Counts, 14.4 to the degree; zoom from 0 to 4000 hexadecimal.
    Visca,
}

/// Counts of VISCA in a degree: those of a common head (90° are 510 hexadecimal).
pub(super) const VISCA_COUNTS_PER_DEG: f64 = 14.4;
/// VISCA's zoom, from wide to tele.
pub(super) const VISCA_MOST_ZOOM: f64 = 16_384.0;
/// VAPIX' zoom steps beyond the first.
pub(super) const VAPIX_ZOOM_STEPS: f64 = 9998.0;

/// The zoom factor times ten of a field of view.
pub(super) fn isapi_zoom(config: &SimConfig, hfov_deg: f64) -> f64 {
    let half = |deg: f64| (deg.to_radians() / 2.0).tan();
    10.0 * half(config.wide_hfov_deg) / half(hfov_deg)
}

/// A position in words of `reports`: pan, tilt, zoom; none where the fault leaves it out.
pub(super) fn numbers(
    config: &SimConfig,
    reports: Reports,
    measured: &Measured,
    fault: PositionFault,
) -> [Option<f64>; 3] {
    let pose = &measured.pose;
    // −180…180, as the spaces of ONVIF have it.
    let pan_deg = super::onvif::wrapped(pose.pan_deg);
    let [mut pan, tilt, zoom] = match reports {
        Reports::Onvif => [pan_deg, pose.tilt_deg, pose.zoom],
        Reports::Vapix => [
            pan_deg,
            pose.tilt_deg,
            (1.0 + VAPIX_ZOOM_STEPS * pose.zoom).floor(),
        ],
        Reports::Isapi => [
            (10.0 * pan_deg.rem_euclid(360.0)).floor(),
            (-10.0 * pose.tilt_deg).floor(),
            (isapi_zoom(config, pose.hfov_deg) + 1e-6).floor(),
        ],
        Reports::Visca => [
            (VISCA_COUNTS_PER_DEG * pan_deg).floor(),
            (VISCA_COUNTS_PER_DEG * pose.tilt_deg).floor(),
            (VISCA_MOST_ZOOM * pose.zoom).floor(),
        ],
    };
    match fault {
        PositionFault::No => {}
        PositionFault::OutOfRange => pan += 9000.0,
        PositionFault::Nan => return [Some(f64::NAN); 3],
        PositionFault::Missing => return [None; 3],
        PositionFault::MissingZoom => return [Some(pan), Some(tilt), None],
    }
    [Some(pan), Some(tilt), Some(zoom)]
}
