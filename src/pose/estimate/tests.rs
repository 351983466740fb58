use super::super::testing::{profile, seen};
use super::super::{Evidence, HistoryRules, PoseEstimate, PoseHistory, PoseSample, Pushed};
use crate::clock::{CaptureTime, Mono};
use crate::geom::{Angle, Direction};
use proptest::prelude::*;

const START_S: f64 = 1_700_000_000.0;

fn capture(s: f64) -> CaptureTime {
    CaptureTime(START_S as i64 * 1_000_000_000 + (s * 1e9) as i64)
}

fn mono(s: f64) -> Mono {
    Mono(3_600_000_000_000 + (s * 1e9) as u64)
}

/// One axis of a head: constant acceleration over short pieces, within limits.
#[derive(Clone, Debug)]
struct Axis {
    /// (start s, position, speed, acceleration)
    pieces: Vec<(f64, f64, f64, f64)>,
}

impl Axis {
    /// Each order is (seconds, share of the highest acceleration): where speed
    /// would pass its limit the head keeps its speed instead.
    fn driven(from: f64, orders: &[(f64, f64)], max_speed: f64, max_accel: f64) -> Self {
        let (mut t, mut x, mut v) = (0.0, from, 0.0f64);
        let mut pieces = Vec::new();
        for (lasts, share) in orders {
            let wanted = share * max_accel;
            let a = if (v + wanted * lasts).abs() <= max_speed {
                wanted
            } else {
                0.0
            };
            pieces.push((t, x, v, a));
            x += v * lasts + a * lasts * lasts / 2.0;
            v += a * lasts;
            t += lasts;
        }
        Self { pieces }
    }

    fn at(&self, t: f64) -> f64 {
        let i = self.pieces.partition_point(|p| p.0 <= t).saturating_sub(1);
        let (t0, x, v, a) = self.pieces[i];
        let dt = t - t0;
        x + v * dt + a * dt * dt / 2.0
    }
}

/// What a case found: largest share of the margin that was needed.
fn largest_share_of_margin(case: &Case) -> (f64, usize) {
    let (mut share, mut judged) = (0.0f64, 0);
    // A pixel may be taken anywhere within the exposure, and the capture
    // time itself be off by two σ.
    let late_s = |k: usize| (0.005 + 0.004) * case.noise(1_000_003 + k);
    play(case, late_s, |estimate, pan, tilt| {
        let f_px = estimate.focal * 1920.0;
        judged += 1;
        for (gx, gy) in PLACES {
            // A place that really is at (gx, gy) of the picture.
            let Some(d) = looked_at(pan, tilt, estimate.focal, gx, gy) else {
                continue;
            };
            let Some(at) = seen(estimate.pan.deg(), estimate.tilt.deg(), estimate.focal, d) else {
                panic!("{estimate:?} does not even see it")
            };
            let r = f64::hypot(at[0], at[1]) * 1920.0;
            let off = f64::hypot(at[0] - gx, at[1] - gy) * 1920.0;
            let needed = off / estimate.margin.px_at(r, f_px);
            if needed > 1.0 {
                println!("off {off:.1} px at {r:.0}: {estimate:?} true {pan} {tilt}");
            }
            share = share.max(needed);
        }
    });
    (share, judged)
}

