use super::*;

fn deg(v: f64) -> Angle {
    Angle::from_deg(v)
}

fn dir(pan: f64, tilt: f64) -> Direction {
    Direction::from_pan_tilt(deg(pan), deg(tilt))
}

const FULL_HD: Size = Size {
    width: 1920,
    height: 1080,
};

fn view(pan: f64, tilt: f64, roll: f64, hfov: f64) -> View {
    view_through(pan, tilt, roll, hfov, Optics::STRAIGHT, Mount::LEVEL)
}

fn view_through(pan: f64, tilt: f64, roll: f64, hfov: f64, optics: Optics, mount: Mount) -> View {
    let gaze = Gaze {
        pan: deg(pan),
        tilt: deg(tilt),
        roll: deg(roll),
    };
    let focal_px = View::focal_px_of(deg(hfov), FULL_HD.width);
    View::new(gaze, focal_px, FULL_HD, optics, mount).unwrap()
}

/// Numbers worked out by hand from the convention, not by this code.
#[test]
fn directions_fall_where_the_convention_says() {
    let half = 960.0; // f at 90° of view
    let third = 30f64.to_radians().tan();
    for (name, view, direction, wanted) in [
        (
            "the middle",
            view(40.0, 20.0, 7.0, 90.0),
            dir(40.0, 20.0),
            Some((960.0, 540.0)),
        ),
        (
            "pan grows to the right",
            view(0.0, 0.0, 0.0, 90.0),
            dir(45.0, 0.0),
            Some((1920.0, 540.0)),
        ),
        (
            "tilt grows upwards",
            view(0.0, 0.0, 0.0, 90.0),
            dir(0.0, 30.0),
            Some((960.0, 540.0 - half * third)),
        ),
        (
            "panned and seen left",
            view(100.0, 0.0, 0.0, 90.0),
            dir(70.0, 0.0),
            Some((960.0 - half * third, 540.0)),
        ),
        (
            "across the seam",
            view(170.0, 0.0, 0.0, 90.0),
            dir(-160.0, 0.0),
            Some((960.0 + half * third, 540.0)),
        ),
        (
            "any turn",
            view(3.0 * 360.0, 0.0, 0.0, 90.0),
            dir(30.0, 0.0),
            Some((960.0 + half * third, 540.0)),
        ),
        (
            "tilted up, the horizon sinks",
            view(0.0, 30.0, 0.0, 90.0),
            dir(0.0, 0.0),
            Some((960.0, 540.0 + half * third)),
        ),
        (
            "rolled clockwise, the right rises",
            view(0.0, 0.0, 90.0, 90.0),
            dir(30.0, 0.0),
            Some((960.0, 540.0 - half * third)),
        ),
        (
            "straight down",
            view(0.0, -90.0, 0.0, 90.0),
            dir(0.0, -60.0),
            Some((960.0, 540.0 - half * third)),
        ),
        ("behind", view(0.0, 0.0, 0.0, 90.0), dir(180.0, 0.0), None),
        ("beside", view(0.0, 0.0, 0.0, 90.0), dir(90.0, 0.0), None),
    ] {
        let got = view.project(direction);
        match (got, wanted) {
            (None, None) => {}
            (Some(p), Some((x, y))) => {
                assert!(
                    (p.x - x).abs() < 1e-6 && (p.y - y).abs() < 1e-6,
                    "{name}: {p:?}"
                );
            }
            _ => panic!("{name}: {got:?}"),
        }
    }
}

#[test]
fn mounts_turn_the_world() {
    let f = 960.0;
    let third = 30f64.to_radians().tan();
    let at = |pan, pitch, roll, ceiling, direction| {
        let mount = Mount::new(deg(pan), deg(pitch), deg(roll), ceiling).unwrap();
        view_through(0.0, 0.0, 0.0, 90.0, Optics::STRAIGHT, mount)
            .project(direction)
            .unwrap()
    };
    for (name, got, x, y) in [
        (
            "level",
            at(0.0, 0.0, 0.0, false, dir(30.0, 0.0)),
            960.0 + f * third,
            540.0,
        ),
        (
            "turned right",
            at(30.0, 0.0, 0.0, false, dir(0.0, 0.0)),
            960.0 - f * third,
            540.0,
        ),
        (
            "looks up",
            at(0.0, 30.0, 0.0, false, dir(0.0, 0.0)),
            960.0,
            540.0 + f * third,
        ),
        (
            "leans right",
            at(0.0, 0.0, 90.0, false, dir(30.0, 0.0)),
            960.0,
            540.0 - f * third,
        ),
        (
            "hangs",
            at(0.0, 0.0, 0.0, true, dir(30.0, 0.0)),
            960.0 - f * third,
            540.0,
        ),
        (
            "hangs, up is down",
            at(0.0, 0.0, 0.0, true, dir(0.0, 30.0)),
            960.0,
            540.0 + f * third,
        ),
    ] {
        assert!(
            (got.x - x).abs() < 1e-6 && (got.y - y).abs() < 1e-6,
            "{name}: {got:?}"
        );
    }
}

