//! Moving clips made from labelled stills: a window goes over the picture, and
//! the labels go with it.
//!
//! Every still object stands, so that where it is in each frame is known to the
//! sample. What moves is the view, which in the picture is the same: by pan all
//! go sideways, by zoom away from the middle and larger, by walk as from a
//! camera that is carried. Knows no time but the seconds since a clip began.

use serde::{Deserialize, Serialize};

use crate::detect::{Class, PixelBox};
use crate::frame::{FrameError, Picture};
use crate::geom::{PixelPoint, Size};

/// How the window goes over the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Move {
    /// Sideways at 0.25 widths of the window a second, until the picture ends:
    /// for a thing as wide as a fortieth of the window 10 of its sizes a second.
    Pan,
    /// Twice as near every two seconds, up to four times.
    Zoom,
    /// Steps: up and down by 0.5 % of the window's height 1.8 times a second,
    /// sideways by 0.5 % of its width 0.9 times a second; 0.08 widths a second
    /// sideways and 12 % nearer every second, for three seconds.
    Walk,
}

const PAN_WIDTHS_S: f64 = 0.25;
const DOUBLING_S: f64 = 2.0;
const WALK_WIDTHS_S: f64 = 0.08;
const WALK_NEARER_S: f64 = 0.12;
const WALK_S: f64 = 3.0;
const STEP_SHARE: f64 = 0.005;
const STEPS_HZ: f64 = 1.8;

/// A labelled thing in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// The same thing has the same number in all frames of a clip.
    pub id: u32,
    /// What it is.
    pub class: Class,
    /// The part of it that is in the frame.
    pub at: PixelBox,
    /// Whether at least half of it is in the frame. Less is not counted as
    /// something to hide, but hiding it is not counted as needless either.
    pub counts: bool,
}

/// One still with a window that goes over it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    still: Size,
    size: Size,
    how: Move,
    speed: f64,
}

impl Path {
    /// `speed` 1 is as [`Move`] says. Frames have the size of the window where
    /// it is largest, or `size`: then the window has the form of that.
    pub fn new(still: Size, how: Move, speed: f64, size: Option<Size>) -> Self {
        let (w, h) = (f64::from(still.width), f64::from(still.height));
        let [share_w, share_h] = largest(how);
        let size = size.unwrap_or_else(|| {
            // Decoders give even sizes.
            let even = |side: f64| ((side / 2.0).floor() as u32 * 2).max(2);
            Size {
                width: even(w * share_w),
                height: even(h * share_h),
            }
        });
        Self {
            still,
            size,
            how,
            speed,
        }
    }

    /// The frames' size.
    pub fn size(&self) -> Size {
        self.size
    }

    /// What of the still the frame `s` seconds after the clip's beginning
    /// shows, in samples of the still.
    pub fn window(&self, s: f64) -> PixelBox {
        let (w, h) = (f64::from(self.still.width), f64::from(self.still.height));
        let (out_w, out_h) = (f64::from(self.size.width), f64::from(self.size.height));
        let [share_w, share_h] = largest(self.how);
        // As large as it fits in the form of the frames.
        let scale = (w * share_w / out_w).min(h * share_h / out_h);
        let (full_w, full_h) = (out_w * scale, out_h * scale);
        let s = s * self.speed;
        let (nearer, x, y) = match self.how {
            Move::Pan => {
                let left = (PAN_WIDTHS_S * full_w * s).min(w - full_w);
                (1.0, left + 0.5 * full_w, 0.5 * h)
            }
            Move::Zoom => (2.0_f64.powf(s / DOUBLING_S).min(4.0), 0.5 * w, 0.5 * h),
            Move::Walk => {
                let t = s.min(WALK_S);
                let nearer = (WALK_NEARER_S * t).exp();
                let turn = std::f64::consts::TAU * s;
                let drift = WALK_WIDTHS_S * (t - 0.5 * WALK_S);
                let sway = STEP_SHARE * (turn * STEPS_HZ / 2.0).sin();
                let bob = STEP_SHARE * (turn * STEPS_HZ).sin();
                let x = 0.5 * w + (drift + sway) * full_w;
                (nearer, x, 0.5 * h + bob * full_h)
            }
        };
        let (half_w, half_h) = (0.5 * full_w / nearer, 0.5 * full_h / nearer);
        let x = x.clamp(half_w, (w - half_w).max(half_w));
        let y = y.clamp(half_h, (h - half_h).max(half_h));
        PixelBox {
            x0: x - half_w,
            y0: y - half_h,
            x1: x + half_w,
            y1: y + half_h,
        }
    }

