//! Pictures of zones: a frame or the whole panorama, for people.
//!
//! Asks pixel by pixel whether its direction is inside a zone; shares nothing
//! with the masking of streams but the zones themselves, so that a picture can
//! contradict it. Margins are not drawn.

use anyhow::{Context, bail};
use greyplane::geom::{Angle, Direction, ImagePoint, PixelPoint, Size, View};
use greyplane::zone::{Mode, ZoneSet};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

type Rgb = [u8; 3];

const SKY: Rgb = [214, 226, 236];
const GROUND: Rgb = [206, 202, 190];
const GRID: Rgb = [168, 172, 176];
const HORIZON: Rgb = [96, 108, 120];
const INK: Rgb = [40, 44, 48];
const GREY: Rgb = [112, 112, 112];
const HIDE_RIM: Rgb = [196, 32, 40];
const SHOW_RIM: Rgb = [20, 140, 60];

/// How much of what is hidden still shows through, so that one sees what it is.
const SHOWS_THROUGH: f64 = 0.3;
/// The width of a zone's rim.
const RIM_PX: usize = 2;
/// Digits are this many pixels for one of their dots.
const DOT_PX: usize = 2;

/// From where the zones are looked at.
pub(crate) enum Lookout {
    /// Through a camera.
    Frame(View),
    /// All around: pan −180° to 180° across, tilt 90° to −90° down.
    Panorama(Size),
}

impl Lookout {
    fn direction(&self, at: PixelPoint) -> Direction {
        match self {
            Self::Frame(view) => view.unproject(at),
            Self::Panorama(size) => Direction::from_pan_tilt(
                Angle::from_deg(360.0 * at.x / f64::from(size.width) - 180.0),
                Angle::from_deg(90.0 - 180.0 * at.y / f64::from(size.height)),
            ),
        }
    }

    fn pixel(&self, direction: Direction) -> Option<PixelPoint> {
        match self {
            Self::Frame(view) => view.project(direction),
            Self::Panorama(size) => {
                let (pan, tilt) = direction.pan_tilt();
                Some(PixelPoint {
                    x: (pan.deg() + 180.0) / 360.0 * f64::from(size.width),
                    y: (90.0 - tilt.deg()) / 180.0 * f64::from(size.height),
                })
            }
        }
    }

    /// Degrees between grid lines: some six to ten of them in the picture.
    fn grid_deg(&self) -> f64 {
        let Self::Frame(view) = self else { return 30.0 };
        let hfov = 2.0 * (0.5 * f64::from(view.size().width) / view.focal_px()).atan();
        [0.5, 1.0, 2.0, 5.0]
            .into_iter()
            .find(|step| hfov.to_degrees() / step <= 12.0)
            .unwrap_or(10.0)
    }
}

/// A picture that is drawn into.
pub(crate) struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<Rgb>,
}

impl Canvas {
    pub(crate) fn new(size: Size) -> Self {
        let (width, height) = (size.width as usize, size.height as usize);
        Self {
            width,
            height,
            pixels: vec![SKY; width * height],
        }
    }

