//! Who has a still, written all over it.
//!
//! Lines of text rise across the picture, one with the name, the next with the
//! camera and the time, each repeated without end, so close that every useful
//! crop bears some. White strokes with a dark shadow show on any ground. How
//! strongly each pixel is tinted is chance, and so is where the lines begin:
//! whoever knows this source still cannot compute the picture beneath.

use crate::geom::Size;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use rand::Rng;

/// The lines rise by this much.
const RISE_DEG: f64 = 24.0;
/// From one line to the next, as a multiple of the letters' height.
const PITCH: f64 = 1.75;
/// The shadow lies so far to the right and below, pixels.
const SHADOW_PX: f64 = 1.5;
/// The least and the most that a stroke covers what is beneath it, of 255.
const FAINTEST: u32 = 90;
const STRONGEST: u32 = 190;

/// What is written over a still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    lines: [Vec<char>; 2],
}

impl Mark {
    /// Who has it, of which camera, and when (UTC).
    pub fn new(name: &str, camera: &str, time_utc: &str) -> Self {
        let letters = |text: String| text.chars().collect();
        Self {
            lines: [
                letters(format!("{name} ")),
                letters(format!("{camera} {time_utc} ")),
            ],
        }
    }
}

/// Writes `mark` all over 8-bit RGB without gaps.
pub(super) fn put(mark: &Mark, rgb: &mut [u8], size: Size, chance: &mut impl Rng) {
    let lines = Lines::new(mark, size, chance);
    let row_bytes = 3 * (size.width as usize).max(1);
    for (y, row) in rgb.chunks_mut(row_bytes).enumerate() {
        for (x, pixel) in row.chunks_mut(3).enumerate() {
            let (x, y) = (x as f64, y as f64);
            let ink = lines.ink(x, y);
            let shadow = lines.ink(x - SHADOW_PX, y - SHADOW_PX);
            if ink > 0 {
                tint(pixel, 255, ink, chance);
            } else if shadow > 0 {
                tint(pixel, 0, shadow, chance);
            }
        }
    }
}

/// Draws `pixel` towards `colour`, as strongly as `ink` and chance say.
fn tint(pixel: &mut [u8], colour: u8, ink: u8, chance: &mut impl Rng) {
    let share = chance.random_range(FAINTEST..=STRONGEST) * u32::from(ink) / 255;
    for sample in pixel {
        let mixed = u32::from(colour) * share + u32::from(*sample) * (255 - share);
        *sample = u8::try_from(mixed / 255).unwrap_or(u8::MAX);
    }
}

/// The lines of text in their own coordinates.
struct Lines {
    glyphs: [Vec<Option<&'static [u8]>>; 2],
    letter_width: usize,
    letter_height: usize,
    cos: f64,
    sin: f64,
    pitch: f64,
    begin: f64,
}

impl Lines {
    fn new(mark: &Mark, size: Size, chance: &mut impl Rng) -> Self {
        let raster = match size.height {
            0..540 => RasterHeight::Size16,
            540..900 => RasterHeight::Size24,
            _ => RasterHeight::Size32,
        };
        let glyph = |letter: &char| match letter {
            ' ' => None,
            letter => get_raster(*letter, FontWeight::Regular, raster)
                .or_else(|| get_raster('?', FontWeight::Regular, raster))
                .map(|glyph| glyph.pixels()),
        };
        let (sin, cos) = RISE_DEG.to_radians().sin_cos();
        let letter_height = raster.val();
        Self {
            glyphs: [0, 1].map(|n| mark.lines[n].iter().map(glyph).collect()),
            letter_width: get_raster_width(FontWeight::Regular, raster),
            letter_height,
            cos,
            sin,
            pitch: PITCH * letter_height as f64,
            begin: chance.random_range(0.0..4096.0),
        }
    }

    /// How much of a stroke lies on a pixel, of 255.
    fn ink(&self, x: f64, y: f64) -> u8 {
        let across = x * self.sin + y * self.cos + self.begin;
        let line = (across / self.pitch).floor();
        let row = (across - line * self.pitch) as usize;
        if row >= self.letter_height {
            return 0;
        }
        let glyphs = &self.glyphs[usize::from(line.rem_euclid(2.0) >= 1.0)];
        let period = (glyphs.len() * self.letter_width) as f64;
        // Each line begins elsewhere in its text: what a crop cuts off one line,
        // it has of another.
        let along = x * self.cos - y * self.sin + self.begin + line * 0.309 * period;
        let place = along.rem_euclid(period) as usize;
        let (letter, column) = (place / self.letter_width, place % self.letter_width);
        let glyph = glyphs.get(letter).copied().flatten();
        glyph
            .and_then(|pixels| pixels.get(row * self.letter_width + column))
            .copied()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    /// How many pixels of the least marked 64×64 block changed visibly.
    fn least_marked(before: &[u8], after: &[u8], size: Size) -> usize {
        let (width, height) = (size.width as usize, size.height as usize);
        let mut least = usize::MAX;
        for top in (0..=height - 64).step_by(16) {
            for left in (0..=width - 64).step_by(16) {
                let changed = (top..top + 64)
                    .flat_map(|y| (left..left + 64).map(move |x| 3 * (y * width + x)))
                    .filter(|&at| before[at].abs_diff(after[at]) >= 40)
                    .count();
                least = least.min(changed);
            }
        }
        least
    }

    #[test]
    fn every_block_of_64_pixels_is_marked_on_any_ground() {
        // As thin as names can be, and as long.
        let [long, dots, dashes] = ["x", ".", "-"].map(|letter| letter.repeat(64));
        for (name, camera, fewest) in [
            ("iris", "street", 30),
            (&long, &long, 30),
            ("j", "1", 30),
            (&dots, &dashes, 10),
        ] {
            let mark = Mark::new(name, camera, "2026-11-22 12:00:00 UTC");
            // The letters' height follows the picture's.
            for side in [size(320, 360), size(320, 720), size(320, 1080)] {
                for ground in [0, 128, 255] {
                    let before = vec![ground; (side.width * side.height * 3) as usize];
                    let mut after = before.clone();
                    put(&mark, &mut after, side, &mut StdRng::seed_from_u64(7));
                    let least = least_marked(&before, &after, side);
                    assert!(least >= fewest, "{name} on {ground}, {side:?}: {least}");
                    // One can still draw on it.
                    let free = before.iter().zip(&after).filter(|(b, a)| b == a).count();
                    assert!(free * 2 > before.len(), "{free} of {}", before.len());
                }
            }
        }
    }

    #[test]
    fn who_has_the_source_and_not_the_chance_cannot_take_it_off() {
        let mark = Mark::new("iris", "street", "2026-11-22 12:00:00 UTC");
        let side = size(320, 180);
        let [one, other] = [1, 2].map(|seed| {
            let mut rgb = vec![100; 320 * 180 * 3];
            // The same beginning, so that only the strength differs.
            let lines = Lines::new(&mark, side, &mut StdRng::seed_from_u64(9));
            let mut chance = StdRng::seed_from_u64(seed);
            for (at, pixel) in rgb.chunks_mut(3).enumerate() {
                let ink = lines.ink((at % 320) as f64, (at / 320) as f64);
                if ink > 0 {
                    tint(pixel, 255, ink, &mut chance);
                }
            }
            rgb
        });
        let marked = one.iter().filter(|v| **v != 100).count();
        let differ = one.iter().zip(&other).filter(|(a, b)| a != b).count();
        assert!(differ * 2 > marked, "{differ} of {marked}");
    }
}
