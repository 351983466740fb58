//! A few scenarios, played short, with the real gateway as a child process.
//! Figures that depend on the machine's speed are judged by `make prove`; here
//! only what must hold on any machine: no canary, and controls that leak.
#![cfg(feature = "gateway")]
#![allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]

mod prove_support;

use prove_support::{play, play_hidden};
use std::process::Command;

fn shows_nothing_private(file: &str, seconds: f64) {
    let report = play_hidden(file, seconds, |_| {});
    assert_eq!(report.late_frames, 0, "{report:#?}");
    assert!(report.live_ratio > 0.0, "it showed something: {report:#?}");
}

#[test]
fn a_camera_at_rest_shows_nothing_private() {
    shows_nothing_private("still.toml", 8.0);
}

#[test]
fn a_camera_that_sweeps_shows_nothing_private() {
    shows_nothing_private("sweep-100.toml", 10.0);
}

#[test]
fn a_camera_that_jumps_shows_nothing_private() {
    shows_nothing_private("jumps-300.toml", 10.0);
}

#[test]
fn frozen_times_show_nothing_private() {
    shows_nothing_private("telemetry-frozen-utc.toml", 14.0);
}

#[test]
fn answers_without_a_position_show_nothing_private() {
    shows_nothing_private("position-missing.toml", 14.0);
}

#[test]
fn positions_beside_the_truth_show_nothing_private() {
    shows_nothing_private("position-shifted.toml", 14.0);
}

#[test]
fn positions_over_vapix_show_nothing_private() {
    shows_nothing_private("telemetry-vapix.toml", 14.0);
}

#[test]
fn positions_over_isapi_show_nothing_private() {
    shows_nothing_private("telemetry-isapi.toml", 14.0);
}

#[test]
fn positions_over_visca_show_nothing_private() {
    shows_nothing_private("telemetry-visca.toml", 14.0);
}

#[test]
fn masks_beside_the_houses_are_seen_to_leak() {
    let report = play("control/mask-shifted.toml", 12.0, |_| {});
    assert!(report.canary_pixels > 0, "{report:#?}");
}

#[test]
fn no_masks_are_seen_to_leak() {
    let report = play("control/no-masks.toml", 12.0, |_| {});
    assert!(report.canary_pixels > 0, "{report:#?}");
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["prove"][..],
        &["prove", "/nonexistent.toml"],
        &[
            "prove",
            "--url",
            "rtsp://127.0.0.1:9/x",
            "--canary",
            "9,9,9",
        ],
        &["prove", "--url", "rtsp://127.0.0.1:9/x", "--seconds", "-1"],
        &["prove", "Cargo.toml"],
        &["prove", "--json", "tests/scenarios/still.toml"],
    ] {
        let done = Command::new(env!("CARGO_BIN_EXE_greyplane"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2), "{arguments:?}: {done:?}");
        assert!(!done.stderr.is_empty(), "{arguments:?} says why");
    }
}
