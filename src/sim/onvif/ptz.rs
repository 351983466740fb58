//! The PTZ service: spaces, moves, presets.

use super::super::camera::{Camera, lock};
use super::super::config::PositionSpace;
use super::super::motion::Order;
use super::super::motion::script::Place;
use super::answer::{Fault, escaped, known_profile, presets, status};
use super::position::{GENERIC_PAN_TILT, GENERIC_ZOOM, SPHERICAL_PAN_TILT, from_space};
use super::request::{Element, Refused};

const MAX_PRESETS: usize = 256;
const TRANSLATION: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/TranslationGenericSpace";
const ZOOM_TRANSLATION: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/TranslationGenericSpace";
const VELOCITY: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/VelocityGenericSpace";
const ZOOM_VELOCITY: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/VelocityGenericSpace";
const SPEED: &str = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/GenericSpeedSpace";
const ZOOM_SPEED: &str = "http://www.onvif.org/ver10/tptz/ZoomSpaces/ZoomGenericSpeedSpace";

/// The body of the answer to an operation.
pub(super) fn body(camera: &Camera, request: &Element) -> Result<String, Fault> {
    let name = request.name.as_str();
    let moves = matches!(
        name,
        "AbsoluteMove"
            | "RelativeMove"
            | "ContinuousMove"
            | "Stop"
            | "GotoPreset"
            | "GotoHomePosition"
    );
    let needs_profile = moves
        || matches!(
            name,
            "GetStatus" | "GetPresets" | "SetPreset" | "RemovePreset" | "SetHomePosition"
        );
    if needs_profile {
        known_profile(request)?;
    }
    if moves && camera.config.is_fixed() {
        return Err(Fault::sender("ter:PTZNotSupported", "this camera is fixed"));
    }
    match name {
        "GetStatus" => return status(camera),
        "GetPresets" => return Ok(presets(camera)),
        "GetNodes" => {
            return Ok(format!(
                "<tptz:GetNodesResponse>{}</tptz:GetNodesResponse>",
                node(camera)
            ));
        }
        "GetNode" => {
            return Ok(format!(
                "<tptz:GetNodeResponse>{}</tptz:GetNodeResponse>",
                node(camera)
            ));
        }
        "GetConfigurations" => {
            return Ok(format!(
                "<tptz:GetConfigurationsResponse>{}</tptz:GetConfigurationsResponse>",
                configuration(camera, "tptz:PTZConfiguration")
            ));
        }
        "GetConfiguration" => {
            return Ok(format!(
                "<tptz:GetConfigurationResponse>{}</tptz:GetConfigurationResponse>",
                configuration(camera, "tptz:PTZConfiguration")
            ));
        }
        "GetConfigurationOptions" => {
            return Ok(format!(
                "<tptz:GetConfigurationOptionsResponse><tptz:PTZConfigurationOptions><tt:Spaces>{}</tt:Spaces><tt:PTZTimeout><tt:Min>PT0S</tt:Min><tt:Max>PT60S</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions></tptz:GetConfigurationOptionsResponse>",
                spaces(camera)
            ));
        }
        "SetPreset" => return set_preset(camera, request),
        "AbsoluteMove" => absolute(camera, request)?,
        "RelativeMove" => relative(camera, request)?,
        "ContinuousMove" => continuous(camera, request)?,
        "Stop" => {
            let flag = |name| {
                request
                    .text_of(name)
                    .is_none_or(|t| t == "true" || t == "1")
            };
            camera.order(Order::Stop {
                pan_tilt: flag("PanTilt"),
                zoom: flag("Zoom"),
            });
        }
        "GotoPreset" => {
            let place = preset(camera, request)?;
            go(camera, &place, speed(request)?);
        }
        "RemovePreset" => {
            preset(camera, request)?;
            if let Some(token) = request.text_of("PresetToken") {
                lock(&camera.presets).remove(token);
            }
        }
        "GotoHomePosition" => {
            let home = *lock(&camera.home);
            go(camera, &home, speed(request)?);
        }
        "SetHomePosition" => {
            let here = here(camera)?;
            *lock(&camera.home) = here;
        }
        other => {
            return Err(Fault {
                code: "s:Sender",
                subcode: "ter:ActionNotSupported",
                reason: format!("{other:.60} is not offered"),
            });
        }
    }
    Ok(format!("<tptz:{name}Response/>"))
}

