//! The inside of an outline, by scanline and winding number.
//!
//! Decides by samples' centres: a sample that the outline itself crosses is the
//! business of the outline's [margin](super::margin). Must not know margins.

use std::ops::Range;

use super::bits::Area;
use crate::zone::GrownPoint;

/// A place where the outline crosses the middle of a row.
#[derive(Clone, Copy, Debug, Default)]
struct Crossing {
    /// The first sample whose centre lies at or right of the crossing.
    x: u32,
    /// +1 downwards, −1 upwards.
    turn: i32,
}

/// Memory for the crossings, kept from one region to the next.
#[derive(Debug, Default)]
pub(super) struct Fill {
    /// `ends[row]` is where the row's crossings end in `crossings`.
    ends: Vec<usize>,
    crossings: Vec<Crossing>,
}

impl Fill {
    /// Calls `each` with the row and the samples of every span whose centres
    /// lie inside `outline` (closed, non-zero) and in `clip`. Coordinates must be
    /// finite.
    pub(super) fn each_span(
        &mut self,
        outline: &[GrownPoint],
        clip: &Area,
        mut each: impl FnMut(usize, Range<usize>),
    ) {
        let (top, bottom) = outline
            .iter()
            .map(|p| first_centre_at_or_after(p.at.y, &clip.rows))
            .fold((clip.rows.end, clip.rows.start), |(top, bottom), row| {
                (top.min(row), bottom.max(row))
            });
        if top >= bottom || clip.columns.is_empty() {
            return;
        }
        let rows = top..bottom;
        self.collect(outline, &rows, &clip.columns);
        let mut start = 0;
        for (row, &end) in rows.zip(&self.ends) {
            let crossings = self.crossings.get_mut(start..end).unwrap_or(&mut []);
            start = end;
            crossings.sort_unstable_by_key(|c| c.x);
            let mut winding = 0;
            let mut from = 0;
            for c in crossings {
                let x = c.x as usize;
                if winding != 0 && x > from {
                    each(row, from..x);
                }
                winding += c.turn;
                from = x;
            }
        }
    }

    /// Fills `crossings`, sorted by row: counts them, then puts each in place.
    fn collect(&mut self, outline: &[GrownPoint], rows: &Range<usize>, columns: &Range<usize>) {
        self.ends.clear();
        self.ends.resize(rows.len() + 1, 0);
        for edge in edges(outline, rows) {
            // Counted one row late, so that the sums below are row starts.
            let late = edge.rows.start - rows.start + 1..edge.rows.end - rows.start + 1;
            for count in self.ends.get_mut(late).unwrap_or(&mut []) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for count in &mut self.ends {
            sum += *count;
            *count = sum;
        }
        self.crossings.clear();
        self.crossings.resize(sum, Crossing::default());
        for edge in edges(outline, rows) {
            for row in edge.rows.clone() {
                let x = edge.x_at(row as f64 + 0.5);
                if let Some(next) = self.ends.get_mut(row - rows.start) {
                    if let Some(slot) = self.crossings.get_mut(*next) {
                        *slot = Crossing {
                            x: first_centre_at_or_after(x, columns) as u32,
                            turn: edge.turn,
                        };
                    }
                    // The row's start moves on to its end.
                    *next += 1;
                }
            }
        }
    }
}

/// An edge with the rows whose middle it crosses.
struct Edge {
    rows: Range<usize>,
    turn: i32,
    x: f64,
    y: f64,
    slope: f64,
}

impl Edge {
    fn x_at(&self, y: f64) -> f64 {
        self.x + self.slope * (y - self.y)
    }
}

fn edges<'a>(
    outline: &'a [GrownPoint],
    within: &'a Range<usize>,
) -> impl Iterator<Item = Edge> + 'a {
    let nexts = outline.iter().cycle().skip(1);
    outline.iter().zip(nexts).filter_map(move |(a, b)| {
        let (upper, lower, turn) = if a.at.y <= b.at.y {
            (a.at, b.at, 1)
        } else {
            (b.at, a.at, -1)
        };
        let rows =
            first_centre_at_or_after(upper.y, within)..first_centre_at_or_after(lower.y, within);
        (!rows.is_empty()).then(|| Edge {
            rows,
            turn,
            x: upper.x,
            y: upper.y,
            slope: (lower.x - upper.x) / (lower.y - upper.y),
        })
    })
}

/// The first cell of `within` whose middle lies at or after `v`, else its end.
fn first_centre_at_or_after(v: f64, within: &Range<usize>) -> usize {
    // Rounded by cast and comparison: `ceil` would be a call on machines
    // without SSE 4.1. Coordinates fit by far, and a cast saturates.
    let v = (v - 0.5).max(0.0);
    let before = v as u32;
    let cell = before as usize + usize::from(f64::from(before) < v);
    cell.max(within.start).min(within.end)
}
