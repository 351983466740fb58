//! Renders what the camera sees: for every block of 16 × 16 px the directions
//! of its corners are exact and those between are interpolated, which leaves
//! less than a hundredth of a pixel of error (see the test) and costs a few
//! nanoseconds a pixel.

mod head;
mod overlay;
mod people;
mod remap;

use std::sync::{Arc, OnceLock};

use self::overlay::{Block, Overlay};
use self::remap::{Corners, Strip};
use super::lens::{Pose, Vec3, View, dot, normalised};
use super::scene::panorama::{Panorama, Region, Texture};
use super::scene::private::{PrivatePlace, private_places};

/// Side of a block in px.
const BLOCK: usize = 16;

/// Canary colour as Y, U, V: full magenta in BT.709, limited range. Nothing
/// else in the street comes near its chroma.
pub const CANARY_YUV: [u8; 3] = [78, 214, 230];
/// Canary colour as R, G, B.
pub const CANARY_RGB: [u8; 3] = [255, 0, 255];

/// Size of a picture; both sides are multiples of 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Size {
    /// Bytes of a tightly packed I420 picture.
    pub fn i420_len(self) -> usize {
        self.width * self.height * 3 / 2
    }
}

/// A flat picture hung up in front of the camera, for clips: it fills the
/// field of view `hfov_deg` at pan 0, tilt 0.
#[derive(Debug)]
pub struct Poster {
    /// The picture.
    pub texture: Texture,
    /// Horizontal field of view that the picture fills, degrees.
    pub hfov_deg: f64,
}

/// What there is to see.
#[derive(Debug, Clone)]
pub enum Backdrop {
    /// The drawn street.
    Street(Arc<Panorama>),
    /// A clip's present picture.
    Poster(Arc<Poster>),
}

impl Backdrop {
    fn texture(&self) -> &Texture {
        match self {
            Self::Street(street) => street.texture(),
            Self::Poster(poster) => &poster.texture,
        }
    }
}

/// The drawn street, painted once per process.
pub fn street() -> Arc<Panorama> {
    static STREET: OnceLock<Arc<Panorama>> = OnceLock::new();
    Arc::clone(STREET.get_or_init(|| Arc::new(Panorama::paint())))
}

/// Draws pictures of one camera.
#[derive(Debug)]
pub struct Renderer {
    canaries: Vec<Overlay>,
    k1: f64,
    k2: f64,
    nodes: Vec<Node>,
    blocks: Vec<Block>,
    strip: Strip,
}

/// A corner of blocks.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    d: Vec3,
    pan: f64,
    tilt: f64,
}

impl Renderer {
    /// A renderer for a lens; with `canary`, private places are painted in
    /// the canary colour.
    pub fn new(k1: f64, k2: f64, canary: bool) -> Self {
        let canaries = if canary {
            private_places().iter().map(Overlay::canary).collect()
        } else {
            Vec::new()
        };
        Self {
            canaries,
            k1,
            k2,
            nodes: Vec::new(),
            blocks: Vec::new(),
            strip: Strip::default(),
        }
    }

    /// A renderer that paints the given places.
    pub fn with_places(k1: f64, k2: f64, places: &[PrivatePlace]) -> Self {
        Self {
            canaries: places.iter().map(Overlay::canary).collect(),
            k1,
            k2,
            nodes: Vec::new(),
            blocks: Vec::new(),
            strip: Strip::default(),
        }
    }