#[test]
fn a_barrel_pulls_corners_in() {
    // f = 960: the direction at x_u = 0.5 is seen at 0.5·(1 − 0.1·0.25).
    let barrel = Optics::new(-0.1, 0.0).unwrap();
    let v = view_through(0.0, 0.0, 0.0, 90.0, barrel, Mount::LEVEL);
    let p = v.project(dir(0.5f64.atan().to_degrees(), 0.0)).unwrap();
    assert!((p.x - (960.0 + 960.0 * 0.4875)).abs() < 1e-9, "{p:?}");
}

#[test]
fn what_is_no_camera_is_refused() {
    let gaze = Gaze::default();
    let make = |focal_px, size, optics| View::new(gaze, focal_px, size, optics, Mount::LEVEL);
    let barrel = |k1| Optics::new(k1, 0.0).unwrap();
    for (name, got) in [
        ("no focal length", make(0.0, FULL_HD, Optics::STRAIGHT)),
        ("negative", make(-5.0, FULL_HD, Optics::STRAIGHT)),
        ("not a number", make(f64::NAN, FULL_HD, Optics::STRAIGHT)),
        ("wider than 178°", make(10.0, FULL_HD, Optics::STRAIGHT)),
        (
            "no width",
            make(
                960.0,
                Size {
                    width: 0,
                    height: 5,
                },
                Optics::STRAIGHT,
            ),
        ),
        ("a lens that folds", make(960.0, FULL_HD, barrel(-0.4))),
    ] {
        assert!(got.is_err(), "{name}");
    }
    assert!(Optics::new(f64::INFINITY, 0.0).is_err());
    assert!(Mount::new(deg(f64::NAN), deg(0.0), deg(0.0), false).is_err());
    assert!(
        make(4000.0, FULL_HD, barrel(-0.4)).is_ok(),
        "the same lens, zoomed in"
    );
}

#[test]
fn polygons_that_enclose_nothing_clear_are_refused() {
    let sphere = |points: &[(f64, f64)]| {
        SpherePolygon::new(points.iter().map(|(p, t)| dir(*p, *t)).collect()).map(|_| ())
    };
    for (name, points, wanted) in [
        (
            "two points",
            &[(0.0, 0.0), (1.0, 0.0)][..],
            Err(PolygonFault::TooFew(2)),
        ),
        ("a triangle", &[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], Ok(())),
        (
            "across the seam",
            &[(179.0, 0.0), (-179.0, 0.0), (180.0, 1.0)],
            Ok(()),
        ),
        (
            "a ring about the nadir",
            &[(0.0, -50.0), (90.0, -50.0), (180.0, -50.0), (270.0, -50.0)],
            Ok(()),
        ),
        (
            "the same by whole turns",
            &[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (360.0, 0.0)],
            Err(PolygonFault::Repeated(0, 3)),
        ),
        (
            "the pole has one point",
            &[(0.0, 90.0), (40.0, 90.0), (0.0, 80.0), (40.0, 80.0)],
            Err(PolygonFault::Repeated(0, 1)),
        ),
        (
            "a bow tie",
            &[(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)],
            Err(PolygonFault::Crosses(0, 2)),
        ),
        (
            "there and back",
            &[(0.0, 0.0), (2.0, 0.0), (1.0, 0.0)],
            Err(PolygonFault::Crosses(0, 2)),
        ),
        (
            "a point on an edge",
            &[(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 0.0), (0.0, 4.0)],
            Err(PolygonFault::Crosses(0, 3)),
        ),
    ] {
        assert_eq!(sphere(points), wanted, "{name}");
    }
    let belt: Vec<_> = (0..12).map(|i| (f64::from(i) * 30.0, 0.0)).collect();
    assert!(
        matches!(sphere(&belt), Err(PolygonFault::TooWide(_))),
        "{:?}",
        sphere(&belt)
    );
    assert!(matches!(
        sphere(&[(0.0, -5.0), (120.0, -5.0), (240.0, -5.0)]),
        Err(PolygonFault::TooWide(_))
    ));

    let image = |points: &[(f64, f64)]| {
        ImagePolygon::new(
            points
                .iter()
                .map(|(x, y)| ImagePoint { x: *x, y: *y })
                .collect(),
        )
        .map(|_| ())
    };
    assert_eq!(image(&[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]), Ok(()));
    assert_eq!(
        image(&[(0.0, 0.0), (1.0, f64::NAN), (1.0, 1.0)]),
        Err(PolygonFault::OutOfRange(1))
    );
    assert_eq!(
        image(&[(0.0, 0.0), (0.5, 0.5), (0.2, 0.2)]),
        Err(PolygonFault::Crosses(0, 2))
    );
    assert_eq!(
        image(&[(0.0, 0.0), (0.0, 1e-9), (1e-9, 0.0)]),
        Err(PolygonFault::Repeated(0, 1))
    );
}

