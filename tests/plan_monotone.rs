//! Less certainty never shows more: from the pose's uncertainty through the
//! plan to the samples that are hidden.
#![allow(clippy::panic, reason = "a test that fails should fail loudly")]

use greyplane::geom::{Angle, PixelPoint, Size};
use greyplane::paint::Coverage;
use greyplane::plan::{MarginLimits, PlanInput, RegionSource, decide};
use greyplane::pose::{Drift, Margin, PoseEstimate, Support};
use greyplane::zone::{CannotPlace, GrownPoint, Mode, Region};
use proptest::prelude::*;

const FRAME: Size = Size {
    width: 160,
    height: 90,
};

/// An outline in fractions of the frame.
type Zone = (Mode, Vec<(f64, f64)>);

/// Zones that are grown by the pose's margin.
#[derive(Debug)]
struct Zones(Vec<Zone>);

impl RegionSource for Zones {
    fn regions(&self, pose: Option<&PoseEstimate>, size: Size) -> Result<Vec<Region>, CannotPlace> {
        let Some(pose) = pose else {
            panic!("zones on the sphere were asked without a pose");
        };
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let corner = |&(x, y): &(f64, f64)| {
            let at = PixelPoint {
                x: x * width,
                y: y * height,
            };
            let r = (at.x - width / 2.0).hypot(at.y - height / 2.0);
            GrownPoint {
                at,
                margin_px: pose.margin.px_at(r, pose.focal * width),
            }
        };
        let region = |(zone, (mode, outline)): (usize, &Zone)| Region {
            zone: Some(zone),
            mode: *mode,
            outline: outline.iter().map(corner).collect(),
        };
        Ok(self.0.iter().enumerate().map(region).collect())
    }

    fn has_show_only(&self) -> bool {
        self.0.iter().any(|(mode, _)| *mode == Mode::ShowOnly)
    }

    fn needs_pose(&self) -> bool {
        true
    }
}

fn zones() -> impl Strategy<Value = Zones> {
    let mode = prop_oneof![3 => Just(Mode::Hide), 1 => Just(Mode::ShowOnly)];
    let corner = (-0.4f64..1.4, -0.4f64..1.4);
    let zone = (mode, prop::collection::vec(corner, 3..7));
    prop::collection::vec(zone, 0..4).prop_map(Zones)
}

fn margin() -> impl Strategy<Value = Margin> {
    (0.0f64..0.3, 0.0f64..0.5, 0.0f64..6.0).prop_map(|(rad, radial, floor_px)| Margin {
        angle: Angle::from_rad(rad),
        radial,
        floor_px,
    })
}

fn hidden(zones: &Zones, focal: f64, margin: Margin) -> Coverage {
    let pose = PoseEstimate {
        pan: Angle::default(),
        tilt: Angle::default(),
        roll: Angle::default(),
        focal,
        support: Support::Extrapolated { ahead_s: 0.1 },
        margin,
        drift: Drift::default(),
    };
    Coverage::of(&decide(&PlanInput {
        size: FRAME,
        made_for: None,
        zones: Ok(zones),
        pose: Some(Ok(pose)),
        things: None,
        mosaic: false,
        standing: &[],
        limits: MarginLimits::default(),
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn coverage_grows_with_uncertainty(
        zones in zones(),
        focal in 0.3f64..8.0,
        margin in margin(),
        (angle, radial, floor_px) in (0.0f64..0.3, 0.0f64..0.3, 0.0f64..9.0),
    ) {
        let sure = hidden(&zones, focal, margin);
        let unsure = hidden(&zones, focal, Margin {
            angle: Angle::from_rad(margin.angle.rad() + angle),
            radial: margin.radial + radial,
            floor_px: margin.floor_px + floor_px,
        });
        for y in 0..FRAME.height as usize {
            for x in 0..FRAME.width as usize {
                prop_assert!(unsure.hides(x, y) || !sure.hides(x, y), "{x},{y} came to light");
            }
        }
    }
}
