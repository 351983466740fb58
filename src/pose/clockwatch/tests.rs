use super::super::testing::profile;
use super::super::{Evidence, HistoryRules, PoseSample, PoseSource, TimedSample};
use super::*;
use crate::clock::{Clock, SimClock, WallTime};
use crate::event::Reason;
use std::time::Duration;

/// A camera that films at 25 Hz and is asked at 10 Hz, and whose clock steps.
struct Camera {
    clock: SimClock,
    start: Mono,
    /// Steps of the clock that stamps frames: (seconds since start, by).
    frame_step: (f64, f64),
    report_step: (f64, f64),
    trip: Duration,
    /// How often it measures by itself; 0: when asked.
    measures_hz: f64,
}

const LATENCY: Duration = Duration::from_millis(120);
const EPOCH_NS: i64 = 1_700_000_000_000_000_000;

impl Camera {
    fn seconds(&self) -> f64 {
        self.clock.mono().since(self.start).as_secs_f64()
    }

    fn stamp(&self, at_s: f64, step: (f64, f64)) -> CaptureTime {
        let stepped = if at_s >= step.0 { step.1 } else { 0.0 };
        CaptureTime(EPOCH_NS).plus_seconds(at_s + stepped)
    }
}

/// A head that turns steadily, so that a wrong time is a wrong pan.
const SPEED_DEG_S: f64 = 20.0;

/// Runs 30 s; returns the worst error of the time of a Known pose, and the
/// share of frames known in the last ten seconds.
fn worst_time_error(mut camera: Camera) -> (f64, f64) {
    camera.start = camera.clock.mono();
    let source = PoseSource::new(
        profile(),
        HistoryRules::default(),
        ClockRules::default(),
        || {},
    );
    let mut waiting: VecDeque<(CaptureTime, f64)> = VecDeque::new();
    let (mut worst, mut known, mut asked) = (0.0f64, 0u32, 0u32);
    for ms in 0..30_000u32 {
        camera.clock.advance(Duration::from_millis(1));
        let now_s = camera.seconds();
        if ms % 40 == 0 && ms >= 200 {
            let taken_s = now_s - LATENCY.as_secs_f64();
            let capture = camera.stamp(taken_s, camera.frame_step);
            source.on_frame_clock(capture, u64::from(ms) * 1_000_000, camera.clock.mono());
            waiting.push_back((capture, taken_s));
        }
        if ms % 100 == 0 && ms >= 100 {
            let trip_s = camera.trip.as_secs_f64();
            let asked_s = now_s - trip_s / 2.0;
            let measured_s = if camera.measures_hz > 0.0 {
                (asked_s * camera.measures_hz).floor() / camera.measures_hz
            } else {
                asked_s
            };
            let utc = camera.stamp(measured_s, camera.report_step);
            let back = camera.clock.mono().0 - camera.trip.as_nanos() as u64;
            source.on_sample(&TimedSample {
                sample: PoseSample {
                    at: utc,
                    sigma_t_s: 0.001,
                    pan_deg: SPEED_DEG_S * measured_s,
                    tilt_deg: 0.0,
                    zoom: 0.0,
                    hfov_deg: None,
                    received: camera.clock.mono(),
                },
                clock: ReportClock {
                    utc,
                    resolution_ns: 1_000_000,
                    sent: Mono(back),
                    received: camera.clock.mono(),
                },
            });
        }
        // The hold asks a frame's pose 200 ms after its arrival.
        while let Some((capture, taken_s)) = waiting.front().copied() {
            if now_s < taken_s + LATENCY.as_secs_f64() + 0.2 {
                break;
            }
            waiting.pop_front();
            let late = now_s > 20.0;
            asked += u32::from(late);
            if let Evidence::Known(e) | Evidence::Pending { so_far: Ok(e) } =
                source.at(capture, camera.clock.mono())
            {
                known += u32::from(late);
                let off_deg = e.pan.deg() - SPEED_DEG_S * taken_s;
                worst = worst.max((off_deg / SPEED_DEG_S).abs());
            }
        }
    }
    (worst, f64::from(known) / f64::from(asked))
}

