//! Whether one set of zones hides all that another hides.
//!
//! By probes: a grid over each polygon of either set, points just inside its
//! corners and edges, and directions all around. What lies between the probes is
//! not seen; where the answer is not plain, it is "less". It decides whether a
//! person is asked for a reason, never what is hidden.

use super::read::Outline;
use super::{Mode, ZoneSet};
use crate::geom::{Direction, ImagePoint, ImagePolygon, SpherePolygon};

/// Probes across each polygon.
const GRID: usize = 24;
/// Corners of one polygon that are probed.
const CORNERS: usize = 256;
/// How far inside of a corner its probe lies, as a share of the way to the middle.
const INSIDE: f64 = 0.01;
/// Probes all around the camera.
const AROUND: usize = 10_000;

impl ZoneSet {
    /// Whether something that `before` hides is not hidden by these zones.
    pub fn covers_less_than(&self, before: &Self) -> bool {
        // Trims move zones near presets; whoever changes one uncovers as much as
        // they cover.
        let moves = |set: &Self| {
            let presets = set.document.presets.iter();
            presets
                .filter(|p| !p.trims.is_empty())
                .cloned()
                .collect::<Vec<_>>()
        };
        if moves(self) != moves(before) {
            return true;
        }
        let mixed = |set: &Self| {
            let kinds = |sphere| set.shows_only(sphere).next().is_some();
            kinds(true) && kinds(false)
        };
        if (mixed(self) || mixed(before)) && self.document.zones != before.document.zones {
            return true;
        }
        let both = || before.outlines.iter().chain(&self.outlines);
        let spheres = both().filter_map(|outline| match outline {
            Outline::Sphere(polygon) => Some(polygon),
            Outline::Image(_) => None,
        });
        let images = both().filter_map(|outline| match outline {
            Outline::Image(polygon) => Some(polygon),
            Outline::Sphere(_) => None,
        });
        let directions = spheres.flat_map(inside_sphere).chain(all_around());
        let points = images.flat_map(inside_image).chain(all_over());
        directions
            .into_iter()
            .any(|d| before.hides(d) && !self.hides(d))
            || points
                .into_iter()
                .any(|p| before.hides_point(p) && !self.hides_point(p))
    }

    /// Whether these zones, untrimmed, hide `direction`.
    pub fn hides(&self, direction: Direction) -> bool {
        let inside = |outline: &Outline| match outline {
            Outline::Sphere(polygon) => polygon.contains(direction),
            Outline::Image(_) => false,
        };
        self.hidden_by(true, inside)
    }

    /// Directions inside the zone with this index: a grid, and places just inside
    /// its corners and edges. None for a zone of the picture.
    pub fn directions_in(&self, zone: usize) -> Vec<Direction> {
        let Some(polygon) = self.sphere_polygon(zone) else {
            return Vec::new();
        };
        let mut inside = inside_sphere(polygon);
        inside.retain(|d| polygon.contains(*d));
        inside
    }

    /// Points inside the zone with this index, as [`ZoneSet::directions_in`].
    /// None for a zone of directions.
    pub fn points_in(&self, zone: usize) -> Vec<ImagePoint> {
        let Some(polygon) = self.image_polygon(zone) else {
            return Vec::new();
        };
        let mut inside = inside_image(polygon);
        inside.retain(|p| polygon.contains(*p));
        inside
    }

    /// Whether these zones hide the point of the picture.
    pub fn hides_point(&self, at: ImagePoint) -> bool {
        let inside = |outline: &Outline| match outline {
            Outline::Image(polygon) => polygon.contains(at),
            Outline::Sphere(_) => false,
        };
        self.hidden_by(false, inside)
    }

    /// The show-only outlines of one kind.
    fn shows_only(&self, sphere: bool) -> impl Iterator<Item = &Outline> {
        let of_kind = move |o: &Outline| matches!(o, Outline::Sphere(_)) == sphere;
        let all = self.outlines.iter().zip(self.zones());
        all.filter(move |(o, zone)| zone.mode == Mode::ShowOnly && of_kind(o))
            .map(|(outline, _)| outline)
    }

    fn hidden_by(&self, sphere: bool, inside: impl Fn(&Outline) -> bool) -> bool {
        let hides = self.outlines.iter().zip(self.zones());
        if hides
            .filter(|(_, z)| z.mode == Mode::Hide)
            .any(|(o, _)| inside(o))
        {
            return true;
        }
        let mut shown = self.shows_only(sphere).peekable();
        shown.peek().is_some() && !shown.any(inside)
    }
}

