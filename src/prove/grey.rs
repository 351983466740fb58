//! Where a frame is grey: the planes as an observer sees them.
//!
//! Must not know zones or poses; [`overcover`](super::overcover) compares.

use super::judge::Planes;

/// Side of a cell in luma pixels.
pub(super) const CELL_PX: usize = 4;
/// How far luma of a painted plane may stray from 128 after coding.
const LUMA_TOLERANCE: u8 = 6;
/// How far its chroma may stray from 128.
const CHROMA_TOLERANCE: u8 = 3;
/// From this share of grey on, a frame shows nothing: it is wholly covered. The
/// rest is the reason written on it.
const COVERED_SHARE: f64 = 0.9;

/// Which cells of a frame are grey, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GreyCells {
    /// Cells in a row.
    pub columns: usize,
    /// Rows of cells.
    pub rows: usize,
    /// True where every sample of the cell is grey.
    pub grey: Vec<bool>,
}

/// Grey cells joined by their sides; cells are `(column, row)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    /// Those with a neighbour that is not grey.
    pub edge: Vec<(usize, usize)>,
    /// A regular selection of all of them, every third each way.
    pub some: Vec<(usize, usize)>,
}

/// [`Area::some`] has the cells whose column and row are multiples of this.
const SOME_OF: usize = 3;

fn near(samples: &[u8], tolerance: u8) -> bool {
    samples.iter().all(|s| s.abs_diff(128) <= tolerance)
}

impl GreyCells {
    /// Looks at every sample of the whole cells of a frame; an incomplete last
    /// row or column of cells is left out.
    pub(super) fn of(frame: &Planes<'_>) -> Self {
        let (columns, rows) = (frame.width / CELL_PX, frame.height / CELL_PX);
        let mut grey = vec![true; columns * rows];
        let mut mark = |plane: usize, side: usize, tolerance: u8| {
            for y in 0..rows * side {
                let cells = &mut grey[y / side * columns..(y / side + 1) * columns];
                for (cell, samples) in cells.iter_mut().zip(frame.row(plane, y).chunks(side)) {
                    *cell &= near(samples, tolerance);
                }
            }
        };
        mark(0, CELL_PX, LUMA_TOLERANCE);
        mark(1, CELL_PX / 2, CHROMA_TOLERANCE);
        mark(2, CELL_PX / 2, CHROMA_TOLERANCE);
        Self {
            columns,
            rows,
            grey,
        }
    }

    /// Whether the cell is grey; cells outside the frame are (a plane that runs
    /// off the frame has no edge there).
    pub(super) fn is_grey(&self, column: isize, row: isize) -> bool {
        match (usize::try_from(column), usize::try_from(row)) {
            (Ok(c), Ok(r)) if c < self.columns && r < self.rows => self.grey[r * self.columns + c],
            _ => true,
        }
    }

    /// The grey cells joined by their sides, area by area.
    pub(super) fn areas(&self) -> Vec<Area> {
        let mut seen = vec![false; self.grey.len()];
        let mut areas = Vec::new();
        let mut todo = Vec::new();
        for start in 0..self.grey.len() {
            if seen[start] || !self.grey[start] {
                continue;
            }
            seen[start] = true;
            todo.push(start);
            let mut area = Area::default();
            while let Some(cell) = todo.pop() {
                let (c, r) = (cell % self.columns, cell / self.columns);
                let mut at_edge = false;
                for (dc, dr) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
                    let (nc, nr) = (c as isize + dc, r as isize + dr);
                    if !self.is_grey(nc, nr) {
                        at_edge = true;
                    } else if let (Ok(nc), Ok(nr)) = (usize::try_from(nc), usize::try_from(nr))
                        && nc < self.columns
                        && nr < self.rows
                        && !std::mem::replace(&mut seen[nr * self.columns + nc], true)
                    {
                        todo.push(nr * self.columns + nc);
                    }
                }
                if at_edge {
                    area.edge.push((c, r));
                }
                if c % SOME_OF == 0 && r % SOME_OF == 0 {
                    area.some.push((c, r));
                }
            }
            areas.push(area);
        }
        areas
    }
}

/// Share of a frame that is grey, by one sample in each cell.
pub(super) fn grey_share(frame: &Planes<'_>) -> f64 {
    let (columns, rows) = (frame.width / CELL_PX, frame.height / CELL_PX);
    let mut grey = 0usize;
    for row in 0..rows {
        let y = frame
            .row(0, row * CELL_PX + 1)
            .iter()
            .skip(1)
            .step_by(CELL_PX);
        let u = frame.row(1, row * CELL_PX / 2).iter().step_by(CELL_PX / 2);
        let v = frame.row(2, row * CELL_PX / 2).iter().step_by(CELL_PX / 2);
        grey += y
            .zip(u)
            .zip(v)
            .take(columns)
            .filter(|((y, u), v)| {
                y.abs_diff(128) <= LUMA_TOLERANCE
                    && u.abs_diff(128) <= CHROMA_TOLERANCE
                    && v.abs_diff(128) <= CHROMA_TOLERANCE
            })
            .count();
    }
    grey as f64 / (columns * rows).max(1) as f64
}

/// Whether a frame with this share of grey is wholly covered.
pub(super) fn is_covered(grey_share: f64) -> bool {
    grey_share >= COVERED_SHARE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: usize, height: usize, hidden: impl Fn(usize, usize) -> bool) -> Vec<Vec<u8>> {
        let plane = |step: usize, shown: u8| -> Vec<u8> {
            (0..height)
                .step_by(step)
                .flat_map(|y| (0..width).step_by(step).map(move |x| (x, y)))
                .map(|(x, y)| if hidden(x, y) { 128 } else { shown })
                .collect()
        };
        vec![plane(1, 70), plane(2, 128), plane(2, 150)]
    }

    fn planes(data: &[Vec<u8>], width: usize, height: usize) -> Planes<'_> {
        Planes {
            width,
            height,
            data: [&data[0], &data[1], &data[2]],
            stride: [width, width / 2, width / 2],
        }
    }

    #[test]
    fn a_plane_is_one_area_with_its_edge() {
        let data = frame(80, 40, |x, y| (20..40).contains(&x) && (8..24).contains(&y));
        let cells = GreyCells::of(&planes(&data, 80, 40));
        let areas = cells.areas();
        assert_eq!(areas.len(), 1);
        // 5 × 4 cells, of which 3 × 2 are inside.
        assert_eq!(areas[0].edge.len(), 5 * 4 - 3 * 2);
    }

    #[test]
    fn a_plane_that_runs_off_the_frame_has_no_edge_there() {
        let data = frame(80, 40, |x, _| x < 20);
        let areas = GreyCells::of(&planes(&data, 80, 40)).areas();
        assert_eq!(areas.len(), 1);
        assert!(areas[0].edge.iter().all(|(c, _)| *c == 4), "{areas:?}");
        assert_eq!(areas[0].edge.len(), 10);
    }

    #[test]
    fn only_a_frame_that_shows_nothing_is_covered() {
        for (hidden_columns, covered) in
            [(0, false), (40, false), (64, false), (76, true), (80, true)]
        {
            let data = frame(80, 40, |x, _| x < hidden_columns);
            let share = grey_share(&planes(&data, 80, 40));
            assert!(
                (share - hidden_columns as f64 / 80.0).abs() < 0.03,
                "{share}"
            );
            assert_eq!(is_covered(share), covered, "{hidden_columns}");
        }
    }
}
