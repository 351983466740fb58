use super::super::testing::{SIZE, Street, outlook};
use super::*;

const STILL: [f64; 3] = [0.0, -8.0, 60.0];

/// What is said of two pictures of `street`, when the camera really turned from `was` to
/// `is` (pan, tilt, field of view, degrees) and tells that it looks at `told`.
fn said(was: [f64; 3], is: [f64; 3], told: [f64; 3], street: Street) -> Compared {
    let old = Street::default().seen(was);
    compare(&old, &outlook(was), &street.seen(is), &outlook(told), 2.0).unwrap()
}

#[test]
fn pictures_that_turn_as_told_agree() {
    for (was, is) in [
        (STILL, STILL),
        (STILL, [15.0, -8.0, 60.0]),
        (STILL, [-12.0, 3.0, 60.0]),
        ([10.0, -8.0, 60.0], [10.0, -8.0, 50.0]),
        ([10.0, -8.0, 6.0], [11.2, -8.5, 6.0]),
        ([10.0, -85.0, 60.0], [22.0, -85.0, 60.0]),
        ([179.0, -30.0, 60.0], [187.0, -30.0, 55.0]),
    ] {
        let found = said(was, is, is, Street::default());
        let agree = matches!(found, Compared::Agree { .. });
        assert!(agree, "{was:?} {is:?}: {found:?}");
    }
}

#[test]
fn pictures_that_turn_otherwise_disagree() {
    for (is, told) in [
        // It moves, and tells that it stands.
        ([1.0, -8.0, 60.0], STILL),
        ([-5.0, -8.0, 60.0], STILL),
        ([12.0, -8.0, 60.0], STILL),
        ([20.0, -8.0, 60.0], STILL),
        ([9.0, -2.0, 60.0], STILL),
        ([0.0, -6.0, 60.0], STILL),
        // It stands, and tells that it moves.
        (STILL, [4.0, -8.0, 60.0]),
        (STILL, [-15.0, -8.0, 60.0]),
        // It moves otherwise than told.
        ([6.0, -8.0, 60.0], [3.0, -8.0, 60.0]),
        ([6.0, -8.0, 60.0], [-6.0, -8.0, 60.0]),
    ] {
        let found = said(STILL, is, told, Street::default());
        let disagree = matches!(found, Compared::Disagree { .. });
        assert!(disagree, "{is:?} {told:?}: {found:?}");
    }
}

#[test]
fn what_is_left_is_measured() {
    // 2° at 60° of view and 320 cells are 9.7 of them in the middle.
    let found = said(STILL, [2.0, -8.0, 60.0], STILL, Street::default());
    let Compared::Disagree { shift: (x, y) } = found else {
        panic!("it moved: {found:?}");
    };
    assert!((-10.7..-8.7).contains(&x) && y.abs() < 1.0, "{x} {y}");
}

#[test]
fn what_is_no_turn_of_the_camera_is_none() {
    let ordinary = Street::default();
    for (name, street) in [
        (
            "a cloud",
            Street {
                brightness: 0.6,
                ..ordinary
            },
        ),
        (
            "noise",
            Street {
                noise: 12,
                ..ordinary
            },
        ),
        (
            "a lorry in half of the picture",
            Street {
                lorry: Some((0.5, 9.0)),
                ..ordinary
            },
        ),
        (
            "written on the picture",
            Street {
                caption: true,
                ..ordinary
            },
        ),
    ] {
        let found = said(STILL, STILL, STILL, street);
        let agree = matches!(found, Compared::Agree { .. });
        // Half of a picture may leave it open, but says nothing else.
        let open = street.lorry.is_some() && found == Compared::Unclear;
        assert!(agree || open, "{name}: {found:?}");
        let moved = said(STILL, [5.0, -8.0, 60.0], STILL, street);
        assert!(
            !matches!(moved, Compared::Agree { .. }),
            "{name}, moved: {moved:?}"
        );
    }
    let caption = Street {
        caption: true,
        ..ordinary
    };
    let (old, new) = (caption.seen(STILL), caption.seen([5.0, -8.0, 60.0]));
    let found = compare(&old, &outlook(STILL), &new, &outlook(STILL), 2.0).unwrap();
    assert!(
        matches!(found, Compared::Disagree { .. }),
        "under a caption: {found:?}"
    );
}

#[test]
fn nothing_is_said_where_nothing_is_seen() {
    let dark = Street {
        brightness: 0.0,
        noise: 3,
        ..Street::default()
    };
    let (old, new) = (dark.seen(STILL), dark.seen([3.0, -8.0, 60.0]));
    let told = |old: &Small, new: &Small, at, tolerance| {
        compare(old, &outlook(STILL), new, &outlook(at), tolerance).unwrap()
    };
    assert_eq!(told(&old, &new, STILL, 2.0), Compared::Unclear);
    // Other places, other sizes, positions that may be anywhere.
    let old = Street::default().seen(STILL);
    for far in [[60.0, -8.0, 60.0], [180.0, -8.0, 60.0], [0.0, -8.0, 5.0]] {
        let new = Street::default().seen(far);
        assert_eq!(told(&old, &new, far, 2.0), Compared::Apart, "{far:?}");
    }
    for tolerance in [30.0, f64::NAN, f64::INFINITY] {
        assert_eq!(told(&old, &old, STILL, tolerance), Compared::Unclear);
    }
    let side = geom::Size {
        width: 64,
        height: 64,
    };
    let other = Small::from_luma(side, vec![0; 4096]);
    assert_eq!(told(&other, &old, STILL, 2.0), Compared::Unclear);
    assert_eq!(old.size(), SIZE);
}

#[test]
fn what_is_written_on_a_dark_picture_proves_nothing() {
    let by_day = Street {
        caption: true,
        ..Street::default()
    };
    let by_night = Street {
        brightness: 0.0,
        ..by_day
    };
    let (old, new) = (by_day.seen(STILL), by_night.seen([40.0, -8.0, 60.0]));
    let found = compare(&old, &outlook(STILL), &new, &outlook(STILL), 2.0).unwrap();
    assert!(!matches!(found, Compared::Agree { .. }), "{found:?}");
}

#[test]
fn another_place_is_strange() {
    let found = said(STILL, [80.0, -8.0, 60.0], STILL, Street::default());
    assert_eq!(found, Compared::Strange);
}
