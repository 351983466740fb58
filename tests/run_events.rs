//! The program as it runs, with a real broker beside it: what home automation hears of a
//! camera, a reload, a broker that stands still, and a gateway that is killed. And with a
//! collector of traces that others wrote.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod bus_support;
mod otel_support;
mod people_support;
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
use greyplane::users::Role;
use otel_support::{Collector, names, there_is_opentelemetry, took};
use people_support::{Person, write_accounts};
use serde_json::{Value, json};
use tls_support::{Authority, Gateway};

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

/// A camera that turns, one that does not, a console and a collector.
fn write_traced(folder: &Path, sim: &Sim, port: u64, metrics: u16, cameras: &[&str]) -> PathBuf {
    let (rtsp, onvif) = (sim.rtsp_url(), sim.onvif_url());
    let mut text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
         metrics_listen = \"127.0.0.1:{metrics}\"\n\
         [console]\nusers = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:0\"\n\
         [traces]\nendpoint = \"https://127.0.0.1:{port}/v1/traces\"\nca_file = \"ca.pem\"\n\
         headers_file = \"collector.headers\"\ninstance = \"north\"\nframe_every_s = 1\n\
         [[camera]]\nid = \"street\"\nurl = \"{rtsp}\"\nmasks = \"street.json\"\n\
         user = \"quentin\"\npassword_file = \"camera.password\"\n\
         profile = \"profile.toml\"\n[camera.telemetry]\ndevice_url = \"{onvif}\"\n"
    );
    if cameras.contains(&"yard") {
        text += &format!("[[camera]]\nid = \"yard\"\nurl = \"{rtsp}\"\nmasks = \"yard.json\"\n");
    }
    let yard = r#"{"format":1,"camera":"yard","nothing_private":"A test.","zones":[]}"#;
    for (name, text) in [
        ("greyplane.toml", &*text),
        ("profile.toml", &sim.profile().to_toml()),
        ("street.json", &sim.zones_json()),
        ("yard.json", yard),
        ("camera.password", PASSWORD),
        ("collector.headers", "Authorization: Bearer hunter2\n"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    folder.join("greyplane.toml")
}

/// Turns the camera as somebody in the console does.
fn turn(http: &str, name: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let pushed = async {
        let person = Person::log_in(http, name).await;
        let push = "/api/v1/cameras/street/steering/move";
        let request = person.request(reqwest::Method::POST, push);
        let request = request.body(r#"{"pan": -0.5, "tilt": 0, "zoom": 0}"#);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(runtime.block_on(pushed), 204);
}

#[test]
fn a_gateway_tells_a_collector_of_traces() {
    if !there_is_opentelemetry() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sim = SimConfig {
        width: 320,
        height: 184,
        metadata_hz: 0.0,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim, Arc::new(SystemClock::new())).unwrap();
    let authority = Authority::new("a city's own CA");
    authority.server("collector").put(folder.path());
    fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    write_accounts(
        &folder.path().join("users.toml"),
        [("iris", Role::Integrator, "*")],
    );
    let mut collector = Collector::start(&json!({
        "cert": folder.path().join("tls.crt"),
        "key": folder.path().join("tls.key"),
    }));
    let (port, metrics) = (collector.port, free_port());
    let both = ["street", "yard"];
    let config = write_traced(folder.path(), &sim, port, metrics, &both);
    let gateway = Gateway::start(&config);
    let http = gateway.says("http ").trim_start_matches("http ").to_owned();
    let told = format!("http://127.0.0.1:{metrics}");
    let of = |id: &'static str| move |s: &Value| s["attributes"]["greyplane.camera.id"] == id;

    // How each camera began, and where a frame's time goes.
    for id in both {
        let starting = |s: &Value| of(id)(s) && s["attributes"]["greyplane.reason"] == "starting";
        let (hidden, _) = collector.wait("picture.hidden", starting);
        assert_eq!(hidden["resource"]["service.name"], "greyplane");
        assert_eq!(hidden["resource"]["service.instance.id"], "north");
        assert!(took(&hidden) > 0 && hidden["parent"] == "", "{hidden}");
    }
    let shown = |s: &Value| of("street")(s) && s["attributes"]["greyplane.frame.covered"] == false;
    let (frame, parts) = collector.wait("frame", shown);
    let order = ["frame.decode", "frame.hold", "frame.mask", "frame.encode"];
    assert_eq!(names(&parts), order);
    assert_eq!(parts.iter().map(took).sum::<u64>(), took(&frame));
    assert!(took(&parts[1]) > 0 && took(&parts[2]) > 0 && took(&parts[3]) > 0);

    // A collector that takes nothing for a while: nothing is lost, and no frame is late.
    collector.manners("busy");
    turn(&http, "iris");
    write_traced(folder.path(), &sim, port, metrics, &["street"]);
    gateway.reload();
    until("tries in vain", || {
        (metric(&told, "greyplane_trace_failures_total") > 1.5).then_some(())
    });
    collector.manners("take");
    let (steering, parts) = collector.wait("steering", of("street"));
    assert_eq!(steering["attributes"]["greyplane.steering.wish"], "turn");
    assert_eq!(steering["kind"], "SPAN_KIND_SERVER");
    assert_eq!(names(&parts), ["steering.camera"]);
    let (yard, parts) = collector.wait("camera.connection", of("yard"));
    assert_eq!(yard["attributes"]["greyplane.end"], "ended");
    assert_eq!(names(&parts)[0], "camera.connect");
    let (reload, _) = collector.wait("reload", |_| true);
    assert_eq!(reload["status"], "STATUS_CODE_UNSET");
    for (result, is_zero) in [("taken", false), ("dropped", true), ("refused", true)] {
        let series = format!("greyplane_trace_spans_total{{result=\"{result}\"}}");
        let value = metric(&told, &series);
        assert_eq!(value < 0.5, is_zero, "{result}: {value}");
    }
    let late = "greyplane_camera_frames_late_total{camera=\"street\"}";
    assert!(metric(&told, late) < 0.5);

    // What is under way at the end is told on the way out.
    assert_eq!(gateway.end(), Some(0));
    let (street, parts) = collector.wait("camera.connection", of("street"));
    assert_eq!(street["attributes"]["greyplane.end"], "ended");
    assert_eq!(names(&parts), ["camera.connect", "picture.first"]);

    // What was sent names cameras, and nothing and nobody else.
    let secrets = [
        "rtsp",
        "http",
        "127.0.0.1",
        "iris",
        "quentin",
        "hunter2",
        "profile",
        PASSWORD,
        people_support::PASSWORD,
    ];
    for request in collector.requests() {
        assert_eq!(request["path"], "/v1/traces");
        assert_eq!(request["headers"]["authorization"], "Bearer hunter2");
        assert_eq!(request["headers"]["content-type"], "application/x-protobuf");
        let body = hex::decode(request["body"].as_str().unwrap()).unwrap();
        let texts = String::from_utf8_lossy(&body).into_owned();
        for secret in secrets {
            assert!(!texts.contains(secret), "{secret} in {texts:?}");
        }
        for span in request["spans"].as_array().unwrap() {
            let values = [&span["attributes"], &span["resource"]];
            let values = values
                .iter()
                .flat_map(|of| of.as_object().unwrap().values());
            let said: Vec<String> = values.map(Value::to_string).collect();
            assert!(
                said.iter().all(|v| !v.contains('/') && !v.contains(' ')),
                "{said:?}"
            );
            assert_eq!(span["message"], "");
        }
    }
}