    /// A PNG of any colour type, as RGB; transparency is ignored.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let mut decoder = png::Decoder::new(BufReader::new(File::open(path)?));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let (w, h) = (reader.info().width, reader.info().height);
        if w > 16_384 || h > 16_384 {
            bail!("{w}x{h} is larger than a frame");
        }
        let mut bytes = vec![0; reader.output_buffer_size().context("it is too large")?];
        let info = reader.next_frame(&mut bytes)?;
        let samples = info.color_type.samples();
        let pixels = bytes[..info.buffer_size()]
            .chunks_exact(samples)
            .map(|p| {
                if samples < 3 {
                    [p[0]; 3]
                } else {
                    [p[0], p[1], p[2]]
                }
            })
            .collect();
        Ok(Self {
            width: w as usize,
            height: h as usize,
            pixels,
        })
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let size = self.size();
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, size.width, size.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels.as_flattened())?;
        writer.finish()?;
        Ok(())
    }

    pub(crate) fn size(&self) -> Size {
        Size {
            width: u32::try_from(self.width).unwrap_or(u32::MAX),
            height: u32::try_from(self.height).unwrap_or(u32::MAX),
        }
    }

    /// Sky, ground, and lines of equal pan and tilt with their degrees.
    pub(crate) fn draw_grid(&mut self, lookout: &Lookout) {
        let step = lookout.grid_deg();
        let directions = self.directions(lookout);
        for y in 0..self.height {
            for x in 0..self.width {
                let here = directions[y * self.width + x];
                let right = directions[y * self.width + (x + 1).min(self.width - 1)];
                let below = directions[(y + 1).min(self.height - 1) * self.width + x];
                let lines = [right, below].map(|other| crossed(here, other, step));
                let tilt = here.pan_tilt().1.deg();
                self.pixels[y * self.width + x] = if lines.contains(&Some(HORIZON)) {
                    HORIZON
                } else if lines.contains(&Some(GRID)) {
                    GRID
                } else if tilt > 0.0 {
                    SKY
                } else {
                    GROUND
                };
            }
        }
        let (pans, tilts) = ((360.0 / step) as i32, (90.0 / step) as i32);
        for p in -pans / 2..pans / 2 {
            for t in -tilts + 1..tilts {
                let (pan, tilt) = (f64::from(p) * step, f64::from(t) * step);
                // Towards the poles they would cover each other.
                if tilt.abs() >= 70.0 && pan.rem_euclid(30.0) != 0.0 {
                    continue;
                }
                let corner = Direction::from_pan_tilt(Angle::from_deg(pan), Angle::from_deg(tilt));
                if let Some(at) = lookout.pixel(corner) {
                    self.draw_text(&format!("{pan},{tilt}"), at.x + 4.0, at.y + 4.0, GRID);
                }
            }
        }
    }

    /// Grey over what is hidden, a rim around every zone, and its number.
    pub(crate) fn draw_zones(&mut self, set: &ZoneSet, lookout: &Lookout) {
        let directions = self.directions(lookout);
        let mut hidden = vec![false; self.pixels.len()];
        let mut shown = vec![!set.has_show_only(); self.pixels.len()];
        let mut rims = Vec::new();
        for (index, zone) in set.zones().iter().enumerate() {
            let Some(inside) = self.inside(set, index, lookout, &directions) else {
                continue;
            };
            let kept = match zone.mode {
                Mode::Hide => &mut hidden,
                Mode::ShowOnly => &mut shown,
            };
            for (kept, inside) in kept.iter_mut().zip(&inside) {
                *kept |= inside;
            }
            rims.push((index, zone.mode, inside));
        }
        for ((pixel, hidden), shown) in self.pixels.iter_mut().zip(&hidden).zip(&shown) {
            if *hidden || !*shown {
                for (value, grey) in pixel.iter_mut().zip(GREY) {
                    let mixed =
                        SHOWS_THROUGH * f64::from(*value) + (1.0 - SHOWS_THROUGH) * f64::from(grey);
                    *value = mixed as u8;
                }
            }
        }
        for (index, mode, inside) in rims {
            let colour = match mode {
                Mode::Hide => HIDE_RIM,
                Mode::ShowOnly => SHOW_RIM,
            };
            self.draw_rim(&inside, colour);
            self.draw_number(index, &inside, colour);
        }
    }

    fn centres(&self) -> impl Iterator<Item = PixelPoint> + use<> {
        let (width, height) = (self.width, self.height);
        (0..height).flat_map(move |y| {
            (0..width).map(move |x| PixelPoint {
                x: x as f64 + 0.5,
                y: y as f64 + 0.5,
            })
        })
    }

    fn directions(&self, lookout: &Lookout) -> Vec<Direction> {
        self.centres().map(|at| lookout.direction(at)).collect()
    }

    /// Which pixels lie in a zone; `None` for a zone of the picture where there
    /// is no picture.
    fn inside(
        &self,
        set: &ZoneSet,
        zone: usize,
        lookout: &Lookout,
        directions: &[Direction],
    ) -> Option<Vec<bool>> {
        if let Some(polygon) = set.sphere_polygon(zone) {
            return Some(directions.iter().map(|d| polygon.contains(*d)).collect());
        }
        let (polygon, Lookout::Frame(_)) = (set.image_polygon(zone)?, lookout) else {
            return None;
        };
        let (w, h) = (self.width as f64, self.height as f64);
        let fraction = |at: PixelPoint| ImagePoint {
            x: at.x / w,
            y: at.y / h,
        };
        Some(
            self.centres()
                .map(|at| polygon.contains(fraction(at)))
                .collect(),
        )
    }

    fn draw_rim(&mut self, inside: &[bool], colour: Rgb) {
        for y in 0..self.height {
            for x in 0..self.width {
                let here = y * self.width + x;
                let left = y * self.width + x.saturating_sub(RIM_PX);
                let above = y.saturating_sub(RIM_PX) * self.width + x;
                if inside[here] != inside[left] || inside[here] != inside[above] {
                    self.pixels[here] = colour;
                }
            }
        }
    }

    /// The zone's number in the middle of its widest row nearest to its middle.
    fn draw_number(&mut self, index: usize, inside: &[bool], colour: Rgb) {
        let rows: Vec<usize> = (0..self.height)
            .filter(|y| inside[y * self.width..(y + 1) * self.width].contains(&true))
            .collect();
        let Some(&row) = rows.get(rows.len() / 2) else {
            return;
        };
        let line = &inside[row * self.width..(row + 1) * self.width];
        let (mut best, mut start) = (0..0, None);
        for x in 0..=self.width {
            match (line.get(x) == Some(&true), start) {
                (true, None) => start = Some(x),
                (false, Some(from)) => {
                    if x - from > best.len() {
                        best = from..x;
                    }
                    start = None;
                }
                _ => {}
            }
        }
        let text = index.to_string();
        let width = (4 * DOT_PX * text.len()) as f64;
        let x = (best.start + best.end) as f64 * 0.5 - 0.5 * width;
        let y = row as f64 - 2.5 * DOT_PX as f64;
        for (dx, dy) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)] {
            self.draw_text(&text, x + dx, y + dy, [255; 3]);
        }
        self.draw_text(&text, x, y, if colour == SHOW_RIM { SHOW_RIM } else { INK });
    }

    /// Digits, '-', '.' and ',' with their top left corner at x, y.
    fn draw_text(&mut self, text: &str, x: f64, y: f64, colour: Rgb) {
        let mut left = x.round();
        for c in text.chars() {
            for (row, dots) in glyph(c).iter().enumerate() {
                for column in (0..3).filter(|column| dots & (4 >> column) != 0) {
                    self.draw_dot(
                        left + (column * DOT_PX) as f64,
                        y.round() + (row * DOT_PX) as f64,
                        colour,
                    );
                }
            }
            left += (4 * DOT_PX) as f64;
        }
    }

    fn draw_dot(&mut self, x: f64, y: f64, colour: Rgb) {
        for dy in 0..DOT_PX {
            for dx in 0..DOT_PX {
                let (px, py) = (x + dx as f64, y + dy as f64);
                if px >= 0.0 && py >= 0.0 && px < self.width as f64 && py < self.height as f64 {
                    self.pixels[py as usize * self.width + px as usize] = colour;
                }
            }
        }
    }
}

