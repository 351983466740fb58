//! What the zone tests share: an independent answer to "is it inside" and "is
//! it hidden", on other ways than the library's.

use greyplane::geom::{Angle, Gaze, Mount, Optics, PixelPoint, Size, View};
use greyplane::pose::{Drift, Margin, PoseEstimate, Support};
use greyplane::zone::{CannotPlace, Document, Mode, Region, Shape, SpherePoint, Zone};

pub(crate) const SIZE: Size = Size {
    width: 1280,
    height: 720,
};

pub(crate) fn deg(v: f64) -> Angle {
    Angle::from_deg(v)
}

pub(crate) fn vector(pan_deg: f64, tilt_deg: f64) -> [f64; 3] {
    let (p, t) = (pan_deg.to_radians(), tilt_deg.to_radians());
    [t.cos() * p.sin(), t.sin(), t.cos() * p.cos()]
}

pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

pub(crate) fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

/// Inside by the sum of the angles under which the edges are seen from `at`.
pub(crate) fn inside_sphere(polygon: &[[f64; 3]], at: [f64; 3]) -> bool {
    let sum: f64 = edges(polygon)
        .map(|(a, b)| {
            let (u, v) = (cross(at, a), cross(at, b));
            dot(at, cross(u, v)).atan2(dot(u, v))
        })
        .sum();
    // Around `at` and around the point opposite alike: the zone is on one side.
    sum.abs() > std::f64::consts::PI && edges(polygon).any(|(a, _)| dot(a, at) > 0.0) && {
        let middle = polygon
            .iter()
            .fold([0.0; 3], |m, p| [m[0] + p[0], m[1] + p[1], m[2] + p[2]]);
        dot(middle, at) > 0.0
    }
}

fn edges(polygon: &[[f64; 3]]) -> impl Iterator<Item = ([f64; 3], [f64; 3])> + '_ {
    (0..polygon.len()).map(|i| (polygon[i], polygon[(i + 1) % polygon.len()]))
}

/// The smallest angle from `at` to an edge, radians.
pub(crate) fn angle_to_edges(polygon: &[[f64; 3]], at: [f64; 3]) -> f64 {
    let between = |a: [f64; 3], b: [f64; 3]| norm(cross(a, b)).atan2(dot(a, b));
    edges(polygon)
        .map(|(a, b)| {
            let n = cross(a, b);
            let over = dot(cross(n, a), at) >= 0.0 && dot(cross(b, n), at) >= 0.0;
            if over {
                (dot(n, at) / norm(n)).abs().asin()
            } else {
                between(a, at).min(between(b, at))
            }
        })
        .fold(f64::INFINITY, f64::min)
}

fn winds(region: &Region, at: PixelPoint) -> bool {
    let n = region.outline.len();
    let sum: f64 = (0..n)
        .map(|i| {
            let (a, b) = (region.outline[i].at, region.outline[(i + 1) % n].at);
            let (ax, ay, bx, by) = (a.x - at.x, a.y - at.y, b.x - at.x, b.y - at.y);
            (ax * by - ay * bx).atan2(ax * bx + ay * by)
        })
        .sum();
    sum.abs() > std::f64::consts::PI
}

fn near_an_edge(region: &Region, at: PixelPoint) -> bool {
    let n = region.outline.len();
    (0..n).any(|i| {
        let (a, b) = (region.outline[i], region.outline[(i + 1) % n]);
        let (dx, dy) = (b.at.x - a.at.x, b.at.y - a.at.y);
        let len2 = dx * dx + dy * dy;
        let t = if len2 > 0.0 {
            (((at.x - a.at.x) * dx + (at.y - a.at.y) * dy) / len2).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let off = (a.at.x + t * dx - at.x).hypot(a.at.y + t * dy - at.y);
        off <= a.margin_px + t * (b.margin_px - a.margin_px)
    })
}

/// Whether the regions hide the point `at`.
pub(crate) fn hidden(
    regions: &Result<Vec<Region>, CannotPlace>,
    show_only: bool,
    at: PixelPoint,
) -> bool {
    // Where a zone cannot be placed the frame is covered.
    let Ok(regions) = regions else { return true };
    let hides = |r: &Region| r.mode == Mode::Hide && (winds(r, at) || near_an_edge(r, at));
    let shows = |r: &Region| r.mode == Mode::ShowOnly && winds(r, at) && !near_an_edge(r, at);
    regions.iter().any(hides) || (show_only && !regions.iter().any(shows))
}

/// A camera of the tests, with what it needs twice: once for the library's
/// regions, once to ask where a pixel looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Camera {
    pub(crate) pan: f64,
    pub(crate) tilt: f64,
    pub(crate) roll: f64,
    pub(crate) hfov: f64,
    pub(crate) k1: f64,
    pub(crate) k2: f64,
}

impl Camera {
    pub(crate) fn focal(&self) -> f64 {
        0.5 / (0.5 * self.hfov.to_radians()).tan()
    }

    pub(crate) fn optics(&self) -> Optics {
        Optics::new(self.k1, self.k2).unwrap()
    }

    pub(crate) fn view(&self) -> Option<View> {
        let gaze = Gaze {
            pan: deg(self.pan),
            tilt: deg(self.tilt),
            roll: deg(self.roll),
        };
        let f = self.focal() * f64::from(SIZE.width);
        View::new(gaze, f, SIZE, self.optics(), Mount::LEVEL).ok()
    }

    pub(crate) fn pose(&self, margin: Margin) -> PoseEstimate {
        PoseEstimate {
            drift: Drift::default(),
            pan: deg(self.pan),
            tilt: deg(self.tilt),
            roll: deg(self.roll),
            focal: self.focal(),
            support: Support::Bracketed { gap_s: 0.1 },
            margin,
        }
    }
}

pub(crate) fn margin(angle_deg: f64, radial: f64, floor_px: f64) -> Margin {
    Margin {
        angle: deg(angle_deg),
        radial,
        floor_px,
    }
}

pub(crate) fn zone(id: &str, mode: Mode, points: &[(f64, f64)]) -> Zone {
    Zone {
        id: id.to_owned(),
        name: None,
        mode,
        shape: Shape::Sphere {
            points: points
                .iter()
                .map(|&(pan_deg, tilt_deg)| SpherePoint { pan_deg, tilt_deg })
                .collect(),
        },
    }
}

pub(crate) fn document(zones: Vec<Zone>) -> Document {
    Document {
        format: 1,
        camera: "street".to_owned(),
        nothing_private: None,
        zones,
        presets: Vec::new(),
    }
}
