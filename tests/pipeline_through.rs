//! A camera's frames through mask, encoder and RTSP server to a viewer.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;

use std::sync::Arc;

use greyplane::egress::Access;
use pipeline_support::{Camera, Judge, Log, Viewer, serve, settings, start};

#[test]
fn a_viewer_sees_the_picture_but_not_what_is_hidden() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut pipeline = start(
        settings(&camera.url()),
        Judge::hiding(0.5, 0.25, 0.75, 0.75),
        &log,
    );
    let mut server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/gate", server.port()));

    viewer.wait("a picture of the camera with its capture time", |seen| {
        seen.iter()
            .any(|p| p.number().is_some() && p.capture.is_some())
            .then_some(())
    });
    for p in viewer.take().iter().filter(|p| p.number().is_some()) {
        for y in 95..265 {
            for x in 325..475 {
                assert!(p.luma_at(x, y).abs_diff(128) <= 8, "{x},{y}");
            }
        }
        assert!(p.luma_at(20, 100).abs_diff(128) > 20, "the rest is shown");
        p.save("through.png");
    }
    let stats = pipeline.stats();
    assert_eq!(stats.viewers, 1);
    assert_eq!(stats.late, 0);
    drop(viewer);
    pipeline_support::until("the viewer to be gone", || {
        (pipeline.stats().viewers == 0).then_some(())
    });
    server.stop();
    assert!(pipeline.stop());
}
