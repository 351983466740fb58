//! Spaces and numbers that a camera reports, and the words beside them. Pure; must not know
//! when.

use super::head::{HeadFacts, tail};
use super::positions::{Answer, PositionFigures};
use super::spread::width;
use crate::doctor::Finding;
use crate::onvif::answers::{Moving, PtzStatus};
use crate::pose::profile::{GENERIC_POSITION_SPACE, GENERIC_ZOOM_SPACE, RawPosition};
use std::collections::BTreeSet;

/// A share of the range by which numbers may lie outside it: rounding.
const OUTSIDE: f64 = 0.002;

/// Spaces and numbers.
pub(super) fn numbers(
    statuses: &[(&Answer, &PtzStatus)],
    head: Option<&HeadFacts>,
    figures: &mut PositionFigures,
) -> Vec<Finding> {
    const CHECK: &str = "positions";
    let positions: Vec<_> = statuses.iter().map(|(_, s)| &s.position).collect();
    let total = positions.len();
    let mut findings = Vec::new();
    for (name, count) in [
        (
            "pan and tilt",
            positions
                .iter()
                .filter(|p| p.pan.is_none() || p.tilt.is_none())
                .count(),
        ),
        (
            "zoom",
            positions.iter().filter(|p| p.zoom.is_none()).count(),
        ),
    ] {
        if count > 0 {
            let what = format!("{count} of {total} answers lack {name}");
            let remedy = "a missing number is never made up, and the picture is covered: update the firmware, or read positions another way (kind = \"vapix\", \"isapi\", \"visca\")";
            findings.push(Finding::bad(CHECK, what, remedy));
        }
    }
    let unreal = |v: Option<f64>| v.is_some_and(|v| !v.is_finite());
    let count = positions
        .iter()
        .filter(|p| [p.pan, p.tilt, p.zoom].into_iter().any(unreal))
        .count();
    if count > 0 {
        let what = format!("{count} of {total} answers hold numbers that are none");
        findings.push(Finding::bad(
            CHECK,
            what,
            "the picture is covered then: update the firmware",
        ));
    }
    let names = |of: fn(&RawPosition) -> &Option<String>| -> BTreeSet<Option<String>> {
        positions.iter().map(|p| of(p).clone()).collect()
    };
    for (i, (what, found, generic)) in [
        (
            "pan and tilt",
            names(|p| &p.position_space),
            GENERIC_POSITION_SPACE,
        ),
        ("zoom", names(|p| &p.zoom_space), GENERIC_ZOOM_SPACE),
    ]
    .into_iter()
    .enumerate()
    {
        figures.spaces[i] = found.iter().flatten().cloned().collect();
        findings.extend(spaces(what, &found, generic, head));
    }
    if let Some(last) = positions.last() {
        figures.last = [last.pan, last.tilt, last.zoom];
    }
    findings.extend(head.and_then(|head| outside(&positions, head)));
    let whole: Vec<[f64; 3]> = positions
        .iter()
        .filter_map(|p| Some([p.pan?, p.tilt?, p.zoom?]))
        .collect();
    if !whole.is_empty() && whole.iter().all(|p| p.iter().all(|v| *v == 0.0)) {
        findings.push(Finding::doubt(
            CHECK,
            "it is 0, 0, 0 all the time: so say cameras that do not know where they look",
            "turn it a little by hand, or let this probe do it (--move)",
        ));
    } else if findings.is_empty()
        && let Some([pan, tilt, zoom]) = whole.last()
    {
        findings.push(Finding::good(
            CHECK,
            format!("pan {pan}, tilt {tilt}, zoom {zoom}"),
        ));
    }
    findings
}

