use super::*;
use crate::event::{DropReason, Reason};
use std::collections::BTreeMap;

fn gateway() -> Gateway {
    Gateway {
        version: "1.2.3",
        ready: true,
        reloads_done: 2,
        reloads_refused: 0,
        last_reload_refused: false,
        audit: None,
        certificates: vec![Certificate {
            used_for: "console",
            expires_s: 1_900_000_000,
        }],
        clock: None,
        buses: Vec::new(),
        traces: None,
        disks: Vec::new(),
        process: None,
    }
}

fn page(camera: Camera) -> String {
    text(Snapshot {
        gateway: gateway(),
        cameras: vec![camera],
    })
    .unwrap()
}

#[test]
fn what_is_so_is_one_and_what_never_happened_is_zero() {
    let text = page(Camera {
        id: "a\"b\\c".into(),
        state: "covered",
        reason: Some("telemetry-stale"),
        frames_dropped: BTreeMap::from([(DropReason::Late.code(), 3)]),
        seconds: BTreeMap::from([("live", 1.5), ("starting", 0.5), ("from-later", 2.0)]),
        latency: Latency {
            classes: vec![(0.1, 2), (f64::INFINITY, 1)],
            sum_s: 1.25,
            max_s: 1.0,
        },
        ..Camera::default()
    });
    let camera = r#"camera="a\"b\\c""#;
    for line in [
        "greyplane_build_info{version=\"1.2.3\"} 1".to_owned(),
        "greyplane_reloads_total{result=\"done\"} 2".to_owned(),
        "greyplane_certificate_expiry_timestamp_seconds{used_for=\"console\"} 1900000000".into(),
        format!("greyplane_camera_state{{{camera},state=\"covered\"}} 1"),
        format!("greyplane_camera_state{{{camera},state=\"live\"}} 0"),
        format!("greyplane_camera_reason{{{camera},reason=\"telemetry-stale\"}} 1"),
        format!("greyplane_camera_reason{{{camera},reason=\"starting\"}} 0"),
        format!("greyplane_camera_frames_dropped_total{{{camera},reason=\"late\"}} 3"),
        format!("greyplane_camera_frames_dropped_total{{{camera},reason=\"hold-full\"}} 0"),
        format!("greyplane_camera_shown_seconds_total{{{camera},state=\"live\"}} 1.5"),
        format!("greyplane_camera_covered_seconds_total{{{camera},reason=\"starting\"}} 0.5"),
        format!("greyplane_camera_covered_seconds_total{{{camera},reason=\"from-later\"}} 2.0"),
        format!("greyplane_camera_latency_seconds_bucket{{le=\"+Inf\",{camera}}} 3"),
        format!("greyplane_camera_latency_seconds_count{{{camera}}} 3"),
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    let reasons = text.matches("greyplane_camera_reason{").count();
    assert_eq!(reasons, Reason::CODES.len());
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn what_is_not_known_is_not_told() {
    let text = page(Camera::default());
    for name in [
        "greyplane_camera_telemetry_age_seconds{",
        "greyplane_camera_detector_tiles{",
        "greyplane_camera_width_pixels{",
        "greyplane_audit_writable ",
        "process_threads ",
    ] {
        assert!(!text.contains(&format!("\n{name}")), "{name} in {text}");
    }
}

#[test]
fn a_further_stream_has_its_name_beside_its_camera() {
    let text = page(Camera {
        id: "street".into(),
        stream: Some("sub".into()),
        state: "live",
        viewers: 3,
        ..Camera::default()
    });
    let stream = r#"camera="street",stream="sub""#;
    for line in [
        format!("greyplane_camera_viewers{{{stream}}} 3"),
        format!("greyplane_camera_state{{{stream},state=\"live\"}} 1"),
        format!("greyplane_camera_latency_seconds_count{{{stream}}} 0"),
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    assert!(!page(Camera::default()).contains("stream=\""));
}
