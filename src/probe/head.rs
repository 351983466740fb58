//! A camera's head: the spaces in which it tells and takes positions, its limits, its
//! presets, and whether it turns its picture over by itself. Must not know positions.

use super::facts::{Camera, PTZ, ProfileFacts, deep, each, number, text};
use crate::doctor::Finding;
use crate::onvif::answers::short;
use crate::onvif::escaped;
use crate::onvif::xml::Element;
use serde::Serialize;

/// Presets beyond these are counted, not kept.
const MOST_PRESETS: usize = 300;

/// A space of the camera's numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Space {
    /// Its URI.
    pub uri: String,
    /// Lowest and highest of its first axis: pan, zoom or speed.
    pub x: [f64; 2],
    /// Lowest and highest of tilt; none for zoom and speeds.
    pub y: Option<[f64; 2]>,
}

impl Space {
    /// Whether its numbers are degrees.
    pub fn is_degrees(&self) -> bool {
        self.uri.ends_with("/SphericalPositionSpaceDegrees")
    }
}

/// One preset of the camera's own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PresetFacts {
    /// Its token.
    pub token: String,
    /// Its name; may be empty.
    pub name: String,
    /// Pan, tilt and zoom in the camera's numbers, as far as it tells them.
    pub place: [Option<f64>; 3],
}

/// A camera's head.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HeadFacts {
    /// In which pan and tilt can be told.
    pub positions: Vec<Space>,
    /// In which zoom can be told.
    pub zooms: Vec<Space>,
    /// How fast pan and tilt go, as the camera says; seldom in a unit that means anything.
    pub speeds: Vec<Space>,
    /// Where pan and tilt may go, where the camera limits them.
    pub limits: Option<Space>,
    /// Where zoom may go, where the camera limits it.
    pub zoom_limits: Option<Space>,
    /// Whether it can be sent home.
    pub home: bool,
    /// Its presets.
    pub presets: Vec<PresetFacts>,
}

impl HeadFacts {
    /// The pan/tilt space of this URI.
    pub(super) fn position_space(&self, uri: &str) -> Option<&Space> {
        self.positions.iter().find(|s| s.uri == uri)
    }

    pub(super) fn zoom_space(&self, uri: &str) -> Option<&Space> {
        self.zooms.iter().find(|s| s.uri == uri)
    }
}

/// Reads everything about the head of `profile`.
pub(super) async fn read(
    camera: &Camera,
    profile: &ProfileFacts,
) -> (Option<HeadFacts>, Vec<Finding>) {
    let nodes = camera.told(PTZ, "GetNodes", "").await;
    let node = nodes.as_ref().and_then(|nodes| {
        let ours = |n: &&Element| {
            profile.node.is_none() || n.attribute("token") == profile.node.as_deref()
        };
        each(nodes, "PTZNode").find(ours)
    });
    let configurations = camera.told(PTZ, "GetConfigurations", "").await;
    let configuration = configurations.as_ref().and_then(|all| {
        let ours = |c: &&Element| c.attribute("token") == profile.ptz_configuration.as_deref();
        each(all, "PTZConfiguration").find(ours)
    });
    let Some(node) = node else {
        let what = "the camera does not describe its head (GetNodes)";
        let remedy = "spaces and ranges must then be measured: see what it reports below";
        return (
            Some(HeadFacts::default()),
            vec![Finding::doubt("spaces", what, remedy)],
        );
    };
    let token = escaped(&profile.token);
    let body = format!("<tptz:ProfileToken>{token}</tptz:ProfileToken>");
    let presets = camera.told(PTZ, "GetPresets", &body).await;
    let mut head = of(node, configuration);
    head.presets = presets.as_ref().map(presets_of).unwrap_or_default();
    let mut findings = spaces(&head);
    findings.push(presets_found(&head, presets.is_some()));
    findings.extend(configuration.into_iter().flat_map(turned_over));
    findings.push(not_told());
    (Some(head), findings)
}

pub(super) fn of(node: &Element, configuration: Option<&Element>) -> HeadFacts {
    let supported = node.only("SupportedPTZSpaces");
    let all = |name: &str| {
        supported
            .map(|s| each(s, name).filter_map(space).collect())
            .unwrap_or_default()
    };
    let limit = |path: [&str; 2]| configuration.and_then(|c| space(c.path(&path)?));
    HeadFacts {
        positions: all("AbsolutePanTiltPositionSpace"),
        zooms: all("AbsoluteZoomPositionSpace"),
        speeds: all("PanTiltSpeedSpace"),
        limits: limit(["PanTiltLimits", "Range"]),
        zoom_limits: limit(["ZoomLimits", "Range"]),
        home: text(node, &["HomeSupported"]).is_some_and(|t| t == "true" || t == "1"),
        presets: Vec::new(),
    }
}

fn space(told: &Element) -> Option<Space> {
    let range = |name: &str| {
        let (low, high) = (number(told, &[name, "Min"])?, number(told, &[name, "Max"])?);
        (low < high).then_some([low, high])
    };
    Some(Space {
        uri: told.only("URI").map(|u| {
            u.text
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect()
        })?,
        x: range("XRange")?,
        y: range("YRange"),
    })
}

