//! Turns a camera a little, and looks whether its position follows: at once (then it tells
//! what it intends), never, or as a head moves. Whatever happens, the camera is stopped and
//! sent back to where it stood. Asking gathers traces; judging them is pure. Must not know
//! who gave permission.

use super::Turn;
use super::facts::Camera;
use super::head::{HeadFacts, PresetFacts, Space};
use super::positions::ask_once;
use super::spread::{Spread, width};
use crate::clock::{Clock, Mono};
use crate::doctor::Finding;
use crate::onvif::answers::Moving;
use crate::onvif::{CameraError, PtzCommand};
use crate::pose::profile::{GENERIC_POSITION_SPACE, RawPosition};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// How often it goes there and back.
const ROUNDS: usize = 3;
/// A head is not there later than this.
const THERE_WITHIN: Duration = Duration::from_secs(8);
/// A position that does not change for so long is one of rest.
const RESTS_AFTER: Duration = Duration::from_millis(400);
/// A head that has not begun by then has not heard.
const BEGINS_WITHIN: Duration = Duration::from_secs(3);
const BETWEEN: Duration = Duration::from_millis(20);
/// How long a stop is tried again.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// No head goes from a tenth to nine tenths of five degrees within this: that would take
/// 950°/s² (0.55 of the time 2·√(5°/a) of a way that is half speeding up, half braking).
const NO_HEAD_IS_SO_FAST: Duration = Duration::from_millis(80);
/// Shares of the way.
const BEGUN: f64 = 0.1;
const ALL_BUT_THERE: f64 = 0.9;
const THERE: f64 = 0.97;
/// Of full deflection, tried in this order while the way stays small.
const DEFLECTIONS: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
const DEFLECTS_FOR: Duration = Duration::from_millis(300);
/// Returns may miss by this share of the way, a tenth of a degree or so.
const SPREAD: f64 = 0.02;

/// How a camera tells its position while it turns.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MotionFigures {
    /// Pan and tilt by which it was turned, in the camera's numbers.
    pub by: [f64; 2],
    /// How often it was sent somewhere.
    pub sent: usize,
    /// From the command to the first answer with a changed position, milliseconds.
    pub begins_ms: Option<Spread>,
    /// From the command to the first answer with the position it was sent to, milliseconds.
    pub arrives_ms: Option<Spread>,
    /// How far apart the positions are that it reports after each return, pan and tilt in
    /// the camera's numbers.
    pub returns_spread: Option<[f64; 2]>,
    /// The same at the preset, with zoom.
    pub preset_spread: Option<[f64; 3]>,
    /// Share of full deflection, and the pan speed there in the camera's numbers a second.
    pub pan_speed: Option<[f64; 2]>,
    /// Whether it stands again where it stood.
    pub put_back: bool,
}

/// One answer on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) sent: Mono,
    pub(super) received: Mono,
    pub(super) at: [f64; 2],
    pub(super) zoom: Option<f64>,
    pub(super) moving: Moving,
}

/// One way: from where, to where, and what was reported.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trace {
    pub(super) from: [f64; 2],
    pub(super) to: [f64; 2],
    pub(super) told: Mono,
    pub(super) points: Vec<Point>,
}

impl Trace {
    /// How much of the way is behind a position, 0…1.
    fn share(&self, at: [f64; 2]) -> f64 {
        let way = [self.to[0] - self.from[0], self.to[1] - self.from[1]];
        let gone = [at[0] - self.from[0], at[1] - self.from[1]];
        let length = way[0] * way[0] + way[1] * way[1];
        (gone[0] * way[0] + gone[1] * way[1]) / length
    }

    fn end(&self) -> Option<&Point> {
        self.points.last()
    }

    fn first_beyond(&self, share: f64) -> Option<&Point> {
        self.points.iter().find(|p| self.share(p.at) > share)
    }

    /// Whether it was reported at the end of the way sooner than any head can be there.
    fn jumped(&self) -> bool {
        let Some(there) = self
            .points
            .iter()
            .position(|p| self.share(p.at) > ALL_BUT_THERE)
        else {
            return false;
        };
        let before = match there.checked_sub(1).map(|i| &self.points[i]) {
            Some(before) if self.share(before.at) < BEGUN => before.sent,
            Some(_) => return false,
            None => self.told,
        };
        self.points[there].received.since(before) < NO_HEAD_IS_SO_FAST
    }
}

/// What is turned, and by how much.
struct Plan {
    space: Space,
    start: [f64; 2],
    by: [f64; 2],
}

