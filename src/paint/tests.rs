use super::*;
use crate::event::CameraState;
use crate::frame::{PixelFormat, PlaneMut, plane_extent};
use crate::geom::{PixelPoint, Size};
use crate::zone::{GrownPoint, Mode, Region};
use proptest::prelude::*;

/// Written where no picture is; must never change.
const GUARD: u8 = 0xA5;

/// A frame in memory of its own: rows padded by `pad` guard bytes.
#[derive(Clone, Debug, PartialEq)]
struct Memory {
    format: PixelFormat,
    size: Size,
    pad: usize,
    planes: Vec<Vec<u8>>,
}

impl Memory {
    /// A picture without a single grey sample, no two neighbours alike.
    fn noisy(format: PixelFormat, width: u32, height: u32, pad: usize) -> Self {
        let size = Size { width, height };
        let count = if format == PixelFormat::I420 { 3 } else { 2 };
        let planes = (0..count)
            .map(|plane| {
                let (bytes, rows) = plane_extent(format, size, plane);
                (0..rows)
                    .flat_map(|y| {
                        (0..bytes + pad).map(move |x| match (x * 7 + y * 13 + plane) % 120 {
                            _ if x >= bytes => GUARD,
                            v => v as u8,
                        })
                    })
                    .collect()
            })
            .collect();
        Self {
            format,
            size,
            pad,
            planes,
        }
    }

    fn luma(&self, x: usize, y: usize) -> u8 {
        self.planes[0][y * (self.size.width as usize + self.pad) + x]
    }

    /// The bytes of chroma sample (`x`, `y`).
    fn chroma(&self, x: usize, y: usize) -> [u8; 2] {
        let (bytes, _) = plane_extent(self.format, self.size, 1);
        let row = y * (bytes + self.pad);
        match self.format {
            PixelFormat::I420 => [self.planes[1][row + x], self.planes[2][row + x]],
            PixelFormat::Nv12 => [self.planes[1][row + 2 * x], self.planes[1][row + 2 * x + 1]],
        }
    }
}

impl Paintable for Memory {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let (format, size, pad) = (self.format, self.size, self.pad);
        let planes = self
            .planes
            .iter_mut()
            .enumerate()
            .map(|(i, data)| PlaneMut {
                data: data.as_mut_slice(),
                stride: plane_extent(format, size, i).0 + pad,
            });
        FrameMut::new(format, size, planes.collect())
    }
}

fn region(mode: Mode, margin_px: f64, corners: &[(f64, f64)]) -> Region {
    Region {
        zone: Some(0),
        mode,
        outline: corners
            .iter()
            .map(|&(x, y)| GrownPoint {
                at: PixelPoint { x, y },
                margin_px,
            })
            .collect(),
    }
}

fn plan(size: Size, regions: Vec<Region>) -> Plan {
    Plan {
        size,
        hide: Hide::Regions {
            regions,
            show_only: false,
        },
        state: CameraState::Live,
        mosaic: false,
    }
}

const TRIANGLE: [(f64, f64); 3] = [(3.0, 2.5), (20.0, 6.0), (7.5, 14.0)];

/// Every format, odd and even sizes, several strides.
fn each_memory(mut each: impl FnMut(Memory)) {
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        for (width, height) in [(32, 18), (33, 19), (1, 1), (2, 1), (65, 3), (130, 16)] {
            for pad in [0, 1, 31] {
                each(Memory::noisy(format, width, height, pad));
            }
        }
    }
}

/// Checks every byte of `after` against what `coverage` says of `before`.
fn check_bytes(before: &Memory, after: &Memory, coverage: &Coverage) {
    let (width, height) = (before.size.width as usize, before.size.height as usize);
    let mut expected = before.clone();
    for y in 0..height {
        for x in 0..width {
            let hidden = coverage.hides(x, y);
            let wanted = if hidden { GREY } else { before.luma(x, y) };
            assert_eq!(after.luma(x, y), wanted, "luma {x},{y}");
            expected.planes[0][y * (width + before.pad) + x] = wanted;
        }
    }
    for cy in 0..height.div_ceil(2) {
        for cx in 0..width.div_ceil(2) {
            let hidden = [(0, 0), (1, 0), (0, 1), (1, 1)]
                .iter()
                .any(|(dx, dy)| coverage.hides(2 * cx + dx, 2 * cy + dy));
            let wanted = if hidden {
                [NEUTRAL; 2]
            } else {
                before.chroma(cx, cy)
            };
            assert_eq!(after.chroma(cx, cy), wanted, "chroma {cx},{cy}");
        }
    }
    // Luma and its padding as a whole; the chroma planes' padding.
    assert_eq!(after.planes[0], expected.planes[0]);
    for (i, plane) in after.planes.iter().enumerate() {
        let (bytes, _) = plane_extent(after.format, after.size, i);
        for row in plane.chunks(bytes + after.pad) {
            assert!(
                row[bytes..].iter().all(|&v| v == GUARD),
                "padding of plane {i}"
            );
        }
    }
}

