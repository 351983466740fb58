//! From a zone document to bytes: document, pose, plan, paint, and then each
//! sample is asked where it looks.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

#[allow(dead_code, reason = "other tests use the rest of it")]
mod zone_support;

use greyplane::event::Reason;
use greyplane::frame::{FrameError, FrameMut, PixelFormat, PlaneMut};
use greyplane::geom::{Mount, PixelPoint};
use greyplane::paint::{GREY, MaskedFrame, NEUTRAL, Paintable, paint};
use greyplane::plan::{CameraZones, MarginLimits, Plan, PlanInput, decide};
use greyplane::pose::PoseEstimate;
use greyplane::zone::{Mode, ZoneSet};
use proptest::prelude::*;
use zone_support::{Camera, SIZE, angle_to_edges, document, inside_sphere, margin, vector, zone};

/// What the picture shows before it is painted.
const CLEAR: u8 = 77;
const WIDTH: usize = SIZE.width as usize;
const HEIGHT: usize = SIZE.height as usize;

#[derive(Debug)]
struct Picture {
    luma: Vec<u8>,
    chroma: Vec<u8>,
}

impl Picture {
    fn clear() -> Self {
        Self {
            luma: vec![CLEAR; WIDTH * HEIGHT],
            chroma: vec![CLEAR; WIDTH * HEIGHT / 2],
        }
    }

    /// Whether luma and both chroma bytes of a sample are hidden.
    fn hides(&self, x: usize, y: usize) -> bool {
        let chroma = y / 2 * WIDTH + x / 2 * 2;
        self.luma[y * WIDTH + x] == GREY && self.chroma[chroma..chroma + 2] == [NEUTRAL; 2]
    }
}

impl Paintable for Picture {
    fn planes(&mut self) -> Result<FrameMut<'_>, FrameError> {
        let plane = |data| PlaneMut {
            data,
            stride: WIDTH,
        };
        let planes = vec![plane(&mut self.luma[..]), plane(&mut self.chroma[..])];
        FrameMut::new(PixelFormat::Nv12, SIZE, planes)
    }
}

fn planned(set: &ZoneSet, camera: &Camera, pose: Result<PoseEstimate, Reason>) -> Plan {
    let zones = CameraZones {
        zones: set,
        optics: camera.optics(),
        mount: Mount::LEVEL,
    };
    decide(&PlanInput {
        size: SIZE,
        made_for: Some(SIZE),
        zones: Ok(&zones),
        pose: Some(pose),
        things: None,
        mosaic: false,
        standing: &[],
        limits: MarginLimits::default(),
    })
}

fn painted(plan: &Plan) -> MaskedFrame<Picture> {
    let masked = paint(plan, Picture::clear()).unwrap();
    assert!(!masked.painted().read_back_failed);
    masked
}

/// A house with a bay, to the right of pan 0, and a garden below it.
const HOUSE: [(f64, f64); 6] = [
    (10.0, -5.0),
    (30.0, -5.0),
    (30.0, 12.0),
    (22.0, 12.0),
    (21.0, 2.0),
    (10.0, 9.0),
];

fn camera() -> impl Strategy<Value = Camera> {
    (
        -15.0f64..50.0,
        -20.0f64..25.0,
        -8.0f64..8.0,
        15.0f64..75.0,
        -0.1f64..0.05,
    )
        .prop_map(|(pan, tilt, roll, hfov, k1)| Camera {
            pan,
            tilt,
            roll,
            hfov,
            k1,
            k2: 0.0,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_sample_that_looks_into_a_zone_is_grey(
        camera in camera(),
        margin_deg in 0.0f64..3.0,
        show_only in any::<bool>(),
    ) {
        let mode = if show_only { Mode::ShowOnly } else { Mode::Hide };
        let set = ZoneSet::from_document(&document(vec![zone("house", mode, &HOUSE)]), "street");
        let plan = planned(&set.unwrap(), &camera, Ok(camera.pose(margin(margin_deg, 0.0, 0.0))));
        let masked = painted(&plan);
        prop_assert_eq!(&masked.painted().covered, &None, "the margin is within its limit");
        let house = HOUSE.map(|(pan, tilt)| vector(pan, tilt));
        let view = camera.view().unwrap();
        for (x, y) in (0..HEIGHT).step_by(9).flat_map(|y| (0..WIDTH).step_by(9).map(move |x| (x, y))) {
            let at = PixelPoint { x: x as f64 + 0.5, y: y as f64 + 0.5 };
            let to = view.unproject(at).vector();
            let inside = inside_sphere(&house, to);
            let near = angle_to_edges(&house, to).to_degrees() < margin_deg;
            if near || inside != show_only {
                prop_assert!(masked.inner().hides(x, y), "{x},{y} looks into it");
            }
        }
    }
}

#[test]
fn what_no_zone_touches_stays_clear() {
    let camera = Camera {
        pan: 20.0,
        tilt: 0.0,
        roll: 0.0,
        hfov: 60.0,
        k1: 0.0,
        k2: 0.0,
    };
    let set = ZoneSet::from_document(&document(vec![zone("house", Mode::Hide, &HOUSE)]), "street");
    let set = set.unwrap();
    let away = Camera {
        pan: 110.0,
        ..camera
    };
    let share =
        |camera: &Camera, pose| painted(&planned(&set, camera, pose)).painted().hidden_share;
    let rest = margin(0.3, 0.0, 2.0);
    assert_eq!(share(&away, Ok(away.pose(rest))), 0.0);
    // About 20° × 12° of 60° × 36°.
    assert!((0.1..0.2).contains(&share(&camera, Ok(camera.pose(rest)))));
    assert_eq!(share(&camera, Err(Reason::NoPosition)), 1.0);
}