fn invalid(what: impl Into<String>) -> Fault {
    Fault::sender("ter:InvalidPosition", what)
}

fn number(element: &Element, name: &str) -> Result<f64, Fault> {
    element
        .number(name)
        .map_err(|Refused(why)| invalid(why))?
        .ok_or_else(|| invalid(format!("attribute {name} is missing")))
}

/// x and y of a vector, refused outside `low`…`high` of each.
fn pair(e: &Element, x: [f64; 2], y: [f64; 2]) -> Result<(f64, f64), Fault> {
    let (a, b) = (number(e, "x")?, number(e, "y")?);
    if (x[0]..=x[1]).contains(&a) && (y[0]..=y[1]).contains(&b) {
        Ok((a, b))
    } else {
        Err(invalid(format!("({a}, {b}) is outside the space")))
    }
}

fn single(e: &Element, low: f64, high: f64) -> Result<f64, Fault> {
    let x = number(e, "x")?;
    if (low..=high).contains(&x) {
        Ok(x)
    } else {
        Err(invalid(format!("{x} is outside the space")))
    }
}

/// Whether the vector is in degrees.
fn is_spherical(camera: &Camera, vector: &Element) -> Result<bool, Fault> {
    match vector.attribute("space") {
        None | Some("") => Ok(camera.config.position_space == PositionSpace::Spherical),
        Some(GENERIC_PAN_TILT | TRANSLATION) => Ok(false),
        Some(SPHERICAL_PAN_TILT) => Ok(true),
        Some(other) => Err(Fault::sender(
            "ter:SpaceNotSupported",
            format!("no space {other:.100}"),
        )),
    }
}

/// Fraction of full speed asked for in `Speed`.
fn speed(request: &Element) -> Result<Option<f64>, Fault> {
    match request.at(&["Speed", "PanTilt"]) {
        None => Ok(None),
        Some(e) => {
            let (x, y) = pair(e, [-1.0, 1.0], [-1.0, 1.0])?;
            Ok(Some(x.abs().max(y.abs())))
        }
    }
}

fn go(camera: &Camera, place: &Place, speed: Option<f64>) {
    camera.order(Order::Go {
        pan_deg: Some(place.pan_deg),
        tilt_deg: Some(place.tilt_deg),
        zoom: Some(place.zoom),
        speed,
    });
}

fn absolute(camera: &Camera, request: &Element) -> Result<(), Fault> {
    let position = request
        .child("Position")
        .ok_or_else(|| invalid("no Position"))?;
    let (mut pan_deg, mut tilt_deg) = (None, None);
    if let Some(e) = position.child("PanTilt") {
        let spherical = is_spherical(camera, e)?;
        let limits = &camera.config.limits;
        let (x, y) = if spherical {
            pair(
                e,
                [-180.0, 180.0],
                [limits.tilt_min_deg, limits.tilt_max_deg],
            )?
        } else {
            pair(e, [-1.0, 1.0], [-1.0, 1.0])?
        };
        let (pan, tilt) = from_space(&camera.config, spherical, x, y);
        (pan_deg, tilt_deg) = (Some(pan), Some(tilt));
    }
    let zoom = match position.child("Zoom") {
        Some(e) => Some(single(e, 0.0, 1.0)?),
        None => None,
    };
    camera.order(Order::Go {
        pan_deg,
        tilt_deg,
        zoom,
        speed: speed(request)?,
    });
    Ok(())
}

