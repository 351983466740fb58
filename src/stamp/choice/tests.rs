use super::*;
use crate::stamp::TimeSource::{Ntp64, OnvifReplay, SenderReport};
use proptest::prelude::*;

/// What sources say of frame `n`, 40 ms apart, so many milliseconds off the truth; none
/// where a source is silent.
fn claims(n: u64, off_ms: [Option<f64>; 3]) -> Claims {
    off_ms.map(|off| off.map_or(Claim::Silent, |off_ms| Claim::At(truth(n, off_ms))))
}

fn truth(n: u64, off_ms: f64) -> CaptureTime {
    CaptureTime(1_700_000_000_000_000_000 + n as i64 * 40_000_000 + (off_ms * 1e6) as i64)
}

fn stream_ns(n: u64) -> u64 {
    47_000_000_000 + n * 40_000_000
}

/// Plays frames from `from` on, told off by `off`; what each got.
fn play(
    chooser: &mut Chooser,
    frames: std::ops::Range<u64>,
    off: impl Fn(u64) -> [Option<f64>; 3],
) -> Vec<Result<Captured, Untimed>> {
    frames
        .map(|n| chooser.take(&claims(n, off(n)), stream_ns(n)))
        .collect()
}

fn codes(got: &[Result<Captured, Untimed>]) -> Vec<&'static str> {
    let mut codes: Vec<_> = got
        .iter()
        .map(|got| got.map_or_else(Untimed::code, |captured| captured.by.name()))
        .collect();
    codes.dedup();
    codes
}

#[test]
fn stamps_lead_from_the_first_frame_and_reports_bear_them_out() {
    let mut chooser = Chooser::default();
    assert_eq!(chooser.take(&Claims::default(), 0), Err(Untimed::Untold));
    let got = play(&mut chooser, 0..50, |n| {
        [Some(0.0), None, (n >= 20).then_some(7.0)]
    });
    assert_eq!(codes(&got), ["ntp-64"]);
    for (n, got) in got.iter().enumerate() {
        let got = got.unwrap();
        assert_eq!(got.at, truth(n as u64, 0.0));
        let ms = if n < 20 { 0.1 } else { 7.0 };
        assert_eq!(got.within, Duration::from_secs_f64(ms * 1e-3), "{n}");
    }
    let got = play(&mut chooser, 50..60, |_| [None, Some(0.0), Some(1.0)]);
    assert_eq!(codes(&got), ["ntp-64"], "carried on");
    let mut chooser = Chooser::default();
    let got = play(&mut chooser, 0..9, |n| {
        [None, (n > 5).then_some(1.0), (n > 2).then_some(0.0)]
    });
    assert_eq!(codes(&got), ["untold", "sender-report", "onvif-replay"]);
}

#[test]
fn sources_that_lie_apart_are_no_time_until_they_agree() {
    type Offsets = [Option<f64>; 3];
    let apart: [fn(u64) -> Offsets; 3] = [
        |n| [Some(if n < 20 { 0.0 } else { 101.0 }), None, Some(0.0)],
        |n| {
            [
                Some(0.0),
                Some(0.0),
                Some(if n < 20 { 0.0 } else { -250.0 }),
            ]
        },
        |n| [Some(0.0), Some(if n < 20 { 0.0 } else { 5000.0 }), None],
    ];
    for (case, off) in apart.into_iter().enumerate() {
        let mut chooser = Chooser::default();
        let got = play(&mut chooser, 0..20, off);
        assert_eq!(codes(&got), ["ntp-64"], "{case}");
        let got = play(&mut chooser, 20..500, off);
        assert!(got.iter().all(Result::is_err), "{case}: {:?}", codes(&got));
        assert_eq!(codes(&got).last(), Some(&"apart"), "{case}");
        let healed = play(&mut chooser, 500..900, |_| [Some(0.0); 3]);
        assert!(healed.last().unwrap().is_ok(), "{case}");
    }
}

