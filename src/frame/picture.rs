//! A still picture in the form that frames have.

use crate::geom::Size;

use super::{
    FrameError, FrameMut, FrameRef, Matrix, PixelFormat, Plane, PlaneMut, Range, plane_extent,
};

/// An owned I420 picture, tightly packed.
pub struct Picture {
    size: Size,
    matrix: Matrix,
    range: Range,
    planes: [Vec<u8>; 3],
}

// By hand: a derived one would write the picture into a log.
impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture").field("size", &self.size).finish()
    }
}

impl Picture {
    /// From 8-bit RGB, row by row without gaps. Chroma is the mean of the up
    /// to four pixels it colours; rounding to 8 bits is all that is lost
    /// beside.
    ///
    /// # Errors
    /// [`FrameError`] when the size is no picture's or bytes are missing.
    pub fn from_rgb(rgb: &[u8], size: Size, matrix: Matrix) -> Result<Self, FrameError> {
        let (w, h) = (size.width as usize, size.height as usize);
        let wanted = w.saturating_mul(h).saturating_mul(3);
        if rgb.len() < wanted {
            return Err(FrameError::Short {
                plane: 0,
                wanted,
                got: rgb.len(),
            });
        }
        let (kr, kb) = matrix.luma_shares();
        let luma_of = |p: &[u8]| {
            let [r, g, b] = [p[0], p[1], p[2]].map(f64::from);
            kr * r + (1.0 - kr - kb) * g + kb * b
        };
        let luma: Vec<u8> = rgb[..wanted]
            .chunks_exact(3)
            .map(|p| (16.0 + luma_of(p) * 219.0 / 255.0).round() as u8)
            .collect();
        let (cw, ch) = plane_extent(PixelFormat::I420, size, 1);
        let (mut us, mut vs) = (Vec::with_capacity(cw * ch), Vec::with_capacity(cw * ch));
        for cy in 0..ch {
            for cx in 0..cw {
                let mut sum = [0.0; 3];
                let mut n = 0.0;
                for y in [2 * cy, (2 * cy + 1).min(h - 1)] {
                    for x in [2 * cx, (2 * cx + 1).min(w - 1)] {
                        let at = (y * w + x) * 3;
                        for (s, v) in sum.iter_mut().zip(&rgb[at..at + 3]) {
                            *s += f64::from(*v);
                        }
                        n += 1.0;
                    }
                }
                let [r, g, b] = sum.map(|s| s / n);
                let luma = kr * r + (1.0 - kr - kb) * g + kb * b;
                let chroma =
                    |c: f64, k: f64| 128.0 + (c - luma) / (2.0 * (1.0 - k)) * 224.0 / 255.0;
                us.push(chroma(b, kb).round() as u8);
                vs.push(chroma(r, kr).round() as u8);
            }
        }
        Self::from_planes(size, matrix, [luma, us, vs])
    }

    /// A copy of `frame`, whichever form it has.
    ///
    /// # Errors
    /// Never for a frame that exists: it was checked when it was made.
    pub fn of(frame: &FrameRef<'_>) -> Result<Self, FrameError> {
        let size = frame.size();
        let rows = |plane| {
            let (row_bytes, rows) = plane_extent(frame.format(), size, plane);
            let bytes = Vec::with_capacity(row_bytes * rows);
            (bytes, (0..rows).map(move |y| frame.row(plane, y)))
        };
        let whole = |plane| {
            let (mut bytes, rows) = rows(plane);
            rows.for_each(|row| bytes.extend_from_slice(row));
            bytes
        };
        let every_second = |from: usize| {
            let (mut bytes, rows) = rows(1);
            rows.for_each(|row| bytes.extend(row.iter().skip(from).step_by(2)));
            bytes
        };
        let chroma = match frame.format() {
            PixelFormat::I420 => [whole(1), whole(2)],
            PixelFormat::Nv12 => [every_second(0), every_second(1)],
        };
        let [us, vs] = chroma;
        let picture = Self::from_planes(size, frame.matrix(), [whole(0), us, vs])?;
        Ok(Self {
            range: frame.range(),
            ..picture
        })
    }

    /// From Y, U and V in limited range, row by row without gaps.
    ///
    /// # Errors
    /// [`FrameError`] when the size is no picture's or bytes are missing.
    pub fn from_planes(
        size: Size,
        matrix: Matrix,
        planes: [Vec<u8>; 3],
    ) -> Result<Self, FrameError> {
        let picture = Self {
            size,
            matrix,
            range: Range::Limited,
            planes,
        };
        picture.frame().map(|_| ())?;
        Ok(picture)
    }

    /// How its colours were made.
    pub fn matrix(&self) -> Matrix {
        self.matrix
    }