/// Turns the camera, and puts it back.
pub(super) async fn turn(
    camera: &Camera,
    clock: &Arc<dyn Clock>,
    head: &HeadFacts,
    turn: &Turn,
    stop: &AtomicBool,
) -> (Option<MotionFigures>, Vec<Finding>) {
    let mover = Mover {
        camera,
        clock,
        stop,
    };
    let plan = match mover.plan(head).await {
        Ok(plan) => plan,
        Err(finding) => return (None, vec![finding]),
    };
    let mut traces = Vec::new();
    let mut figures = MotionFigures {
        by: plan.by,
        ..MotionFigures::default()
    };
    let mut findings = Vec::new();
    // Nothing in here leaves but by the way back.
    let went = mover
        .all(&plan, head, turn, &mut traces, &mut figures)
        .await;
    let back = mover.back(&plan).await;
    if let Err(e) = went {
        let remedy =
            "see that the account may move the camera (Operator), and that nobody else steers";
        findings.push(Finding::doubt(
            "moves",
            format!("the camera does not go where it is sent: {e}"),
            remedy,
        ));
    }
    if let Some(wanted) = turn.preset.as_ref().filter(|p| known(head, p).is_none()) {
        let what = format!("the camera has no preset {wanted:?}");
        findings.push(Finding::doubt(
            "precision",
            what,
            "name one of those listed above",
        ));
    }
    if !traces.is_empty() {
        findings.extend(judge(&traces, &plan.space, &mut figures));
    }
    findings.push(put_back(&back));
    figures.put_back = back.is_ok();
    (Some(figures), findings)
}

fn put_back(back: &Result<(), String>) -> Finding {
    const CHECK: &str = "put-back";
    match back {
        Ok(()) => Finding::good(CHECK, "it stands again where it stood"),
        Err(why) => Finding::bad(
            CHECK,
            format!("it may not stand where it stood: {why}"),
            "look at the camera, and send it home or to its preset",
        ),
    }
}

/// Why a way was not gone.
enum Broken {
    Camera(CameraError),
    Asked,
    Silent,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Camera(e) => e.fmt(f),
            Self::Asked => f.write_str("broken off"),
            Self::Silent => f.write_str("it told no position on the way"),
        }
    }
}

struct Mover<'c> {
    camera: &'c Camera,
    clock: &'c Arc<dyn Clock>,
    stop: &'c AtomicBool,
}