#[test]
fn hidden_samples_are_grey_and_all_others_untouched() {
    for mode in [Mode::Hide, Mode::ShowOnly] {
        each_memory(|before| {
            let plan = plan(before.size, vec![region(mode, 1.5, &TRIANGLE)]);
            let coverage = Coverage::of(&plan);
            let masked = paint(&plan, before.clone()).unwrap();
            assert!(!masked.painted().read_back_failed);
            assert_eq!(masked.painted().covered, None);
            assert_eq!(masked.painted().hidden_share, coverage.share());
            check_bytes(&before, masked.inner(), &coverage);
        });
    }
}

#[test]
fn nothing_to_hide_changes_nothing() {
    each_memory(|before| {
        let masked = paint(&plan(before.size, vec![]), before.clone()).unwrap();
        assert_eq!(masked.painted().hidden_share, 0.0);
        assert_eq!(masked.into_inner(), before);
    });
}

/// The luma of a frame of 1920 x 1080 that was covered for `reason`.
fn covered(reason: Reason) -> Memory {
    let frame = Memory::noisy(PixelFormat::I420, 1920, 1080, 0);
    let masked = paint(&Plan::cover(frame.size, reason), frame).unwrap();
    assert_eq!(masked.painted().hidden_share, 1.0);
    masked.into_inner()
}

#[test]
fn covered_frames_hold_nothing_but_grey_and_a_caption() {
    each_memory(|before| {
        let masked = paint(&Plan::cover(before.size, Reason::Starting), before.clone()).unwrap();
        assert_eq!(masked.painted().covered, Some(Reason::Starting));
        // Too small for a caption.
        check_bytes(&before, masked.inner(), &Coverage::all(before.size));
    });
    let starting = covered(Reason::Starting);
    assert!(starting.planes[1..].iter().flatten().all(|&v| v == NEUTRAL));
    // What the picture was like does not matter: only the reason is seen.
    let mut other = Memory::noisy(PixelFormat::I420, 1920, 1080, 0);
    other
        .planes
        .iter_mut()
        .flatten()
        .for_each(|v| *v = 255 - *v);
    let masked = paint(&Plan::cover(other.size, Reason::Starting), other).unwrap();
    assert_eq!(masked.into_inner(), starting);
    assert_ne!(covered(Reason::NoPosition), starting);
    let grey = starting.planes[0].iter().filter(|&&v| v == GREY).count();
    assert!(grey > 1920 * 1080 * 9 / 10, "the caption is small");
    assert!(grey < 1920 * 1080, "the caption is there");
}

#[test]
fn a_plan_for_another_size_covers() {
    let frame = Memory::noisy(PixelFormat::Nv12, 32, 18, 0);
    let size = Size {
        width: 32,
        height: 20,
    };
    let masked = paint(&plan(size, vec![]), frame.clone()).unwrap();
    assert!(matches!(
        &masked.painted().covered,
        Some(Reason::StreamChanged { detail }) if detail == "32x20 to 32x18"
    ));
    check_bytes(&frame, masked.inner(), &Coverage::all(frame.size));
}

#[test]
fn a_rasteriser_that_forgets_is_found_out() {
    let check = |mode, forget: &dyn Fn(&Plan) -> Coverage| {
        let before = Memory::noisy(PixelFormat::Nv12, 64, 48, 3);
        let plan = plan(before.size, vec![region(mode, 2.0, &TRIANGLE)]);
        let masked = paint_by(forget, &plan, before.clone()).unwrap();
        assert_eq!(masked.painted().covered, Some(Reason::PaintFailed));
        assert!(masked.painted().read_back_failed);
        check_bytes(&before, masked.inner(), &Coverage::all(before.size));
    };
    let nothing = |plan: &Plan| Coverage::of_regions(plan.size, &[], false);
    // Without its margin, and shifted by one sample.
    let thin =
        |plan: &Plan| Coverage::of_regions(plan.size, &[region(Mode::Hide, 0.0, &TRIANGLE)], false);
    let shifted = |plan: &Plan| {
        let shifted = TRIANGLE.map(|(x, y)| (x + 2.0, y));
        Coverage::of_regions(plan.size, &[region(Mode::Hide, 2.0, &shifted)], false)
    };
    check(Mode::Hide, &nothing);
    check(Mode::Hide, &thin);
    check(Mode::Hide, &shifted);
    check(Mode::ShowOnly, &nothing);
}

