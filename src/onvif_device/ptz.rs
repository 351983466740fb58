//! The PTZ service, version 2: one node, and what it is told to do (ONVIF PTZ Service
//! Specification; element names and their order are those of the published WSDL).

use super::answer::{Fault, escaped, tagged};
use super::media::of_profile;
use super::request::{Request, duration_s};
use super::server::Served;
use super::spaces::{self, Target};
use super::turning::{Asked, Hand, LONGEST, Motion, USUAL};
use super::{Head, Place};
use crate::onvif::utc;
use crate::onvif::xml::Element;
use crate::web::{CameraPreset, Wish};
use std::time::Duration;

const NODE: &str = "node";
const CONFIGURATION: &str = "ptz-config";
/// No token is longer: ONVIF's ReferenceToken, characters.
const LONGEST_TOKEN: usize = 64;
/// More presets than this no camera is said to have.
const MOST_PRESETS: usize = 300;

/// Whether an operation moves the camera: then it needs the right to.
pub(super) fn moves(operation: &str) -> bool {
    matches!(
        operation,
        "ContinuousMove"
            | "Stop"
            | "AbsoluteMove"
            | "RelativeMove"
            | "GotoPreset"
            | "GotoHomePosition"
    )
}

/// What is answered to what moves nothing; none where the operation is none of those.
pub(super) async fn answer(
    request: &Request,
    served: &Served,
    head: &Head,
) -> Option<Result<String, Fault>> {
    let name = request.name();
    let of = |checked: Result<(), Fault>, inside: String| checked.map(|()| inside);
    let inside = match name {
        "GetServiceCapabilities" => Ok(SERVICE_CAPABILITIES.to_owned()),
        "GetNodes" => Ok(node(head)),
        "GetNode" => of(
            known(request, "NodeToken", NODE, "ter:NoEntity"),
            node(head),
        ),
        "GetConfigurations" | "GetCompatibleConfigurations" => {
            Ok(configuration("tptz:PTZConfiguration"))
        }
        "GetConfiguration" => of(
            known(
                request,
                "PTZConfigurationToken",
                CONFIGURATION,
                "ter:NoConfig",
            ),
            configuration("tptz:PTZConfiguration"),
        ),
        "GetConfigurationOptions" => of(
            known(request, "ConfigurationToken", CONFIGURATION, "ter:NoConfig"),
            options(head),
        ),
        "GetStatus" => of(known_profile(request, served), status(served, head)),
        "GetPresets" => match known_profile(request, served) {
            Ok(()) => presets(served, head).await,
            Err(fault) => Err(fault),
        },
        _ => return None,
    };
    Some(inside.map(|inside| tagged(&format!("tptz:{name}Response"), &inside)))
}

/// Refuses what names no profile of this device: all of them turn alike.
fn known_profile(request: &Request, served: &Served) -> Result<(), Fault> {
    of_profile(request, &served.pictures()).map(|_| ())
}

fn known(request: &Request, name: &str, token: &str, code: &'static str) -> Result<(), Fault> {
    let codes: &'static [&'static str] = match code {
        "ter:NoEntity" => &["ter:InvalidArgVal", "ter:NoEntity"],
        _ => &["ter:InvalidArgVal", "ter:NoConfig"],
    };
    match request.text(name) == Some(token) {
        true => Ok(()),
        false => Err(Fault::no_such("token", codes)),
    }
}

const SERVICE_CAPABILITIES: &str = "<tptz:Capabilities EFlip=\"false\" Reverse=\"false\" \
     GetCompatibleConfigurations=\"true\" MoveStatus=\"true\" StatusPosition=\"true\"/>";

fn node(head: &Head) -> String {
    format!(
        "<tptz:PTZNode token=\"{NODE}\" FixedHomePosition=\"true\"><tt:Name>masked</tt:Name>\
         <tt:SupportedPTZSpaces>{}</tt:SupportedPTZSpaces>\
         <tt:MaximumNumberOfPresets>{MOST_PRESETS}</tt:MaximumNumberOfPresets>\
         <tt:HomeSupported>{}</tt:HomeSupported></tptz:PTZNode>",
        spaces::all(head),
        head.home
    )
}

