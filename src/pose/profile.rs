//! The camera profile: how one camera's reports become degrees, and how far
//! they can be trusted.
//!
//! A TOML document (`format = 1`). Unknown keys, NaN and impossible values are
//! refused, all at once, each with its place and a remedy. A report that the
//! profile cannot map is refused with a [`Reason`], never replaced by a zero.
//! This module must not know protocols, pictures or time.

use super::curve::MonotoneCurve;
use crate::event::Reason;
use serde::{Deserialize, Serialize};
use std::fmt;

mod check;
mod inverse;
pub mod units;

pub use inverse::Beyond;

/// ONVIF's generic pan/tilt space, the one meant where a report names none
/// (ONVIF PTZ Service Specification, "Generic Position Space").
pub const GENERIC_POSITION_SPACE: &str =
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace";
/// ONVIF's generic zoom space, the one meant where a report names none.
pub const GENERIC_ZOOM_SPACE: &str =
    "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace";

/// How far outside `from` a report may lie (rounding in the camera), as a
/// share of the range.
const RANGE_TOLERANCE: f64 = 0.002;

/// The document as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileDocument {
    /// Always 1.
    pub format: u32,
    /// What people call this kind of camera.
    pub name: String,
    /// URI of the pan/tilt space the camera reports in.
    pub position_space: String,
    /// URI of the zoom space the camera reports in.
    pub zoom_space: String,
    /// Pan: the camera's numbers → degrees to the right.
    pub pan: PanAxis,
    /// Tilt: the camera's numbers → degrees upwards.
    pub tilt: TiltAxis,
    /// Zoom: the camera's number → horizontal field of view; at least two.
    pub zoom: Vec<ZoomKnot>,
    /// Lens distortion.
    pub distortion: Distortion,
    /// How the camera hangs.
    pub mount: Mount,
    /// How fast it can move.
    pub limits: Limits,
    /// How exact it is.
    pub sigma: Sigma,
    /// When its pixels are taken.
    pub timing: Timing,
    /// How true its pixels are.
    #[serde(default)]
    pub picture: Picture,
}

/// Linear map of the camera's pan to degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanAxis {
    /// The camera's numbers at the two ends.
    pub from: [f64; 2],
    /// The degrees these two stand for (to the right; mirrored where falling).
    pub to_deg: [f64; 2],
    /// Whether the head turns on without end, so that both ends are one place.
    pub wraps: bool,
}

/// Linear map of the camera's tilt to degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TiltAxis {
    /// The camera's numbers at the two ends.
    pub from: [f64; 2],
    /// The degrees these two stand for (upwards; mirrored where falling).
    pub to_deg: [f64; 2],
}

/// One measured point of the zoom curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoomKnot {
    /// The camera's zoom number.
    pub zoom: f64,
    /// The horizontal field of view there, degrees, 0.1…170.
    pub hfov_deg: f64,
}

/// Radial distortion of the lens, Brown–Conrady: r' = r(1 + k1·r² + k2·r⁴)
/// with r in focal lengths.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distortion {
    /// Of r².
    pub k1: f64,
    /// Of r⁴.
    pub k2: f64,
}

/// How the camera's base hangs in the world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where the head's pan 0 looks, degrees to the right.
    pub pan_deg: f64,
    /// How far the base leans forward at pan 0, degrees upwards.
    pub pitch_deg: f64,
    /// How far the base leans to its right, degrees.
    pub roll_deg: f64,
    /// Hung from a ceiling.
    pub upside_down: bool,
}

/// The head's and lens' physical limits: the premises of the margin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Highest speed of pan and of tilt, degrees per second.
    pub max_speed_deg_s: f64,
    /// Highest acceleration of pan and of tilt, degrees per second².
    pub max_accel_deg_s2: f64,
    /// Highest rate of the logarithm of the focal length, per second.
    pub max_ln_focal_s: f64,
    /// Highest acceleration of the logarithm of the focal length, per second².
    pub max_ln_focal_s2: f64,
}

/// Standard uncertainties.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigma {
    /// Of a reported pan or tilt, degrees.
    pub angle_deg: f64,
    /// Of the picture's roll, degrees.
    pub roll_deg: f64,
    /// Of the logarithm of the focal length.
    pub ln_focal: f64,
    /// Largest displacement because the lens does not turn about its nodal
    /// point, degrees (a bound, not a σ).
    pub parallax_deg: f64,
    /// Of a frame's capture time, milliseconds: an offset that neighbouring frames
    /// share, which is what one RTP clock leaves open.
    pub capture_ms: f64,
}

/// When pixels are taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// Exposure, milliseconds.
    pub exposure_ms: f64,
    /// Time from the first to the last row of a rolling shutter, milliseconds.
    pub readout_ms: f64,
}

/// What compression does to the picture before it reaches the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Picture {
    /// How far the camera's own compression smears a place beyond its edge, and
    /// what rasterising and chroma sampling add, pixels; 2 at least. Measured in
    /// `design/007-what-compression-carries.md`.
    pub compression_px: f64,
}

impl Default for Picture {
    fn default() -> Self {
        Self {
            compression_px: 4.0,
        }
    }
}

/// One thing that is wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileFault {
    /// The key, or the line for a document that is not even TOML.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for ProfileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.problem, self.remedy)
    }
}

/// Everything that is wrong with a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// At least one.
    pub faults: Vec<ProfileFault>,
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for fault in &self.faults {
            write!(f, "{}{fault}", if first { "" } else { "\n" })?;
            first = false;
        }
        Ok(())
    }
}