impl Mover<'_> {
    async fn point(&self) -> Option<Point> {
        let answer = ask_once(self.camera.onvif()).await;
        let status = answer.status()?;
        let RawPosition {
            pan, tilt, zoom, ..
        } = status.position;
        let at = [pan?, tilt?];
        at.iter().all(|v| v.is_finite()).then_some(Point {
            sent: answer.sent,
            received: answer.received,
            at,
            zoom,
            moving: status.pan_tilt,
        })
    }

    /// Where it rests, and where it may be sent from there.
    async fn plan(&self, head: &HeadFacts) -> Result<Plan, Finding> {
        const CHECK: &str = "moves";
        let unfit = |what: &str, remedy: &str| Finding::doubt(CHECK, what, remedy);
        let answer = ask_once(self.camera.onvif()).await;
        let reported = answer
            .status()
            .map(|s| s.position.clone())
            .unwrap_or_default();
        let uri = reported
            .position_space
            .as_deref()
            .unwrap_or(GENERIC_POSITION_SPACE);
        let Some(space) = head.position_space(uri).filter(|s| s.y.is_some()).cloned() else {
            return Err(unfit(
                "not turned: the camera cannot be sent to positions in the space in which it reports them, so it could not be put back",
                "turn it by hand and watch what it reports",
            ));
        };
        let before = self.point().await;
        sleep(RESTS_AFTER).await;
        let now = self.point().await;
        let (Some(before), Some(now)) = (before, now) else {
            return Err(unfit(
                "not turned: it does not tell where it stands",
                "see what is said above about positions",
            ));
        };
        if before.at != now.at {
            return Err(unfit(
                "not turned: it moves by itself",
                "let it rest (no patrol, nobody who steers), and try again",
            ));
        }
        let (x, y) = (space.x, space.y.unwrap_or_default());
        let around = |range: [f64; 2], whole_deg: f64| match space.is_degrees() {
            true => Turn::ABOUT_DEG,
            false => (range[1] - range[0]) * Turn::ABOUT_DEG / whole_deg,
        };
        let towards = |at: f64, range: [f64; 2], by: f64| {
            if at > (range[0] + range[1]) / 2.0 {
                -by
            } else {
                by
            }
        };
        let start = now.at;
        Ok(Plan {
            by: [
                towards(start[0], x, around(x, 360.0)),
                towards(start[1], y, around(y, 180.0)),
            ],
            space,
            start,
        })
    }

    async fn all(
        &self,
        plan: &Plan,
        head: &HeadFacts,
        turn: &Turn,
        traces: &mut Vec<Trace>,
        figures: &mut MotionFigures,
    ) -> Result<(), Broken> {
        let [pan, tilt] = plan.start;
        let mut returns = Vec::new();
        for _ in 0..ROUNDS {
            for there in [[pan + plan.by[0], tilt], [pan, tilt + plan.by[1]]] {
                let went = self.go(plan, plan.start, there).await?;
                let frozen = went.first_beyond(BEGUN).is_none();
                traces.push(went);
                if frozen {
                    // Nothing more can be learned from where it says it is.
                    figures.sent = traces.len();
                    return Ok(());
                }
                let back = self.go(plan, there, plan.start).await?;
                returns.extend(back.end().map(|p| p.at));
                traces.push(back);
            }
        }
        figures.sent = traces.len();
        figures.returns_spread = Some([0, 1].map(|axis| width(returns.iter().map(|p| p[axis]))));
        if let Some(wanted) = &turn.preset {
            figures.preset_spread = self.presets(plan, head, wanted).await?;
        }
        figures.pan_speed = self.deflect(plan).await?;
        Ok(())
    }

    /// Sends the head somewhere, and listens until it rests.
    async fn go(&self, plan: &Plan, from: [f64; 2], to: [f64; 2]) -> Result<Trace, Broken> {
        let told = self.clock.mono();
        let command = absolute(plan, to);
        self.camera
            .onvif()
            .tell(&command)
            .await
            .map_err(Broken::Camera)?;
        let mut trace = Trace {
            from,
            to,
            told,
            points: Vec::new(),
        };
        self.listen(&mut trace).await?;
        Ok(trace)
    }

    async fn listen(&self, trace: &mut Trace) -> Result<(), Broken> {
        let mut changed: Option<Point> = None;
        loop {
            if self.stop.load(Ordering::SeqCst) {
                return Err(Broken::Asked);
            }
            let now = self.clock.mono();
            if let Some(point) = self.point().await {
                if changed.is_none_or(|before| before.at != point.at) {
                    changed = Some(point);
                }
                trace.points.push(point);
                let rests = changed.is_some_and(|c| point.sent.since(c.sent) > RESTS_AFTER);
                let there = trace.share(point.at) > THERE;
                if rests && (there || point.sent.since(trace.told) > BEGINS_WITHIN) {
                    return Ok(());
                }
            }
            if now.since(trace.told) > THERE_WITHIN {
                return match trace.points.is_empty() {
                    true => Err(Broken::Silent),
                    false => Ok(()),
                };
            }
            sleep(BETWEEN).await;
        }
    }

    /// How far apart the positions are that it reports at a preset; none where it has no
    /// such preset.
    async fn presets(
        &self,
        plan: &Plan,
        head: &HeadFacts,
        wanted: &str,
    ) -> Result<Option<[f64; 3]>, Broken> {
        let Some(preset) = known(head, wanted) else {
            return Ok(None);
        };
        let mut found = Vec::new();
        for _ in 0..ROUNDS {
            let told = self.clock.mono();
            let command = PtzCommand::Preset(preset.token.clone());
            self.camera
                .onvif()
                .tell(&command)
                .await
                .map_err(Broken::Camera)?;
            let to = [
                preset.place[0].unwrap_or(plan.start[0]),
                preset.place[1].unwrap_or(plan.start[1]),
            ];
            let mut trace = Trace {
                from: plan.start,
                to,
                told,
                points: Vec::new(),
            };
            self.listen(&mut trace).await?;
            found.extend(trace.end().copied());
            self.go(plan, to, plan.start).await?;
        }
        let zoom = width(found.iter().filter_map(|p| p.zoom));
        Ok(Some([
            width(found.iter().map(|p| p.at[0])),
            width(found.iter().map(|p| p.at[1])),
            zoom,
        ]))
    }

    /// Deflects more and more, as long as the next is foreseen to stay within the angle.
    async fn deflect(&self, plan: &Plan) -> Result<Option<[f64; 2]>, Broken> {
        let mut best: Option<[f64; 2]> = None;
        let mut way_a_share = None;
        for deflection in DEFLECTIONS {
            let foreseen: Option<f64> = way_a_share.map(|w: f64| w * deflection);
            if foreseen.is_some_and(|way| way > plan.by[0].abs()) {
                break;
            }
            let told = self.clock.mono();
            let command = PtzCommand::Continuous {
                pan: deflection * plan.by[0].signum(),
                tilt: 0.0,
                zoom: 0.0,
                timeout_s: 1,
            };
            self.camera
                .onvif()
                .tell(&command)
                .await
                .map_err(Broken::Camera)?;
            let mut points = Vec::new();
            while self.clock.mono().since(told) < DEFLECTS_FOR && !self.stop.load(Ordering::SeqCst)
            {
                points.extend(self.point().await);
                sleep(BETWEEN).await;
            }
            self.halt().await.map_err(Broken::Camera)?;
            sleep(RESTS_AFTER).await;
            points.extend(self.point().await);
            let way = width(points.iter().map(|p| p.at[0]));
            if way == 0.0 {
                break;
            }
            way_a_share = Some(way / deflection);
            best = speed(&points).map(|speed| [deflection, speed]).or(best);
            let from = points.last().map_or(plan.start, |p| p.at);
            self.go(plan, from, plan.start).await?;
        }
        Ok(best)
    }

    /// Tells the camera to stop, again and again until it confirms.
    async fn halt(&self) -> Result<(), CameraError> {
        let began = self.clock.mono();
        loop {
            let told = self.camera.onvif().tell(&PtzCommand::Stop).await;
            if told.is_ok() || self.clock.mono().since(began) > STOP_WITHIN {
                return told;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Stops the camera and sends it back; waits until it says that it is there.
    async fn back(&self, plan: &Plan) -> Result<(), String> {
        self.halt()
            .await
            .map_err(|e| format!("it has not confirmed that it stops: {e}"))?;
        let told = self.camera.onvif().tell(&absolute(plan, plan.start)).await;
        told.map_err(|e| e.to_string())?;
        let began = self.clock.mono();
        let near = |p: &Point| {
            [0, 1]
                .into_iter()
                .all(|axis| (p.at[axis] - plan.start[axis]).abs() <= plan.by[axis].abs() * SPREAD)
        };
        while self.clock.mono().since(began) < THERE_WITHIN {
            if self.point().await.as_ref().is_some_and(near) {
                return Ok(());
            }
            sleep(BETWEEN).await;
        }
        Err("it does not report the position from which it was turned".to_owned())
    }
}

fn known<'h>(head: &'h HeadFacts, wanted: &str) -> Option<&'h PresetFacts> {
    let mut all = head.presets.iter();
    all.find(|p| p.token == wanted || p.name == wanted)
}