fn camera(frame_step: (f64, f64), report_step: (f64, f64)) -> Camera {
    let clock = SimClock::at(WallTime(EPOCH_NS));
    Camera {
        start: clock.mono(),
        clock,
        frame_step,
        report_step,
        trip: Duration::from_millis(10),
        measures_hz: 0.0,
    }
}

const NEVER: (f64, f64) = (1e9, 0.0);

#[test]
fn a_steady_clock_is_believed() {
    let (worst, known) = worst_time_error(camera(NEVER, NEVER));
    assert!(worst < 0.002 && known > 0.99, "{worst} s, {known}");
}

#[test]
fn a_camera_that_measures_at_its_own_pace_is_believed() {
    for measures_hz in [2.0, 3.7, 5.0, 7.3, 9.9, 10.1, 20.0, 23.0] {
        let mut own_pace = camera(NEVER, NEVER);
        own_pace.measures_hz = measures_hz;
        let (worst, known) = worst_time_error(own_pace);
        assert!(
            worst < 0.002 && known > 0.95,
            "{measures_hz} Hz: {worst} s, {known}"
        );
    }
}

#[test]
fn its_clock_is_watched_too_as_well_as_its_pace_allows() {
    for measures_hz in [3.7, 7.3, 23.0] {
        for step in [0.5, -0.5, 3600.0, -3600.0] {
            for (frames, reports) in [(NEVER, (10.0, step)), ((10.0, step), NEVER)] {
                let mut own_pace = camera(frames, reports);
                own_pace.measures_hz = measures_hz;
                let (worst, known) = worst_time_error(own_pace);
                assert!(worst <= 0.05, "{measures_hz} Hz, {step}: off by {worst} s");
                assert!(known < 0.01, "{measures_hz} Hz, {step}: {known}");
            }
        }
    }
}

#[test]
fn a_step_on_either_side_first_never_shifts_a_known_pose() {
    for step in [0.1, -0.1, 2.0, -2.0, 3600.0, -3600.0] {
        for delay in [0.0, 0.05, 0.5, 2.0, 5.0] {
            for frames_first in [true, false] {
                let (frames, reports) = if frames_first {
                    ((10.0, step), (10.0 + delay, step))
                } else {
                    ((10.0 + delay, step), (10.0, step))
                };
                let (worst, known) = worst_time_error(camera(frames, reports));
                let case = format!("step {step} s, {delay} s apart, frames first: {frames_first}");
                assert!(worst <= 0.05, "{case}: off by {worst} s");
                assert!(known > 0.95, "{case}: known again only {known}");
            }
        }
    }
}

#[test]
fn a_step_that_only_one_clock_follows_is_never_believed() {
    for step in [0.1, -0.1, 2.0, -2.0, 3600.0, -3600.0] {
        for (frames, reports) in [((10.0, step), NEVER), (NEVER, (10.0, step))] {
            let (worst, known) = worst_time_error(camera(frames, reports));
            assert!(worst <= 0.05, "{step}: off by {worst} s");
            assert_eq!(known, 0.0, "{step}");
        }
    }
}

#[test]
fn clocks_that_never_agreed_are_not_believed() {
    for step in [2.0, -2.0, 3600.0] {
        let (_, known) = worst_time_error(camera((-1.0, step), NEVER));
        assert_eq!(known, 0.0, "{step}");
    }
}

fn report(utc_s: f64, sent_s: f64, trip_s: f64, resolution_ns: i64) -> ReportClock {
    let ns = |s: f64| (s * 1e9).round() as u64;
    ReportClock {
        utc: CaptureTime(EPOCH_NS + (utc_s * 1e9).round() as i64),
        resolution_ns,
        sent: Mono(ns(100.0 + sent_s)),
        received: Mono(ns(100.0 + sent_s + trip_s)),
    }
}

