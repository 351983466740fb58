use super::*;

const EPOCH_NS: i64 = 1_700_000_000_000_000_000;

fn mono(s: f64) -> Mono {
    Mono(100_000_000_000 + (s * 1e9).round() as u64)
}

fn utc(s: f64) -> CaptureTime {
    CaptureTime(EPOCH_NS + (s * 1e9).round() as i64)
}

/// Reports at 9.7 Hz whose stamps are cut to `resolution_ns`; returns, for the
/// last ones, the error of the time and the claimed σ.
fn errors(resolution_ns: i64, trip_s: f64) -> Vec<(f64, f64)> {
    let mut clock = SampleClock::default();
    let mut found = Vec::new();
    for i in 0..60 {
        let measured_s = f64::from(i) / 9.7;
        let cut = utc(measured_s).0 / resolution_ns * resolution_ns;
        let stamp = UtcStamp {
            at: CaptureTime(cut),
            resolution_ns,
        };
        // Measured anywhere within the round trip.
        let share = f64::from(i % 5) / 4.0;
        let sent = mono(measured_s - share * trip_s);
        let time = clock.time(Some(stamp), sent, mono(measured_s + (1.0 - share) * trip_s));
        if let Ok(time) = time
            && i >= 30
        {
            found.push((time.at.seconds_since(utc(measured_s)), time.sigma_s));
        }
    }
    found
}

#[test]
fn the_truth_lies_within_two_sigma_whatever_the_stamp_is_worth() {
    for (resolution_ns, trip_s, most_sigma_s) in [
        (1_000_000, 0.01, 0.001),
        (1_000_000, 0.2, 0.001),
        (10_000_000, 0.2, 0.0025),
        (100_000_000, 0.01, 0.03),
        (1_000_000_000, 0.01, 0.06),
        (1_000_000_000, 0.1, 0.08),
    ] {
        let found = errors(resolution_ns, trip_s);
        assert!(
            found.len() > 20,
            "{resolution_ns} {trip_s}: {} times",
            found.len()
        );
        for (error_s, sigma_s) in found {
            assert!(
                error_s.abs() <= 2.0 * sigma_s + 1e-6 && sigma_s <= most_sigma_s,
                "{resolution_ns} ns, {trip_s} s: off {error_s}, σ {sigma_s}"
            );
        }
    }
}

#[test]
fn whole_seconds_alone_do_not_time_a_report() {
    let mut clock = SampleClock::default();
    let stamp = UtcStamp {
        at: utc(0.0),
        resolution_ns: 1_000_000_000,
    };
    assert_eq!(
        clock.time(Some(stamp), mono(0.5), mono(0.51)),
        Err(NoTime::Unresolved)
    );
}

#[test]
fn no_stamp_and_a_frozen_one_are_no_news() {
    let mut clock = SampleClock::default();
    let stamp = UtcStamp {
        at: utc(0.005),
        resolution_ns: 1_000_000,
    };
    assert_eq!(
        clock.time(None, mono(0.0), mono(0.01)),
        Err(NoTime::Missing)
    );
    assert!(clock.time(Some(stamp), mono(0.0), mono(0.01)).is_ok());
    assert_eq!(
        clock.time(Some(stamp), mono(1.0), mono(1.01)),
        Err(NoTime::Frozen)
    );
    clock.reset();
    assert!(clock.time(Some(stamp), mono(2.0), mono(2.01)).is_ok());
}

#[test]
fn a_step_of_the_clock_moves_the_times_with_it() {
    let mut clock = SampleClock::default();
    for i in 0..20 {
        let t = f64::from(i) * 0.1;
        let at = utc(t + if i >= 10 { 3600.0 } else { 0.0 });
        let time = clock
            .time(
                Some(UtcStamp {
                    at,
                    resolution_ns: 1_000_000,
                }),
                mono(t - 0.005),
                mono(t + 0.005),
            )
            .unwrap();
        assert!((time.at.seconds_since(at)).abs() < 0.001, "{i}");
        assert!(
            (time.lateness_s - 0.005).abs() < 0.006,
            "{i}: {}",
            time.lateness_s
        );
    }
}

const MS: u64 = 1_000_000;
/// The camera's clock is ahead of ours by this.
const AHEAD_NS: i64 = 1_700_000_000_300_000_000;

fn shown(at: Mono, [from, to]: [Mono; 2]) -> Shown {
    let (now, second_ns) = (AHEAD_NS + i64::try_from(at.0).unwrap(), 1_000_000_000);
    let stamp = UtcStamp {
        at: CaptureTime(now - now.rem_euclid(second_ns)),
        resolution_ns: second_ns,
    };
    Shown { stamp, from, to }
}

/// Asks ten times a second and more for `seconds`, each trip 20 ms long: the last time.
fn after(seconds: u64, period_ms: u64, age_ms: u64) -> (Mono, Result<SampleTime, NoTime>) {
    let mut clock = SampleClock::default();
    let times = AnswerTimes {
        age: Duration::from_millis(age_ms),
    };
    let mut last = (Mono(0), Err(NoTime::Missing));
    for i in 0..(1000 * seconds / period_ms) {
        let sent = Mono(5_000_000 * MS + i * period_ms * MS);
        let (middle, received) = (Mono(sent.0 + 10 * MS), Mono(sent.0 + 20 * MS));
        let stamp = Some(shown(middle, [sent, received]));
        last = (sent, clock.time_of_answer(stamp, times, sent, received));
    }
    last
}

#[test]
fn whole_seconds_narrow_down_to_a_bound_that_holds() {
    for (period_ms, age_ms, most_sigma_s) in [(97, 0, 0.02), (97, 40, 0.03), (104, 0, 0.02)] {
        let (sent, time) = after(20, period_ms, age_ms);
        let time = time.unwrap();
        // Measured at any moment from `age_ms` before the question to the answer.
        for at_ms in [-(age_ms as i64), 0, 20] {
            let at_ns = AHEAD_NS + i64::try_from(sent.0).unwrap() + at_ms * 1_000_000;
            let off_s = time.at.seconds_since(CaptureTime(at_ns)).abs();
            assert!(off_s <= 2.0 * time.sigma_s, "{at_ms} ms: {off_s}, {time:?}");
        }
        assert!(time.sigma_s <= most_sigma_s, "{period_ms} ms: {time:?}");
    }
}

#[test]
fn what_tells_no_time_or_too_little_is_refused() {
    let times = AnswerTimes::default();
    let (sent, received) = (Mono(1000 * MS), Mono(1020 * MS));
    let mut clock = SampleClock::default();
    let none = clock.time_of_answer(None, times, sent, received);
    assert_eq!(none, Err(NoTime::Missing));
    let one = Some(shown(sent, [sent, received]));
    let first = clock.time_of_answer(one, times, sent, received);
    assert_eq!(first, Err(NoTime::Unresolved), "one second is too wide");
}
