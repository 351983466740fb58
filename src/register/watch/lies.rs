//! Cameras that lie about where they look, played in full: real reports into a real
//! history, pictures that are released when its evidence is complete, and the margin that
//! zones would be drawn with. A picture that is not covered though it lies further from
//! where the camera said than that margin is a leak.

use super::super::testing::{SIZE, Street};
use super::*;
use crate::clock::Mono;
use crate::geom::{Angle, View};
use crate::pose::{CameraProfile, Evidence, HistoryRules, PoseHistory, PoseSample};
use std::collections::VecDeque;
use std::sync::Arc;

const EPOCH_NS: i64 = 1_700_000_000_000_000_000;
/// The picture that people see, pixels wide.
const WIDTH: f64 = 1280.0;
const TILT: f64 = -8.0;
/// Pictures come from then on, seconds; positions before.
const BEGINS: f64 = 0.6;
/// The lie begins then.
const LIES_FROM: f64 = 1.2;
const ENDS: f64 = 1.9;

/// What it tells.
#[derive(Clone, Copy, Debug)]
enum Lie {
    /// The same, from some moment on.
    Frozen,
    /// Where it looked so many seconds before.
    Late(f64),
    /// So many degrees beside it.
    Beside(f64),
}

impl Lie {
    fn told(self, head: &dyn Fn(f64) -> f64, t: f64, from: f64) -> f64 {
        if t < from {
            return head(t);
        }
        match self {
            Self::Frozen => head(from),
            Self::Late(s) => head(t - s),
            Self::Beside(deg) => head(t) + deg,
        }
    }
}

/// A moment, for those who count monotonic time.
fn mono(t: f64) -> Mono {
    Mono(100_000_000_000 + (t * 1e9) as u64)
}

fn captured(t: f64) -> CaptureTime {
    CaptureTime(EPOCH_NS).plus_seconds(t)
}

/// Pictures that leak, and by how many pixels the worst; how many were covered.
#[derive(Clone, Copy, Debug, Default)]
struct Leaks {
    pictures: u32,
    worst_px: f64,
    covered: u32,
}

/// Plays a head that follows `head`, and lies from `from` on.
fn play(head: &dyn Fn(f64) -> f64, lie: Lie, from: f64, hfov: f64) -> Leaks {
    let profile = Arc::new(CameraProfile::from_toml(crate::pose::testing::PROFILE).unwrap());
    let mut history = PoseHistory::new(profile, HistoryRules::default());
    let focal = View::focal_px_of(Angle::from_deg(hfov), SIZE.width) / f64::from(SIZE.width);
    let zoom = (60_f64.to_radians() / 2.0).tan() / (hfov.to_radians() / 2.0).tan();
    let zoom = zoom.log(4.2) * 0.5;
    let mut watch = PictureWatch::default();
    let mut waiting: VecDeque<f64> = VecDeque::new();
    let mut leaks = Leaks::default();
    for ms in (0..(ENDS * 1000.0) as u64).step_by(5) {
        let now = ms as f64 / 1000.0;
        if ms % 40 == 0 && now >= BEGINS {
            waiting.push_back(now);
            history.frame_arrived(0, mono(now));
        }
        // Ten reports a second, each under way for 20 ms.
        if ms % 100 == 20 {
            let t = now - 0.02;
            let pan = lie.told(head, t, from);
            history.push(&PoseSample {
                at: captured(t),
                sigma_t_s: 0.001,
                pan_deg: pan,
                tilt_deg: TILT,
                zoom: if hfov == 60.0 { 0.0 } else { zoom },
                hfov_deg: None,
                received: mono(now),
            });
        }
        while let Some(&taken) = waiting.front() {
            let late = now - taken >= 0.2;
            let told = match history.at(captured(taken), mono(now)) {
                Evidence::Known(pose) => Some(pose),
                Evidence::Pending { so_far } if late => so_far.ok(),
                Evidence::Pending { .. } => break,
                Evidence::Unknown(_) => None,
            };
            waiting.pop_front();
            let Some(pose) = told else {
                leaks.covered += 1;
                continue;
            };
            let aspect = Aspect {
                at: captured(taken),
                pose,
                optics: Optics::default(),
                mount: Mount::default(),
            };
            let seen = Street::default().seen([head(taken), TILT, hfov]);
            let found = watch.see(seen, aspect).unwrap();
            if found.doubts || found.unsure {
                leaks.covered += 1;
                continue;
            }
            let beside = (head(taken) - pose.pan.deg()).abs() * TILT.to_radians().cos();
            let px = beside.to_radians().tan() * focal * WIDTH;
            let margin = pose.wider_by(found.beside).margin.px_at(0.0, focal * WIDTH);
            if px > margin {
                leaks.pictures += 1;
                leaks.worst_px = leaks.worst_px.max(px - margin);
                println!("  {taken:.2}: {px:.1} px beside, margin {margin:.1}");
            }
        }
    }
    leaks
}

/// A head that turns all the time, degrees a second.
fn steady(speed: f64) -> Box<dyn Fn(f64) -> f64> {
    Box::new(move |t| speed * t)
}

/// A head that rests, and starts with 300°/s² where the lie begins.
fn starts(speed: f64, from: f64) -> Box<dyn Fn(f64) -> f64> {
    let up_s = speed / 300.0;
    Box::new(move |t| {
        let t = t - from;
        match t {
            t if t <= 0.0 => 0.0,
            t if t < up_s => 150.0 * t * t,
            t => 150.0 * up_s * up_s + speed * (t - up_s),
        }
    })
}

#[test]
fn no_lie_costs_a_picture() {
    for (lie, speed, phase_s, moves) in [
        (Lie::Frozen, 5.0, 0.035, true),
        (Lie::Frozen, 30.0, 0.07, true),
        (Lie::Frozen, 5.0, 0.01, false),
        (Lie::Late(0.5), 15.0, 0.01, true),
        (Lie::Late(0.2), 30.0, 0.0, false),
        (Lie::Beside(1.0), 15.0, 0.0, true),
        (Lie::Beside(1.0), 30.0, 0.035, true),
        (Lie::Beside(-5.0), 5.0, 0.035, false),
    ] {
        let from = LIES_FROM + phase_s;
        let head = if moves {
            steady(speed)
        } else {
            starts(speed, from)
        };
        let leaks = play(&head, lie, from, 60.0);
        println!("{lie:?} at {speed}°/s: {leaks:?}");
        assert_eq!(leaks.pictures, 0, "{lie:?} at {speed}°/s: {leaks:?}");
    }
}

#[test]
fn the_truth_costs_none_either() {
    for head in [steady(30.0), starts(100.0, LIES_FROM)] {
        let leaks = play(&head, Lie::Beside(0.0), LIES_FROM, 60.0);
        assert_eq!((leaks.pictures, leaks.covered), (0, 0));
    }
}
