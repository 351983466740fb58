//! Reads a texture into one block of the picture: coordinates run linearly
//! along rows between interpolated edges, in 16.16 fixed point, and texels are
//! mixed bilinearly with 8-bit weights.

use super::overlay::Block;
use super::{BLOCK, Planes};
use crate::sim::scene::panorama::Texture;

/// Texture coordinates (texel i has its centre at i + ½) of a block's corners:
/// top left, top right, bottom left, bottom right.
pub(super) struct Corners(pub(super) [(f64, f64); 4]);

const ONE: f64 = 65_536.0;

impl Corners {
    /// The coordinates `y` px below the block's upper edge: at its left edge,
    /// and the step per px.
    fn row(&self, y: f64) -> [(f64, f64); 2] {
        let t = y / BLOCK as f64;
        let [a, b, c, d] = self.0;
        let mix = |p: (f64, f64), q: (f64, f64)| (p.0 + (q.0 - p.0) * t, p.1 + (q.1 - p.1) * t);
        let (left, right) = (mix(a, c), mix(b, d));
        let n = BLOCK as f64;
        [left, ((right.0 - left.0) / n, (right.1 - left.1) / n)]
    }
}

/// Bounds of texel indices, so that both neighbours exist.
struct Bounds {
    u: i32,
    v: i32,
}

pub(super) fn block(texture: &Texture, at: &Corners, block: &Block, out: &mut Planes<'_>) {
    let stride = out.size.width;
    let bounds = Bounds {
        u: ((texture.width - 2) as i32) << 16 | 0xffff,
        v: ((texture.height - 2) as i32) << 16 | 0xffff,
    };
    for j in 0..block.height {
        let [start, step] = at.row(j as f64 + 0.5);
        let from = (start.0 + step.0 * 0.5 - 0.5, start.1 + step.1 * 0.5 - 0.5);
        let offset = (block.y + j) * stride + block.x;
        luma_row(
            texture,
            from,
            step,
            &bounds,
            &mut out.y[offset..offset + block.width],
        );
    }
    let half = stride / 2;
    let bounds = Bounds {
        u: ((texture.width / 2 - 2) as i32) << 16 | 0xffff,
        v: ((texture.height / 2 - 2) as i32) << 16 | 0xffff,
    };
    for j in 0..block.height / 2 {
        let [start, step] = at.row(2.0 * j as f64 + 1.0);
        let from = (
            (start.0 + step.0) * 0.5 - 0.5,
            (start.1 + step.1) * 0.5 - 0.5,
        );
        let offset = (block.y / 2 + j) * half + block.x / 2;
        let end = offset + block.width / 2;
        chroma_row(
            texture,
            from,
            step,
            &bounds,
            &mut out.u[offset..end],
            &mut out.v[offset..end],
        );
    }
}

fn fixed(x: f64) -> i32 {
    // Saturating: coordinates far outside are clamped by the bounds.
    (x * ONE) as i32
}

/// The texel indices and 8-bit weights along a row of at most a block.
struct Walk {
    index: [usize; BLOCK],
    weight_u: [u16; BLOCK],
    weight_v: [u16; BLOCK],
}

impl Walk {
    fn new(from: (f64, f64), step: (f64, f64), bounds: &Bounds, width: usize) -> Self {
        let (mut u, mut v) = (fixed(from.0), fixed(from.1));
        let (du, dv) = (fixed(step.0), fixed(step.1));
        let mut walk = Self {
            index: [0; BLOCK],
            weight_u: [0; BLOCK],
            weight_v: [0; BLOCK],
        };
        for k in 0..BLOCK {
            let (cu, cv) = (u.clamp(0, bounds.u), v.clamp(0, bounds.v));
            // The bounds keep both factors far below overflow.
            walk.index[k] = ((cv >> 16) as usize)
                .wrapping_mul(width)
                .wrapping_add((cu >> 16) as usize);
            walk.weight_u[k] = (cu >> 8 & 0xff) as u16;
            walk.weight_v[k] = (cv >> 8 & 0xff) as u16;
            u = u.wrapping_add(du);
            v = v.wrapping_add(dv);
        }
        walk
    }

    /// Mixes the four neighbours of every texel. Wrapping arithmetic cannot
    /// wrap here (255 · 256 fits 16 bits) and lets the loop be vectorised in
    /// builds that check overflow.
    fn mixed(&self, four: &[[u8; BLOCK]; 4]) -> [u8; BLOCK] {
        let mut out = [0; BLOCK];
        for k in 0..BLOCK {
            let (fu, fv) = (self.weight_u[k], self.weight_v[k]);
            let gu = 256u16.wrapping_sub(fu);
            let [a, b, c, d] = [0, 1, 2, 3].map(|n: usize| u16::from(four[n][k]));
            let top = a.wrapping_mul(gu).wrapping_add(b.wrapping_mul(fu));
            let bottom = c.wrapping_mul(gu).wrapping_add(d.wrapping_mul(fu));
            let gv = 256u32.wrapping_sub(u32::from(fv));
            let sum = u32::from(top)
                .wrapping_mul(gv)
                .wrapping_add(u32::from(bottom).wrapping_mul(u32::from(fv)))
                .wrapping_add(32_768);
            out[k] = (sum >> 16) as u8;
        }
        out
    }
}

fn luma_row(t: &Texture, from: (f64, f64), step: (f64, f64), bounds: &Bounds, out: &mut [u8]) {
    let walk = Walk::new(from, step, bounds, t.width);
    let mut four = [[0; BLOCK]; 4];
    // One row down; texel i and i + 1 of both rows lie inside by the bounds.
    let below = t.y.get(t.width..).unwrap_or_default();
    for k in 0..BLOCK {
        let i = walk.index[k];
        if let (Some(&[a, b]), Some(&[c, d])) = (pair(&t.y, i), pair(below, i)) {
            four[0][k] = a;
            four[1][k] = b;
            four[2][k] = c;
            four[3][k] = d;
        }
    }
    let mixed = walk.mixed(&four);
    out.copy_from_slice(&mixed[..out.len()]);
}

fn pair<T>(texels: &[T], i: usize) -> Option<&[T; 2]> {
    texels.get(i..)?.first_chunk()
}

fn chroma_row(
    t: &Texture,
    from: (f64, f64),
    step: (f64, f64),
    bounds: &Bounds,
    out_u: &mut [u8],
    out_v: &mut [u8],
) {
    let width = t.width / 2;
    let walk = Walk::new(from, step, bounds, width);
    let mut four = [[[0; BLOCK]; 4]; 2];
    let below = t.uv.get(width..).unwrap_or_default();
    for k in 0..BLOCK / 2 {
        let i = walk.index[k];
        if let (Some(&[a, b]), Some(&[c, d])) = (pair(&t.uv, i), pair(below, i)) {
            for (plane, four) in four.iter_mut().enumerate() {
                four[0][k] = a[plane];
                four[1][k] = b[plane];
                four[2][k] = c[plane];
                four[3][k] = d[plane];
            }
        }
    }
    let n = out_u.len();
    out_u.copy_from_slice(&walk.mixed(&four[0])[..n]);
    out_v.copy_from_slice(&walk.mixed(&four[1])[..n]);
}
