//! The metadata stream as a second source of positions, with the real gateway as a child
//! process: what it adds to answers that come too seldom, and what it cannot spoil.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

use greyplane::clock::{Clock, SystemClock};
use greyplane::prove::{Report, Scenario, Staging, run};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn play(file: &str, seconds: f64, change: impl FnOnce(&mut Scenario)) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/scenarios")
        .join(file);
    let mut scenario = Scenario::load(&path).unwrap();
    scenario.last(seconds);
    // Small pictures leave the machine time for everything else; at fewer bits the camera's
    // compression carries private places beyond their zones (design/007).
    scenario.camera.width = 640;
    scenario.camera.height = 360;
    scenario.camera.bitrate_kbps = 4000;
    change(&mut scenario);
    let staging = Staging {
        program: env!("CARGO_BIN_EXE_greyplane").into(),
        keep: None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let report = run(&scenario, &staging, &clock, &AtomicBool::new(false), |_| {}).unwrap();
    eprintln!("{}", report.line());
    assert!(report.frames_seen > 0, "{report:#?}");
    assert_eq!(report.canary_frames, 0, "{report:#?}");
    assert!(report.private_frames > 0, "{report:#?}");
    report
}

/// The share of the time in which the picture was not wholly covered.
fn shown(report: &Report) -> f64 {
    1.0 - report.covered_s.values().sum::<f64>() / report.seconds
}

#[test]
fn what_late_answers_cannot_show_a_packed_stream_does() {
    let [with, without] = [true, false].map(|metadata| {
        // Eight answers must have borne the stream out: that takes some five seconds.
        play("telemetry-metadata.toml", 25.0, |scenario| {
            scenario.gateway.metadata = Some(metadata);
            scenario.camera.metadata_gzip = true;
        })
    });
    assert!(
        shown(&with) > shown(&without) + 0.3,
        "{} with, {} without",
        shown(&with),
        shown(&without)
    );
}

#[test]
fn a_stream_that_lies_or_stops_shows_nothing_private() {
    let report = play("metadata-lies.toml", 36.0, |_| {});
    assert!(shown(&report) > 0.0, "{report:#?}");
    let unsteady_s = report.covered_s.get("camera-unsteady").copied();
    assert!(unsteady_s > Some(0.0), "the contradiction: {report:#?}");
}