    /// Draws the picture at `pose` and at `t_s` seconds of street life into a
    /// tightly packed I420 buffer. A buffer of another length stays as it is.
    pub fn draw(&mut self, backdrop: &Backdrop, pose: &Pose, t_s: f64, size: Size, out: &mut [u8]) {
        if out.len() != size.i420_len() || size.width == 0 || size.height == 0 {
            return;
        }
        let view = View::new(pose, size.width, size.height, self.k1, self.k2);
        let luma = size.width * size.height;
        let (y, chroma) = out.split_at_mut(luma);
        let (u, v) = chroma.split_at_mut(luma / 4);
        let mut planes = Planes { y, u, v, size };
        let moving = match backdrop {
            Backdrop::Street(_) => people::overlays(t_s),
            Backdrop::Poster(_) => Vec::new(),
        };
        let columns = size.width.div_ceil(BLOCK);
        self.place_nodes(&view, size, matches!(backdrop, Backdrop::Street(_)));
        let all: Vec<&Overlay> = moving.iter().chain(&self.canaries).collect();
        let overlays = visible(&view, size, &all);
        let texture = backdrop.texture();
        for by in 0..size.height.div_ceil(BLOCK) {
            self.blocks.clear();
            self.strip.begin(size.width);
            for bx in 0..columns {
                let at = |i: usize, j: usize| self.nodes[(by + j) * (columns + 1) + bx + i];
                let corners = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
                let block = Block::new(corners.map(|n| n.d), bx * BLOCK, by * BLOCK, size);
                let (region, at) = match backdrop {
                    Backdrop::Street(street) => street_corners(street, &corners, &block),
                    Backdrop::Poster(poster) => poster_corners(poster, &corners),
                };
                self.strip.lay(&at, &region, &block);
                self.blocks.push(block);
            }
            if let Err(e) = self.strip.read(texture, by * BLOCK, &mut planes) {
                tracing::error!(error = %e, "OpenCV draws no picture of the simulated street");
                return;
            }
            for block in &self.blocks {
                for (overlay, reach) in &overlays {
                    overlay.draw(*reach, block, &mut planes);
                }
            }
        }
    }

    fn place_nodes(&mut self, view: &View, size: Size, angles: bool) {
        self.nodes.clear();
        for j in 0..=size.height.div_ceil(BLOCK) {
            for i in 0..=size.width.div_ceil(BLOCK) {
                let d = view.direction_at((i * BLOCK) as f64, (j * BLOCK) as f64);
                let (pan, tilt) = if angles {
                    {
                        let level = (d[0] * d[0] + d[2] * d[2]).sqrt();
                        (d[0].atan2(d[2]), d[1].atan2(level))
                    }
                } else {
                    (0.0, 0.0)
                };
                self.nodes.push(Node { d, pan, tilt });
            }
        }
    }
}

/// The planes of the picture being drawn.
struct Planes<'a> {
    y: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
    size: Size,
}

/// Those overlays that can be in the picture at all, each with how near to a
/// block's middle it must be to touch the block (as a cosine).
fn visible<'a>(view: &View, size: Size, all: &[&'a Overlay]) -> Vec<(&'a Overlay, f64)> {
    let axis = normalised(view.direction_at(size.width as f64 / 2.0, size.height as f64 / 2.0));
    let corner = normalised(view.direction_at(0.0, 0.0));
    let radius = dot(axis, corner).clamp(-1.0, 1.0).acos() + 0.02;
    // Blocks look widest in the middle; lenses with distortion stretch some a
    // little, and those at the picture's edge reach beyond it.
    let block_radius = (BLOCK as f64 * std::f64::consts::FRAC_1_SQRT_2 / view.focal_px()) * 1.5;
    all.iter()
        .filter(|o| o.is_within(axis, radius + block_radius))
        .map(|o| (*o, o.reach(block_radius)))
        .collect()
}

fn street_corners(street: &Panorama, corners: &[Node; 4], block: &Block) -> (Region, Corners) {
    if street.is_in_disc(block.centre[1]) {
        let at = corners.map(|n| Panorama::disc_at(n.d));
        return (*street.disc(), Corners(at.map(|a| (a.u, a.v))));
    }
    let middle = block.centre[0].atan2(block.centre[2]);
    let tau = std::f64::consts::TAU;
    // Texels left of the block's middle must not fall below column 0.
    let base = middle.rem_euclid(tau)
        + if middle.rem_euclid(tau) < 0.1 {
            tau
        } else {
            0.0
        };
    let at = corners.map(|n| {
        let offset = n.pan - middle;
        let offset = offset - tau * (offset / tau).round();
        let a = Panorama::band_at(base + offset, n.tilt);
        (a.u, a.v)
    });
    (*street.band(), Corners(at))
}

fn poster_corners(poster: &Poster, corners: &[Node; 4]) -> (Region, Corners) {
    let (w, h) = (poster.texture.width as f64, poster.texture.height as f64);
    let scale = w / 2.0 / (poster.hfov_deg.to_radians() / 2.0).tan();
    let at = corners.map(|n| {
        let depth = n.d[2].max(1e-3);
        (
            w / 2.0 + n.d[0] / depth * scale,
            h / 2.0 - n.d[1] / depth * scale,
        )
    });
    (poster.texture.whole(), Corners(at))
}

#[cfg(test)]
mod tests;
