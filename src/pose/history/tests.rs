use super::super::testing::profile;
use super::*;

fn capture(s: f64) -> CaptureTime {
    CaptureTime(1_700_000_000_000_000_000 + (s * 1e9).round() as i64)
}

fn mono(s: f64) -> Mono {
    Mono(3_600_000_000_000 + (s * 1e9).round() as u64)
}

fn sample(t: f64, pan_deg: f64, tilt_deg: f64) -> PoseSample {
    PoseSample {
        at: capture(t),
        sigma_t_s: 0.001,
        pan_deg,
        tilt_deg,
        zoom: 0.0,
        hfov_deg: None,
        received: mono(t + 0.02),
    }
}

fn history() -> PoseHistory {
    PoseHistory::new(profile(), HistoryRules::default())
}

/// A history that saw a head at rest at `pan_deg` until `end`, at 10 Hz.
fn at_rest(pan_deg: f64, end: f64) -> PoseHistory {
    let mut h = history();
    for i in 0..=(end * 10.0).round() as i32 {
        h.push(&sample(f64::from(i) / 10.0, pan_deg, -10.0));
    }
    h
}

/// What is said at `t`, asked a quarter of a second later.
fn said(h: &PoseHistory, t: f64) -> &'static str {
    match h.at(capture(t), mono(t + 0.25)) {
        Evidence::Known(_) => "known",
        Evidence::Pending { so_far: Ok(_) } => "ahead",
        Evidence::Pending { so_far: Err(r) } | Evidence::Unknown(r) => r.code(),
    }
}

#[test]
fn the_nearest_samples_decide() {
    let h = at_rest(5.0, 2.0);
    for (t, what) in [
        (-0.01, "no-position"),
        (0.0, "no-position"),
        (0.05, "known"),
        (1.0, "known"),
        (2.0, "known"),
        (2.1, "ahead"),
        (2.24, "ahead"),
        (2.6, "telemetry-stale"),
        (1e9, "telemetry-stale"),
    ] {
        assert_eq!(said(&h, t), what, "{t}");
    }
    assert_eq!(said(&history(), 1.0), "no-position");
}

#[test]
fn silence_on_our_own_clock_counts_too() {
    let h = at_rest(5.0, 2.0);
    assert!(matches!(
        h.at(capture(2.1), mono(3.0)),
        Evidence::Pending {
            so_far: Err(Reason::TelemetryStale { .. })
        }
    ));
}

#[test]
fn poses_are_interpolated_at_the_capture_time() {
    let mut h = history();
    for i in 0..10 {
        let t = f64::from(i) / 10.0;
        h.push(&sample(t, 100.0 * t, -10.0 - 20.0 * t));
    }
    let Evidence::Known(e) = h.at(capture(0.537), mono(0.8)) else {
        panic!("not known")
    };
    assert!((e.pan.deg() - 53.7).abs() < 1e-4, "{e:?}");
    assert!((e.tilt.deg() + 20.74).abs() < 1e-4, "{e:?}");
    assert_eq!(e.support, super::super::Support::Bracketed { gap_s: 0.1 });
    // 60° across a frame: half a width is tan 30°.
    assert!((e.focal - 0.5 / 30f64.to_radians().tan()).abs() < 1e-9);
}

#[test]
fn pan_goes_on_across_the_seam() {
    let mut h = history();
    for i in 0..20 {
        let t = f64::from(i) / 10.0;
        let turned = 100.0 + 100.0 * t;
        let reported = (turned + 180.0f64).rem_euclid(360.0) - 180.0;
        assert_eq!(h.push(&sample(t, reported, 0.0)), Pushed::Taken, "{t}");
    }
    let Evidence::Known(e) = h.at(capture(1.25), mono(1.5)) else {
        panic!("not known")
    };
    assert!((e.pan.deg() - 225.0).abs() < 1e-3, "{e:?}");
}

#[test]
fn a_gap_in_which_the_head_could_turn_either_way_brackets_nothing() {
    let mut h = at_rest(0.0, 1.0);
    h.frame_arrived(0, mono(0.0));
    assert_eq!(h.push(&sample(1.9, 170.0, -10.0)), Pushed::Taken);
    assert_eq!(said(&h, 1.5), "telemetry-stale");
}

