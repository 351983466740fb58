//! From a coverage to bytes: runs of grey in luma and chroma planes.
//!
//! Writes nothing but [`GREY`] and [`NEUTRAL`]; must not know regions.

use super::bits::each_run;
use super::{Coverage, GREY, NEUTRAL};
use crate::frame::{FrameMut, PixelFormat, plane_extent};

/// The left luma sample of each pair that shares a chroma sample.
const LEFT_OF_PAIR: u64 = 0x5555_5555_5555_5555;

/// Paints every plane grey, all of it.
pub(super) fn cover(frame: &mut FrameMut<'_>) {
    for plane in 0..frame.plane_count() {
        let (_, rows) = plane_extent(frame.format(), frame.size(), plane);
        let value = if plane == 0 { GREY } else { NEUTRAL };
        for y in 0..rows {
            frame.row_mut(plane, y).fill(value);
        }
    }
}

/// Paints the hidden samples grey. `coverage` must be of the frame's size.
pub(super) fn paint(frame: &mut FrameMut<'_>, coverage: &Coverage) {
    let height = frame.size().height as usize;
    for y in 0..height {
        let words = coverage.row(y).iter().copied();
        let row = frame.row_mut(0, y);
        each_run(words, |xs| {
            let end = xs.end.min(row.len());
            if let Some(run) = row.get_mut(xs.start..end) {
                run.fill(GREY);
            }
        });
    }
    // How many bytes a chroma sample takes in its plane.
    let step = match frame.format() {
        PixelFormat::I420 => 1,
        PixelFormat::Nv12 => 2,
    };
    for plane in 1..frame.plane_count() {
        for cy in 0..height.div_ceil(2) {
            let row = frame.row_mut(plane, cy);
            each_run(chroma_words(coverage, cy), |xs| {
                let end = (xs.end / 2 * step).min(row.len());
                if let Some(run) = row.get_mut(xs.start / 2 * step..end) {
                    run.fill(NEUTRAL);
                }
            });
        }
    }
}

/// The words of chroma row `cy`, still one bit a *luma* column: both bits of a
/// pair are set when any of the four luma samples is hidden.
fn chroma_words(coverage: &Coverage, cy: usize) -> impl Iterator<Item = u64> + '_ {
    let upper = coverage.row(2 * cy);
    // An odd height leaves the last chroma row with one luma row.
    let lower = coverage
        .row(2 * cy + 1)
        .iter()
        .copied()
        .chain(std::iter::repeat(0));
    upper.iter().zip(lower).map(|(upper, lower)| {
        let either = upper | lower;
        let pair = (either | either >> 1) & LEFT_OF_PAIR;
        pair | pair << 1
    })
}
