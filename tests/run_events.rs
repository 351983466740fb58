//! The program as it runs, with a real broker beside it: what home automation hears of a
//! camera, a reload, a broker that stands still, and a gateway that is killed.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod bus_support;
mod tls_support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bus_support::{
    NatsEar, PASSWORD, Rules, Subscriber, USER, at, free_port, mosquitto, nats, until,
};
use greyplane::clock::SystemClock;
use greyplane::sim::{Sim, SimConfig};
use serde_json::Value;
use tls_support::Gateway;

fn write(folder: &Path, sim: &Sim, cameras: &[&str], events: &str) -> PathBuf {
    let mut text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n{events}\n"
    );
    for id in cameras {
        text += &format!(
            "[[camera]]\nid = \"{id}\"\nurl = \"{}\"\nmasks = \"{id}.json\"\n",
            sim.rtsp_url()
        );
        let masks = format!(
            r#"{{"format":1,"camera":"{id}","zones":[{{"id":"a","name":"a","mode":"hide","shape":
            {{"type":"image","points":[{{"x":0.1,"y":0.1}},{{"x":0.4,"y":0.1}},{{"x":0.4,"y":0.4}}]}}}}]}}"#
        );
        fs::write(folder.join(format!("{id}.json")), masks).unwrap();
    }
    let path = folder.join("greyplane.toml");
    fs::write(&path, text).unwrap();
    path
}

fn get(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() })
}

fn bus(http: &str, name: &str) -> Option<Value> {
    let status: Value = serde_json::from_str(&get(&format!("{http}/api/v1/status"))).unwrap();
    let all = status["buses"].as_array().unwrap();
    all.iter().find(|bus| bus["bus"] == name).cloned()
}

fn metric(http: &str, series: &str) -> f64 {
    let page = get(&format!("{http}/metrics"));
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    let value = line.unwrap_or_else(|| panic!("no {series} in {page}"));
    value.trim().parse().unwrap()
}

#[test]
fn a_gateway_tells_reloads_and_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let sim = SimConfig {
        width: 320,
        height: 184,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim, Arc::new(SystemClock::new())).unwrap();
    let rules = Rules {
        login: true,
        ..Rules::default()
    };
    let broker = mosquitto(folder.path(), free_port(), &rules);
    let anyone = Subscriber {
        login: true,
        ..Subscriber::at(&broker)
    };
    fs::write(folder.path().join("bus.password"), PASSWORD).unwrap();
    let mqtt = format!(
        "[events.mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nuser = \"{USER}\"\n\
         password_file = \"bus.password\"\nhome_assistant = true\n",
        broker.port
    );
    let both = ["street", "yard"];
    let config = write(folder.path(), &sim, &both, &mqtt);
    let gateway = Gateway::start(&config);
    let http = gateway.says("http ").trim_start_matches("http ").to_owned();
    let listener = anyone.listen();

    // Both are told of as live, and found by Home Assistant.
    anyone.wait_kept("two live cameras", |kept| {
        let live = |id: &str| {
            let report = at(kept, &format!("greyplane/camera/{id}"))?.json();
            (report["state"] == "live" && report["hidden"] == false).then_some(())
        };
        at(
            kept,
            "homeassistant/binary_sensor/greyplane_yard_hidden/config",
        )?;
        live("street").and(live("yard"))
    });
    let changed = listener.wait("an event", |m| {
        m.topic == "greyplane/event" && m.json()["state"] == "live"
    });
    assert_eq!(changed.json()["event"], "state-changed");
    assert_eq!(bus(&http, "mqtt").unwrap()["connected"], true);
    assert!((metric(&http, "greyplane_bus_connected{bus=\"mqtt\"}") - 1.0).abs() < 0.1);

    // A broker that stands still: pictures go on, none of them late.
    broker.signal("-STOP");
    let series = "greyplane_camera_frames_out_total{camera=\"street\"}";
    let before = metric(&http, series);
    until("a hundred frames more", || {
        (metric(&http, series) >= before + 100.0).then_some(())
    });
    let late = metric(
        &http,
        "greyplane_camera_frames_late_total{camera=\"street\"}",
    );
    assert!(late < 0.5, "{late} frames were late");
    broker.signal("-CONT");

    // A reload: a camera goes, another bus comes, the other camera notices nothing.
    let connects = "greyplane_camera_connects_total{camera=\"street\"}";
    let connected = metric(&http, connects);
    let port = free_port();
    let _nats = nats(folder.path(), port, &Rules::default(), None);
    let mut ear = NatsEar::open(port, "");
    let with_nats = format!("{mqtt}[events.nats]\nurl = \"nats://127.0.0.1:{port}\"\n");
    write(folder.path(), &sim, &["street"], &with_nats);
    gateway.reload();
    anyone.wait_kept("a camera less", |kept| {
        at(kept, "greyplane/camera/street")?;
        at(kept, "homeassistant/sensor/greyplane_street_state/config")?;
        let gone = kept.iter().all(|m| !m.topic.contains("yard"));
        gone.then_some(())
    });
    listener.wait("that it was removed", |m| {
        m.topic == "greyplane/event" && m.json()["event"] == "camera-removed"
    });
    let report = ear.wait("a report", |m| m.topic == "greyplane.camera.street");
    assert_eq!(report.json()["state"], "live");
    assert!((metric(&http, connects) - connected).abs() < 0.5);

    // Nothing that was sent says where cameras are, or any password.
    let all = format!("{:?}", anyone.kept());
    assert!(!all.contains("rtsp") && !all.contains("127.0.0.1") && !all.contains(PASSWORD));

    // Another password in the file, and a reload: the broker's own words in the status.
    fs::write(folder.path().join("bus.password"), "wrong").unwrap();
    gateway.reload();
    until("a refusal", || {
        let bus = bus(&http, "mqtt").unwrap();
        let why = bus["problem"].as_str()?.to_owned();
        assert!(!why.contains("wrong"), "{why}");
        why.contains("refuses this user and password").then_some(())
    });
    fs::write(folder.path().join("bus.password"), PASSWORD).unwrap();
    gateway.reload();
    anyone.wait_kept("that we are back", |kept| {
        let said = &at(kept, "greyplane/availability")?.payload;
        (said == "online").then_some(())
    });

    // Killed: it can say nothing any more; its last will does.
    let pid = gateway.pid().to_string();
    let sent = Command::new("kill").args(["-KILL", &pid]).status().unwrap();
    assert!(sent.success());
    anyone.wait_kept("the last will", |kept| {
        at(kept, "greyplane/camera/street")?;
        let said = &at(kept, "greyplane/availability")?.payload;
        (said == "offline").then_some(())
    });
}