#[test]
fn the_same_stamp_again_is_no_news() {
    let mut h = at_rest(0.0, 1.0);
    for late in 1..30 {
        let mut again = sample(1.0, 0.0, -10.0);
        again.received = mono(1.0 + 0.1 * f64::from(late));
        assert_eq!(h.push(&again), Pushed::NotNews);
    }
    assert_eq!(said(&h, 1.7), "telemetry-stale");
}

#[test]
fn late_reports_find_their_place() {
    let mut h = history();
    for i in [0, 2, 1, 4, 3, 6, 5] {
        let t = f64::from(i) / 10.0;
        assert_eq!(h.push(&sample(t, 10.0 * t, 0.0)), Pushed::Taken, "{i}");
    }
    let Evidence::Known(e) = h.at(capture(0.25), mono(0.5)) else {
        panic!("not known")
    };
    assert_eq!(e.support, super::super::Support::Bracketed { gap_s: 0.1 });
}

#[test]
fn a_late_report_that_contradicts_its_neighbours_is_a_lie_somewhere() {
    let mut h = at_rest(0.0, 1.0);
    assert!(matches!(
        h.push(&sample(0.75, 60.0, -10.0)),
        Pushed::Unsteady(_)
    ));
    assert_eq!(said(&h, 0.95), "camera-unsteady");
}

#[test]
fn nonsense_is_refused_and_named() {
    let good = sample(1.1, 0.0, -10.0);
    let bad = |change: fn(&mut PoseSample)| {
        let mut s = good.clone();
        change(&mut s);
        s
    };
    for (s, code) in [
        (bad(|s| s.pan_deg = f64::NAN), "bad-position"),
        (bad(|s| s.tilt_deg = f64::INFINITY), "bad-position"),
        (bad(|s| s.sigma_t_s = -1.0), "bad-position"),
        (bad(|s| s.sigma_t_s = f64::NAN), "bad-position"),
        (bad(|s| s.hfov_deg = Some(20.0)), "bad-position"),
        (bad(|s| s.hfov_deg = Some(f64::NAN)), "bad-position"),
        (bad(|s| s.zoom = 1.5), "zoom-outside-calibration"),
        (bad(|s| s.zoom = f64::NAN), "zoom-outside-calibration"),
    ] {
        let mut h = at_rest(0.0, 1.0);
        let Pushed::Refused(reason) = h.push(&s) else {
            panic!("{s:?} taken")
        };
        assert_eq!(reason.code(), code, "{s:?}");
        assert_eq!(
            said(&h, 2.0),
            code,
            "persisting refusals are the reason to cover"
        );
        assert_eq!(h.push(&sample(1.2, 0.0, -10.0)), Pushed::Taken);
        assert_eq!(said(&h, 1.15), "known", "bracketed by its good neighbours");
        assert_eq!(said(&h, 1.9), "telemetry-stale", "a good report ends it");
    }
}

/// Reports of a head at rest at `pan` from `from` to `to`, 10 Hz; what became of the last.
fn rest_on(h: &mut PoseHistory, pan_deg: f64, from: f64, to: f64) -> Pushed {
    let mut last = Pushed::NotNews;
    for i in 0..=((to - from) * 10.0).round() as i32 {
        last = h.push(&sample(from + f64::from(i) / 10.0, pan_deg, -10.0));
    }
    last
}

#[test]
fn a_jump_covers_from_the_last_good_report_until_it_is_quiet() {
    let mut h = at_rest(30.0, 2.0);
    rest_on(&mut h, 0.0, 2.1, 3.0);
    assert_eq!(said(&h, 1.95), "known", "before the jump all was well");
    rest_on(&mut h, 0.0, 3.1, 31.9);
    for t in [2.05, 2.5, 20.0, 31.85] {
        assert_eq!(said(&h, t), "camera-unsteady", "{t}");
    }
    rest_on(&mut h, 0.0, 32.0, 33.0);
    assert_eq!(said(&h, 31.95), "camera-unsteady");
    assert_eq!(said(&h, 32.5), "known");
}

#[test]
fn homing_that_ends_in_another_jump_starts_the_wait_anew() {
    let mut h = at_rest(30.0, 2.0);
    rest_on(&mut h, 0.0, 2.1, 20.0);
    rest_on(&mut h, 30.0, 20.1, 49.0);
    for t in [2.05, 10.0, 20.05, 33.0, 48.5] {
        assert_eq!(said(&h, t), "camera-unsteady", "{t}");
    }
    rest_on(&mut h, 30.0, 49.1, 51.0);
    assert_eq!(said(&h, 50.8), "known");
}

