//! Message buses as they are: mosquitto and nats-server, told by what tells them in the
//! gateway, while they are away, slow, or not who they should be.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod bus_support;
mod tls_support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bus_support::{
    Message, NatsEar, PASSWORD, Rules, Subscriber, USER, at, free_port, mosquitto, nats, until,
};
use greyplane::event::{CameraState, Event, EventSink, Reason};
use greyplane::notify::{
    Board, Bus, BusFigures, CameraReport, FORMAT, GatewayReport, Notifier, Server, Told,
};
use greyplane::secret::Secret;
use serde_json::{Value, json};
use tls_support::Authority;

/// Events that wait for a bus at most.
const WAIT_AT_MOST: u64 = 256;

#[derive(Default)]
struct Log(Mutex<Vec<Event>>);

impl EventSink for Log {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Log {
    /// Ups (`None`) and downs of buses, in order.
    fn told(&self) -> Vec<Option<String>> {
        let all = self.0.lock().unwrap();
        let told = all.iter().filter_map(|event| match event {
            Event::BusUp { .. } => Some(None),
            Event::BusDown { detail, .. } => Some(Some(detail.clone())),
            _ => None,
        });
        told.collect()
    }
}

/// What tells buses in the gateway, without the gateway.
struct Stage {
    board: Arc<Board>,
    log: Arc<Log>,
    notifier: Notifier,
}

impl Stage {
    fn telling(buses: &[Bus]) -> Self {
        let (board, log) = (Arc::new(Board::default()), Arc::new(Log::default()));
        board.keep_only(&["market", "harbour"]);
        let notifier = Notifier::new(board.clone(), log.clone());
        notifier.set(buses).unwrap();
        Self {
            board,
            log,
            notifier,
        }
    }

    fn report(&self, viewers: u32, again: bool) {
        let cameras = ["market", "harbour"].map(|id| CameraReport {
            format: FORMAT,
            camera: id.into(),
            state: "live".into(),
            viewers,
            ..CameraReport::default()
        });
        let gateway = GatewayReport {
            format: FORMAT,
            cameras: 2,
            ..GatewayReport::default()
        };
        self.board.report(gateway, cameras.into(), again);
    }

    fn figures(&self) -> BusFigures {
        self.notifier.figures().remove(0)
    }