/// The configuration under an element's name.
pub(super) fn configuration(element: &str) -> String {
    let defaults: String = spaces::DEFAULTS
        .iter()
        .map(|(name, uri)| tagged(&format!("tt:{name}"), uri))
        .collect();
    format!(
        "<{element} token=\"{CONFIGURATION}\"><tt:Name>masked</tt:Name><tt:UseCount>1</tt:UseCount>\
         <tt:NodeToken>{NODE}</tt:NodeToken>{defaults}\
         <tt:DefaultPTZTimeout>PT{}S</tt:DefaultPTZTimeout></{element}>",
        USUAL.as_secs()
    )
}

fn options(head: &Head) -> String {
    format!(
        "<tptz:PTZConfigurationOptions><tt:Spaces>{}</tt:Spaces><tt:PTZTimeout><tt:Min>PT0S</tt:Min>\
         <tt:Max>PT{}S</tt:Max></tt:PTZTimeout></tptz:PTZConfigurationOptions>",
        spaces::all(head),
        LONGEST.as_secs()
    )
}

fn status(served: &Served, head: &Head) -> String {
    let now_s = served.common.clock().wall().0.div_euclid(1_000_000_000);
    let place = served.place();
    let word = match place.map(|place| place.moves || served.was_just_told()) {
        Some(true) => "MOVING",
        Some(false) => "IDLE",
        None => "UNKNOWN",
    };
    let position = place.map_or_else(String::new, |place| {
        tagged("tt:Position", &spaces::here(&place, head))
    });
    format!(
        "<tptz:PTZStatus>{position}<tt:MoveStatus><tt:PanTilt>{word}</tt:PanTilt>\
         <tt:Zoom>{word}</tt:Zoom></tt:MoveStatus><tt:UtcTime>{}</tt:UtcTime></tptz:PTZStatus>",
        utc::format_seconds(now_s)
    )
}

async fn presets(served: &Served, head: &Head) -> Result<String, Fault> {
    let listed = served.presets().await?;
    let fit = |p: &&CameraPreset| p.token.chars().count() <= LONGEST_TOKEN;
    let all = listed.iter().filter(fit).take(MOST_PRESETS);
    Ok(all
        .map(|p| {
            let place = match (p.pan_deg, p.tilt_deg) {
                (Some(pan), Some(tilt)) => {
                    tagged("tt:PTZPosition", &spaces::vectors(pan, tilt, p.zoom, head))
                }
                _ => String::new(),
            };
            format!(
                "<tptz:Preset token=\"{}\"><tt:Name>{}</tt:Name>{place}</tptz:Preset>",
                escaped(&p.token),
                escaped(&p.name)
            )
        })
        .collect())
}

/// Does what moves the camera.
pub(super) async fn steer(
    request: &Request,
    served: &Served,
    head: &Head,
    hand: Hand,
) -> Result<String, Fault> {
    known_profile(request, served)?;
    let name = request.name();
    let wish = match name {
        "ContinuousMove" => {
            turn(request, served, hand).await?;
            return Ok(format!("<tptz:{name}Response/>"));
        }
        "Stop" => {
            stop(request, served, hand).await?;
            return Ok(format!("<tptz:{name}Response/>"));
        }
        "AbsoluteMove" => place(
            spaces::position(inside(request, "Position")?, head)?,
            served.place(),
        )?,
        "RelativeMove" => {
            let by = spaces::translation(inside(request, "Translation")?, head)?;
            from_here(by, served.place(), head)?
        }
        "GotoHomePosition" => Wish::Home,
        _ => {
            let token = request.text("PresetToken").unwrap_or_default();
            let odd = token.is_empty() || token.chars().count() > LONGEST_TOKEN;
            if odd || token.chars().any(char::is_control) {
                return Err(Fault::no_such(
                    "preset",
                    &["ter:InvalidArgVal", "ter:NoToken"],
                ));
            }
            Wish::Preset(token.to_owned())
        }
    };
    // What was to go on, does not: going somewhere comes in its place.
    served.turning.take(&hand.by);
    hand.give(wish).await?;
    served.told();
    Ok(format!("<tptz:{name}Response/>"))
}

