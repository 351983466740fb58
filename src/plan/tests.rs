use super::*;
use crate::detect::PixelBox;
use crate::geom::{Angle, PixelPoint};
use crate::pose::{Drift, Margin, PoseEstimate, Support};
use crate::zone::{CannotPlace, GrownPoint, Mode};

const HD: Size = Size {
    width: 1920,
    height: 1080,
};

fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

/// One triangle, the same whatever the pose.
struct Zones {
    on_sphere: bool,
    corners: Vec<GrownPoint>,
}

impl RegionSource for Zones {
    fn regions(&self, pose: Option<&PoseEstimate>, _: Size) -> Result<Vec<Region>, CannotPlace> {
        assert_eq!(pose.is_some(), self.on_sphere, "a pose where it is needed");
        Ok(vec![Region {
            zone: Some(7),
            mode: Mode::Hide,
            outline: self.corners.clone(),
        }])
    }
    fn has_show_only(&self) -> bool {
        false
    }
    fn needs_pose(&self) -> bool {
        self.on_sphere
    }
}

fn zones(on_sphere: bool) -> Zones {
    Zones {
        on_sphere,
        corners: [(10.0, 10.0), (90.0, 10.0), (10.0, 90.0)]
            .map(|(x, y)| GrownPoint {
                at: PixelPoint { x, y },
                margin_px: 4.0,
            })
            .to_vec(),
    }
}

fn pose(angle_deg: f64, radial: f64) -> PoseEstimate {
    PoseEstimate {
        drift: Drift::default(),
        pan: Angle::from_deg(10.0),
        tilt: Angle::from_deg(-5.0),
        roll: Angle::default(),
        focal: 1.0,
        support: Support::Bracketed { gap_s: 0.1 },
        margin: Margin {
            angle: Angle::from_deg(angle_deg),
            radial,
            floor_px: 2.0,
        },
    }
}

/// Decides after `change`, from a healthy turning camera at rest.
fn decided<'a>(zones: &'a Zones, change: impl FnOnce(&mut PlanInput<'a>)) -> Plan {
    let mut input = PlanInput {
        size: HD,
        made_for: Some(HD),
        zones: Ok(zones),
        pose: Some(Ok(pose(0.3, 0.001))),
        things: None,
        mosaic: false,
        standing: &[],
        limits: MarginLimits::default(),
    };
    change(&mut input);
    let plan = decide(&input);
    assert_eq!(plan.size, input.size);
    plan
}

/// Checks that `change` covers, and which code and text it gives.
fn covers<'a>(zones: &'a Zones, code: &str, text: &str, change: impl FnOnce(&mut PlanInput<'a>)) {
    let plan = decided(zones, change);
    let Hide::All(reason) = &plan.hide else {
        panic!("{code}: not covered but {plan:?}");
    };
    assert_eq!(plan.state.reason(), Some(reason));
    assert_eq!(reason.code(), code);
    assert!(reason.to_string().contains(text), "{reason} says {text}");
}

fn shows<'a>(zones: &'a Zones, state: &str, change: impl FnOnce(&mut PlanInput<'a>)) {
    let plan = decided(zones, change);
    assert_eq!(plan.state.name(), state);
    let Hide::Regions { regions, .. } = &plan.hide else {
        panic!("covered: {plan:?}");
    };
    assert_eq!(regions[0].outline, zones.corners);
}

#[test]
fn what_is_known_is_shown() {
    let (turning, fixed) = (zones(true), zones(false));
    shows(&turning, "live", |_| ());
    shows(&turning, "live", |i| i.made_for = None);
    shows(&fixed, "live", |_| ());
    shows(&fixed, "live", |i| i.pose = None);
    // A fixed camera is not turned away by what does not concern it.
    shows(&fixed, "live", |i| i.pose = Some(Ok(pose(f64::NAN, 0.0))));
}

#[test]
fn what_is_not_known_covers() {
    let unknown = [Reason::NoCaptureTime, Reason::NoPosition];
    let zones = zones(true);
    for reason in &unknown {
        covers(&zones, reason.code(), "", |i| {
            i.pose = Some(Err(reason.clone()))
        });
    }
    covers(&zones, "no-position", "", |i| i.pose = None);
    covers(&zones, "no-masks", "line 3", |i| {
        i.zones = Err(Reason::NoMasks {
            detail: "line 3".to_owned(),
        });
    });
    // What stands is told first, and the first of it.
    covers(&zones, "no-capture-time", "", |i| {
        i.standing = &unknown;
        i.pose = None;
    });
}

#[test]
fn a_camera_without_signal_is_planned_as_that() {
    let reason = Reason::NoSignal {
        detail: "connection refused".to_owned(),
    };
    let plan = Plan::cover(HD, reason.clone());
    assert_eq!(plan.state, CameraState::NoSignal(reason.clone()));
    assert_eq!(plan.hide, Hide::All(reason));
    assert_eq!(Plan::cover(HD, Reason::Starting).state.name(), "covered");
}