/// What a case found: the largest share of the margin *between* two pictures
/// that was needed, and the mean of that margin over that of one picture.
///
/// All frames of a case are off by the same time, and all reports by the same
/// angle beyond their noise.
fn largest_share_between(case: &Case) -> (f64, usize, f64) {
    let (mut share, mut judged, mut ratio) = (0.0f64, 0, 0.0);
    let mut earlier: Vec<(PoseEstimate, f64, f64)> = Vec::new();
    let late_s = 0.009 * case.noise(77);
    play(
        case,
        |_| late_s,
        |estimate, pan, tilt| {
            let f_px = estimate.focal * 1920.0;
            for (was, was_pan, was_tilt) in earlier.iter().rev().take(6) {
                let margin = estimate.against(was);
                judged += 1;
                ratio += margin.px_at(0.0, f_px) / estimate.margin.px_at(0.0, f_px);
                for (gx, gy) in PLACES {
                    // What is at (gx, gy) of the earlier picture, where it really
                    // is now, and where the two poses carry it.
                    let (now, carried) = (
                        looked_at(*was_pan, *was_tilt, was.focal, gx, gy)
                            .and_then(|d| seen(pan, tilt, estimate.focal, d)),
                        looked_at(was.pan.deg(), was.tilt.deg(), was.focal, gx, gy).and_then(|d| {
                            seen(estimate.pan.deg(), estimate.tilt.deg(), estimate.focal, d)
                        }),
                    );
                    let (Some(now), Some(carried)) = (now, carried) else {
                        continue;
                    };
                    let r = f64::hypot(carried[0], carried[1]) * 1920.0;
                    if r > 1.2 * 1920.0 {
                        continue;
                    }
                    let off = f64::hypot(now[0] - carried[0], now[1] - carried[1]) * 1920.0;
                    let needed = off / margin.px_at(r, f_px);
                    if needed > 1.0 {
                        println!("off {off:.1} px at {r:.0}: {was:?} then {estimate:?}");
                    }
                    share = share.max(needed);
                }
            }
            earlier.push((*estimate, pan, tilt));
        },
    );
    (share, judged, ratio / judged.max(1) as f64)
}

/// Places of a picture, in frame widths right of and above its centre.
const PLACES: [(f64, f64); 5] = [
    (0.0, 0.0),
    (0.4, 0.0),
    (-0.4, 0.2),
    (0.0, -0.28),
    (0.45, 0.28),
];

/// Plays a case: for each frame that is not covered, what is said of its pose
/// when the hold's budget ends, and the true pan and tilt `late_s` seconds off.
fn play(
    case: &Case,
    late_s: impl Fn(usize) -> f64,
    mut judge: impl FnMut(&PoseEstimate, f64, f64),
) {
    let profile = profile();
    let pan = Axis::driven(case.pan_from, &case.pan, 300.0, 400.0);
    let tilt = Axis::driven(case.tilt_from, &case.tilt, 300.0, 400.0);
    let mut history = PoseHistory::new(profile.clone(), HistoryRules::default());
    let end = case
        .pan
        .iter()
        .map(|o| o.0)
        .sum::<f64>()
        .min(case.tilt.iter().map(|o| o.0).sum());
    // Reports as they arrive: measured at `t`, stamped within 2σ, each late.
    let mut reports: Vec<(f64, PoseSample)> = Vec::new();
    let mut i = 0;
    loop {
        let n = |k: usize| case.noise(7 * i + k);
        let t = (i as f64 + 0.4 * n(0)) / case.rate_hz;
        if t >= end {
            break;
        }
        if t >= 0.0 {
            let late_s = case.late_s * (1.0 + 0.3 * n(1));
            reports.push((
                t + late_s,
                PoseSample {
                    at: capture(t + 2.0 * case.sigma_t_s * n(2)),
                    sigma_t_s: case.sigma_t_s,
                    pan_deg: pan.at(t) + 0.04 * n(3),
                    tilt_deg: tilt.at(t) + 0.04 * n(4),
                    zoom: 0.0,
                    hfov_deg: None,
                    received: mono(t + late_s),
                },
            ));
        }
        i += 1;
    }
    reports.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut reports = reports.into_iter().peekable();
    let f_px = profile.ln_focal(0.0).unwrap().exp() * 1920.0;
    for k in 0..(end * 25.0) as usize {
        let t = k as f64 / 25.0;
        // Asked when the hold's budget ends: whatever has arrived by then.
        let now = t + case.budget_s;
        while let Some((_, sample)) = reports.next_if(|r| r.0 <= now) {
            let pushed = history.push(&sample);
            assert!(
                matches!(pushed, Pushed::Taken | Pushed::NotNews),
                "{pushed:?}"
            );
        }
        let estimate = match history.at(capture(t), mono(now)) {
            Evidence::Known(e) | Evidence::Pending { so_far: Ok(e) } => e,
            Evidence::Pending { so_far: Err(_) } | Evidence::Unknown(_) => continue,
        };
        if estimate.margin.px_at(0.0, f_px) > 0.25 * 1920.0 {
            // The plan covers the frame.
            continue;
        }
        let taken = t + late_s(k);
        judge(&estimate, pan.at(taken), tilt.at(taken));
    }
}

