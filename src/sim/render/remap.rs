//! Reads a texture into one row of blocks: coordinates run linearly between
//! the exact ones at the blocks' corners, and OpenCV mixes the texels
//! (`cv::remap`, bilinear, to a 32nd of a texel).
//!
//! A row of blocks at a time, so that the coordinates stay in the processor's
//! cache and OpenCV starts no threads of its own.

use opencv::core::{Mat, Scalar, Vec2s};
use opencv::imgproc::{INTER_LINEAR, remap};

use super::overlay::Block;
use super::{BLOCK, Planes};
use crate::sim::scene::panorama::{Region, Texture};

/// Texture coordinates (texel i has its centre at i + ½) of a block's corners:
/// top left, top right, bottom left, bottom right.
pub(super) struct Corners(pub(super) [(f64, f64); 4]);

/// Coordinates are 16.16 fixed point while they run along a row.
const ONE: f64 = 65_536.0;
/// Half of the 32nd of a texel that OpenCV keeps.
const ROUND: f64 = 1.0 / 64.0;

/// The coordinates of one row of blocks, as `cv::remap` takes them.
#[derive(Debug, Default)]
pub(super) struct Strip {
    luma: Maps,
    chroma: Maps,
}

#[derive(Debug, Default)]
struct Maps {
    texels: Vec<Vec2s>,
    /// Weights: 32nds of a texel, down · 32 + right.
    parts: Vec<u16>,
    width: usize,
}

impl Strip {
    /// Makes room for a row of blocks of a picture `width` px wide.
    pub(super) fn begin(&mut self, width: usize) {
        self.luma.begin(width, BLOCK);
        self.chroma.begin(width / 2, BLOCK / 2);
    }

    /// Lays down the coordinates of a block, which shows a part of `region`.
    pub(super) fn lay(&mut self, at: &Corners, region: &Region, block: &Block) {
        self.luma.lay(at, region, [block.x, block.width], 1);
        self.chroma
            .lay(at, region, [block.x / 2, block.width / 2], 2);
    }

    /// Reads the texture into the picture's row of blocks that begins at `y`.
    pub(super) fn read(
        &self,
        texture: &Texture,
        y: usize,
        out: &mut Planes<'_>,
    ) -> opencv::Result<()> {
        let (width, rows) = (out.size.width, BLOCK.min(out.size.height - y));
        let (w, h) = (texture.width, texture.height);
        let luma = &mut out.y[y * width..(y + rows) * width];
        self.luma.read(&texture.y, [w, h], luma)?;
        let chroma = y / 2 * (width / 2)..(y + rows) / 2 * (width / 2);
        let half = [w / 2, h / 2];
        self.chroma
            .read(&texture.u, half, &mut out.u[chroma.clone()])?;
        self.chroma.read(&texture.v, half, &mut out.v[chroma])
    }
}

impl Maps {
    fn begin(&mut self, width: usize, rows: usize) {
        self.width = width;
        self.texels.resize(width * rows, Vec2s::default());
        self.parts.resize(width * rows, 0);
    }

    /// `columns`: the block's first column and their number; `px`: picture
    /// pixels (and texels) per sample of this plane.
    fn lay(&mut self, at: &Corners, region: &Region, columns: [usize; 2], px: usize) {
        let scale = px as f64;
        let samples = BLOCK / px;
        // To texel indices of this plane, rounded to what OpenCV keeps.
        let [a, b, c, d] =
            at.0.map(|(u, v)| [u, v].map(|x| fixed(x / scale - 0.5 + ROUND)));
        let low = region.low.map(|x| fixed(x / scale));
        let high = region.high.map(|x| fixed(x / scale - 1.0));
        // Between corners that lie inside, everything does.
        let inside = [a, b, c, d]
            .iter()
            .all(|&[u, v]| u >= low[0] && u <= high[0] && v >= low[1] && v <= high[1]);
        // The first sample lies half a step from the edges.
        let n = 2 * samples as i32;
        let part = |from: i32, to: i32, i: i32| from + (to - from) / n * i;
        for j in 0..samples {
            let i = 2 * j as i32 + 1;
            let left: [i32; 2] = std::array::from_fn(|k| part(a[k], c[k], i));
            let right: [i32; 2] = std::array::from_fn(|k| part(b[k], d[k], i));
            let first: [i32; 2] = std::array::from_fn(|k| part(left[k], right[k], 1));
            let step: [i32; 2] = std::array::from_fn(|k| (right[k] - left[k]) / n * 2);
            let from = j * self.width + columns[0];
            let to = from + columns[1];
            let (texels, parts) = (&mut self.texels[from..to], &mut self.parts[from..to]);
            if inside {
                walk(texels, parts, first, step, |p| p);
            } else {
                walk(texels, parts, first, step, |p| {
                    std::array::from_fn(|k| p[k].clamp(low[k], high[k]))
                });
            }
        }
    }

    fn read(&self, source: &[u8], size: [usize; 2], out: &mut [u8]) -> opencv::Result<()> {
        let rows = |n: usize, of: usize| i32::try_from(n / of.max(1)).unwrap_or(0);
        let columns = i32::try_from(self.width).unwrap_or(0);
        let height = rows(out.len(), self.width);
        let count = out.len();
        let source =
            Mat::new_rows_cols_with_data(rows(source.len(), size[0]), rows(size[0], 1), source)?;
        let texels = Mat::new_rows_cols_with_data(height, columns, &self.texels[..count])?;
        let parts = Mat::new_rows_cols_with_data(height, columns, &self.parts[..count])?;
        let mut out = Mat::new_rows_cols_with_data_mut(height, columns, out)?;
        remap(
            &source,
            &mut out,
            &texels,
            &parts,
            INTER_LINEAR,
            opencv::core::BORDER_REPLICATE,
            Scalar::default(),
        )
    }
}

/// What lies far outside is held where differences cannot overflow; textures
/// are smaller than that.
fn fixed(x: f64) -> i32 {
    (x.clamp(-16_000.0, 16_000.0) * ONE) as i32
}

fn walk(
    texels: &mut [Vec2s],
    parts: &mut [u16],
    first: [i32; 2],
    step: [i32; 2],
    bound: impl Fn([i32; 2]) -> [i32; 2],
) {
    let [mut u, mut v] = first;
    for (texel, part) in texels.iter_mut().zip(parts) {
        let [x, y] = bound([u, v]);
        *texel = Vec2s::from([(x >> 16) as i16, (y >> 16) as i16]);
        *part = ((y >> 6) & 0x3e0 | (x >> 11) & 0x1f) as u16;
        u = u.wrapping_add(step[0]);
        v = v.wrapping_add(step[1]);
    }
}
