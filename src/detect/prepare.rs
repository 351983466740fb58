//! From a frame's planes to a network's input tensor.

use crate::frame::{FrameRef, Matrix, PixelFormat, Range, plane_extent};
use crate::geom::Size;

use super::descriptor::{Channels, Input, Layout};
use super::letterbox::Letterbox;
use super::resample::{self, COLUMN_ONE, ROW_ONE, Taps};

/// Makes input tensors, and keeps its memory from one to the next.
#[derive(Debug, Default)]
pub struct Preparer {
    luma: Axes,
    chroma: Axes,
    /// What `luma` and `chroma` were made for.
    made_for: Option<(Letterbox, Size)>,
    sums: Vec<u16>,
    rows: [Vec<f32>; 3],
}

#[derive(Debug, Default)]
struct Axes {
    rows: Taps,
    columns: Taps,
}

impl Preparer {
    /// The part of `frame` that `letterbox` names, as `1 × 3 × rows × columns`
    /// or `1 × rows × columns × 3` numbers, in `tensor`.
    ///
    /// Chroma is taken to lie in the middle of the four luma samples it
    /// colours: a quarter of a sample off for the usual left-sited streams.
    pub fn fill(
        &mut self,
        frame: &FrameRef<'_>,
        letterbox: &Letterbox,
        input: &Input,
        tensor: &mut Vec<f32>,
    ) {
        self.make_taps(frame, letterbox);
        let (width, height) = (
            letterbox.input.width as usize,
            letterbox.input.height as usize,
        );
        let (shown, shown_rows) = (
            letterbox.content.width as usize,
            letterbox.content.height as usize,
        );
        let colours = Colours::new(frame.matrix(), frame.range());
        for row in &mut self.rows {
            row.resize(shown, 0.0);
        }
        tensor.clear();
        tensor.resize(3 * width * height, 0.0);
        let mut writer = Writer {
            input,
            width,
            height,
            tensor,
        };
        for y in 0..shown_rows {
            self.resample(frame, y);
            let [ys, us, vs] = &mut self.rows;
            colours.to_rgb(ys, us, vs);
            writer.write(y, [&*ys, &*us, &*vs]);
        }
        for y in shown_rows..height {
            writer.write(y, [&[]; 3]);
        }
    }

    fn make_taps(&mut self, frame: &FrameRef<'_>, letterbox: &Letterbox) {
        let wanted = (*letterbox, frame.size());
        if self.made_for == Some(wanted) {
            return;
        }
        let axes = |plane: usize, per_sample: f64| {
            // I420's extents: NV12 holds the same samples in pairs.
            let (columns, rows) = plane_extent(PixelFormat::I420, frame.size(), plane);
            let s = &letterbox.source;
            Axes {
                rows: Taps::new(
                    s.y0 * per_sample..s.y1 * per_sample,
                    rows,
                    letterbox.content.height as usize,
                    ROW_ONE,
                ),
                columns: Taps::new(
                    s.x0 * per_sample..s.x1 * per_sample,
                    columns,
                    letterbox.content.width as usize,
                    COLUMN_ONE,
                ),
            }
        };
        self.luma = axes(0, 1.0);
        self.chroma = axes(1, 0.5);
        self.made_for = Some(wanted);
    }

    /// New row `y` of luma and both chromas into `rows`.
    fn resample(&mut self, frame: &FrameRef<'_>, y: usize) {
        let sums = &mut self.sums;
        let [ys, us, vs] = &mut self.rows;
        let Axes { rows, columns } = &self.luma;
        resample::row(rows, y, |r| frame.row(0, r), sums, columns, 1);
        resample::columns(columns, sums, 1, 0, ys);
        let Axes { rows, columns } = &self.chroma;
        match frame.format() {
            PixelFormat::I420 => {
                for (plane, out) in [(1, us), (2, vs)] {
                    resample::row(rows, y, |r| frame.row(plane, r), sums, columns, 1);
                    resample::columns(columns, sums, 1, 0, out);
                }
            }
            PixelFormat::Nv12 => {
                resample::row(rows, y, |r| frame.row(1, r), sums, columns, 2);
                resample::columns(columns, sums, 2, 0, us);
                resample::columns(columns, sums, 2, 1, vs);
            }
        }
    }
}

/// The coefficients from YCbCr to RGB 0…255.
struct Colours {
    black: f32,
    luma: f32,
    red_of_v: f32,
    green_of_u: f32,
    green_of_v: f32,
    blue_of_u: f32,
}

impl Colours {
    fn new(matrix: Matrix, range: Range) -> Self {
        let (kr, kb) = matrix.luma_shares();
        let kg = 1.0 - kr - kb;
        let (luma, chroma) = range.gains();
        Self {
            black: range.black() as f32,
            luma: luma as f32,
            red_of_v: (2.0 * (1.0 - kr) * chroma) as f32,
            green_of_u: (2.0 * (1.0 - kb) * kb / kg * chroma) as f32,
            green_of_v: (2.0 * (1.0 - kr) * kr / kg * chroma) as f32,
            blue_of_u: (2.0 * (1.0 - kb) * chroma) as f32,
        }
    }

    /// In place: Y, U, V become R, G, B.
    fn to_rgb(&self, ys: &mut [f32], us: &mut [f32], vs: &mut [f32]) {
        for ((y, u), v) in ys.iter_mut().zip(us).zip(vs) {
            let (luma, blue, red) = ((*y - self.black) * self.luma, *u - 128.0, *v - 128.0);
            *y = (luma + self.red_of_v * red).clamp(0.0, 255.0);
            *u = (luma - self.green_of_u * blue - self.green_of_v * red).clamp(0.0, 255.0);
            *v = (luma + self.blue_of_u * blue).clamp(0.0, 255.0);
        }
    }
}