#[test]
fn stamps_must_go_on_as_the_stream_does() {
    type Lie = fn(u64) -> f64;
    let frozen: Lie = |n| -(n as f64 - 30.0).max(0.0) * 40.0;
    let lies: [(&str, Lie); 6] = [
        ("jump forwards", |n| if n < 30 { 0.0 } else { 5000.0 }),
        ("jump back", |n| if n < 30 { 0.0 } else { -3_600_000.0 }),
        ("into 1900", |n| if n < 30 { 0.0 } else { -3.9e12 }),
        ("stand still", frozen),
        ("go at half the pace", |n| {
            -(n as f64 - 30.0).max(0.0) * 20.0
        }),
        ("go back", |n| -(n as f64 - 30.0).max(0.0) * 80.0),
    ];
    for (name, lie) in lies {
        for by in [0, 1] {
            let mut chooser = Chooser::default();
            let off = |n| {
                let mut off = [None; 3];
                off[by] = Some(lie(n));
                off
            };
            let before = play(&mut chooser, 0..30, off);
            assert!(before.iter().all(Result::is_ok), "{name}");
            let after = play(&mut chooser, 30..300, off);
            for (n, got) in (30..).zip(&after) {
                // Whatever is told of a lie, the truth is not further off than it says,
                // until the lie has gone on steadily: a new time, not a wrong pace.
                if let Ok(got) = got {
                    let off_ns = got.at.0.abs_diff(truth(n, 0.0).0);
                    let steady = name.starts_with("jump") || name.starts_with("into");
                    let open = got.within.as_nanos() + 1000;
                    assert!(
                        steady && n >= 39 || u128::from(off_ns) <= open,
                        "{name} {n}"
                    );
                }
            }
            let unsteady = after.iter().filter(|got| got.is_err()).count();
            assert!(unsteady >= STEADY - 1, "{name}: {unsteady}");
        }
    }
    // The same, with nothing but reports: their step is the clock watch's to judge.
    let mut chooser = Chooser::default();
    let got = play(&mut chooser, 0..60, |n| {
        [None, None, Some(if n < 30 { 0.0 } else { 5000.0 })]
    });
    assert_eq!(codes(&got), ["sender-report"]);
    assert!(
        got.iter()
            .all(|got| got.unwrap().within <= Duration::from_millis(1))
    );
}

#[test]
fn frames_without_a_stamp_go_on_from_the_last_for_a_while() {
    let mut chooser = Chooser::default();
    let got = play(&mut chooser, 0..700, |n| {
        [
            (n % 25 == 0 && n < 200).then_some(3.0),
            None,
            (n > 100).then_some(0.0),
        ]
    });
    assert_eq!(codes(&got), ["ntp-64", "sender-report"]);
    let last = got.iter().position(|got| got.unwrap().by == SenderReport);
    assert_eq!(last, Some(175 + 251), "ten seconds after the last");
    for (n, got) in got.iter().enumerate().take(426) {
        let got = got.unwrap();
        assert_eq!((got.at, got.by), (truth(n as u64, 3.0), Ntp64), "{n}");
    }
    let gap = got[425].unwrap().within;
    assert!(gap >= Duration::from_millis(9), "{gap:?}");
}

#[test]
fn contradictions_within_a_frame_are_no_time() {
    let mut chooser = Chooser::default();
    play(&mut chooser, 0..20, |_| [Some(0.0), None, Some(0.0)]);
    let mut claims = claims(20, [Some(0.0), None, Some(0.0)]);
    claims[2] = Claim::Contradictory;
    let got = chooser.take(&claims, stream_ns(20));
    assert_eq!(got.unwrap().by, Ntp64, "a report between two packets");
    claims[0] = Claim::Contradictory;
    let got = chooser.take(&claims, stream_ns(21));
    assert_eq!(got, Err(Untimed::Contradictory(Ntp64)));
    let got = play(&mut chooser, 22..40, |_| [Some(0.0), None, Some(0.0)]);
    assert_eq!(codes(&got), ["unsteady", "ntp-64"]);
    let mut chooser = Chooser::default();
    let alone = [Claim::Silent, Claim::Silent, Claim::Contradictory];
    let got = chooser.take(&alone, 5);
    assert_eq!(got, Err(Untimed::Contradictory(SenderReport)));
    let unreadable = [Claim::Unreadable; 3];
    assert_eq!(chooser.take(&unreadable, 6), Err(Untimed::Untold));
}

#[test]
fn which_stamp_leads_is_always_the_same() {
    let mut chooser = Chooser::default();
    let got = play(&mut chooser, 0..30, |_| [Some(2.0), Some(0.0), None]);
    assert_eq!(codes(&got), ["ntp-64"]);
    assert_eq!(got[29].unwrap().within, Duration::from_millis(2));
    let mut chooser = Chooser::default();
    let got = play(&mut chooser, 0..30, |_| [None, Some(0.0), Some(0.5)]);
    assert_eq!(codes(&got), [OnvifReplay.name()]);
}

proptest! {
    #[test]
    fn a_time_is_never_further_from_another_claim_than_it_says(
        frames in prop::collection::vec(
            (prop::array::uniform3(prop::option::of(-130.0..130.0f64)), 0u8..20),
            1..120,
        ),
    ) {
        let mut chooser = Chooser::default();
        for (n, (off, odd)) in (0u64..).zip(frames) {
            let mut claims = claims(n, off);
            match odd {
                0 => claims[0] = Claim::Unreadable,
                1 => claims[1] = Claim::Contradictory,
                2 => claims[0] = Claim::At(CaptureTime(i64::MIN)),
                3 => claims[2] = Claim::At(CaptureTime(i64::MAX)),
                _ => {}
            }
            let Ok(got) = chooser.take(&claims, stream_ns(n)) else { continue };
            prop_assert!(got.within.as_nanos() <= 2 * APART_NS);
            for claim in claims {
                prop_assert!(claim != Claim::Contradictory);
                if let Claim::At(at) = claim {
                    let apart = u128::from(at.0.abs_diff(got.at.0));
                    prop_assert!(apart <= got.within.as_nanos());
                }
            }
        }
    }
}
