//! How a camera tells its position while it rests: how often and how soon; with what time
//! is for [`stamps`](super::stamps), in which numbers for [`numbers`](super::numbers). Asking
//! gathers answers; judging them is pure. Must not know streams.

use super::ProbeSettings;
use super::facts::{Camera, Services};
use super::head::HeadFacts;
use super::numbers::{numbers, words};
use super::spread::Spread;
use super::stamps::times;
use crate::clock::{Clock, Mono, WallTime};
use crate::doctor::Finding;
use crate::onvif::answers::PtzStatus;
use crate::onvif::{CameraError, OnvifCamera, OnvifSettings};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::Serialize;
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
