//! How a camera tells its position while it rests: how often, how soon, with what time,
//! in which numbers. Asking gathers answers; judging them is pure. Must not know streams.

use super::ProbeSettings;
use super::facts::{Camera, Services};
use super::head::{HeadFacts, tail};
use super::spread::{Spread, width};
use crate::clock::{Clock, Mono, WallTime};
use crate::doctor::Finding;
use crate::onvif::answers::{Moving, PtzStatus};
use crate::onvif::{CameraError, OnvifCamera, OnvifSettings};
use crate::pose::profile::{GENERIC_POSITION_SPACE, GENERIC_ZOOM_SPACE, RawPosition};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Questions that wait for their answers at the same time, as when the gateway asks.
const MOST_IN_FLIGHT: usize = 8;
/// Positions older than this cover the picture (`max_telemetry_age_ms`).
const COVERS_AFTER_MS: f64 = 1000.0;
/// What a frame may wait for its evidence (`latency_budget_ms`).
const BUDGET_MS: f64 = 250.0;
/// Stamps may be this much older than their question before it matters.
const STALE_MS: f64 = 20.0;
/// A share of the range by which numbers may lie outside it: rounding.
const OUTSIDE: f64 = 0.002;
const SECOND_NS: i64 = 1_000_000_000;

/// What became of one question.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    Status(PtzStatus),
    /// An answer that says no, or nothing that can be read.
    Wrong(String),
    /// Nothing came in time.
    Nothing(String),
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) sent: Mono,
    pub(super) received: Mono,
    pub(super) heard: Heard,
}

impl Answer {
    pub(super) fn status(&self) -> Option<&PtzStatus> {
        match &self.heard {
            Heard::Status(status) => Some(status),
            Heard::Wrong(_) | Heard::Nothing(_) => None,
        }
    }
}

/// All answers, in the order of their questions, and what our UTC was at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) answers: Vec<Answer>,
    pub(super) at: (Mono, WallTime),
}

/// How a camera tells its position.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PositionFigures {
    /// Questions.
    pub asked: usize,
    /// Answers with a position.
    pub positions: usize,
    /// Positions per second.
    pub rate_hz: f64,
    /// From question to answer, milliseconds.
    pub answer_ms: Option<Spread>,
    /// The longest time without a position, milliseconds.
    pub longest_gap_ms: Option<f64>,
    /// What the last digit of UtcTime stands for, milliseconds.
    pub utc_resolution_ms: Option<f64>,
    /// How much older than the question UtcTime was at most, milliseconds.
    pub stale_ms: Option<f64>,
    /// Camera's clock less ours, milliseconds, and by how much that may be wrong.
    pub clock_offset_ms: Option<[f64; 2]>,
    /// How much faster the camera's clock runs than ours, milliseconds per second; none
    /// where that cannot be told from nothing.
    pub clock_drift_ms_s: Option<f64>,
    /// Spaces that reports named, pan/tilt and zoom; empty where they named none.
    pub spaces: [Vec<String>; 2],
    /// The last position: pan, tilt, zoom in the camera's numbers.
    pub last: [Option<f64>; 3],
}

pub(super) async fn ask_once(camera: &OnvifCamera) -> Answer {
    let (sent, received, status) = camera.status().await;
    let heard = match status {
        Ok(status) => Heard::Status(status),
        Err(CameraError::Transport(e)) => {
            let e = CameraError::Transport(e).to_string();
            if e.starts_with("HTTP") {
                Heard::Wrong(e)
            } else {
                Heard::Nothing(e)
            }
        }
        Err(e) => Heard::Wrong(e.to_string()),
    };
    Answer {
        sent,
        received,
        heard,
    }
}