#[test]
fn never_means_never() {
    let rules = HistoryRules {
        trust: TrustAfterRestart::Never,
        ..HistoryRules::default()
    };
    let mut h = PoseHistory::new(profile(), rules);
    rest_on(&mut h, 30.0, 0.0, 2.0);
    rest_on(&mut h, 0.0, 2.1, 600.0);
    assert_eq!(said(&h, 599.5), "camera-unsteady");
}

#[test]
fn a_stray_report_is_forgotten_when_the_head_is_back_on_its_path() {
    for strays in [1, 2] {
        let mut h = at_rest(30.0, 2.0);
        for i in 1..=strays {
            let t = 2.0 + 0.1 * f64::from(i);
            assert!(matches!(
                h.push(&sample(t, 0.0, -10.0)),
                Pushed::Unsteady(_)
            ));
            assert_eq!(said(&h, t - 0.05), "camera-unsteady");
        }
        let back = 2.1 + 0.1 * f64::from(strays);
        assert_eq!(
            h.push(&sample(back, 30.0, -10.0)),
            Pushed::Taken,
            "{strays}"
        );
        assert_eq!(said(&h, back - 0.05), "known", "{strays}");
    }
    let mut h = at_rest(30.0, 2.0);
    rest_on(&mut h, 0.0, 2.1, 2.3);
    assert!(
        matches!(h.push(&sample(2.4, 30.0, -10.0)), Pushed::Unsteady(_)),
        "three are no stray"
    );
}

#[test]
fn a_new_position_that_physics_would_soon_allow_is_no_return() {
    // After 0.3 s a head could have come from 30° to 10°; but that is not
    // where it was going.
    let mut h = at_rest(30.0, 2.0);
    rest_on(&mut h, 10.0, 2.1, 3.0);
    assert_eq!(said(&h, 2.85), "camera-unsteady");
}

/// (silence s, whether frames went on, pan after it, what is said then)
#[test]
fn a_silence_is_judged_by_the_stream_and_by_where_the_head_is_found() {
    for (silent_s, streamed, pan_deg, what) in [
        (0.9, false, 30.0, "known"),
        (2.0, true, 30.0, "known"),
        (2.0, true, -100.0, "known"),
        (20.0, true, -100.0, "known"),
        (2.0, false, 30.2, "known"),
        (2.0, false, 0.0, "camera-unsteady"),
        (20.0, false, 30.0, "camera-unsteady"),
    ] {
        let mut h = history();
        let end = 2.0 + silent_s;
        let mut last = mono(0.0);
        for i in 0..(end * 25.0) as i32 + 50 {
            let t = f64::from(i) / 25.0;
            if streamed || t < 2.0 || t > end {
                last = mono(t);
            }
            h.frame_arrived(0, last);
            if i % 3 == 0 && (t < 2.0 || t >= end) {
                h.push(&sample(t, if t < 2.0 { 30.0 } else { pan_deg }, -10.0));
            }
        }
        assert_eq!(
            said(&h, end + 1.0),
            what,
            "{silent_s} s, {streamed}, {pan_deg}°"
        );
        if silent_s > 1.0 {
            assert_ne!(said(&h, 2.0 + silent_s / 2.0), "known", "{silent_s}");
        }
    }
}

/// (silence s, pan after it, what is said then) of a camera that takes 20 s to restart
#[test]
fn a_silence_shorter_than_a_restart_was_none_wherever_the_head_is_found() {
    for (silent_s, pan_deg, what) in [
        (8.0, -100.0, "known"),
        (19.0, 30.0, "known"),
        (21.0, 30.0, "camera-unsteady"),
        // Not even then does a head jump.
        (0.5, 150.0, "camera-unsteady"),
    ] {
        let rules = HistoryRules {
            restart_takes_s: 20.0,
            ..HistoryRules::default()
        };
        let mut h = PoseHistory::new(profile(), rules);
        rest_on(&mut h, 30.0, 0.0, 2.0);
        rest_on(&mut h, pan_deg, 2.0 + silent_s, 4.0 + silent_s);
        assert_eq!(said(&h, silent_s + 3.5), what, "{silent_s} s, {pan_deg}°");
    }
}