#[test]
fn reading_back_looks_at_every_plane() {
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        for mode in [Mode::Hide, Mode::ShowOnly] {
            let regions = [region(mode, 2.0, &TRIANGLE)];
            let before = Memory::noisy(format, 64, 48, 0);
            let masked = paint(&plan(before.size, regions.to_vec()), before.clone()).unwrap();
            let mut painted = masked.into_inner();
            let hidden = |memory: &mut Memory| {
                let planes = memory.planes().unwrap();
                readback::regions_are_hidden(&planes, &regions, false)
            };
            assert!(hidden(&mut painted));
            for plane in 0..painted.planes.len() {
                let mut forgotten = painted.clone();
                forgotten.planes[plane].clone_from(&before.planes[plane]);
                assert!(!hidden(&mut forgotten), "{format:?} {mode:?} plane {plane}");
                let planes = forgotten.planes().unwrap();
                assert!(!readback::all_is_hidden(&planes));
            }
        }
    }
}

/// Memory that is not the picture it claims to be.
struct Broken;

impl Paintable for Broken {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let size = Size {
            width: 4,
            height: 4,
        };
        FrameMut::new(PixelFormat::Nv12, size, vec![])
    }
}

#[test]
fn what_cannot_be_covered_never_comes_back() {
    let size = Size {
        width: 4,
        height: 4,
    };
    let Err(failed) = paint(&plan(size, vec![]), Broken) else {
        panic!("memory without planes was painted");
    };
    assert!(matches!(failed.error(), PaintError::Planes(_)));
    assert!(failed.to_string().contains("2 planes, got 0"));
}

/// Outlines inside, over the border and far outside of a frame of 100 px.
fn any_region() -> impl Strategy<Value = Region> {
    let near = -20.0f64..110.0;
    let corner = prop_oneof![
        9 => (near.clone(), near),
        1 => (-9e4f64..9e4, -9e4f64..9e4),
    ];
    let margin_px = prop_oneof![Just(0.0), 0.0f64..30.0];
    let mode = prop_oneof![3 => Just(Mode::Hide), 2 => Just(Mode::ShowOnly)];
    (prop::collection::vec((corner, margin_px), 3..9), mode).prop_map(|(corners, mode)| Region {
        zone: Some(0),
        mode,
        outline: corners
            .into_iter()
            .map(|((x, y), margin_px)| GrownPoint {
                at: PixelPoint { x, y },
                margin_px,
            })
            .collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Also: reading back never cries wolf.
    #[test]
    fn any_regions_on_any_frame(
        regions in prop::collection::vec(any_region(), 0..5),
        show_only in any::<bool>(),
        nv12 in any::<bool>(),
        (width, height, pad) in (1u32..100, 1u32..100, 0usize..5),
    ) {
        let format = if nv12 { PixelFormat::Nv12 } else { PixelFormat::I420 };
        let before = Memory::noisy(format, width, height, pad);
        let mut plan = plan(before.size, regions.clone());
        plan.hide = Hide::Regions { regions, show_only };
        let masked = paint(&plan, before.clone()).unwrap();
        prop_assert!(!masked.painted().read_back_failed);
        check_bytes(&before, masked.inner(), &Coverage::of(&plan));
    }
}

#[test]
fn a_mosaic_shows_few_colours_of_a_thing_and_none_of_a_zone() {
    for format in [PixelFormat::I420, PixelFormat::Nv12] {
        let before = Memory::noisy(format, 130, 90, 3);
        let square = |x: f64, y: f64, side: f64| {
            let (x1, y1) = (x + side, y + side);
            region(Mode::Hide, 1.0, &[(x, y), (x1, y), (x1, y1), (x, y1)])
        };
        let thing = |x, y, side| Region {
            zone: None,
            ..square(x, y, side)
        };
        // A zone over a corner of the first thing; two things that meet.
        let regions = vec![
            square(50.0, 50.0, 20.0),
            thing(20.0, 20.0, 40.0),
            thing(90.0, 10.0, 16.0),
            thing(100.0, 20.0, 16.0),
        ];
        let mut wanted = plan(before.size, regions.clone());
        let solid = paint(&wanted, before.clone()).unwrap().into_inner();
        wanted.mosaic = true;
        let mosaic = paint(&wanted, before.clone()).unwrap();
        assert_eq!(mosaic.painted().covered, None);
        let mosaic = mosaic.into_inner();
        let hidden = Coverage::of(&wanted);
        let zone = Coverage::of_regions(before.size, &regions[..1], false);
        let mut colours = std::collections::BTreeSet::new();
        for y in 0..90 {
            for x in 0..130 {
                let luma = mosaic.luma(x, y);
                let first = x < 80 && hidden.hides(x, y) && !zone.hides(x, y);
                if first {
                    colours.insert(luma);
                } else {
                    assert_eq!(luma, solid.luma(x, y), "{x},{y}");
                }
            }
        }
        assert!((5..=26).contains(&colours.len()), "{}", colours.len());
        assert_eq!(mosaic.luma(60, 60), GREY);
        assert_eq!(mosaic.luma(105, 25), GREY, "two grids over one thing");
    }
}