fn relative(camera: &Camera, request: &Element) -> Result<(), Fault> {
    let by = request
        .child("Translation")
        .ok_or_else(|| invalid("no Translation"))?;
    let (mut pan_deg, mut tilt_deg) = (0.0, 0.0);
    if let Some(e) = by.child("PanTilt") {
        let limits = &camera.config.limits;
        if is_spherical(camera, e)? {
            (pan_deg, tilt_deg) = pair(e, [-360.0, 360.0], [-180.0, 180.0])?;
        } else {
            let (x, y) = pair(e, [-1.0, 1.0], [-1.0, 1.0])?;
            pan_deg = x * 180.0;
            tilt_deg = y * (limits.tilt_max_deg - limits.tilt_min_deg) / 2.0;
        }
    }
    let zoom = match by.child("Zoom") {
        Some(e) => single(e, -1.0, 1.0)?,
        None => 0.0,
    };
    camera.order(Order::By {
        pan_deg,
        tilt_deg,
        zoom,
    });
    Ok(())
}

fn continuous(camera: &Camera, request: &Element) -> Result<(), Fault> {
    let velocity = request
        .child("Velocity")
        .ok_or_else(|| invalid("no Velocity"))?;
    let (mut pan, mut tilt) = (None, None);
    if let Some(e) = velocity.child("PanTilt") {
        let (x, y) = pair(e, [-1.0, 1.0], [-1.0, 1.0])?;
        (pan, tilt) = (Some(x), Some(y));
    }
    let zoom = match velocity.child("Zoom") {
        Some(e) => Some(single(e, -1.0, 1.0)?),
        None => None,
    };
    let seconds = match request.text_of("Timeout") {
        None => None,
        Some(text) => Some(duration_s(text).ok_or_else(|| {
            Fault::sender("ter:TimeoutNotSupported", format!("Timeout {text:.40}"))
        })?),
    };
    camera.order_for(Order::Turn { pan, tilt, zoom }, seconds);
    Ok(())
}

/// Seconds of an `xs:duration` of minutes and seconds.
fn duration_s(text: &str) -> Option<f64> {
    let rest = text.strip_prefix("PT")?;
    let (minutes, rest) = match rest.split_once('M') {
        Some((m, rest)) => (m.parse::<f64>().ok()?, rest),
        None => (0.0, rest),
    };
    let seconds = match rest.strip_suffix('S') {
        Some(s) => s.parse::<f64>().ok()?,
        None if rest.is_empty() && minutes > 0.0 => 0.0,
        None => return None,
    };
    let total = minutes * 60.0 + seconds;
    (total.is_finite() && (0.0..=3600.0).contains(&total)).then_some(total)
}

fn preset(camera: &Camera, request: &Element) -> Result<Place, Fault> {
    let token = request.text_of("PresetToken").unwrap_or_default();
    lock(&camera.presets)
        .get(token)
        .map(|(_, place)| *place)
        .ok_or_else(|| Fault::sender("ter:NoToken", format!("no preset {token:.40}")))
}

fn here(camera: &Camera) -> Result<Place, Fault> {
    let pose = camera
        .pose_at(camera.now_ns())
        .ok_or_else(|| invalid("the position is not known"))?;
    Ok(Place {
        pan_deg: pose.pan_deg,
        tilt_deg: pose.tilt_deg,
        zoom: pose.zoom,
    })
}

fn set_preset(camera: &Camera, request: &Element) -> Result<String, Fault> {
    let place = here(camera)?;
    let mut presets = lock(&camera.presets);
    let name = request.text_of("PresetName").map(str::to_owned);
    let token = match request.text_of("PresetToken") {
        Some(token) if presets.contains_key(token) => token.to_owned(),
        Some(token) => {
            return Err(Fault::sender(
                "ter:NoToken",
                format!("no preset {token:.40}"),
            ));
        }
        None => {
            if presets.len() >= MAX_PRESETS {
                return Err(Fault::sender("ter:TooManyPresets", "no room for a preset"));
            }
            (1..)
                .map(|n: u32| n.to_string())
                .find(|t| !presets.contains_key(t))
                .unwrap_or_default()
        }
    };
    let old_name = presets.get(&token).map(|(name, _)| name.clone());
    let name = name
        .or(old_name)
        .unwrap_or_else(|| format!("preset {token}"));
    presets.insert(token.clone(), (name, place));
    Ok(format!(
        "<tptz:SetPresetResponse><tptz:PresetToken>{}</tptz:PresetToken></tptz:SetPresetResponse>",
        escaped(&token)
    ))
}

