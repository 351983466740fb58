//! Borrowed picture planes with their form and capture time.
//!
//! Knows sizes, strides and chroma; must not know GStreamer or where a frame
//! came from.

mod copy;
mod picture;

use std::fmt;

use crate::geom::Size;

pub use copy::FrameCopy;
pub use picture::Picture;

/// The planar 4:2:0 forms that decoders give and we paint in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Y, then U and V of half width and height each.
    I420,
    /// Y, then U and V interleaved in one plane of half height.
    Nv12,
}

/// How red, green and blue became luma and chroma.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601, standard definition.
    Bt601,
    /// ITU-R BT.709, high definition.
    Bt709,
}

impl Matrix {
    /// What a stream of this size uses when it does not say: BT.601 up to 576
    /// rows, BT.709 beyond.
    pub fn usual(size: Size) -> Self {
        if size.height <= 576 {
            Self::Bt601
        } else {
            Self::Bt709
        }
    }

    /// The shares of red and blue in luma.
    pub fn luma_shares(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
        }
    }
}

/// Which of the 256 steps luma and chroma use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Range {
    /// Luma 16…235, chroma 16…240: nearly all video.
    #[default]
    Limited,
    /// All of them: JPEG, and H.264 that says so.
    Full,
}

impl Range {
    /// Black's luma.
    pub fn black(self) -> f64 {
        match self {
            Self::Limited => 16.0,
            Self::Full => 0.0,
        }
    }

    /// By how much luma above black and chroma around 128 are multiplied to have
    /// 255 steps.
    pub fn gains(self) -> (f64, f64) {
        match self {
            Self::Limited => (255.0 / 219.0, 255.0 / 224.0),
            Self::Full => (1.0, 1.0),
        }
    }
}

/// The longest side of a frame, in luma samples.
pub const MAX_SIDE: u32 = 16_384;

/// One plane: rows of `stride` bytes, of which the picture uses a prefix.
pub struct PlaneMut<'a> {
    /// The bytes, at least `stride × (rows − 1) + row_bytes`.
    pub data: &'a mut [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

// By hand: a derived one would write the unmasked picture into a log.
impl fmt::Debug for PlaneMut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaneMut")
            .field("bytes", &self.data.len())
            .field("stride", &self.stride)
            .finish()
    }
}

/// A writable picture.
#[derive(Debug)]
pub struct FrameMut<'a> {
    format: PixelFormat,
    size: Size,
    planes: Vec<PlaneMut<'a>>,
}

/// Why planes do not make a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A side is 0 or beyond [`MAX_SIDE`].
    #[error("a frame of {0}x{1} is not a picture")]
    Size(u32, u32),
    /// The wrong number of planes for the format.
    #[error("{format:?} has {wanted} planes, got {got}")]
    PlaneCount {
        /// The format.
        format: PixelFormat,
        /// Planes it has.
        wanted: usize,
        /// Planes given.
        got: usize,
    },
    /// A plane's memory is shorter than its rows need.
    #[error("plane {plane} has {got} bytes, its rows need {wanted}")]
    Short {
        /// Which plane.
        plane: usize,
        /// Bytes needed.
        wanted: usize,
        /// Bytes given.
        got: usize,
    },
}

impl<'a> FrameMut<'a> {
    /// Checks that every row of every plane lies inside its memory.
    ///
    /// Odd sizes are allowed: chroma rows and columns are rounded up.
    ///
    /// # Errors
    /// [`FrameError`] names the plane and the bytes it lacks.
    pub fn new(
        format: PixelFormat,
        size: Size,
        planes: Vec<PlaneMut<'a>>,
    ) -> Result<Self, FrameError> {
        check(
            format,
            size,
            planes.iter().map(|p| (p.stride, p.data.len())),
        )?;
        Ok(Self {
            format,
            size,
            planes,
        })
    }

    /// The pixel format.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Width and height in luma samples.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How many planes it has.
    pub fn plane_count(&self) -> usize {
        self.planes.len()
    }

    /// Row `y` of plane `plane`, cut to the bytes that are picture. Empty
    /// where plane or row does not exist.
    pub fn row_mut(&mut self, plane: usize, y: usize) -> &mut [u8] {
        let (row_bytes, rows) = plane_extent(self.format, self.size, plane);
        match self.planes.get_mut(plane) {
            Some(p) if y < rows => &mut p.data[y * p.stride..y * p.stride + row_bytes],
            _ => &mut [],
        }
    }

    /// Row `y` of plane `plane`, to read.
    pub fn row(&self, plane: usize, y: usize) -> &[u8] {
        let (row_bytes, rows) = plane_extent(self.format, self.size, plane);
        match self.planes.get(plane) {
            Some(p) if y < rows => &p.data[y * p.stride..y * p.stride + row_bytes],
            _ => &[],
        }
    }
}

