//! One look at a picture: several of its parts, each at a scale of its own,
//! and one list of what is there.
//!
//! A network sees a whole picture at its input size; what is small there is
//! looked for in [`tiles`] at the picture's own size. Which parts are worth
//! their cost is for others to say: nothing here knows time.

use super::{Class, DetectError, Detection, Detector, PixelBox};
use crate::frame::FrameRef;
use crate::geom::Size;

/// The part of a picture that a network looks at in one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part {
    /// Where it lies, luma samples of the picture.
    pub area: PixelBox,
    /// What its longer side is brought to, input samples.
    pub long_side: u32,
}

impl Part {
    /// The whole picture, its longer side brought to `long_side` input samples.
    pub fn whole(size: Size, long_side: u32) -> Self {
        let area = PixelBox {
            x0: 0.0,
            y0: 0.0,
            x1: f64::from(size.width),
            y1: f64::from(size.height),
        };
        Self { area, long_side }
    }

    /// At the picture's own size.
    pub fn native(area: PixelBox) -> Self {
        let long = area.width().max(area.height());
        Self {
            area,
            long_side: (long.round() as u32).max(32),
        }
    }

    /// Input samples for each sample of the picture.
    pub fn scale(&self) -> f64 {
        let long = self.area.width().max(self.area.height());
        if long > 0.0 {
            f64::from(self.long_side) / long
        } else {
            0.0
        }
    }

    /// Samples of the input, which the cost of a run is proportional to.
    pub fn cost_px(&self) -> f64 {
        self.area.area() * self.scale() * self.scale()
    }

    /// Whether a network that finds things from `least_px` input samples
    /// high on would find one as high as `at`, wholly inside.
    pub fn shows(&self, at: &PixelBox, least_px: f64) -> bool {
        let inside = self.area.intersection(at).area() >= at.area();
        inside && at.height() * self.scale() >= least_px
    }

    /// Whether the part's own edge, where it is not also the picture's, cuts `at`.
    fn cuts(&self, at: &PixelBox, picture: &PixelBox) -> bool {
        let near = |edge: f64, of: f64, end: f64| {
            (edge - of).abs() <= CUT_PX.max(1.0 / self.scale().max(1e-6)) && (of - end).abs() >= 1.0
        };
        let a = &self.area;
        near(at.x0, a.x0, picture.x0)
            || near(at.y0, a.y0, picture.y0)
            || near(at.x1, a.x1, picture.x1)
            || near(at.y1, a.y1, picture.y1)
    }
}

/// A box this near to a part's edge is cut by it, samples of the picture.
const CUT_PX: f64 = 2.0;
/// A box of which this share lies in a surer one adds nothing.
const INSIDE: f64 = 0.9;

/// The longest side of a tile, samples.
const TILE: [u32; 2] = [704, 416];
/// A tile seen smaller than this is not seen in its own size.
const NATIVE: f64 = 0.9;

/// By how much neighbouring tiles overlap at least, samples: things up to this
/// size are whole in one of them, larger ones are found in the whole picture.
pub const TILE_OVERLAP: u32 = 80;

/// Whether a model that takes only pictures of `fixed` width and height sees tiles
/// in (nearly) their own size, and whole pictures brought to `long_side`.
pub fn sees_tiles(fixed: [u32; 2], long_side: u32) -> bool {
    let [across, down] = [0, 1].map(|i| f64::from(fixed[i]) / f64::from(TILE[i]));
    across.min(down) >= NATIVE && f64::from(fixed[0].max(fixed[1])) >= NATIVE * f64::from(long_side)
}

/// Parts at the picture's own size that cover it together, row by row. One for
/// a picture that is no larger than a tile.
pub fn tiles(size: Size) -> Vec<Part> {
    let spans = |length: u32, most: u32| {
        let step = most - TILE_OVERLAP;
        let count = length.saturating_sub(TILE_OVERLAP).div_ceil(step).max(1);
        let side = (f64::from(length) + f64::from((count - 1) * TILE_OVERLAP)) / f64::from(count);
        let start = move |i: u32| f64::from(i) * (side - f64::from(TILE_OVERLAP));
        (0..count).map(move |i| (start(i).floor(), (start(i) + side).ceil()))
    };
    let columns: Vec<(f64, f64)> = spans(size.width, TILE[0]).collect();
    spans(size.height, TILE[1])
        .flat_map(|(y0, y1)| {
            columns
                .iter()
                .map(move |&(x0, x1)| Part::native(PixelBox { x0, y0, x1, y1 }))
        })
        .collect()
}

