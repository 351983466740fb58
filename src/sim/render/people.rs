//! People on the square and cars on the road, as figures in planes: where they
//! are at a time, and what they look like.

use super::head;
use super::overlay::{Overlay, Plane};
use crate::sim::scene::CAMERA_HEIGHT_M;
use crate::sim::scene::panorama::yuv;

/// What a moving thing looks like in its plane, metres.
#[derive(Debug, Clone, Copy)]
pub(super) enum Figure {
    /// A walker; feet at (0, 0). `stride` is the phase of the steps.
    Walker {
        coat: [f32; 3],
        legs: [f32; 3],
        stride: f64,
    },
    /// The side of a car, from (0, 0) to (4.2, 1.45).
    CarSide { paint: [f32; 3] },
    /// The front or the rear of a car, from (0, 0) to (1.7, 0.85), with its plate.
    CarEnd { paint: [f32; 3] },
    /// The same of its cabin, from (0, 0.85) to (1.7, 1.43).
    CabinEnd { paint: [f32; 3] },
    /// A flat sheet of a car's upper side.
    Sheet { paint: [f32; 3], size: [f64; 2] },
}

impl Figure {
    /// Y, U, V at a place of the plane; `None` beside the figure.
    pub(super) fn colour(&self, [a, b]: [f64; 2]) -> Option<[u8; 3]> {
        match *self {
            Self::Walker { coat, legs, stride } => walker(a, b, coat, legs, stride),
            Self::CarSide { paint } => car_side(a, b, paint),
            Self::CarEnd { paint } => car_end(a, b, paint),
            Self::CabinEnd { paint } => cabin_end(a, b, paint),
            Self::Sheet { paint, size } => {
                ((0.0..size[0]).contains(&a) && (0.0..size[1]).contains(&b)).then(|| yuv(paint))
            }
        }
    }
}

fn walker(a: f64, b: f64, coat: [f32; 3], legs: [f32; 3], stride: f64) -> Option<[u8; 3]> {
    if !(0.0..1.8).contains(&b) || a.abs() > 0.5 {
        return None;
    }
    let face = [206.0, 164.0, 138.0];
    if let Some(colour) = head::colour(a, b - 1.62) {
        return Some(colour);
    }
    let colour = if (1.42..1.5).contains(&b) && a.abs() < 0.06 {
        face
    } else if (0.78..1.45).contains(&b) {
        let arm = 0.24 + 0.04 * stride.sin();
        let swing = stride.sin() * 0.16 * (1.4 - b);
        let body = a.abs() < 0.2 - (b - 1.1).abs() * 0.05;
        let arms = (a - arm - swing).abs() < 0.055 || (a + arm - swing).abs() < 0.055;
        if body {
            coat
        } else if arms && b < 0.9 {
            face
        } else if arms {
            coat.map(|c| c * 0.85)
        } else {
            return None;
        }
    } else if b < 0.8 {
        let spread = stride.sin() * 0.28 * (0.8 - b);
        let leg = (a - 0.07 - spread).abs() < 0.08 || (a + 0.07 + spread).abs() < 0.08;
        if !leg {
            return None;
        }
        if b < 0.08 { [30.0, 28.0, 28.0] } else { legs }
    } else {
        return None;
    };
    Some(yuv(colour))
}

fn car_side(a: f64, b: f64, paint: [f32; 3]) -> Option<[u8; 3]> {
    if !(0.0..4.2).contains(&a) || !(0.0..1.45).contains(&b) {
        return None;
    }
    for hub in [0.85, 3.35] {
        let r = (a - hub).hypot(b - 0.32);
        if r < 0.17 {
            return Some(yuv([176.0, 178.0, 182.0]));
        }
        if r < 0.33 {
            return Some(yuv([28.0, 28.0, 30.0]));
        }
    }
    if b < 0.18 {
        return None;
    }
    if b > 0.85 {
        let inset = (b - 0.85) * 0.9;
        if !(0.7 + inset..3.7 - inset).contains(&a) {
            return None;
        }
        let glass = b < 1.36 && (a - 2.2).abs() > 0.05;
        return Some(yuv(if glass { [44.0, 54.0, 62.0] } else { paint }));
    }
    if !(0.1..4.1).contains(&a) && (0.5..0.7).contains(&b) {
        return Some(yuv([216.0, 204.0, 150.0]));
    }
    Some(yuv(paint.map(|c| c * (0.75 + 0.25 * b as f32))))
}