/// The direction seen at (x, y) frame widths right of and above the centre.
fn looked_at(pan_deg: f64, tilt_deg: f64, focal: f64, x: f64, y: f64) -> Option<Direction> {
    let (sp, cp) = pan_deg.to_radians().sin_cos();
    let (st, ct) = tilt_deg.to_radians().sin_cos();
    let (y, z) = (ct * y + st * focal, -st * y + ct * focal);
    Direction::from_vector([cp * x + sp * z, y, -sp * x + cp * z])
}

#[derive(Clone, Debug)]
struct Case {
    pan_from: f64,
    tilt_from: f64,
    pan: Vec<(f64, f64)>,
    tilt: Vec<(f64, f64)>,
    rate_hz: f64,
    late_s: f64,
    budget_s: f64,
    sigma_t_s: f64,
    seed: Option<u64>,
}

impl Case {
    /// −1…1, by splitmix64; without a seed 0.
    fn noise(&self, i: usize) -> f64 {
        let Some(seed) = self.seed else { return 0.0 };
        let mut z = seed.wrapping_add((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

fn orders() -> impl Strategy<Value = Vec<(f64, f64)>> {
    let share = prop_oneof![Just(1.0), Just(-1.0), Just(0.0), -1.0f64..1.0];
    // The shortest order: longer than `TURNS_ROUND_IN_S` takes two of them.
    prop::collection::vec((0.08f64..0.6, share), 12..30)
}

fn cases() -> impl Strategy<Value = Case> {
    (
        -170.0f64..170.0,
        -100.0f64..20.0,
        orders(),
        orders(),
        2.0f64..20.0,
        0.02f64..0.2,
        prop_oneof![Just(0.25), Just(0.0), Just(0.1)],
        prop_oneof![Just(0.001), Just(0.005)],
        prop_oneof![Just(None), any::<u64>().prop_map(Some)],
    )
        .prop_map(
            |(pan_from, tilt_from, pan, tilt, rate_hz, late_s, budget_s, sigma_t_s, seed)| Case {
                pan_from,
                tilt_from,
                pan,
                tilt,
                rate_hz,
                late_s,
                budget_s,
                sigma_t_s,
                seed,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// What was at one place of a picture is in another within the margin between
    /// the two from where their poses carry it.
    #[test]
    fn the_truth_lies_within_the_margin_between_two_poses(case in cases()) {
        let (share, ..) = largest_share_between(&case);
        prop_assert!(share <= 1.0, "needed {share} of the margin");
    }

    /// Whatever a head does within its limits, what it really sees lies within
    /// the margin of the estimate.
    #[test]
    fn the_truth_lies_within_the_margin(case in cases()) {
        let (share, _) = largest_share_of_margin(&case);
        prop_assert!(share <= 1.0, "needed {share} of the margin");
    }
}

/// A margin that always holds because it is huge would be no good either: the
/// worst motion there is must come near to it.
#[test]
fn the_margin_is_not_wasteful() {
    // Full acceleration to and fro, each reversal at a report, at a rate where
    // nothing is assumed but the limits.
    let mut orders = vec![(0.1, 1.0), (0.1, 0.0)];
    orders.extend((0..40).map(|i| (0.2, if i % 2 == 0 { -1.0 } else { 1.0 })));
    let case = Case {
        pan_from: 0.0,
        tilt_from: 0.0,
        pan: orders.clone(),
        tilt: orders,
        rate_hz: 5.0,
        late_s: 0.02,
        budget_s: 0.25,
        sigma_t_s: 0.001,
        seed: None,
    };
    let (share, judged) = largest_share_of_margin(&case);
    assert!(judged > 100, "only {judged} frames judged");
    assert!(share > 0.5, "only {share} of the margin was ever needed");
}

/// In a sweep most of what a pose is off by is what all of them are off by.
#[test]
fn two_poses_of_a_sweep_agree_better_than_either_is_known() {
    let steady = |speed_up_s: f64| vec![(speed_up_s, 1.0), (3.0, 0.0)];
    for (speed_up_s, most) in [(0.1, 0.95), (0.25, 0.95)] {
        let case = Case {
            pan_from: 0.0,
            tilt_from: -8.0,
            pan: steady(speed_up_s),
            tilt: vec![(4.0, 0.0)],
            rate_hz: 10.0,
            late_s: 0.02,
            budget_s: 0.25,
            sigma_t_s: 0.001,
            seed: None,
        };
        let (share, judged, ratio) = largest_share_between(&case);
        println!(
            "{} °/s: {ratio:.2} of one pose's margin",
            400.0 * speed_up_s
        );
        assert!(judged > 100 && share <= 1.0);
        assert!(ratio <= most, "{ratio} of one pose's margin");
    }
}

/// The largest margin in degrees of a 1080p picture at 60°, and the angle alone.
fn margins_deg(speed_deg_s: f64, sigma_t_s: f64, tilt_deg: f64) -> (f64, f64) {
    let profile = profile();
    let mut history = PoseHistory::new(profile.clone(), HistoryRules::default());
    for i in 0..20 {
        let t = f64::from(i) * 0.1;
        history.push(&PoseSample {
            at: capture(t),
            sigma_t_s,
            pan_deg: speed_deg_s * t,
            tilt_deg,
            zoom: 0.0,
            hfov_deg: None,
            received: mono(t + 0.02),
        });
    }
    let Evidence::Known(e) = history.at(capture(1.55), mono(1.8)) else {
        panic!("not known")
    };
    let f_px = e.focal * 1920.0;
    let worst = (0..=110)
        .map(|i| f64::from(i) * 10.0)
        .map(|r| {
            let px = e.margin.px_at(r, f_px);
            (((r + px) / f_px).atan() - (r / f_px).atan()).to_degrees()
        })
        .fold(0.0, f64::max);
    (worst, e.margin.angle.deg())
}

#[test]
fn at_rest_and_in_a_sweep_the_margin_stays_small() {
    for (speed, sigma_t_s, tilt, most) in [
        (0.0, 0.001, 0.0, 1.0),
        (0.0, 0.003, -20.0, 1.0),
        (0.0, 0.003, -45.0, 1.0),
        (100.0, 0.001, -20.0, 4.0),
        (100.0, 0.005, 0.0, 4.0),
    ] {
        let (worst, angle) = margins_deg(speed, sigma_t_s, tilt);
        println!(
            "{speed}°/s, σt {sigma_t_s} s, tilt {tilt}°: margin {worst:.3}° ({angle:.3}° of angle)"
        );
        assert!(worst <= most, "{worst}° at {speed}°/s");
    }
}

/// At the nadir all of pan is roll; at the horizon none is.
#[test]
fn pan_errors_turn_into_roll_towards_the_nadir() {
    let level = super::turn_of_picture(0.0, 1.0, 0.0);
    let nadir = super::turn_of_picture(-90.0, 1.0, 0.0);
    let one = Angle::from_deg(1.0).rad();
    assert!((level.0 - one).abs() < 1e-9 && level.1 < 1e-9, "{level:?}");
    assert!(nadir.0 < 1e-9 && (nadir.1 - one).abs() < 1e-4, "{nadir:?}");
}