fn presets_of(told: &Element) -> Vec<PresetFacts> {
    let place = |p: &Element, name: &str, axis: &str| {
        let value: f64 = p
            .path(&["PTZPosition", name])?
            .attribute(axis)?
            .parse()
            .ok()?;
        value.is_finite().then_some(value)
    };
    each(told, "Preset")
        .take(MOST_PRESETS)
        .filter_map(|p| {
            Some(PresetFacts {
                token: p.attribute("token")?.to_owned(),
                name: text(p, &["Name"]).unwrap_or_default(),
                place: [
                    place(p, "PanTilt", "x"),
                    place(p, "PanTilt", "y"),
                    place(p, "Zoom", "x"),
                ],
            })
        })
        .collect()
}

/// The last part of a URI: what people know a space by.
pub(super) fn tail(uri: &str) -> String {
    short(uri.rsplit('/').next().unwrap_or_default())
}

fn range(range: [f64; 2]) -> String {
    format!("{} … {}", range[0], range[1])
}

pub(super) fn spaces(head: &HeadFacts) -> Vec<Finding> {
    const CHECK: &str = "spaces";
    let mut findings = Vec::new();
    if head.positions.is_empty() || head.zooms.is_empty() {
        findings.push(Finding::doubt(
            CHECK,
            "the camera names no space in which it could be sent to a position",
            "it may report one all the same: see below; steering by place and this probe's moves need one",
        ));
    }
    for space in &head.positions {
        let tilt = space.y.map_or("unknown".to_owned(), range);
        let what = format!("{}: pan {}, tilt {tilt}", tail(&space.uri), range(space.x));
        findings.push(match space.is_degrees() {
            true => Finding::good(CHECK, what),
            false => Finding::doubt(
                CHECK,
                format!("{what}: not in degrees"),
                "measure how many degrees its range is, and write them into the profile",
            ),
        });
    }
    for space in &head.zooms {
        let what = format!("{}: zoom {}", tail(&space.uri), range(space.x));
        findings.push(match space.uri.to_ascii_lowercase().contains("digital") {
            false => Finding::good(CHECK, what),
            true => Finding::bad(
                "digital-zoom",
                format!("{what}: the camera can zoom digitally"),
                "switch digital zoom off in the camera: its numbers for the lens change with it",
            ),
        });
    }
    for space in &head.speeds {
        let what = format!("{}: speed {}", tail(&space.uri), range(space.x));
        findings.push(Finding::good(CHECK, what));
    }
    for (name, limit) in [("pan", &head.limits), ("zoom", &head.zoom_limits)] {
        let Some(limit) = limit else { continue };
        let tilt = limit
            .y
            .map_or(String::new(), |y| format!(", tilt {}", range(y)));
        let what = format!("limited to {name} {}{tilt}", range(limit.x));
        findings.push(Finding::good(CHECK, what));
    }
    findings
}

fn presets_found(head: &HeadFacts, told: bool) -> Finding {
    const CHECK: &str = "presets";
    let home = if head.home {
        "has a home"
    } else {
        "has no home"
    };
    if !told {
        let remedy = "steering to presets will not work; zones need none";
        return Finding::doubt(
            CHECK,
            format!("the camera does not list presets; it {home}"),
            remedy,
        );
    }
    let names: Vec<String> = head
        .presets
        .iter()
        .take(8)
        .map(|p| {
            if p.name.is_empty() {
                p.token.clone()
            } else {
                p.name.clone()
            }
        })
        .collect();
    let more = if head.presets.len() > names.len() {
        ", …"
    } else {
        ""
    };
    let list = if names.is_empty() {
        String::new()
    } else {
        format!(": {}{more}", names.join(", "))
    };
    Finding::good(CHECK, format!("{}{list}; it {home}", head.presets.len()))
}

/// E-flip turns the picture over when the head tilts through the nadir; reverse turns
/// the stick's directions about.
pub(super) fn turned_over(configuration: &Element) -> Vec<Finding> {
    let mode = |name: &str| text(deep(configuration, name)?, &["Mode"]);
    let mut findings = Vec::new();
    if let Some(mode) = mode("EFlip") {
        findings.push(match mode.as_str() {
            "OFF" => Finding::good("e-flip", "e-flip is off"),
            _ => Finding::bad(
                "e-flip",
                format!("e-flip is {mode}: the picture turns over, and the numbers begin anew from there"),
                "switch it off in the camera",
            ),
        });
    }
    if let Some(mode) = mode("Reverse").filter(|m| m != "OFF") {
        findings.push(Finding::doubt(
            "e-flip",
            format!("reverse is {mode}: the camera may turn against what it is told"),
            "switch it off in the camera",
        ));
    }
    findings
}

/// What no answer can say.
fn not_told() -> Finding {
    Finding::doubt(
        "not-told",
        "over ONVIF no camera tells whether it freezes its picture while it turns, zooms digitally, or flips the picture by itself",
        "look in the camera's own pages, and switch off: image freeze, digital zoom, e-flip or auto-flip, stabiliser",
    )
}