#[test]
fn ten_thousand_points_are_checked() {
    let star: Vec<Direction> = (0..10_000)
        .map(|i| {
            let turn = f64::from(i) * 0.036;
            let r = if i % 2 == 0 { 10.0 } else { 8.0 };
            let (s, c) = turn.to_radians().sin_cos();
            dir(r * c, r * s)
        })
        .collect();
    let polygon = SpherePolygon::new(star.clone()).unwrap();
    assert!(polygon.contains(dir(0.0, 0.0)) && !polygon.contains(dir(10.5, 0.0)));
    let mut crossed = star;
    crossed.swap(4_000, 4_003);
    assert!(matches!(
        SpherePolygon::new(crossed),
        Err(PolygonFault::Crosses(..))
    ));
}

fn outline(view: &View, points: &[(f64, f64)], margin_px: f64) -> Option<Vec<Corner>> {
    let polygon = SpherePolygon::new(points.iter().map(|(p, t)| dir(*p, *t)).collect()).unwrap();
    Field::new(view, |_| margin_px)
        .unwrap()
        .outline(&polygon)
        .unwrap()
}

#[test]
fn outlines_keep_what_can_reach_the_frame() {
    let square = |pan: f64, tilt: f64, half: f64| {
        [
            (pan - half, tilt - half),
            (pan + half, tilt - half),
            (pan + half, tilt + half),
            (pan - half, tilt + half),
        ]
    };
    // At 60° of view 1° is 29 px in the middle, 39 px at the sides.
    let v = view(0.0, 0.0, 0.0, 60.0);
    for (name, points, margin_px, seen) in [
        ("inside", square(0.0, 0.0, 1.0), 2.0, true),
        ("far left", square(-50.0, 0.0, 1.0), 2.0, false),
        ("behind", square(180.0, 0.0, 20.0), 2.0, false),
        ("behind and huge", square(180.0, 0.0, 50.0), 2.0, false),
        ("around the frame", square(0.0, 0.0, 50.0), 2.0, true),
        (
            "just outside, small margin",
            square(32.0, 0.0, 1.0),
            10.0,
            false,
        ),
        (
            "just outside, margin reaches in",
            square(32.0, 0.0, 1.0),
            50.0,
            true,
        ),
    ] {
        let got = outline(&v, &points, margin_px);
        assert_eq!(got.is_some(), seen, "{name}: {got:?}");
    }
}

#[test]
fn a_zone_around_the_view_covers_the_frame_with_clearance() {
    let v = view(0.0, 0.0, 10.0, 20.0);
    let got = outline(
        &v,
        &[(-40.0, -40.0), (40.0, -40.0), (40.0, 40.0), (-40.0, 40.0)],
        30.0,
    );
    for corner in got.unwrap() {
        let outside = (corner.at.x < -corner.margin_px || corner.at.x > 1920.0 + corner.margin_px)
            || (corner.at.y < -corner.margin_px || corner.at.y > 1080.0 + corner.margin_px);
        assert!(outside, "{corner:?} would shrink a show-only zone");
    }
}

#[test]
fn margins_that_mean_nothing_are_refused() {
    let v = view(0.0, 0.0, 0.0, 60.0);
    for margin_px in [f64::NAN, f64::INFINITY, -1.0, 1e6] {
        assert!(Field::new(&v, |_| margin_px).is_err(), "{margin_px}");
    }
}

#[test]
fn a_smooth_outline_needs_few_corners() {
    let circle: Vec<_> = (0..10_000)
        .map(|i| {
            let (s, c) = (f64::from(i) * 0.036).to_radians().sin_cos();
            (5.0 * c, 5.0 * s)
        })
        .collect();
    let n = outline(&view(0.0, 0.0, 0.0, 60.0), &circle, 5.0)
        .unwrap()
        .len();
    assert!((20..=400).contains(&n), "{n}");
}