/// Asks as the gateway would, for as long as was wished.
pub(super) async fn ask(
    camera: &Camera,
    clock: &Arc<dyn Clock>,
    settings: &ProbeSettings,
    stop: &AtomicBool,
) -> Asked {
    let at = (clock.mono(), clock.wall());
    let mut ticks = interval(Duration::from_secs_f64(
        1.0 / settings.rate_hz.clamp(0.2, 100.0),
    ));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let onvif = camera.onvif();
    let mut answers = Vec::new();
    let mut in_flight = FuturesUnordered::new();
    while clock.mono().since(at.0) < settings.asks_for && !stop.load(Ordering::SeqCst) {
        tokio::select! {
            _ = ticks.tick() => {
                if in_flight.len() < MOST_IN_FLIGHT {
                    in_flight.push(ask_once(onvif));
                }
            }
            Some(answer) = in_flight.next() => answers.push(answer),
        }
    }
    // Who was asked may answer.
    while let Some(answer) = in_flight.next().await {
        answers.push(answer);
    }
    answers.sort_by_key(|a| (a.sent, a.received));
    Asked { answers, at }
}

/// Drops the connection, three times, and asks anew.
pub(super) async fn reconnect(
    onvif: &OnvifSettings,
    clock: &Arc<dyn Clock>,
    token: &str,
    services: &Services,
) -> Finding {
    const CHECK: &str = "reconnect";
    let mut slowest_s = 0.0_f64;
    for _ in 0..3 {
        let began = clock.mono();
        let mut camera = match OnvifCamera::meet(onvif, clock.clone()).await {
            Ok(camera) => camera,
            Err(e) => {
                let remedy = "look at how many connections the camera allows";
                return Finding::doubt(CHECK, format!("connecting anew failed: {e}"), remedy);
            }
        };
        camera.turn_to(services.ptz.as_deref(), token);
        let answer = ask_once(&camera).await;
        if answer.status().is_none() {
            let remedy = "look at how many connections the camera allows";
            return Finding::doubt(
                CHECK,
                "asked on a new connection, it does not answer",
                remedy,
            );
        }
        slowest_s = slowest_s.max(clock.mono().since(began).as_secs_f64());
    }
    let what = format!(
        "on a new connection it answers within {:.0} ms",
        slowest_s * 1e3
    );
    match slowest_s < 2.0 {
        true => Finding::good(CHECK, what),
        false => Finding::doubt(
            CHECK,
            what,
            "after each loss the picture stays covered for so long",
        ),
    }
}

/// What the answers come to.
pub(super) fn judge(
    asked: &Asked,
    head: Option<&HeadFacts>,
    wished_hz: f64,
) -> (PositionFigures, Vec<Finding>) {
    let statuses: Vec<(&Answer, &PtzStatus)> = asked
        .answers
        .iter()
        .filter_map(|a| Some((a, a.status()?)))
        .collect();
    let mut figures = PositionFigures {
        asked: asked.answers.len(),
        ..PositionFigures::default()
    };
    let mut findings = lost(asked);
    if statuses.is_empty() {
        return (figures, findings);
    }
    findings.extend(pace(asked, &statuses, wished_hz, &mut figures));
    findings.extend(times(asked, &statuses, &mut figures));
    findings.extend(numbers(&statuses, head, &mut figures));
    findings.extend(words(&statuses));
    (figures, findings)
}

