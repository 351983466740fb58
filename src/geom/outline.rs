//! Where a polygon lies in a frame: clipped, bent by the lens, with margins.
//!
//! A [`Field`] is a view together with how far outlines may be off in it. What
//! is further outside the frame than the largest margin inside it is cut away,
//! along straight lines that are themselves further away than that: no cut
//! edge's margin ever reaches the frame.

use super::GeomError;
use super::clip::clip;
use super::polygon::{ImagePolygon, SpherePolygon};
use super::rotation::{Rotation, dot};
use super::simplify::{MARGIN_LOSS_PX, SIMPLIFY_PX, simplify};
use super::types::{Direction, PixelPoint, Size};
use super::view::View;

/// How far an outline's straight edges may lie from the bent truth, pixels.
const BEND_PX: f64 = 0.2;

/// Added to every margin for what bending and simplifying move.
const SLACK_PX: f64 = BEND_PX + SIMPLIFY_PX + MARGIN_LOSS_PX;

/// How far cut edges stay from where their margin would reach the frame, pixels.
const CUT_CLEARANCE_PX: f64 = 2.0;

/// Halvings of one edge at most.
const MAX_DEPTH: u32 = 10;

/// A corner of an outline in pixels, with the margin that holds there. Along
/// an edge the margin is at most the linear interpolation of its ends'.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corner {
    /// Where; may lie outside the frame.
    pub at: PixelPoint,
    /// How far the truth may be from here, pixels.
    pub margin_px: f64,
}

/// A view, and how far outlines may be off in it.
///
/// The margin is a function of the *undistorted* radius in pixels (of the seen
/// one where that is larger), multiplied by the lens' largest local
/// enlargement. Of directions seen in the frame none is displaced further than
/// the margin at the frame's corner; beyond the corners' radius the margin
/// therefore stays what it is there. A margin that is convex in the radius is
/// convex along every straight line, so that interpolating it between corners
/// never falls short; edges are split where they cross the corners' radius,
/// which keeps that true of the part inside.
#[derive(Debug)]
pub struct Field<'a, F> {
    view: &'a View,
    margin_px: F,
    widest_px: f64,
    /// Inward normals of the sides of the cut, in camera coordinates.
    sides: [[f64; 3]; 4],
    axis: Direction,
    /// Angle from the axis to the cut's corners.
    reach_rad: f64,
}

/// Memory that is used again from polygon to polygon.
#[derive(Debug, Default)]
struct Scratch {
    a: Vec<[f64; 3]>,
    b: Vec<[f64; 3]>,
}

/// One end of an edge, before and after the lens.
#[derive(Clone, Copy)]
struct Bent {
    flat: [f64; 2],
    corner: Corner,
}

impl<'a, F: Fn(f64) -> f64> Field<'a, F> {
    /// `margin_px` gives the margin in pixels at a radius in pixels; it must
    /// not shrink with the radius.
    ///
    /// # Errors
    /// [`GeomError::Margin`] when the margin at the frame's corner is not a
    /// number of pixels, or larger than four frames.
    pub fn new(view: &'a View, margin_px: F) -> Result<Self, GeomError> {
        let (f, size, lens) = (view.focal_px(), view.size(), view.lens());
        let corner_px = f * lens.edge_u().max(lens.distort_radius(lens.edge_u()));
        let widest_px = lens.max_stretch() * margin_px(corner_px) + SLACK_PX;
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        if !(widest_px >= SLACK_PX && widest_px <= 4.0 * w.max(h)) {
            return Err(GeomError::Margin(widest_px));
        }
        // The frame and the cut's clearance, as seen; then the rectangle around
        // it before the lens. How much the lens shrinks depends on the radius
        // only, so the radii between side and corner are sampled.
        let beyond = widest_px + CUT_CLEARANCE_PX;
        let seen = [(0.5 * w + beyond) / f, (0.5 * h + beyond) / f];
        let flat = seen.map(|s| {
            let corner = seen[0].hypot(seen[1]);
            let widest = (0..=16)
                .map(|i| s + (corner - s) * f64::from(i) / 16.0)
                .map(|r| lens.undistort_radius(r) / r)
                .fold(1e-6, f64::max);
            s * widest * if lens.is_straight() { 1.0 } else { 1.001 }
        });
        let [x, y] = flat;
        let (nx, ny) = (x.hypot(1.0), y.hypot(1.0));
        Ok(Self {
            view,
            margin_px,
            widest_px,
            sides: [
                [1.0 / nx, 0.0, x / nx],
                [-1.0 / nx, 0.0, x / nx],
                [0.0, 1.0 / ny, y / ny],
                [0.0, -1.0 / ny, y / ny],
            ],
            axis: view.axis(),
            reach_rad: x.hypot(y).atan(),
        })
    }