impl std::error::Error for ProfileError {}

/// A position as the camera reports it, before anything is believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RawPosition {
    /// Space of pan and tilt; `None` where the report names none.
    pub position_space: Option<String>,
    /// Space of zoom; `None` where the report names none.
    pub zoom_space: Option<String>,
    /// Pan in the camera's numbers.
    pub pan: Option<f64>,
    /// Tilt in the camera's numbers.
    pub tilt: Option<f64>,
    /// Zoom in the camera's numbers.
    pub zoom: Option<f64>,
    /// Horizontal field of view, degrees, where the camera reports one.
    pub hfov_deg: Option<f64>,
}

/// A position in degrees of our convention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Pan of the head, degrees to the right, as reported (not unwrapped).
    pub pan_deg: f64,
    /// Tilt of the head, degrees upwards.
    pub tilt_deg: f64,
    /// Zoom in the profile's unit.
    pub zoom: f64,
    /// Horizontal field of view, degrees, where the camera reports one.
    pub hfov_deg: Option<f64>,
}

/// A valid profile.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraProfile {
    document: ProfileDocument,
    ln_focal: MonotoneCurve,
}

impl CameraProfile {
    /// Reads a profile.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once (a document that is not TOML
    /// of this shape stops at the first).
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        check::parse(text).and_then(Self::from_document)
    }

    /// Checks a document that is already in memory.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn from_document(document: ProfileDocument) -> Result<Self, ProfileError> {
        let ln_focal = check::checked_curve(&document)?;
        Ok(Self { document, ln_focal })
    }

    /// What was written.
    pub fn document(&self) -> &ProfileDocument {
        &self.document
    }

    /// ln of the focal length in frame widths at `zoom`; `None` outside the
    /// calibrated range. Pinhole: f = 1 / (2·tan(hfov/2)).
    pub fn ln_focal(&self, zoom: f64) -> Option<f64> {
        self.ln_focal.at(zoom)
    }

    /// The calibrated zoom range.
    pub fn zoom_range(&self) -> (f64, f64) {
        self.ln_focal.domain()
    }

    /// The ln focal lengths of the calibrated range, lowest and highest.
    pub fn ln_focal_range(&self) -> (f64, f64) {
        self.ln_focal.range()
    }

    /// Turns a report into degrees.
    ///
    /// # Errors
    /// [`Reason::BadPosition`] for a wrong space, a missing, infinite or
    /// out-of-range number; [`Reason::ZoomOutsideCalibration`].
    pub fn map(&self, raw: &RawPosition) -> Result<Position, Reason> {
        let d = &self.document;
        same_space(
            "pan/tilt",
            raw.position_space.as_deref(),
            &d.position_space,
            GENERIC_POSITION_SPACE,
        )?;
        same_space(
            "zoom",
            raw.zoom_space.as_deref(),
            &d.zoom_space,
            GENERIC_ZOOM_SPACE,
        )?;
        let pan = present("pan", raw.pan)?;
        let tilt = present("tilt", raw.tilt)?;
        let zoom = present("zoom", raw.zoom)?;
        if let Some(hfov) = raw.hfov_deg
            && !(hfov > 0.0 && hfov < 180.0)
        {
            return Err(refused(format!("field of view {hfov}")));
        }
        let (lo, hi) = self.zoom_range();
        let slack = RANGE_TOLERANCE * (hi - lo);
        if !(zoom >= lo - slack && zoom <= hi + slack) {
            return Err(Reason::ZoomOutsideCalibration { zoom });
        }
        Ok(Position {
            pan_deg: linear("pan", pan, d.pan.from, d.pan.to_deg)?,
            tilt_deg: linear("tilt", tilt, d.tilt.from, d.tilt.to_deg)?,
            zoom: zoom.clamp(lo, hi),
            hfov_deg: raw.hfov_deg,
        })
    }
}

/// ln of the pinhole focal length, in frame widths, for a field of view.
pub(super) fn ln_focal_of(hfov_deg: f64) -> f64 {
    -(2.0 * (hfov_deg.to_radians() / 2.0).tan()).ln()
}

fn refused(detail: String) -> Reason {
    Reason::BadPosition { detail }
}

fn same_space(
    what: &str,
    reported: Option<&str>,
    wanted: &str,
    meant_when_absent: &str,
) -> Result<(), Reason> {
    let space = reported.unwrap_or(meant_when_absent);
    if space == wanted {
        return Ok(());
    }
    // The name is the camera's: keep what is drawn and logged short.
    let tail: String = space.chars().rev().take(60).collect();
    let tail: String = tail.chars().rev().collect();
    Err(refused(format!("{what} in another space: {tail}")))
}

fn present(what: &str, value: Option<f64>) -> Result<f64, Reason> {
    match value {
        None => Err(refused(format!("{what} missing"))),
        Some(v) if !v.is_finite() => Err(refused(format!("{what} is {v}"))),
        Some(v) => Ok(v),
    }
}

fn linear(what: &str, value: f64, from: [f64; 2], to: [f64; 2]) -> Result<f64, Reason> {
    let share = (value - from[0]) / (from[1] - from[0]);
    if !(-RANGE_TOLERANCE..=1.0 + RANGE_TOLERANCE).contains(&share) {
        return Err(refused(format!(
            "{what} {value} outside {}…{}",
            from[0], from[1]
        )));
    }
    Ok(to[0] + share * (to[1] - to[0]))
}

#[cfg(test)]
mod tests;
