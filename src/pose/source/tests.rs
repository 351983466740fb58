use super::super::testing::profile;
use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const EPOCH_NS: i64 = 1_700_000_000_000_000_000;

fn timed(ms: u64, pan_deg: f64) -> TimedSample {
    let at = CaptureTime(EPOCH_NS + ms as i64 * 1_000_000);
    let received = Mono(100_000_000_000 + (ms + 5) * 1_000_000);
    TimedSample {
        sample: PoseSample {
            at,
            sigma_t_s: 0.001,
            pan_deg,
            tilt_deg: 0.0,
            zoom: 0.0,
            hfov_deg: None,
            received,
        },
        clock: ReportClock {
            utc: at,
            resolution_ns: 1_000_000,
            sent: Mono(received.0 - 10_000_000),
            received,
        },
    }
}

/// A source that has run for two seconds, and how often it called.
fn running() -> (Arc<PoseSource>, Arc<AtomicUsize>) {
    turning(0.0)
}

/// The same of a camera that turns at so many degrees a second.
fn turning(speed: f64) -> (Arc<PoseSource>, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let source = Arc::new(PoseSource::new(
        profile(),
        HistoryRules::default(),
        ClockRules::default(),
        move || {
            counted.fetch_add(1, Ordering::SeqCst);
        },
    ));
    for ms in (0..2000).step_by(20) {
        if ms % 40 == 0 {
            frame(&source, ms);
        }
        if ms % 100 == 0 {
            source.on_sample(&timed(ms, speed * ms as f64 * 1e-3));
        }
    }
    (source, calls)
}

fn frame(source: &PoseSource, ms: u64) {
    source.on_frame_clock(
        CaptureTime(EPOCH_NS + ms as i64 * 1_000_000),
        ms * 1_000_000,
        Mono(100_000_000_000 + (ms + 100) * 1_000_000),
    );
}

fn ask(source: &PoseSource, ms: u64) -> Evidence<PoseEstimate> {
    source.at(
        CaptureTime(EPOCH_NS + ms as i64 * 1_000_000),
        Mono(100_000_000_000 + (ms + 200) * 1_000_000),
    )
}

#[test]
fn evidence_calls_whoever_waits_for_it() {
    let (source, calls) = running();
    assert!(matches!(ask(&source, 1850), Evidence::Known(_)));
    assert!(matches!(
        ask(&source, 1950),
        Evidence::Pending { so_far: Ok(_) }
    ));
    let before = calls.load(Ordering::SeqCst);
    assert!(before >= 20, "{before}");
    source.on_sample(&timed(2000, 0.0));
    assert_eq!(calls.load(Ordering::SeqCst), before + 1);
    assert!(matches!(ask(&source, 1950), Evidence::Known(_)));
}

#[test]
fn a_frozen_stamp_is_no_evidence_however_often_it_comes() {
    let (source, _) = running();
    let mut frozen = timed(1900, 0.0);
    for ms in (2000..3000).step_by(100) {
        frozen.clock.sent = Mono(100_000_000_000 + ms * 1_000_000);
        frozen.clock.received = Mono(100_000_000_000 + (ms + 10) * 1_000_000);
        frozen.sample.received = frozen.clock.received;
        assert_eq!(source.on_sample(&frozen), Pushed::NotNews);
        frame(&source, ms);
    }
    assert!(matches!(
        ask(&source, 2800),
        Evidence::Pending {
            so_far: Err(Reason::TelemetryStale { .. })
        }
    ));
}

#[test]
fn refusals_that_last_are_the_reason() {
    let (source, _) = running();
    let reason = Reason::BadPosition {
        detail: "pan is NaN".to_owned(),
    };
    for ms in (2000..3000).step_by(100) {
        source.on_refused(reason.clone(), Mono(100_000_000_000 + ms * 1_000_000));
    }
    assert_eq!(
        ask(&source, 2800),
        Evidence::Pending {
            so_far: Err(reason)
        }
    );
}

#[test]
fn a_stream_set_up_anew_is_not_believed_at_once() {
    let (source, _) = running();
    source.on_frames_restarted();
    assert_eq!(ask(&source, 1850), Evidence::Unknown(Reason::Starting));
}

/// A source that has run for two seconds, and its second stream, 30 ms later than the first.
fn two_streams() -> (PoseSource, PoseSource) {
    let first = PoseSource::new(
        profile(),
        HistoryRules::default(),
        ClockRules::default(),
        || {},
    );
    let second = first.of_further_stream();
    for ms in (0..2000).step_by(20) {
        if ms % 40 == 0 {
            frame(&first, ms);
            second.on_frame_clock(
                CaptureTime(EPOCH_NS + ms as i64 * 1_000_000),
                7_000_000_000 + ms * 1_000_000,
                Mono(100_000_000_000 + (ms + 130) * 1_000_000),
            );
        }
        if ms % 100 == 0 {
            first.on_sample(&timed(ms, 0.0));
        }
    }
    (first, second)
}

