//! Watching over WebRTC: a viewer of its own, in this process and over
//! loopback, that ends by itself, vanishes, asks, floods and is dismissed.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;
mod whep_support;

use std::net::UdpSocket;
use std::sync::Arc;

use greyplane::egress::{WhepRefused, WhepServer, WhepSettings};
use greyplane::event::Event;
use greyplane::pipeline::CameraPipeline;
use pipeline_support::{Camera, Judge, Log, settings, start, until};
use whep_support::{Viewer, decoded};

/// A masked stream at a WHEP server.
struct Stage {
    log: Arc<Log>,
    pipeline: CameraPipeline,
    server: WhepServer,
    // Last, so that it outlives the pipeline.
    _camera: Camera,
}

impl Stage {
    fn new(sessions_at_most: usize) -> Self {
        let camera = Camera::start(0);
        let log = Arc::new(Log::default());
        let mut wanted = settings(&camera.url());
        // No key frame comes but one that somebody asked for.
        wanted.encoder.gop_frames = 1000;
        let pipeline = start(wanted, Judge::hiding(0.0, 0.0, 0.1, 0.1), &log);
        let server = WhepServer::start(
            WhepSettings {
                listen: "127.0.0.1:0".parse().unwrap(),
                sessions_at_most,
            },
            log.clone(),
        )
        .unwrap();
        server.add_camera("gate", pipeline.stream());
        Self {
            log,
            pipeline,
            server,
            _camera: camera,
        }
    }

    fn viewer(&self) -> Viewer {
        Viewer::open(|offer| self.server.offer("gate", offer).unwrap())
    }

    fn wait_for_viewers(&self, count: u32) {
        until(&format!("{count} viewers"), || {
            (self.pipeline.stats().viewers == count).then_some(())
        });
    }

    /// The viewers' comings (`true`) and goings, and why they went.
    fn told(&self) -> Vec<(bool, u32, Option<String>)> {
        let told = |event| match event {
            Event::Viewer {
                camera,
                joined,
                viewers,
                detail,
            } => {
                assert_eq!(camera, "gate");
                Some((joined, viewers, detail))
            }
            _ => None,
        };
        self.log.all().into_iter().filter_map(told).collect()
    }
}

#[test]
fn a_viewer_gets_whole_frames_from_a_key_frame_on() {
    let stage = Stage::new(4);
    let viewer = stage.viewer();
    viewer.wait("a second of frames", |frames| frames.len() >= 25);
    stage.wait_for_viewers(1);
    let frames = viewer.frames();
    assert!(frames[0].is_key() && frames[0].has_parameters());
    assert!(frames.windows(2).all(|two| two[0].at_90k < two[1].at_90k));
    assert_eq!(decoded(&frames), frames.len());

    // It says goodbye; nothing has to time out.
    drop(viewer);
    stage.wait_for_viewers(0);
    assert_eq!(stage.told(), [(true, 1, None), (false, 0, None)]);
}

#[test]
fn a_key_frame_comes_when_a_viewer_asks_and_when_one_joins() {
    let stage = Stage::new(4);
    let first = stage.viewer();
    first.wait("frames after the first", |frames| frames.len() >= 5);
    let keys = |frames: &[whep_support::Frame]| frames.iter().filter(|f| f.is_key()).count();
    for _ in 0..2 {
        let before = keys(&first.frames());
        first.ask_for_key_frame();
        first.wait("the key frame it asked for", |f| keys(f) > before);
    }
    let before = keys(&first.frames());
    let second = stage.viewer();
    second.wait("its own key frame", |frames| frames.len() >= 5);
    first.wait("the key frame of the other", |f| keys(f) > before);
    assert!(second.frames()[0].is_key());
    let all = first.frames();
    assert!(
        all.iter()
            .filter(|f| f.is_key())
            .all(|f| f.has_parameters())
    );
}

