//! Cameras that tell something else in their stream than where they look, played in full:
//! an hour of heads that swing to and fro, its documents, and its answers. A position that
//! is let through and lies further beside the truth than its time says is a lie believed.

use super::*;
use crate::pose::testing::PROFILE;

const AMPLITUDE_DEG: f64 = 100.0;
/// Each of the heads of a case is watched for so long, seconds.
const SECONDS: f64 = 60.0;
const HEADS: u32 = 60;
/// What is lost by rounding and by the change of speed within the lag, degrees.
const SLACK_DEG: f64 = 0.25;

/// What documents tell.
#[derive(Clone, Copy, Debug)]
enum Tells {
    Truth,
    /// What was read last, so many times a second; stamped as it is sent.
    Cached(f64),
    /// Where it looked so many seconds before.
    Late(f64),
}

#[derive(Clone, Copy, Debug)]
struct Camera {
    tells: Tells,
    peak_deg_s: f64,
    documents_hz: f64,
    answers_hz: f64,
    /// From measurement to arrival of an answer, seconds.
    answers_take_s: f64,
    /// How much later than others documents may come, seconds.
    jitter_s: f64,
}

/// What was believed of all heads of a case.
#[derive(Clone, Copy, Debug, Default)]
struct Believed {
    documents: u32,
    let_through: u32,
    /// Of these, further beside the truth than their time says, and by how much at most.
    lies: u32,
    worst_deg: f64,
    contradicted: u32,
    /// Until the first was let through, the mean of all heads, seconds.
    waited_s: f64,
    /// By how much their times widen the margin, the mean, degrees.
    margin_deg: f64,
}

/// Numbers from 0 to 1 that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// What arrives of a camera: when, whether it is an answer, and of when it is.
fn arrivals(camera: &Camera, dice: &mut Dice) -> Vec<(f64, bool, f64)> {
    let mut arrivals = Vec::new();
    let mut at_s = dice.roll() / camera.documents_hz;
    while at_s < SECONDS {
        arrivals.push((at_s + 0.005 + camera.jitter_s * dice.roll(), false, at_s));
        at_s += 1.0 / camera.documents_hz;
    }
    let mut at_s = dice.roll() / camera.answers_hz;
    while at_s < SECONDS {
        arrivals.push((at_s + camera.answers_take_s, true, at_s));
        // As the poller does.
        at_s += (0.75 + 0.5 * dice.roll()) / camera.answers_hz;
    }
    arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    arrivals
}

impl Camera {
    fn play(&self) -> Believed {
        let mut all = Believed::default();
        for seed in 0..HEADS {
            self.play_head(&mut Dice(u64::from(seed)), &mut all);
        }
        all.waited_s /= f64::from(HEADS);
        all.margin_deg /= f64::from(all.let_through.max(1));
        all
    }

    fn play_head(&self, dice: &mut Dice, all: &mut Believed) {
        let mut found = Agreement::new(&CameraProfile::from_toml(PROFILE).unwrap());
        let (turn, tick) = (dice.roll() * std::f64::consts::TAU, dice.roll());
        let pace = self.peak_deg_s / AMPLITUDE_DEG;
        let head = |t: f64| AMPLITUDE_DEG * (pace * t + turn).sin();
        let speed = |t: f64| (self.peak_deg_s * (pace * t + turn).cos()).abs();
        let mut first_s = None;
        for (arrives_s, is_answer, at_s) in arrivals(self, dice) {
            let told_s = match self.tells {
                _ if is_answer => at_s,
                Tells::Truth => at_s,
                Tells::Cached(hz) => ((at_s * hz + tick).floor() - tick) / hz,
                Tells::Late(s) => at_s - s,
            };
            let sample = PoseSample {
                at: CaptureTime(1_700_000_000_000_000_000).plus_seconds(at_s),
                sigma_t_s: 0.001,
                pan_deg: (head(told_s) + 180.0).rem_euclid(360.0) - 180.0,
                tilt_deg: 0.0,
                zoom: 0.0,
                hfov_deg: None,
                received: Mono(((arrives_s + 1000.0) * 1e9) as u64),
            };
            let compared = match is_answer {
                true => found.answered(&sample, 0.0),
                false => found.streamed(&sample, 0.0).map(|_| ()),
            };
            if compared.is_err() {
                all.contradicted += 1;
                break;
            }
            if is_answer {
                continue;
            }
            all.documents += 1;
            let Some(lag_s) = found.lag_s() else { continue };
            first_s.get_or_insert(at_s);
            all.let_through += 1;
            let margin_deg = lag_s.max(0.002) * speed(at_s);
            all.margin_deg += margin_deg;
            let beside_deg = (head(told_s) - head(at_s)).abs() - margin_deg - SLACK_DEG;
            if beside_deg > 0.0 {
                all.lies += 1;
                all.worst_deg = all.worst_deg.max(beside_deg);
            }
        }
        all.waited_s += first_s.unwrap_or(SECONDS);
    }
}

