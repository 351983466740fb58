//! A private place is hidden: for any pose, zoom, lens and zone; with a pose
//! that is off by as much as it says; while trims fade.
#![allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]

mod zone_support;

use greyplane::geom::{Direction, Mount, PixelPoint};
use greyplane::zone::{Mode, Preset, Trim, ZoneSet};
use proptest::prelude::*;
use zone_support::*;

/// A zone of any shape: a star with rays of uneven length about a direction,
/// or a horseshoe around it.
#[derive(Clone, Debug)]
struct Place {
    /// From the view's axis: how far and where, degrees.
    off: (f64, f64),
    radii: Vec<f64>,
    size_deg: f64,
    horseshoe: bool,
}

impl Place {
    fn points(&self, camera: &Camera) -> Vec<(f64, f64)> {
        let axis = vector(camera.pan, camera.tilt);
        let centre = around(axis, self.off.0, self.off.1);
        let n = self.radii.len();
        let ring = |share: f64, from: f64, to: f64| {
            let radii = self.radii.clone();
            (0..n).map(move |i| {
                let turn = from + (to - from) * i as f64 / n as f64;
                (turn, share * radii[i])
            })
        };
        let polar: Vec<(f64, f64)> = if self.horseshoe {
            let outer = ring(1.0, 0.0, 300.0).map(|(a, _)| (a, 1.0));
            let inner: Vec<_> = ring(0.6, 0.0, 300.0).collect();
            outer.chain(inner.into_iter().rev()).collect()
        } else {
            ring(1.0, 0.0, 360.0).collect()
        };
        polar
            .into_iter()
            .map(|(turn, share)| {
                let v = around(centre, share * self.size_deg, turn);
                (v[0].atan2(v[2]).to_degrees(), v[1].asin().to_degrees())
            })
            .collect()
    }
}

/// The direction `by_deg` away from `centre`, at `turn_deg` around it.
fn around(centre: [f64; 3], by_deg: f64, turn_deg: f64) -> [f64; 3] {
    let aside = if centre[1].abs() < 0.9 {
        [0.0, 1.0, 0.0]
    } else {
        [1.0, 0.0, 0.0]
    };
    let u = cross(aside, centre).map(|c| c / norm(cross(aside, centre)));
    let v = cross(centre, u);
    let ((sb, cb), (st, ct)) = (
        by_deg.to_radians().sin_cos(),
        turn_deg.to_radians().sin_cos(),
    );
    [0, 1, 2].map(|i| cb * centre[i] + sb * (ct * u[i] + st * v[i]))
}

prop_compose! {
    fn cameras()(
        pan in -720.0..720.0, tilt in -95.0..95.0, roll in -180.0..180.0,
        ln_hfov in 3f64.ln()..90f64.ln(), bent: bool,
        k1 in -0.12..0.08, k2 in -0.02..0.02,
    ) -> Camera {
        let (k1, k2) = if bent { (k1, k2) } else { (0.0, 0.0) };
        Camera { pan, tilt, roll, hfov: ln_hfov.exp(), k1, k2 }
    }
}

/// Places from a tenth of the view to ten times as large.
fn places() -> impl Strategy<Value = (Camera, Place)> {
    let jagged = prop::collection::vec(0.2..1.0f64, 3..14);
    let dense = prop::collection::vec(0.98..1.0f64, 60..200);
    let radii = prop_oneof![4 => jagged, 1 => dense];
    let size = 0.1f64.ln()..10f64.ln();
    (
        cameras(),
        0.0..1.5f64,
        0.0..360.0f64,
        size,
        radii,
        any::<bool>(),
    )
        .prop_map(|(camera, off, turn, ln_size, radii, horseshoe)| {
            let size_deg = (ln_size.exp() * camera.hfov).min(70.0);
            let off = ((off * size_deg).min(100.0), turn);
            (
                camera,
                Place {
                    off,
                    radii,
                    size_deg,
                    horseshoe,
                },
            )
        })
}

