//! A street on a sphere, as small pictures of it: for tests.

use super::compare::Outlook;
use super::small::Small;
use crate::geom::{Angle, Direction, Gaze, Mount, Optics, PixelPoint, Size, View};

pub(super) const SIZE: Size = Size {
    width: 320,
    height: 180,
};

/// A camera that looks to pan, tilt with a field of view, degrees.
pub(super) fn outlook([pan, tilt, hfov]: [f64; 3]) -> Outlook {
    Outlook {
        gaze: Gaze {
            pan: Angle::from_deg(pan),
            tilt: Angle::from_deg(tilt),
            roll: Angle::default(),
        },
        focal: View::focal_px_of(Angle::from_deg(hfov), SIZE.width),
        optics: Optics::default(),
        mount: Mount::default(),
    }
}

/// What there is to see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Street {
    pub(super) brightness: f64,
    /// The most by which a cell's brightness is off.
    pub(super) noise: i32,
    /// Something that hides this share of the picture, moved by so many cells.
    pub(super) lorry: Option<(f64, f64)>,
    /// The camera writes on its picture.
    pub(super) caption: bool,
}

impl Default for Street {
    fn default() -> Self {
        Self {
            brightness: 1.0,
            noise: 0,
            lorry: None,
            caption: false,
        }
    }
}

/// A hash of whole numbers, −1…1.
fn rough(x: i64, y: i64, z: i64) -> f64 {
    let mut h = (x.wrapping_mul(0x9E37_79B9) ^ y.wrapping_mul(0x85EB_CA6B))
        .wrapping_add(z.wrapping_mul(0xC2B2_AE35)) as u64;
    h ^= h >> 15;
    h = h.wrapping_mul(0x2545_F491_4F6C_DD1D);
    h ^= h >> 29;
    (h % 2001) as f64 / 1000.0 - 1.0
}

/// Smooth between whole numbers.
fn smooth(p: [f64; 3]) -> f64 {
    let base = p.map(f64::floor);
    let part = [0, 1, 2].map(|i| p[i] - base[i]);
    let mut sum = 0.0;
    for corner in 0..8_usize {
        let bit = [corner & 1, corner >> 1 & 1, corner >> 2 & 1];
        let weight: f64 = (0..3)
            .map(|i| if bit[i] == 1 { part[i] } else { 1.0 - part[i] })
            .product();
        let at = [0, 1, 2].map(|i| base[i] as i64 + bit[i] as i64);
        sum += weight * rough(at[0], at[1], at[2]);
    }
    sum
}

fn brightness(d: Direction) -> f64 {
    // Patches of 12°, 3° and half a degree.
    [5.0, 20.0, 110.0]
        .into_iter()
        .map(|n| smooth(d.vector().map(|v| v * n)))
        .sum()
}

impl Street {
    /// The picture of a camera that looks as [`outlook`] says.
    pub(super) fn seen(self, at: [f64; 3]) -> Small {
        let Outlook {
            gaze,
            focal,
            optics,
            mount,
        } = outlook(at);
        let view = View::new(gaze, focal, SIZE, optics, mount).unwrap();
        let (width, height) = (f64::from(SIZE.width), f64::from(SIZE.height));
        let cell = |i: u32| {
            let (x, y) = (
                f64::from(i % SIZE.width) + 0.5,
                f64::from(i / SIZE.width) + 0.5,
            );
            let lorry = self.lorry.filter(|&(share, _)| x < share * width);
            let caption = self.caption && y < 0.12 * height;
            let level = if caption {
                3.0 * rough(x as i64 / 4, y as i64 / 4, 7)
            } else if let Some((_, moved)) = lorry {
                2.0 * smooth([(x + moved) / 9.0, y / 9.0, 0.0])
            } else {
                brightness(view.unproject(PixelPoint { x, y }))
            };
            let noise = (f64::from(self.noise) * rough(i64::from(i), at[0] as i64, 3)).round();
            let lit = if caption { 1.0 } else { self.brightness };
            ((128.0 + 40.0 * level) * lit + noise).clamp(0.0, 255.0) as u8
        };
        Small::from_luma(SIZE, (0..SIZE.width * SIZE.height).map(cell).collect())
    }
}
