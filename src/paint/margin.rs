//! The band along an outline that its margin hides.
//!
//! Around each edge this is the convex hull of the discs of its two corners'
//! margins: everywhere at least as wide as the linear interpolation of the two.
//! It is drawn as one disc a corner and one quadrilateral an edge, because
//! neighbouring edges share their discs. Plane geometry only; must not know
//! bitmaps, zones' modes or frames.
//!
//! A sample is touched when its square, edges included, meets the band. Discs
//! and quadrilaterals are convex: the part of one between the heights `y` and
//! `y + 1` reaches over one interval of x, and it is widest there where it is
//! widest at all, or else at the nearest height to that.

use std::ops::Range;

use super::bits::Area;
use crate::zone::GrownPoint;

/// Added to every margin, so that rounding never loses a sample that an exact
/// computation would touch. Coordinates are at most 1e7 px here (see
/// [`super::coverage`]), where f64 still resolves 2e-9 px.
const SLACK_PX: f64 = 1e-6;

/// Calls `each` with the row and the samples of every span inside `clip` that
/// the margin of `outline` (closed) touches. Spans of one row may overlap.
/// Numbers must be finite, margins at least 0.
pub(super) fn each_span(
    outline: &[GrownPoint],
    clip: &Area,
    mut each: impl FnMut(usize, Range<usize>),
) {
    let nexts = outline.iter().cycle().skip(1);
    for (corner, next) in outline.iter().zip(nexts) {
        let [disc, next] = [corner, next].map(Disc::of);
        disc.each_span(clip, &mut each);
        if let Some(mut between) = Quad::between(&disc, &next) {
            between.each_span(clip, &mut each);
        }
    }
}

/// The part of a picture that `outline` and its margin may touch.
pub(super) fn reach(outline: &[GrownPoint], clip: &Area) -> Area {
    let span = |of: fn(&GrownPoint) -> f64, within| {
        let (low, high) =
            outline
                .iter()
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), p| {
                    let r = p.margin_px + SLACK_PX;
                    (low.min(of(p) - r), high.max(of(p) + r))
                });
        cells(low, high, within)
    };
    Area {
        rows: span(|p| p.at.y, &clip.rows),
        columns: span(|p| p.at.x, &clip.columns),
    }
}

#[derive(Clone, Copy, Debug)]
struct Disc {
    x: f64,
    y: f64,
    r: f64,
}

impl Disc {
    fn of(p: &GrownPoint) -> Self {
        Self {
            x: p.at.x,
            y: p.at.y,
            r: p.margin_px + SLACK_PX,
        }
    }

    fn each_span(&self, clip: &Area, each: &mut impl FnMut(usize, Range<usize>)) {
        if cells(self.x - self.r, self.x + self.r, &clip.columns).is_empty() {
            return;
        }
        for row in cells(self.y - self.r, self.y + self.r, &clip.rows) {
            let nearest = self.y.max(row as f64).min(row as f64 + 1.0);
            let dy = nearest - self.y;
            // Below zero by rounding only, where the disc just reaches the row.
            let half = (self.r * self.r - dy * dy).max(0.0).sqrt();
            each(row, cells(self.x - half, self.x + half, &clip.columns));
        }
    }
}

/// What lies between two discs and their outer tangents.
#[derive(Clone, Debug)]
struct Quad {
    left: Chain,
    right: Chain,
}

impl Quad {
    /// `None` where one disc holds the other.
    ///
    /// The unit normal n of an outer tangent satisfies n·u = (r₀ − r₁)/d for the
    /// unit vector u between the centres, d apart; it touches each disc at
    /// centre + r·n.
    fn between(p: &Disc, q: &Disc) -> Option<Self> {
        let (dx, dy) = (q.x - p.x, q.y - p.y);
        let d = (dx * dx + dy * dy).sqrt();
        let cos = (p.r - q.r) / d;
        // Asked this way round for centres that fall together: there the
        // quotient is not a number.
        let apart = cos.abs() < 1.0;
        if !apart {
            return None;
        }
        let sin = (1.0 - cos * cos).sqrt();
        let (ux, uy) = (dx / d, dy / d);
        let touching = |disc: &Disc, sin: f64| Point {
            x: disc.x + disc.r * (ux * cos - uy * sin),
            y: disc.y + disc.r * (uy * cos + ux * sin),
        };
        // In this order they go round clockwise, as one sees them with y
        // downwards, whatever the direction of the edge.
        Some(Self::clockwise([
            touching(p, -sin),
            touching(q, -sin),
            touching(q, sin),
            touching(p, sin),
        ]))
    }