fn absolute(plan: &Plan, to: [f64; 2]) -> PtzCommand {
    PtzCommand::Absolute {
        position_space: plan.space.uri.clone(),
        pan: to[0],
        tilt: to[1],
        // As it is.
        zoom: None,
    }
}

/// The highest pan speed between answers that are not too near each other.
fn speed(points: &[Point]) -> Option<f64> {
    let middle = |p: &Point| (p.sent.0 / 2 + p.received.0 / 2) as f64 * 1e-9;
    let pairs = points.iter().enumerate().flat_map(|(i, a)| {
        let later = points[i + 1..].iter();
        later.map(move |b| ((b.at[0] - a.at[0]).abs(), middle(b) - middle(a)))
    });
    let speeds = pairs
        .filter(|(_, s)| (0.08..0.2).contains(s))
        .map(|(way, s)| way / s);
    speeds.fold(None, |best: Option<f64>, v| {
        Some(best.map_or(v, |b| b.max(v)))
    })
}

/// What the ways come to.
pub(super) fn judge(traces: &[Trace], space: &Space, figures: &mut MotionFigures) -> Vec<Finding> {
    let ms = |t: &Trace, p: &Point| p.received.since(t.told).as_secs_f64() * 1e3;
    let after = |share: f64| {
        let all = traces
            .iter()
            .filter_map(|t| Some(ms(t, t.first_beyond(share)?)));
        Spread::of(all.collect())
    };
    figures.begins_ms = after(BEGUN);
    figures.arrives_ms = after(THERE);
    let mut findings = vec![follows(traces, figures)];
    let strayed = traces
        .iter()
        .filter_map(Trace::end_share)
        .filter(|s| (s - 1.0).abs() > 0.1 && *s > BEGUN);
    let strayed = strayed.count();
    if strayed > 0 {
        let what = format!(
            "after {strayed} of {} commands it rests elsewhere than it was sent",
            traces.len()
        );
        findings.push(Finding::doubt(
            "moves",
            what,
            "steering by place will be off; zones follow what it reports",
        ));
    }
    findings.extend(figures.returns_spread.map(|spread| {
        returns(
            "precision",
            "back where it began",
            &spread,
            space,
            figures.by,
        )
    }));
    findings.extend(figures.preset_spread.map(|spread| {
        returns(
            "precision",
            "at the preset",
            &spread[..2],
            space,
            figures.by,
        )
    }));
    findings.extend(figures.pan_speed.map(|[share, speed]| {
        let unit = if space.is_degrees() {
            "°/s"
        } else {
            " of its numbers a second"
        };
        let rest = if share < 1.0 {
            "; at more it would have left the small angle"
        } else {
            ""
        };
        let what = format!(
            "pan turns at {speed:.3}{unit} at {:.0} % of full deflection{rest}",
            share * 100.0
        );
        Finding::good("speed", what)
    }));
    findings.extend(status(traces));
    findings
}

