//! The masked stream pushed to a WHIP server that is not ours: what it decodes, who it
//! is told to, and that servers which are away, silent or wrong cost nobody a frame.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;
mod publish_support;
mod whip_support;

use std::sync::Arc;
use std::time::Duration;

use greyplane::clock::SystemClock;
use greyplane::egress::{Access, Publication, PublishOver, Publisher};
use greyplane::secret::Secret;
use greyplane::sim::{Sim, SimConfig};
use pipeline_support::{Camera, Judge, Log, Viewer, serve, settings, start, until};
use publish_support::{HIDDEN, Stage, hidden_in_all};
use serde_json::json;
use whip_support::{WhipServer, there_is_aiortc};

#[test]
fn a_whip_server_gets_masked_pictures_until_it_is_told_no_more() {
    if !there_is_aiortc() {
        return;
    }
    let server = WhipServer::plain();
    let stage = Stage::new();
    stage.publish(&[server.publication("main", None)]);
    server.wait_for_pictures(100);
    let pictures = server.pictures.take();
    hidden_in_all(&pictures, HIDDEN);
    assert!(pictures.iter().any(|p| p.number().is_some()));
    let figures = stage.figures("main");
    assert!(
        figures.connected && figures.problem.is_none(),
        "{figures:?}"
    );
    let counts = (figures.connects, figures.failures, figures.dropped);
    assert_eq!((counts, figures.over), ((1, 0, 0), "whip"));
    assert!(
        figures.frames >= 100 && figures.bytes > 100 * figures.frames,
        "{figures:?}"
    );
    assert_eq!(stage.told("main"), [None]);
    let offer = &server.told("offer")[0];
    assert_eq!(offer["kind"], "application/sdp", "{offer}");
    assert!(offer["authorization"].is_null(), "{offer}");

    // It goes, and the server is told: nothing comes any more.
    stage.publish(&[]);
    assert!(stage.publisher.figures("market").is_empty());
    assert_eq!(server.wait_for("delete")["status"], 200);
    until("the end of the stream", || {
        let closed = server.told("state").iter().any(|s| s["state"] == "closed");
        closed.then_some(())
    });
    let pictures = server.pictures.count();
    std::thread::sleep(Duration::from_secs(1));
    assert!(server.pictures.count() <= pictures + 2);
}

/// What [`WhipServer::canary_pixels`] finds where nothing private is hidden: without
/// this a test that finds none would prove nothing.
#[test]
fn what_is_not_hidden_is_seen_by_the_server() {
    if !there_is_aiortc() {
        return;
    }
    let sim = SimConfig {
        width: 640,
        height: 360,
        canary: true,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim, Arc::new(SystemClock::new())).unwrap();
    let log = Arc::new(Log::default());
    let bare = Judge::hiding(0.0, 0.0, 0.01, 0.01);
    let pipeline = start(settings(sim.rtsp_url()), bare, &log);
    let server = WhipServer::plain();
    let publisher = Publisher::new(log);
    let wanted = server.publication("main", None);
    publisher
        .set("market", &pipeline.stream(), &[wanted])
        .unwrap();
    until("the canary", || {
        server.canary_pixels().iter().any(|n| *n > 0).then_some(())
    });
}

#[test]
fn over_tls_and_with_a_token_and_not_otherwise() {
    if !there_is_aiortc() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("ca.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let server = WhipServer::start(&json!({
        "token": "open:sesame", "cert": path("ca.pem"), "key": path("key.pem")
    }));
    let stage = Stage::new();
    let with = |name: &str, token: Option<&str>, trusted: bool| Publication {
        name: name.into(),
        url: server.url(),
        over: PublishOver::Whip {
            token: token.map(Secret::new),
            ca_file: trusted.then(|| path("ca.pem")),
        },
    };
    stage.publish(&[with("stranger", Some("open:sesame"), false)]);
    stage.wait_for("stranger", "an unknown certificate refused", |p| {
        p.failures > 0
    });
    assert_eq!(server.told("offer").len(), 0);
    stage.publish(&[
        with("wrong", Some("open:says-me"), true),
        with("none", None, true),
    ]);
    for name in ["wrong", "none"] {
        stage.wait_for(name, "no or a wrong token refused", |p| p.failures > 0);
    }
    for (name, what) in [
        ("stranger", "as ca_file"),
        ("wrong", "the server said 401: it refuses the token"),
        ("none", "the server said 401: it wants a token"),
    ] {
        let told = stage.told(name);
        assert!(!told.is_empty(), "{name}");
        for why in told {
            let why = why.expect("a failure");
            assert!(why.contains(what) && !why.contains("open:s"), "{why}");
        }
    }
    assert_eq!(server.pictures.count(), 0);

    stage.publish(&[with("right", Some("open:sesame"), true)]);
    server.wait_for_pictures(25);
    hidden_in_all(&server.pictures.take(), HIDDEN);
    stage.publisher.stop();
    assert_eq!(server.wait_for("delete")["status"], 200);
}

