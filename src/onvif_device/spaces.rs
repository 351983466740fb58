//! Numbers of ONVIF's spaces ↔ degrees of our convention and the profile's zoom (ONVIF
//! PTZ Service Specification, 5.7).

use super::answer::{Fault, escaped};
use super::{Head, Place};
use crate::onvif::xml::Element;

const GENERIC: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace";
const DEGREES: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees";
const ZOOM: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace";
const TRANSLATION: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationGenericSpace";
const DEGREES_BY: &str =
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalTranslationSpaceDegrees";
const ZOOM_BY: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/TranslationGenericSpace";
const VELOCITY: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
const ZOOM_VELOCITY: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace";

/// The spaces that a configuration names as its own, in their order.
pub(super) const DEFAULTS: [(&str, &str); 6] = [
    ("DefaultAbsolutePantTiltPositionSpace", GENERIC),
    ("DefaultAbsoluteZoomPositionSpace", ZOOM),
    ("DefaultRelativePanTiltTranslationSpace", TRANSLATION),
    ("DefaultRelativeZoomTranslationSpace", ZOOM_BY),
    ("DefaultContinuousPanTiltVelocitySpace", VELOCITY),
    ("DefaultContinuousZoomVelocitySpace", ZOOM_VELOCITY),
];

/// Where somebody wants a camera to be, or by how much elsewhere: pan and tilt in
/// degrees, zoom in the profile's unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) pan_tilt: Option<(f64, f64)>,
    pub(super) zoom: Option<f64>,
}

fn number(e: &Element, name: &str, [low, high]: [f64; 2]) -> Result<f64, Fault> {
    let text = e.attribute(name).unwrap_or_default();
    let value: f64 = text
        .trim()
        .parse()
        .map_err(|_| Fault::invalid_position(format!("{name} is no number")))?;
    // What a VMS rounds is not beyond.
    let slack = 1e-6 * (high - low);
    match value >= low - slack && value <= high + slack {
        true => Ok(value.clamp(low, high)),
        false => Err(Fault::invalid_position(format!(
            "{name} {value} is beyond its space"
        ))),
    }
}

