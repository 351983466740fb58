//! What a camera's further streams take over from its main one: its form, its doubts, and
//! what was found in its picture. Nothing of it shows more of them.

use super::detection::Sight;
use super::{FirstSize, Pictures};
use crate::clock::CaptureTime;
use crate::detect::PixelBox;
use crate::event::Reason;
use crate::geom::Size;
use std::sync::{Arc, PoisonError};

/// A picture that is nearer to the main one's form than this, counted in its own lines, was
/// only rounded to whole pixels: codecs want even sides.
const ROUNDED_PX: f64 = 2.0;

/// The main stream as the others know it.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    /// The size of its first picture, for which profile and zones were made.
    pub(super) size: FirstSize,
    /// Whether its pictures contradict positions; none where nobody is to ask them.
    pub(super) pictures: Option<Pictures>,
    /// Where something is looked for in its picture.
    pub(super) sight: Option<Arc<Sight>>,
}

impl Beside {
    /// Why a picture of `size` cannot be masked as the main one's: its angles are known only
    /// where it is the same picture in another size.
    pub(super) fn misfit(&self, size: Size) -> Option<Reason> {
        let detail = match self.size.get() {
            None => "the main stream, whose form counts, has not come yet".to_owned(),
            Some(main) if same_form(size, *main) => return None,
            Some(main) => format!(
                "{}x{} is not of the main stream's form, {}x{}",
                size.width, size.height, main.width, main.height
            ),
        };
        Some(Reason::StreamChanged { detail })
    }

    /// Whether the main stream's pictures contradict positions: they are as wrong for this one,
    /// also while the main stream is away.
    pub(super) fn doubts(&self) -> bool {
        let pictures = self.pictures.as_ref();
        pictures.is_some_and(|p| p.lock().unwrap_or_else(PoisonError::into_inner).doubts())
    }

    /// What was found in the main stream's picture, as it lies in one of `size` taken at `t`;
    /// nothing where nobody could look, for it comes beside what is found in this one.
    ///
    /// # Errors
    /// The reason to cover where there are more things than are followed.
    pub(super) fn things(&self, t: CaptureTime, size: Size) -> Result<Vec<PixelBox>, Reason> {
        let (Some(sight), Some(main)) = (&self.sight, self.size.get()) else {
            return Ok(Vec::new());
        };
        match sight.known(t) {
            Ok(things) => Ok(things.iter().map(|h| scaled(&h.at, *main, size)).collect()),
            Err(Reason::DetectorSilent) => Ok(Vec::new()),
            Err(other) => Err(other),
        }
    }
}

/// Whether a picture of one size shows what one of the other shows, as far as sizes tell.
fn same_form(size: Size, main: Size) -> bool {
    let [width, height] = [size.width, size.height].map(f64::from);
    let lines = width * f64::from(main.height) / f64::from(main.width.max(1));
    (height - lines).abs() < ROUNDED_PX
}

fn scaled(thing: &PixelBox, from: Size, to: Size) -> PixelBox {
    let x = f64::from(to.width) / f64::from(from.width.max(1));
    let y = f64::from(to.height) / f64::from(from.height.max(1));
    PixelBox {
        x0: thing.x0 * x,
        y0: thing.y0 * y,
        x1: thing.x1 * x,
        y1: thing.y1 * y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::OnceLock;

    const FULL: Size = Size {
        width: 1920,
        height: 1080,
    };

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    #[test]
    fn only_the_same_picture_in_another_size_fits() {
        let main = Beside {
            size: Arc::new(OnceLock::new()),
            pictures: None,
            sight: None,
        };
        let before = main.misfit(size(640, 360)).unwrap();
        assert!(before.to_string().contains("has not come yet"), "{before}");
        main.size.set(FULL).unwrap();
        for (width, height) in [
            (1920, 1080),
            (640, 360),
            (854, 480),
            (3840, 2160),
            (352, 198),
        ] {
            assert_eq!(main.misfit(size(width, height)), None, "{width}x{height}");
        }
        for (width, height) in [(640, 480), (704, 576), (640, 352), (1080, 1920), (848, 480)] {
            let misfit = main.misfit(size(width, height));
            let said = misfit.map(|reason| reason.to_string()).unwrap_or_default();
            assert!(said.contains("1920x1080"), "{width}x{height}: {said}");
        }
    }

    #[test]
    fn things_lie_where_they_lie_in_the_main_picture() {
        let thing = PixelBox {
            x0: 300.0,
            y0: 150.0,
            x1: 360.0,
            y1: 240.0,
        };
        let small = scaled(&thing, FULL, size(640, 360));
        let expected = [100.0, 50.0, 120.0, 80.0];
        for (is, should) in [small.x0, small.y0, small.x1, small.y1]
            .iter()
            .zip(expected)
        {
            assert!((is - should).abs() < 1e-9, "{small:?}");
        }
    }
}
