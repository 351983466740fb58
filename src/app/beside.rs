//! What a camera's further streams take over from its main one: its form, its doubts, and
//! what was found in its picture. Nothing of it shows more of them.

use super::FirstSize;
use super::detection::Sight;
use crate::clock::{CaptureTime, Mono};
use crate::detect::PixelBox;
use crate::event::Reason;
use crate::geom::Size;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A picture that is nearer to the main one's form than this, counted in its own lines, was
/// only rounded to whole pixels: codecs want even sides.
const ROUNDED_PX: f64 = 2.0;
/// So long after its last doubtful picture a main stream that has stopped still counts.
const DOUBT_LASTS: Duration = Duration::from_secs(5);

/// Whether a stream's pictures contradict the camera's positions.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    /// When it was seen last, monotonic nanoseconds; 0: not, or not any more.
    seen: AtomicU64,
}

impl Doubt {
    /// Notes what the newest picture says.
    pub(super) fn note(&self, doubts: bool, now: Mono) {
        let seen = if doubts { now.0.max(1) } else { 0 };
        self.seen.store(seen, Ordering::Relaxed);
    }

    fn stands(&self, now: Mono) -> bool {
        let seen = Mono(self.seen.load(Ordering::Relaxed));
        seen != Mono(0) && now.since(seen) < DOUBT_LASTS
    }
}

/// The main stream as the others know it.
#[derive(Clone, Debug)]
pub(super) struct Beside {
    /// The size of its first picture, for which profile and zones were made.
    pub(super) size: FirstSize,
    /// Whether its pictures contradict positions.
    pub(super) doubt: Arc<Doubt>,
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

    /// Whether the main stream's pictures contradict positions: they are as wrong for this one.
    pub(super) fn doubts(&self, now: Mono) -> bool {
        self.doubt.stands(now)
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
            doubt: Arc::default(),
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
    fn a_doubt_counts_as_long_as_somebody_watches() {
        let at = |s: u64| Mono(s * 1_000_000_000);
        let doubt = Doubt::default();
        assert!(!doubt.stands(at(1)));
        doubt.note(true, at(10));
        assert!(doubt.stands(at(10)) && doubt.stands(at(14)));
        assert!(!doubt.stands(at(16)), "the main stream has stopped");
        doubt.note(true, at(16));
        doubt.note(false, at(17));
        assert!(!doubt.stands(at(17)));
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
