//! A few scenarios, played short, with the real gateway as a child process.
//! Figures that depend on the machine's speed are judged by `make prove`; here
//! only what must hold on any machine: no canary, and controls that leak.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

use greyplane::clock::{Clock, SystemClock};
use greyplane::prove::{Report, Scenario, Staging, run};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn play(file: &str, seconds: f64) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/scenarios")
        .join(file);
    let mut scenario = Scenario::load(&path).unwrap();
    scenario.last(seconds);
    // Small pictures leave the machine time for everything else.
    scenario.camera.width = 640;
    scenario.camera.height = 360;
    scenario.camera.bitrate_kbps = 4000;
    let staging = Staging {
        program: env!("CARGO_BIN_EXE_greyplane").into(),
        keep: None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let report = run(&scenario, &staging, &clock, &AtomicBool::new(false), |_| {}).unwrap();
    eprintln!("{}", report.line());
    report
}

#[test]
fn no_canary_reaches_the_viewer() {
    for (file, seconds) in [
        ("still.toml", 8.0),
        ("sweep-100.toml", 10.0),
        ("jumps-300.toml", 10.0),
        ("telemetry-frozen-utc.toml", 14.0),
        ("position-missing.toml", 14.0),
        ("position-shifted.toml", 14.0),
    ] {
        let report = play(file, seconds);
        assert!(report.frames_seen > 0, "{file}: {report:#?}");
        assert_eq!(report.canary_frames, 0, "{file}: {report:#?}");
        assert_eq!(report.late_frames, 0, "{file}: {report:#?}");
        assert!(
            report.live_ratio > 0.0,
            "{file} showed something: {report:#?}"
        );
        assert!(
            report.private_frames > 0,
            "{file} had something to hide: {report:#?}"
        );
    }
}

#[test]
fn wrong_masks_are_seen_to_leak() {
    for file in ["control/mask-shifted.toml", "control/no-masks.toml"] {
        let report = play(file, 12.0);
        assert!(report.canary_pixels > 0, "{file}: {report:#?}");
    }
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
