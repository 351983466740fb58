//! A picture made small.

use crate::frame::FrameRef;
use crate::geom::Size;
use std::fmt;

/// Longer sides are made at least nearly so short, pixels: 0.2° a pixel at 60° of view,
/// and half a millisecond to compare.
const LONGEST: u32 = 320;
/// Smaller ones than this on a side show nothing.
const LEAST: u32 = 64;
/// Rows of a cell that are read at most: what a cell's brightness is does not need more.
const ROWS: u32 = 3;

/// The brightness of a picture, in cells of n × n pixels.
#[derive(Clone)]
pub struct Small {
    size: Size,
    cell: u32,
    luma: Vec<u8>,
}

// By hand: a derived one would write the unmasked picture into a log.
impl fmt::Debug for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Small({}x{})", self.size.width, self.size.height)
    }
}

impl Small {
    /// Makes `picture` small; `None` where it is too small to show anything.
    pub fn of(picture: &FrameRef<'_>) -> Option<Self> {
        let from = picture.size();
        let cell = (from.width.max(from.height) / LONGEST).max(1);
        let size = Size {
            width: from.width / cell,
            height: from.height / cell,
        };
        if size.width < LEAST || size.height < LEAST {
            return None;
        }
        let mut luma = Vec::with_capacity(size.width as usize * size.height as usize);
        let rows = cell.min(ROWS);
        let across = size.width as usize * cell as usize;
        let mut sums = vec![0_u16; size.width as usize];
        for y in 0..size.height {
            sums.fill(0);
            for row in 0..rows {
                // In the middles of the parts.
                let within = (2 * row + 1) * cell / (2 * rows);
                let line = picture.row(0, (y * cell + within) as usize);
                let cells = line.get(..across)?.chunks_exact(cell as usize);
                for (sum, cell) in sums.iter_mut().zip(cells) {
                    // At most 3 rows of 51 px (16 384 / 320) of 255: fits.
                    *sum += cell.iter().map(|&luma| u16::from(luma)).sum::<u16>();
                }
            }
            let pixels = u16::try_from(rows * cell).ok()?;
            luma.extend(sums.iter().map(|&sum| (sum / pixels) as u8));
        }
        Some(Self { size, cell, luma })
    }

    /// Its size, in cells.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How many pixels of the picture a cell is wide and high.
    pub fn cell(&self) -> u32 {
        self.cell
    }

    /// Brightness, row by row.
    pub(super) fn luma(&self) -> &[u8] {
        &self.luma
    }

    /// One whose cells of `cell` pixels are as bright as `luma` says, row by row.
    pub(super) fn of_cells(size: Size, cell: u32, luma: Vec<u8>) -> Self {
        Self { size, cell, luma }
    }

    /// A small picture of given brightness.
    #[cfg(test)]
    pub(super) fn from_luma(size: Size, luma: Vec<u8>) -> Self {
        assert_eq!(luma.len(), (size.width * size.height) as usize);
        Self::of_cells(size, 1, luma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Matrix, PixelFormat, Plane};

    fn picture(size: Size, luma: impl Fn(u32, u32) -> u8) -> Option<Small> {
        let at = |i: u32| luma(i % size.width, i / size.width);
        let y: Vec<u8> = (0..size.width * size.height).map(at).collect();
        let half = (size.width.div_ceil(2) * size.height.div_ceil(2)) as usize;
        let uv = vec![128; 2 * half];
        let stride = |width: u32| width as usize;
        let planes = vec![
            Plane {
                data: &y,
                stride: stride(size.width),
            },
            Plane {
                data: &uv,
                stride: stride(2 * size.width.div_ceil(2)),
            },
        ];
        let frame = FrameRef::new(PixelFormat::Nv12, size, Matrix::Bt709, planes).unwrap();
        Small::of(&frame)
    }

    #[test]
    fn cells_are_as_bright_as_their_pixels() {
        for (width, height, cell, small) in [
            (1920, 1080, 6, (320, 180)),
            (1280, 720, 4, (320, 180)),
            (704, 576, 2, (352, 288)),
            (320, 184, 1, (320, 184)),
            (1921, 1083, 6, (320, 180)),
        ] {
            let size = Size { width, height };
            let found = picture(size, |x, y| ((x / cell + y / cell) % 200) as u8).unwrap();
            assert_eq!((found.size.width, found.size.height), small);
            assert_eq!(found.cell(), cell);
            for (i, &luma) in found.luma().iter().enumerate() {
                let (x, y) = (i as u32 % small.0, i as u32 / small.0);
                assert_eq!(
                    u32::from(luma),
                    (x + y) % 200,
                    "{width}x{height} at {x},{y}"
                );
            }
        }
    }

    #[test]
    fn what_shows_nothing_is_none() {
        let size = |width, height| Size { width, height };
        for size in [size(32, 400), size(400, 32), size(3200, 200)] {
            assert!(picture(size, |_, _| 9).is_none(), "{size:?}");
        }
        assert!(picture(size(64, 64), |_, _| 9).is_some());
    }
}
