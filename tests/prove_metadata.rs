//! The metadata stream as a second source of positions, with the real gateway as a child
//! process: what it adds to answers that come too seldom, and what it cannot spoil.
#![cfg(feature = "gateway")]
#![allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]

mod prove_support;

use greyplane::prove::Report;
use prove_support::play_hidden;
use std::thread;

/// The share of the time in which the picture was not wholly covered.
fn shown(report: &Report) -> f64 {
    1.0 - report.covered_s.values().sum::<f64>() / report.seconds
}

#[test]
fn what_late_answers_cannot_show_a_packed_stream_does() {
    let shown = |metadata| {
        // Eight answers must have borne the stream out: that takes some five seconds.
        shown(&play_hidden("telemetry-metadata.toml", 25.0, |scenario| {
            scenario.gateway.metadata = Some(metadata);
            scenario.camera.metadata_gzip = true;
        }))
    };
    let (with, without) = thread::scope(|both| {
        let without = both.spawn(|| shown(false));
        (shown(true), without.join().unwrap())
    });
    assert!(with > without + 0.3, "{with} with, {without} without");
}

#[test]
fn a_stream_that_lies_or_stops_shows_nothing_private() {
    let report = play_hidden("metadata-lies.toml", 36.0, |_| {});
    assert!(shown(&report) > 0.0, "{report:#?}");
    let unsteady_s = report.covered_s.get("camera-unsteady").copied();
    assert!(unsteady_s > Some(0.0), "the contradiction: {report:#?}");
}
