//! Tracks over a whole clip, and the one subject that stays visible.

use super::keep::Subject;
use super::timeline::{Seen, Timeline};
use super::{CannotKeep, Keep};
use crate::detect::{Class, Detection, PixelBox};
use crate::geom::Size;
use crate::track::Rules;

const SIZE: Size = Size {
    width: 640,
    height: 360,
};

fn plate(x: f64, y: f64) -> Detection {
    thing(Class::Plate, x, y, 40.0, 10.0)
}

fn thing(class: Class, x: f64, y: f64, width: f64, height: f64) -> Detection {
    let at = PixelBox {
        x0: x,
        y0: y,
        x1: x + width,
        y1: y + height,
    };
    Detection {
        class,
        at,
        score: 0.8,
    }
}

/// Fifty frames, 25 a second, with what `see` finds in each.
fn clip(see: impl Fn(usize) -> Vec<Detection>) -> Timeline {
    let seen = (0..50)
        .map(|i| Seen {
            at_ns: i as u64 * 40_000_000,
            sum: 0,
            found: Some(Ok(see(i))),
        })
        .collect();
    Timeline::new(SIZE, seen, Rules::default()).unwrap()
}

const AT: Keep = Keep::Plate {
    x: 120.0,
    y: 105.0,
    at_s: Some(0.2),
};

/// The frames in which the plate at 100,100 is shown.
fn shown(see: impl Fn(usize) -> Vec<Detection>) -> Vec<usize> {
    let timeline = clip(see);
    let subject = Subject::choose(&AT, &timeline).unwrap();
    subject.shown.into_iter().collect()
}

#[test]
fn a_plate_alone_stays_visible_from_its_first_frame_to_its_last() {
    let all: Vec<usize> = (0..50).collect();
    assert_eq!(shown(|_| vec![plate(100.0, 100.0)]), all);
    // Another one far away, a face beside it, a short miss: no doubt whose it is.
    assert_eq!(
        shown(|i| match i {
            20 | 21 => vec![plate(500.0, 300.0)],
            _ => vec![
                plate(100.0, 100.0),
                plate(500.0, 300.0),
                thing(Class::Face, 300.0, 20.0, 20.0, 26.0)
            ],
        }),
        all
    );
}

#[test]
fn what_may_be_another_thing_is_hidden() {
    // Gone for half a second: what comes back may be another one.
    let gone = shown(|i| match i {
        20..33 => vec![],
        _ => vec![plate(100.0, 100.0)],
    });
    assert_eq!(gone, (0..20).collect::<Vec<_>>());
    // Another one passes through it.
    let passed = shown(|i| {
        let mut there = vec![plate(100.0, 100.0)];
        there.extend(
            (15..35)
                .contains(&i)
                .then(|| plate(12.0 * (i as f64 - 15.0), 100.0)),
        );
        there
    });
    assert!(
        !passed.is_empty() && passed.iter().all(|i| *i < 25),
        "{passed:?}"
    );
    // It jumps by more than a plate does in a frame.
    let jumped = shown(|i| vec![plate(if i < 30 { 100.0 } else { 132.0 }, 100.0)]);
    assert!(jumped.iter().all(|i| *i < 30), "{jumped:?}");
}

#[test]
fn what_lies_over_the_subject_hides_it_there_only() {
    let shown = shown(|i| {
        let mut there = vec![plate(100.0, 100.0)];
        if (10..15).contains(&i) {
            there.push(thing(Class::Face, 110.0, 90.0, 20.0, 26.0));
        }
        there
    });
    assert!((10..15).all(|i| !shown.contains(&i)), "{shown:?}");
    // A face is hidden before it is seen, and held after; then the plate is back.
    assert!(shown.contains(&49), "{shown:?}");
}

#[test]
fn what_is_not_there_cannot_stay_visible() {
    let timeline = clip(|_| {
        vec![
            plate(100.0, 100.0),
            thing(Class::Face, 300.0, 20.0, 20.0, 26.0),
        ]
    });
    let cases = [
        Keep::Plate {
            x: 500.0,
            y: 105.0,
            at_s: None,
        },
        // A face is no plate.
        Keep::Plate {
            x: 310.0,
            y: 30.0,
            at_s: None,
        },
        Keep::Track { id: 77, at_s: None },
        Keep::Track {
            id: 77,
            at_s: Some(1.0),
        },
    ];
    for keep in cases {
        let refused = Subject::choose(&keep, &timeline).unwrap_err();
        assert!(!matches!(refused, CannotKeep::Several { .. }), "{refused}");
    }
    let doubled = clip(|_| vec![plate(100.0, 100.0), plate(110.0, 103.0)]);
    let several = Subject::choose(&AT, &doubled);
    assert!(
        matches!(several, Err(CannotKeep::Several { found: 2, .. })),
        "{several:?}"
    );
}

#[test]
fn numbers_of_tracks_are_the_same_every_time() {
    let see = |i: usize| {
        vec![
            plate(100.0 + 2.0 * i as f64, 100.0),
            plate(300.0, 20.0 + i as f64),
        ]
    };
    let ids = |timeline: &Timeline| -> Vec<Vec<u64>> {
        (0..50)
            .map(|i| timeline.at(i).unwrap().iter().map(|t| t.track).collect())
            .collect()
    };
    assert_eq!(ids(&clip(see)), ids(&clip(see)));
}