    fn wait_for(&self, what: &str, so: impl Fn(&BusFigures) -> bool) -> BusFigures {
        until(what, || Some(self.figures()).filter(|f| so(f)))
    }
}

fn server(port: u16) -> Server {
    Server {
        host: "127.0.0.1".into(),
        port,
        tls: false,
        ca_file: None,
        login: None,
    }
}

fn with_password(port: u16, password: &str) -> Server {
    Server {
        login: Some((USER.into(), Secret::new(password))),
        ..server(port)
    }
}

fn over_tls(port: u16, ca_file: &Path) -> Server {
    Server {
        tls: true,
        ca_file: Some(ca_file.to_owned()),
        ..server(port)
    }
}

fn mqtt(server: Server, discovery: bool) -> Bus {
    Bus::Mqtt {
        server,
        topic: "city/greyplane".into(),
        discovery: discovery.then(|| "homeassistant".into()),
    }
}

fn nats_bus(server: Server) -> Bus {
    Bus::Nats {
        server,
        token: None,
        subject: "city.greyplane".into(),
    }
}

fn says(message: &Message, topic: &str, field: &str, value: &Value) -> bool {
    message.topic == topic && message.json()[field] == *value
}

/// A folder with the certificates of two authorities, `ca.pem` and `other.pem`, and a
/// server's by the first.
fn certified(folder: &Path) -> (Rules, PathBuf, PathBuf) {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let put = |name: &str, authority: &Authority| {
        let path = folder.join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        path
    };
    let rules = Rules {
        tls: Some(ours.server("bus")),
        ..Rules::default()
    };
    (rules, put("ca.pem", &ours), put("other.pem", &other))
}

#[test]
fn a_broker_keeps_the_newest_report_and_that_we_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules {
        login: true,
        ..Rules::default()
    };
    let broker = mosquitto(folder.path(), free_port(), &rules);
    let anyone = Subscriber {
        login: true,
        ..Subscriber::at(&broker)
    };
    let stage = Stage::telling(&[mqtt(with_password(broker.port, PASSWORD), false)]);
    stage.report(0, false);
    stage.report(3, false);
    anyone.wait_kept("reports", |kept| {
        let market = at(kept, "city/greyplane/camera/market")?.json();
        at(kept, "city/greyplane/gateway")?;
        assert_eq!(at(kept, "city/greyplane/availability")?.payload, "online");
        (market["viewers"] == 3).then_some(())
    });
    // An event is heard by those who listen, and kept for nobody.
    let listener = anyone.listen();
    listener.wait("what is kept", |m| m.topic.ends_with("market"));
    stage.board.tell(Told::new("now".into(), "reloaded"));
    let event = json!("reloaded");
    let told = listener.wait("an event", |m| {
        m.topic == "city/greyplane/event" && m.json()["event"] == event
    });
    assert_eq!(
        told.json(),
        json!({"format": 1, "at": "now", "event": "reloaded"})
    );
    let kept = anyone.kept();
    let topics: Vec<&str> = kept.iter().map(|m| m.topic.as_str()).collect();
    assert_eq!(topics.len(), 4, "{topics:?}");
    assert_eq!(stage.log.told(), [None]);
    drop(stage);
    anyone.wait_kept("a goodbye", |kept| {
        at(kept, "city/greyplane/camera/market")?;
        let said = &at(kept, "city/greyplane/availability")?.payload;
        (said == "offline").then_some(())
    });
}

#[test]
fn a_wrong_password_is_told_once_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules {
        login: true,
        ..Rules::default()
    };
    let broker = mosquitto(folder.path(), free_port(), &rules);
    let stage = Stage::telling(&[mqtt(with_password(broker.port, "wrong"), false)]);
    let figures = stage.wait_for("three tries", |f| f.failures >= 3);
    let why = figures.problem.unwrap();
    assert_eq!(why, "the broker refuses this user and password");
    assert!(!figures.connected && figures.connects == 0 && figures.sent == 0);
    assert_eq!(stage.log.told(), [Some(why)]);
    // With the right one it goes on, and nothing else is begun anew.
    let right = mqtt(with_password(broker.port, PASSWORD), false);
    stage.notifier.set(&[right]).unwrap();
    stage.wait_for("a connection", |f| f.connected && f.problem.is_none());
}

#[test]
fn a_broker_that_comes_back_is_told_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let broker = mosquitto(folder.path(), port, &Rules::default());
    let stage = Stage::telling(&[mqtt(server(port), false)]);
    stage.report(1, false);
    stage.wait_for("reports", |f| f.sent == 3);
    drop(broker);
    stage.wait_for("the loss", |f| !f.connected && f.problem.is_some());
    stage.board.tell(Told::new("meanwhile".into(), "reloaded"));
    stage.report(2, false);
    let broker = mosquitto(folder.path(), port, &Rules::default());
    let anyone = Subscriber::at(&broker);
    // The gateway's report, two cameras', and the event, each acknowledged.
    stage.wait_for("all of it", |f| f.sent == 7);
    let viewers = json!(2);
    anyone.wait_kept("reports", |kept| {
        let market = at(kept, "city/greyplane/camera/market")?;
        assert_eq!(at(kept, "city/greyplane/availability")?.payload, "online");
        (market.json()["viewers"] == viewers).then_some(())
    });
    let figures = stage.figures();
    assert_eq!((figures.connects, figures.dropped), (2, 0), "{figures:?}");
}

