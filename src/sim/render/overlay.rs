//! Things painted over the street in the picture itself: private places in the
//! canary colour, people and cars that move. Each lies in a plane; a pixel's
//! direction is intersected with it, so outlines are exact at every zoom.

use super::people::Figure;
use super::{BLOCK, CANARY_YUV, Planes, Size};
use crate::sim::lens::{Vec3, cross, dot, normalised};
use crate::sim::scene::private::PrivatePlace;

/// One block of the picture and the directions of its corners.
#[derive(Debug)]
pub(super) struct Block {
    corners: [Vec3; 4],
    /// Unit direction of its middle.
    pub(super) centre: Vec3,
    pub(super) x: usize,
    pub(super) y: usize,
    /// Pixels of it inside the picture.
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Block {
    pub(super) fn new(corners: [Vec3; 4], x: usize, y: usize, size: Size) -> Self {
        let mut sum = [0.0; 3];
        for d in corners {
            for (s, c) in sum.iter_mut().zip(d) {
                *s += c;
            }
        }
        let centre = normalised(sum);
        Self {
            corners,
            centre,
            x,
            y,
            width: BLOCK.min(size.width - x),
            height: BLOCK.min(size.height - y),
        }
    }
}

fn angle(a: Vec3, b: Vec3) -> f64 {
    let c = cross(a, b);
    dot(c, c).sqrt().atan2(dot(a, b))
}

/// A plane with its own two axes, seen from the camera.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plane {
    /// d·normal is 1 / (how many d reach the plane).
    normal: Vec3,
    e1: Vec3,
    e2: Vec3,
    origin: [f64; 2],
}

impl Plane {
    /// The plane through `point` (from the camera) with axes `e1`, `e2`.
    pub(super) fn new(point: Vec3, e1: Vec3, e2: Vec3) -> Self {
        let normal = cross(e1, e2);
        let reach = dot(normal, point);
        Self {
            normal: normal.map(|n| n / reach),
            e1,
            e2,
            origin: [dot(point, e1), dot(point, e2)],
        }
    }

    /// Where a direction meets the plane; `None` when it never does.
    fn at(&self, d: Vec3) -> Option<[f64; 2]> {
        self.met([dot(d, self.e1), dot(d, self.e2), dot(d, self.normal)])
    }

    /// Where the plane is met, from the direction's products with its axes and
    /// its normal. These are linear in the direction, so they may be
    /// interpolated where directions may.
    fn met(&self, [a, b, reach]: Vec3) -> Option<[f64; 2]> {
        (reach > 1e-9).then(|| [a / reach - self.origin[0], b / reach - self.origin[1]])
    }