/// Questions that came to nothing.
fn lost(asked: &Asked) -> Vec<Finding> {
    const CHECK: &str = "positions";
    let total = asked.answers.len();
    let pick = |wrong: bool| -> Vec<&str> {
        let heard = asked.answers.iter().filter_map(|a| match &a.heard {
            Heard::Wrong(why) if wrong => Some(why.as_str()),
            Heard::Nothing(why) if !wrong => Some(why.as_str()),
            _ => None,
        });
        heard.collect()
    };
    let (wrong, nothing) = (pick(true), pick(false));
    let mut findings = Vec::new();
    if let Some(why) = wrong.first() {
        let what = format!("{} of {total} answers are no position: {why}", wrong.len());
        let remedy = "each covers the picture: update the firmware, or read positions another way (kind = \"vapix\", \"isapi\", \"visca\")";
        findings.push(Finding::bad(CHECK, what, remedy));
    }
    if let Some(why) = nothing.first() {
        let what = format!(
            "{} of {total} questions came to nothing: {why}",
            nothing.len()
        );
        let remedy = "look at the network and at the camera's load; ask less often (--rate)";
        findings.push(match nothing.len() == total {
            true => Finding::bad(CHECK, what, remedy),
            false => Finding::doubt(CHECK, what, remedy),
        });
    }
    if total == 0 {
        findings.push(Finding::bad(
            CHECK,
            "the position was never asked for",
            "look longer (--seconds)",
        ));
    }
    findings
}

/// How often and how soon.
fn pace(
    asked: &Asked,
    statuses: &[(&Answer, &PtzStatus)],
    wished_hz: f64,
    figures: &mut PositionFigures,
) -> Vec<Finding> {
    let whole = statuses.iter().filter(|(_, s)| complete(s));
    let mut arrivals: Vec<Mono> = whole.map(|(a, _)| a.received).collect();
    arrivals.sort();
    figures.positions = arrivals.len();
    let ms = |from: Mono, to: Mono| to.since(from).as_secs_f64() * 1e3;
    let gaps: Vec<f64> = arrivals.windows(2).map(|w| ms(w[0], w[1])).collect();
    let span_s = arrivals
        .first()
        .zip(arrivals.last())
        .map_or(0.0, |(a, b)| b.since(*a).as_secs_f64());
    if span_s > 0.0 {
        figures.rate_hz = gaps.len() as f64 / span_s;
    }
    figures.longest_gap_ms = Spread::of(gaps).map(|g| g.max);
    let trips = asked.answers.iter().filter(|a| a.status().is_some());
    figures.answer_ms = Spread::of(trips.map(|a| ms(a.sent, a.received)).collect());
    let mut findings = Vec::new();
    if let Some(gap_ms) = figures.longest_gap_ms {
        let what = format!(
            "{:.1} positions a second of {wished_hz:.1} asked for; {gap_ms:.0} ms between two at most",
            figures.rate_hz
        );
        let remedy = "look at the camera's load; between positions zones grow, and after a second the picture is covered";
        findings.push(
            match (gap_ms > COVERS_AFTER_MS, figures.rate_hz < 0.8 * wished_hz) {
                (false, false) => Finding::good("rate", what),
                _ if figures.rate_hz < 1.0 => Finding::bad("rate", what, remedy),
                _ => Finding::doubt("rate", what, remedy),
            },
        );
    }
    if let Some(answer) = figures.answer_ms {
        let what = format!(
            "answers take {:.0} ms; 1 in 100 takes {:.0} ms, the slowest {:.0} ms",
            answer.p50, answer.p99, answer.max
        );
        let remedy = "set latency_budget_ms above it, or frames leave with wide zones; look at the camera's load and its network";
        findings.push(if answer.p50 > COVERS_AFTER_MS {
            Finding::bad("answer-time", what, remedy)
        } else if answer.p99 > BUDGET_MS {
            Finding::doubt("answer-time", what, remedy)
        } else {
            Finding::good("answer-time", what)
        });
    }
    findings
}

fn complete(status: &PtzStatus) -> bool {
    let p = &status.position;
    [p.pan, p.tilt, p.zoom]
        .iter()
        .all(|v| v.is_some_and(f64::is_finite))
}

/// What a time stamp says about the clocks, nanoseconds: camera less ours is at least
/// the one, and, where the position was measured after the question, at most the other.
struct Bounds {
    least: i128,
    most: i128,
}

fn times(
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

/// Spaces and numbers.
fn numbers(
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
fn words(statuses: &[(&Answer, &PtzStatus)]) -> Vec<Finding> {
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