#[test]
fn another_size_is_covered() {
    for zones in [zones(true), zones(false)] {
        for (width, height) in [(1280, 720), (3840, 2160), (704, 576), (1080, 1920), (0, 0)] {
            let what = format!("1920x1080 to {width}x{height}");
            covers(&zones, "stream-changed", &what, |i| {
                i.size = size(width, height)
            });
        }
    }
}

#[test]
fn the_margin_widens_and_then_covers() {
    let zones = zones(true);
    let with = |angle_deg: f64, radial: f64| {
        move |i: &mut PlanInput<'_>| i.pose = Some(Ok(pose(angle_deg, radial)))
    };
    shows(&zones, "live", with(0.9, 0.0));
    shows(&zones, "widened", with(1.1, 0.0));
    shows(&zones, "widened", with(0.0, 0.2));
    // Share of the width at its edge, focal 1: tan(atan(½) + ε) − ½ + 2/1920.
    let limit_deg = (0.75 - 2.0 / 1920.0f64).atan().to_degrees() - 0.5f64.atan().to_degrees();
    shows(&zones, "widened", with(limit_deg - 1e-6, 0.0));
    covers(
        &zones,
        "margin-too-wide",
        "25 %",
        with(limit_deg + 1e-6, 0.0),
    );
    covers(&zones, "margin-too-wide", "", with(0.0, 0.6));
    covers(&zones, "margin-too-wide", "999 %", with(1e200, 1e200));
    covers(&zones, "margin-too-wide", "999 %", |i| {
        let mut pose = pose(0.0, 0.0);
        // Infinity times zero.
        pose.focal = 1e-200;
        i.pose = Some(Ok(pose));
    });
    let plan = decided(&zones, with(2.0, 0.0));
    let CameraState::Widened { margin_deg } = plan.state else {
        panic!("{plan:?}");
    };
    // ε, and two pixels; in the corner a little more.
    let wanted = (2.0f64.to_radians().tan() + 2.0 / 1920.0).to_degrees();
    assert!((wanted..wanted + 0.2).contains(&margin_deg), "{margin_deg}");
}

#[test]
fn numbers_that_are_none_cover() {
    let turning = zones(true);
    let changes: [fn(&mut PoseEstimate, f64); 7] = [
        |p, v| p.pan = Angle::from_rad(v),
        |p, v| p.tilt = Angle::from_rad(v),
        |p, v| p.roll = Angle::from_rad(v),
        |p, v| p.focal = v,
        |p, v| p.margin.angle = Angle::from_rad(v),
        |p, v| p.margin.radial = v,
        |p, v| p.margin.floor_px = v,
    ];
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for change in changes {
            covers(&turning, "internal", "", |i| {
                let mut pose = pose(0.3, 0.001);
                change(&mut pose, bad);
                i.pose = Some(Ok(pose));
            });
        }
        covers(&turning, "internal", "", |i| i.limits.widened_deg = bad);
        covers(&turning, "internal", "", |i| {
            i.limits.cover_share_of_width = bad
        });
        for part in 0..3 {
            let mut broken = zones(true);
            let corner = &mut broken.corners[1];
            *[&mut corner.at.x, &mut corner.at.y, &mut corner.margin_px][part] = bad;
            covers(&broken, "internal", "", |_| ());
        }
    }
    for change in &changes[3..] {
        covers(&turning, "internal", "", |i| {
            let mut pose = pose(0.3, 0.001);
            change(&mut pose, -0.1);
            i.pose = Some(Ok(pose));
        });
    }
    let mut line = zones(true);
    line.corners.truncate(2);
    covers(&line, "internal", "", |_| ());
}

#[test]
fn what_was_detected_is_hidden_and_what_is_not_known_covers() {
    let zones = zones(true);
    let face = PixelBox {
        x0: 100.0,
        y0: 50.0,
        x1: 140.0,
        y1: 110.0,
    };
    let things = [face.grown(0.3)];
    let plan = decided(&zones, |i| i.things = Some(Ok(&things)));
    let Hide::Regions { regions, .. } = &plan.hide else {
        panic!("covered: {plan:?}");
    };
    assert_eq!((regions.len(), regions[1].zone), (2, None));
    // A box grown by 30 % hides the box itself up to its corners.
    let coverage = crate::paint::Coverage::of(&plan);
    for (x, y) in [(100, 50), (139, 50), (100, 109), (139, 109), (120, 80)] {
        assert!(coverage.hides(x, y), "{x},{y}");
    }
    assert!(!coverage.hides(90, 40) && !coverage.hides(152, 80));
    let silent = || Some(Err(Reason::DetectorSilent));
    covers(&zones, "detector-silent", "", |i| i.things = silent());
    let broken = [PixelBox {
        x1: f64::NAN,
        ..face
    }];
    covers(&zones, "internal", "numbers", |i| {
        i.things = Some(Ok(&broken))
    });
}
