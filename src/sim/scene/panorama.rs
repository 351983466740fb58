//! The street painted once, as seen from the camera: a band around the horizon
//! (equirectangular) and a disc of ground under the camera (gnomonic), where an
//! equirectangular picture would tear at the nadir.

use super::texture::{self, Colour};
use super::{CAMERA_HEIGHT_M, Solid, solids};

/// Width of the band in texels; it repeats after this.
pub const BAND_WIDTH: usize = 8192;
/// Texels of the band's beginning that are repeated after its end, so that no
/// reader need wrap inside a block.
const BAND_PAD: usize = 512;
const TEXELS_PER_RAD: f64 = BAND_WIDTH as f64 / std::f64::consts::TAU;
/// The band's upper edge in degrees; above is the sky of that edge.
const BAND_TOP_DEG: f64 = 50.0;
/// The band's lower edge in degrees.
const BAND_BOTTOM_DEG: f64 = -57.0;
/// Below this tilt the disc is used.
const DISC_BELOW_DEG: f64 = -53.0;
/// Half the disc's side, as a multiple of the camera's height.
const DISC_REACH: f64 = 0.95;
const DISC_SIZE: usize = 2560;

/// Planes of a texture: luma, and chroma (U, V interleaved) at half size.
#[derive(Debug)]
pub struct Texture {
    /// Luma texels, `width` per row.
    pub y: Vec<u8>,
    /// U and V, `width / 2` pairs per row.
    pub uv: Vec<[u8; 2]>,
    /// Texels per row, even.
    pub width: usize,
    /// Rows, even.
    pub height: usize,
}

/// The painted street.
#[derive(Debug)]
pub struct Panorama {
    band: Texture,
    disc: Texture,
    /// sin(tilt) below which the disc is used.
    disc_below: f64,
}

/// Y, U, V (BT.709, limited range) of a colour.
pub(crate) fn yuv(c: Colour) -> [u8; 3] {
    let [r, g, b] = c.map(|x| x.clamp(0.0, 255.0) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [
        (16.0 + 219.0 * y + 0.5) as u8,
        (128.0 + 224.0 * (b - y) / 1.8556 + 0.5) as u8,
        (128.0 + 224.0 * (r - y) / 1.5748 + 0.5) as u8,
    ]
}

/// Where a direction lies in a texture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) u: f64,
    pub(crate) v: f64,
}

impl Panorama {
    /// Paints the street; takes a second or two of one core.
    pub fn paint() -> Self {
        Self {
            band: paint_band(),
            disc: paint_disc(),
            disc_below: DISC_BELOW_DEG.to_radians().sin(),
        }
    }

    /// Whether a unit direction is read from the disc.
    pub(crate) fn is_in_disc(&self, unit_y: f64) -> bool {
        unit_y < self.disc_below
    }

    pub(crate) fn band(&self) -> &Texture {
        &self.band
    }

    pub(crate) fn disc(&self) -> &Texture {
        &self.disc
    }

    /// Band texel of pan and tilt in radians; pan need not be wrapped.
    pub(crate) fn band_at(pan_rad: f64, tilt_rad: f64) -> At {
        At {
            u: pan_rad * TEXELS_PER_RAD,
            v: (BAND_TOP_DEG.to_radians() - tilt_rad) * TEXELS_PER_RAD,
        }
    }

    /// Disc texel of a direction that points downwards.
    pub(crate) fn disc_at(d: [f64; 3]) -> At {
        let scale = DISC_SIZE as f64 / 2.0;
        let depth = (-d[1]).max(1e-6);
        At {
            u: scale + d[0] / depth / DISC_REACH * scale,
            v: scale - d[2] / depth / DISC_REACH * scale,
        }
    }
}

fn paint_disc() -> Texture {
    let size = DISC_SIZE;
    let reach = DISC_REACH * CAMERA_HEIGHT_M;
    let mut out = Canvas::new(size, size);
    let mut column = vec![[0.0; 3]; size];
    for i in 0..size {
        let x = ((i as f64 + 0.5) / size as f64 * 2.0 - 1.0) * reach;
        for (j, texel) in column.iter_mut().enumerate() {
            let z = (1.0 - (j as f64 + 0.5) / size as f64 * 2.0) * reach;
            *texel = texture::ground(x, z, x.hypot(z).hypot(CAMERA_HEIGHT_M));
        }
        out.column(i, &column);
    }
    out.into_texture()
}