    /// Where the point of the frame at `from` seconds is in the frame at `to`.
    pub fn carried(&self, from: f64, to: f64, point: PixelPoint) -> PixelPoint {
        let (was, is) = (self.window(from), self.window(to));
        let (w, h) = (f64::from(self.size.width), f64::from(self.size.height));
        let x = was.x0 + point.x * was.width() / w;
        let y = was.y0 + point.y * was.height() / h;
        PixelPoint {
            x: (x - is.x0) * w / is.width(),
            y: (y - is.y0) * h / is.height(),
        }
    }

    /// The still's labels in the frame at `s` seconds: those that are in it.
    pub fn truths(&self, labels: &[(Class, PixelBox)], s: f64) -> Vec<Truth> {
        let window = self.window(s);
        let across = f64::from(self.size.width) / window.width();
        let down = f64::from(self.size.height) / window.height();
        let frame = whole(self.size);
        let of = |(index, (class, b)): (usize, &(Class, PixelBox))| {
            let whole = PixelBox {
                x0: (b.x0 - window.x0) * across,
                y0: (b.y0 - window.y0) * down,
                x1: (b.x1 - window.x0) * across,
                y1: (b.y1 - window.y0) * down,
            };
            let at = whole.intersection(&frame);
            let shown = at.area() / whole.area().max(f64::MIN_POSITIVE);
            (at.area() > 0.0).then_some(Truth {
                id: u32::try_from(index).unwrap_or(u32::MAX),
                class: *class,
                at,
                counts: shown >= 0.5,
            })
        };
        labels.iter().enumerate().filter_map(of).collect()
    }

    /// The frame at `s` seconds, each sample bilinear between four of the still.
    ///
    /// # Errors
    /// [`FrameError`] where the still is not what the path was made for.
    pub fn frame(&self, still: &Picture, s: f64) -> Result<Picture, FrameError> {
        let window = self.window(s);
        let read = still.frame()?;
        let plane = |index: usize| {
            let halves = if index == 0 { 1.0 } else { 0.5 };
            let of = |side: u32| match index {
                0 => side as usize,
                _ => side.div_ceil(2) as usize,
            };
            let (w, h) = (of(self.size.width), of(self.size.height));
            let columns = taps(
                window.x0 * halves,
                window.x1 * halves,
                w,
                of(still.size().width),
            );
            let rows = taps(
                window.y0 * halves,
                window.y1 * halves,
                h,
                of(still.size().height),
            );
            let mut out = Vec::with_capacity(w * h);
            for (y, below) in rows {
                let (upper, lower) = (read.row(index, y), read.row(index, y + 1));
                let lower = if lower.is_empty() { upper } else { lower };
                out.extend(columns.iter().map(|(x, right)| {
                    let at = |row: &[u8]| {
                        let left = u32::from(row[*x]);
                        let next = row.get(x + 1).map_or(left, |v| u32::from(*v));
                        left * (ONE - right) + next * right
                    };
                    let sum = at(upper) * (ONE - below) + at(lower) * below;
                    ((sum + ONE * ONE / 2) / (ONE * ONE)) as u8
                }));
            }
            out
        };
        Picture::from_planes(self.size, still.matrix(), [plane(0), plane(1), plane(2)])
    }
}

/// The window's greatest share of the picture's width and height.
fn largest(how: Move) -> [f64; 2] {
    match how {
        Move::Pan => [0.6, 1.0],
        Move::Zoom => [1.0, 1.0],
        Move::Walk => [0.75, 0.9],
    }
}

/// The frame as a box.
pub(super) fn whole(size: Size) -> PixelBox {
    PixelBox {
        x0: 0.0,
        y0: 0.0,
        x1: f64::from(size.width),
        y1: f64::from(size.height),
    }
}

/// Weights of bilinear sampling in whole numbers: this is 1.
const ONE: u32 = 256;

