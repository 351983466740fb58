//! What the time stamps of a camera that rests are worth, and its clock beside ours. Pure;
//! must not know positions.

use super::positions::{Answer, Asked, PositionFigures};
use crate::clock::Mono;
use crate::doctor::Finding;
use crate::onvif::answers::PtzStatus;
use std::collections::BTreeSet;

/// Stamps may be this much older than their question before it matters.
const STALE_MS: f64 = 20.0;
const SECOND_NS: i64 = 1_000_000_000;

/// What a time stamp says about the clocks, nanoseconds: camera less ours is at least
/// the one, and, where the position was measured after the question, at most the other.
struct Bounds {
    least: i128,
    most: i128,
}

pub(super) fn times(
    asked: &Asked,
    statuses: &[(&Answer, &PtzStatus)],
    figures: &mut PositionFigures,
) -> Vec<Finding> {
    const CHECK: &str = "utc-time";
    let stamped: Vec<(&Answer, i64, i64)> = statuses
        .iter()
        .filter_map(|(a, s)| Some((*a, s.utc?.at.0, s.utc?.resolution_ns)))
        .collect();
    let lacking = statuses.len() - stamped.len();
    if lacking > 0 {
        let what = format!(
            "{lacking} of {} answers do not say when the position was measured",
            statuses.len()
        );
        let remedy = "positions without UtcTime are not used, and the picture is covered: update the firmware, or read positions another way (kind = \"vapix\", \"isapi\", \"visca\")";
        return vec![Finding::bad(CHECK, what, remedy)];
    }
    let wall =
        |mono: Mono| i128::from(asked.at.1.0) + i128::from(mono.0) - i128::from(asked.at.0.0);
    let resolution_ns = stamped
        .iter()
        .map(|(_, _, r)| *r)
        .max()
        .unwrap_or(SECOND_NS);
    figures.utc_resolution_ms = Some(resolution_ns as f64 * 1e-6);
    let distinct: BTreeSet<i64> = stamped.iter().map(|(_, utc, _)| *utc).collect();
    let span_s = stamped
        .first()
        .zip(stamped.last())
        .map_or(0.0, |(a, b)| b.0.received.since(a.0.sent).as_secs_f64());
    if distinct.len() == 1 && stamped.len() > 2 && span_s > 2.5 * resolution_ns as f64 * 1e-9 {
        let what = format!("UtcTime has stood still for {span_s:.1} s");
        let remedy = "positions are old news then, and the picture is covered: restart the camera; update its firmware";
        return vec![Finding::bad(CHECK, what, remedy)];
    }
    let bounds: Vec<Bounds> = stamped
        .iter()
        .map(|(a, utc, resolution)| Bounds {
            least: i128::from(*utc) - wall(a.received),
            most: i128::from(*utc) + i128::from(*resolution) - wall(a.sent),
        })
        .collect();
    let mut findings = vec![resolution(resolution_ns)];
    // A clock shows a time no earlier than it was read: that bound always holds.
    let least = bounds.iter().map(|b| b.least).max().unwrap_or(0);
    let stale_ms = bounds
        .iter()
        .map(|b| (least - b.most) as f64 * 1e-6)
        .fold(0.0, f64::max);
    figures.stale_ms = Some(stale_ms);
    let fresh_hz = if span_s > 0.0 {
        distinct.len() as f64 / span_s
    } else {
        f64::INFINITY
    };
    if stale_ms > STALE_MS {
        let pace = if resolution_ns < SECOND_NS && fresh_hz < 0.8 * figures.rate_hz {
            format!("; it is measured {fresh_hz:.1} times a second")
        } else {
            String::new()
        };
        findings.push(Finding::doubt(
            CHECK,
            format!("UtcTime is up to {stale_ms:.0} ms older than the question{pace}"),
            "the camera tells what it measured before: zones grow while it turns; ask no more often than it measures",
        ));
    }
    findings.extend(clocks(&bounds, least, span_s, figures));
    findings
}

fn resolution(resolution_ns: i64) -> Finding {
    const CHECK: &str = "utc-time";
    if resolution_ns < SECOND_NS {
        let what = format!(
            "UtcTime is told in steps of {} ms",
            resolution_ns as f64 * 1e-6
        );
        return Finding::good(CHECK, what);
    }
    Finding::doubt(
        CHECK,
        "UtcTime is told in whole seconds: positions are timed by question and answer",
        "works while answers are quick; zones are wider; update the firmware if a newer one tells more",
    )
}

/// The camera's clock beside ours.
fn clocks(
    bounds: &[Bounds],
    least: i128,
    span_s: f64,
    figures: &mut PositionFigures,
) -> Vec<Finding> {
    const CHECK: &str = "clock";
    let offset = |part: &[Bounds]| {
        let least = part.iter().map(|b| b.least).max()?;
        let most = part.iter().map(|b| b.most).min()?.max(least);
        Some((
            (least + most) as f64 * 0.5e-6,
            (most - least) as f64 * 0.5e-6,
        ))
    };
    let Some((offset_ms, within_ms)) = offset(bounds) else {
        return Vec::new();
    };
    figures.clock_offset_ms = Some([offset_ms, within_ms]);
    let third = bounds.len() / 3;
    let ends = offset(&bounds[..third]).zip(offset(&bounds[bounds.len() - third..]));
    if let Some((first, last)) = ends.filter(|_| span_s > 1.0) {
        let apart_s = span_s * 2.0 / 3.0;
        let drift = (last.0 - first.0) / apart_s;
        let unsure = (last.1 + first.1) / apart_s;
        figures.clock_drift_ms_s = (drift.abs() > unsure.max(0.5)).then_some(drift);
    }
    let what = format!(
        "the camera's clock is {} ms {} ours, to within {:.0} ms",
        offset_ms.abs().round(),
        if offset_ms < 0.0 {
            "behind"
        } else {
            "ahead of"
        },
        within_ms.ceil()
    );
    let mut findings = vec![
        match least.abs() > i128::from(SECOND_NS) && offset_ms.abs() > 1000.0 {
            false => Finding::good(CHECK, what),
            true => Finding::doubt(
                CHECK,
                what,
                "set NTP in the camera, the same as here: records and proof would not fit what others recorded",
            ),
        },
    ];
    if let Some(drift) = figures.clock_drift_ms_s {
        findings.push(Finding::doubt(
            CHECK,
            format!("the camera's clock gains {drift:.1} ms a second on ours"),
            "set NTP in the camera, the same as here",
        ));
    }
    findings
}
