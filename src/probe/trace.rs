//! What a camera that was turned told on its ways: at once where it went (then it tells what
//! it intends), nothing new, or what a head does. Pure; must not know how it was turned.

use super::head::Space;
use super::spread::Spread;
use crate::clock::Mono;
use crate::doctor::Finding;
use crate::onvif::answers::Moving;
use serde::Serialize;
use std::time::Duration;

/// No head goes from a tenth to nine tenths of five degrees within this: that would take
/// 950°/s² (0.55 of the time 2·√(5°/a) of a way that is half speeding up, half braking).
const NO_HEAD_IS_SO_FAST: Duration = Duration::from_millis(80);
/// Shares of the way.
pub(super) const BEGUN: f64 = 0.1;
const ALL_BUT_THERE: f64 = 0.9;
pub(super) const THERE: f64 = 0.97;
/// Returns may miss by this share of the way, a tenth of a degree or so.
pub(super) const SPREAD: f64 = 0.02;

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
    pub(super) fn share(&self, at: [f64; 2]) -> f64 {
        let way = [self.to[0] - self.from[0], self.to[1] - self.from[1]];
        let gone = [at[0] - self.from[0], at[1] - self.from[1]];
        let length = way[0] * way[0] + way[1] * way[1];
        (gone[0] * way[0] + gone[1] * way[1]) / length
    }

    pub(super) fn end(&self) -> Option<&Point> {
        self.points.last()
    }

    pub(super) fn first_beyond(&self, share: f64) -> Option<&Point> {
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

/// The highest pan speed between answers that are not too near each other.
pub(super) fn speed(points: &[Point]) -> Option<f64> {
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