/// For each of `n` samples that lie evenly from `from` to `to` in a row of
/// `there` samples: the one on its left, and the weight of that one's neighbour.
fn taps(from: f64, to: f64, n: usize, there: usize) -> Vec<(usize, u32)> {
    let step = (to - from) / n as f64;
    let last = there.saturating_sub(1) as f64;
    (0..n)
        .map(|i| {
            let at = (from + (i as f64 + 0.5) * step - 0.5).clamp(0.0, last);
            let left = at.floor();
            (left as usize, ((at - left) * f64::from(ONE)) as u32)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Matrix;

    const STILL: Size = Size {
        width: 400,
        height: 300,
    };

    fn at(x0: f64, y0: f64, x1: f64, y1: f64) -> PixelBox {
        PixelBox { x0, y0, x1, y1 }
    }

    #[test]
    fn windows_stay_in_the_picture_and_go_as_stated() {
        let size = Size {
            width: 320,
            height: 180,
        };
        for how in [Move::Pan, Move::Zoom, Move::Walk] {
            for size in [None, Some(size)] {
                let path = Path::new(STILL, how, 1.0, size);
                for frame in 0..200 {
                    let w = path.window(f64::from(frame) / 25.0);
                    let inside =
                        w.x0 >= -1e-9 && w.y0 >= -1e-9 && w.x1 <= 400.001 && w.y1 <= 300.001;
                    assert!(inside && w.area() > 1000.0, "{how:?} {frame}: {w:?}");
                }
            }
        }
        let pan = Path::new(STILL, Move::Pan, 1.0, None);
        assert_eq!(pan.size().width, 240);
        assert_eq!(pan.window(1.0), at(60.0, 0.0, 300.0, 300.0));
        assert_eq!(pan.window(60.0), at(160.0, 0.0, 400.0, 300.0));
        let zoom = Path::new(STILL, Move::Zoom, 1.0, None);
        assert_eq!(zoom.window(0.0), at(0.0, 0.0, 400.0, 300.0));
        assert_eq!(zoom.window(2.0), at(100.0, 75.0, 300.0, 225.0));
    }

    #[test]
    fn labels_go_with_the_window() {
        let labels = [
            (Class::Face, at(100.0, 75.0, 120.0, 95.0)),
            (Class::Face, at(92.0, 75.0, 112.0, 95.0)),
            (Class::Plate, at(88.0, 75.0, 108.0, 95.0)),
            (Class::Face, at(0.0, 0.0, 20.0, 20.0)),
        ];
        let path = Path::new(STILL, Move::Zoom, 1.0, None);
        let truths = path.truths(&labels, 2.0);
        let told: Vec<_> = truths.iter().map(|t| (t.id, t.at, t.counts)).collect();
        let wanted = [
            (0, at(0.0, 0.0, 40.0, 40.0), true),
            (1, at(0.0, 0.0, 24.0, 40.0), true),
            (2, at(0.0, 0.0, 16.0, 40.0), false),
        ];
        assert_eq!(told, wanted);
        let moved = path.carried(2.0, 0.0, PixelPoint { x: 40.0, y: 40.0 });
        assert_eq!(moved, PixelPoint { x: 120.0, y: 95.0 });
    }

    #[test]
    fn frames_show_what_the_window_shows() {
        // A ramp of 2 a column: half a sample to the right is 1 more.
        let size = Size {
            width: 100,
            height: 8,
        };
        let luma = (0..800).map(|i| (i % 100) as u8 * 2).collect();
        let chroma = || vec![128; 200];
        let planes = [luma, chroma(), chroma()];
        let still = Picture::from_planes(size, Matrix::Bt601, planes).unwrap();
        let path = Path::new(size, Move::Pan, 1.0, None);
        assert_eq!((path.size().width, path.size().height), (60, 8));
        // 15 columns a second.
        for (s, first) in [(0.0, 0), (1.0, 30), (0.5, 15), (9.0, 80)] {
            let frame = path.frame(&still, s).unwrap();
            let frame = frame.frame().unwrap();
            for y in [0, 7] {
                let row = frame.row(0, y);
                assert_eq!((row[0], row[20], row.len()), (first, first + 40, 60), "{s}");
            }
            assert_eq!(frame.row(1, 3), [128; 30]);
        }
    }
}