/// One plane to read: rows of `stride` bytes, of which the picture uses a prefix.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The bytes, at least `stride × (rows − 1) + row_bytes`.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
}

// By hand, for the same reason as `PlaneMut`'s.
impl fmt::Debug for Plane<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plane")
            .field("bytes", &self.data.len())
            .field("stride", &self.stride)
            .finish()
    }
}

/// A picture to look at.
#[derive(Clone, Debug)]
pub struct FrameRef<'a> {
    format: PixelFormat,
    size: Size,
    matrix: Matrix,
    range: Range,
    planes: Vec<Plane<'a>>,
}

impl<'a> FrameRef<'a> {
    /// Checks what [`FrameMut::new`] checks.
    ///
    /// # Errors
    /// [`FrameError`] names the plane and the bytes it lacks.
    pub fn new(
        format: PixelFormat,
        size: Size,
        matrix: Matrix,
        planes: Vec<Plane<'a>>,
    ) -> Result<Self, FrameError> {
        check(
            format,
            size,
            planes.iter().map(|p| (p.stride, p.data.len())),
        )?;
        Ok(Self {
            format,
            size,
            matrix,
            range: Range::Limited,
            planes,
        })
    }

    /// The same picture, in `range`; before, it is limited.
    #[must_use]
    pub fn in_range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    /// The pixel format.
    pub fn format(&self) -> PixelFormat {
        self.format
    }

    /// Width and height in luma samples.
    pub fn size(&self) -> Size {
        self.size
    }

    /// How its colours were made.
    pub fn matrix(&self) -> Matrix {
        self.matrix
    }

    /// Which steps its values use.
    pub fn range(&self) -> Range {
        self.range
    }

    /// Row `y` of plane `plane`, cut to the bytes that are picture. Empty
    /// where plane or row does not exist.
    pub fn row(&self, plane: usize, y: usize) -> &'a [u8] {
        let (row_bytes, rows) = plane_extent(self.format, self.size, plane);
        match self.planes.get(plane) {
            Some(p) if y < rows => &p.data[y * p.stride..y * p.stride + row_bytes],
            _ => &[],
        }
    }
}

/// That every row of every plane, given as stride and bytes, lies inside its memory.
fn check(
    format: PixelFormat,
    size: Size,
    planes: impl ExactSizeIterator<Item = (usize, usize)>,
) -> Result<(), FrameError> {
    let side = 1..=MAX_SIDE;
    if !side.contains(&size.width) || !side.contains(&size.height) {
        return Err(FrameError::Size(size.width, size.height));
    }
    let wanted = match format {
        PixelFormat::I420 => 3,
        PixelFormat::Nv12 => 2,
    };
    if planes.len() != wanted {
        return Err(FrameError::PlaneCount {
            format,
            wanted,
            got: planes.len(),
        });
    }
    for (plane, (stride, got)) in planes.enumerate() {
        let (row_bytes, rows) = plane_extent(format, size, plane);
        let wanted = stride.saturating_mul(rows - 1).saturating_add(row_bytes);
        if stride < row_bytes || got < wanted {
            return Err(FrameError::Short { plane, wanted, got });
        }
    }
    Ok(())
}

/// Bytes of picture in a row of `plane`, and its number of rows.
pub fn plane_extent(format: PixelFormat, size: Size, plane: usize) -> (usize, usize) {
    let (w, h) = (size.width as usize, size.height as usize);
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    match (format, plane) {
        (_, 0) => (w, h),
        (PixelFormat::I420, 1 | 2) => (cw, ch),
        (PixelFormat::Nv12, 1) => (2 * cw, ch),
        _ => (0, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_in_a_log_shows_no_picture() {
        let mut data = [201, 202, 203, 204];
        let plane = PlaneMut {
            data: &mut data,
            stride: 2,
        };
        assert_eq!(format!("{plane:?}"), "PlaneMut { bytes: 4, stride: 2 }");
    }

    #[test]
    fn planes_that_are_too_short_are_refused() {
        let size = Size {
            width: 5,
            height: 3,
        };
        let (mut y, mut u, mut v) = (vec![0; 8 * 2 + 5], vec![0; 3 * 2], vec![0; 3 * 2]);
        let mut planes = |short: usize| {
            let cut = y.len() - short;
            FrameMut::new(
                PixelFormat::I420,
                size,
                vec![
                    PlaneMut {
                        data: &mut y[..cut],
                        stride: 8,
                    },
                    PlaneMut {
                        data: &mut u,
                        stride: 3,
                    },
                    PlaneMut {
                        data: &mut v,
                        stride: 3,
                    },
                ],
            )
            .map(|f| (f.row(0, 2).len(), f.row(2, 1).len(), f.row(2, 2).len()))
        };
        assert_eq!(planes(0), Ok((5, 3, 0)));
        assert_eq!(
            planes(1),
            Err(FrameError::Short {
                plane: 0,
                wanted: 21,
                got: 20
            })
        );
    }
}
