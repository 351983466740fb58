//! Who may watch, how soon a picture comes, and who is left alone.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;

use std::process::Command;
use std::sync::Arc;

use greyplane::egress::{Access, Account, CannotServe, RtspServer, RtspSettings};
use greyplane::event::Event;
use greyplane::secret::Secret;
use pipeline_support::{Camera, Judge, Log, Viewer, serve, settings, start, until};

#[test]
fn only_users_with_their_password_may_watch() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut pipeline = start(
        settings(&camera.url()),
        Judge::hiding(0.0, 0.0, 0.5, 0.5),
        &log,
    );
    let users = vec![Account::with_password("observer", Secret::new("geheim"))];
    let server = serve(&log, Access::Accounts(users));
    server.add_camera("gate", pipeline.stream());
    let url = format!("rtsp://127.0.0.1:{}/gate", server.port());

    for options in [
        "",
        "user-id=observer user-pw=falsch",
        "user-id=other user-pw=geheim",
    ] {
        let refused = Viewer::open_with(&url, options);
        until("the refusal", || refused.error());
        assert_eq!(refused.count(), 0, "{options}");
    }
    let allowed = Viewer::open_with(&url, "user-id=observer user-pw=geheim");
    allowed.wait("a picture", |seen| (!seen.is_empty()).then_some(()));
    server.stop();
    assert!(pipeline.stop());
}

#[test]
fn accounts_without_one_and_an_address_that_is_taken_are_refused() {
    let log = Arc::new(Log::default());
    let taken = serve(&log, Access::Open);
    let start = |address: &str, port, access| {
        let settings = RtspSettings {
            address: address.parse().unwrap(),
            port,
            access,
            tls: None,
            sessions_at_most: 1,
        };
        RtspServer::start(settings, log.clone()).err()
    };
    assert_eq!(
        start("127.0.0.1", 0, Access::Accounts(vec![])),
        Some(CannotServe::NoUsers)
    );
    assert!(matches!(
        start("203.0.113.7", 0, Access::Open),
        Some(CannotServe::Listen { .. })
    ));
    assert!(matches!(
        start("127.0.0.1", taken.port(), Access::Open),
        Some(CannotServe::Listen { .. })
    ));
}

#[test]
fn a_viewer_who_joins_gets_a_key_frame_at_once() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut wanted = settings(&camera.url());
    // On its own the encoder would make one every forty seconds.
    wanted.encoder.gop_frames = 1000;
    let mut pipeline = start(wanted, Judge::hiding(0.0, 0.0, 0.5, 0.5), &log);
    let server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    let url = format!("rtsp://127.0.0.1:{}/gate", server.port());
    let first = Viewer::open(&url);
    first.wait("a picture of the camera", |seen| {
        seen.iter().any(|p| !p.is_grey()).then_some(())
    });
    for _ in 0..3 {
        let before = pipeline.stats().frames_out;
        let joins = Viewer::open(&url);
        joins.wait("a picture", |seen| (!seen.is_empty()).then_some(()));
        let frames = pipeline.stats().frames_out - before;
        eprintln!("first picture after {frames} frames");
        assert!(frames < 200, "{frames}");
    }
    server.stop();
    assert!(pipeline.stop());
}

#[test]
fn taking_a_camera_out_leaves_the_viewers_of_others_alone() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut pipeline = start(
        settings(&camera.url()),
        Judge::hiding(0.0, 0.0, 0.5, 0.5),
        &log,
    );
    let server = serve(&log, Access::Open);
    server.add_camera("stays", pipeline.stream());
    server.add_camera("goes", pipeline.stream());
    let url = |id| format!("rtsp://127.0.0.1:{}/{id}", server.port());
    let (stays, goes) = (Viewer::open(&url("stays")), Viewer::open(&url("goes")));
    for viewer in [&stays, &goes] {
        viewer.wait("pictures", |seen| (seen.len() > 5).then_some(()));
    }
    server.remove_camera("goes");
    until("the viewer's farewell", || {
        log.all()
            .iter()
            .any(|e| matches!(e, Event::Viewer { camera, joined: false, .. } if camera == "goes"))
            .then_some(())
    });
    let seen = stays.count();
    stays.wait("more pictures", |now| (now.len() > seen + 25).then_some(()));
    assert_eq!(stays.error(), None);
    let gone = Viewer::open(&url("goes"));
    until("not found", || gone.error());
    server.stop();
    assert!(pipeline.stop());
}

#[test]
fn ffmpeg_plays_it_over_tcp_and_udp() {
    let camera = Camera::start(0);
    let log = Arc::new(Log::default());
    let mut pipeline = start(
        settings(&camera.url()),
        Judge::hiding(0.25, 0.25, 0.75, 0.75),
        &log,
    );
    let server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    until("the camera", || {
        (pipeline.stats().frames_in > 10).then_some(())
    });
    for transport in ["tcp", "udp"] {
        let out = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("ffmpeg-{transport}.png"));
        let done = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-rtsp_transport", transport, "-i"])
            .arg(format!("rtsp://127.0.0.1:{}/gate", server.port()))
            .args(["-frames:v", "25", "-update", "1"])
            .arg(&out)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        let png = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(out).unwrap()));
        let info = png.read_info().unwrap();
        assert_eq!((info.info().width, info.info().height), (640, 360));
    }
    server.stop();
    assert!(pipeline.stop());
}
