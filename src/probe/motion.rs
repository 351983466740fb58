//! Turns a camera a little, and looks whether its position follows: at once (then it tells
//! what it intends), never, or as a head moves. Whatever happens, the camera is stopped and
//! sent back to where it stood. What it told on its ways is judged in [`trace`](super::trace).
//! Must not know who gave permission.

use super::Turn;
use super::facts::Camera;
use super::head::{HeadFacts, PresetFacts, Space};
use super::positions::ask_once;
use super::spread::width;
use super::trace::{BEGUN, MotionFigures, Point, SPREAD, THERE, Trace, judge, speed};
use crate::clock::Clock;
use crate::doctor::Finding;
use crate::onvif::{CameraError, PtzCommand};
use crate::pose::profile::{GENERIC_POSITION_SPACE, RawPosition};
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
/// Of full deflection, tried in this order while the way stays small.
const DEFLECTIONS: [f64; 6] = [0.02, 0.05, 0.1, 0.2, 0.5, 1.0];
const DEFLECTS_FOR: Duration = Duration::from_millis(300);

/// Lenses that tell no more than this apart stand alike (of the generic space, 0…1).
const SAME_LENS: f64 = 0.02;

/// What is turned, and by how much.
struct Plan {
    space: Space,
    start: [f64; 2],
    by: [f64; 2],
    /// The lens' space and number, where it tells them: presets take it elsewhere.
    lens: Option<(String, f64)>,
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
        let lens = now.zoom.filter(|x| x.is_finite());
        Ok(Plan {
            lens: reported.zoom_space.zip(lens),
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
        let command = absolute(plan, to, None);
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
        let told = self
            .camera
            .onvif()
            .tell(&absolute(plan, plan.start, plan.lens.clone()))
            .await;
        told.map_err(|e| e.to_string())?;
        let began = self.clock.mono();
        let near = |p: &Point| {
            let lens = plan.lens.as_ref();
            let back =
                lens.is_none_or(|(_, x)| p.zoom.is_some_and(|now| (now - x).abs() < SAME_LENS));
            back && [0, 1]
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

/// `lens`: none = as it is.
fn absolute(plan: &Plan, to: [f64; 2], lens: Option<(String, f64)>) -> PtzCommand {
    PtzCommand::Absolute {
        position_space: plan.space.uri.clone(),
        pan: to[0],
        tilt: to[1],
        zoom: lens,
    }
}