impl Trace {
    fn end_share(&self) -> Option<f64> {
        self.end().map(|p| self.share(p.at))
    }
}

fn follows(traces: &[Trace], figures: &MotionFigures) -> Finding {
    const CHECK: &str = "follows";
    let jumped = traces.iter().filter(|t| t.jumped()).count();
    if figures.begins_ms.is_none() {
        return Finding::bad(
            CHECK,
            "the camera took the commands, and its position has not changed",
            "its position is frozen, or the account may not move it: look at the picture. Zones would lie where they lay, over nothing; do not use its telemetry",
        );
    }
    if jumped > 0 {
        return Finding::bad(
            CHECK,
            format!(
                "{jumped} of {} times it was reported there before any head can be there: it tells where it is going, not where it is",
                traces.len()
            ),
            "do not use this telemetry for masking while it turns: read positions another way (kind = \"vapix\", \"isapi\", \"visca\"), or keep it on one view",
        );
    }
    let p50 = |s: Option<Spread>| s.map_or(0.0, |s| s.p50);
    let what = format!(
        "its position follows: changed {:.0} ms after a command, there after {:.0} ms",
        p50(figures.begins_ms),
        p50(figures.arrives_ms),
    );
    Finding::good(CHECK, what)
}

fn returns(
    check: &'static str,
    place: &str,
    spread: &[f64],
    space: &Space,
    by: [f64; 2],
) -> Finding {
    let unit = if space.is_degrees() {
        "°"
    } else {
        " of its numbers"
    };
    let list: Vec<String> = spread.iter().map(|s| format!("{s:.5}")).collect();
    let what = format!(
        "{place} it reports pan and tilt to within {}{unit}",
        list.join(" and ")
    );
    match spread.iter().zip(by).all(|(s, by)| *s <= by.abs() * SPREAD) {
        true => Finding::good(check, what),
        false => Finding::doubt(
            check,
            what,
            "write half of it, in degrees, as sigma.angle_deg into the profile at least",
        ),
    }
}

/// MoveStatus while it turns and after.
fn status(traces: &[Trace]) -> Option<Finding> {
    const CHECK: &str = "move-status";
    let under_way = |t: &Trace, p: &Point| (BEGUN..ALL_BUT_THERE).contains(&t.share(p.at));
    let on_the_way: Vec<Moving> = traces
        .iter()
        .flat_map(|t| {
            t.points
                .iter()
                .filter(|p| under_way(t, p))
                .map(|p| p.moving)
        })
        .collect();
    let stuck = traces
        .iter()
        .all(|t| t.end().is_some_and(|p| p.moving == Moving::Moving));
    let idle = !on_the_way.is_empty() && on_the_way.iter().all(|m| *m == Moving::Idle);
    let remedy = "greyplane does not believe MoveStatus; who steers through something else may";
    if stuck {
        return Some(Finding::doubt(
            CHECK,
            "MoveStatus stays MOVING after the head has come to rest",
            remedy,
        ));
    }
    idle.then(|| {
        Finding::doubt(
            CHECK,
            "MoveStatus says IDLE while the position changes",
            remedy,
        )
    })
}
