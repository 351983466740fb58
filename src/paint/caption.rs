//! The reason on a covered frame: dark text in a lighter box, in the middle.
//!
//! Luma only, and only on frames that are wholly grey. Must not know reasons.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::GREY;
use crate::frame::FrameMut;

/// The luma of the text.
const INK: u8 = 40;
/// The luma of the box: a little above [`GREY`], so that the text stands calmly.
const PAPER: u8 = 160;
/// Text longer than this is cut, with an ellipsis.
const LONGEST: usize = 64;

/// Draws `text` in the middle of `frame`, cut to what fits. A frame too small
/// for a legible word stays plain.
pub(super) fn draw(frame: &mut FrameMut<'_>, text: &str) {
    let (width, height) = (frame.size().width as usize, frame.size().height as usize);
    let Some(font) = Font::fitting(height) else {
        return;
    };
    let letters = fit(
        text,
        LONGEST.min(width.saturating_sub(2 * font.height) / font.width),
    );
    if letters.is_empty() {
        return;
    }
    let inner = letters.len() * font.width;
    let left = (width - inner) / 2;
    let top = (height - font.height) / 2;
    let pad = font.height / 2;
    for y in top - pad..top + font.height + pad {
        if let Some(row) = frame.row_mut(0, y).get_mut(left - pad..left + inner + pad) {
            row.fill(PAPER);
        }
    }
    for (i, letter) in letters.into_iter().enumerate() {
        font.draw(frame, letter, left + i * font.width, top);
    }
}

/// The letters of `text` that can be drawn, at most `room` of them.
fn fit(text: &str, room: usize) -> Vec<char> {
    let mut letters: Vec<char> = text
        .chars()
        .map(|c| if is_drawable(c) { c } else { '?' })
        .collect();
    if letters.len() > room {
        letters.truncate(room.saturating_sub(3));
        if !letters.is_empty() {
            letters.extend(['.'; 3]);
        }
    }
    letters
}

fn is_drawable(c: char) -> bool {
    get_raster(c, FontWeight::Regular, RasterHeight::Size16).is_some()
}

/// One of the font's sizes, blown up by a whole factor.
struct Font {
    raster: RasterHeight,
    scale: usize,
    width: usize,
    height: usize,
}

impl Font {
    /// About a thirtieth of the picture's height, never under 16 px.
    fn fitting(frame_height: usize) -> Option<Self> {
        let (raster, scale) = match frame_height {
            0..64 => return None,
            64..540 => (RasterHeight::Size16, 1),
            540..900 => (RasterHeight::Size24, 1),
            _ => (RasterHeight::Size32, frame_height.div_ceil(1440)),
        };
        Some(Self {
            raster,
            scale,
            width: get_raster_width(FontWeight::Regular, raster) * scale,
            height: raster.val() * scale,
        })
    }

    fn draw(&self, frame: &mut FrameMut<'_>, letter: char, left: usize, top: usize) {
        let Some(glyph) = get_raster(letter, FontWeight::Regular, self.raster) else {
            return;
        };
        for y in 0..self.height {
            let line = glyph.rows().nth(y / self.scale).unwrap_or(&[]);
            let Some(row) = frame.row_mut(0, top + y).get_mut(left..left + self.width) else {
                continue;
            };
            for (sample, &ink) in row.chunks_mut(self.scale).zip(line) {
                sample.fill(blend(ink));
            }
        }
    }
}

/// `ink` of 255 parts [`INK`] on [`PAPER`].
fn blend(ink: u8) -> u8 {
    let (ink, paper) = (u32::from(ink), 255 - u32::from(ink));
    ((ink * u32::from(INK) + paper * u32::from(PAPER)) / 255) as u8
}

const _: () = assert!(INK < GREY && GREY < PAPER);