#[test]
fn reports_in_whole_seconds_narrow_the_offset_down() {
    let mut w = OffsetWindow::default();
    for i in 0..40 {
        // 0.13 s apart, so that seconds begin anywhere between two reports.
        let t = 0.13 * f64::from(i);
        let verdict = w.push(&report(t.floor(), t - 0.005, 0.01, 1_000_000_000), 0.02);
        assert_eq!(verdict, ReportVerdict::Agrees, "{i}");
    }
    let (at, bound_s) = w.camera_time(Mono(105_000_000_000)).unwrap();
    let off_s = at.seconds_since(CaptureTime(EPOCH_NS + 5_000_000_000));
    assert!(
        off_s.abs() <= bound_s && bound_s < 0.08,
        "{off_s} {bound_s}"
    );
}

#[test]
fn a_stamp_that_stands_still_is_frozen_and_no_step() {
    for resolution_ns in [1_000_000, 1_000_000_000] {
        let mut w = OffsetWindow::default();
        for i in 0..20 {
            let t = 0.1 * f64::from(i);
            w.push(
                &report(
                    if resolution_ns > 1_000_000 {
                        t.floor()
                    } else {
                        t
                    },
                    t,
                    0.01,
                    resolution_ns,
                ),
                0.02,
            );
        }
        for i in 31..60 {
            let t = 0.1 * f64::from(i);
            let stamp = if resolution_ns > 1_000_000 { 1.0 } else { 1.9 };
            assert_eq!(
                w.push(&report(stamp, t, 0.01, resolution_ns), 0.02),
                ReportVerdict::Frozen,
                "{t}"
            );
        }
        let t = 6.1;
        assert_eq!(
            w.push(
                &report(
                    if resolution_ns > 1_000_000 { 6.0 } else { t },
                    t,
                    0.01,
                    resolution_ns
                ),
                0.02
            ),
            ReportVerdict::Agrees
        );
    }
}

/// Answers at 10 Hz of a clock that is set back by 0.6 s and, six seconds later, forth: when
/// that was seen, tenths of a second, and by how much.
fn set_back_and_forth(silent: bool) -> Vec<(u32, f64)> {
    let mut window = OffsetWindow::default();
    let mut seen = Vec::new();
    for tenth in 0..200 {
        let at_s = f64::from(tenth) / 10.0;
        if silent && (40..80).contains(&tenth) {
            continue;
        }
        let back_s = if (60..120).contains(&tenth) { 0.6 } else { 0.0 };
        let answer = report(at_s - back_s, at_s - 0.005, 0.01, 1_000_000);
        match window.push(&answer, 0.02) {
            ReportVerdict::Stepped { step_s } => seen.push((tenth, (step_s * 10.0).round())),
            verdict => assert_eq!(verdict, ReportVerdict::Agrees, "at {at_s} s"),
        }
    }
    seen
}

#[test]
fn a_clock_that_is_set_back_and_forth_is_no_camera_that_answers_with_the_past() {
    assert_eq!(set_back_and_forth(false), [(60, -6.0), (120, 6.0)]);
    // Nobody asked when it happened, and an answer then would still have been new.
    assert_eq!(set_back_and_forth(true), [(80, -6.0), (120, 6.0)]);
}

#[test]
fn a_stream_set_up_anew_must_settle_anew() {
    let mut w = ClockWatch::new(ClockRules::default());
    let feed = |w: &mut ClockWatch, from_ms: u64, pts_base: u64| {
        for i in 0..25u64 {
            let ms = from_ms + 40 * i;
            w.frame(
                CaptureTime(EPOCH_NS + (ms as i64 - 120) * 1_000_000),
                pts_base + i * 40_000_000,
                Mono(100_000_000_000 + ms * 1_000_000),
            );
            w.report(&report(
                ms as f64 / 1e3 - 0.005,
                ms as f64 / 1e3 - 0.01,
                0.01,
                1_000_000,
            ));
        }
    };
    feed(&mut w, 1000, 0);
    assert_eq!(w.state(), ClockState::Agree);
    w.frames_restarted();
    assert_eq!(w.state(), ClockState::Unsettled);
    feed(&mut w, 5000, 77);
    assert_eq!(w.state(), ClockState::Agree);
}