fn car_end(a: f64, b: f64, paint: [f32; 3]) -> Option<[u8; 3]> {
    // Both halves are alike but for the plate.
    let out = (a - CAR_WIDTH / 2.0).abs();
    if !(0.18..0.85).contains(&b) || out > CAR_WIDTH / 2.0 {
        return (out < CAR_WIDTH / 2.0 && out > 0.6 && (0.0..0.18).contains(&b))
            .then(|| yuv([28.0, 28.0, 30.0]));
    }
    let [wide, high] = PLATE_M;
    let (x, y) = (a - (CAR_WIDTH - wide) / 2.0, b - 0.42);
    if (0.0..wide).contains(&x) && (0.0..high).contains(&y) {
        return Some(yuv(plate(x, y)));
    }
    let colour = match (out > 0.58, (0.5..0.7).contains(&b)) {
        (true, true) => [216.0, 204.0, 150.0],
        _ => paint.map(|c| c * (0.7 + 0.25 * b as f32)),
    };
    Some(yuv(colour))
}

fn cabin_end(a: f64, b: f64, paint: [f32; 3]) -> Option<[u8; 3]> {
    let out = (a - CAR_WIDTH / 2.0).abs();
    let half = CAR_WIDTH / 2.0 - 0.1;
    let glass = b < 1.36 && out < half - 0.06;
    let cabin = (0.85..1.43).contains(&b) && out < half;
    cabin.then(|| yuv(if glass { [44.0, 54.0, 62.0] } else { paint }))
}

const CAR_WIDTH: f64 = 1.7;
/// Width and height of a plate, metres.
const PLATE_M: [f64; 2] = [0.52, 0.11];

/// A yellow plate with a dark band and six marks that are no letters. A blue band
/// would blend with a red car's paint to the colour of private places.
fn plate(x: f64, y: f64) -> [f32; 3] {
    const MARK_M: f64 = 0.074;
    if x < 0.04 {
        return [40.0, 50.0, 66.0];
    }
    let mark = ((x - 0.055) / MARK_M).floor();
    let within = x - 0.055 - mark * MARK_M;
    let stroke = match mark as i64 % 3 {
        0 => within < 0.014 || (0.040..0.054).contains(&within),
        1 => within < 0.014 || (y - 0.055).abs() < 0.008 && within < 0.05,
        _ => (0.020..0.034).contains(&within) || y > 0.078 && within < 0.054,
    };
    let inked = (0.0..6.0).contains(&mark) && (0.016..0.094).contains(&y) && stroke;
    if inked {
        [24.0, 22.0, 20.0]
    } else {
        [240.0, 196.0, 40.0]
    }
}

/// A walk to and fro between two places.
struct Walk {
    from: [f64; 2],
    to: [f64; 2],
    speed: f64,
    coat: [f32; 3],
    legs: [f32; 3],
}

const fn walk(from: [f64; 2], to: [f64; 2], speed: f64, coat: [f32; 3], legs: [f32; 3]) -> Walk {
    Walk {
        from,
        to,
        speed,
        coat,
        legs,
    }
}

const JEANS: [f32; 3] = [58.0, 74.0, 104.0];
const DARK: [f32; 3] = [52.0, 50.0, 52.0];
const BEIGE: [f32; 3] = [176.0, 160.0, 132.0];

/// Paths lead over the square and the near pavement only, where nothing that
/// stands in the street comes between them and the camera.
const WALKS: [Walk; 9] = [
    walk([-22.0, 11.7], [24.0, 11.7], 1.3, [166.0, 80.0, 52.0], JEANS),
    walk([20.0, 12.1], [-24.0, 12.1], 1.5, [70.0, 92.0, 118.0], DARK),
    walk([-12.0, 4.0], [9.0, 9.5], 1.1, [204.0, 178.0, 84.0], JEANS),
    walk([6.0, 11.0], [7.0, 18.5], 0.9, [84.0, 118.0, 78.0], DARK),
    walk([14.0, 3.5], [-5.0, 9.8], 1.2, [226.0, 222.0, 214.0], JEANS),
    walk([-20.0, 1.5], [-4.5, 3.0], 1.4, [70.0, 66.0, 70.0], BEIGE),
    walk([8.5, 1.0], [19.0, 9.5], 1.0, [122.0, 84.0, 60.0], DARK),
    walk(
        [-20.0, -4.8],
        [22.0, -4.8],
        1.3,
        [58.0, 110.0, 116.0],
        JEANS,
    ),
    walk([16.0, -4.5], [-16.0, -4.9], 1.6, [188.0, 120.0, 64.0], DARK),
];