fn spaces(
    what: &str,
    found: &BTreeSet<Option<String>>,
    generic: &str,
    head: Option<&HeadFacts>,
) -> Option<Finding> {
    const CHECK: &str = "spaces";
    if found.len() > 1 {
        let names: Vec<String> = found
            .iter()
            .map(|s| s.as_deref().map_or("none".to_owned(), tail))
            .collect();
        let said = format!(
            "{what} are reported in several spaces: {}",
            names.join(", ")
        );
        return Some(Finding::bad(
            CHECK,
            said,
            "the picture is covered in all but one: switch digital zoom off; update the firmware",
        ));
    }
    let Some(Some(space)) = found.first() else {
        let said = format!("reports name no space for {what}: taken for the generic one");
        return Some(Finding::doubt(
            CHECK,
            said,
            "measure two positions and see whether its numbers go from -1 to 1 (zoom: 0 to 1)",
        ));
    };
    let known = head.is_some_and(|h| {
        let listed: Vec<&str> = h
            .positions
            .iter()
            .chain(&h.zooms)
            .map(|s| s.uri.as_str())
            .collect();
        listed.is_empty() || listed.contains(&space.as_str())
    });
    (!known && space != generic).then(|| {
        let said = format!(
            "reports give {what} in {}, which the camera does not list",
            tail(space)
        );
        Finding::doubt(
            CHECK,
            said,
            "name this space in the profile, and measure its range",
        )
    })
}

/// Numbers outside the range that the camera itself names for their space.
fn outside(positions: &[&RawPosition], head: &HeadFacts) -> Option<Finding> {
    let beyond = |value: Option<f64>, range: Option<[f64; 2]>| {
        let ([low, high], value) = (range?, value?);
        let slack = OUTSIDE * (high - low);
        (value.is_finite() && !(low - slack..=high + slack).contains(&value)).then_some(value)
    };
    let found = positions.iter().find_map(|p| {
        let space = head.position_space(
            p.position_space
                .as_deref()
                .unwrap_or(GENERIC_POSITION_SPACE),
        );
        let zoom = head.zoom_space(p.zoom_space.as_deref().unwrap_or(GENERIC_ZOOM_SPACE));
        let axes = [
            ("pan", p.pan, space.map(|s| s.x)),
            ("tilt", p.tilt, space.and_then(|s| s.y)),
            ("zoom", p.zoom, zoom.map(|s| s.x)),
        ];
        axes.into_iter()
            .find_map(|(name, value, range)| Some((name, beyond(value, range)?, range?)))
    });
    let (name, value, [low, high]) = found?;
    Some(Finding::bad(
        "positions",
        format!("{name} is {value}, outside {low} … {high}, which the camera names as its range"),
        "what it reports is not what it says: measure the range, and write that into the profile; outside of it the picture is covered",
    ))
}

/// MoveStatus and Error, which nobody should believe.
pub(super) fn words(statuses: &[(&Answer, &PtzStatus)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let rests = [
        |s: &PtzStatus| s.position.pan,
        |s: &PtzStatus| s.position.tilt,
        |s: &PtzStatus| s.position.zoom,
    ]
    .iter()
    .all(|axis| width(statuses.iter().filter_map(|(_, s)| axis(s))) < 1e-9);
    let says = |word: Moving| {
        statuses
            .iter()
            .all(|(_, s)| s.pan_tilt == word || s.zoom == word)
    };
    let remedy = "greyplane does not believe MoveStatus; who steers through something else may wait for ever";
    findings.push(if rests && says(Moving::Moving) {
        Finding::doubt(
            "move-status",
            "MoveStatus is MOVING all the time, and the position does not change",
            remedy,
        )
    } else if !rests {
        Finding::doubt(
            "move-status",
            "the position changes by itself: somebody steers, or it patrols",
            "let it rest, and try again: what was measured is of a camera that moves",
        )
    } else if says(Moving::Unknown) {
        Finding::good(
            "move-status",
            "MoveStatus is not told; nothing here needs it",
        )
    } else {
        Finding::good("move-status", "MoveStatus is IDLE while it rests")
    });
    if let Some(error) = statuses.iter().find_map(|(_, s)| s.error.as_deref()) {
        let what = format!("the camera reports an error with its position: {error}");
        findings.push(Finding::bad(
            "positions",
            what,
            "such positions are not used, and the picture is covered: see to the error",
        ));
    }
    findings
}
