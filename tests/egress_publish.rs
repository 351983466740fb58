//! The masked stream pushed to servers elsewhere: what they decode, that they may go
//! away, stop reading and come back, and that nobody else notices.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;
mod publish_support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use greyplane::egress::{Access, Publication, PublishOver};
use greyplane::secret::Secret;
use pipeline_support::{Camera, Viewer, serve, until};
use publish_support::{
    HIDDEN, RecordServer, Rules, SrtServer, Stage, captures, free_udp_port, hidden_in_all,
};

fn rtsp(name: &str, url: String) -> Publication {
    Publication {
        name: name.into(),
        url,
        over: PublishOver::Rtsp {
            login: None,
            ca_file: None,
        },
    }
}

#[test]
fn an_rtsp_server_gets_masked_pictures_until_it_is_told_no_more() {
    let server = RecordServer::start(0, &Rules::default());
    let stage = Stage::new();
    stage.publish(&[rtsp("main", server.url("rtsp"))]);
    let many = |seen: &[_]| (seen.len() >= 100).then_some(());
    server.pictures.wait("pictures", many);
    let pictures = server.pictures.take();
    hidden_in_all(&pictures, HIDDEN);
    assert!(pictures.iter().any(|p| p.number().is_some()));
    let figures = stage.figures("main");
    assert!(
        figures.connected && figures.problem.is_none(),
        "{figures:?}"
    );
    let counts = (figures.connects, figures.failures, figures.dropped);
    assert_eq!(counts, (1, 0, 0));
    // The first may be on its way before the server's answer is.
    assert!(
        figures.frames >= 90 && figures.bytes > 100 * figures.frames,
        "{figures:?}"
    );
    assert_eq!(stage.told("main"), [None]);

    // It goes, and the server is told: nothing comes any more.
    stage.publish(&[]);
    assert!(stage.publisher.figures("market").is_empty());
    server.pictures.take();
    std::thread::sleep(Duration::from_secs(1));
    assert!(server.pictures.count() <= 2);
}

#[test]
fn an_rtsp_server_is_told_when_the_camera_took_each_picture() {
    let server = RecordServer::start(0, &Rules::default());
    let stage = Stage::new();
    stage.publish(&[rtsp("main", server.url("rtsp"))]);
    let before = Viewer::open(&stage.camera.url());
    // Through several sender reports.
    let pairs = until("100 frames seen on both sides", || {
        let before = before.wait("", |seen| Some(captures(seen)));
        let after = server.pictures.wait("", |seen| Some(captures(seen)));
        let pairs: Vec<(f64, f64)> = after
            .iter()
            .filter_map(|(n, t)| Some((*before.get(n)?, *t)))
            .collect();
        (pairs.len() >= 100).then_some(pairs)
    });
    let apart = pairs.iter().map(|(a, b)| (a - b).abs());
    let worst = apart.fold(0.0, f64::max);
    assert!(worst <= 5.0, "{worst} ms");
}

#[test]
fn a_server_that_restarts_gets_the_stream_again_and_others_go_on() {
    let (first, second) = (
        RecordServer::start(0, &Rules::default()),
        RecordServer::start(0, &Rules::default()),
    );
    let stage = Stage::new();
    let (a, b) = (rtsp("a", first.url("rtsp")), rtsp("b", second.url("rtsp")));
    stage.publish(&[a.clone(), b.clone()]);
    first
        .pictures
        .wait("pictures", |seen| (seen.len() > 25).then_some(()));
    second
        .pictures
        .wait("pictures", |seen| (seen.len() > 25).then_some(()));

    let port = first.port;
    drop(first);
    stage.wait_for("a", "the loss", |p| !p.connected && p.failures > 0);
    let first = RecordServer::start(port, &Rules::default());
    first
        .pictures
        .wait("pictures again", |seen| (seen.len() > 25).then_some(()));
    hidden_in_all(&first.pictures.take(), HIDDEN);
    let told = stage.told("a");
    assert!(told.len() >= 3 && told[1].is_some(), "{told:?}");
    assert_eq!(told.last(), Some(&None), "{told:?}");

    // Taking one away, adding one and keeping one: the kept one is not touched.
    let third = RecordServer::start(0, &Rules::default());
    stage.publish(&[b, rtsp("c", third.url("rtsp"))]);
    third
        .pictures
        .wait("pictures", |seen| (seen.len() > 25).then_some(()));
    assert_eq!(stage.told("b"), [None]);
    let b = stage.figures("b");
    assert_eq!((b.connects, b.failures, b.dropped), (1, 0, 0));
    // What was counted is counted on when it comes back.
    stage.publish(&[a]);
    assert!(stage.figures("a").failures > 0);
}

