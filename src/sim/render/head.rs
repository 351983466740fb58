//! The walkers' head: a drawn face that a detector takes for one, so that what
//! hides faces has something to hide.

use std::sync::OnceLock;

use crate::sim::scene::panorama::yuv;

/// Drawn by `models/selftest/draw.py`; nobody's.
const DRAWN: &[u8] = include_bytes!("../../../models/selftest/face.png");
/// Where the head is in it: middle and half axes, pixels.
const MIDDLE: [f64; 2] = [80.0, 78.0];
const HALF: [f64; 2] = [43.0, 66.0];
/// Half the height of a head, metres.
const HALF_HEIGHT_M: f64 = 0.14;
/// The drawing is kept at this share of its size: heads are seen from afar.
const SHRINK: usize = 2;

/// The drawing, made smaller.
struct Face {
    width: usize,
    height: usize,
    yuv: Vec<[u8; 3]>,
}

/// Y, U, V of the head at `right` and `up` of its middle, metres; `None` beside it.
pub(super) fn colour(right: f64, up: f64) -> Option<[u8; 3]> {
    let per_m = HALF[1] / HALF_HEIGHT_M;
    let (dx, dy) = (right * per_m, -up * per_m);
    if (dx / HALF[0]).powi(2) + (dy / HALF[1]).powi(2) >= 1.0 {
        return None;
    }
    static FACE: OnceLock<Option<Face>> = OnceLock::new();
    let face = FACE.get_or_init(read).as_ref()?;
    let at = |v: f64, side: usize| ((v / SHRINK as f64) as usize).min(side - 1);
    let (x, y) = (
        at(MIDDLE[0] + dx, face.width),
        at(MIDDLE[1] + dy, face.height),
    );
    face.yuv.get(y * face.width + x).copied()
}

fn read() -> Option<Face> {
    let rgb = image::load_from_memory(DRAWN).ok()?.into_rgb8();
    let (width, height) = (
        rgb.width() as usize / SHRINK,
        rgb.height() as usize / SHRINK,
    );
    let mean = |x: usize, y: usize| {
        let mut sum = [0.0_f32; 3];
        for (dx, dy) in (0..SHRINK).flat_map(|dx| (0..SHRINK).map(move |dy| (dx, dy))) {
            let pixel = rgb.get_pixel((x * SHRINK + dx) as u32, (y * SHRINK + dy) as u32);
            for (s, v) in sum.iter_mut().zip(pixel.0) {
                *s += f32::from(v) / (SHRINK * SHRINK) as f32;
            }
        }
        yuv(sum)
    };
    let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    Some(Face {
        width,
        height,
        yuv: all.map(|(x, y)| mean(x, y)).collect(),
    })
}
