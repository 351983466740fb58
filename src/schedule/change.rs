//! Where a picture differs from the one before it.

use crate::detect::PixelBox;
use crate::frame::FrameRef;
use crate::geom::Size;

/// Every n-th luma sample of every n-th row is compared: a face of 16 samples
/// holds four of them.
const EVERY: usize = 8;
/// A sample has changed when it differs by more than this, of 255: more than
/// what compression does to a picture that stands still.
const CHANGED: u8 = 18;
/// Something moved where at least so many samples changed.
const MOVED: usize = 3;

/// Remembers the samples of the last picture.
#[derive(Debug, Default)]
pub(super) struct Changes {
    last: Option<(Size, Vec<u8>)>,
}

impl Changes {
    /// For each of `areas`, whether something moved there since the last
    /// picture; everywhere when there was none, or one of another size.
    pub(super) fn moved(&mut self, picture: &FrameRef<'_>, areas: &[PixelBox]) -> Vec<bool> {
        let size = picture.size();
        let columns = (size.width as usize).div_ceil(EVERY);
        let mut now = Vec::with_capacity(columns * (size.height as usize).div_ceil(EVERY));
        for y in (0..size.height as usize).step_by(EVERY) {
            now.extend(picture.row(0, y).iter().step_by(EVERY));
        }
        let before = self.last.replace((size, now));
        let now = self.last.as_ref().map_or(&[][..], |(_, now)| now);
        match before {
            Some((of, before)) if of == size => areas
                .iter()
                .map(|area| count(&before, now, columns, area) >= MOVED)
                .collect(),
            _ => vec![true; areas.len()],
        }
    }
}

fn count(before: &[u8], now: &[u8], columns: usize, area: &PixelBox) -> usize {
    let cell = |v: f64| (v.max(0.0) / EVERY as f64) as usize;
    let (x0, x1) = (cell(area.x0), cell(area.x1 - 1.0).min(columns - 1));
    (cell(area.y0)..=cell(area.y1 - 1.0))
        .filter_map(|y| {
            let row = y * columns + x0..=y * columns + x1;
            Some((before.get(row.clone())?, now.get(row)?))
        })
        .map(|(a, b)| {
            a.iter()
                .zip(b)
                .filter(|(a, b)| a.abs_diff(**b) > CHANGED)
                .count()
        })
        .sum()
}
