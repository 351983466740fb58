//! Positions and times as ONVIF writes them.

use super::super::camera::Camera;
use super::super::config::{PositionSpace, SimConfig};
use super::super::faults::{Measured, PositionFault, SpaceFault, UtcFault};
use super::super::motion::script::Place;
use crate::clock::CaptureTime;

pub(super) const GENERIC_PAN_TILT: &str =
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace";
pub(super) const SPHERICAL_PAN_TILT: &str =
    "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees";
pub(super) const GENERIC_ZOOM: &str =
    "http://www.onvif.org/ver10/tptz/ZoomSpaces/PositionGenericSpace";
const NOBODYS_SPACE: &str = "http://example.com/spaces/unknown";

/// The pan/tilt space a configuration reports in.
pub(crate) fn pan_tilt_space(space: PositionSpace) -> &'static str {
    match space {
        PositionSpace::Generic => GENERIC_PAN_TILT,
        PositionSpace::Spherical => SPHERICAL_PAN_TILT,
    }
}

/// The zoom space every simulated camera reports in.
pub(crate) const ZOOM_SPACE: &str = GENERIC_ZOOM;

/// Degrees to −180…180.
pub(crate) fn wrapped(pan_deg: f64) -> f64 {
    pan_deg - 360.0 * ((pan_deg + 180.0) / 360.0).floor()
}

/// Degrees to the numbers of a space.
pub(super) fn to_space(config: &SimConfig, spherical: bool, pan: f64, tilt: f64) -> (f64, f64) {
    let pan = wrapped(pan);
    if spherical {
        return (pan, tilt);
    }
    let (low, high) = (config.limits.tilt_min_deg, config.limits.tilt_max_deg);
    (pan / 180.0, (tilt - low) / (high - low) * 2.0 - 1.0)
}

/// Numbers of a space to degrees.
pub(super) fn from_space(config: &SimConfig, spherical: bool, x: f64, y: f64) -> (f64, f64) {
    if spherical {
        return (x, y);
    }
    let (low, high) = (config.limits.tilt_min_deg, config.limits.tilt_max_deg);
    (x * 180.0, low + (y + 1.0) / 2.0 * (high - low))
}

/// `tt:PanTilt` and `tt:Zoom` of a place, healthy.
pub(super) fn vectors(config: &SimConfig, place: &Place) -> String {
    let spherical = config.position_space == PositionSpace::Spherical;
    let (x, y) = to_space(config, spherical, place.pan_deg, place.tilt_deg);
    format!(
        r#"<tt:PanTilt x="{x:.6}" y="{y:.6}" space="{}"/><tt:Zoom x="{:.6}" space="{GENERIC_ZOOM}"/>"#,
        pan_tilt_space(config.position_space),
        place.zoom
    )
}

/// The inside of a `tt:PTZStatus` for a measurement, faults included.
pub(super) fn status(camera: &Camera, measured: &Measured) -> String {
    status_stamped(camera, measured, camera.utc_at(measured.told_t_ns))
}