    /// The outline of `polygon`, at least three corners; `None` where it does
    /// not come near the frame.
    ///
    /// # Errors
    /// [`GeomError::NotFinite`]: cover the frame.
    pub fn outline(&self, polygon: &SpherePolygon) -> Result<Option<Vec<Corner>>, GeomError> {
        let cap = polygon.cap();
        let apart = dot(cap.centre.vector(), self.axis.vector());
        let near = (self.reach_rad + cap.radius.rad()).min(std::f64::consts::PI);
        if apart < near.cos() - 1e-9 {
            return Ok(None);
        }
        let to_camera: &Rotation = self.view.rotation();
        let middle = to_camera.apply(cap.centre.vector());
        let sin_radius = cap.radius.rad().sin() + 1e-9;
        if self
            .sides
            .iter()
            .any(|side| dot(*side, middle) < -sin_radius)
        {
            return Ok(None);
        }
        let mut scratch = Scratch::default();
        scratch
            .a
            .extend(polygon.points().iter().map(|p| to_camera.apply(p.vector())));
        // A cap that is wholly on the right side of one cut need not be cut
        // there; only one wholly inside the cone of all four is in front.
        for side in self.sides {
            if dot(side, middle) < sin_radius {
                clip(&scratch.a, side, &mut scratch.b);
                std::mem::swap(&mut scratch.a, &mut scratch.b);
            }
        }
        if scratch.a.is_empty() {
            return Ok(None);
        }
        self.bend(&scratch.a).map(Some)
    }