/// The detectors that look together, at most one for each class.
pub struct Search {
    detectors: Vec<Box<dyn Detector>>,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.detectors.iter().map(|d| d.descriptor().class))
            .finish()
    }
}

impl Search {
    /// With these; of several for one class the first is used.
    pub fn new(detectors: Vec<Box<dyn Detector>>) -> Self {
        Self { detectors }
    }

    /// The detector for a class.
    ///
    /// # Errors
    /// [`DetectError::NoModel`] where there is none.
    pub fn detector(&mut self, class: Class) -> Result<&mut dyn Detector, DetectError> {
        self.detectors
            .iter_mut()
            .find(|d| d.descriptor().class == class)
            .map(|d| &mut **d as &mut dyn Detector)
            .ok_or(DetectError::NoModel { class })
    }

    /// What of `class` is in the `parts` of `frame` and `may_be` there, each thing
    /// once: of boxes for the same thing the surest stays; a piece that a part's
    /// edge cuts off stays unless it lies in another box.
    ///
    /// # Errors
    /// [`DetectError`] when any part could not be searched: the list would look
    /// complete without being it.
    pub fn search(
        &mut self,
        frame: &FrameRef<'_>,
        class: Class,
        parts: &[Part],
        may_be: &dyn Fn(&Detection) -> bool,
    ) -> Result<Vec<Detection>, DetectError> {
        let picture = Part::whole(frame.size(), 32).area;
        let detector = self.detector(class)?;
        let iou = f64::from(detector.descriptor().nms_iou);
        let mut found = Vec::new();
        for part in parts {
            let here = detector.detect(frame, &part.area, part.long_side)?;
            // What cannot be there must not stand for what lies within it.
            let here = here.into_iter().filter(may_be);
            found.extend(here.map(|d| (part.cuts(&d.at, &picture), d)));
        }
        Ok(if parts.len() > 1 {
            joined(found, iou)
        } else {
            found.into_iter().map(|(_, d)| d).collect()
        })
    }
}