#[test]
fn a_broker_over_tls_must_be_certified_by_whom_we_trust() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, ca_file, other) = certified(folder.path());
    let broker = mosquitto(folder.path(), free_port(), &rules);
    let stage = Stage::telling(&[mqtt(over_tls(broker.port, &other), false)]);
    stage.report(1, false);
    let figures = stage.wait_for("a refusal", |f| f.problem.is_some());
    let why = figures.problem.unwrap();
    assert!(
        why.contains("UnknownIssuer") && why.contains("ca_file"),
        "{why}"
    );
    assert_eq!((figures.connects, figures.sent), (0, 0));
    stage
        .notifier
        .set(&[mqtt(over_tls(broker.port, &ca_file), false)])
        .unwrap();
    let anyone = Subscriber {
        ca_file: Some(ca_file),
        ..Subscriber::at(&broker)
    };
    anyone.wait_kept("reports", |kept| {
        at(kept, "city/greyplane/camera/market").map(drop)
    });
}

/// What Home Assistant's documentation says of an entity that is discovered, as far as
/// we use it: `integrations/mqtt`, `binary_sensor.mqtt` and `sensor.mqtt`.
fn documented(component: &str, key: &str, value: &Value) -> bool {
    let text = value.is_string();
    match key {
        "name"
        | "unique_id"
        | "state_topic"
        | "value_template"
        | "availability_topic"
        | "payload_available"
        | "payload_not_available"
        | "json_attributes_topic" => text,
        "qos" => value.as_u64().is_some_and(|qos| qos <= 2),
        "entity_category" => value == "diagnostic" || value == "config",
        "device" => {
            let known = ["identifiers", "name", "manufacturer", "model", "sw_version"];
            let all = value.as_object().unwrap();
            all.keys().all(|k| known.contains(&k.as_str()))
                && all["identifiers"].as_array().is_some_and(|a| a.len() == 1)
        }
        "origin" => value["name"].is_string() && value["sw_version"].is_string(),
        "payload_on" | "payload_off" => component == "binary_sensor" && text,
        "device_class" if component == "binary_sensor" => value == "problem",
        "device_class" => value == "enum" || value == "duration",
        "options" => component == "sensor" && value.as_array().is_some_and(|a| !a.is_empty()),
        "state_class" => value == "measurement" || value == "total_increasing",
        "unit_of_measurement" => component == "sensor" && value == "s",
        _ => false,
    }
}

/// The entities that are kept, as (component, topic's id, document).
fn entities(kept: &[Message]) -> Vec<(String, String, Value)> {
    let found = kept.iter().filter_map(|message| {
        let rest = message.topic.strip_prefix("homeassistant/")?;
        let rest = rest.strip_suffix("/config")?;
        let (component, id) = rest.split_once('/').unwrap();
        Some((component.to_owned(), id.to_owned(), message.json()))
    });
    found.collect()
}

