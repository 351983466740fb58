//! Things as a few flat colours instead of grey, for those who ask for it.
//!
//! What is put here lies over samples that are already painted grey and were
//! read back as such: whatever goes wrong leaves grey. A thing keeps at most 25
//! mean colours; where it meets another thing, so that two grids over one face
//! would tell more than either, it keeps none. Zones are never touched: neither
//! is their inside part of a mean, nor is anything put over them.

use std::ops::Range;

use super::{Coverage, GREY, NEUTRAL};
use crate::frame::{FrameMut, PixelFormat};
use crate::geom::Size;
use crate::zone::{Mode, Region};

/// Cells along each side of a thing, at most.
const CELLS: usize = 5;
/// Samples along each side of a cell, at least.
const LEAST_CELL: usize = 4;

/// The colours of one cell: luma, and the two chromas.
type Colour = [u8; 3];

struct Thing {
    columns: Range<usize>,
    rows: Range<usize>,
    /// How many cells there are along each axis.
    cells: [usize; 2],
    colours: Vec<Colour>,
}

/// The colours of a frame's things, taken before it was painted.
pub(super) struct Mosaic {
    /// Hidden because of zones.
    private: Coverage,
    /// Hidden because of things.
    own: Coverage,
    things: Vec<Thing>,
}

impl Mosaic {
    /// Takes the colours of all things among `regions`.
    pub(super) fn of(frame: &FrameMut<'_>, regions: &[Region], show_only: bool) -> Self {
        let size = frame.size();
        let is_thing = |r: &&Region| r.zone.is_none() && r.mode == Mode::Hide;
        let (own, zones): (Vec<&Region>, Vec<&Region>) = regions.iter().partition(is_thing);
        let coverage = |of: &[&Region], show_only| {
            let of: Vec<Region> = of.iter().map(|r| (*r).clone()).collect();
            Coverage::of_regions(size, &of, show_only)
        };
        let private = coverage(&zones, show_only);
        let boxes: Vec<[Range<usize>; 2]> = own.iter().map(|r| extent(r, size)).collect();
        let apart = |i: usize| {
            let meet = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
            let other = |(j, b): (usize, &[Range<usize>; 2])| {
                j != i && meet(&b[0], &boxes[i][0]) && meet(&b[1], &boxes[i][1])
            };
            !boxes.iter().enumerate().any(other)
        };
        let things = (0..boxes.len())
            .filter(|i| apart(*i))
            .map(|i| Thing::of(frame, &private, boxes[i].clone()))
            .collect();
        Self {
            own: coverage(&own, false),
            private,
            things,
        }
    }

    /// Puts the colours over the things' grey.
    pub(super) fn put(&self, frame: &mut FrameMut<'_>) {
        let format = frame.format();
        let free = |x, y| self.own.hides(x, y) && !self.private.hides(x, y);
        for thing in &self.things {
            for y in thing.rows.clone() {
                for x in thing.columns.clone().filter(|x| free(*x, y)) {
                    let [luma, _, _] = thing.colour(x, y);
                    if let Some(sample) = frame.row_mut(0, y).get_mut(x) {
                        *sample = luma;
                    }
                }
            }
            for cy in chroma(&thing.rows) {
                for cx in chroma(&thing.columns) {
                    // A chroma sample colours four luma samples: none may be another's.
                    let (x, y) = (2 * cx, 2 * cy);
                    let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
                    if !four.into_iter().all(|(x, y)| free(x, y)) {
                        continue;
                    }
                    let [_, u, v] = thing.colour(x, y);
                    for (value, (plane, at)) in [u, v].into_iter().zip(chroma_at(format, cx)) {
                        if let Some(sample) = frame.row_mut(plane, cy).get_mut(at) {
                            *sample = value;
                        }
                    }
                }
            }
        }
    }
}

impl Thing {
    fn of(frame: &FrameMut<'_>, private: &Coverage, [columns, rows]: [Range<usize>; 2]) -> Self {
        let cells = [&columns, &rows].map(|side| (side.len() / LEAST_CELL).clamp(1, CELLS));
        let mut thing = Self {
            columns,
            rows,
            cells,
            colours: Vec::new(),
        };
        let mut sums = vec![[(0_u64, 0_u64); 3]; cells[0] * cells[1]];
        let mut add = |cell: usize, part: usize, sample: Option<&u8>| {
            if let (Some(sums), Some(sample)) = (sums.get_mut(cell), sample) {
                sums[part].0 += u64::from(*sample);
                sums[part].1 += 1;
            }
        };
        for y in thing.rows.clone() {
            for x in thing.columns.clone().filter(|x| !private.hides(*x, y)) {
                add(thing.cell(x, y), 0, frame.row(0, y).get(x));
            }
        }
        for cy in chroma(&thing.rows) {
            for cx in chroma(&thing.columns) {
                let (x, y) = (2 * cx, 2 * cy);
                let four = [(x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)];
                if four.into_iter().any(|(x, y)| private.hides(x, y)) {
                    continue;
                }
                for (part, (plane, at)) in chroma_at(frame.format(), cx).into_iter().enumerate() {
                    add(thing.cell(x, y), part + 1, frame.row(plane, cy).get(at));
                }
            }
        }
        let mean = |(sum, n): (u64, u64), none: u8| {
            sum.checked_div(n).map_or(none, |mean| mean.min(255) as u8)
        };
        let colour =
            |[y, u, v]: [(u64, u64); 3]| [mean(y, GREY), mean(u, NEUTRAL), mean(v, NEUTRAL)];
        thing.colours = sums.into_iter().map(colour).collect();
        thing
    }

    fn cell(&self, x: usize, y: usize) -> usize {
        let along = |v: usize, side: &Range<usize>, cells: usize| {
            (v.saturating_sub(side.start) * cells / side.len().max(1)).min(cells - 1)
        };
        along(y, &self.rows, self.cells[1]) * self.cells[0] + along(x, &self.columns, self.cells[0])
    }

    fn colour(&self, x: usize, y: usize) -> Colour {
        let grey = [GREY, NEUTRAL, NEUTRAL];
        self.colours.get(self.cell(x, y)).copied().unwrap_or(grey)
    }
}

/// The chroma samples all of whose luma samples lie in `side`.
fn chroma(side: &Range<usize>) -> Range<usize> {
    side.start.div_ceil(2)..side.end / 2
}

/// Plane and place in its row of the two chroma samples of column `cx`.
fn chroma_at(format: PixelFormat, cx: usize) -> [(usize, usize); 2] {
    match format {
        PixelFormat::I420 => [(1, cx), (2, cx)],
        PixelFormat::Nv12 => [(1, 2 * cx), (1, 2 * cx + 1)],
    }
}

/// Columns and rows of the frame that a region may touch.
fn extent(region: &Region, size: Size) -> [Range<usize>; 2] {
    let range = |of: fn(&crate::geom::PixelPoint) -> f64, limit: u32| {
        let ends = region
            .outline
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), p| {
                (
                    low.min(of(&p.at) - p.margin_px),
                    high.max(of(&p.at) + p.margin_px),
                )
            });
        let clip = |v: f64| v.clamp(0.0, f64::from(limit)) as usize;
        clip(ends.0.floor())..clip(ends.1.ceil())
    };
    [range(|p| p.x, size.width), range(|p| p.y, size.height)]
}
