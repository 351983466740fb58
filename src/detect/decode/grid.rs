//! Anchor-free heads at strides 8, 16 and 32: YuNet and SCRFD.
//!
//! Each head lists its cells row by row. Which of a group's tensors belongs to
//! which stride is told by its number of rows, not by its place: exporters
//! order them differently.

use crate::geom::Size;

use super::{DecodeError, Found, Tensor, about};

const STRIDES: [usize; 3] = [8, 16, 32];

/// One stride's cells, and how many boxes each of them gives.
struct Level {
    stride: f64,
    columns: usize,
    per_cell: usize,
}

impl Level {
    /// Row and column of a box's cell.
    fn cell(&self, at: usize) -> (f64, f64) {
        let cell = at / self.per_cell;
        ((cell / self.columns) as f64, (cell % self.columns) as f64)
    }
}

fn cells(input: Size, stride: usize) -> (usize, usize) {
    let side = |n: u32| (n as usize).div_ceil(stride);
    (side(input.height), side(input.width))
}

/// The tensor of a group that has this many rows of `width` numbers, in a
/// shape of `[rows, width]` or `[1, rows, width]`.
fn of_level<'a, 'b>(
    found: &Found,
    group: &'b [Tensor<'a>],
    rows: usize,
    width: usize,
) -> Result<&'b Tensor<'a>, DecodeError> {
    let fits = |t: &&Tensor<'_>| match *t.shape {
        [r, w] | [1, r, w] => (r, w) == (rows, width) && t.data.len() == rows * width,
        _ => false,
    };
    match (group.iter().find(fits), group.first()) {
        (Some(tensor), _) => Ok(tensor),
        (None, Some(first)) => {
            Err(found.wrong_shape(first, format!("one output of [1, {rows}, {width}]")))
        }
        (None, None) => Err(found.too_few(1, 0)),
    }
}

/// YuNet (Wu et al., *YuNet: A Tiny Millisecond-level Face Detector*, 2023):
/// three tensors each of class score, object score, box and landmarks. The
/// score is the geometric mean of the first two; the box's centre is offset
/// from the cell's corner in strides, its size a power of e in strides.
pub(super) fn yunet(
    outputs: &[Tensor<'_>],
    input: Size,
    found: &mut Found,
) -> Result<(), DecodeError> {
    // The landmarks, three more, are not read.
    let named: &[Tensor<'_>; 9] = found.first(outputs)?;
    let (classes, objects, boxes) = (&named[..3], &named[3..6], &named[6..9]);
    for stride in STRIDES {
        let (rows, columns) = cells(input, stride);
        let n = rows * columns;
        let class = of_level(found, classes, n, 1)?;
        let object = of_level(found, objects, n, 1)?;
        let place = of_level(found, boxes, n, 4)?;
        let level = Level {
            stride: stride as f64,
            columns,
            per_cell: 1,
        };
        for at in 0..n {
            found.counts(class, at, class.data[at])?;
            found.counts(object, at, object.data[at])?;
            let score = (class.data[at].max(0.0) * object.data[at].max(0.0)).sqrt();
            if score < found.threshold {
                continue;
            }
            let (row, column) = level.cell(at);
            let [dx, dy, dw, dh] = four(place, at);
            let s = level.stride;
            let corners = about(
                (column + dx) * s,
                (row + dy) * s,
                dw.exp() * s,
                dh.exp() * s,
            );
            found.take(place, at, corners, score)?;
        }
    }
    Ok(())
}

/// SCRFD (Guo et al., *Sample and Computation Redistribution for Efficient
/// Face Detection*, 2021): per stride a score and the distances from the
/// cell's corner to the four edges, in strides; one or two boxes a cell.
pub(super) fn scrfd(
    outputs: &[Tensor<'_>],
    input: Size,
    found: &mut Found,
) -> Result<(), DecodeError> {
    // Scores, then distances, then (not in every file) landmarks.
    let named: &[Tensor<'_>; 6] = found.first(outputs)?;
    let (scores, distances) = named.split_at(3);
    for stride in STRIDES {
        let (rows, columns) = cells(input, stride);
        let n = rows * columns;
        let has = |per_cell: usize| {
            let fits = |t: &Tensor<'_>| matches!(*t.shape, [r, 1] | [1, r, 1] if r == n * per_cell);
            scores.iter().any(fits)
        };
        // Two a cell in the published files. A coarser level with two has
        // fewer rows than this one with one, so neither is taken for the other.
        let per_cell = if has(2) { 2 } else { 1 };
        let score = of_level(found, scores, n * per_cell, 1)?;
        let distance = of_level(found, distances, n * per_cell, 4)?;
        let level = Level {
            stride: stride as f64,
            columns,
            per_cell,
        };
        for at in 0..n * per_cell {
            if !found.counts(score, at, score.data[at])? {
                continue;
            }
            let (row, column) = level.cell(at);
            let [left, top, right, bottom] = four(distance, at);
            let corners = [
                (column - left) * level.stride,
                (row - top) * level.stride,
                (column + right) * level.stride,
                (row + bottom) * level.stride,
            ];
            found.take(distance, at, corners, score.data[at])?;
        }
    }
    Ok(())
}

fn four(tensor: &Tensor<'_>, at: usize) -> [f64; 4] {
    [0, 1, 2, 3].map(|i| f64::from(tensor.data[4 * at + i]))
}
