//! The capture time of a frame survives the gateway.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;

use std::collections::HashMap;
use std::sync::Arc;

use greyplane::egress::Access;
use pipeline_support::{Camera, Judge, Log, Picture, Viewer, serve, settings, start, until};

/// Capture time of each frame number that has one, milliseconds.
fn captures(seen: &[Picture]) -> HashMap<u32, f64> {
    seen.iter()
        .filter_map(|p| Some((p.number()?, p.capture?.0 as f64 * 1e-6)))
        .collect()
}

#[test]
fn behind_the_gateway_each_frame_has_the_capture_time_it_had_before() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut pipeline = start(
        settings(&camera.url()),
        Judge::hiding(0.5, 0.5, 0.75, 0.75),
        &log,
    );
    let server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    let before = Viewer::open(&camera.url());
    let after = Viewer::open(&format!("rtsp://127.0.0.1:{}/gate", server.port()));

    // Through several sender reports.
    let pairs = until("200 frames seen on both sides", || {
        let before = before.wait("", |seen| Some(captures(seen)));
        let after = after.wait("", |seen| Some(captures(seen)));
        let pairs: Vec<(f64, f64)> = after
            .iter()
            .filter_map(|(n, t)| Some((*before.get(n)?, *t)))
            .collect();
        (pairs.len() >= 200).then_some(pairs)
    });
    let worst = pairs
        .iter()
        .map(|(before, after)| (after - before).abs())
        .fold(0.0, f64::max);
    eprintln!(
        "largest difference over {} frames: {worst:.3} ms",
        pairs.len()
    );
    assert!(worst <= 5.0, "{worst} ms");
    server.stop();
    assert!(pipeline.stop());
}
