//! The camera's profile: what a gateway must be told about it.

use serde::{Deserialize, Serialize};

use super::config::SimConfig;
use super::onvif::{ZOOM_SPACE, pan_tilt_space};
use super::reports::{
    Reports, VAPIX_ZOOM_STEPS, VISCA_COUNTS_PER_DEG, VISCA_MOST_ZOOM, isapi_zoom,
};

/// How an axis' numbers become degrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AxisMap {
    /// Two values of the camera's space.
    pub from: [f64; 2],
    /// The degrees they mean.
    pub to_deg: [f64; 2],
    /// Whether the space's ends meet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wraps: bool,
}

/// A calibrated zoom.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Knot {
    /// Generic zoom.
    pub zoom: f64,
    /// Horizontal field of view in degrees, defined without distortion.
    pub hfov_deg: f64,
}

/// Radial distortion: x_d = x_u·(1 + k1·r² + k2·r⁴).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distortion {
    /// Third order.
    pub k1: f64,
    /// Fifth order.
    pub k2: f64,
}

/// How the camera hangs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mount {
    /// Where pan 0 points, degrees.
    pub pan_deg: f64,
    /// Tilt of the pan axis, degrees.
    pub pitch_deg: f64,
    /// Roll, degrees; positive is clockwise seen from behind the camera.
    pub roll_deg: f64,
    /// Whether it hangs upside down.
    pub upside_down: bool,
}

/// What the drives can do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DriveLimits {
    /// Degrees per second.
    pub max_speed_deg_s: f64,
    /// Degrees per second².
    pub max_accel_deg_s2: f64,
    /// Change of ln f per second.
    pub max_ln_focal_s: f64,
    /// Change of that per second.
    pub max_ln_focal_s2: f64,
}

/// How exact the camera is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sigma {
    /// Of pan and tilt, degrees.
    pub angle_deg: f64,
    /// Of roll, degrees.
    pub roll_deg: f64,
    /// Of ln f.
    pub ln_focal: f64,
    /// Parallax between the axes and the lens, degrees.
    pub parallax_deg: f64,
    /// Of capture times, milliseconds.
    pub capture_ms: f64,
}

/// When the sensor looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Exposure, milliseconds; the simulator's is an instant.
    pub exposure_ms: f64,
    /// Read-out from the first row to the last, milliseconds.
    pub readout_ms: f64,
}

/// The profile of a simulated camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Format of the document: 1.
    pub format: u32,
    /// For people.
    pub name: String,
    /// Space of pan and tilt.
    pub position_space: String,
    /// Space of zoom.
    pub zoom_space: String,
    /// Pan.
    pub pan: AxisMap,
    /// Tilt.
    pub tilt: AxisMap,
    /// Calibration, equally spaced in ln f.
    pub zoom: Vec<Knot>,
    /// The lens.
    pub distortion: Distortion,
    /// The mount.
    pub mount: Mount,
    /// The drives.
    pub limits: DriveLimits,
    /// Exactness.
    pub sigma: Sigma,
    /// Exposure.
    pub timing: Timing,
}

/// Calibration knots in a profile.
const KNOTS: usize = 16;

impl Profile {
    /// The profile of a configuration.
    pub fn of(config: &SimConfig) -> Self {
        let limits = &config.limits;
        let tilt = [limits.tilt_min_deg, limits.tilt_max_deg];
        let spherical = config.position_space == super::config::PositionSpace::Spherical;
        let (pan_from, tilt_from) = if spherical {
            ([-180.0, 180.0], tilt)
        } else {
            ([-1.0, 1.0], [-1.0, 1.0])
        };
        let flat = config.clip.is_some();
        let zoom_speed = super::motion::zoom_limits(&config.curve(), limits);
        Self {
            format: 1,
            name: format!("simulated camera {}", config.id),
            position_space: pan_tilt_space(config.position_space).to_owned(),
            zoom_space: ZOOM_SPACE.to_owned(),
            pan: AxisMap {
                from: pan_from,
                to_deg: [-180.0, 180.0],
                wraps: true,
            },
            tilt: AxisMap {
                from: tilt_from,
                to_deg: tilt,
                wraps: false,
            },
            zoom: config
                .curve()
                .knots(KNOTS)
                .into_iter()
                .map(|(zoom, hfov_deg)| Knot { zoom, hfov_deg })
                .collect(),
            distortion: Distortion {
                k1: if flat { 0.0 } else { config.k1 },
                k2: if flat { 0.0 } else { config.k2 },
            },
            mount: Mount {
                pan_deg: 0.0,
                pitch_deg: 0.0,
                roll_deg: config.roll_deg,
                upside_down: false,
            },
            limits: DriveLimits {
                max_speed_deg_s: limits.max_speed_deg_per_s,
                max_accel_deg_s2: limits.max_acceleration_deg_per_s2,
                max_ln_focal_s: zoom_speed.0,
                max_ln_focal_s2: zoom_speed.1,
            },
            sigma: Sigma {
                angle_deg: 0.02,
                roll_deg: 0.02,
                ln_focal: 0.002,
                parallax_deg: 0.0,
                capture_ms: 2.0,
            },
            timing: Timing {
                exposure_ms: 0.0,
                readout_ms: 0.0,
            },
        }
    }

    /// The profile of a configuration whose position is read in `words`.
    pub fn of_reports(config: &SimConfig, words: Reports) -> Self {
        let mut profile = Self::of(config);
        let [low, high] = [config.limits.tilt_min_deg, config.limits.tilt_max_deg];
        // What one unit is worth; the camera cuts off what is less.
        let (space, zoom_space, deg_per_unit, ln_step) = match words {
            Reports::Onvif => return profile,
            Reports::Vapix => ("vapix:degrees", "vapix:zoom-steps", 1.0, 0.0),
            Reports::Isapi => (
                "isapi:tenths-of-degrees",
                "isapi:tenths-of-zoom",
                0.1,
                // Of the coarsest step, from 10 to 11, and a little more.
                0.1,
            ),
            Reports::Visca => (
                "visca:counts",
                "visca:zoom-counts",
                1.0 / VISCA_COUNTS_PER_DEG,
                0.0,
            ),
        };
        space.clone_into(&mut profile.position_space);
        zoom_space.clone_into(&mut profile.zoom_space);
        let units = |deg: f64| deg / deg_per_unit;
        if words == Reports::Isapi {
            profile.pan.from = [0.0, units(360.0)];
            profile.pan.to_deg = [0.0, 360.0];
            profile.tilt.from = [units(-high), units(-low)];
            profile.tilt.to_deg = [high, low];
        } else {
            profile.pan.from = [units(-180.0), units(180.0)];
            profile.tilt.from = [units(low), units(high)];
        }
        for knot in &mut profile.zoom {
            knot.zoom = match words {
                Reports::Onvif => knot.zoom,
                Reports::Vapix => 1.0 + VAPIX_ZOOM_STEPS * knot.zoom,
                Reports::Isapi => isapi_zoom(config, knot.hfov_deg),
                Reports::Visca => VISCA_MOST_ZOOM * knot.zoom,
            };
        }
        if words != Reports::Vapix {
            profile.sigma.angle_deg = profile.sigma.angle_deg.max(deg_per_unit / 2.0);
        }
        profile.sigma.ln_focal = profile.sigma.ln_focal.max(ln_step / 2.0);
        profile
    }

    /// The profile as TOML.
    pub fn to_toml(&self) -> String {
        // Plain numbers and strings always serialise.
        toml::to_string(self).unwrap_or_default()
    }
}
