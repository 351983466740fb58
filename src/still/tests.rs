use super::*;
use crate::detect::PixelBox;
use crate::event::Reason;
use crate::frame::{FrameRef, Matrix, Picture};
use crate::geom::{PixelPoint, Size};
use crate::plan::{MarginLimits, PlanInput, RegionSource};
use crate::pose::PoseEstimate;
use crate::zone::{CannotPlace, GrownPoint, Mode, Region};
use std::sync::Arc;
use std::time::Duration;

const SIDE: Size = Size {
    width: 128,
    height: 96,
};
const BRIGHT: u8 = 200;
const AN_HOUR: Duration = Duration::from_secs(3600);

/// The left half is a zone.
struct LeftHalf {
    show_only: bool,
}

impl RegionSource for LeftHalf {
    fn regions(&self, _: Option<&PoseEstimate>, size: Size) -> Result<Vec<Region>, CannotPlace> {
        let (w, h) = (f64::from(size.width) / 2.0, f64::from(size.height));
        let corner = |(x, y)| GrownPoint {
            at: PixelPoint { x, y },
            margin_px: 0.0,
        };
        Ok(vec![Region {
            zone: Some(0),
            mode: match self.show_only {
                true => Mode::ShowOnly,
                false => Mode::Hide,
            },
            outline: [(0.0, 0.0), (w, 0.0), (w, h), (0.0, h)]
                .map(corner)
                .to_vec(),
        }])
    }

    fn has_show_only(&self) -> bool {
        self.show_only
    }

    fn needs_pose(&self) -> bool {
        false
    }
}

const FACE: PixelBox = PixelBox {
    x0: 80.0,
    y0: 32.0,
    x1: 112.0,
    y1: 64.0,
};

fn input<'a>(
    zones: Result<&'a dyn RegionSource, Reason>,
    things: Option<Result<&'a [PixelBox], Reason>>,
) -> PlanInput<'a> {
    PlanInput {
        size: SIDE,
        made_for: Some(SIDE),
        zones,
        pose: None,
        things,
        mosaic: true,
        standing: &[],
        limits: MarginLimits::default(),
    }
}

fn picture(size: Size) -> Picture {
    let samples = (size.width * size.height) as usize;
    let chroma = vec![128; samples / 4];
    let planes = [vec![BRIGHT; samples], chroma.clone(), chroma];
    Picture::from_planes(size, Matrix::Bt601, planes).unwrap()
}

/// What becomes of a request while `frame` is lent with `plan`.
fn asked(frame: &FrameRef<'_>, plan: &StillPlan) -> Result<ClearStill, NoStill> {
    let slot = Arc::new(Slot::default());
    std::thread::scope(|scope| {
        let waits = {
            let slot = slot.clone();
            // A frame comes at once; a refusal is the last word after a while.
            scope.spawn(move || slot.ask(Duration::from_millis(500)))
        };
        while !slot.is_wanted() {
            std::thread::yield_now();
        }
        slot.give(frame, None, plan);
        waits.join().unwrap()
    })
}

/// The grey levels of a marked still at these places, averaged over 8×8 pixels.
fn levels(still: ClearStill, places: &[(u32, u32)]) -> Vec<u32> {
    let jpeg = still.marked(&Mark::new("iris", "street", "now")).unwrap();
    let shown = image::load_from_memory(jpeg.as_ref()).unwrap().into_luma8();
    let mean = |&(x, y): &(u32, u32)| {
        let around = (0..64).map(|i| u32::from(shown.get_pixel(x + i % 8, y + i / 8).0[0]));
        around.sum::<u32>() / 64
    };
    places.iter().map(mean).collect()
}

#[test]
fn zones_show_and_things_do_not() {
    let picture = picture(SIDE);
    for show_only in [false, true] {
        let zones = LeftHalf { show_only };
        let input = input(Ok(&zones), Some(Ok(&[FACE])));
        let plan = StillPlan::of(&input).unwrap();
        let still = asked(&picture.frame().unwrap(), &plan).unwrap();
        assert_eq!((still.size(), still.hidden()), (SIDE, 1));
        // Bright is 214 in full range, hidden 130; a mark changes either a little.
        let seen = levels(still, &[(16, 40), (92, 44)]);
        assert!(seen[0] > 170, "the zone is not hidden: {seen:?}");
        let hidden = 128_u32;
        assert!(seen[1].abs_diff(hidden) < 40, "the face is: {seen:?}");
    }
}

