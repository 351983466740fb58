use super::super::testing::{SIZE, Street};
use super::*;

/// Pan, tilt, field of view, degrees: 60° over 320 cells, so 0.2° is about one cell.
const HERE: [f64; 3] = [10.0, -12.0, 60.0];

fn nothing() -> Cells {
    Cells::of(SIZE, 1, |_, _| false)
}

/// The left third is private, and a window on the right.
fn houses() -> Cells {
    Cells::of(SIZE, 1, |x, y| {
        x < 100 || ((230..260).contains(&x) && (40..90).contains(&y))
    })
}

fn lesson(street: Street, at: [f64; 3]) -> Vec<Small> {
    (0..LEAST_PICTURES).map(|_| street.seen(at)).collect()
}

fn learnt(hidden: &Cells) -> Reference {
    Reference::learn(&lesson(Street::default(), HERE), hidden).unwrap()
}

fn seen(reference: &Reference, street: Street, at: [f64; 3]) -> bool {
    reference.is_seen_in(&street.seen(at)).unwrap()
}

fn besides() -> [[f64; 3]; 10] {
    let [pan, tilt, view] = HERE;
    [
        // Half a degree, about three cells, is another place in every direction.
        [pan + 0.5, tilt, view],
        [pan - 0.5, tilt, view],
        [pan, tilt + 0.5, view],
        [pan, tilt - 0.5, view],
        [pan + 0.4, tilt + 0.4, view],
        [pan + 40.0, tilt, view],
        [pan + 180.0, tilt, view],
        // A zoom alone: the middle stands still, the corners move by 1.5 % of 184 cells.
        [pan, tilt, view * 0.985],
        [pan, tilt, view * 1.015],
        [pan, tilt, view * 0.5],
    ]
}

#[test]
fn the_place_itself_is_seen_in_other_light_and_noise() {
    for hidden in [nothing(), houses()] {
        let reference = learnt(&hidden);
        for street in [
            Street::default(),
            Street {
                brightness: 0.6,
                ..Street::default()
            },
            Street {
                noise: 8,
                ..Street::default()
            },
            // A lorry before a fifth of it.
            Street {
                lorry: Some((0.2, 3.0)),
                ..Street::default()
            },
        ] {
            assert!(seen(&reference, street, HERE), "{street:?}");
        }
    }
}

#[test]
fn whatever_lies_beside_it_is_another_place() {
    for hidden in [nothing(), houses()] {
        let reference = learnt(&hidden);
        for at in besides() {
            assert!(!seen(&reference, Street::default(), at), "{at:?}");
            let captioned = Street {
                caption: true,
                ..Street::default()
            };
            assert!(!seen(&reference, captioned, at), "{at:?} under a caption");
        }
    }
}

/// However it lies beside the reference: where it counts as the same, no corner may lie
/// further off than zones grow.
#[test]
fn what_is_seen_lies_nearer_than_zones_grow() {
    let reference = learnt(&houses());
    let [pan, tilt, view] = HERE;
    // Cells in a corner that a picture moves by.
    let cells = |right: f64, up: f64, zoom: f64| {
        let f = 160.0 / (view / 2.0).to_radians().tan();
        let (x, y) = (160.0_f64, 90.0_f64);
        let shift = |a: f64, at: f64| a.abs().to_radians() * f * (1.0 + (at / f).powi(2));
        shift(right, x).hypot(shift(up, y)) + (zoom - 1.0).abs() * x.hypot(y)
    };
    let (mut same, mut all) = (0, 0);
    for right in [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4] {
        for up in [0.0, -0.1, 0.2, 0.3] {
            for zoom in [1.0, 1.003, 0.994, 1.01] {
                let at = [pan + right, tilt + up, view * zoom];
                all += 1;
                if seen(&reference, Street::default(), at) {
                    same += 1;
                    let far = cells(right, up, zoom);
                    assert!(far < GROWN, "{right} {up} {zoom}: {far:.1} cells");
                }
            }
        }
    }
    assert!(same > 5 && same < all / 2, "{same} of {all}");
}

/// The shutter is open while the head begins to turn: what is drawn out over some cells
/// reaches further than it lies on average.
#[test]
fn what_is_drawn_out_further_than_zones_grow_is_another_place() {
    const STEPS: usize = 12;
    let reference = learnt(&houses());
    let [pan, tilt, view] = HERE;
    // A cell at the picture's edge, where a pan moves it most, degrees.
    let f = 160.0 / (view / 2.0).to_radians().tan();
    let cell = (1.0 / (f * (1.0 + (160.0 / f).powi(2)))).to_degrees();
    let (mut seen, mut not) = (0, 0);
    for drawn in [0.5, 1.0, 1.5, 2.0, 2.5, 3.1, 3.6, 4.5, 6.0, 9.0, 15.0] {
        let mut sums = vec![0_u32; (SIZE.width * SIZE.height) as usize];
        for step in 0..STEPS {
            let turned = cell * drawn * step as f64 / (STEPS - 1) as f64;
            let sharp = Street::default().seen([pan + turned, tilt, view]);
            for (sum, luma) in sums.iter_mut().zip(sharp.luma()) {
                *sum += u32::from(*luma);
            }
        }
        let luma = sums.iter().map(|sum| (sum / STEPS as u32) as u8).collect();
        let same = reference.is_seen_in(&Small::from_luma(SIZE, luma)).unwrap();
        assert!(!same || drawn <= GROWN, "drawn out over {drawn} cells");
        seen += u32::from(same);
        not += u32::from(!same);
    }
    assert!(seen > 1 && not > 4, "{seen} {not}");
}