#[test]
fn offers_of_no_use_are_refused_and_leave_nothing() {
    let stage = Stage::new(1);
    let good = Viewer::offer_only();
    let refused = |camera: &str, offer: &str| stage.server.offer(camera, offer).unwrap_err();
    assert_eq!(refused("yard", &good), WhepRefused::NoSuchCamera);
    for garbage in ["", "v=0\r\n", "\0", "<html>"] {
        let refused = refused("gate", garbage);
        assert!(matches!(refused, WhepRefused::NotAnOffer(_)), "{garbage}");
    }
    let vp8 = good.replace("H264/90000", "VP8/90000");
    assert_eq!(refused("gate", &vp8), WhepRefused::NoH264);

    // None of them took the one place there is.
    let answer = stage.server.offer("gate", &good).unwrap();
    assert_eq!(answer.session.len(), 32);
    assert_eq!(refused("gate", &good), WhepRefused::TooMany);
    // Its viewer never comes: the place is free again, and it was no viewer.
    until("the place to be free again", || {
        stage.server.offer("gate", &good).ok()
    });
    assert!(!stage.server.end(&answer.session));
    assert_eq!(stage.told(), []);

    stage.server.stop();
    assert_eq!(refused("gate", &good), WhepRefused::Stopped);
}

#[test]
fn a_viewer_that_vanishes_is_forgotten_and_others_go_on() {
    let stage = Stage::new(2);
    let (gone, stays) = (stage.viewer(), stage.viewer());
    for viewer in [&gone, &stays] {
        viewer.wait("frames", |frames| frames.len() >= 5);
    }
    stage.wait_for_viewers(2);
    gone.vanish();
    stage.wait_for_viewers(1);
    let (joined, viewers, why) = stage.told().pop().unwrap();
    assert!(!joined && viewers == 1);
    assert!(why.unwrap().contains("nothing was heard"));
    let before = stays.frames().len();
    stays.wait("more frames", |frames| frames.len() > before + 5);
}

#[test]
fn sessions_end_when_told_and_with_their_camera() {
    let stage = Stage::new(4);
    let (first, second) = (stage.viewer(), stage.viewer());
    for viewer in [&first, &second] {
        viewer.wait("frames", |frames| frames.len() >= 5);
    }
    stage.wait_for_viewers(2);
    assert!(!stage.server.end("0123456789abcdef0123456789abcdef"));
    assert!(stage.server.end(first.session()));
    assert!(!stage.server.end(first.session()));
    first.wait_for_goodbye();
    stage.wait_for_viewers(1);
    assert!(!second.is_over());

    stage.server.remove_camera("gate");
    second.wait_for_goodbye();
    stage.wait_for_viewers(0);
    let (joined, _, why) = stage.told().pop().unwrap();
    assert!(!joined && why.unwrap().contains("taken out"));
    let refused = stage.server.offer("gate", &Viewer::offer_only());
    assert_eq!(refused.unwrap_err(), WhepRefused::NoSuchCamera);
}

#[test]
fn garbage_harms_nobody() {
    let stage = Stage::new(2);
    let viewer = stage.viewer();
    viewer.wait("frames", |frames| frames.len() >= 5);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = ("127.0.0.1", stage.server.port());
    // What STUN, DTLS, RTP and RTCP begin with, and what nothing does.
    for first in [0x00, 0x01, 0x14, 0x16, 0x17, 0x80, 0x81, 0xbf, 0xff] {
        for length in [0, 1, 2, 12, 20, 60, 1200, 9000] {
            let mut datagram: Vec<u8> = (0..length).map(|_| rand::random()).collect();
            if let Some(byte) = datagram.first_mut() {
                *byte = first;
            }
            // May find no room; then there is enough of it already.
            let _ = stranger.send_to(&datagram, to);
            viewer.send_raw(datagram);
        }
    }
    let before = viewer.frames().len();
    viewer.wait("frames all the same", |f| f.len() > before + 25);
    let second = stage.viewer();
    second.wait("frames of a new viewer", |frames| frames.len() >= 5);
    assert_eq!(stage.told(), [(true, 1, None), (true, 2, None)]);
}
