//! The units in which cameras report positions outside ONVIF, and whether a profile
//! maps them.
//!
//! Such a report names no space; the profile does, and with it says that its numbers
//! were measured in those units. Degrees must stay degrees, and a profile may not claim
//! to know better than a whole-numbered report can tell: how such a camera rounds is
//! documented nowhere, so a report may be a whole unit off, which is taken as 2σ. This
//! module must not know how reports travel.

use super::{CameraProfile, ProfileFault};

/// One way of counting pan, tilt and zoom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReportUnits {
    /// What reports so, for messages.
    pub source: &'static str,
    /// What a profile must name as `position_space`.
    pub position_space: &'static str,
    /// What a profile must name as `zoom_space`.
    pub zoom_space: &'static str,
    /// Degrees a unit, either way round; `None`: each model has its own.
    pub deg_per_unit: Option<f64>,
    /// Pan and tilt lie from minus to plus this.
    pub most_angle: f64,
    /// Zoom, lowest and highest.
    pub zoom: [f64; 2],
    /// Smallest difference of two pans or tilts that can be reported, units; 0 where it
    /// is too small to matter.
    pub angle_step: f64,
}

/// Axis VAPIX, PTZ control, `query=position`: degrees with decimals, zoom in steps.
pub const VAPIX: ReportUnits = ReportUnits {
    source: "VAPIX",
    position_space: "vapix:degrees",
    zoom_space: "vapix:zoom-steps",
    deg_per_unit: Some(1.0),
    most_angle: 360.0,
    zoom: [1.0, 9999.0],
    angle_step: 0.0,
};

/// Hikvision ISAPI, `PTZStatus/AbsoluteHigh`: tenths of degrees, zoom factor times ten.
pub const ISAPI: ReportUnits = ReportUnits {
    source: "ISAPI",
    position_space: "isapi:tenths-of-degrees",
    zoom_space: "isapi:tenths-of-zoom",
    deg_per_unit: Some(0.1),
    most_angle: 3600.0,
    zoom: [0.0, 10_000.0],
    angle_step: 1.0,
};

/// VISCA, inquiries 09 06 12 and 09 04 47: counts of the model's own.
pub const VISCA: ReportUnits = ReportUnits {
    source: "VISCA",
    position_space: "visca:counts",
    zoom_space: "visca:zoom-counts",
    deg_per_unit: None,
    most_angle: 524_288.0,
    zoom: [0.0, 65_535.0],
    angle_step: 1.0,
};

/// Units that no ONVIF camera reports in.
const OWN: [&ReportUnits; 3] = [&VAPIX, &ISAPI, &VISCA];
/// How far a calibrated degree may differ from the camera's.
const DEGREE_SLACK: f64 = 0.02;
/// What a σ may be short of a limit by: rounding in four decimals.
const SHORT_OF: f64 = 1.0 - 1e-6;
/// What numbers of the profile may be off by, that were computed.
const ROUNDING: f64 = 1e-6;
/// In how many places the zoom curve is looked at.
const PLACES: u32 = 512;

impl CameraProfile {
    /// Everything that keeps the profile from mapping reports in `units`; `None`: reports
    /// that name their spaces themselves (ONVIF).
    pub fn misfits(&self, units: Option<&ReportUnits>) -> Vec<ProfileFault> {
        let mut faults = Vec::new();
        match units {
            Some(units) => self.misfits_of(units, &mut faults),
            None => self.own_spaces(&mut faults),
        }
        faults
    }

    fn own_spaces(&self, faults: &mut Vec<ProfileFault>) {
        let d = &self.document;
        let own = OWN
            .iter()
            .find(|u| u.position_space == d.position_space || u.zoom_space == d.zoom_space);
        if let Some(units) = own {
            faults.push(ProfileFault {
                place: "position_space".to_owned(),
                problem: format!("is in the units of {}, but ONVIF is asked", units.source),
                remedy: format!(
                    "set kind = \"{}\" in [camera.telemetry], or name the ONVIF spaces",
                    units.source.to_lowercase()
                ),
            });
        }
    }

