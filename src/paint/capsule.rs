//! One edge of a region with its margin: the convex hull of two discs.
//!
//! Plane geometry only; must not know bitmaps, zones' modes or frames.

use std::ops::Range;

use crate::zone::GrownPoint;

/// Added to every margin, so that rounding never loses a sample that an exact
/// computation would touch. Coordinates are at most 1e7 px here (see
/// [`super::coverage`]), where f64 still resolves 2e-9 px.
const SLACK_PX: f64 = 1e-6;

/// The hull of the disc of `margin_px` around each end: everywhere along the
/// edge at least as wide as the linear interpolation of the two margins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capsule {
    discs: [Disc; 2],
    /// The outer tangents; none where one disc holds the other.
    tangents: [Option<Segment>; 2],
    y_min: f64,
    y_max: f64,
}

#[derive(Clone, Copy, Debug)]
struct Disc {
    x: f64,
    y: f64,
    r: f64,
}

/// x as a function of y between two heights.
#[derive(Clone, Copy, Debug)]
struct Segment {
    y_low: f64,
    y_high: f64,
    x_at_low: f64,
    slope: f64,
}

impl Disc {
    fn of(p: &GrownPoint) -> Self {
        Self {
            x: p.at.x,
            y: p.at.y,
            r: p.margin_px + SLACK_PX,
        }
    }

    /// Half of its width at height `y`, where it reaches that height.
    fn half_width(&self, y: f64) -> Option<f64> {
        let dy = y - self.y;
        let square = self.r * self.r - dy * dy;
        (square >= 0.0).then(|| square.sqrt())
    }
}

impl Segment {
    /// `None` for one that lies level: its ends lie on the discs.
    fn between(a: [f64; 2], b: [f64; 2]) -> Option<Self> {
        let (low, high) = if a[1] <= b[1] { (a, b) } else { (b, a) };
        let rise = high[1] - low[1];
        (rise > 0.0).then(|| Self {
            y_low: low[1],
            y_high: high[1],
            x_at_low: low[0],
            slope: (high[0] - low[0]) / rise,
        })
    }

    fn x_at(&self, y: f64) -> Option<f64> {
        (y >= self.y_low && y <= self.y_high)
            .then_some(self.x_at_low + self.slope * (y - self.y_low))
    }
}

impl Capsule {
    /// The capsule of the edge from `a` to `b`. Both must be finite with
    /// margins of at least 0.
    pub(super) fn new(a: &GrownPoint, b: &GrownPoint) -> Self {
        let discs = [Disc::of(a), Disc::of(b)];
        let [p, q] = discs;
        Self {
            discs,
            tangents: outer_tangents(&p, &q),
            y_min: (p.y - p.r).min(q.y - q.r),
            y_max: (p.y + p.r).max(q.y + q.r),
        }
    }

    /// Calls `each` with the row and the samples of every row it touches.
    ///
    /// A sample is touched when its square, edges included, meets the capsule.
    /// The capsule is convex, so its part between the heights `y` and `y + 1`
    /// reaches over one interval of x, and its widest place there is its widest
    /// place at all, or else the nearest height to that.
    pub(super) fn each_span(
        &self,
        width: usize,
        height: usize,
        mut each: impl FnMut(usize, Range<usize>),
    ) {
        let [p, q] = &self.discs;
        let right_apex = if p.x + p.r >= q.x + q.r { p.y } else { q.y };
        let left_apex = if p.x - p.r <= q.x - q.r { p.y } else { q.y };
        for row in cells(self.y_min, self.y_max, height) {
            let low = (row as f64).max(self.y_min);
            let high = (row as f64 + 1.0).min(self.y_max);
            if low > high {
                continue;
            }
            let right = self.right_at(right_apex.clamp(low, high));
            let left = self.left_at(left_apex.clamp(low, high));
            each(row, cells(left, right, width));
        }
    }

    fn right_at(&self, y: f64) -> f64 {
        let [p, q] = &self.discs;
        let ends = [p, q].map(|d| d.half_width(y).map(|half| d.x + half));
        self.farthest(y, ends, f64::NEG_INFINITY, f64::max)
    }

    fn left_at(&self, y: f64) -> f64 {
        let [p, q] = &self.discs;
        let ends = [p, q].map(|d| d.half_width(y).map(|half| d.x - half));
        self.farthest(y, ends, f64::INFINITY, f64::min)
    }

    fn farthest(
        &self,
        y: f64,
        ends: [Option<f64>; 2],
        start: f64,
        of: impl Fn(f64, f64) -> f64,
    ) -> f64 {
        let sides = self.tangents.map(|side| side.and_then(|s| s.x_at(y)));
        ends.into_iter().chain(sides).flatten().fold(start, of)
    }
}

/// The two lines that touch both discs on the same side. The unit normal n of
/// such a line satisfies n·u = (r₀ − r₁)/d for the unit vector u between the
/// centres, d apart; it touches each disc at centre + r·n.
fn outer_tangents(p: &Disc, q: &Disc) -> [Option<Segment>; 2] {
    let (dx, dy) = (q.x - p.x, q.y - p.y);
    let d = dx.hypot(dy);
    let cos = (p.r - q.r) / d;
    // Asked this way round for centres that fall together: there the quotient
    // is not a number.
    let apart = cos.abs() < 1.0;
    if !apart {
        return [None, None];
    }
    let sin = (1.0 - cos * cos).sqrt();
    let (ux, uy) = (dx / d, dy / d);
    [sin, -sin].map(|sin| {
        let (nx, ny) = (ux * cos - uy * sin, uy * cos + ux * sin);
        Segment::between(
            [p.x + p.r * nx, p.y + p.r * ny],
            [q.x + q.r * nx, q.y + q.r * ny],
        )
    })
}

/// The cells `i` below `limit` whose closed interval `i ..= i + 1` meets
/// `low ..= high`, but for a cell that ends exactly at `low`.
fn cells(low: f64, high: f64, limit: usize) -> Range<usize> {
    let meets = low <= high;
    if !meets {
        return 0..0;
    }
    // A cast saturates: below zero becomes zero.
    let end = (high.floor() + 1.0) as usize;
    low.floor() as usize..end.min(limit)
}
