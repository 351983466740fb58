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

fn luma_row(t: &Texture, from: (f64, f64), step: (f64, f64), bounds: &Bounds, out: &mut [u8]) {
    let (mut u, mut v) = (fixed(from.0), fixed(from.1));
    let (du, dv) = (fixed(step.0), fixed(step.1));
    let width = t.width;
    for pixel in out {
        let (cu, cv) = (u.clamp(0, bounds.u), v.clamp(0, bounds.v));
        let i = (cv >> 16) as usize * width + (cu >> 16) as usize;
        let (fu, fv) = ((cu >> 8 & 0xff) as u32, (cv >> 8 & 0xff) as u32);
        if let (Some(&[a, b]), Some(&[c, d])) = (
            t.y[i..].first_chunk::<2>(),
            t.y[i + width..].first_chunk::<2>(),
        ) {
            let top = u32::from(a) * (256 - fu) + u32::from(b) * fu;
            let bottom = u32::from(c) * (256 - fu) + u32::from(d) * fu;
            *pixel = ((top * (256 - fv) + bottom * fv + 32_768) >> 16) as u8;
        }
        u = u.wrapping_add(du);
        v = v.wrapping_add(dv);
    }
}

fn chroma_row(
    t: &Texture,
    from: (f64, f64),
    step: (f64, f64),
    bounds: &Bounds,
    out_u: &mut [u8],
    out_v: &mut [u8],
) {
    let (mut u, mut v) = (fixed(from.0), fixed(from.1));
    let (du, dv) = (fixed(step.0), fixed(step.1));
    let width = t.width / 2;
    for (pixel_u, pixel_v) in out_u.iter_mut().zip(out_v) {
        let (cu, cv) = (u.clamp(0, bounds.u), v.clamp(0, bounds.v));
        let i = (cv >> 16) as usize * width + (cu >> 16) as usize;
        let (fu, fv) = ((cu >> 8 & 0xff) as u32, (cv >> 8 & 0xff) as u32);
        if let (Some(&[a, b]), Some(&[c, d])) = (
            t.uv[i..].first_chunk::<2>(),
            t.uv[i + width..].first_chunk::<2>(),
        ) {
            let weigh = |k: usize| {
                let top = u32::from(a[k]) * (256 - fu) + u32::from(b[k]) * fu;
                let bottom = u32::from(c[k]) * (256 - fu) + u32::from(d[k]) * fu;
                ((top * (256 - fv) + bottom * fv + 32_768) >> 16) as u8
            };
            *pixel_u = weigh(0);
            *pixel_v = weigh(1);
        }
        u = u.wrapping_add(du);
        v = v.wrapping_add(dv);
    }
}
