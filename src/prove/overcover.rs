//! How far the grey reaches beyond the private places, in degrees.
//!
//! **What is measured.** In a frame whose true pose is known, every edge cell of
//! every grey area that touches a private place is turned into a direction, and
//! its angle to the nearest point of the nearest private place is taken on the
//! sphere; one cell is added for the part between the cell's centre and the grey's
//! true edge. The frame's value is the 95th percentile over those cells (the rest
//! are corners, where a grown outline reaches further than its margin). It is
//! exact to half a cell: ±2 px, ±0.1° at 60° and 1280 px.
//!
//! Not counted: grey areas that touch no private place (grey things of the
//! street; the margin of a place that is itself outside the frame) and whole
//! covered frames. This module must never know `geom`: directions come from the
//! simulator's lens, the distance is computed here on the sphere.

use super::grey::{CELL_PX, GreyCells};

type Vec3 = [f64; 3];

fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

fn unit(a: Vec3) -> Vec3 {
    let n = dot(a, a).sqrt().max(f64::MIN_POSITIVE);
    [a[0] / n, a[1] / n, a[2] / n]
}

fn angle(a: Vec3, b: Vec3) -> f64 {
    let c = cross(a, b);
    dot(c, c).sqrt().atan2(dot(a, b))
}

/// A private place: a polygon on the sphere whose edges are great circles and
/// that fits into a half of the sphere.
#[derive(Clone, Debug)]
struct Place {
    outline: Vec<Vec3>,
    centre: Vec3,
    radius_rad: f64,
}

/// Where the private places truly lie.
#[derive(Clone, Debug)]
pub(super) struct Truth {
    places: Vec<Place>,
}

impl Truth {
    /// From outlines of directions in order, closed implicitly; the vectors
    /// need not be of unit length.
    pub(super) fn new(outlines: impl IntoIterator<Item = Vec<Vec3>>) -> Self {
        let places = outlines
            .into_iter()
            .filter(|o| o.len() >= 3)
            .map(|outline| {
                let outline: Vec<Vec3> = outline.into_iter().map(unit).collect();
                let sum = outline
                    .iter()
                    .fold([0.0; 3], |s, p| [s[0] + p[0], s[1] + p[1], s[2] + p[2]]);
                let centre = unit(sum);
                let radius_rad = outline
                    .iter()
                    .map(|p| angle(*p, centre))
                    .fold(0.0, f64::max);
                Place {
                    outline,
                    centre,
                    radius_rad,
                }
            })
            .collect();
        Self { places }
    }

    /// Degrees from `direction` to the nearest private place; 0 inside one,
    /// 180 where there is none.
    pub(super) fn distance_deg(&self, direction: Vec3) -> f64 {
        let d = unit(direction);
        let mut best = std::f64::consts::PI;
        for place in &self.places {
            if angle(d, place.centre) - place.radius_rad < best {
                best = best.min(place.distance_rad(d));
            }
        }
        best.to_degrees()
    }
}

impl Place {
    fn distance_rad(&self, d: Vec3) -> f64 {
        if self.contains(d) {
            return 0.0;
        }
        let next = self.outline.iter().cycle().skip(1);
        self.outline
            .iter()
            .zip(next)
            .map(|(a, b)| to_arc(d, *a, *b))
            .fold(std::f64::consts::PI, f64::min)
    }

    /// Even-odd test in the plane that touches the sphere at the centre, where
    /// great circles are straight.
    fn contains(&self, d: Vec3) -> bool {
        if dot(d, self.centre) <= 1e-6 {
            return false;
        }
        let helper = if self.centre[1].abs() < 0.9 {
            [0.0, 1.0, 0.0]
        } else {
            [1.0, 0.0, 0.0]
        };
        let right = unit(cross(helper, self.centre));
        let up = cross(self.centre, right);
        let flat = |p: Vec3| {
            let depth = dot(p, self.centre).max(1e-6);
            (dot(p, right) / depth, dot(p, up) / depth)
        };
        let (x, y) = flat(d);
        let mut inside = false;
        for (a, b) in self.outline.iter().zip(self.outline.iter().cycle().skip(1)) {
            let ((ax, ay), (bx, by)) = (flat(*a), flat(*b));
            if (ay > y) != (by > y) && x < ax + (y - ay) / (by - ay) * (bx - ax) {
                inside = !inside;
            }
        }
        inside
    }
}

/// Angle from `d` to the shorter great-circle arc from `a` to `b`.
fn to_arc(d: Vec3, a: Vec3, b: Vec3) -> f64 {
    let normal = cross(a, b);
    let ends = angle(d, a).min(angle(d, b));
    if dot(normal, normal) < 1e-18 {
        return ends;
    }
    let normal = unit(normal);
    // The foot of the perpendicular lies on the arc when it lies on the inner
    // side of both ends.
    let foot_after_a = dot(cross(normal, a), d) >= 0.0;
    let foot_before_b = dot(cross(b, normal), d) >= 0.0;
    if foot_after_a && foot_before_b {
        dot(d, normal).clamp(-1.0, 1.0).asin().abs()
    } else {
        ends
    }
}

/// Share of the edge cells that the frame's value is not below.
const PERCENTILE: f64 = 0.95;