#[test]
fn over_rtsps_and_with_a_password_and_not_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, made.cert.pem()).unwrap();
    let server = RecordServer::start(
        0,
        &Rules {
            login: Some(("gate".into(), "open sesame".into())),
            tls: Some((made.cert.pem(), made.signing_key.serialize_pem())),
        },
    );
    let stage = Stage::new();
    let with = |name: &str, password: &str, trusted: bool| Publication {
        name: name.into(),
        url: server.url("rtsps"),
        over: PublishOver::Rtsp {
            login: Some(("gate".into(), Secret::new(password))),
            ca_file: trusted.then(|| ca_file.clone()),
        },
    };
    stage.publish(&[with("stranger", "open sesame", false)]);
    stage.wait_for("stranger", "an unknown certificate refused", |p| {
        p.failures > 0
    });
    stage.publish(&[with("wrong", "open says me", true)]);
    stage.wait_for("wrong", "a wrong password refused", |p| p.failures > 0);
    assert_eq!(server.pictures.count(), 0);
    for name in ["stranger", "wrong"] {
        let told = stage.told(name);
        assert!(told.iter().all(Option::is_some), "{told:?}");
        assert!(!format!("{told:?}").contains("open s"), "{told:?}");
        let untrusted = |why: &String| why.contains("certificate is refused: no trusted root");
        let all = told.iter().flatten().all(untrusted);
        assert_eq!(all, name == "stranger", "{told:?}");
    }
    stage.publish(&[with("right", "open sesame", true)]);
    server
        .pictures
        .wait("pictures", |seen| (seen.len() > 25).then_some(()));
    hidden_in_all(&server.pictures.take(), HIDDEN);
}

/// Takes a stream and never reads a byte of it.
fn stalling_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            loop {
                let (mut head, mut line) = (String::new(), String::new());
                while lines.read_line(&mut line).is_ok_and(|n| n > 2) {
                    head += &line;
                    line.clear();
                }
                let field = |name: &str| {
                    let mut all = head.lines();
                    all.find_map(|l| l.strip_prefix(name))
                        .map(|v| v.trim().to_owned())
                };
                let Some(number) = field("CSeq:") else { break };
                let length = field("Content-Length:").map_or(0, |l| l.parse().unwrap());
                let mut body = vec![0; length];
                lines.read_exact(&mut body).unwrap();
                let more = match head.split(' ').next().unwrap() {
                    "OPTIONS" => "Public: OPTIONS, ANNOUNCE, SETUP, RECORD, TEARDOWN\r\n",
                    "SETUP" => {
                        "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;mode=record\r\nSession: 1\r\n"
                    }
                    _ => "Session: 1\r\n",
                };
                let answer = format!("RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{more}\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
                if head.starts_with("RECORD") {
                    break;
                }
            }
            held.push(stream);
        }
    });
    port
}

