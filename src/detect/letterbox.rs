//! Which part of a frame a network looks at, and at what size.
//!
//! The part is scaled with its shape kept and laid into the upper left corner
//! of the input; what remains is black. Only numbers: nothing here reads a
//! picture.

use crate::geom::Size;

use super::descriptor::{Input, MAX_INPUT_SIDE, STRIDE};
use super::{DetectError, PixelBox};

/// A part of a frame, laid into a network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Letterbox {
    /// The part of the frame, inside it.
    pub source: PixelBox,
    /// How many of the input's samples show it.
    pub content: Size,
    /// The input's size, multiples of 32.
    pub input: Size,
}

impl Letterbox {
    /// The part `area` of a frame, its longer side brought to `long_side`
    /// input samples (also where that enlarges it); the shorter side is filled
    /// up to a multiple of 32. A model with a fixed input gets all of `area`
    /// into that, whatever `long_side` says.
    ///
    /// # Errors
    /// [`DetectError::Area`] when `area` and the frame share less than one
    /// sample; [`DetectError::LongSide`] when the size is no input size.
    pub fn new(
        frame: Size,
        area: &PixelBox,
        input: &Input,
        long_side: u32,
    ) -> Result<Self, DetectError> {
        let within = PixelBox {
            x0: 0.0,
            y0: 0.0,
            x1: f64::from(frame.width),
            y1: f64::from(frame.height),
        };
        let source = within.intersection(area);
        let (w, h) = (source.width(), source.height());
        if !(area.is_sound() && w >= 1.0 && h >= 1.0) {
            return Err(DetectError::Area { area: *area, frame });
        }
        if !(STRIDE..=MAX_INPUT_SIDE).contains(&long_side) {
            return Err(DetectError::LongSide(long_side));
        }
        let into = match input.fixed {
            Some([width, height]) => Size { width, height },
            None => Size {
                width: long_side,
                height: long_side,
            },
        };
        let scale = (f64::from(into.width) / w).min(f64::from(into.height) / h);
        let side = |n: f64, limit: u32| ((n * scale).round() as u32).clamp(1, limit);
        let content = Size {
            width: side(w, into.width),
            height: side(h, into.height),
        };
        let input = match input.fixed {
            Some(_) => into,
            None => Size {
                width: content.width.next_multiple_of(STRIDE),
                height: content.height.next_multiple_of(STRIDE),
            },
        };
        Ok(Self {
            source,
            content,
            input,
        })
    }

    /// Where in the frame a box of the input lies. Each axis has its own
    /// scale, because each was rounded to whole samples by itself.
    pub fn in_frame(&self, at: &PixelBox) -> PixelBox {
        let sx = self.source.width() / f64::from(self.content.width);
        let sy = self.source.height() / f64::from(self.content.height);
        PixelBox {
            x0: self.source.x0 + at.x0 * sx,
            y0: self.source.y0 + at.y0 * sy,
            x1: self.source.x0 + at.x1 * sx,
            y1: self.source.y0 + at.y1 * sy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Channels, Layout};

    fn input(fixed: Option<[u32; 2]>) -> Input {
        Input {
            layout: Layout::Nchw,
            channels: Channels::Rgb,
            mean: [0.0; 3],
            scale: [1.0; 3],
            long_side: 640,
            fixed,
        }
    }

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn area(x0: f64, y0: f64, x1: f64, y1: f64) -> PixelBox {
        PixelBox { x0, y0, x1, y1 }
    }

    #[test]
    fn a_part_keeps_its_shape() {
        let hd = size(1920, 1080);
        let whole = area(0.0, 0.0, 1920.0, 1080.0);
        let tall = area(100.0, 0.0, 400.0, 900.0);
        let cases = [
            (whole, 640, None, size(640, 360), size(640, 384)),
            (whole, 1280, None, size(1280, 720), size(1280, 736)),
            (tall, 640, None, size(213, 640), size(224, 640)),
            (whole, 640, Some([320, 320]), size(320, 180), size(320, 320)),
        ];
        for (part, side, fixed, content, into) in cases {
            let letterbox = Letterbox::new(hd, &part, &input(fixed), side).unwrap();
            assert_eq!((letterbox.content, letterbox.input), (content, into));
        }
    }

    #[test]
    fn what_fills_the_content_is_the_part_itself() {
        let part = area(100.5, 20.0, 400.5, 927.0);
        let letterbox = Letterbox::new(size(1920, 1080), &part, &input(None), 640).unwrap();
        let (w, h) = (letterbox.content.width, letterbox.content.height);
        let back = letterbox.in_frame(&area(0.0, 0.0, f64::from(w), f64::from(h)));
        assert!((back.x0 - part.x0).abs() < 1e-9 && (back.y1 - part.y1).abs() < 1e-9);
    }

    #[test]
    fn no_part_and_no_size_are_refused() {
        let hd = size(1920, 1080);
        let outside = area(1920.0, 0.0, 2000.0, 100.0);
        let nan = area(f64::NAN, 0.0, 2000.0, 100.0);
        for part in [outside, nan] {
            let refused = Letterbox::new(hd, &part, &input(None), 640);
            assert!(matches!(refused, Err(DetectError::Area { .. })));
        }
        let whole = area(0.0, 0.0, 1920.0, 1080.0);
        let refused = Letterbox::new(hd, &whole, &input(None), 0);
        assert!(matches!(refused, Err(DetectError::LongSide(0))));
    }
}
