//! A frame to look at later.

use std::fmt;

use super::{FrameRef, Matrix, PixelFormat, Plane, Range, plane_extent};
use crate::geom::Size;

/// A picture of our own, without gaps between its rows.
#[derive(Clone)]
pub struct FrameCopy {
    format: PixelFormat,
    size: Size,
    matrix: Matrix,
    range: Range,
    data: Vec<u8>,
}

// By hand: a derived one would write the unmasked picture into a log.
impl fmt::Debug for FrameCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameCopy({} bytes)", self.data.len())
    }
}

fn plane_count(format: PixelFormat) -> usize {
    match format {
        PixelFormat::I420 => 3,
        PixelFormat::Nv12 => 2,
    }
}

impl FrameCopy {
    /// Copies `picture`, into the memory of a former copy where there is one.
    pub fn of(picture: &FrameRef<'_>, memory: Option<Self>) -> Self {
        let mut data = memory.map_or_else(Vec::new, |copy| copy.data);
        data.clear();
        for plane in 0..plane_count(picture.format) {
            let (_, rows) = plane_extent(picture.format, picture.size, plane);
            for y in 0..rows {
                data.extend_from_slice(picture.row(plane, y));
            }
        }
        Self {
            format: picture.format,
            size: picture.size,
            matrix: picture.matrix,
            range: picture.range,
            data,
        }
    }

    /// To look at it.
    pub fn view(&self) -> FrameRef<'_> {
        let mut rest = self.data.as_slice();
        let planes = (0..plane_count(self.format))
            .map(|plane| {
                let (stride, rows) = plane_extent(self.format, self.size, plane);
                let (data, after) = rest.split_at(stride * rows);
                rest = after;
                Plane { data, stride }
            })
            .collect();
        FrameRef {
            format: self.format,
            size: self.size,
            matrix: self.matrix,
            range: self.range,
            planes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_picture_without_gaps() {
        let size = Size {
            width: 3,
            height: 3,
        };
        let y = [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9];
        let uv = [1, 2, 3, 4, 0, 5, 6, 7, 8];
        let planes = [(&y[..], 4), (&uv[..], 5)].map(|(data, stride)| Plane { data, stride });
        let picture =
            FrameRef::new(PixelFormat::Nv12, size, Matrix::Bt709, planes.to_vec()).unwrap();
        let copy = FrameCopy::of(&picture, None);
        let whole = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(copy.data, whole);
        let again = FrameCopy::of(&copy.view(), Some(copy.clone()));
        assert_eq!((again.data, again.size), (copy.data, size));
    }
}