fn inside<'a>(request: &'a Request, name: &str) -> Result<&'a Element, Fault> {
    let found = request.operation.only(name);
    found.ok_or_else(|| Fault::invalid(format!("{name} is missing")))
}

fn nobody_knows() -> Fault {
    Fault::not_now("nobody knows where the camera looks now")
}

/// A place to go to. What is not said stays as it is.
fn place(to: Target, now: Option<Place>) -> Result<Wish, Fault> {
    let (pan_deg, tilt_deg) = match (to.pan_tilt, now) {
        (Some(given), _) => given,
        (None, Some(now)) => (now.pan_deg, now.tilt_deg),
        (None, None) => return Err(nobody_knows()),
    };
    Ok(Wish::Go {
        pan_deg,
        tilt_deg,
        zoom: to.zoom,
    })
}

/// A place, by how far it is from where the camera is; no further than it reaches.
fn from_here(by: Target, now: Option<Place>, head: &Head) -> Result<Wish, Fault> {
    let now = now.ok_or_else(nobody_knows)?;
    let (pan, tilt) = by.pan_tilt.unwrap_or((0.0, 0.0));
    let ([low, high], [least, most]) = (head.tilt_deg, head.zoom);
    let zoom = match by.zoom.filter(|by| *by != 0.0) {
        None => None,
        Some(by) => Some(now.zoom.ok_or_else(nobody_knows)? + by),
    };
    Ok(Wish::Go {
        pan_deg: now.pan_deg + pan,
        tilt_deg: (now.tilt_deg + tilt).clamp(low, high),
        zoom: zoom.map(|zoom| zoom.clamp(least, most)),
    })
}

/// Turns on; an axis that is not named goes on as it did.
async fn turn(request: &Request, served: &Served, hand: Hand) -> Result<(), Fault> {
    let wanted = spaces::velocity(inside(request, "Velocity")?)?;
    let lasts = match request.text("Timeout") {
        None => USUAL,
        Some(text) => {
            let seconds = duration_s(text);
            let seconds = seconds.ok_or_else(|| Fault::invalid("Timeout is no duration"))?;
            Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64()))
        }
    };
    let (asked, before) = served.turning.take(&hand.by);
    let before = before.map(|(motion, _)| motion).unwrap_or_default();
    let (pan, tilt) = wanted.pan_tilt.unwrap_or((before.pan, before.tilt));
    let zoom = wanted.zoom.unwrap_or(before.zoom);
    let clock = served.common.clock();
    goes_on(
        served,
        asked,
        hand,
        Motion { pan, tilt, zoom },
        clock.mono().plus(lasts),
    )
    .await
}

/// Stops all of it, or the axes that are named.
async fn stop(request: &Request, served: &Served, hand: Hand) -> Result<(), Fault> {
    let stops = |name| request.text(name).is_none_or(|t| t == "true" || t == "1");
    let (asked, before) = served.turning.take(&hand.by);
    let now = served.common.clock().mono();
    let (mut motion, until) = before.unwrap_or((Motion::default(), now));
    if stops("PanTilt") {
        (motion.pan, motion.tilt) = (0.0, 0.0);
    }
    if stops("Zoom") {
        motion.zoom = 0.0;
    }
    goes_on(served, asked, hand, motion, until).await
}

async fn goes_on(
    served: &Served,
    asked: Asked,
    hand: Hand,
    motion: Motion,
    until: crate::clock::Mono,
) -> Result<(), Fault> {
    let wish = motion.wish();
    hand.give(wish.clone()).await?;
    served.told();
    if wish != Wish::Stop {
        let clock = served.common.clock().clone();
        served.turning.begin(asked, hand, motion, clock, until);
    }
    Ok(())
}
