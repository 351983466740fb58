//! A camera's clock is set forth and back at random, with and without a stream that is set up anew
//! meanwhile: what is believed, and how soon again.

use super::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const CASES: usize = 1000;

/// What goes wrong.
#[derive(Clone, Debug)]
struct Fault {
    /// By how much the clock is set, and for how long, seconds.
    step_s: f64,
    lasts_s: f64,
    /// The stream is silent from then (after the step) for so long, and set up anew.
    silent: Option<(f64, f64)>,
    /// The same of the positions.
    mute: Option<(f64, f64)>,
    /// Sender reports are so far apart; the first comes so soon after a beginning.
    reports_every_s: f64,
    /// How answers and sender reports lie to the step.
    phase_s: f64,
    trip_s: f64,
}

#[derive(Debug, Default)]
struct Outcome {
    /// Seconds after the end of all until it is believed for good.
    back_s: Option<f64>,
    /// Frames believed while their clock and the positions' were more than 0.11 s apart.
    apart: usize,
}

const BEGINS_S: f64 = 12.0;
const LASTS_S: f64 = 75.0;
const LATENCY_S: f64 = 0.12;
const EPOCH_NS: i64 = 1_700_000_000_000_000_000;

fn mono(at_s: f64) -> Mono {
    Mono(100_000_000_000 + (at_s * 1e9) as u64)
}

fn play(fault: &Fault) -> Outcome {
    let mut watch = ClockWatch::new(ClockRules::default());
    let within = |span: Option<(f64, f64)>, at_s: f64| {
        span.is_some_and(|(from, lasts)| {
            let from = BEGINS_S + from;
            (from..from + lasts).contains(&at_s)
        })
    };
    let step_of = |at_s: f64| {
        let is = (BEGINS_S..BEGINS_S + fault.lasts_s).contains(&at_s);
        if is { fault.step_s } else { 0.0 }
    };
    let ends = |span: Option<(f64, f64)>| span.map_or(0.0, |(from, lasts)| BEGINS_S + from + lasts);
    let over_s = (BEGINS_S + fault.lasts_s)
        .max(ends(fault.silent))
        .max(ends(fault.mute));
    let mut outcome = Outcome::default();
    // What the stream's last sender report said, and when the next one comes.
    let mut mapped: Option<f64> = None;
    let mut report_s = fault.phase_s;
    let mut was_silent = true;
    let mut stream_began_s = 0.0;
    let mut agreed_since: Option<f64> = None;
    let mut told = 0.0;
    for tick in 0..(LASTS_S * 100.0) as u32 {
        let now_s = f64::from(tick) * 0.01;
        let silent = within(fault.silent, now_s);
        if silent {
            was_silent = true;
        } else {
            if was_silent {
                was_silent = false;
                mapped = None;
                stream_began_s = now_s;
                report_s = now_s + fault.phase_s.min(0.5);
                watch.frames_restarted();
            }
            if now_s >= report_s {
                mapped = Some(step_of(now_s));
                report_s += fault.reports_every_s;
            }
            if tick % 7 == 0
                && let Some(by_s) = mapped
            {
                let taken_s = now_s - LATENCY_S;
                let noise_s = f64::from(tick * 37 % 11) * 0.001;
                watch.frame(
                    CaptureTime(EPOCH_NS).plus_seconds(taken_s + by_s),
                    ((now_s - stream_began_s) * 1e9) as u64,
                    mono(now_s + noise_s),
                );
                let is = watch.state() == ClockState::Agree;
                if is && (by_s - told).abs() > 0.11 {
                    outcome.apart += 1;
                }
            }
        }
        if tick % 10 == 0 && !within(fault.mute, now_s) {
            let asked_s = now_s + fault.phase_s % 0.1;
            let measured_s = asked_s + fault.trip_s / 2.0;
            told = step_of(measured_s);
            watch.report(&ReportClock {
                utc: CaptureTime(EPOCH_NS).plus_seconds(measured_s + told),
                resolution_ns: 1_000_000,
                sent: mono(asked_s),
                received: mono(asked_s + fault.trip_s),
            });
        }
        let is = watch.state() == ClockState::Agree && !silent;
        agreed_since = if is {
            agreed_since.or(Some(now_s))
        } else {
            None
        };
    }
    outcome.back_s = agreed_since.map(|at_s| (at_s - over_s).max(0.0));
    outcome
}

/// From a hundredth of a second to some hours, either way, mostly about as much as two answers are
/// apart: then the camera may as well be answering with old measurements.
fn step() -> impl Strategy<Value = f64> {
    let of = |power: std::ops::RangeInclusive<f64>| {
        (power, any::<bool>())
            .prop_map(|(p, back)| if back { -10f64.powf(p) } else { 10f64.powf(p) })
    };
    prop_oneof![3 => of(-2.0..=0.0), 1 => of(0.0..=4.0)]
}

fn fault() -> impl Strategy<Value = Fault> {
    let span = || proptest::option::of((-2.0..6.0f64, 0.5..8.0f64));
    (
        step(),
        0.5..10.0f64,
        span(),
        span(),
        prop_oneof![Just(0.5), Just(1.0), Just(5.0)],
        0.0..1.0f64,
        0.004..0.03f64,
    )
        .prop_map(
            |(step_s, lasts_s, silent, mute, reports_every_s, phase_s, trip_s)| Fault {
                step_s,
                lasts_s,
                silent,
                mute,
                reports_every_s,
                phase_s,
                trip_s,
            },
        )
}

#[test]
fn a_clock_that_is_set_and_set_back_is_believed_soon_and_never_by_halves() {
    // The same ones each time.
    let mut runner = TestRunner::deterministic();
    for _ in 0..CASES {
        let fault = fault().new_tree(&mut runner).unwrap().current();
        let Outcome { back_s, apart } = play(&fault);
        assert_eq!(
            apart, 0,
            "frames by another clock than the positions: {fault:?}"
        );
        // Until the stream has told the clock again, nobody can know.
        let within_s = 5.0 + fault.reports_every_s;
        assert!(
            back_s.is_some_and(|s| s < within_s),
            "{back_s:?}: {fault:?}"
        );
    }
}