fn range(name: &str, low: f64, high: f64) -> String {
    format!("<tt:{name}><tt:Min>{low}</tt:Min><tt:Max>{high}</tt:Max></tt:{name}>")
}

fn space(element: &str, uri: &str, x: [f64; 2], y: Option<[f64; 2]>) -> String {
    let y = y.map_or(String::new(), |[low, high]| range("YRange", low, high));
    format!(
        "<tt:{element}><tt:URI>{uri}</tt:URI>{}{y}</tt:{element}>",
        range("XRange", x[0], x[1])
    )
}

fn spaces(camera: &Camera) -> String {
    let limits = &camera.config.limits;
    let both = [-1.0, 1.0];
    let generic = space(
        "AbsolutePanTiltPositionSpace",
        GENERIC_PAN_TILT,
        both,
        Some(both),
    );
    let spherical = space(
        "AbsolutePanTiltPositionSpace",
        SPHERICAL_PAN_TILT,
        [-180.0, 180.0],
        Some([limits.tilt_min_deg, limits.tilt_max_deg]),
    );
    [
        generic,
        spherical,
        space("AbsoluteZoomPositionSpace", GENERIC_ZOOM, [0.0, 1.0], None),
        space(
            "RelativePanTiltTranslationSpace",
            TRANSLATION,
            both,
            Some(both),
        ),
        space("RelativeZoomTranslationSpace", ZOOM_TRANSLATION, both, None),
        space("ContinuousPanTiltVelocitySpace", VELOCITY, both, Some(both)),
        space("ContinuousZoomVelocitySpace", ZOOM_VELOCITY, both, None),
        space("PanTiltSpeedSpace", SPEED, [0.0, 1.0], None),
        space("ZoomSpeedSpace", ZOOM_SPEED, [0.0, 1.0], None),
    ]
    .concat()
}

fn node(camera: &Camera) -> String {
    format!(
        "<tptz:PTZNode token=\"node\" FixedHomePosition=\"false\"><tt:Name>node</tt:Name><tt:SupportedPTZSpaces>{}</tt:SupportedPTZSpaces><tt:MaximumNumberOfPresets>{MAX_PRESETS}</tt:MaximumNumberOfPresets><tt:HomeSupported>true</tt:HomeSupported></tptz:PTZNode>",
        spaces(camera)
    )
}

/// The PTZ configuration under an element name.
pub(super) fn configuration(camera: &Camera, element: &str) -> String {
    let position = super::position::pan_tilt_space(camera.config.position_space);
    format!(
        "<{element} token=\"ptz-config\"><tt:Name>ptz</tt:Name><tt:UseCount>1</tt:UseCount><tt:NodeToken>node</tt:NodeToken><tt:DefaultAbsolutePantTiltPositionSpace>{position}</tt:DefaultAbsolutePantTiltPositionSpace><tt:DefaultAbsoluteZoomPositionSpace>{GENERIC_ZOOM}</tt:DefaultAbsoluteZoomPositionSpace><tt:DefaultRelativePanTiltTranslationSpace>{TRANSLATION}</tt:DefaultRelativePanTiltTranslationSpace><tt:DefaultRelativeZoomTranslationSpace>{ZOOM_TRANSLATION}</tt:DefaultRelativeZoomTranslationSpace><tt:DefaultContinuousPanTiltVelocitySpace>{VELOCITY}</tt:DefaultContinuousPanTiltVelocitySpace><tt:DefaultContinuousZoomVelocitySpace>{ZOOM_VELOCITY}</tt:DefaultContinuousZoomVelocitySpace><tt:DefaultPTZTimeout>PT10S</tt:DefaultPTZTimeout></{element}>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_or_refused() {
        for (text, expected) in [
            ("PT2S", Some(2.0)),
            ("PT0.5S", Some(0.5)),
            ("PT1M", Some(60.0)),
            ("PT1M30S", Some(90.0)),
            ("PT", None),
            ("2", None),
            ("PTNaNS", None),
            ("PT-3S", None),
            ("PT1e9S", None),
        ] {
            assert_eq!(duration_s(text), expected, "{text}");
        }
    }
}