/// From `from` a share of the way to `to`.
fn towards(from: [f64; 3], to: [f64; 3], share: f64) -> [f64; 3] {
    std::array::from_fn(|i| from[i] + share * (to[i] - from[i]))
}

fn inside_sphere(polygon: &SpherePolygon) -> Vec<Direction> {
    let centre = polygon.cap().centre.vector();
    let corners: Vec<[f64; 3]> = polygon.points().iter().map(|p| p.vector()).collect();
    let every = corners.len().div_ceil(CORNERS);
    let near = (0..corners.len()).step_by(every).flat_map(|i| {
        let (a, b) = (corners[i], corners[(i + 1) % corners.len()]);
        [a, towards(a, b, 0.5)].map(|at| towards(at, centre, INSIDE))
    });
    // A grid over the cap, in the plane that touches its middle.
    let [x, y, z] = centre;
    let right = if y.abs() > 0.9 {
        [1.0, 0.0, 0.0]
    } else {
        [z, 0.0, -x]
    };
    let up = [
        y * right[2] - z * right[1],
        z * right[0] - x * right[2],
        x * right[1] - y * right[0],
    ];
    let unit = |v: [f64; 3]| Direction::from_vector(v).map_or(v, Direction::vector);
    let (right, up) = (unit(right), unit(up));
    let reach = polygon.cap().radius.rad().tan();
    let grid = grid().map(move |[a, b]| {
        let (a, b) = (reach * (2.0 * a - 1.0), reach * (2.0 * b - 1.0));
        std::array::from_fn(|i| centre[i] + a * right[i] + b * up[i])
    });
    near.chain(grid)
        .filter_map(Direction::from_vector)
        .collect()
}

fn inside_image(polygon: &ImagePolygon) -> Vec<ImagePoint> {
    let corners = polygon.points();
    let of = |pick: fn(&ImagePoint) -> f64| {
        let values = corners.iter().map(pick);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        })
    };
    let ((x0, x1), (y0, y1)) = (of(|p| p.x), of(|p| p.y));
    let middle = [0.5 * (x0 + x1), 0.5 * (y0 + y1), 0.0];
    let flat = |p: &ImagePoint| [p.x, p.y, 0.0];
    let every = corners.len().div_ceil(CORNERS);
    let near = (0..corners.len()).step_by(every).flat_map(|i| {
        let (a, b) = (flat(&corners[i]), flat(&corners[(i + 1) % corners.len()]));
        [a, towards(a, b, 0.5)].map(|at| towards(at, middle, INSIDE))
    });
    let near = near.map(|[x, y, _]| ImagePoint { x, y });
    let grid = grid().map(|[a, b]| ImagePoint {
        x: x0 + a * (x1 - x0),
        y: y0 + b * (y1 - y0),
    });
    near.chain(grid).collect()
}

/// The middles of a grid's cells, 0…1.
fn grid() -> impl Iterator<Item = [f64; 2]> {
    let cell = |i: usize| (i as f64 + 0.5) / GRID as f64;
    (0..GRID * GRID).map(move |i| [cell(i % GRID), cell(i / GRID)])
}

/// Directions spread evenly over the sphere (a Fibonacci lattice).
fn all_around() -> Vec<Direction> {
    let golden = std::f64::consts::PI * (3.0 - 5.0_f64.sqrt());
    let at = |i: usize| {
        let y = 1.0 - 2.0 * (i as f64 + 0.5) / AROUND as f64;
        let (sin, cos) = (golden * i as f64).sin_cos();
        let r = (1.0 - y * y).max(0.0).sqrt();
        Direction::from_vector([r * cos, y, r * sin])
    };
    (0..AROUND).filter_map(at).collect()
}

