//! The camera model over its whole range.
#![allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]

use greyplane::geom::{
    Angle, Direction, Field, Gaze, ImagePoint, ImagePolygon, Mount, Optics, PixelPoint, Size,
    SpherePolygon, View, outline_in_frame,
};
use proptest::prelude::*;

const SIZE: Size = Size {
    width: 1920,
    height: 1080,
};

fn deg(v: f64) -> Angle {
    Angle::from_deg(v)
}

prop_compose! {
    fn views()(
        pan in -720.0..720.0, tilt in -100.0..100.0, roll in -180.0..180.0,
        ln_hfov in 3f64.ln()..90f64.ln(),
        k1 in -0.12..0.12, k2 in -0.03..0.03,
        lean in prop::array::uniform3(-20.0..20.0), ceiling: bool,
    ) -> Option<View> {
        let gaze = Gaze { pan: deg(pan), tilt: deg(tilt), roll: deg(roll) };
        let mount = Mount::new(deg(lean[0]), deg(lean[1]), deg(lean[2]), ceiling).unwrap();
        let focal_px = View::focal_px_of(deg(ln_hfov.exp()), SIZE.width);
        View::new(gaze, focal_px, SIZE, Optics::new(k1, k2).unwrap(), mount).ok()
    }
}

fn any_finite() -> impl Strategy<Value = f64> {
    prop_oneof![
        prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO,
        -1e3..1e3,
    ]
}

proptest! {
    #[test]
    fn a_pixel_comes_back_to_itself(
        view in views().prop_filter_map("folds", |v| v),
        x in -400.0..2320.0, y in -400.0..1480.0,
    ) {
        let back = view.project(view.unproject(PixelPoint { x, y })).unwrap();
        prop_assert!((back.x - x).abs() < 1e-6 && (back.y - y).abs() < 1e-6, "{back:?}");
    }

    #[test]
    fn a_direction_comes_back_to_itself(
        view in views().prop_filter_map("folds", |v| v),
        pan in -180.0..180.0, tilt in -90.0..90.0,
    ) {
        let direction = Direction::from_pan_tilt(deg(pan), deg(tilt));
        if let Some(at) = view.project(direction) {
            let (a, b) = (direction.vector(), view.unproject(at).vector());
            let apart = (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f64>().sqrt();
            prop_assert!(apart < 1e-9, "{apart}");
        }
    }

    /// Anything finite gives an answer or an error, and answers are finite.
    #[test]
    fn nothing_finite_panics(
        n in prop::array::uniform9(any_finite()),
        width: u32, height: u32,
        points in prop::collection::vec((any_finite(), any_finite()), 0..8),
        margin_px in any_finite(),
    ) {
        let gaze = Gaze {
            pan: Angle::from_rad(n[0]), tilt: Angle::from_rad(n[1]), roll: Angle::from_rad(n[2]),
        };
        let sphere = SpherePolygon::new(
            points.iter().map(|(p, t)| Direction::from_pan_tilt(deg(*p), deg(*t))).collect(),
        );
        for size in [SIZE, Size { width, height }] {
            let mount = Mount::new(deg(n[6]), deg(n[7]), deg(n[8]), false).unwrap();
            let Ok(view) = View::new(gaze, n[3], size, Optics::new(n[4], n[5]).unwrap(), mount)
            else { continue };
            for (x, y) in &points {
                let direction = view.unproject(PixelPoint { x: *x, y: *y });
                prop_assert!(direction.vector().iter().all(|c| c.is_finite()));
                if let Some(at) = view.project(direction) {
                    prop_assert!(at.x.is_finite() && at.y.is_finite());
                }
            }
            if let (Ok(sphere), Ok(field)) = (&sphere, Field::new(&view, |_| margin_px))
                && let Ok(Some(outline)) = field.outline(sphere)
            {
                prop_assert!(outline.len() >= 3);
                prop_assert!(outline.iter().all(|c| c.at.x.is_finite() && c.at.y.is_finite()));
            }
        }
        let flat = points.iter().map(|(x, y)| ImagePoint { x: *x, y: *y }).collect();
        if let Ok(image) = ImagePolygon::new(flat)
            && let Ok(Some(outline)) = outline_in_frame(&image, Size { width, height }, margin_px)
        {
            prop_assert!(outline.len() >= 3);
        }
    }
}
