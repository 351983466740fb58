//! One viewer stops reading; nobody else notices, and the process lives.
//!
//! Debian's RTSP server queues packets for a slow viewer by their stamps and
//! aborts the process when one goes back; and when every viewer of a media stalls,
//! it starves those who join later: see `src/egress/media.rs`.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;

use std::sync::Arc;

use greyplane::egress::Access;
use greyplane::event::Event;
use greyplane::pipeline::SoundRule;
use gst_rtsp_server::gio;
use gst_rtsp_server::gio::prelude::*;
use gstreamer_rtsp_server as gst_rtsp_server;
use pipeline_support::{Camera, Judge, Log, Viewer, serve, settings, start, until};

/// A viewer over TCP that asks for the stream and then never reads again.
struct Stalled(gio::Socket);

impl Stalled {
    fn open(port: u16, path: &str) -> Self {
        let socket = gio::Socket::new(
            gio::SocketFamily::Ipv4,
            gio::SocketType::Stream,
            gio::SocketProtocol::Tcp,
        )
        .unwrap();
        // SOL_SOCKET, SO_RCVBUF: so that the sender feels it soon.
        socket.set_option(1, 8, 4096).unwrap();
        let address =
            gio::InetSocketAddress::new(&gio::InetAddress::from_string("127.0.0.1").unwrap(), port);
        SocketExt::connect(&socket, &address, gio::Cancellable::NONE).unwrap();
        let viewer = Self(socket);
        let url = format!("rtsp://127.0.0.1:{port}/{path}");
        viewer.ask(&format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n"));
        let answer = viewer.ask(&format!(
            "SETUP {url}/stream=0 RTSP/1.0\r\nCSeq: 2\r\n\
             Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
        ));
        let session = answer
            .lines()
            .find_map(|l| l.strip_prefix("Session: "))
            .and_then(|l| l.split(';').next())
            .expect("a session");
        // Its sound waits in the same connection.
        viewer.ask(&format!(
            "SETUP {url}/stream=1 RTSP/1.0\r\nCSeq: 3\r\nSession: {session}\r\n\
             Transport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n\r\n"
        ));
        viewer.send(&format!(
            "PLAY {url} RTSP/1.0\r\nCSeq: 4\r\nSession: {session}\r\n\r\n"
        ));
        viewer
    }

    fn send(&self, request: &str) {
        self.0
            .send(request.as_bytes(), gio::Cancellable::NONE)
            .unwrap();
    }

    /// Sends a request and reads its answer with its body.
    fn ask(&self, request: &str) -> String {
        self.send(request);
        let mut answer = String::new();
        loop {
            let mut part = [0; 2048];
            let n = self.0.receive(&mut part, gio::Cancellable::NONE).unwrap();
            assert!(n > 0, "closed after {answer}");
            answer += std::str::from_utf8(&part[..n]).unwrap();
            if let Some((head, body)) = answer.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|l| l.strip_prefix("Content-Length: "))
                    .map_or(0, |l| l.parse().unwrap());
                if body.len() >= length {
                    assert!(head.starts_with("RTSP/1.0 200"), "{head}");
                    return answer;
                }
            }
        }
    }
}

#[test]
fn a_viewer_that_stops_reading_is_dropped_alone() {
    let camera = Camera::noise(0);
    let log = Arc::new(Log::default());
    let mut wanted = settings(&camera.url());
    // Fills the kernel's buffers in seconds.
    wanted.encoder.bitrate_kbit = 20_000;
    // Two tracks, of which either might hold up the other.
    wanted.sound = SoundRule::Mute;
    let mut pipeline = start(wanted, Judge::hiding(0.0, 0.0, 0.1, 0.1), &log);
    let server = serve(&log, Access::Open);
    server.add_camera("gate", pipeline.stream());
    let url = format!("rtsp://127.0.0.1:{}/gate", server.port());

    // First, and alone for a while: a shared media would now be stuck.
    let _stalled = Stalled::open(server.port(), "gate");
    until("the stalled viewer to be counted", || {
        (pipeline.stats().viewers == 1).then_some(())
    });
    let then = pipeline.stats().frames_out;
    until("its buffers to be full", || {
        (pipeline.stats().frames_out > then + 75).then_some(())
    });
    let steady = Viewer::open(&url);
    steady.wait("first pictures", |seen| (seen.len() > 5).then_some(()));

    let dropped = || {
        log.all().iter().any(|e| {
            matches!(e, Event::Viewer { joined: false, detail: Some(why), .. }
                     if why.contains("slow"))
        })
    };
    let mut joined = 0;
    until("the stalled viewer to be dropped", || {
        // Others come and go meanwhile: it is their PLAY that was deadly.
        let transport = if joined % 2 == 0 { "tcp" } else { "udp" };
        let guest = Viewer::open_with(&url, &format!("protocols={transport}"));
        guest.wait("a guest's pictures", |seen| (seen.len() > 2).then_some(()));
        joined += 1;
        let before = steady.count();
        steady.wait("the steady viewer's pictures", |seen| {
            (seen.len() > before + 5).then_some(())
        });
        steady.forget();
        dropped().then_some(())
    });
    assert!(joined > 1);
    assert_eq!(steady.error(), None);
    until("only the steady viewer to be left", || {
        (pipeline.stats().viewers == 1).then_some(())
    });
    server.stop();
    assert!(pipeline.stop());
}