#[test]
fn nothing_is_seen_in_the_dark_in_fog_or_behind_a_lorry() {
    let reference = learnt(&nothing());
    for street in [
        Street {
            brightness: 0.0,
            noise: 6,
            ..Street::default()
        },
        Street {
            brightness: 0.02,
            noise: 2,
            ..Street::default()
        },
        Street {
            lorry: Some((0.75, 3.0)),
            ..Street::default()
        },
        // The dark, and what the camera writes on it.
        Street {
            brightness: 0.0,
            caption: true,
            ..Street::default()
        },
    ] {
        assert!(!seen(&reference, street, HERE), "{street:?}");
    }
}

#[test]
fn what_is_private_is_not_kept() {
    let hidden = houses();
    let reference = learnt(&hidden);
    for (i, (luma, known)) in reference.luma().iter().zip(reference.known()).enumerate() {
        let (x, y) = (i % 320, i / 320);
        let private = x < 101 || ((229..261).contains(&x) && (39..91).contains(&y));
        if private {
            assert!(!known && *luma == 0, "{x},{y}");
        }
    }
    // What comes back from a file that says otherwise is black all the same.
    let known = reference.known().to_vec();
    let all: Vec<u8> = reference.luma().iter().map(|luma| luma | 1).collect();
    assert!(
        all.iter()
            .zip(&known)
            .any(|(luma, known)| !known && *luma > 0)
    );
    let back = Reference::of(SIZE, 1, all, known.clone()).unwrap();
    let dark = back.luma().iter().zip(&known).all(|(l, k)| *k || *l == 0);
    assert!(dark);
    // A picture that differs only where it is private is the same place.
    let mut picture = Street::default().seen(HERE).luma().to_vec();
    for (i, luma) in picture.iter_mut().enumerate() {
        if i % 320 < 100 {
            *luma = luma.wrapping_mul(7);
        }
    }
    assert!(
        reference
            .is_seen_in(&Small::from_luma(SIZE, picture))
            .unwrap()
    );
}

#[test]
fn only_a_picture_that_stands_still_and_shows_enough_is_learnt() {
    let said = |pictures: &[Small], hidden: &Cells| Reference::learn(pictures, hidden).err();
    let still = lesson(Street::default(), HERE);
    assert_eq!(said(&still[1..], &nothing()), Some(Unfit::TooFew));
    assert_eq!(said(&[], &nothing()), Some(Unfit::TooFew));
    let creeping: Vec<Small> = (0..LEAST_PICTURES)
        .map(|i| Street::default().seen([HERE[0] + 0.12 * i as f64, HERE[1], HERE[2]]))
        .collect();
    let moved = said(&creeping, &nothing());
    assert!(
        matches!(moved, Some(Unfit::Moved | Unfit::Empty)),
        "{moved:?}"
    );
    let all = Cells::of(SIZE, 1, |_, _| true);
    assert_eq!(said(&still, &all), Some(Unfit::Empty));
    // All but a corner is private: too little to tell a zoom by.
    let corner = Cells::of(SIZE, 1, |x, y| x > 120 || y > 60);
    assert_eq!(said(&still, &corner), Some(Unfit::Empty));
    let dark = Street {
        brightness: 0.0,
        noise: 3,
        caption: true,
        ..Street::default()
    };
    let unfit = said(&lesson(dark, HERE), &nothing());
    assert_eq!(unfit, Some(Unfit::Empty), "a caption is no place");
    // Somebody walks by: what they hid is not kept.
    let walking: Vec<Small> = (0..16)
        .map(|i| {
            let lorry = Some((0.05, f64::from(i)));
            let street = Street {
                lorry,
                ..Street::default()
            };
            street.seen(HERE)
        })
        .collect();
    let reference = Reference::learn(&walking, &nothing()).unwrap();
    let kept = (0..180).filter(|y| reference.known()[y * 320 + 4]);
    assert!(kept.count() < 60, "what moved is not known");
    assert!(seen(&reference, Street::default(), HERE));
}

/// Long upright edges look the same wherever they are cut: they say nothing of a tilt.
#[test]
fn a_fence_alone_is_no_place() {
    let fence = |_| {
        let luma = (0..SIZE.width * SIZE.height).map(|i| {
            let x = i % SIZE.width;
            if (x / 7).is_multiple_of(2) { 60 } else { 190 }
        });
        Small::from_luma(SIZE, luma.collect())
    };
    let pictures: Vec<Small> = (0..LEAST_PICTURES).map(fence).collect();
    let learnt = Reference::learn(&pictures, &nothing()).err();
    assert_eq!(learnt, Some(Unfit::Empty));
}

#[test]
fn what_was_kept_comes_back_and_what_is_damaged_does_not() {
    let reference = learnt(&houses());
    let luma = reference.luma().to_vec();
    let cells = reference.known().to_vec();
    let back = Reference::of(SIZE, 1, luma.clone(), cells.clone()).unwrap();
    assert!(seen(&back, Street::default(), HERE));
    assert!(back.is_like(&reference).unwrap());
    let damaged = |r: Result<Reference, Unfit>| assert_eq!(r.err(), Some(Unfit::Damaged));
    damaged(Reference::of(SIZE, 1, luma.clone(), Vec::new()));
    damaged(Reference::of(SIZE, 0, luma.clone(), cells.clone()));
    damaged(Reference::of(SIZE, 1, luma[1..].to_vec(), cells.clone()));
    // Of another size it is another picture.
    let other = Reference::of(SIZE, 4, luma, cells).unwrap();
    assert!(!seen(&other, Street::default(), HERE));
}