/// How far the grey of one frame reaches beyond the private places, degrees (see
/// the head of this module); `None` where no grey area belongs to one.
/// `direction_at` gives the direction of a pixel position in the true pose.
pub(super) fn overcover_deg(
    cells: &GreyCells,
    truth: &Truth,
    direction_at: impl Fn(f64, f64) -> Vec3,
) -> Option<f64> {
    let side = CELL_PX as f64;
    let centre =
        |(column, row): (usize, usize)| ((column as f64 + 0.5) * side, (row as f64 + 0.5) * side);
    let mut reaches = Vec::new();
    for area in cells.areas() {
        let touches = area.some.iter().any(|cell| {
            let (x, y) = centre(*cell);
            truth.distance_deg(direction_at(x, y)) == 0.0
        });
        if !touches {
            continue;
        }
        reaches.extend(area.edge.iter().map(|cell| {
            let (x, y) = centre(*cell);
            let d = unit(direction_at(x, y));
            let cell_deg = angle(d, unit(direction_at(x + side, y))).to_degrees();
            truth.distance_deg(d) + cell_deg
        }));
    }
    percentile(&mut reaches, PERCENTILE)
}

/// The value that the share `p` (0…1) of `values` does not exceed; sorts them.
/// `None` for no values.
pub(super) fn percentile(values: &mut [f64], p: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * p).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prove::judge::Planes;

    fn at(pan_deg: f64, tilt_deg: f64) -> Vec3 {
        let (sp, cp) = pan_deg.to_radians().sin_cos();
        let (st, ct) = tilt_deg.to_radians().sin_cos();
        [ct * sp, st, ct * cp]
    }

    fn square() -> Truth {
        Truth::new([vec![
            at(-5.0, -5.0),
            at(-5.0, 5.0),
            at(5.0, 5.0),
            at(5.0, -5.0),
        ]])
    }

    #[test]
    fn distances_on_the_sphere() {
        // An edge is a great circle, so it bulges a little beyond tilt 5°.
        for (pan, tilt, expected, within) in [
            (0.0, 0.0, 0.0, 0.0),
            (4.9, 4.9, 0.0, 0.0),
            (8.0, 0.0, 3.0, 1e-3),
            (-8.0, 0.0, 3.0, 1e-3),
            (0.0, 9.0, 4.0, 0.03),
            (5.0, -15.0, 10.0, 1e-3),
            (180.0, 0.0, 172.933, 1e-3),
        ] {
            let got = square().distance_deg(at(pan, tilt));
            assert!((got - expected).abs() <= within, "{pan},{tilt}: {got}");
        }
        assert_eq!(Truth::new([]).distance_deg(at(0.0, 0.0)), 180.0);
    }

    #[test]
    fn a_concave_place_has_an_outside_in_its_notch() {
        let truth = Truth::new([vec![
            at(0.0, 0.0),
            at(0.0, 10.0),
            at(5.0, 10.0),
            at(5.0, 5.0),
            at(10.0, 5.0),
            at(10.0, 0.0),
        ]]);
        assert_eq!(truth.distance_deg(at(2.0, 8.0)), 0.0);
        assert!(truth.distance_deg(at(7.0, 7.0)) > 1.5);
    }

    /// A lens of 10 px for each degree, centred on (0°, 0°); distortion-free
    /// enough for this.
    fn lens(x: f64, y: f64) -> Vec3 {
        at((x - 200.0) / 10.0, (100.0 - y) / 10.0)
    }

    fn reach(hidden: impl Fn(usize, usize) -> bool) -> Option<f64> {
        let (width, height) = (400usize, 200usize);
        let y: Vec<u8> = (0..width * height)
            .map(|i| {
                if hidden(i % width, i / width) {
                    128
                } else {
                    60
                }
            })
            .collect();
        let c = vec![128u8; width * height / 4];
        let cells = GreyCells::of(&Planes {
            width,
            height,
            data: [&y, &c, &c],
            stride: [width, width / 2, width / 2],
        });
        overcover_deg(&cells, &square(), lens)
    }

    #[test]
    fn the_reach_is_that_of_the_painted_margin() {
        // The place fills columns 150…250 and rows 50…150.
        for grown in [4usize, 20, 40] {
            let got = reach(|x, y| {
                (150 - grown..250 + grown).contains(&x) && (50 - grown..150 + grown).contains(&y)
            })
            .unwrap();
            let expected = grown as f64 / 10.0;
            assert!(
                got >= expected - 0.4 && got <= expected * 1.42 + 0.6,
                "{grown}: {got}"
            );
        }
    }

    #[test]
    fn grey_things_that_hide_nothing_do_not_count() {
        assert_eq!(reach(|x, y| x > 320 && y > 180), None);
        assert_eq!(reach(|_, _| false), None);
        let both = reach(|x, y| {
            (x > 320 && y > 180) || ((148..252).contains(&x) && (48..152).contains(&y))
        });
        assert!(both.unwrap() < 1.0, "{both:?}");
    }

    #[test]
    fn percentiles_of_few_values() {
        for (mut values, p, expected) in [
            (vec![], 0.5, None),
            (vec![3.0], 0.99, Some(3.0)),
            (vec![3.0, 1.0, 2.0], 0.5, Some(2.0)),
            (vec![1.0, 2.0, 3.0, 4.0], 1.0, Some(4.0)),
        ] {
            assert_eq!(percentile(&mut values, p), expected);
        }
    }
}
