//! CenterFace: a heat map of face centres at stride 4, with log size and offset.
//!
//! Xu et al., *CenterFace: Joint Face Detection and Alignment Using Face as
//! Point*, 2019. Outputs in this order: heat `[1,1,h,w]` (after its sigmoid),
//! log of height and width `[1,2,h,w]`, offset of row and column `[1,2,h,w]`.

use crate::geom::Size;

use super::{DecodeError, Found, Tensor, about};

const CELL: usize = 4;

pub(super) fn decode(
    outputs: &[Tensor<'_>],
    input: Size,
    found: &mut Found,
) -> Result<(), DecodeError> {
    let [heat, log_size, offset] = found.first(outputs)?;
    let (rows, columns) = (input.height as usize / CELL, input.width as usize / CELL);
    for (tensor, channels) in [(heat, 1), (log_size, 2), (offset, 2)] {
        let wanted = format!("[1, {channels}, {rows}, {columns}]");
        if found.extents::<4>(tensor, &wanted)? != [1, channels, rows, columns] {
            return Err(found.wrong_shape(tensor, wanted));
        }
    }
    let cells = rows * columns;
    for (at, &score) in heat.data.iter().enumerate() {
        if !found.counts(heat, at, score)? {
            continue;
        }
        let (row, column) = ((at / columns) as f64, (at % columns) as f64);
        let pair = |t: &Tensor<'_>| (f64::from(t.data[at]), f64::from(t.data[cells + at]));
        let (log_height, log_width) = pair(log_size);
        let (down, right) = pair(offset);
        let cell = CELL as f64;
        let (cx, cy) = ((column + right + 0.5) * cell, (row + down + 0.5) * cell);
        let corners = about(cx, cy, log_width.exp() * cell, log_height.exp() * cell);
        found.take(log_size, at, corners, score)?;
    }
    Ok(())
}
