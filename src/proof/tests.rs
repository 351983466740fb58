//! What the parts of a pack share in their tests, and shares of the sphere.

use super::frame::{Scene, Small};
use super::sphere::{Reach, measure};
use super::stance::{Position, Stance};
use crate::config::{
    Camera, Encoder, EncoderChoice, Kind, Limits, Sound, Source, Steering, Telemetry,
    TelemetryKind, Transport,
};
use crate::geom::{Angle, Direction, Size};
use crate::pose::CameraProfile;
use crate::pose::testing::PROFILE;
use crate::zone::ZoneSet;
use std::sync::Arc;
use std::time::Duration;

pub(super) const SIZE: Size = Size {
    width: 640,
    height: 360,
};

/// A hide zone over directions (pan, tilt).
pub(super) fn zone(id: &str, corners: &[(f64, f64)]) -> String {
    let points: Vec<String> = corners
        .iter()
        .map(|(pan, tilt)| format!(r#"{{"pan_deg": {pan}, "tilt_deg": {tilt}}}"#))
        .collect();
    format!(
        r#"{{"id": "{id}", "mode": "hide", "shape": {{"type": "sphere", "points": [{}]}}}}"#,
        points.join(",")
    )
}

pub(super) fn set(zones: &str, presets: &str) -> ZoneSet {
    let text =
        format!(r#"{{"format": 1, "camera": "c", "zones": [{zones}], "presets": [{presets}]}}"#);
    ZoneSet::parse(text.as_bytes(), "c").unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// A turning camera with these zones and the fixture's profile after `change`.
pub(super) fn camera(zones: ZoneSet, change: fn(&str) -> String) -> Camera {
    let profile = CameraProfile::from_toml(&change(PROFILE)).unwrap_or_else(|e| panic!("{e}"));
    Camera {
        id: "c".into(),
        source: Source {
            url: "rtsp://127.0.0.1:9/none".into(),
            transport: Transport::Tcp,
            login: None,
            jitter_buffer: Duration::ZERO,
            stall: Duration::from_secs(5),
        },
        streams: Vec::new(),
        kind: Kind::Ptz {
            profile: Ok(Arc::new(profile)),
            telemetry: Telemetry {
                device_url: "http://127.0.0.1:9/".into(),
                login: None,
                kind: TelemetryKind::Onvif {
                    profile_token: None,
                },
                ca_pem: None,
                rate_hz: 10.0,
                check_picture: true,
                metadata: false,
                timeout: Duration::from_secs(1),
            },
        },
        masks: Ok(Arc::new(zones)),
        masks_file: "c.json".into(),
        latency_budget: Duration::from_millis(250),
        detect: None,
        encoder: Encoder {
            choice: EncoderChoice::Auto,
            bitrate_kbit: 4000,
            gop_frames: 25,
        },
        steering: Steering::default(),
        publish: Vec::new(),
        sound: Sound::Drop,
        onvif_device: None,
        limits: Limits {
            widened_deg: 1.0,
            cover_margin_share: 0.25,
            max_telemetry_age: Duration::from_millis(500),
            restart_takes: None,
        },
    }
}

pub(super) fn stance(camera: &Camera) -> Stance {
    Stance::of(camera, SIZE).unwrap().unwrap()
}

#[test]
fn an_eighth_of_the_sphere_is_an_eighth() {
    let octant = zone("o", &[(0.0, 0.0), (90.0, 0.0), (0.0, 90.0)]);
    let camera = camera(set(&octant, ""), str::to_owned);
    let stance = stance(&camera);
    let zones = camera.masks.clone().unwrap();
    let measured = measure(&zones, &Reach::of(&stance));
    assert!(
        (measured.shares.hidden - 0.125).abs() <= measured.error,
        "{measured:?}"
    );
    assert!(measured.error < 0.005, "{measured:?}");
    // All below the upper edge of the highest picture, a degree and a half of slack with it.
    let [widest, _] = stance.zooms();
    let [_, highest] = stance.tilt_deg();
    let edge_deg = (highest + 0.5 * stance.vfov_deg(widest)).min(90.0);
    let below = |deg: f64| 0.5 * (1.0 + deg.min(90.0).to_radians().sin());
    let reachable = measured.shares.reachable;
    assert!(
        reachable >= below(edge_deg) - measured.error,
        "{reachable} {edge_deg}"
    );
    assert!(
        reachable <= below(edge_deg + 2.0) + measured.error,
        "{reachable} {edge_deg}"
    );
    assert!(measured.shares.both <= measured.shares.hidden);
}

#[test]
fn a_head_that_cannot_turn_does_not_reach_behind_itself() {
    let narrow = |profile: &str| {
        let ends = "to_deg = [-180.0, 180.0]";
        assert!(profile.contains(ends), "{profile}");
        profile
            .replacen(ends, "to_deg = [-20.0, 20.0]", 1)
            .replacen("wraps = true", "wraps = false", 1)
    };
    let camera = camera(
        set(&zone("z", &[(0.0, 0.0), (5.0, 0.0), (5.0, 5.0)]), ""),
        narrow,
    );
    let stance = stance(&camera);
    let reach = Reach::of(&stance);
    let holds = |pan: f64, tilt: f64| {
        reach.holds(Direction::from_pan_tilt(
            Angle::from_deg(pan),
            Angle::from_deg(tilt),
        ))
    };
    let half = 0.5 * stance.hfov_deg(stance.zooms()[0]);
    for (pan, reached) in [
        (0.0, true),
        (20.0 + half - 1.0, true),
        (20.0 + half + 4.0, false),
        (-20.0 - half + 1.0, true),
        (-20.0 - half - 4.0, false),
        (180.0, false),
    ] {
        assert_eq!(holds(pan, -10.0), reached, "{pan}");
    }
}

#[test]
fn a_picture_is_hidden_where_its_zone_is_and_nowhere_else() {
    let house = zone(
        "h",
        &[(-5.0, -15.0), (5.0, -15.0), (5.0, -5.0), (-5.0, -5.0)],
    );
    let camera = camera(set(&house, ""), str::to_owned);
    let stance = stance(&camera);
    let zones = camera.masks.clone().unwrap();
    let scene = Scene {
        zones: &zones,
        camera: &camera,
        stance: Some(&stance),
        size: SIZE,
    };
    let [zoom, _] = stance.zooms();
    let at = |pan_deg| {
        scene.at(Some(Position {
            pan_deg,
            tilt_deg: -10.0,
            zoom,
        }))
    };
    let towards = at(0.0);
    assert!(towards.covered.is_none() && towards.margin_deg.unwrap() > 0.0);
    let small = Small::of(&towards.coverage, SIZE, 64);
    assert_eq!((small.columns, small.rows), (64, 36));
    assert!(small.hides(32, 18) && !small.hides(0, 0) && !small.hides(63, 35));
    let away = at(90.0);
    assert_eq!(away.coverage.share(), 0.0);
    // A zoom that nobody measured: all of it.
    let beyond = scene.at(Some(Position {
        pan_deg: 90.0,
        tilt_deg: 0.0,
        zoom: 1e3,
    }));
    assert!(beyond.coverage.is_all() && beyond.covered.is_some());
}
