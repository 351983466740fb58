//! RetinaFace: offsets to prior boxes of two sizes a cell.
//!
//! Deng et al., *RetinaFace: Single-Shot Multi-Level Face Localisation in the
//! Wild*, 2020. Sizes, order and variances are those of the widely used
//! MobileNet-0.25 files: centre offsets ×0.1 and log sizes ×0.2 of the prior.

use crate::geom::Size;

use super::{DecodeError, Found, Tensor, about};

/// Stride, and the sides of its two priors, input samples.
const PRIORS: [(usize, [f64; 2]); 3] =
    [(8, [16.0, 32.0]), (16, [64.0, 128.0]), (32, [256.0, 512.0])];
const CENTRE_VARIANCE: f64 = 0.1;
const SIZE_VARIANCE: f64 = 0.2;

/// Boxes `[1,N,4]` and softmaxed scores `[1,N,2]` (background, face).
pub(super) fn retinaface(
    outputs: &[Tensor<'_>],
    input: Size,
    found: &mut Found,
) -> Result<(), DecodeError> {
    let [offsets, scores] = found.first(outputs)?;
    let cells = |stride: usize| {
        let side = |n: u32| (n as usize).div_ceil(stride);
        (side(input.height), side(input.width))
    };
    let n: usize = PRIORS
        .iter()
        .map(|(stride, sizes)| cells(*stride).0 * cells(*stride).1 * sizes.len())
        .sum();
    for (tensor, width) in [(offsets, 4), (scores, 2)] {
        let wanted = format!("[1, {n}, {width}]");
        if found.extents::<3>(tensor, &wanted)? != [1, n, width] {
            return Err(found.wrong_shape(tensor, wanted));
        }
    }
    let mut at = 0;
    for (stride, sizes) in PRIORS {
        let (rows, columns) = cells(stride);
        for row in 0..rows {
            for column in 0..columns {
                for prior in sizes {
                    let score = scores.data[2 * at + 1];
                    if found.counts(scores, 2 * at + 1, score)? {
                        let centre = |cell: usize| (cell as f64 + 0.5) * stride as f64;
                        let [dx, dy, dw, dh] =
                            [0, 1, 2, 3].map(|i| f64::from(offsets.data[4 * at + i]));
                        let corners = about(
                            centre(column) + dx * CENTRE_VARIANCE * prior,
                            centre(row) + dy * CENTRE_VARIANCE * prior,
                            prior * (dw * SIZE_VARIANCE).exp(),
                            prior * (dh * SIZE_VARIANCE).exp(),
                        );
                        found.take(offsets, at, corners, score)?;
                    }
                    at += 1;
                }
            }
        }
    }
    Ok(())
}