#[test]
fn a_server_that_stops_reading_costs_nobody_else_a_frame() {
    // Fills the system's buffers in seconds.
    let mut stage = Stage::of(Camera::noise(0), 20_000);
    let server = serve(&stage.log, Access::Open);
    server.add_camera("market", stage.pipeline.stream());
    let reading = RecordServer::start(0, &Rules::default());
    let stalled = format!("rtsp://127.0.0.1:{}/market", stalling_server());
    stage.publish(&[
        rtsp("stalled", stalled),
        rtsp("reading", reading.url("rtsp")),
    ]);
    let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/market", server.port()));
    viewer.wait("first pictures", |seen| (seen.len() > 5).then_some(()));

    stage.wait_for("stalled", "its queue to be full", |p| p.dropped > 0);
    stage.wait_for("stalled", "it to be given up", |p| p.failures > 0);
    for _ in 0..3 {
        let (seen, published) = (viewer.count(), reading.pictures.count());
        viewer.wait("a viewer's pictures", |now| {
            (now.len() > seen + 10).then_some(())
        });
        let more = |now: &[_]| (now.len() > published + 10).then_some(());
        reading.pictures.wait("another server's pictures", more);
    }
    assert_eq!(viewer.error(), None);
    let figures = stage.figures("reading");
    assert_eq!((figures.connects, figures.failures), (1, 0), "{figures:?}");
    let dropped = stage.pipeline.stats().dropped;
    assert!(dropped.values().all(|n| *n == 0), "{dropped:?}");

    // Nor does anybody wait for it at the end.
    stage.publisher.stop();
    server.stop();
    assert!(stage.pipeline.stop());
}

#[test]
fn an_srt_server_gets_masked_pictures_encrypted_and_again_after_a_restart() {
    let (port, secret) = (free_udp_port(), "keep it between us");
    let server = SrtServer::start(port, Some("\"keep it between us\""));
    let stage = Stage::new();
    let with = |name: &str, passphrase: Option<&str>| Publication {
        name: name.into(),
        url: server.url(),
        over: PublishOver::Srt {
            login: None,
            passphrase: passphrase.map(Secret::new),
            latency: Duration::from_millis(60),
        },
    };
    stage.publish(&[with("wrong", Some("let everybody know"))]);
    stage.wait_for("wrong", "a wrong passphrase refused", |p| p.failures > 0);
    assert_eq!(stage.figures("wrong").connects, 0);
    assert_eq!(server.pictures.count(), 0);

    let right = with("main", Some(secret));
    stage.publish(std::slice::from_ref(&right));
    server
        .pictures
        .wait("pictures", |seen| (seen.len() > 50).then_some(()));
    hidden_in_all(&server.pictures.take(), HIDDEN);
    assert!(stage.figures("main").connected);

    drop(server);
    stage.wait_for("main", "the loss", |p| !p.connected && p.failures > 0);
    let server = SrtServer::start(port, Some("\"keep it between us\""));
    server
        .pictures
        .wait("pictures again", |seen| (seen.len() > 25).then_some(()));
    hidden_in_all(&server.pictures.take(), HIDDEN);
    assert_eq!(stage.told("main").first(), Some(&None));
}

#[test]
fn an_srt_server_is_told_who_we_are_in_the_streams_id() {
    let server = SrtServer::letting_in(
        free_udp_port(),
        None,
        Some("publish:market:gate:open sesame"),
    );
    let stage = Stage::new();
    let with = |name: &str, password: &str| Publication {
        name: name.into(),
        url: server.url(),
        over: PublishOver::Srt {
            login: Some(("gate".into(), Secret::new(password))),
            passphrase: None,
            latency: Duration::from_millis(60),
        },
    };
    stage.publish(&[with("wrong", "open says me")]);
    stage.wait_for("wrong", "a wrong password refused", |p| p.failures > 0);
    assert_eq!(stage.figures("wrong").connects, 0);
    assert!(!format!("{:?}", stage.told("wrong")).contains("says me"));
    assert_eq!(server.pictures.count(), 0);
    stage.publish(&[with("right", "open sesame")]);
    server
        .pictures
        .wait("pictures", |seen| (seen.len() > 25).then_some(()));
    hidden_in_all(&server.pictures.take(), HIDDEN);
}