const HONEST: Camera = Camera {
    tells: Tells::Truth,
    peak_deg_s: 60.0,
    documents_hz: 10.0,
    answers_hz: 2.0,
    answers_take_s: 0.25,
    jitter_s: 0.0,
};

#[test]
fn an_honest_stream_is_believed_soon_and_costs_little() {
    // The peak of the head, documents and answers a second; the share that is used at least,
    // how long it takes at most and what it costs in the mean, degrees.
    for (peak_deg_s, documents_hz, answers_hz, share, waits_s, margin_deg) in [
        (60.0, 10.0, 2.0, 0.88, 6.0, 0.9),
        (100.0, 10.0, 2.0, 0.88, 6.0, 1.2),
        (20.0, 10.0, 2.0, 0.65, 18.0, 0.7),
        (60.0, 10.0, 0.5, 0.60, 22.0, 1.0),
        (100.0, 25.0, 4.0, 0.93, 3.0, 0.8),
    ] {
        let camera = Camera {
            peak_deg_s,
            documents_hz,
            answers_hz,
            jitter_s: 0.02,
            ..HONEST
        };
        let found = camera.play();
        let used = f64::from(found.let_through) / f64::from(found.documents);
        assert!(
            used >= share && found.waited_s <= waits_s && found.margin_deg <= margin_deg,
            "{camera:?}: {found:?}"
        );
        assert_eq!((found.contradicted, found.lies), (0, 0), "{camera:?}");
    }
}

#[test]
fn what_is_read_at_a_pace_of_its_own_is_not_believed_for_fresher_than_it_is() {
    for cached_hz in [2.5, 4.0, 4.7, 5.0, 7.3, 8.0, 10.0, 12.5, 13.7, 15.0] {
        for (peak_deg_s, documents_hz, answers_hz) in [
            (60.0, 10.0, 2.0),
            (100.0, 10.0, 4.0),
            (60.0, 25.0, 2.0),
            (200.0, 5.0, 1.0),
            (40.0, 25.0, 0.5),
        ] {
            let camera = Camera {
                tells: Tells::Cached(cached_hz),
                peak_deg_s,
                documents_hz,
                answers_hz,
                ..HONEST
            };
            let found = camera.play();
            assert_eq!(found.lies, 0, "{camera:?}: {found:?}");
        }
    }
}

#[test]
fn what_is_always_late_is_known_to_be_or_not_believed() {
    for late_s in [0.01, 0.03, 0.04, 0.06, 0.1, 0.2] {
        for (peak_deg_s, documents_hz) in [(20.0, 10.0), (60.0, 10.0), (100.0, 25.0)] {
            let camera = Camera {
                tells: Tells::Late(late_s),
                peak_deg_s,
                documents_hz,
                ..HONEST
            };
            let found = camera.play();
            assert_eq!(found.lies, 0, "{camera:?}: {found:?}");
        }
    }
}

/// A head that turns at 60°/s and is told at ten hertz and asked at two: how many positions
/// are let through from twelve seconds on, when those that `told` says are told at all.
fn let_through(told: impl Fn(f64) -> bool) -> u32 {
    let mut found = Agreement::new(&CameraProfile::from_toml(PROFILE).unwrap());
    let mut count = 0;
    for hundredth in 0..6000 {
        let at_s = f64::from(hundredth) * 0.01;
        let sample = PoseSample {
            at: CaptureTime(1_700_000_000_000_000_000).plus_seconds(at_s),
            sigma_t_s: 0.001,
            pan_deg: (60.0 * at_s + 180.0).rem_euclid(360.0) - 180.0,
            tilt_deg: 0.0,
            zoom: 0.0,
            hfov_deg: None,
            received: Mono(((at_s + 1000.0) * 1e9) as u64),
        };
        if hundredth % 10 == 0 && (at_s < 12.0 || told(at_s)) {
            assert_eq!(found.streamed(&sample, 0.0), Ok(true));
            let is_used = found.lag_s().is_some();
            count += u32::from(is_used && at_s >= 12.0);
        }
        if hundredth % 50 == 24 {
            found.answered(&sample, 0.0).unwrap();
        }
    }
    count
}

#[test]
fn what_answers_never_find_anything_beside_is_not_believed_for_long() {
    let tenth = |at_s: f64| (at_s * 10.0).round() as u32;
    assert!(let_through(|_| true) > 470, "all of them are compared");
    let seldom = let_through(|at_s| tenth(at_s).is_multiple_of(3));
    assert!(seldom <= 1, "{seldom}: too far apart to be compared");
    // Answers are of 0.24 s and 0.74 s: nothing is told from 0.1 to 0.4 and from 0.6 to 0.9.
    let around = let_through(|at_s| [0, 1, 4].contains(&(tenth(at_s) % 5)));
    assert!(around <= 8, "{around}: left out wherever an answer was");
}