/// The colour of the grid line between two neighbouring directions.
fn crossed(a: Direction, b: Direction, step_deg: f64) -> Option<Rgb> {
    let ((pan_a, tilt_a), (pan_b, tilt_b)) = (a.pan_tilt(), b.pan_tilt());
    // Lines of pan run together at the poles; only a few go all the way.
    let pan_step = if tilt_a.deg().abs() > 80.0 {
        30.0
    } else {
        step_deg
    };
    let cell = |angle: Angle, step: f64| (angle.deg() / step).floor();
    let seam = (pan_a.deg() - pan_b.deg()).abs() > 180.0;
    if cell(tilt_a, step_deg) != cell(tilt_b, step_deg) {
        let horizon = (tilt_a.deg() < 0.0) != (tilt_b.deg() < 0.0);
        Some(if horizon { HORIZON } else { GRID })
    } else if seam || cell(pan_a, pan_step) != cell(pan_b, pan_step) {
        Some(GRID)
    } else {
        None
    }
}

/// Five rows of three dots, the highest of three bits on the left.
fn glyph(c: char) -> [u8; 5] {
    match c {
        '0' => [7, 5, 5, 5, 7],
        '1' => [2, 6, 2, 2, 7],
        '2' => [7, 1, 7, 4, 7],
        '3' => [7, 1, 7, 1, 7],
        '4' => [5, 5, 7, 1, 1],
        '5' => [7, 4, 7, 1, 7],
        '6' => [7, 4, 7, 5, 7],
        '7' => [7, 1, 1, 2, 2],
        '8' => [7, 5, 7, 5, 7],
        '9' => [7, 5, 7, 1, 7],
        '-' => [0, 0, 7, 0, 0],
        '.' => [0, 0, 0, 0, 2],
        ',' => [0, 0, 0, 2, 4],
        _ => [0; 5],
    }
}
