//! Drawings as SVG: one picture, and the panorama of all directions. Only numbers
//! go in as they are; texts are escaped by the template.

use super::frame::{Scene, Small};
use super::sphere::Reach;
use crate::geom::{Angle, Direction, ImagePoint, View};
use crate::zone::ZoneSet;
use maud::{Markup, html};
use std::fmt::Write;

/// Numbers in one picture; more could not be read.
const LABELS: usize = 40;

/// A zone's number in a drawing, and where it stands there.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Label {
    number: usize,
    x: f64,
    y: f64,
}

/// One picture: what of it is hidden, and which zones lie in it.
#[derive(Clone, Debug)]
pub(super) struct Tile {
    columns: usize,
    rows: usize,
    hidden: String,
    labels: Vec<Label>,
}

impl Tile {
    pub(super) fn of(small: &Small, scene: &Scene<'_>, view: Option<&View>) -> Self {
        let (width, height) = (f64::from(scene.size.width), f64::from(scene.size.height));
        let scale = small.columns as f64 / width;
        let size = letters(small.columns);
        let zones = 0..scene.zones.zones().len();
        let middle = |zone: usize| match (scene.zones.sphere_polygon(zone), view) {
            (Some(polygon), Some(view)) => view.project(polygon.cap().centre).map(|p| (p.x, p.y)),
            _ => scene.zones.image_polygon(zone).map(|polygon| {
                let points = polygon.points();
                let n = points.len() as f64;
                let sum = |of: fn(&ImagePoint) -> f64| points.iter().map(of).sum::<f64>();
                (width * sum(|p| p.x) / n, height * sum(|p| p.y) / n)
            }),
        };
        let labels = zones.filter_map(|zone| {
            let (x, y) = middle(zone)?;
            let polygon = scene.zones.sphere_polygon(zone);
            let across = polygon.zip(view).map(|(polygon, view)| {
                2.0 * view.focal_px() * polygon.cap().radius.rad().tan() * scale
            });
            // A number that is larger than its zone would hide it.
            if across.is_some_and(|across| across < size) {
                return None;
            }
            let inside = (0.0..width).contains(&x) && (0.0..height).contains(&y);
            inside.then_some(Label {
                number: zone + 1,
                x: x * scale,
                y: y * scale,
            })
        });
        Self {
            columns: small.columns,
            rows: small.rows,
            hidden: path(small.columns, small.rows, |x, y| small.hides(x, y)),
            labels: labels.take(LABELS).collect(),
        }
    }

    pub(super) fn svg(&self, title: &str) -> Markup {
        let (w, h) = (self.columns, self.rows);
        let size = letters(self.columns);
        html! {
            svg.tile viewBox=(format!("0 0 {w} {h}")) role="img" aria-label=(title) {
                rect.open width=(w) height=(h) {}
                path.hidden d=(self.hidden) {}
                @for label in &self.labels {
                    text.number x=(format!("{:.1}", label.x)) y=(format!("{:.1}", label.y))
                        font-size=(format!("{size:.1}")) { (label.number) }
                }
            }
        }
    }
}

/// Letters of one size on paper, whatever the picture's grid.
fn letters(columns: usize) -> f64 {
    columns as f64 / 12.0
}

/// Cells as one path of rectangles, each as wide and as high as it can be.
fn path(columns: usize, rows: usize, set: impl Fn(usize, usize) -> bool) -> String {
    let mut path = String::new();
    // Runs of the row above that are still open: from, to, first row.
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    for y in 0..=rows {
        let mut runs = Vec::new();
        let mut x = 0;
        while y < rows && x < columns {
            if set(x, y) {
                let from = x;
                while x < columns && set(x, y) {
                    x += 1;
                }
                let before = open.iter().find(|(a, b, _)| (*a, *b) == (from, x));
                runs.push((from, x, before.map_or(y, |(_, _, top)| *top)));
            }
            x += 1;
        }
        for (from, to, top) in open {
            if !runs.contains(&(from, to, top)) {
                let _ = write!(
                    path,
                    "M{from} {top}h{}v{}h-{}z",
                    to - from,
                    y - top,
                    to - from
                );
            }
        }
        open = runs;
    }
    path
}

