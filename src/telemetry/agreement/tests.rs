use super::*;
use crate::pose::testing::PROFILE;

fn agreement() -> Agreement {
    Agreement::new(&CameraProfile::from_toml(PROFILE).unwrap())
}

fn sample(at_s: f64, pan_deg: f64) -> PoseSample {
    PoseSample {
        at: CaptureTime(1_700_000_000_000_000_000).plus_seconds(at_s),
        sigma_t_s: 0.001,
        pan_deg,
        tilt_deg: 0.0,
        zoom: 0.0,
        hfov_deg: None,
        received: mono(at_s),
    }
}

fn mono(at_s: f64) -> Mono {
    Mono((at_s * 1e9) as u64 + 1_000_000_000)
}

/// What is known of the time of a document that comes as those of `play` do, and
/// `slip_s` later.
fn lag_s(found: &mut Agreement, lag_s: f64, slip_s: f64) -> Option<f64> {
    let at_s = 12.0;
    // Where the head stands does not matter: no answer follows.
    found.answers.clear();
    found.streamed.clear();
    for at_s in [at_s - 0.1, at_s] {
        let document = PoseSample {
            received: mono(at_s + slip_s),
            ..sample(at_s - lag_s, 0.0)
        };
        found.streamed(&document, 0.0).unwrap();
    }
    found.lag_s()
}

/// A head that turns at `speed`, answers every half second and streams every tenth
/// with stamps `lag_s` older than the truth; from 6 s on streamed pan is `lie_deg` off.
fn play(speed: f64, lag_s: f64, lie_deg: f64) -> (Agreement, Option<Contradiction>) {
    let mut found = agreement();
    for tenth in 0..120 {
        let at_s = f64::from(tenth) * 0.1;
        let pan = (speed * at_s + 180.0).rem_euclid(360.0) - 180.0;
        let lie = if at_s > 6.0 { lie_deg } else { 0.0 };
        let document = PoseSample {
            received: mono(at_s),
            ..sample(at_s - lag_s, pan + lie)
        };
        let mut result = found.streamed(&document, 0.0).map(|_| ());
        found.lag_s();
        if tenth % 5 == 0 {
            let at_s = at_s - 0.033;
            let pan = (speed * at_s + 180.0).rem_euclid(360.0) - 180.0;
            result = result.and(found.answered(&sample(at_s, pan), 0.0));
        }
        if let Err(contradiction) = result {
            return (found, Some(contradiction));
        }
    }
    (found, None)
}

#[test]
fn a_stream_is_proven_by_agreement_in_motion() {
    for (speed, proven) in [(0.0, false), (4.0, false), (60.0, true), (-100.0, true)] {
        let (mut found, contradiction) = play(speed, 0.0, 0.0);
        assert_eq!(contradiction, None, "{speed}");
        let known = lag_s(&mut found, 0.0, 0.0);
        assert_eq!(known.is_some(), proven, "{speed}: {:?}", found.proofs);
    }
}

#[test]
fn a_lag_that_is_not_seen_is_bounded() {
    for (speed, lag_ms) in [(40.0, 10.0), (60.0, 3.0), (100.0, 5.0)] {
        let (mut found, contradiction) = play(speed, lag_ms * 1e-3, 0.0);
        assert_eq!(contradiction, None, "{speed}");
        let mut known = |slip_s| lag_s(&mut found, lag_ms * 1e-3, slip_s);
        let bound_s = known(0.0).unwrap();
        assert!(bound_s >= lag_ms * 1e-3, "{bound_s} at {speed}");
        // Sooner or later than those that were compared: by so much less is known.
        for slip_s in [0.005, -0.005] {
            let wider = known(slip_s).unwrap_or(f64::INFINITY);
            assert!(wider > bound_s + 0.0049, "{wider} at {speed}");
        }
        assert_eq!(known(0.06), None);
    }
}

#[test]
fn a_stream_that_lies_is_caught_and_no_longer_listened_to() {
    for (speed, lag_s, lie_deg, believed) in [
        (60.0, 0.1, 0.0, false),
        (8.0, 0.2, 0.0, false),
        (60.0, 0.0, 5.0, true),
        (0.0, 0.0, 2.0, false),
    ] {
        let (mut found, contradiction) = play(speed, lag_s, lie_deg);
        let contradiction = contradiction.unwrap_or_else(|| panic!("{speed} {lag_s}"));
        assert_eq!(contradiction.was_believed, believed, "{speed} {lag_s}");
        let now = found.distrusted_until.unwrap();
        assert!(found.distrusts(Mono(now.0 - 1)) && !found.distrusts(now));
        found.reset();
        assert!(
            found.distrusts(Mono(now.0 - 1)),
            "a new connection is no excuse"
        );
    }
}

#[test]
fn what_lies_far_apart_is_not_compared() {
    let mut found = agreement();
    found.streamed(&sample(0.0, 0.0), 0.0).unwrap();
    found.answered(&sample(1.0, 5.0), 0.0).unwrap();
    found.streamed(&sample(2.0, 40.0), 0.0).unwrap();
    assert!(found.answers.is_empty() && found.proofs.is_empty());
    // Out of order, and of before the first: nothing to compare.
    found.streamed(&sample(1.5, 90.0), 0.0).unwrap();
    assert_eq!(found.streamed.len(), 2);
}

#[test]
fn a_lag_is_bounded_though_the_speed_changes_within_it() {
    let apart_s = 0.05;
    for speed in [30.0, 60.0, 100.0, -200.0] {
        for accel in [-400.0, -100.0, 0.0, 400.0] {
            for lag_ms in [5.0, 20.0, 45.0] {
                for tenth in 0..=10 {
                    let lag_s = lag_ms * 1e-3;
                    let head = |t: f64| speed * t + accel * t * t / 2.0;
                    let (from, to) = (head(-lag_s), head(apart_s - lag_s));
                    let at_s = apart_s * f64::from(tenth) / 10.0;
                    let off = (head(at_s) - from - (to - from) * at_s / apart_s).abs();
                    let told_speed = ((to - from) / apart_s).abs();
                    let edge_s = at_s.min(apart_s - at_s);
                    let bound_s = most_lag_s(off, told_speed, 400.0, apart_s, edge_s);
                    assert!(
                        bound_s >= lag_s - 1e-9,
                        "{bound_s} where {lag_s} is true: {speed}, {accel}, {at_s}"
                    );
                }
            }
        }
    }
}