fn pixels() -> impl Strategy<Value = Vec<PixelPoint>> {
    prop::collection::vec((0.0..1280.0, 0.0..720.0), 40)
        .prop_map(|v| v.into_iter().map(|(x, y)| PixelPoint { x, y }).collect())
}

fn vectors(points: &[(f64, f64)]) -> Vec<[f64; 3]> {
    points.iter().map(|(p, t)| vector(*p, *t)).collect()
}

/// Directions along the edges.
fn rim(polygon: &[[f64; 3]]) -> impl Iterator<Item = Direction> + '_ {
    (0..polygon.len()).flat_map(move |i| {
        let (a, b) = (polygon[i], polygon[(i + 1) % polygon.len()]);
        let steps = if polygon.len() < 50 { 16 } else { 1 };
        (0..steps).filter_map(move |k| {
            let t = f64::from(k) / f64::from(steps);
            Direction::from_vector([0, 1, 2].map(|j| a[j] + t * (b[j] - a[j])))
        })
    })
}

fn in_frame(at: &PixelPoint) -> bool {
    (0.0..f64::from(SIZE.width)).contains(&at.x) && (0.0..f64::from(SIZE.height)).contains(&at.y)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// With an exact pose: the inside is hidden (shown), and what is a few
    /// pixels outside is not.
    #[test]
    fn the_outline_is_where_the_zone_is((camera, place) in places(), pixels in pixels()) {
        let Some(view) = camera.view() else { return Ok(()) };
        let points = place.points(&camera);
        let polygon = vectors(&points);
        let f = camera.focal() * f64::from(SIZE.width);
        for mode in [Mode::Hide, Mode::ShowOnly] {
            let set = ZoneSet::from_document(&document(vec![zone("z", mode, &points)]), "street");
            // Rays of one length in a row may touch: such a zone is refused.
            let Ok(set) = set else { return Ok(()) };
            let pose = camera.pose(margin(0.0, 0.0, 0.0));
            let regions = set.regions(Some(&pose), &camera.optics(), &Mount::LEVEL, SIZE);
            for &at in &pixels {
                let direction = view.unproject(at).vector();
                let inside = inside_sphere(&polygon, direction);
                let hides = hidden(&regions, set.has_show_only(), at);
                let private = inside == (mode == Mode::Hide);
                prop_assert!(hides || !private, "{mode:?}: leak at {at:?}");
                let clear = angle_to_edges(&polygon, direction) > 4.0 / f;
                prop_assert!(!hides || private || !clear, "{mode:?}: {at:?} hidden in vain");
            }
        }
    }

    /// With a pose that is off by no more than its margin says.
    #[test]
    fn a_wrong_pose_within_its_margin_leaks_nothing(
        (camera, place) in places(), pixels in pixels(),
        off_deg in 0.0..6.0f64, share in prop_oneof![Just(0.0), Just(1.0), 0.0..1.0f64], signs: [bool; 2], show_only: bool,
    ) {
        let off_deg = off_deg * camera.hfov / 90.0;
        let sign = |s: bool| if s { 1.0 } else { -1.0 };
        let truth = Camera {
            pan: camera.pan + sign(signs[0]) * share * off_deg,
            tilt: camera.tilt + sign(signs[1]) * (1.0 - share) * off_deg,
            ..camera
        };
        let Some(view) = truth.view() else { return Ok(()) };
        let points = place.points(&camera);
        let polygon = vectors(&points);
        let mode = if show_only { Mode::ShowOnly } else { Mode::Hide };
        let set = ZoneSet::from_document(&document(vec![zone("z", mode, &points)]), "street");
        let Ok(set) = set else { return Ok(()) };
        let pose = camera.pose(margin(off_deg, 0.0, 0.0));
        let regions = set.regions(Some(&pose), &camera.optics(), &Mount::LEVEL, SIZE);
        for &at in &pixels {
            let inside = inside_sphere(&polygon, view.unproject(at).vector());
            let private = inside != show_only;
            prop_assert!(!private || hidden(&regions, show_only, at), "leak at {at:?}");
        }
        // The zone's rim is where a margin that is too small shows.
        for at in rim(&polygon).filter_map(|d| view.project(d)).filter(in_frame) {
            prop_assert!(hidden(&regions, show_only, at), "the rim is seen at {at:?}");
        }
    }

    /// More uncertainty hides more. Outlines are simplified by up to half a
    /// pixel and margins rounded up by up to 3 %, so that much more is asked.
    #[test]
    fn coverage_grows_with_the_margin(
        (camera, place) in places(), pixels in pixels(),
        small in prop::array::uniform3(0.0..1.0f64), more in prop::array::uniform3(0.0..1.0f64),
        show_only: bool,
    ) {
        let points = place.points(&camera);
        let mode = if show_only { Mode::ShowOnly } else { Mode::Hide };
        let set = ZoneSet::from_document(&document(vec![zone("z", mode, &points)]), "street");
        let Ok(set) = set else { return Ok(()) };
        let [a, r, p] = small;
        let [a2, r2, p2] = [0, 1, 2].map(|i| 1.05 * small[i] + more[i]);
        let scale = camera.hfov / 30.0;
        let hides = |m, at| {
            let regions = set.regions(Some(&camera.pose(m)), &camera.optics(), &Mount::LEVEL, SIZE);
            hidden(&regions, show_only, at)
        };
        let less = margin(a * scale, 0.05 * r, 8.0 * p);
        let more = margin(a2 * scale, 0.05 * r2, 8.0 * p2 + 1.5);
        for &at in &pixels {
            prop_assert!(!hides(less, at) || hides(more, at), "{at:?}");
        }
    }

    /// On the way to a preset, either all of the untrimmed or all of the
    /// trimmed zone is hidden, so what both hide is never uncovered; and the
    /// hidden part moves little when the camera does.
    #[test]
    fn trims_leave_no_hole(
        (camera, place) in places(), pixels in pixels(),
        trim in prop::array::uniform2(-2.0..2.0f64), way in prop::array::uniform2(-3.0..3.0f64),
        along in 0.0..1.0f64, show_only: bool,
    ) {
        let points = place.points(&camera);
        let mode = if show_only { Mode::ShowOnly } else { Mode::Hide };
        let mut doc = document(vec![zone("z", mode, &points)]);
        doc.presets.push(Preset {
            id: "p".to_owned(),
            name: None,
            pan_deg: camera.pan.rem_euclid(360.0),
            tilt_deg: camera.tilt,
            zoom: 1.0,
            trims: vec![Trim { zone: "z".to_owned(), pan_deg: trim[0], tilt_deg: trim[1] }],
        });
        let Ok(set) = ZoneSet::from_document(&doc, "street") else { return Ok(()) };
        let here = Camera {
            pan: camera.pan + along * way[0],
            tilt: camera.tilt + along * way[1],
            ..camera
        };
        // A trim turns the zone as if the camera looked the other way.
        let trimmed = Camera { pan: here.pan - trim[0], tilt: here.tilt - trim[1], ..here };
        let (Some(view), Some(trimmed_view)) = (here.view(), trimmed.view()) else {
            return Ok(())
        };
        let pose = here.pose(margin(0.0, 0.0, 0.0));
        let regions = set.regions(Some(&pose), &camera.optics(), &Mount::LEVEL, SIZE);
        let polygon = vectors(&points);
        let distance = (along * way[0]).abs().max((along * way[1]).abs());
        let mut untrimmed_leaks = 0;
        let mut trimmed_leaks = 0;
        for &at in &pixels {
            let private = |d: Direction| inside_sphere(&polygon, d.vector()) != show_only;
            let (plain, moved) = (private(view.unproject(at)), private(trimmed_view.unproject(at)));
            let hides = hidden(&regions, show_only, at);
            prop_assert!(hides || !(plain && moved), "{at:?} is private either way");
            untrimmed_leaks += u32::from(plain && !hides);
            trimmed_leaks += u32::from(moved && !hides);
        }
        if distance >= 0.25 {
            prop_assert_eq!(untrimmed_leaks, 0);
        } else {
            prop_assert_eq!(trimmed_leaks, 0);
        }
    }
}