#[test]
fn home_assistant_finds_a_device_for_each_camera_until_it_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let broker = mosquitto(folder.path(), free_port(), &Rules::default());
    let anyone = Subscriber::at(&broker);
    let stage = Stage::telling(&[mqtt(server(broker.port), true)]);
    stage.report(0, false);
    let found = anyone.wait_kept("entities", |kept| {
        let found = entities(kept);
        (found.len() == 12).then_some(found)
    });
    for (component, id, entity) in &found {
        let all = entity.as_object().unwrap();
        for (key, value) in all {
            assert!(
                documented(component, key, value),
                "{component} {key}: {value}"
            );
        }
        for needed in [
            "state_topic",
            "unique_id",
            "device",
            "availability_topic",
            "name",
        ] {
            assert!(all.contains_key(needed), "{id} has no {needed}");
        }
        assert_eq!(entity["unique_id"], **id);
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(id.chars().all(plain), "{id}");
        assert_eq!(entity["availability_topic"], "city/greyplane/availability");
        // `options` go with `enum` alone, and never with a unit.
        let is_enum = entity["device_class"] == "enum";
        assert_eq!(all.contains_key("options"), is_enum, "{id}");
        assert!(!is_enum || !all.contains_key("unit_of_measurement"));
    }
    let state = |camera: &str| {
        let topic = json!(format!("city/greyplane/camera/{camera}"));
        let of = found.iter().filter(|(_, _, e)| e["state_topic"] == topic);
        of.count()
    };
    assert_eq!((state("market"), state("harbour")), (6, 6));
    let options = |part: &str| {
        let (_, _, entity) = found.iter().find(|(_, id, _)| id.ends_with(part)).unwrap();
        let all = entity["options"].as_array().unwrap().clone();
        all.iter()
            .map(|o| o.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(options("_state"), CameraState::NAMES);
    let codes = options("_reason");
    assert!(
        Reason::CODES
            .iter()
            .all(|code| codes.iter().any(|o| o == code))
    );
    // A camera that is gone takes its device with it, and nobody else's.
    stage.board.keep_only(&["harbour"]);
    anyone.wait_kept("a device less", |kept| {
        let found = entities(kept);
        let left = found.iter().all(|(_, id, _)| id.contains("harbour"));
        let gone = at(kept, "city/greyplane/camera/market").is_none();
        (found.len() == 6 && left && gone).then_some(())
    });
    // Another password is no reason to take devices away; no more discovery is.
    let listener = anyone.listen();
    listener.wait("that we are there", |m| m.payload == "online");
    let another = mqtt(with_password(broker.port, "any"), true);
    stage.notifier.set(&[another]).unwrap();
    let until_left = listener.wait_all("a goodbye", |m| m.payload == "offline");
    let until_back = listener.wait_all("the next connection", |m| m.payload == "online");
    let taken_away = |m: &Message| m.topic.ends_with("/config") && m.payload.is_empty();
    assert!(!until_left.iter().chain(&until_back).any(taken_away));
    assert_eq!(entities(&anyone.kept()).len(), 6);
    stage
        .notifier
        .set(&[mqtt(server(broker.port), false)])
        .unwrap();
    anyone.wait_kept("no device", |kept| {
        at(kept, "city/greyplane/camera/harbour")?;
        entities(kept).is_empty().then_some(())
    });
    // Nobody is told any more: nothing is left but that we are away.
    stage.notifier.set(&[]).unwrap();
    let left = anyone.wait_kept("an empty broker", |kept| {
        (kept.len() == 1).then(|| kept[0].clone())
    });
    assert_eq!(left.payload, "offline");
    assert!(stage.notifier.figures().is_empty());
}

#[test]
fn a_broker_that_does_not_read_costs_its_own_oldest_events_and_nothing_else() {
    const MANY: u64 = 20_000;
    let folder = tempfile::tempdir().unwrap();
    let broker = mosquitto(folder.path(), free_port(), &Rules::default());
    let stage = Stage::telling(&[mqtt(server(broker.port), false)]);
    stage.report(0, false);
    stage.wait_for("reports", |f| f.sent == 3);
    let listener = Subscriber::at(&broker).listen();
    listener.wait("what is kept", |m| m.topic.ends_with("market"));
    broker.signal("-STOP");
    // All of these come back while nobody reads: else this test would not end.
    for n in 0..MANY {
        stage.board.tell(Told::new(n.to_string(), "reloaded"));
        stage.report(u32::try_from(n).unwrap(), false);
    }
    let figures = stage.figures();
    assert_eq!(figures.dropped, MANY - WAIT_AT_MOST, "{figures:?}");
    assert!(figures.sent <= 3, "{figures:?}");
    broker.signal("-CONT");
    let last = (MANY - 1).to_string();
    listener.wait("the newest report", |m| {
        m.topic.ends_with("market") && m.json()["viewers"] == MANY - 1
    });
    listener.wait("the newest event", |m| {
        m.topic.ends_with("event") && m.json()["at"] == *last
    });
}

#[test]
fn nats_is_told_and_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let rules = Rules {
        login: true,
        ..Rules::default()
    };
    let port = free_port();
    let first = nats(folder.path(), port, &rules, None);
    let login = format!(",\"user\":\"{USER}\",\"pass\":\"{PASSWORD}\"");
    let mut ear = NatsEar::open(port, &login);
    let stage = Stage::telling(&[nats_bus(with_password(port, "wrong"))]);
    let refused = stage.wait_for("two tries", |f| f.failures >= 2);
    let why = "the server refuses this user and password".to_owned();
    assert_eq!(refused.problem, Some(why.clone()));
    assert_eq!(stage.log.told(), [Some(why)]);

    let right = nats_bus(with_password(port, PASSWORD));
    stage.notifier.set(&[right]).unwrap();
    stage.report(3, false);
    ear.wait("that we are there", |m| {
        m.topic == "city.greyplane.availability" && m.payload == "online"
    });
    let market = "city.greyplane.camera.market";
    ear.wait("a report", |m| says(m, market, "viewers", &json!(3)));
    stage.board.tell(Told::new("now".into(), "reloaded"));
    ear.wait("an event", |m| {
        says(m, "city.greyplane.event", "at", &json!("now"))
    });
    // Whoever comes later hears it, too, though nothing changed.
    let mut late = NatsEar::open(port, &login);
    stage.report(3, true);
    late.wait("a report", |m| says(m, market, "viewers", &json!(3)));

    drop(first);
    stage.wait_for("the loss", |f| !f.connected && f.problem.is_some());
    stage.board.tell(Told::new("meanwhile".into(), "reloaded"));
    let before = stage.figures();
    let _second = nats(folder.path(), port, &rules, None);
    let mut ear = NatsEar::open(port, &login);
    stage.wait_for("all of it", |f| f.sent == before.sent + 4);
    drop(stage);
    ear.wait("a goodbye", |m| {
        m.topic == "city.greyplane.availability" && m.payload == "offline"
    });
}

