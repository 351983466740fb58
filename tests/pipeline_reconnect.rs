//! The camera goes, comes back, changes, or is silent; the stream goes on.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greyplane::egress::Access;
use greyplane::event::{CameraState, Event, Reason};
use pipeline_support::{Camera, Judge, Log, Viewer, serve, settings, start, until};

fn downs(log: &Log) -> Vec<String> {
    log.all()
        .into_iter()
        .filter_map(|e| match e {
            Event::StreamDown { detail, .. } => Some(detail),
            _ => None,
        })
        .collect()
}

#[test]
fn viewers_stay_while_the_camera_goes_comes_back_and_changes_its_size() {
    let camera = Camera::start(0);
    let port = camera.port;
    let log = Arc::new(Log::default());
    let judge = Judge::hiding(0.5, 0.5, 0.75, 0.75);
    let mut pipeline = start(settings(&camera.url()), judge, &log);
    let server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/gate", server.port()));
    viewer.wait("the camera", |seen| {
        seen.iter().any(|p| p.number().is_some()).then_some(())
    });

    drop(camera);
    viewer.take();
    viewer.wait("grey pictures", |seen| {
        (seen.iter().filter(|p| p.is_grey()).count() >= 5).then_some(())
    });
    viewer.wait("a saying that tells why", |_| {
        matches!(
            pipeline.stats().state,
            CameraState::NoSignal(Reason::NoSignal { .. })
        )
        .then_some(())
    });
    if let Some(p) = viewer.take().last() {
        p.save("gone.png");
        assert_eq!((p.size.width, p.size.height), (640, 360), "the size stays");
    }

    let back = Instant::now();
    let camera = Camera::with(port, 320, 240);
    viewer.wait("the camera with its new size", |seen| {
        seen.iter()
            .any(|p| p.number().is_some() && p.size.width == 320)
            .then_some(())
    });
    eprintln!("live again after {:.1} s", back.elapsed().as_secs_f64());
    viewer.take().last().unwrap().save("back.png");
    assert_eq!(viewer.error(), None, "one session through all of it");
    assert_eq!(pipeline.stats().viewers, 1);
    drop(camera);
    server.stop();
    assert!(pipeline.stop());
}

#[test]
fn without_a_camera_there_is_a_grey_picture_from_the_start() {
    // A port on which nobody listens any more.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let log = Arc::new(Log::default());
    let judge = Judge::hiding(0.0, 0.0, 0.1, 0.1);
    let mut pipeline = start(
        settings(&format!("rtsp://127.0.0.1:{port}/cam")),
        judge,
        &log,
    );
    let server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/gate", server.port()));
    viewer.wait("grey pictures", |seen| {
        (seen.iter().filter(|p| p.is_grey()).count() >= 5).then_some(())
    });
    viewer.take().last().unwrap().save("no-camera.png");
    until("the reason", || {
        downs(&log)
            .iter()
            .any(|d| d.contains("refused"))
            .then_some(())
    });
    assert_eq!(downs(&log).len(), 1, "told once: {:?}", downs(&log));
    server.stop();
    assert!(pipeline.stop());
}

/// Takes connections; answers the first request on each, and no other.
fn answers_once() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtsp://{}/cam", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if stream.read(&mut [0; 1024]).is_ok() {
                let answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: DESCRIBE, SETUP, PLAY\r\n\r\n";
                let _ = stream.write_all(answer);
            }
            held.push(stream);
        }
    });
    url
}

#[test]
fn a_camera_that_accepts_and_says_nothing_is_given_up_and_does_not_hold_up_a_stop() {
    let log = Arc::new(Log::default());
    let mut wanted = settings(&answers_once());
    wanted.source.first_frame_within = Duration::from_secs(1);
    let mut pipeline = start(wanted, Judge::hiding(0.0, 0.0, 0.1, 0.1), &log);
    until("giving up", || {
        downs(&log)
            .iter()
            .any(|d| d.contains("no frame within 1 s"))
            .then_some(())
    });
    until("another try", || {
        (pipeline.stats().connects > 1).then_some(())
    });
    let began = Instant::now();
    assert!(pipeline.stop());
    eprintln!("stopped in {:.2} s", began.elapsed().as_secs_f64());
}

#[test]
fn a_camera_that_hangs_is_not_connected_to_and_looked_for_until_it_speaks() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("rtsp://{}/cam", silent.local_addr().unwrap());
    let log = Arc::new(Log::default());
    let judge = Judge::hiding(0.0, 0.0, 0.1, 0.1);
    let mut pipeline = start(settings(&url), judge, &log);
    until("the complaint", || {
        downs(&log)
            .iter()
            .any(|d| d.contains("takes connections and says nothing"))
            .then_some(())
    });
    assert_eq!(pipeline.stats().connects, 0);
    let port = silent.local_addr().unwrap().port();
    drop(silent);
    let camera = Camera::start(port);
    until("its frames", || {
        (pipeline.stats().frames_in > 0).then_some(())
    });
    drop(camera);
    assert!(pipeline.stop());
}

#[test]
fn a_camera_that_sends_nothing_we_know_is_told_apart() {
    let camera = Camera::launch(
        0,
        "( videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240 \
         ! avenc_mpeg4 ! rtpmp4vpay name=pay0 pt=96 )",
    );
    let log = Arc::new(Log::default());
    let mut pipeline = start(
        settings(&camera.url()),
        Judge::hiding(0.0, 0.0, 0.1, 0.1),
        &log,
    );
    until("the complaint", || {
        downs(&log)
            .iter()
            .any(|d| d.starts_with("the camera sends video/MP4V-ES: set it to one of H.264"))
            .then_some(())
    });
    assert!(pipeline.stop());
}

#[test]
fn a_camera_that_stops_sending_is_tried_again() {
    let camera = Camera::launch(
        0,
        "( videotestsrc is-live=true num-buffers=40 \
         ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 \
         ! x264enc tune=zerolatency speed-preset=ultrafast ! rtph264pay name=pay0 pt=96 )",
    );
    let log = Arc::new(Log::default());
    let mut wanted = settings(&camera.url());
    wanted.source.stall_after = Duration::from_secs(1);
    let mut pipeline = start(wanted, Judge::hiding(0.0, 0.0, 0.1, 0.1), &log);
    until("frames, silence, and another try", || {
        let stats = pipeline.stats();
        // More than one connection can give.
        (stats.frames_in > 40 && stats.connects >= 2).then_some(())
    });
    assert!(!downs(&log).is_empty());
    assert!(pipeline.stop());
}
