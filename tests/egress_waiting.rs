//! Viewers of a stream that shows nothing, as one does that has ended: they hold up nobody, and are answered as soon as
//! nothing can come any more. Nobody keeps a stream that is not served any longer.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use greyplane::egress::{Access, RtspServer, RtspSettings};
use pipeline_support::{Camera, Judge, Log, Viewer, serve, settings, start, until};

/// Longer than anything may take on a busy machine, and shorter than gst-rtsp-server waits for a
/// picture by itself.
const PATIENCE: Duration = Duration::from_secs(18);

/// Somebody who asks for a stream.
struct Asker(TcpStream);

impl Asker {
    fn describe(port: u16, path: &str) -> Self {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request =
            format!("DESCRIBE rtsp://127.0.0.1:{port}/{path} RTSP/1.0\r\nCSeq: 1\r\n\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        Self(socket)
    }

    /// The status of what has come within `patience`; none where nothing has.
    fn answer(&mut self, patience: Duration) -> Option<u16> {
        self.0.set_read_timeout(Some(patience)).unwrap();
        let mut answer = [0; 4096];
        match self.0.read(&mut answer) {
            Ok(n) => {
                let text = std::str::from_utf8(&answer[..n]).unwrap();
                Some(text.split(' ').nth(1).unwrap().parse().unwrap())
            }
            Err(e) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&e.kind()) => None,
            Err(e) => panic!("{e}"),
        }
    }
}

#[test]
fn whoever_waits_for_a_dark_stream_holds_up_nobody() {
    let log = Arc::new(Log::default());
    let camera = Camera::start(0);
    let seen = start(
        settings(&camera.url()),
        Judge::hiding(0.0, 0.0, 0.1, 0.1),
        &log,
    );
    let server = serve(&log, Access::Open);
    let ended = start(
        settings(&camera.url()),
        Judge::hiding(0.0, 0.0, 0.1, 0.1),
        &log,
    );
    server.add_camera("dark", ended.stream());
    drop(ended);
    server.add_camera("gate", seen.stream());

    let mut waiting: Vec<Asker> = (0..12)
        .map(|_| Asker::describe(server.port(), "dark"))
        .collect();
    // More wait than a server has threads of its own accord.
    for _ in 0..3 {
        let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/gate", server.port()));
        viewer.wait("a picture", |seen| (!seen.is_empty()).then_some(()));
    }
    for asker in &mut waiting {
        assert_eq!(asker.answer(Duration::from_millis(1)), None);
    }
    // Taken out, it has nothing to wait for.
    server.remove_camera("dark");
    for asker in &mut waiting {
        assert_eq!(asker.answer(PATIENCE), Some(503));
    }
}

#[test]
fn a_stream_that_was_replaced_is_kept_by_nobody() {
    let log = Arc::new(Log::default());
    let camera = Camera::start(0);
    let stream = || {
        start(
            settings(&camera.url()),
            Judge::hiding(0.0, 0.0, 0.1, 0.1),
            &log,
        )
    };
    let (before, after) = (stream(), stream());
    let server = serve(&log, Access::Open);
    server.add_camera("gate", before.stream());
    let mut asker = Asker::describe(server.port(), "gate");
    assert_eq!(asker.answer(PATIENCE), Some(200));

    server.add_camera("gate", after.stream());
    // Whoever asked and has not yet played would be given the pictures of the stream before.
    let mut rest = Vec::new();
    asker.0.set_read_timeout(Some(PATIENCE)).unwrap();
    asker.0.read_to_end(&mut rest).expect("it is sent away");
    let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/gate", server.port()));
    viewer.wait("a picture", |seen| (!seen.is_empty()).then_some(()));
}

#[test]
fn whoever_hangs_up_without_a_word_leaves_room_for_others() {
    let log = Arc::new(Log::default());
    let camera = Camera::start(0);
    let masked = start(
        settings(&camera.url()),
        Judge::hiding(0.0, 0.0, 0.1, 0.1),
        &log,
    );
    let server = RtspServer::start(
        RtspSettings {
            address: [127, 0, 0, 1].into(),
            port: 0,
            access: Access::Open,
            tls: None,
            sessions_at_most: 2,
        },
        log.clone(),
    )
    .unwrap();
    server.add_camera("gate", masked.stream());
    let port = server.port();
    let set_up = format!(
        "SETUP rtsp://127.0.0.1:{port}/gate/stream=0 RTSP/1.0\r\nCSeq: 2\r\n\
         Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
    );
    let set_up_one = || {
        let mut asker = Asker::describe(port, "gate");
        assert_eq!(asker.answer(PATIENCE), Some(200));
        asker.0.write_all(set_up.as_bytes()).unwrap();
        (asker.answer(PATIENCE), asker)
    };
    let here: Vec<_> = (0..2).map(|_| set_up_one()).collect();
    assert!(here.iter().all(|(status, _)| *status == Some(200)));
    assert_ne!(set_up_one().0, Some(200), "there is no room for a third");
    drop(here);
    // They are gone as soon as the server has noticed.
    until("room", || (set_up_one().0 == Some(200)).then_some(()));
}