#[test]
fn a_server_that_goes_gets_the_stream_again_and_others_go_on() {
    if !there_is_aiortc() {
        return;
    }
    let (mut first, second) = (WhipServer::plain(), WhipServer::plain());
    let stage = Stage::new();
    stage.publish(&[first.publication("a", None), second.publication("b", None)]);
    first.wait_for_pictures(25);
    second.wait_for_pictures(25);

    // It ends the session, and takes the next.
    first.wish("bye");
    stage.wait_for("a", "the goodbye", |p| p.failures > 0);
    first.pictures.take();
    first.wait_for_pictures(25);

    // It is gone without a word, and starts anew.
    let (port, before) = (first.port, stage.figures("a").failures);
    drop(first);
    stage.wait_for("a", "the loss", |p| !p.connected && p.failures > before);
    let first = WhipServer::start(&json!({ "port": port }));
    first.wait_for_pictures(25);
    hidden_in_all(&first.pictures.take(), HIDDEN);
    let told = stage.told("a");
    assert_eq!(told.last(), Some(&None), "{told:?}");

    assert_eq!(stage.told("b"), [None]);
    let b = stage.figures("b");
    assert_eq!((b.connects, b.failures, b.dropped), (1, 0, 0), "{b:?}");
}

#[test]
fn servers_that_never_answer_or_never_hear_cost_nobody_a_frame() {
    if !there_is_aiortc() {
        return;
    }
    let mut stage = Stage::new();
    let rtsp = serve(&stage.log, Access::Open);
    rtsp.add_camera("market", stage.pipeline.stream());
    let silent = WhipServer::start(&json!({ "silent": true }));
    let deaf = WhipServer::start(&json!({ "deaf": true }));
    let good = WhipServer::plain();
    stage.publish(&[
        silent.publication("silent", None),
        deaf.publication("deaf", None),
        good.publication("good", None),
    ]);
    let viewer = Viewer::open(&format!("rtsp://127.0.0.1:{}/market", rtsp.port()));
    for name in ["silent", "deaf"] {
        let (seen, taken) = (viewer.count(), good.pictures.count());
        stage.wait_for(name, "it to be given up", |p| p.failures > 0);
        viewer.wait("a viewer's pictures", |now| {
            (now.len() > seen + 10).then_some(())
        });
        good.wait_for_pictures(taken + 10);
    }
    let why = |name: &str| stage.told(name)[0].clone().expect("a failure");
    assert!(
        why("silent").contains("no answer in time"),
        "{}",
        why("silent")
    );
    assert!(why("deaf").contains("over UDP"), "{}", why("deaf"));
    // Nothing is left at a server that could not be reached.
    assert!(deaf.told("delete").iter().any(|d| d["status"] == 200));
    let figures = stage.figures("good");
    let counts = (figures.connects, figures.failures, figures.dropped);
    assert_eq!(counts, (1, 0, 0), "{figures:?}");
    assert_eq!(viewer.error(), None);
    let dropped = stage.pipeline.stats().dropped;
    assert!(dropped.values().all(|n| *n == 0), "{dropped:?}");

    // Nor does anybody wait for them at the end.
    stage.publisher.stop();
    rtsp.stop();
    assert!(stage.pipeline.stop());
}

#[test]
fn a_redirect_is_followed_at_the_same_server_only() {
    if !there_is_aiortc() {
        return;
    }
    let target = WhipServer::plain();
    let away = WhipServer::start(&json!({ "redirect": target.url() }));
    let within = WhipServer::start(&json!({ "redirect": "/elsewhere/whip", "token": "sesame" }));
    let stage = Stage::new();
    stage.publish(&[
        away.publication("away", Some("sesame")),
        within.publication("within", Some("sesame")),
    ]);
    within.wait_for_pictures(25);
    hidden_in_all(&within.pictures.take(), HIDDEN);
    let asked = within.told("offer").pop().unwrap();
    assert_eq!(asked["path"], "/elsewhere/whip");
    assert_eq!(asked["authorization"], "Bearer sesame");

    stage.wait_for("away", "the redirect refused", |p| p.failures > 1);
    let why = stage.told("away")[0].clone().unwrap();
    assert!(why.contains("redirects to http://127.0.0.1"), "{why}");
    assert_eq!(target.told("offer").len(), 0);
}

#[test]
fn a_key_frame_is_made_when_the_server_asks() {
    if !there_is_aiortc() {
        return;
    }
    let mut server = WhipServer::plain();
    // None comes by itself before the thousandth.
    let stage = Stage::encoding(Camera::start(0), |encoder| encoder.gop_frames = 1000);
    stage.publish(&[server.publication("main", None)]);
    server.wait_for_pictures(25);
    for _ in 0..2 {
        let before = server.key_frames();
        server.wish("pli");
        until("a key frame", || {
            (server.key_frames() > before).then_some(())
        });
    }
    let seen = server.pictures.count();
    assert!(seen < 900, "too slow a machine: {seen} pictures");
    server.wait_for_pictures(seen + 25);
    hidden_in_all(&server.pictures.take(), HIDDEN);
}