    fn clockwise(corners: [Point; 4]) -> Self {
        let by_height = |a: &usize, b: &usize| corners[*a].y.total_cmp(&corners[*b].y);
        let top = (0..4).min_by(by_height).unwrap_or(0);
        let bottom = (0..4).max_by(by_height).unwrap_or(0);
        let walk = |step: usize| {
            let count = (1..4).find(|k| (top + k * step) % 4 == bottom).unwrap_or(3);
            let mut points = [corners[bottom]; 4];
            for (k, point) in points.iter_mut().enumerate().take(count) {
                *point = corners[(top + k * step) % 4];
            }
            points
        };
        Self {
            right: Chain::new(walk(1), f64::max),
            left: Chain::new(walk(3), f64::min),
        }
    }

    fn each_span(&mut self, clip: &Area, each: &mut impl FnMut(usize, Range<usize>)) {
        if cells(self.left.apex.x, self.right.apex.x, &clip.columns).is_empty() {
            return;
        }
        let (top, bottom) = (self.left.top, self.left.bottom);
        for row in cells(top, bottom, &clip.rows) {
            let low = (row as f64).max(top);
            let high = (row as f64 + 1.0).min(bottom);
            let right = self.right.x_at(self.right.apex.y.max(low).min(high));
            let left = self.left.x_at(self.left.apex.y.max(low).min(high));
            // One where the quadrilateral is so thin that rounding swaps them.
            each(row, cells(left.min(right), right.max(left), &clip.columns));
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Point {
    x: f64,
    y: f64,
}

/// One side of a convex quadrilateral, from its top to its bottom.
#[derive(Clone, Debug)]
struct Chain {
    top: f64,
    bottom: f64,
    /// Its outermost point.
    apex: Point,
    /// At most three; the rest repeat the last point.
    pieces: [Piece; 3],
    /// The piece that was asked for last; heights are asked for in order.
    now: usize,
}

/// x as a function of y, down to `bottom`.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from: Point,
    slope: f64,
    bottom: f64,
}

impl Chain {
    /// `outer` picks the outer one of two places.
    fn new(points: [Point; 4], outer: impl Fn(f64, f64) -> f64) -> Self {
        let [a, b, c, d] = points;
        let apex = points
            .into_iter()
            .reduce(|p, q| if outer(p.x, q.x) == p.x { p } else { q })
            .unwrap_or(a);
        Self {
            top: a.y,
            bottom: d.y,
            apex,
            pieces: [Piece::new(a, b), Piece::new(b, c), Piece::new(c, d)],
            now: 0,
        }
    }

    /// Where the side lies at height `y`, not above the height asked before.
    fn x_at(&mut self, y: f64) -> f64 {
        while self.now < 2 && y > self.pieces[self.now].bottom {
            self.now += 1;
        }
        let piece = &self.pieces[self.now];
        piece.from.x + piece.slope * (y - piece.from.y)
    }
}

impl Piece {
    fn new(from: Point, to: Point) -> Self {
        let rise = to.y - from.y;
        // A level piece at the top: the side begins at its far end.
        let (from, slope) = if rise > 0.0 {
            (from, (to.x - from.x) / rise)
        } else {
            (to, 0.0)
        };
        Self {
            from,
            slope,
            bottom: to.y,
        }
    }
}

/// The cells `i` of `within` whose closed interval `i ..= i + 1` meets
/// `low ..= high`, but for a cell that ends exactly at `low`. `low` must not be
/// above `high`.
fn cells(low: f64, high: f64, within: &Range<usize>) -> Range<usize> {
    if high < 0.0 {
        return 0..0;
    }
    // A cast rounds towards zero; `floor` would be a call on machines without
    // SSE 4.1. Coordinates fit by far, and a cast saturates.
    let [low, high] = [low as i32, high as i32].map(|v| usize::try_from(v).unwrap_or(0));
    low.max(within.start)..(high + 1).min(within.end)
}