fn joined(mut found: Vec<(bool, Detection)>, iou: f64) -> Vec<Detection> {
    // A score says little about a piece, its size more.
    let rank = |(cut, d): &(bool, Detection)| match cut {
        false => (0, f64::from(-d.score)),
        true => (1, -d.at.area()),
    };
    found.sort_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    });
    let mut kept: Vec<Detection> = Vec::new();
    for (cut, d) in found {
        let same = kept.iter_mut().find(|k| {
            let both = k.at.intersection(&d.at).area();
            (!cut && k.at.iou(&d.at) > iou) || both >= INSIDE * d.at.area()
        });
        match same {
            // As sure as the surest look at any part of it.
            Some(k) => k.score = k.score.max(d.score),
            None => kept.push(d),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Descriptor;
    use crate::frame::{Matrix, Picture};

    fn at(x0: f64, y0: f64, x1: f64, y1: f64) -> PixelBox {
        PixelBox { x0, y0, x1, y1 }
    }

    #[test]
    fn a_model_of_one_size_must_be_large_enough_for_tiles() {
        for (fixed, long_side, sees) in [
            ([640, 640], 640, true),
            ([704, 416], 704, true),
            ([640, 384], 640, true),
            ([640, 352], 640, false),
            ([320, 320], 640, false),
            ([640, 640], 1280, false),
        ] {
            assert_eq!(sees_tiles(fixed, long_side), sees, "{fixed:?} {long_side}");
        }
    }

    #[test]
    fn tiles_cover_the_picture_and_show_small_things_whole() {
        for (width, height, count) in [
            (1920, 1080, 9),
            (1280, 720, 4),
            (640, 360, 1),
            (704, 416, 1),
            (3840, 2160, 49),
            (17, 9, 1),
        ] {
            let tiles = tiles(Size { width, height });
            assert_eq!(tiles.len(), count, "{width}x{height}");
            let side = f64::from(TILE_OVERLAP) - 2.0;
            for x in (0..width).step_by(13) {
                for y in (0..height).step_by(13) {
                    let (x0, y0) = (f64::from(x), f64::from(y));
                    let thing = at(
                        x0,
                        y0,
                        (x0 + side).min(f64::from(width)),
                        (y0 + side).min(f64::from(height)),
                    );
                    assert!(
                        tiles.iter().any(|t| t.shows(&thing, 0.0)),
                        "{thing:?} of {width}x{height}"
                    );
                }
            }
        }
    }

    /// Finds in every part what of `THINGS` lies in it, cut by its edges.
    struct Sees {
        descriptor: Descriptor,
        things: Vec<(PixelBox, f32)>,
    }

    impl Detector for Sees {
        fn descriptor(&self) -> &Descriptor {
            &self.descriptor
        }

        fn detect(
            &mut self,
            _frame: &FrameRef<'_>,
            area: &PixelBox,
            _long_side: u32,
        ) -> Result<Vec<Detection>, DetectError> {
            let seen = self.things.iter().filter_map(|(thing, score)| {
                let at = area.intersection(thing);
                // What is cut looks surer here, to make it hard.
                let score = if at == *thing { *score } else { 0.99 };
                let class = Class::Face;
                (at.area() > 0.0).then_some(Detection { class, at, score })
            });
            Ok(seen.collect())
        }
    }

    const FACES: &str = "class = \"face\"\ndecoder = \"centerface\"\nthreshold = 0.2\nnms_iou = 0.3\n\
                         [input]\nlayout = \"nchw\"\nchannels = \"rgb\"\nlong_side = 640\n";

    #[test]
    fn a_thing_on_two_parts_is_found_once_and_whole() {
        let size = Size {
            width: 64,
            height: 48,
        };
        let picture = Picture::from_rgb(&[90; 64 * 48 * 3], size, Matrix::Bt709).unwrap();
        let frame = picture.frame().unwrap();
        let halves = [at(0.0, 0.0, 36.0, 48.0), at(28.0, 0.0, 64.0, 48.0)].map(Part::native);
        let whole = Part::whole(size, 64);
        let across = at(20.0, 10.0, 34.0, 22.0);
        let wide = at(10.0, 30.0, 50.0, 40.0);
        let cases = [
            // Whole in the left half, cut in the right one.
            (across, halves.to_vec(), vec![across]),
            // Cut in both: both pieces hide it together.
            (
                wide,
                halves.to_vec(),
                vec![at(10.0, 30.0, 36.0, 40.0), at(28.0, 30.0, 50.0, 40.0)],
            ),
            // And whole in the picture, which is worth more than its pieces.
            (wide, vec![halves[0], halves[1], whole], vec![wide]),
        ];
        for (thing, parts, wanted) in cases {
            let mut search = Search::new(vec![Box::new(Sees {
                descriptor: Descriptor::parse(FACES).unwrap(),
                things: vec![(thing, 0.5)],
            })]);
            let found = search
                .search(&frame, Class::Face, &parts, &|_| true)
                .unwrap();
            let boxes: Vec<PixelBox> = found.iter().map(|d| d.at).collect();
            assert_eq!(boxes, wanted);
            let none = search.search(&frame, Class::Plate, &parts, &|_| true);
            assert_eq!(
                none,
                Err(DetectError::NoModel {
                    class: Class::Plate
                })
            );
        }
    }

    #[test]
    fn what_cannot_be_there_takes_nothing_with_it() {
        let size = Size {
            width: 64,
            height: 48,
        };
        let picture = Picture::from_rgb(&[90; 64 * 48 * 3], size, Matrix::Bt709).unwrap();
        let (small, large) = (at(20.0, 10.0, 26.0, 16.0), at(4.0, 4.0, 44.0, 44.0));
        let mut search = Search::new(vec![Box::new(Sees {
            descriptor: Descriptor::parse(FACES).unwrap(),
            things: vec![(small, 0.3), (large, 0.9)],
        })]);
        let parts = [
            Part::whole(size, 64),
            Part::native(at(0.0, 0.0, 64.0, 48.0)),
        ];
        let frame = picture.frame().unwrap();
        for (most, left) in [(99.0, vec![large]), (20.0, vec![small])] {
            let may_be = |d: &Detection| d.at.width() <= most;
            let found = search.search(&frame, Class::Face, &parts, &may_be).unwrap();
            let boxes: Vec<PixelBox> = found.iter().map(|d| d.at).collect();
            assert_eq!(boxes, left, "{most}");
        }
    }
}
