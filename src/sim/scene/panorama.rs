//! The street painted once, as seen from the camera: a band around the horizon
//! (equirectangular) and a disc of ground under the camera (gnomonic), where an
//! equirectangular picture would tear at the nadir.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

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
/// First column of the disc in the texture, beside the band.
const DISC_AT: usize = BAND_WIDTH + BAND_PAD;

/// Planes of a texture: luma, and chroma at half size.
#[derive(Debug)]
pub struct Texture {
    /// Luma texels, `width` per row.
    pub y: Vec<u8>,
    /// U, `width / 2` per row.
    pub u: Vec<u8>,
    /// V, `width / 2` per row.
    pub v: Vec<u8>,
    /// Texels per row, even, below 32,768.
    pub width: usize,
    /// Rows, even, below 32,768.
    pub height: usize,
}

impl Texture {
    fn grey(width: usize, height: usize) -> Self {
        Self {
            y: vec![16; width * height],
            u: vec![128; width * height / 4],
            v: vec![128; width * height / 4],
            width,
            height,
        }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Region {
        Region {
            low: [0.0, 0.0],
            high: [self.width as f64, self.height as f64],
        }
    }
}

/// A rectangle of a texture, in texels: its upper left and lower right corner.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Region {
    pub(crate) low: [f64; 2],
    pub(crate) high: [f64; 2],
}

/// The painted street: one texture with the band at its left and the disc at
/// its right.
#[derive(Debug)]
pub struct Panorama {
    texture: Texture,
    band: Region,
    disc: Region,
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
        let height =
            (((BAND_TOP_DEG - BAND_BOTTOM_DEG).to_radians() * TEXELS_PER_RAD) as usize) & !1;
        let mut texture = Texture::grey(DISC_AT + DISC_SIZE, height.max(DISC_SIZE));
        paint_band(&mut texture, height);
        paint_disc(&mut texture);
        let (disc, size) = (DISC_AT as f64, DISC_SIZE as f64);
        Self {
            texture,
            band: Region {
                low: [0.0, 0.0],
                high: [disc, height as f64],
            },
            disc: Region {
                low: [disc, 0.0],
                high: [disc + size, size],
            },
            disc_below: DISC_BELOW_DEG.to_radians().sin(),
        }
    }

    /// Whether a unit direction is read from the disc.
    pub(crate) fn is_in_disc(&self, unit_y: f64) -> bool {
        unit_y < self.disc_below
    }

    pub(crate) fn texture(&self) -> &Texture {
        &self.texture
    }

    pub(crate) fn band(&self) -> &Region {
        &self.band
    }

    pub(crate) fn disc(&self) -> &Region {
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
            u: DISC_AT as f64 + scale + d[0] / depth / DISC_REACH * scale,
            v: scale - d[2] / depth / DISC_REACH * scale,
        }
    }
}

/// Columns painted between two looks at what is left to do: enough that
/// threads rarely meet, few enough that they end together.
const COLUMNS: usize = 64;

/// Paints columns of a texture on all cores; `paint` fills one of `rows` texels.
fn on_all_cores(
    texture: &mut Texture,
    columns: std::ops::Range<usize>,
    rows: usize,
    paint: impl Fn(usize, &mut [Colour]) + Sync,
) {
    let next = AtomicUsize::new(columns.start);
    let texture = Mutex::new(texture);
    let work = || {
        let mut column = vec![[0.0; 3]; rows];
        let mut part = Part::new(rows);
        loop {
            let first = next.fetch_add(COLUMNS, Ordering::Relaxed);
            if first >= columns.end {
                break;
            }
            let count = COLUMNS.min(columns.end - first);
            part.clear();
            for i in 0..count {
                paint(first + i - columns.start, &mut column);
                part.column(i, &column);
            }
            part.put(
                &mut texture.lock().unwrap_or_else(PoisonError::into_inner),
                first,
                count,
            );
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
}

fn paint_disc(texture: &mut Texture) {
    let size = DISC_SIZE as f64;
    let reach = DISC_REACH * CAMERA_HEIGHT_M;
    on_all_cores(
        texture,
        DISC_AT..DISC_AT + DISC_SIZE,
        DISC_SIZE,
        |i, column| {
            let x = ((i as f64 + 0.5) / size * 2.0 - 1.0) * reach;
            for (j, texel) in column.iter_mut().enumerate() {
                let z = (1.0 - (j as f64 + 0.5) / size * 2.0) * reach;
                *texel = texture::ground(x, z, x.hypot(z).hypot(CAMERA_HEIGHT_M));
            }
        },
    );
}

/// Paints the band and repeats its beginning after its end.
fn paint_band(texture: &mut Texture, height: usize) {
    let things = solids();
    let tans: Vec<f64> = (0..height)
        .map(|row| {
            let tilt = BAND_TOP_DEG.to_radians() - (row as f64 + 0.5) / TEXELS_PER_RAD;
            tilt.tan()
        })
        .collect();
    on_all_cores(texture, 0..BAND_WIDTH, height, |i, column| {
        let pan = (i as f64 + 0.5) / TEXELS_PER_RAD;
        paint_column(pan, &tans, &things, column);
    });
    let width = texture.width;
    for row in texture.y.chunks_exact_mut(width).take(height) {
        row.copy_within(..BAND_PAD, BAND_WIDTH);
    }
    for plane in [&mut texture.u, &mut texture.v] {
        for row in plane.chunks_exact_mut(width / 2).take(height / 2) {
            row.copy_within(..BAND_PAD / 2, BAND_WIDTH / 2);
        }
    }
}

/// Some columns of a texture being painted; chroma is summed over 2 × 2.
struct Part {
    y: Vec<u8>,
    uv: Vec<[u16; 2]>,
}

impl Part {
    fn new(rows: usize) -> Self {
        Self {
            y: vec![0; COLUMNS * rows],
            uv: vec![[2; 2]; COLUMNS / 2 * rows / 2],
        }
    }

    /// Chroma begins with half of what it is divided by, to be rounded.
    fn clear(&mut self) {
        self.uv.fill([2; 2]);
    }

    fn column(&mut self, i: usize, colours: &[Colour]) {
        for (j, &colour) in colours.iter().enumerate() {
            let [y, u, v] = yuv(colour);
            self.y[j * COLUMNS + i] = y;
            let pair = &mut self.uv[j / 2 * (COLUMNS / 2) + i / 2];
            pair[0] += u16::from(u);
            pair[1] += u16::from(v);
        }
    }

    fn put(&self, texture: &mut Texture, first: usize, count: usize) {
        let width = texture.width;
        let rows = self.y.chunks_exact(COLUMNS);
        for (row, part) in texture.y.chunks_exact_mut(width).zip(rows) {
            row[first..first + count].copy_from_slice(&part[..count]);
        }
        let (half, from, count) = (width / 2, first / 2, count / 2);
        for (j, part) in self.uv.chunks_exact(COLUMNS / 2).enumerate() {
            for (i, pair) in part[..count].iter().enumerate() {
                texture.u[j * half + from + i] = (pair[0] / 4) as u8;
                texture.v[j * half + from + i] = (pair[1] / 4) as u8;
            }
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
