//! The inside of an outline, by scanline and winding number.
//!
//! Decides by samples' centres: a sample that the outline itself crosses is the
//! business of the edges' [capsules](super::capsule). Must not know margins.

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
    /// lie inside `outline` (closed, non-zero), in a picture of `width` ×
    /// `height`. Coordinates must be finite.
    pub(super) fn each_span(
        &mut self,
        outline: &[GrownPoint],
        width: usize,
        height: usize,
        mut each: impl FnMut(usize, std::ops::Range<usize>),
    ) {
        let (top, bottom) = outline.iter().fold((height, 0), |(top, bottom), p| {
            let row = first_centre_at_or_after(p.at.y, height);
            (top.min(row), bottom.max(row))
        });
        if top >= bottom {
            return;
        }
        self.collect(outline, top, bottom, width);
        let mut start = 0;
        for (row, &end) in (top..bottom).zip(&self.ends) {
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
    fn collect(&mut self, outline: &[GrownPoint], top: usize, bottom: usize, width: usize) {
        self.ends.clear();
        self.ends.resize(bottom - top + 1, 0);
        for edge in edges(outline, bottom) {
            // Counted one row late, so that the sums below are row starts.
            for count in self
                .ends
                .iter_mut()
                .take(edge.rows.end - top + 1)
                .skip(edge.rows.start - top + 1)
            {
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
        for edge in edges(outline, bottom) {
            for row in edge.rows.clone() {
                let x = edge.x_at(row as f64 + 0.5);
                if let Some(next) = self.ends.get_mut(row - top) {
                    if let Some(slot) = self.crossings.get_mut(*next) {
                        *slot = Crossing {
                            x: first_centre_at_or_after(x, width) as u32,
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
    rows: std::ops::Range<usize>,
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

fn edges(outline: &[GrownPoint], height: usize) -> impl Iterator<Item = Edge> + '_ {
    let nexts = outline.iter().cycle().skip(1);
    outline.iter().zip(nexts).filter_map(move |(a, b)| {
        let (upper, lower, turn) = if a.at.y <= b.at.y {
            (a.at, b.at, 1)
        } else {
            (b.at, a.at, -1)
        };
        let rows =
            first_centre_at_or_after(upper.y, height)..first_centre_at_or_after(lower.y, height);
        (!rows.is_empty()).then(|| Edge {
            rows,
            turn,
            x: upper.x,
            y: upper.y,
            slope: (lower.x - upper.x) / (lower.y - upper.y),
        })
    })
}

/// The first cell whose middle lies at or after `v`, at most `limit`.
fn first_centre_at_or_after(v: f64, limit: usize) -> usize {
    ((v - 0.5).ceil() as usize).min(limit)
}