    /// Projects a clipped outline, splitting its edges where the lens bends
    /// them or the margin is far from linear.
    fn bend(&self, clipped: &[[f64; 3]]) -> Result<Vec<Corner>, GeomError> {
        let flat: Vec<[f64; 2]> = clipped.iter().map(|v| [v[0] / v[2], v[1] / v[2]]).collect();
        if !flat.iter().flatten().all(|c| c.is_finite()) {
            return Err(GeomError::NotFinite("projection"));
        }
        let mut out = Vec::with_capacity(flat.len() * 2);
        let mut from = self.bent(flat[flat.len() - 1]);
        for &next in &flat {
            let (a, b) = (from.flat, next);
            for t in crossings(a, b, self.view.lens().edge_u()) {
                let cut = self.bent([a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
                self.split(from, cut, MAX_DEPTH, &mut out);
                from = cut;
            }
            let to = self.bent(next);
            self.split(from, to, MAX_DEPTH, &mut out);
            from = to;
        }
        if !out
            .iter()
            .all(|c| c.at.x.is_finite() && c.at.y.is_finite() && c.margin_px.is_finite())
        {
            return Err(GeomError::NotFinite("outline"));
        }
        while out.len() < 3 {
            out.push(out[0]);
        }
        simplify(&mut out);
        Ok(out)
    }

    /// Pushes the corners after `a` up to and including `b`.
    fn split(&self, a: Bent, b: Bent, depth: u32, out: &mut Vec<Corner>) {
        if depth > 0 && !self.is_straight(a, b) {
            let middle = self.bent(between(a.flat, b.flat, 0.5));
            self.split(a, middle, depth - 1, out);
            self.split(middle, b, depth - 1, out);
        } else {
            out.push(b.corner);
        }
    }

    /// Whether the chord from `a` to `b` may stand for the bent edge.
    fn is_straight(&self, a: Bent, b: Bent) -> bool {
        [0.5, 0.25, 0.75].iter().all(|&t| {
            let true_corner = self.bent(between(a.flat, b.flat, t)).corner;
            let margin_px = a.corner.margin_px + t * (b.corner.margin_px - a.corner.margin_px);
            // Missing margin is a leak, excess merely hides more than it must.
            let enough = margin_px >= true_corner.margin_px - 1e-6;
            let excess = margin_px - true_corner.margin_px;
            (enough || self.view.lens().is_straight())
                && excess <= 0.5 + 0.03 * true_corner.margin_px
                && (self.view.lens().is_straight()
                    || off_chord(a.corner.at, b.corner.at, true_corner.at) <= BEND_PX)
        })
    }

    fn bent(&self, flat: [f64; 2]) -> Bent {
        let lens = self.view.lens();
        let r_u = flat[0].hypot(flat[1]);
        let margin_px = if r_u >= lens.edge_u() {
            self.widest_px
        } else {
            let r_px = self.view.focal_px() * r_u.max(lens.distort_radius(r_u));
            lens.max_stretch() * (self.margin_px)(r_px) + SLACK_PX
        };
        Bent {
            flat,
            corner: Corner {
                at: self.view.pixel(lens.distort(flat)),
                margin_px,
            },
        }
    }
}

fn between(a: [f64; 2], b: [f64; 2], t: f64) -> [f64; 2] {
    [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]
}

/// The distance of `p` from the segment a b.
fn off_chord(a: PixelPoint, b: PixelPoint, p: PixelPoint) -> f64 {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let (px, py) = (p.x - a.x, p.y - a.y);
    let len2 = dx * dx + dy * dy;
    let t = if len2 > 0.0 {
        ((px * dx + py * dy) / len2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (px - t * dx).hypot(py - t * dy)
}

/// Where the edge a b crosses the circle of radius `r` about the origin: shares
/// of its length strictly between its ends, ascending.
fn crossings(a: [f64; 2], b: [f64; 2], r: f64) -> impl Iterator<Item = f64> {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let qa = dx * dx + dy * dy;
    let qb = a[0] * dx + a[1] * dy;
    let qc = a[0] * a[0] + a[1] * a[1] - r * r;
    let root = (qb * qb - qa * qc).sqrt();
    [(-qb - root) / qa, (-qb + root) / qa]
        .into_iter()
        // NaN (no crossing, or no length) fails the comparison.
        .filter(|t| *t > 1e-9 && *t < 1.0 - 1e-9)
}

/// The outline of an image polygon on a frame of `size`, with one margin all
/// around; `None` where it does not come near the frame.
///
/// # Errors
/// [`GeomError`] for a size or a margin that is none: cover the frame.
pub fn outline_in_frame(
    polygon: &ImagePolygon,
    size: Size,
    margin_px: f64,
) -> Result<Option<Vec<Corner>>, GeomError> {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    if size.width == 0 || size.height == 0 {
        return Err(GeomError::Size(size));
    }
    let margin_px = margin_px + SLACK_PX;
    if !(margin_px >= SLACK_PX && margin_px <= 4.0 * w.max(h)) {
        return Err(GeomError::Margin(margin_px));
    }
    let beyond = margin_px + CUT_CLEARANCE_PX;
    let mut from: Vec<[f64; 3]> = polygon
        .points()
        .iter()
        .map(|p| [p.x * w, p.y * h, 1.0])
        .collect();
    let mut to = Vec::new();
    for side in [
        [1.0, 0.0, beyond],
        [-1.0, 0.0, w + beyond],
        [0.0, 1.0, beyond],
        [0.0, -1.0, h + beyond],
    ] {
        clip(&from, side, &mut to);
        std::mem::swap(&mut from, &mut to);
    }
    if from.is_empty() {
        return Ok(None);
    }
    let mut outline: Vec<Corner> = from
        .iter()
        .map(|v| Corner {
            at: PixelPoint { x: v[0], y: v[1] },
            margin_px,
        })
        .collect();
    while outline.len() < 3 {
        outline.push(outline[0]);
    }
    simplify(&mut outline);
    Ok(Some(outline))
}
