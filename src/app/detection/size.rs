//! What cannot be there: things that look larger than they can from as far as
//! they come to the camera.

use crate::detect::{Class, PixelBox};
use crate::geom::Size;

/// The longest side that a box of this class may stand for, metres: the thing
/// (a head with hair 0.35, a plate 0.52, a tall man 2.1) and half as much again,
/// by which detectors may draw it too large.
fn longest_m(class: Class) -> f64 {
    match class {
        Class::Face => 0.53,
        Class::Plate => 0.78,
        Class::Person => 3.15,
    }
}

/// Whether a thing of that class can be as large as `at` in a picture whose
/// focal length is `focal_px`, where none comes nearer than `nearest_m`.
pub(super) fn possible(
    class: Class,
    at: &PixelBox,
    size: Size,
    focal_px: f64,
    nearest_m: f64,
) -> bool {
    let [width, height] = [size.width, size.height].map(f64::from);
    let far =
        |low: f64, high: f64, side: f64| (low - side / 2.0).abs().max((high - side / 2.0).abs());
    // Away from the centre a plane picture stretches things: at most by 1/cos².
    let slope = far(at.x0, at.x1, width).hypot(far(at.y0, at.y1, height)) / focal_px;
    let most_px = longest_m(class) * focal_px / nearest_m * (1.0 + slope * slope);
    at.width().max(at.height()) <= most_px
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: Size = Size {
        width: 1280,
        height: 720,
    };

    fn square(x: f64, side: f64) -> PixelBox {
        PixelBox {
            x0: x,
            y0: 300.0,
            x1: x + side,
            y1: 300.0 + side,
        }
    }

    #[test]
    fn what_is_too_large_for_its_distance_is_something_else() {
        // 60° wide: 1108 px; a face five metres away has at most 117 px there.
        let near = |class, at| possible(class, &at, HD, 1108.0, 5.0);
        assert!(near(Class::Face, square(600.0, 60.0)));
        assert!(near(Class::Face, square(600.0, 116.0)));
        assert!(!near(Class::Face, square(600.0, 130.0)));
        assert!(near(Class::Plate, square(600.0, 170.0)));
        assert!(!near(Class::Plate, square(500.0, 250.0)));
        assert!(near(Class::Person, square(500.0, 690.0)));
        // Stretched at the edge, and larger through a longer lens.
        assert!(near(Class::Face, square(1145.0, 130.0)));
        assert!(possible(
            Class::Face,
            &square(600.0, 200.0),
            HD,
            2216.0,
            5.0
        ));
        assert!(possible(
            Class::Face,
            &square(600.0, 500.0),
            HD,
            1108.0,
            1.0
        ));
    }
}