#[test]
fn streams_of_one_camera_are_told_the_same_pose() {
    let (first, second) = two_streams();
    assert!(matches!(ask(&first, 1850), Evidence::Known(_)));
    assert_eq!(ask(&first, 1850), ask(&second, 1850));
}

#[test]
fn a_stream_that_loses_its_clock_or_its_frames_leaves_the_other_alone() {
    let (first, second) = two_streams();
    // The second stream's frames say that they are two seconds younger than they are.
    second.on_frame_clock(
        CaptureTime(EPOCH_NS + 4_000_000_000),
        9_000_000_000,
        Mono(102_130_000_000),
    );
    assert!(matches!(
        ask(&second, 1850),
        Evidence::Unknown(Reason::ClockJump { .. })
    ));
    assert!(matches!(ask(&first, 1850), Evidence::Known(_)));
    second.on_frames_restarted();
    assert_eq!(ask(&second, 1850), Evidence::Unknown(Reason::Starting));
    assert!(matches!(ask(&first, 1850), Evidence::Known(_)));
}

#[test]
fn a_step_of_the_positions_clock_covers_all_streams() {
    let (first, second) = two_streams();
    let mut stepped = timed(2000, 0.0);
    let later = CaptureTime(stepped.clock.utc.0 + 5_000_000_000);
    (stepped.clock.utc, stepped.sample.at) = (later, later);
    first.on_sample(&stepped);
    for stream in [&first, &second] {
        assert!(matches!(
            ask(stream, 1850),
            Evidence::Unknown(Reason::ClockJump { .. })
        ));
    }
}

#[test]
fn one_stream_that_went_on_shows_that_the_camera_did_not_restart() {
    for main_goes_on in [true, false] {
        let (first, second) = two_streams();
        let (goes_on, breaks) = match main_goes_on {
            true => (&first, &second),
            false => (&second, &first),
        };
        breaks.on_frames_restarted();
        let base_ns = if main_goes_on { 0 } else { 7_000_000_000 };
        for ms in (2000..9000).step_by(40) {
            goes_on.on_frame_clock(
                CaptureTime(EPOCH_NS + ms as i64 * 1_000_000),
                base_ns + ms * 1_000_000,
                Mono(100_000_000_000 + (ms + 110) * 1_000_000),
            );
        }
        // Silent for seven seconds, and 40° further: it turned, and did not restart.
        assert_eq!(first.on_sample(&timed(9000, 40.0)), Pushed::Taken);
    }
    let (first, second) = two_streams();
    first.on_frames_restarted();
    second.on_frames_restarted();
    assert!(matches!(
        first.on_sample(&timed(9000, 40.0)),
        Pushed::Unsteady(_)
    ));
}

#[test]
fn a_lost_lock_is_taken_over() {
    let (source, _) = running();
    let poisoner = source.clone();
    let panicked = std::thread::spawn(move || {
        let _held = poisoner.shared.cell.lock().unwrap();
        panic!("on purpose");
    })
    .join();
    assert!(panicked.is_err());
    assert!(matches!(ask(&source, 1850), Evidence::Known(_)));
}

#[test]
fn what_the_stream_leaves_open_widens_the_margin_by_the_speed() {
    let angle = |source: &PoseSource| match ask(source, 1850) {
        Evidence::Known(pose) => (pose.margin.angle.deg(), pose.against(&pose).angle.deg()),
        other => panic!("{other:?}"),
    };
    let (at_rest, _) = turning(0.0);
    let (source, _) = turning(20.0);
    let held_s = 2e-3 * profile().document().sigma.capture_ms;
    let (before, rested) = (angle(&source), angle(&at_rest));
    for source in [&source, &at_rest] {
        source.on_frame_unsure(Duration::from_secs_f64(held_s));
    }
    assert_eq!(angle(&source), before, "the profile holds as much");
    for source in [&source, &at_rest] {
        source.on_frame_unsure(Duration::from_secs_f64(held_s + 0.05));
        source.on_frame_unsure(Duration::ZERO);
    }
    let wider = angle(&source);
    assert!(wider.0 - before.0 >= 20.0 * 0.05, "{before:?} {wider:?}");
    assert!(
        wider.0 - before.0 <= 20.0 * 0.05 + 1.0,
        "{before:?} {wider:?}"
    );
    assert!(wider.1 - before.1 >= 20.0 * 0.05, "each picture's own");
    assert!(
        angle(&at_rest).0 - rested.0 < 0.5,
        "at rest it costs little"
    );
    for _ in 0..UNSURE_FRAMES {
        source.on_frame_unsure(Duration::ZERO);
    }
    assert_eq!(angle(&source), before);
}