fn in_space(e: &Element, known: &[&'static str]) -> Result<usize, Fault> {
    let space = e.attribute("space").map(str::trim).unwrap_or_default();
    if space.is_empty() {
        return Ok(0);
    }
    let found = known.iter().position(|k| *k == space);
    found.ok_or_else(|| Fault::no_space(space))
}

/// What was given by this name, read.
fn given<T>(
    vector: &Element,
    name: &str,
    read: impl FnOnce(&Element) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    vector.only(name).map(read).transpose()
}

/// −1…1 → `range`.
fn across(share: f64, [low, high]: [f64; 2]) -> f64 {
    low + (share + 1.0) / 2.0 * (high - low)
}

const BOTH: [f64; 2] = [-1.0, 1.0];

/// A `Position`.
pub(super) fn position(vector: &Element, head: &Head) -> Result<Target, Fault> {
    let pan_tilt = given(vector, "PanTilt", |e| {
        Ok(match in_space(e, &[GENERIC, DEGREES])? {
            0 => (
                across(number(e, "x", BOTH)?, head.pan_deg),
                across(number(e, "y", BOTH)?, head.tilt_deg),
            ),
            _ => (
                number(e, "x", head.pan_deg)?,
                number(e, "y", head.tilt_deg)?,
            ),
        })
    });
    let zoom = given(vector, "Zoom", |e| {
        in_space(e, &[ZOOM])?;
        let [least, most] = head.zoom;
        Ok(least + number(e, "x", [0.0, 1.0])? * (most - least))
    });
    Ok(Target {
        pan_tilt: pan_tilt?,
        zoom: zoom?,
    })
}

/// A `Translation`.
pub(super) fn translation(vector: &Element, head: &Head) -> Result<Target, Fault> {
    let half = |[low, high]: [f64; 2]| (high - low) / 2.0;
    let whole = |[low, high]: [f64; 2]| [low - high, high - low];
    let pan_tilt = given(vector, "PanTilt", |e| {
        Ok(match in_space(e, &[TRANSLATION, DEGREES_BY])? {
            0 => (
                number(e, "x", BOTH)? * half(head.pan_deg),
                number(e, "y", BOTH)? * half(head.tilt_deg),
            ),
            _ => (
                number(e, "x", whole(head.pan_deg))?,
                number(e, "y", whole(head.tilt_deg))?,
            ),
        })
    });
    let zoom = given(vector, "Zoom", |e| {
        in_space(e, &[ZOOM_BY])?;
        let [least, most] = head.zoom;
        Ok(number(e, "x", BOTH)? * (most - least))
    });
    Ok(Target {
        pan_tilt: pan_tilt?,
        zoom: zoom?,
    })
}

/// A `Velocity`: shares of pan and tilt, and of zoom.
pub(super) fn velocity(vector: &Element) -> Result<Target, Fault> {
    let pan_tilt = given(vector, "PanTilt", |e| {
        in_space(e, &[VELOCITY])?;
        Ok((number(e, "x", BOTH)?, number(e, "y", BOTH)?))
    });
    let zoom = given(vector, "Zoom", |e| {
        in_space(e, &[ZOOM_VELOCITY])?;
        number(e, "x", BOTH)
    });
    Ok(Target {
        pan_tilt: pan_tilt?,
        zoom: zoom?,
    })
}

/// `tt:PanTilt` and `tt:Zoom` of a place, in the generic spaces.
pub(super) fn vectors(pan_deg: f64, tilt_deg: f64, zoom: Option<f64>, head: &Head) -> String {
    let share =
        |v: f64, [low, high]: [f64; 2]| ((v - low) / (high - low) * 2.0 - 1.0).clamp(-1.0, 1.0);
    let [left, _] = head.pan_deg;
    // Any turn → the one that the head has.
    let pan_deg = left + (pan_deg - left).rem_euclid(360.0);
    let zoom = zoom.map_or_else(String::new, |zoom| {
        let [least, most] = head.zoom;
        let x = ((zoom - least) / (most - least)).clamp(0.0, 1.0);
        format!("<tt:Zoom x=\"{x:.6}\" space=\"{ZOOM}\"/>")
    });
    format!(
        "<tt:PanTilt x=\"{:.6}\" y=\"{:.6}\" space=\"{GENERIC}\"/>{zoom}",
        share(pan_deg, head.pan_deg),
        share(tilt_deg, head.tilt_deg),
    )
}

/// The place where a camera is.
pub(super) fn here(place: &Place, head: &Head) -> String {
    vectors(place.pan_deg, place.tilt_deg, place.zoom, head)
}

fn range(name: &str, [low, high]: [f64; 2]) -> String {
    format!("<tt:{name}><tt:Min>{low}</tt:Min><tt:Max>{high}</tt:Max></tt:{name}>")
}

/// Every space, as nodes and options list them.
pub(super) fn all(head: &Head) -> String {
    let whole = |[low, high]: [f64; 2]| [low - high, high - low];
    let space = |name: &str, uri: &str, x: [f64; 2], y: Option<[f64; 2]>| {
        let y = y.map_or_else(String::new, |y| range("YRange", y));
        let uri = escaped(uri);
        format!(
            "<tt:{name}><tt:URI>{uri}</tt:URI>{}{y}</tt:{name}>",
            range("XRange", x)
        )
    };
    let degrees = (head.pan_deg, Some(head.tilt_deg));
    let degrees_by = (whole(head.pan_deg), Some(whole(head.tilt_deg)));
    [
        space("AbsolutePanTiltPositionSpace", GENERIC, BOTH, Some(BOTH)),
        space(
            "AbsolutePanTiltPositionSpace",
            DEGREES,
            degrees.0,
            degrees.1,
        ),
        space("AbsoluteZoomPositionSpace", ZOOM, [0.0, 1.0], None),
        space(
            "RelativePanTiltTranslationSpace",
            TRANSLATION,
            BOTH,
            Some(BOTH),
        ),
        space(
            "RelativePanTiltTranslationSpace",
            DEGREES_BY,
            degrees_by.0,
            degrees_by.1,
        ),
        space("RelativeZoomTranslationSpace", ZOOM_BY, BOTH, None),
        space("ContinuousPanTiltVelocitySpace", VELOCITY, BOTH, Some(BOTH)),
        space("ContinuousZoomVelocitySpace", ZOOM_VELOCITY, BOTH, None),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::xml::read;

    const HEAD: Head = Head {
        pan_deg: [-170.0, 170.0],
        tilt_deg: [-90.0, 20.0],
        zoom: [1.0, 30.0],
        home: true,
    };

    fn asked(inside: &str) -> Element {
        read(&format!("<Position>{inside}</Position>")).unwrap()
    }

    #[test]
    fn what_is_told_is_where_one_is_sent() {
        for (pan, tilt, zoom) in [(0.0, 0.0, 1.0), (-169.0, -90.0, 30.0), (100.0, 20.0, 12.5)] {
            for turns in [0.0, 360.0, -720.0] {
                let told = vectors(pan + turns, tilt, Some(zoom), &HEAD).replace("tt:", "");
                let found = position(&asked(&told), &HEAD).unwrap();
                let (p, t) = found.pan_tilt.unwrap();
                let z = found.zoom.unwrap();
                let near = (p - pan).abs() < 1e-3 && (t - tilt).abs() < 1e-3;
                assert!(near && (z - zoom).abs() < 1e-3, "{found:?}");
            }
        }
        let degrees = format!("<PanTilt x=\"30\" y=\"-12\" space=\"{DEGREES}\"/>");
        let found = position(&asked(&degrees), &HEAD).unwrap();
        assert_eq!((found.pan_tilt, found.zoom), (Some((30.0, -12.0)), None));
        let by = asked("<PanTilt x=\"0.5\" y=\"-0.1\"/><Zoom x=\"-1\"/>");
        let by = translation(&by, &HEAD).unwrap();
        assert_eq!((by.pan_tilt, by.zoom), (Some((85.0, -5.5)), Some(-29.0)));
    }

    #[test]
    fn what_is_no_number_of_a_space_is_refused() {
        for inside in [
            "<PanTilt x=\"1.1\" y=\"0\"/>",
            "<PanTilt x=\"NaN\" y=\"0\"/>",
            "<PanTilt x=\"inf\" y=\"0\"/>",
            "<PanTilt x=\"0\"/>",
            "<PanTilt x=\"\" y=\"0\"/>",
            "<PanTilt x=\"0\" y=\"0\" space=\"http://example.com\"/>",
            "<Zoom x=\"-0.1\"/>",
            "<Zoom x=\"1\" space=\"x\"/>",
        ] {
            assert!(position(&asked(inside), &HEAD).is_err(), "{inside}");
        }
        assert!(velocity(&asked("<Zoom x=\"-1.2\"/>")).is_err());
        assert!(velocity(&asked("<PanTilt x=\"1\" y=\"-1\"/>")).is_ok());
    }
}