#[test]
fn a_stepped_clock_does_not_wash_a_restart_clean() {
    let mut h = at_rest(30.0, 2.0);
    h.forget_samples();
    assert_eq!(said(&h, 1.95), "no-position");
    // The camera is back three seconds later, in another century.
    let mut after = sample(0.0, 0.0, -10.0);
    after.at = CaptureTime(1_000_000_000);
    after.received = mono(5.0);
    assert!(matches!(h.push(&after), Pushed::Unsteady(_)));

    let mut h = at_rest(30.0, 2.0);
    h.forget_samples();
    // The clock alone stepped: the head is where it was.
    let mut after = sample(3602.1, 30.0, -10.0);
    after.received = mono(2.12);
    assert_eq!(h.push(&after), Pushed::Taken);
}

#[test]
fn memory_is_bounded() {
    let mut h = history();
    rest_on(&mut h, 0.0, 0.0, 100.0);
    assert_eq!(h.knots.len(), HistoryRules::default().capacity);
}

proptest::proptest! {
    /// No report and no question panics, and an answer is always finite.
    #[test]
    fn nothing_panics(
        reports in proptest::collection::vec(
            (proptest::num::i64::ANY, -1e9f64..1e9, proptest::num::f64::ANY, 0.0f64..1.0, proptest::num::u64::ANY),
            0..40,
        ),
        asks in proptest::collection::vec((proptest::num::i64::ANY, proptest::num::u64::ANY), 1..20),
    ) {
        let mut h = history();
        for (i, (at, pan, tilt, zoom, received)) in reports.into_iter().enumerate() {
            h.push(&PoseSample {
                // Half of them near each other, half anywhere.
                at: if i % 2 == 0 { CaptureTime(at) } else { capture(i as f64 * 0.05) },
                sigma_t_s: 0.001,
                pan_deg: pan,
                tilt_deg: tilt,
                zoom,
                hfov_deg: None,
                received: Mono(received),
            });
        }
        for (i, (t, now)) in asks.into_iter().enumerate() {
            let t = if i % 2 == 0 { CaptureTime(t) } else { capture(i as f64 * 0.07) };
            match h.at(t, Mono(now)) {
                Evidence::Known(e) | Evidence::Pending { so_far: Ok(e) } => {
                    proptest::prop_assert!(e.pan.deg().is_finite() && e.tilt.deg().is_finite());
                    proptest::prop_assert!(e.focal.is_finite() && e.focal > 0.0);
                    proptest::prop_assert!(e.margin.px_at(900.0, 1600.0).is_finite());
                }
                Evidence::Pending { so_far: Err(_) } | Evidence::Unknown(_) => {}
            }
        }
    }
}

/// What somebody tells the camera needs no announcement: whatever it was told, and
/// whenever between two reports it begins, a head that stood still until then and
/// moves as hard as its profile lets it stays inside the margin, from the frame on in
/// which it begins; whether the next report is here or not.
#[test]
fn a_head_that_begins_to_move_is_inside_the_margin_already() {
    let limits = profile().document().limits;
    let (speed, accel) = (limits.max_speed_deg_s, limits.max_accel_deg_s2);
    let gone = |s: f64| {
        let s = s.max(0.0);
        let up = s.min(speed / accel);
        0.5 * accel * up * up + speed * (s - up)
    };
    let (mut looked, mut closest) = (0, f64::INFINITY);
    for begins in (0..=20).map(|i| 2.0 + f64::from(i) * 0.005) {
        for frame in (0..=80).map(|i| begins + f64::from(i) * 0.01) {
            // Asked as late as each of the reports that may have come by then.
            for late in [0.0, 0.05, 0.1, 0.2] {
                let now = frame + late;
                let mut h = history();
                for at in (0..)
                    .map(|i| f64::from(i) * 0.1)
                    .take_while(|t| t + 0.02 <= now)
                {
                    h.push(&sample(at, gone(at - begins), 0.0));
                }
                let pose = match h.at(capture(frame), mono(now)) {
                    Evidence::Known(pose) => pose,
                    Evidence::Pending { so_far: Ok(pose) } => pose,
                    other => panic!("{begins} {frame} {late}: {other:?}"),
                };
                let off = (pose.pan.deg() - gone(frame - begins)).abs();
                let room = pose.margin.angle.deg() - off;
                assert!(room >= 0.0, "{begins} {frame} {late}: {off} in {pose:?}");
                if off > 0.1 {
                    looked += 1;
                    closest = closest.min(room / off);
                }
            }
        }
    }
    // The head really leaves what was known of it.
    println!("{looked} poses were off; the margin was larger by {closest:.2} of that at least");
    assert!(looked > 500, "{looked}");
}