/// A stream is set up anew, and 0.2 s later the frames' clock steps by half a second, and
/// the reports' by `reports_step_s`: what is thought of it two seconds later.
fn stepped_while_it_settles(reports_step_s: f64) -> ClockState {
    let mut w = ClockWatch::new(ClockRules::default());
    let mut feed = |from_ms: u64, frames: u64, steps_after: u64| {
        for i in 0..frames {
            let ms = from_ms + 40 * i;
            let (frame_step_ms, report_step_s) = match i >= steps_after {
                true => (500, reports_step_s),
                false => (0, 0.0),
            };
            w.frame(
                CaptureTime(EPOCH_NS + (ms as i64 - 120 + frame_step_ms) * 1_000_000),
                i * 40_000_000,
                Mono(100_000_000_000 + ms * 1_000_000),
            );
            let asked_s = ms as f64 / 1e3 - 0.01;
            let utc_s = asked_s + 0.005 + report_step_s;
            w.report(&report(utc_s, asked_s, 0.01, 1_000_000));
        }
        let state = w.state();
        w.frames_restarted();
        state
    };
    assert_eq!(feed(1000, 25, 99), ClockState::Agree);
    feed(5000, 55, 5)
}

#[test]
fn what_steps_while_a_stream_settles_is_believed_when_both_clocks_are_as_they_were() {
    assert_eq!(stepped_while_it_settles(0.5), ClockState::Agree);
    assert_ne!(stepped_while_it_settles(0.0), ClockState::Agree);
    assert_ne!(stepped_while_it_settles(0.3), ClockState::Agree);
}

/// A stream that is set up anew whose capture times are `off_ms` late from then on: what is
/// thought of it one second and twenty seconds later.
fn off_after_a_restart(off_ms: i64) -> [ClockState; 2] {
    let mut w = ClockWatch::new(ClockRules::default());
    let feed = |w: &mut ClockWatch, from_ms: u64, frames: u64, off_ms: i64| {
        for ms in (0..frames).map(|i| from_ms + 40 * i) {
            w.frame(
                CaptureTime(EPOCH_NS + (ms as i64 - 120 + off_ms) * 1_000_000),
                ms * 1_000_000,
                Mono(100_000_000_000 + ms * 1_000_000),
            );
            let asked_s = ms as f64 / 1e3 - 0.01;
            w.report(&report(asked_s + 0.005, asked_s, 0.01, 1_000_000));
        }
        w.state()
    };
    assert_eq!(feed(&mut w, 1000, 25, 0), ClockState::Agree);
    w.frames_restarted();
    [
        feed(&mut w, 5000, 25, off_ms),
        feed(&mut w, 6000, 500, off_ms),
    ]
}

#[test]
fn a_stream_that_comes_back_with_other_times_is_believed_when_they_last() {
    for off_ms in [-1000, -150, -100, 60] {
        let [soon, later] = off_after_a_restart(off_ms);
        let ClockState::Jumped { step_s } = soon else {
            panic!("{off_ms} ms: {soon:?}");
        };
        assert!(
            (step_s - off_ms as f64 / 1e3).abs() < 0.02,
            "{off_ms} ms: {step_s}"
        );
        assert_eq!(later, ClockState::Agree, "{off_ms} ms");
    }
    assert_eq!(off_after_a_restart(0)[0], ClockState::Agree);
}