/// All directions on a grid of pan and tilt.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    hidden: String,
    out_of_reach: String,
    labels: Vec<Label>,
    presets: Vec<(f64, f64)>,
}

/// Cells across and down: two degrees each.
const ACROSS: usize = 180;
const DOWN: usize = 90;

impl Chart {
    pub(super) fn of(zones: &ZoneSet, reach: &Reach<'_>) -> Self {
        let at = |x: usize, y: usize| {
            let pan = Angle::from_deg(-180.0 + 360.0 * (x as f64 + 0.5) / ACROSS as f64);
            let tilt = Angle::from_deg(90.0 - 180.0 * (y as f64 + 0.5) / DOWN as f64);
            Direction::from_pan_tilt(pan, tilt)
        };
        let cells: Vec<(bool, bool)> = (0..ACROSS * DOWN)
            .map(|i| {
                let direction = at(i % ACROSS, i / ACROSS);
                (zones.hides(direction), !reach.holds(direction))
            })
            .collect();
        let cell = |x: usize, y: usize| cells.get(y * ACROSS + x).copied().unwrap_or_default();
        let place = |pan: f64, tilt: f64| {
            let x = (pan + 180.0).rem_euclid(360.0) / 360.0 * ACROSS as f64;
            (x, (90.0 - tilt) / 180.0 * DOWN as f64)
        };
        let labels = (0..zones.zones().len()).filter_map(|zone| {
            let (pan, tilt) = zones.sphere_polygon(zone)?.cap().centre.pan_tilt();
            let (x, y) = place(pan.deg(), tilt.deg());
            let number = zone + 1;
            Some(Label { number, x, y })
        });
        let presets = zones.document().presets.iter().filter_map(|preset| {
            let (pan, tilt) = reach.axis(preset.pan_deg, preset.tilt_deg)?.pan_tilt();
            Some(place(pan.deg(), tilt.deg()))
        });
        Self {
            hidden: path(ACROSS, DOWN, |x, y| cell(x, y).0),
            out_of_reach: path(ACROSS, DOWN, |x, y| cell(x, y).1),
            labels: labels.take(10 * LABELS).collect(),
            presets: presets.collect(),
        }
    }

    pub(super) fn svg(&self, title: &str) -> Markup {
        let (w, h) = (ACROSS, DOWN);
        html! {
            svg.chart viewBox=(format!("-10 -1 {} {}", w + 12, h + 8)) role="img" aria-label=(title) {
                rect.open width=(w) height=(h) {}
                path.out d=(self.out_of_reach) {}
                path.hidden d=(self.hidden) {}
                @for i in 1..12 {
                    path.line d=(format!("M{} 0v{h}", i * w / 12)) {}
                }
                @for i in 1..6 {
                    path.line d=(format!("M0 {}h{w}", i * h / 6)) {}
                }
                rect.frame width=(w) height=(h) {}
                @for i in 0..=12_usize {
                    @let degrees = 30.0 * i as f64 - 180.0;
                    text.scale x=(i * w / 12) y=(h + 4) { (degrees) "°" }
                }
                @for i in 0..=6_usize {
                    @let degrees = 90.0 - 30.0 * i as f64;
                    text.scale x="-5" y=(i * h / 6 + 1) { (degrees) "°" }
                }
                @for (x, y) in &self.presets {
                    circle.preset cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r="1" {}
                }
                @for label in &self.labels {
                    text.number x=(format!("{:.1}", label.x)) y=(format!("{:.1}", label.y)) font-size="3" {
                        (label.number)
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_become_as_few_rectangles_as_columns_allow() {
        for (rows, wanted) in [
            (vec!["...", "..."], ""),
            (vec!["###", "###"], "M0 0h3v2h-3z"),
            (vec!["##.", "##.", "..#"], "M0 0h2v2h-2zM2 2h1v1h-1z"),
            (vec!["#.#", "###"], "M0 0h1v1h-1zM2 0h1v1h-1zM0 1h3v1h-3z"),
        ] {
            let set = |x: usize, y: usize| rows[y].as_bytes()[x] == b'#';
            assert_eq!(path(3, rows.len(), set), wanted, "{rows:?}");
        }
    }
}