    /// Width and height in luma samples.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The picture to look at.
    ///
    /// # Errors
    /// Never for a picture that exists: it was checked when it was made.
    pub fn frame(&self) -> Result<FrameRef<'_>, FrameError> {
        let planes = self
            .planes
            .iter()
            .enumerate()
            .map(|(i, data)| Plane {
                data,
                stride: plane_extent(PixelFormat::I420, self.size, i).0,
            })
            .collect();
        let frame = FrameRef::new(PixelFormat::I420, self.size, self.matrix, planes)?;
        Ok(frame.in_range(self.range))
    }

    /// The picture to paint on.
    ///
    /// # Errors
    /// Never for a picture that exists: it was checked when it was made.
    pub fn frame_mut(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let size = self.size;
        let planes = self
            .planes
            .iter_mut()
            .enumerate()
            .map(|(i, data)| PlaneMut {
                data,
                stride: plane_extent(PixelFormat::I420, size, i).0,
            })
            .collect();
        FrameMut::new(PixelFormat::I420, size, planes)
    }

    /// Back to 8-bit RGB, row by row without gaps; each pixel takes the chroma
    /// sample that colours it.
    pub fn to_rgb(&self) -> Vec<u8> {
        let (w, h) = (self.size.width as usize, self.size.height as usize);
        let (cw, _) = plane_extent(PixelFormat::I420, self.size, 1);
        let (kr, kb) = self.matrix.luma_shares();
        let kg = 1.0 - kr - kb;
        let (black, (luma_gain, chroma_gain)) = (self.range.black(), self.range.gains());
        let [luma, us, vs] = &self.planes;
        let mut rgb = Vec::with_capacity(w * h * 3);
        for y in 0..h {
            let chroma = y / 2 * cw;
            for x in 0..w {
                let l = (f64::from(luma[y * w + x]) - black) * luma_gain;
                let at = chroma + x / 2;
                let u = (f64::from(us[at]) - 128.0) * chroma_gain;
                let v = (f64::from(vs[at]) - 128.0) * chroma_gain;
                let r = l + 2.0 * (1.0 - kr) * v;
                let b = l + 2.0 * (1.0 - kb) * u;
                let g = (l - kr * r - kb * b) / kg;
                // A cast saturates at both ends.
                rgb.extend([r, g, b].map(|c| c.round() as u8));
            }
        }
        rgb
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_changes_a_grey_or_a_plain_colour_by_rounding_only() {
        let size = Size {
            width: 3,
            height: 3,
        };
        for colour in [[0, 0, 0], [255, 255, 255], [10, 200, 90], [250, 3, 7]] {
            for matrix in [Matrix::Bt601, Matrix::Bt709] {
                let picture = Picture::from_rgb(&colour.repeat(9), size, matrix).unwrap();
                let back = picture.to_rgb();
                assert_eq!(back.len(), 27);
                for (is, was) in back.iter().zip(colour.iter().cycle()) {
                    assert!(is.abs_diff(*was) <= 2, "{colour:?} became {back:?}");
                }
            }
        }
    }

    #[test]
    fn a_copy_shows_what_the_frame_does_in_either_form() {
        let size = Size {
            width: 3,
            height: 3,
        };
        let y = [1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 9];
        let uv = [10, 20, 11, 21, 0, 12, 22, 13, 23];
        let (u, v) = ([10, 11, 12, 13], [20, 21, 22, 23]);
        let plane = |data, stride| Plane { data, stride };
        for (format, planes) in [
            (PixelFormat::Nv12, vec![plane(&y[..], 4), plane(&uv[..], 5)]),
            (
                PixelFormat::I420,
                vec![plane(&y[..], 4), plane(&u[..], 2), plane(&v[..], 2)],
            ),
        ] {
            let frame = FrameRef::new(format, size, Matrix::Bt709, planes).unwrap();
            let copy = Picture::of(&frame).unwrap();
            assert_eq!(copy.planes[0], [1, 2, 3, 4, 5, 6, 7, 8, 9], "{format:?}");
            assert_eq!((&copy.planes[1][..], &copy.planes[2][..]), (&u[..], &v[..]));
            assert_eq!(copy.matrix(), Matrix::Bt709);
        }
    }

    #[test]
    fn white_and_red_of_a_full_range_frame_stay_what_they_are() {
        let size = Size {
            width: 1,
            height: 1,
        };
        // ITU-T T.871, 7: what JPEG does.
        for (yuv, rgb) in [
            ([255, 128, 128], [255, 255, 255]),
            ([0, 128, 128], [0, 0, 0]),
            ([76, 85, 255], [254, 0, 0]),
        ] {
            let planes = yuv.each_ref().map(|value| Plane {
                data: std::slice::from_ref(value),
                stride: 1,
            });
            let frame =
                FrameRef::new(PixelFormat::I420, size, Matrix::Bt601, planes.to_vec()).unwrap();
            let picture = Picture::of(&frame.in_range(Range::Full)).unwrap();
            assert_eq!(picture.to_rgb(), rgb);
            assert_eq!(picture.frame().unwrap().range(), Range::Full);
        }
    }

    #[test]
    fn the_corners_of_the_colour_cube_are_where_the_standards_put_them() {
        // Red, in Y, Cb, Cr: BT.601-7 and BT.709-6, 8-bit limited range.
        let red = |matrix| {
            let size = Size {
                width: 1,
                height: 1,
            };
            let picture = Picture::from_rgb(&[255, 0, 0], size, matrix).unwrap();
            let frame = picture.frame().unwrap();
            [0, 1, 2].map(|plane| frame.row(plane, 0)[0])
        };
        assert_eq!(red(Matrix::Bt601), [81, 90, 240]);
        assert_eq!(red(Matrix::Bt709), [63, 102, 240]);
    }
}