#[test]
fn nats_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let _server = nats(folder.path(), port, &Rules::default(), Some("s3cret"));
    let mut ear = NatsEar::open(port, ",\"auth_token\":\"s3cret\"");
    let with = |token: &str| Bus::Nats {
        server: server(port),
        token: Some(Secret::new(token)),
        subject: "g".into(),
    };
    let stage = Stage::telling(&[with("wrong")]);
    stage.wait_for("a refusal", |f| f.problem.is_some());
    stage.notifier.set(&[with("s3cret")]).unwrap();
    ear.wait("that we are there", |m| m.topic == "g.availability");
}

#[test]
fn nats_over_tls_must_be_certified_by_whom_we_trust() {
    let folder = tempfile::tempdir().unwrap();
    let (rules, ca_file, other) = certified(folder.path());
    let port = free_port();
    let server = nats(folder.path(), port, &rules, None);
    let stage = Stage::telling(&[nats_bus(over_tls(port, &other))]);
    let figures = stage.wait_for("a refusal", |f| f.problem.is_some());
    let why = figures.problem.unwrap();
    assert!(
        why.contains("UnknownIssuer") && why.contains("ca_file"),
        "{why}"
    );
    assert_eq!((figures.connects, figures.sent), (0, 0));
    stage
        .notifier
        .set(&[nats_bus(over_tls(port, &ca_file))])
        .unwrap();
    stage.wait_for("a connection", |f| f.connected);
    // One that speaks no TLS gets nothing, not even the login.
    drop(server);
    stage.wait_for("the loss", |f| !f.connected);
    let _clear = nats(folder.path(), port, &Rules::default(), None);
    let before = stage.figures();
    let after = stage.wait_for("two tries", |f| f.failures >= before.failures + 2);
    assert_eq!((after.connects, after.sent), (before.connects, before.sent));
}