/// The frames' clock runs `ppm` faster than the reports' for `minutes`: by how much the watch says
/// that they are apart, and by how much they are.
fn drifted(ppm: f64, minutes: u64) -> [f64; 2] {
    let mut w = ClockWatch::new(ClockRules::default());
    let at_ms = |i: u64| 1000 + 100 * i;
    let frames = minutes * 600;
    for ms in (0..frames).map(at_ms) {
        let ahead_ns = (ms as f64 * ppm) as i64;
        w.frame(
            CaptureTime(EPOCH_NS + (ms as i64 - 120) * 1_000_000 + ahead_ns),
            ms * 1_000_000,
            Mono(100_000_000_000 + ms * 1_000_000),
        );
        let asked_s = ms as f64 / 1e3 - 0.01;
        w.report(&report(asked_s + 0.005, asked_s, 0.01, 1_000_000));
    }
    assert_eq!(w.state(), ClockState::Agree, "{ppm} ppm");
    [w.drifted_s(), ppm * 1e-6 * at_ms(frames) as f64 / 1e3]
}

#[test]
fn clocks_that_drift_apart_are_told_by_how_much() {
    for ppm in [50.0, -50.0] {
        let [told_s, is_s] = drifted(ppm, 40);
        let left_s = is_s.abs() - told_s;
        assert!(
            told_s > 0.05 && (0.0..0.05).contains(&left_s),
            "{ppm} ppm: {told_s}, {is_s}"
        );
    }
    assert_eq!(drifted(0.0, 10)[0], 0.0);
}

#[test]
fn a_stream_that_goes_back_takes_its_mapping_along_and_is_a_step() {
    let mut w = ClockWatch::new(ClockRules::default());
    let mut feed = |ms: u64, back_ms: u64| {
        w.frame(
            CaptureTime(EPOCH_NS + (ms - back_ms) as i64 * 1_000_000),
            (ms - back_ms) * 1_000_000,
            Mono(100_000_000_000 + (ms + 120) * 1_000_000),
        );
        let at_s = ms as f64 / 1e3;
        w.report(&report(at_s, at_s - 0.005, 0.01, 1_000_000));
        w.state()
    };
    for i in 0..25 {
        feed(1_000 + 40 * i, 0);
    }
    assert_eq!(feed(2_000, 0), ClockState::Agree);
    assert_eq!(feed(2_040, 500), ClockState::Jumped { step_s: -0.46 });
}

#[test]
fn many_small_steps_are_one_large_one() {
    let mut w = ClockWatch::new(ClockRules::default());
    let mut jumped = false;
    for i in 0..100u64 {
        let creeping = i as i64 * 5_000_000;
        w.frame(
            CaptureTime(EPOCH_NS + i as i64 * 40_000_000 + creeping),
            i * 40_000_000,
            Mono(100_000_000_000 + i * 40_000_000),
        );
        w.report(&report(
            i as f64 * 0.04,
            i as f64 * 0.04 - 0.005,
            0.01,
            1_000_000,
        ));
        jumped |= matches!(w.state(), ClockState::Jumped { .. });
    }
    assert!(jumped);
}

proptest::proptest! {
    #[test]
    fn absurd_times_do_no_harm(
        feed in proptest::collection::vec(
            (proptest::num::i64::ANY, proptest::num::u64::ANY, proptest::num::u64::ANY, proptest::num::i64::ANY),
            0..60,
        ),
    ) {
        let mut w = ClockWatch::new(ClockRules::default());
        for (utc, a, b, resolution_ns) in feed {
            w.frame(CaptureTime(utc), a, Mono(b));
            w.report(&ReportClock { utc: CaptureTime(utc), resolution_ns, sent: Mono(a), received: Mono(b) });
        }
    }
}

#[test]
fn before_both_clocks_are_seen_nothing_is_known() {
    let source = PoseSource::new(
        profile(),
        HistoryRules::default(),
        ClockRules::default(),
        || {},
    );
    assert_eq!(
        source.at(CaptureTime(EPOCH_NS), Mono(0)),
        Evidence::Unknown(Reason::NoPosition)
    );
}