    /// Calls `each` with every pixel of a block and where it meets the plane.
    fn scan(&self, block: &Block, mut each: impl FnMut(usize, usize, Option<[f64; 2]>)) {
        let [a, b, c, d] = block
            .corners
            .map(|d| [dot(d, self.e1), dot(d, self.e2), dot(d, self.normal)]);
        let n = BLOCK as f64;
        for j in 0..block.height {
            let t = (j as f64 + 0.5) / n;
            let left: Vec3 = std::array::from_fn(|k| a[k] + (c[k] - a[k]) * t);
            let right: Vec3 = std::array::from_fn(|k| b[k] + (d[k] - b[k]) * t);
            for i in 0..block.width {
                let s = (i as f64 + 0.5) / n;
                let here = std::array::from_fn(|k| left[k] + (right[k] - left[k]) * s);
                each(i, j, self.met(here));
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Shape {
    /// A polygon in one colour, even-odd.
    Canary(Vec<[f64; 2]>),
    /// A drawn figure.
    Figure(Figure),
}

/// A thing in a plane.
#[derive(Debug, Clone)]
pub(super) struct Overlay {
    plane: Plane,
    shape: Shape,
    /// Unit direction of its middle and the angle to its farthest corner.
    middle: Vec3,
    radius: f64,
}

/// How a block lies to a polygon.
enum Lies {
    Inside,
    Outside,
    Across,
}

impl Overlay {
    /// A private place in the canary colour. Great circles are straight lines
    /// in the plane that touches the sphere at the place's middle.
    pub(super) fn canary(place: &PrivatePlace) -> Self {
        let mut sum = [0.0; 3];
        for d in &place.outline {
            for (s, c) in sum.iter_mut().zip(d) {
                *s += c;
            }
        }
        let middle = normalised(sum);
        let aside = if middle[1].abs() < 0.9 {
            [0.0, 1.0, 0.0]
        } else {
            [1.0, 0.0, 0.0]
        };
        let e1 = normalised(cross(aside, middle));
        let e2 = cross(middle, e1);
        let plane = Plane::new(middle, e1, e2);
        let corners = place.outline.iter().filter_map(|&d| plane.at(d)).collect();
        Self {
            plane,
            shape: Shape::Canary(corners),
            middle,
            radius: place
                .outline
                .iter()
                .map(|&d| angle(middle, d))
                .fold(0.0, f64::max),
        }
    }

    /// A figure within `reach` metres of a point of its plane.
    pub(super) fn figure(plane: Plane, middle: Vec3, reach: f64, figure: Figure) -> Self {
        let distance = dot(middle, middle).sqrt().max(1e-6);
        Self {
            plane,
            shape: Shape::Figure(figure),
            middle: normalised(middle),
            radius: (reach / distance).atan(),
        }
    }

    /// Whether any of it may lie within `radius` radians of a unit direction.
    pub(super) fn is_within(&self, d: Vec3, radius: f64) -> bool {
        angle(self.middle, d) <= self.radius + radius
    }

    /// The cosine of the widest angle from its middle to the middle of a
    /// block of `block_radius` radians that it can touch.
    pub(super) fn reach(&self, block_radius: f64) -> f64 {
        (self.radius + block_radius).min(std::f64::consts::PI).cos()
    }

    /// Draws its part of a block, if its middle is within `reach`.
    pub(super) fn draw(&self, reach: f64, block: &Block, out: &mut Planes<'_>) {
        if dot(self.middle, block.centre) < reach {
            return;
        }
        match &self.shape {
            Shape::Canary(corners) => match self.lies(corners, block) {
                Lies::Outside => {}
                Lies::Inside => fill(block, out),
                Lies::Across => self.fill_across(corners, block, out),
            },
            Shape::Figure(figure) => self.draw_figure(figure, block, out),
        }
    }

    fn lies(&self, polygon: &[[f64; 2]], block: &Block) -> Lies {
        let Some(middle) = self.plane.at(block.centre) else {
            return Lies::Across;
        };
        let mut radius: f64 = 0.0;
        for &corner in &block.corners {
            match self.plane.at(corner) {
                Some([a, b]) => radius = radius.max((a - middle[0]).hypot(b - middle[1])),
                None => return Lies::Across,
            }
        }
        if distance_to_edges(polygon, middle) <= radius * 1.01 {
            Lies::Across
        } else if contains(polygon, middle) {
            Lies::Inside
        } else {
            Lies::Outside
        }
    }

    fn fill_across(&self, polygon: &[[f64; 2]], block: &Block, out: &mut Planes<'_>) {
        let stride = out.size.width;
        let mut inside = [[false; BLOCK]; BLOCK];
        self.plane.scan(block, |i, j, at| {
            if at.is_some_and(|p| contains(polygon, p)) {
                inside[j][i] = true;
                out.y[(block.y + j) * stride + block.x + i] = CANARY_YUV[0];
            }
        });
        // A chroma sample colours four pixels: only where all four are inside,
        // so that the canary never reaches beyond the outline.
        for j in 0..block.height / 2 {
            for i in 0..block.width / 2 {
                if inside[2 * j][2 * i]
                    && inside[2 * j][2 * i + 1]
                    && inside[2 * j + 1][2 * i]
                    && inside[2 * j + 1][2 * i + 1]
                {
                    let at = (block.y / 2 + j) * stride / 2 + block.x / 2 + i;
                    out.u[at] = CANARY_YUV[1];
                    out.v[at] = CANARY_YUV[2];
                }
            }
        }
    }

    fn draw_figure(&self, figure: &Figure, block: &Block, out: &mut Planes<'_>) {
        let stride = out.size.width;
        self.plane.scan(block, |i, j, at| {
            let Some(colour) = at.and_then(|p| figure.colour(p)) else {
                return;
            };
            out.y[(block.y + j) * stride + block.x + i] = colour[0];
            let at = (block.y + j) / 2 * (stride / 2) + (block.x + i) / 2;
            out.u[at] = colour[1];
            out.v[at] = colour[2];
        });
    }
}

fn fill(block: &Block, out: &mut Planes<'_>) {
    let stride = out.size.width;
    for j in 0..block.height {
        let at = (block.y + j) * stride + block.x;
        out.y[at..at + block.width].fill(CANARY_YUV[0]);
    }
    for j in 0..block.height / 2 {
        let at = (block.y / 2 + j) * stride / 2 + block.x / 2;
        out.u[at..at + block.width / 2].fill(CANARY_YUV[1]);
        out.v[at..at + block.width / 2].fill(CANARY_YUV[2]);
    }
}

fn edges(polygon: &[[f64; 2]]) -> impl Iterator<Item = ([f64; 2], [f64; 2])> + '_ {
    let shifted = polygon.iter().cycle().skip(1);
    polygon.iter().zip(shifted).map(|(a, b)| (*a, *b))
}

fn contains(polygon: &[[f64; 2]], p: [f64; 2]) -> bool {
    let crossings = edges(polygon)
        .filter(|(a, b)| {
            (a[1] > p[1]) != (b[1] > p[1])
                && p[0] < a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0])
        })
        .count();
    crossings % 2 == 1
}

fn distance_to_edges(polygon: &[[f64; 2]], p: [f64; 2]) -> f64 {
    edges(polygon)
        .map(|(a, b)| {
            let (ex, ey) = (b[0] - a[0], b[1] - a[1]);
            let (px, py) = (p[0] - a[0], p[1] - a[1]);
            let t = ((px * ex + py * ey) / (ex * ex + ey * ey)).clamp(0.0, 1.0);
            (px - t * ex).hypot(py - t * ey)
        })
        .fold(f64::INFINITY, f64::min)
}