fn paint_band() -> Texture {
    let height = (((BAND_TOP_DEG - BAND_BOTTOM_DEG).to_radians() * TEXELS_PER_RAD) as usize) & !1;
    let things = solids();
    let tans: Vec<f64> = (0..height)
        .map(|row| {
            let tilt = BAND_TOP_DEG.to_radians() - (row as f64 + 0.5) / TEXELS_PER_RAD;
            tilt.tan()
        })
        .collect();
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    let chunk = (BAND_WIDTH / workers / 2) * 2;
    let parts: Vec<Canvas> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|k| {
                let from = k * chunk;
                let to = if k + 1 == workers {
                    BAND_WIDTH
                } else {
                    from + chunk
                };
                let (things, tans) = (&things, &tans);
                scope.spawn(move || {
                    let mut part = Canvas::new(to - from, tans.len());
                    let mut column = vec![[0.0; 3]; tans.len()];
                    for i in from..to {
                        let pan = (i as f64 + 0.5) / TEXELS_PER_RAD;
                        paint_column(pan, tans, things, &mut column);
                        part.column(i - from, &column);
                    }
                    part
                })
            })
            .collect();
        handles.into_iter().filter_map(|h| h.join().ok()).collect()
    });
    join(&parts, height)
}

/// Puts parts side by side and repeats the beginning after the end.
fn join(parts: &[Canvas], height: usize) -> Texture {
    let width = BAND_WIDTH + BAND_PAD;
    let mut y = Vec::with_capacity(width * height);
    let mut uv = Vec::with_capacity(width / 2 * height / 2);
    for row in 0..height {
        let start = y.len();
        for part in parts {
            y.extend_from_slice(&part.y[row * part.width..(row + 1) * part.width]);
        }
        y.extend_from_within(start..start + BAND_PAD);
    }
    for row in 0..height / 2 {
        let start = uv.len();
        for part in parts {
            let half = part.width / 2;
            for pair in &part.uv[row * half..(row + 1) * half] {
                uv.push([(pair[0] / 4) as u8, (pair[1] / 4) as u8]);
            }
        }
        uv.extend_from_within(start..start + BAND_PAD / 2);
    }
    Texture {
        y,
        uv,
        width,
        height,
    }
}

/// A texture being painted column by column; chroma is summed over 2 × 2.
struct Canvas {
    y: Vec<u8>,
    uv: Vec<[u16; 2]>,
    width: usize,
    height: usize,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self {
            y: vec![0; width * height],
            uv: vec![[2; 2]; width / 2 * (height / 2)],
            width,
            height,
        }
    }

    fn column(&mut self, i: usize, colours: &[Colour]) {
        for (j, &colour) in colours.iter().enumerate() {
            let [y, u, v] = yuv(colour);
            self.y[j * self.width + i] = y;
            let pair = &mut self.uv[j / 2 * (self.width / 2) + i / 2];
            pair[0] += u16::from(u);
            pair[1] += u16::from(v);
        }
    }

    fn into_texture(self) -> Texture {
        Texture {
            y: self.y,
            uv: self
                .uv
                .iter()
                .map(|p| [(p[0] / 4) as u8, (p[1] / 4) as u8])
                .collect(),
            width: self.width,
            height: self.height,
        }
    }
}

/// A surface met by the vertical plane of one column.
struct Hit<'a> {
    near: f64,
    far: f64,
    solid: &'a Solid,
}