fn status_stamped(camera: &Camera, measured: &Measured, time: CaptureTime) -> String {
    let faults = camera.faults();
    let config = &camera.config;
    let spherical = config.position_space == PositionSpace::Spherical;
    let pose = &measured.pose;
    let (mut x, mut y) = to_space(config, spherical, pose.pan_deg, pose.tilt_deg);
    if faults.position == PositionFault::OutOfRange {
        (x, y) = (x + 1234.5, y - 987.6);
    }
    let (x, y, zoom) = if faults.position == PositionFault::Nan {
        ("NaN".to_owned(), "NaN".to_owned(), "NaN".to_owned())
    } else {
        (
            format!("{x:.6}"),
            format!("{y:.6}"),
            format!("{:.6}", pose.zoom),
        )
    };
    let attribute = |space: &str| format!(r#" space="{space}""#);
    let (pan_tilt, zoom_space) = match faults.space {
        SpaceFault::No => (
            attribute(pan_tilt_space(config.position_space)),
            attribute(GENERIC_ZOOM),
        ),
        SpaceFault::Other => {
            let other = if spherical {
                GENERIC_PAN_TILT
            } else {
                SPHERICAL_PAN_TILT
            };
            (attribute(other), attribute(GENERIC_ZOOM))
        }
        SpaceFault::Unknown => (attribute(NOBODYS_SPACE), attribute(NOBODYS_SPACE)),
        SpaceFault::Missing => (String::new(), String::new()),
    };
    let position = match faults.position {
        PositionFault::Missing => String::new(),
        PositionFault::MissingZoom => {
            format!(r#"<tt:Position><tt:PanTilt x="{x}" y="{y}"{pan_tilt}/></tt:Position>"#)
        }
        PositionFault::No | PositionFault::Nan | PositionFault::OutOfRange => format!(
            r#"<tt:Position><tt:PanTilt x="{x}" y="{y}"{pan_tilt}/><tt:Zoom x="{zoom}"{zoom_space}/></tt:Position>"#
        ),
    };
    let word = |moving: bool| if moving { "MOVING" } else { "IDLE" };
    let time = match faults.utc {
        UtcFault::No => format!("<tt:UtcTime>{}</tt:UtcTime>", utc(time)),
        UtcFault::WholeSeconds => {
            let text = utc(time);
            let whole = text.split('.').next().unwrap_or_default();
            format!("<tt:UtcTime>{whole}Z</tt:UtcTime>")
        }
        UtcFault::Missing => String::new(),
    };
    format!(
        "{position}<tt:MoveStatus><tt:PanTilt>{}</tt:PanTilt><tt:Zoom>{}</tt:Zoom></tt:MoveStatus>{time}",
        word(measured.moving.0),
        word(measured.moving.1),
    )
}

/// A metadata document that tells the position (ONVIF PTZ status stream), with the lies
/// of its own.
pub(crate) fn metadata_document(camera: &Camera, measured: &Measured) -> String {
    let faults = camera.faults();
    let mut measured = *measured;
    measured.pose.pan_deg += faults.metadata_lie_pan_deg;
    let time = camera.utc_at(measured.told_t_ns);
    let time = time.plus_seconds(faults.metadata_stamp_s);
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"><tt:PTZ><tt:PTZStatus>{}</tt:PTZStatus></tt:PTZ></tt:MetadataStream>"#,
        status_stamped(camera, &measured, time)
    )
}

/// UTC in milliseconds, as `xs:dateTime`.
pub(super) fn utc(t: CaptureTime) -> String {
    let ms = t.0.div_euclid(1_000_000);
    let (s, ms) = (ms.div_euclid(1000), ms.rem_euclid(1000));
    let (year, month, day) = civil(s.div_euclid(86_400));
    let s = s.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z",
        s / 3600,
        s / 60 % 60,
        s % 60
    )
}

/// Seconds since 1970 of an `xs:dateTime` in UTC; fractions are cut off.
pub(super) fn parse_utc_s(text: &str) -> Option<i64> {
    let text = text.trim().strip_suffix('Z').unwrap_or(text.trim());
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|p| p.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let time = time.split(['.', '+']).next()?;
    let mut time = time.splitn(3, ':').map(|p| p.parse::<i64>().ok());
    let (h, m, s) = (time.next()??, time.next()??, time.next()??);
    let plain = (1900..3000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&h)
        && (0..60).contains(&m)
        && (0..=60).contains(&s);
    plain.then(|| days(year, month, day) * 86_400 + h * 3600 + m * 60 + s)
}

/// The date of a day counted from 1970, in the proleptic Gregorian calendar.
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    // Counts from 1 March 0000, so that leap days end their years; 400 years
    // are 146,097 days.
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        for (ns, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123_456_789, "2000-02-29T00:00:00.123Z"),
            (4_107_542_399_999_000_000, "2100-02-28T23:59:59.999Z"),
        ] {
            assert_eq!(utc(CaptureTime(ns)), text);
            assert_eq!(parse_utc_s(text), Some(ns.div_euclid(1_000_000_000)));
        }
        for bad in ["", "T", "2000-13-01T00:00:00Z", "2000-01-01", "x-y-zTa:b:c"] {
            assert_eq!(parse_utc_s(bad), None, "{bad}");
        }
    }

    #[test]
    fn spaces_map_both_ways() {
        let config = SimConfig::default();
        for spherical in [false, true] {
            for (pan, tilt) in [(0.0, 0.0), (-179.5, -90.0), (90.0, 20.0)] {
                let (x, y) = to_space(&config, spherical, pan + 720.0, tilt);
                assert!(spherical || (x.abs() <= 1.0 && y.abs() <= 1.0));
                let (p, t) = from_space(&config, spherical, x, y);
                assert!((p - pan).abs() < 1e-9 && (t - tilt).abs() < 1e-9);
            }
        }
    }
}