    fn misfits_of(&self, units: &ReportUnits, faults: &mut Vec<ProfileFault>) {
        let d = &self.document;
        let source = units.source;
        let mut add = |place: &str, problem: String, remedy: String| {
            faults.push(ProfileFault {
                place: place.to_owned(),
                problem,
                remedy,
            });
        };
        for (place, named, wanted) in [
            ("position_space", &d.position_space, units.position_space),
            ("zoom_space", &d.zoom_space, units.zoom_space),
        ] {
            if named != wanted {
                add(
                    place,
                    format!("is {named:?}, but positions come over {source}"),
                    format!("measure the profile over {source} and write {wanted:?}"),
                );
            }
        }
        let axes = [
            ("pan", d.pan.from, d.pan.to_deg),
            ("tilt", d.tilt.from, d.tilt.to_deg),
        ];
        let mut coarsest_deg = 0.0_f64;
        for (axis, from, to_deg) in axes {
            let slope = ((to_deg[1] - to_deg[0]) / (from[1] - from[0])).abs();
            coarsest_deg = coarsest_deg.max(slope * units.angle_step);
            if from.iter().any(|v| v.abs() > units.most_angle) {
                let most = units.most_angle;
                add(
                    &format!("{axis}.from"),
                    format!("goes to {} … {}", from[0], from[1]),
                    format!("{source} reports from −{most} to {most}"),
                );
            }
            if let Some(wanted) = units.deg_per_unit
                && (slope / wanted - 1.0).abs() > DEGREE_SLACK
            {
                add(
                    &format!("{axis}.to_deg"),
                    format!("makes {slope:.4}° of one unit"),
                    format!("{source} reports in units of {wanted}°: map them so"),
                );
            }
        }
        let knots = self.zoom_range();
        if knots.0 < units.zoom[0] - ROUNDING || knots.1 > units.zoom[1] + ROUNDING {
            add(
                "zoom",
                format!("has knots from {} to {}", knots.0, knots.1),
                format!(
                    "{source} reports zoom from {} to {}",
                    units.zoom[0], units.zoom[1]
                ),
            );
        }
        if d.sigma.angle_deg < SHORT_OF * coarsest_deg / 2.0 {
            add(
                "sigma.angle_deg",
                format!("is {}, finer than {source} tells", d.sigma.angle_deg),
                format!("write {:.4} at least", round_up(coarsest_deg / 2.0)),
            );
        }
        let coarsest_ln = self.coarsest_ln_focal();
        if d.sigma.ln_focal < SHORT_OF * coarsest_ln / 2.0 {
            add(
                "sigma.ln_focal",
                format!("is {}, finer than {source} tells", d.sigma.ln_focal),
                format!("write {:.4} at least", round_up(coarsest_ln / 2.0)),
            );
        }
    }

    /// The largest change of ln f from one whole number of zoom to the next.
    fn coarsest_ln_focal(&self) -> f64 {
        let (low, high) = self.zoom_range();
        let at = |zoom: f64| self.ln_focal(zoom.clamp(low, high)).unwrap_or(f64::NAN);
        let step = |i: u32| {
            let zoom = low + (high - low) * f64::from(i) / f64::from(PLACES);
            (at(zoom + 1.0) - at(zoom)).abs()
        };
        (0..PLACES).map(step).fold(0.0, f64::max)
    }
}

/// To four decimals, never downwards.
fn round_up(value: f64) -> f64 {
    (value * 1e4).ceil() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::profile::ProfileDocument;

    fn document() -> ProfileDocument {
        let profile = CameraProfile::from_toml(crate::pose::testing::PROFILE).unwrap();
        profile.document().clone()
    }

    fn of(units: &ReportUnits) -> ProfileDocument {
        let mut d = document();
        d.position_space = units.position_space.to_owned();
        d.zoom_space = units.zoom_space.to_owned();
        let per_degree = 1.0 / units.deg_per_unit.unwrap_or(1.0 / 14.4);
        d.pan.to_deg = [-180.0, 180.0];
        d.pan.from = [-180.0 * per_degree, 180.0 * per_degree];
        // A head that counts downwards.
        d.tilt.to_deg = [0.0, -90.0];
        d.tilt.from = [0.0, 90.0 * per_degree];
        let knots = d.zoom.len() as f64;
        for (i, knot) in d.zoom.iter_mut().enumerate() {
            knot.zoom = 100.0 + 1000.0 * i as f64 / knots;
        }
        d.sigma.angle_deg = 0.06;
        d.sigma.ln_focal = 0.06;
        d
    }

    fn faults(d: ProfileDocument, units: Option<&ReportUnits>) -> Vec<String> {
        let profile = CameraProfile::from_document(d).unwrap();
        let faults = profile.misfits(units);
        faults.into_iter().map(|f| f.to_string()).collect()
    }

    #[test]
    fn a_profile_in_the_sources_own_units_fits_and_no_other() {
        for units in OWN {
            assert_eq!(faults(of(units), Some(units)), [""; 0], "{}", units.source);
            let onvif = faults(of(units), None);
            assert_eq!(onvif.len(), 1, "{onvif:?}");
            assert!(onvif[0].contains("kind = "), "{onvif:?}");
            for other in OWN.iter().filter(|o| **o != units) {
                let found = faults(of(units), Some(other));
                assert!(found[0].starts_with("position_space"), "{found:?}");
            }
        }
        assert_eq!(faults(document(), None), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_named_with_its_remedy() {
        type Break = fn(&mut ProfileDocument);
        let cases: [(&ReportUnits, Break, &str); 7] = [
            (&VAPIX, |d| d.pan.from = [-1.0, 1.0], "pan.to_deg"),
            (&ISAPI, |d| d.tilt.from = [0.0, 90.0], "tilt.to_deg"),
            (&VAPIX, |d| d.pan.from = [-180.0, 1800.0], "pan.from"),
            (&VISCA, |d| d.pan.from = [0.0, 1e6], "pan.from"),
            (&VAPIX, |d| d.zoom[0].zoom = 0.0, "zoom"),
            (&ISAPI, |d| d.sigma.angle_deg = 0.02, "sigma.angle_deg"),
            (&ISAPI, |d| d.sigma.ln_focal = 0.0, "sigma.ln_focal"),
        ];
        for (units, change, place) in cases {
            let mut d = of(units);
            change(&mut d);
            let found = faults(d, Some(units));
            let named = found.iter().any(|f| f.starts_with(place));
            assert!(named, "{place}: {found:?}");
        }
    }
}