/// Everything that moves, at a time in seconds, far things first.
pub(super) fn overlays(t_s: f64) -> Vec<Overlay> {
    let mut all = Vec::new();
    for (lane, direction, phase, paint) in [
        (15.9, -1.0, 0.35, [186.0, 186.0, 190.0]),
        (13.9, 1.0, 0.0, [72.0, 92.0, 122.0]),
        (-7.6, 1.0, 0.6, [160.0, 74.0, 48.0]),
    ] {
        let way = (t_s * 9.0 / 170.0 + phase).rem_euclid(1.0);
        let x = (way * 170.0 - 85.0) * direction;
        car(&mut all, x, lane, paint);
    }
    let mut walkers: Vec<(f64, Overlay)> = WALKS.iter().map(|w| walker_at(w, t_s)).collect();
    walkers.sort_by(|a, b| b.0.total_cmp(&a.0));
    all.extend(walkers.into_iter().map(|(_, overlay)| overlay));
    all
}

fn walker_at(walk: &Walk, t_s: f64) -> (f64, Overlay) {
    let (dx, dz) = (walk.to[0] - walk.from[0], walk.to[1] - walk.from[1]);
    let length = dx.hypot(dz);
    let way = (t_s * walk.speed / length).rem_euclid(2.0);
    let part = if way > 1.0 { 2.0 - way } else { way };
    let (x, z) = (walk.from[0] + dx * part, walk.from[1] + dz * part);
    let distance = x.hypot(z).max(1.0);
    // The figure turns its front to the camera.
    let right = [z / distance, 0.0, -x / distance];
    let foot = [x, -CAMERA_HEIGHT_M, z];
    let plane = Plane::new(foot, right, [0.0, 1.0, 0.0]);
    let figure = Figure::Walker {
        coat: walk.coat,
        legs: walk.legs,
        stride: t_s * walk.speed * 4.2,
    };
    let middle = [x, 0.9 - CAMERA_HEIGHT_M, z];
    (distance, Overlay::figure(plane, middle, 1.1, figure))
}

fn car(all: &mut Vec<Overlay>, x: f64, lane: f64, paint: [f32; 3]) {
    let near = lane - lane.signum() * 0.85;
    let far = lane + lane.signum() * 0.85;
    let along = [1.0, 0.0, 0.0];
    let up = [0.0, 1.0, 0.0];
    let back = [0.0, 0.0, 1.0];
    let middle = [x + 2.1, 0.7 - CAMERA_HEIGHT_M, lane];
    let sheets = [
        (0.05, 4.1, 0.85, near.min(far), 1.7, paint.map(|c| c * 1.05)),
        (
            1.15,
            2.05,
            1.43,
            near.min(far) + 0.1,
            1.5,
            paint.map(|c| c * 1.1),
        ),
    ];
    let sheet = |(dx, length, height, z, depth, paint): (f64, f64, f64, f64, f64, [f32; 3])| {
        let plane = Plane::new([x + dx, height - CAMERA_HEIGHT_M, z], along, back);
        let size = [length, depth];
        Overlay::figure(plane, middle, 2.6, Figure::Sheet { paint, size })
    };
    all.push(sheet(sheets[0]));
    all.push(sheet(sheets[1]));
    // The end that faces the camera, where one does.
    let (end, inwards) = if x > 0.0 { (x, 1.0) } else { (x + 4.2, -1.0) };
    if end * inwards > 0.0 {
        for (inset, figure) in [
            (0.95, Figure::CabinEnd { paint }),
            (0.0, Figure::CarEnd { paint }),
        ] {
            let corner = [end + inset * inwards, -CAMERA_HEIGHT_M, near.min(far)];
            let plane = Plane::new(corner, back, up);
            all.push(Overlay::figure(plane, middle, 2.6, figure));
        }
    }
    let side = Plane::new([x, -CAMERA_HEIGHT_M, near], along, up);
    all.push(Overlay::figure(
        side,
        middle,
        2.6,
        Figure::CarSide { paint },
    ));
}