/// Writes rows of colours into a tensor as a model wants them.
struct Writer<'a> {
    input: &'a Input,
    width: usize,
    height: usize,
    tensor: &'a mut [f32],
}

impl Writer<'_> {
    /// Row `y`: what `rgb` holds, then black.
    fn write(&mut self, y: usize, rgb: [&[f32]; 3]) {
        let ordered = match self.input.channels {
            Channels::Rgb => rgb,
            Channels::Bgr => [rgb[2], rgb[1], rgb[0]],
        };
        for (c, colours) in ordered.into_iter().enumerate() {
            let (mean, scale) = (self.input.mean[c], self.input.scale[c]);
            let black = -mean * scale;
            match self.input.layout {
                Layout::Nchw => {
                    let from = (c * self.height + y) * self.width;
                    let row = &mut self.tensor[from..from + self.width];
                    let (shown, rest) = row.split_at_mut(colours.len());
                    for (out, colour) in shown.iter_mut().zip(colours) {
                        *out = (colour - mean) * scale;
                    }
                    rest.fill(black);
                }
                Layout::Nhwc => {
                    let from = y * self.width * 3;
                    let row = &mut self.tensor[from..from + self.width * 3];
                    for (x, out) in row.iter_mut().skip(c).step_by(3).enumerate() {
                        *out = colours.get(x).map_or(black, |v| (v - mean) * scale);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::PixelBox;
    use crate::frame::{Picture, Plane};

    const SIZE: Size = Size {
        width: 64,
        height: 32,
    };

    fn input(layout: Layout, channels: Channels) -> Input {
        Input {
            layout,
            channels,
            mean: [10.0, 20.0, 30.0],
            scale: [1.0, 2.0, 0.5],
            long_side: 64,
            fixed: Some([64, 64]),
        }
    }

    fn whole() -> PixelBox {
        PixelBox {
            x0: 0.0,
            y0: 0.0,
            x1: 64.0,
            y1: 32.0,
        }
    }

    /// Left half orange, right half blue.
    fn picture(matrix: Matrix) -> Picture {
        let pixel = |i: usize| {
            if i % 64 < 32 {
                [230, 120, 40]
            } else {
                [30, 60, 200]
            }
        };
        let rgb: Vec<u8> = (0..64 * 32).flat_map(pixel).collect();
        Picture::from_rgb(&rgb, SIZE, matrix).unwrap()
    }

    #[test]
    fn colours_come_back_in_the_models_order() {
        let cases = [
            (Layout::Nchw, Channels::Rgb, Matrix::Bt601),
            (Layout::Nchw, Channels::Bgr, Matrix::Bt709),
            (Layout::Nhwc, Channels::Rgb, Matrix::Bt709),
            (Layout::Nhwc, Channels::Bgr, Matrix::Bt601),
        ];
        for (layout, channels, matrix) in cases {
            let input = input(layout, channels);
            let letterbox = Letterbox::new(SIZE, &whole(), &input, 64).unwrap();
            let mut tensor = Vec::new();
            let picture = picture(matrix);
            Preparer::default().fill(&picture.frame().unwrap(), &letterbox, &input, &mut tensor);
            assert_eq!(tensor.len(), 3 * 64 * 64);
            let at = |x: usize, y: usize| {
                [0, 1, 2].map(|c| {
                    let value = match layout {
                        Layout::Nchw => tensor[(c * 64 + y) * 64 + x],
                        Layout::Nhwc => tensor[(y * 64 + x) * 3 + c],
                    };
                    value / input.scale[c] + input.mean[c]
                })
            };
            for (x, y, mut rgb) in [
                (5, 5, [230.0, 120.0, 40.0]),
                (60, 31, [30.0, 60.0, 200.0]),
                (5, 32, [0.0; 3]),
                (63, 63, [0.0; 3]),
            ] {
                if channels == Channels::Bgr {
                    rgb.reverse();
                }
                let got = at(x, y);
                let near = got
                    .iter()
                    .zip(rgb)
                    .all(|(a, b): (&f32, f32)| (a - b).abs() < 2.5);
                assert!(
                    near,
                    "{layout:?} {channels:?} at {x},{y}: {got:?}, not {rgb:?}"
                );
            }
        }
    }

    #[test]
    fn both_formats_give_the_same_tensor() {
        let input = input(Layout::Nchw, Channels::Rgb);
        let planar = picture(Matrix::Bt601);
        let planar = planar.frame().unwrap();
        let luma: Vec<u8> = (0..32).flat_map(|y| planar.row(0, y).to_vec()).collect();
        let pairs: Vec<u8> = (0..16)
            .flat_map(|y| planar.row(1, y).iter().zip(planar.row(2, y)))
            .flat_map(|(u, v)| [*u, *v])
            .collect();
        let planes = [&luma, &pairs].map(|data| Plane { data, stride: 64 });
        let paired =
            FrameRef::new(PixelFormat::Nv12, SIZE, Matrix::Bt601, planes.to_vec()).unwrap();
        let part = PixelBox {
            x0: 3.0,
            y0: 1.5,
            x1: 60.25,
            y1: 31.0,
        };
        let letterbox = Letterbox::new(SIZE, &part, &input, 64).unwrap();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let mut preparer = Preparer::default();
        preparer.fill(&planar, &letterbox, &input, &mut a);
        preparer.fill(&paired, &letterbox, &input, &mut b);
        assert!(a == b && a.iter().any(|v| *v > 100.0));
    }
}