#[test]
fn what_the_stream_covers_has_no_still() {
    let zones = LeftHalf { show_only: false };
    let told = |zones, things| StillPlan::of(&input(zones, things)).map(|plan| plan.size());
    let no_masks = Reason::NoMasks {
        detail: "a test".into(),
    };
    assert_eq!(told(Err(no_masks.clone()), None), Err(no_masks));
    let silent = Reason::DetectorSilent;
    assert_eq!(told(Ok(&zones), Some(Err(silent.clone()))), Err(silent));
    assert_eq!(told(Ok(&zones), None), Ok(SIDE), "looks for nothing");
    let stale = Reason::TelemetryStale { age_s: 3.0 };
    let lost = PlanInput {
        pose: Some(Err(stale.clone())),
        ..input(Ok(&zones), None)
    };
    assert_eq!(StillPlan::of(&lost).map(|p| p.size()), Err(stale));
    let other = PlanInput {
        made_for: Some(Size {
            width: 64,
            height: 48,
        }),
        ..input(Ok(&zones), None)
    };
    assert!(StillPlan::of(&other).is_err());
}

#[test]
fn a_frame_that_the_plan_was_not_made_for_is_refused() {
    let zones = LeftHalf { show_only: false };
    let plan = StillPlan::of(&input(Ok(&zones), None)).unwrap();
    let other = picture(Size {
        width: 64,
        height: 48,
    });
    let refused = asked(&other.frame().unwrap(), &plan).unwrap_err();
    assert!(
        matches!(&refused, NoStill::Refused(Reason::StreamChanged { .. })),
        "{refused}"
    );
}

#[test]
fn one_waits_at_a_time_and_nobody_waits_for_ever() {
    let slot = Arc::new(Slot::default());
    assert_eq!(slot.ask(Duration::ZERO).unwrap_err(), NoStill::NoFrame);
    assert!(!slot.is_wanted());
    let zones = LeftHalf { show_only: false };
    let plan = StillPlan::of(&input(Ok(&zones), None)).unwrap();
    let picture = picture(SIDE);
    // Nobody asked: nothing is made, nothing is kept for the next one.
    slot.give(&picture.frame().unwrap(), None, &plan);
    slot.refuse(Reason::Starting);
    assert_eq!(slot.ask(Duration::ZERO).unwrap_err(), NoStill::NoFrame);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| slot.ask(AN_HOUR));
        while !slot.is_wanted() {
            std::thread::yield_now();
        }
        assert_eq!(slot.ask(AN_HOUR).unwrap_err(), NoStill::Busy);
        slot.refuse(Reason::Starting);
        assert!(slot.is_wanted(), "the next frame may do");
        slot.give(&picture.frame().unwrap(), None, &plan);
        assert!(!slot.is_wanted());
        assert!(waits.join().unwrap().is_ok());
    });
}

#[test]
fn a_jpeg_holds_the_picture_and_nothing_beside_it() {
    let zones = LeftHalf { show_only: false };
    let plan = StillPlan::of(&input(Ok(&zones), None)).unwrap();
    let picture = picture(SIDE);
    let still = asked(&picture.frame().unwrap(), &plan).unwrap();
    assert!(!format!("{still:?}").contains("200"), "no picture in a log");
    let jpeg = still.marked(&Mark::new("iris", "street", "now")).unwrap();
    let bytes = jpeg.as_ref();
    let mut at = 2;
    // Up to the picture itself (SOS) only what its decoding needs.
    while bytes[at + 1] != 0xda {
        assert!(
            matches!(bytes[at + 1], 0xe0 | 0xdb | 0xc0 | 0xc4),
            "segment {:x}",
            bytes[at + 1]
        );
        at += 2 + usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
    }
}