/// Paints what stands in one direction of pan, far things first.
fn paint_column(pan: f64, tans: &[f64], things: &[Solid], out: &mut [Colour]) {
    let (sin, cos) = pan.sin_cos();
    for (texel, &tan) in out.iter_mut().zip(tans) {
        *texel = if tan < -0.004 {
            let distance = -CAMERA_HEIGHT_M / tan;
            texture::ground(distance * sin, distance * cos, distance)
        } else {
            texture::sky(pan, tan.atan())
        };
    }
    let mut hits: Vec<Hit<'_>> = things.iter().filter_map(|s| meet(s, sin, cos)).collect();
    hits.sort_by(|a, b| b.near.total_cmp(&a.near));
    for hit in &hits {
        paint_hit(hit, sin, cos, tans, out);
    }
}

fn meet(solid: &Solid, sin: f64, cos: f64) -> Option<Hit<'_>> {
    let (near, far) = match solid {
        Solid::Box { x, z, .. } | Solid::Slope { x, z, .. } => {
            let (n1, f1) = span(x[0], x[1], sin)?;
            let (n2, f2) = span(z[0].min(z[1]), z[0].max(z[1]), cos)?;
            (n1.max(n2), f1.min(f2))
        }
        Solid::Tree { x, z, radius, .. } => {
            let along = x * sin + z * cos;
            let across = x * cos - z * sin;
            if across.abs() > radius * 1.2 {
                return None;
            }
            (along, along)
        }
    };
    (near <= far && near > 0.5).then_some(Hit { near, far, solid })
}

/// Where a ray with slope `s` per metre lies between `low` and `high`.
fn span(low: f64, high: f64, s: f64) -> Option<(f64, f64)> {
    if s.abs() < 1e-9 {
        return (low <= 0.0 && high >= 0.0).then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let (a, b) = (low / s, high / s);
    Some((a.min(b), a.max(b)))
}

/// The rows from height `top` to height `bottom` at their distances.
fn rows(tans: &[f64], top: f64, bottom: f64) -> std::ops::Range<usize> {
    let first = tans.partition_point(|&t| t > top);
    let last = tans.partition_point(|&t| t > bottom);
    first..last.max(first)
}

fn paint_hit(hit: &Hit<'_>, sin: f64, cos: f64, tans: &[f64], out: &mut [Colour]) {
    let rise = |h: f64, d: f64| (h - CAMERA_HEIGHT_M) / d;
    let d = hit.near;
    match *hit.solid {
        Solid::Box { x, z, y, material } => {
            let (px, pz) = (d * sin, d * cos);
            let on_z = (pz - z[0]).abs() < 1e-6 || (pz - z[1]).abs() < 1e-6;
            let along = if on_z { px - x[0] } else { pz - z[0] };
            for row in rows(tans, rise(y[1], d), rise(y[0], d)) {
                let h = CAMERA_HEIGHT_M + d * tans[row];
                let c = texture::wall(material, along, h, on_z, d);
                // The sun stands in the south-west: faces across are darker.
                out[row] = if on_z { c } else { c.map(|v| v * 0.82) };
            }
            if y[1] < CAMERA_HEIGHT_M {
                for row in rows(tans, rise(y[1], hit.far), rise(y[1], d)) {
                    let at = (y[1] - CAMERA_HEIGHT_M) / tans[row];
                    out[row] = texture::top(material, at * sin, at * cos);
                }
            }
        }
        Solid::Slope { x, z, y, material } => {
            let slope = (y[1] - y[0]) / (z[1] - z[0]);
            let height_at = |d: f64| y[0] + (d * cos - z[0]) * slope;
            let (low, high) = (height_at(d), height_at(hit.far));
            for row in rows(tans, rise(high, hit.far), rise(low, d)) {
                let at = (y[0] - z[0] * slope - CAMERA_HEIGHT_M) / (tans[row] - cos * slope);
                let h = CAMERA_HEIGHT_M + at * tans[row];
                out[row] = texture::wall(material, at * sin - x[0], h, true, at);
            }
        }
        Solid::Tree {
            x,
            z,
            crown_y,
            radius,
        } => {
            let across = x * cos - z * sin;
            for row in rows(tans, rise(crown_y + radius * 1.3, d), rise(0.0, d)) {
                let h = CAMERA_HEIGHT_M + d * tans[row];
                if let Some(c) = texture::tree(across, h, crown_y, radius) {
                    out[row] = c;
                }
            }
        }
    }
}
