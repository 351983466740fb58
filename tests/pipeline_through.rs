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
use std::sync::atomic::{AtomicUsize, Ordering};

use greyplane::egress::{Access, Account};
use greyplane::event::Event;
use greyplane::pipeline::Transport;
use greyplane::secret::Secret;
use pipeline_support::{Camera, Judge, Log, Viewer, hide, serve, settings, start, until};

#[test]
fn a_viewer_sees_the_picture_but_not_what_is_hidden() {
    for (transport, decoder, encoder) in [
        (Transport::Tcp, "auto", "auto"),
        (Transport::Udp, "auto", "auto"),
        // Without any GPL part.
        (Transport::Tcp, "openh264dec", "openh264enc"),
    ] {
        through(transport, decoder, encoder);
    }
}

fn through(transport: Transport, decoder: &str, encoder: &str) {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut wanted = settings(&camera.url());
    wanted.source.transport = transport;
    wanted.source.decoder = decoder.into();
    wanted.encoder.encoder = encoder.into();
    let mut pipeline = start(wanted, Judge::hiding(0.5, 0.25, 0.75, 0.75), &log);
    let server = serve(&log, Access::Open);
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
    until("the viewer to be gone", || {
        (pipeline.stats().viewers == 0).then_some(())
    });
    server.stop();
    assert!(pipeline.stop());
}

/// Decoders keep frames to predict from. Were one of those painted, the mask
/// would stay in every picture until the next key frame.
#[test]
fn a_mask_leaves_no_trace_in_the_frames_after_it() {
    let camera = Camera::launch(
        0,
        "( videotestsrc is-live=true pattern=smpte \
         ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=1000 bitrate=3000 \
         ! rtph264pay name=pay0 pt=96 config-interval=-1 )",
    );
    let log = Arc::new(Log::default());
    let frame = AtomicUsize::new(0);
    let judge = Judge::new(
        move |_, size| match frame.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => hide(size, [0.0, 0.0, 0.5, 1.0]),
            _ => hide(size, [0.5, 0.0, 1.0, 1.0]),
        },
    );
    let mut pipeline = start(settings(&camera.url()), judge, &log);
    let server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/gate", server.port()));
    until("a hundred pictures", || {
        (pipeline.stats().frames_in > 100 && viewer.count() > 60).then_some(())
    });
    let (mut left, mut right) = (0, 0);
    for p in viewer.take().iter().skip_while(|p| p.is_grey()) {
        // The bars are white at the left and nearly black at the right.
        match (p.luma_at(40, 150), p.luma_at(600, 150)) {
            (120..=136, 0..=70) => left += 1,
            (200.., 120..=136) => right += 1,
            other => {
                p.save("trace.png");
                panic!("{other:?}");
            }
        }
    }
    assert!(left > 10 && right > 10, "{left} {right}");
    server.stop();
    assert!(pipeline.stop());
}

#[test]
fn a_camera_that_wants_a_password_gets_it_and_nobody_else_sees_it() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut first = start(
        settings(&camera.url()),
        Judge::hiding(0.5, 0.5, 0.6, 0.6),
        &log,
    );
    let users = vec![Account::with_password("gateway", Secret::new("geheim"))];
    let locked = serve(&log, Access::Accounts(users));
    locked.add_camera("cam", first.stream());

    // A gateway behind the gateway: the first one is a camera with a lock.
    let url = format!("rtsp://127.0.0.1:{}/cam", locked.port());
    for (password, gets_in) in [("falsch", false), ("geheim", true)] {
        let log = Arc::new(Log::default());
        let mut wanted = settings(&url);
        wanted.source.credentials = Some(("gateway".into(), Secret::new(password)));
        let mut second = start(wanted, Judge::hiding(0.5, 0.5, 0.6, 0.6), &log);
        until("an answer", || {
            log.all()
                .iter()
                .any(|e| match e {
                    Event::StreamUp { .. } => gets_in,
                    Event::StreamDown { detail, .. } => !gets_in && !detail.contains(password),
                    _ => false,
                })
                .then_some(())
        });
        assert_eq!(second.stats().frames_in > 0 || gets_in, gets_in);
        assert!(second.stop());
    }
    locked.stop();
    assert!(first.stop());
}