fn all_over() -> Vec<ImagePoint> {
    grid().map(|[x, y]| ImagePoint { x, y }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(zones: &str, presets: &str) -> ZoneSet {
        let nothing = if zones.is_empty() {
            r#""nothing_private": "A test.","#
        } else {
            ""
        };
        let text = format!(
            r#"{{"format": 1, "camera": "c", {nothing} "zones": [{zones}], "presets": [{presets}]}}"#
        );
        ZoneSet::parse(text.as_bytes(), "c").unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    fn sphere(id: &str, mode: &str, [pan, tilt, w, h]: [f64; 4]) -> String {
        let corners = [
            (pan, tilt),
            (pan + w, tilt),
            (pan + w, tilt + h),
            (pan, tilt + h),
        ];
        let points = corners.map(|(p, t)| format!(r#"{{"pan_deg": {p}, "tilt_deg": {t}}}"#));
        format!(
            r#"{{"id": "{id}", "mode": "{mode}", "shape": {{"type": "sphere", "points": [{}]}}}}"#,
            points.join(",")
        )
    }

    fn image(id: &str, mode: &str, [x, y, w, h]: [f64; 4]) -> String {
        let corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)];
        let points = corners.map(|(x, y)| format!(r#"{{"x": {x}, "y": {y}}}"#));
        format!(
            r#"{{"id": "{id}", "mode": "{mode}", "shape": {{"type": "image", "points": [{}]}}}}"#,
            points.join(",")
        )
    }

    #[test]
    fn what_is_no_longer_hidden_is_found() {
        let house = sphere("house", "hide", [10.0, -5.0, 8.0, 6.0]);
        let garden = sphere("garden", "hide", [100.0, -20.0, 3.0, 3.0]);
        let square = sphere("square", "show-only", [-20.0, -20.0, 40.0, 30.0]);
        let less = |change: [f64; 4]| sphere("house", "hide", change);
        let gate = image("gate", "hide", [0.1, 0.1, 0.2, 0.2]);
        let preset = |trims: &str| {
            format!(r#"{{"id": "p", "pan_deg": 0, "tilt_deg": 0, "zoom": 0, "trims": [{trims}]}}"#)
        };
        let trim = r#"{"zone": "house", "pan_deg": 0.2, "tilt_deg": 0}"#;
        let both = format!("{house},{garden}");
        let cases: &[(&str, ZoneSet, ZoneSet, bool)] = &[
            ("the same", set(&both, ""), set(&both, ""), false),
            ("one more", set(&house, ""), set(&both, ""), false),
            ("one gone", set(&both, ""), set(&house, ""), true),
            ("all gone", set(&house, ""), set("", ""), true),
            ("first zones", set("", ""), set(&house, ""), false),
            (
                "another name",
                set(&house, ""),
                set(&house.replace("house", "h2"), ""),
                false,
            ),
            (
                "larger",
                set(&house, ""),
                set(&less([9.9, -5.1, 8.2, 6.2]), ""),
                false,
            ),
            (
                "a little moved",
                set(&house, ""),
                set(&less([10.1, -5.0, 8.0, 6.0]), ""),
                true,
            ),
            (
                "a little less",
                set(&house, ""),
                set(&less([10.0, -5.0, 8.0, 5.9]), ""),
                true,
            ),
            (
                "show-only hides more",
                set(&house, ""),
                set(&format!("{house},{square}"), ""),
                false,
            ),
            (
                "show-only gone",
                set(&format!("{house},{square}"), ""),
                set(&house, ""),
                true,
            ),
            (
                "another place to be seen",
                set(&square, ""),
                set(
                    &format!(
                        "{square},{}",
                        sphere("s2", "show-only", [60.0, 0.0, 5.0, 5.0])
                    ),
                    "",
                ),
                true,
            ),
            (
                "a smaller place",
                set(&square, ""),
                set(
                    &sphere("square", "show-only", [-19.0, -19.0, 30.0, 20.0]),
                    "",
                ),
                false,
            ),
            (
                "a preset without trims",
                set(&house, ""),
                set(&house, &preset("")),
                false,
            ),
            (
                "a trim",
                set(&house, &preset("")),
                set(&house, &preset(trim)),
                true,
            ),
            ("image: the same", set(&gate, ""), set(&gate, ""), false),
            ("image: gone", set(&gate, ""), set("", ""), true),
            (
                "image: less",
                set(&gate, ""),
                set(&image("gate", "hide", [0.1, 0.1, 0.2, 0.19]), ""),
                true,
            ),
            (
                "image: more",
                set(&gate, ""),
                set(&image("gate", "hide", [0.1, 0.1, 0.2, 0.21]), ""),
                false,
            ),
        ];
        for (what, before, after, less) in cases {
            assert_eq!(after.covers_less_than(before), *less, "{what}");
        }
    }

    #[test]
    fn a_zone_at_the_pole_is_probed_like_others() {
        let roof = |size: f64| {
            let points = [0.0, 120.0, 240.0]
                .map(|pan| format!(r#"{{"pan_deg": {pan}, "tilt_deg": {}}}"#, -90.0 + size));
            set(
                &format!(
                    r#"{{"id": "r", "mode": "hide", "shape": {{"type": "sphere", "points": [{}]}}}}"#,
                    points.join(",")
                ),
                "",
            )
        };
        assert!(roof(9.9).covers_less_than(&roof(10.0)));
        assert!(!roof(10.1).covers_less_than(&roof(10.0)));
    }
}
