//! Steering over HTTP: a real gateway before the simulated camera, whose own word
//! is taken for where it looks.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should fail loudly"
)]

mod people_support;

use greyplane::app::Gateway;
use greyplane::clock::{CaptureTime, Clock, SystemClock};
use greyplane::prove::{Rgb, watch};
use greyplane::sim::config::PositionSpace;
use greyplane::sim::lens::Pose;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};
use greyplane::users::{Role, Users};
use people_support::{Person, settle, told, write_accounts};
use reqwest::Method;
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const STREET: &str = "/api/v1/cameras/street";
const HALF_LEFT: &str = r#"{"pan": -0.5, "tilt": 0, "zoom": 0}"#;

/// A gateway before a street that turns and a door that does not.
struct House {
    gateway: Option<Gateway>,
    sim: Sim,
    clock: Arc<dyn Clock>,
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        Self::with(SimConfig::default(), |profile| profile)
    }

    /// `profile` changes what the gateway is told of the camera.
    fn with(street: SimConfig, profile: impl Fn(String) -> String) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let at = Place {
            pan_deg: 10.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        };
        let street = SimConfig {
            id: "street".into(),
            width: 640,
            height: 360,
            metadata_hz: 0.0,
            motion: Script::Still { at },
            ..street
        };
        let sim = Sim::start(street, clock.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let cameras = format!(
            "[[camera]]\nid = \"street\"\nmasks = \"street.json\"\nprofile = \"profile.toml\"\n\
             url = \"{}\"\n[camera.telemetry]\ndevice_url = \"{}\"\n\
             [[camera]]\nid = \"door\"\nmasks = \"door.json\"\nurl = \"rtsp://127.0.0.1:9/none\"\n",
            sim.rtsp_url(),
            sim.onvif_url()
        );
        let door =
            json!({"format": 1, "camera": "door", "nothing_private": "A test.", "zones": []});
        for (name, text) in [
            ("profile.toml", profile(sim.profile().to_toml())),
            ("street.json", sim.zones_json()),
            ("door.json", door.to_string()),
        ] {
            fs::write(path(name), text).unwrap();
        }
        let people = [
            ("iris", Role::Integrator, "*"),
            ("joris", Role::Integrator, "*"),
            ("dora", Role::Integrator, "door"),
            ("olga", Role::Officer, "*"),
            ("anna", Role::Observer, "*"),
        ];
        write_accounts(&path("users.toml"), people);
        let config = settle(folder.path(), "", &cameras);
        Self {
            gateway: Some(Gateway::start(config, clock.clone()).unwrap()),
            sim,
            clock,
            folder,
        }
    }

    fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    async fn log_in(&self, name: &str) -> Person {
        Person::log_in(&self.gateway().http_url(), name).await
    }

    /// Where the camera really looks.
    fn truth(&self) -> Pose {
        let now = CaptureTime(self.clock.wall().0 - 5_000_000);
        self.sim.pose_at(now).unwrap().pose
    }

    /// Waits until the camera stands still, however slow the machine: where.
    async fn stands(&self) -> Pose {
        for _ in 0..600 {
            let before = self.truth();
            tokio::time::sleep(Duration::from_millis(100)).await;
            let after = self.truth();
            if same(&before, &after) {
                return after;
            }
        }
        panic!("after a minute it still turns");
    }

    /// What was recorded of steering: (actor, action, result, detail).
    fn records(&self) -> Vec<(String, String, String, Value)> {
        let lines = fs::read_to_string(self.folder.path().join("audit/audit-000001.jsonl"));
        let mut found = vec![];
        for line in lines.unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
            if text("action").starts_with("steer") {
                let detail = record["detail"].clone();
                found.push((text("actor"), text("action"), text("result"), detail));
            }
        }
        found
    }
}

impl Person {
    async fn ask(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let request = self.request(method, path).body(body.to_owned());
        told(request.send().await.unwrap()).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, &format!("{STREET}/{path}"), "").await
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.ask(Method::POST, &format!("{STREET}/{path}"), body)
            .await
    }

    async fn pushes(&self, body: &str) -> u16 {
        self.post("steering/move", body).await.0
    }

    /// Asks until it is answered as wanted: the camera may not have told yet.
    async fn gets(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let (status, told) = self.get(path).await;
            if status == 200 && wanted(&told) {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{path} never said what was wanted");
    }
}

fn same(a: &Pose, b: &Pose) -> bool {
    a.pan_deg == b.pan_deg && a.tilt_deg == b.tilt_deg && a.zoom == b.zoom
}

/// Degrees between two directions of pan.
fn apart(a: f64, b: f64) -> f64 {
    ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs()
}

fn lies(pose: &Pose, pan_deg: f64, tilt_deg: f64) -> bool {
    apart(pose.pan_deg, pan_deg) < 0.2 && (pose.tilt_deg - tilt_deg).abs() < 0.2
}

#[tokio::test]
async fn a_camera_turns_while_somebody_says_so_and_no_longer() {
    let h = House::new();
    let iris = h.log_in("iris").await;
    let start = h.truth();
    let began = h.clock.mono();
    assert_eq!(iris.pushes(HALF_LEFT).await, 204);
    let answered = h.clock.mono();
    let stands = h.stands().await;
    println!(
        "first command answered after {:?} (it makes the connection), still after {:?} more",
        answered.since(began),
        h.clock.mono().since(answered)
    );
    assert!(
        stands.pan_deg < start.pan_deg - 1.0,
        "it turned to the left: {stands:?}"
    );
    assert_eq!(stands.tilt_deg, start.tilt_deg);

    // As long as it is repeated it goes on.
    for _ in 0..8 {
        let sent = h.clock.mono();
        let up_and_closer = r#"{"pan": 0, "tilt": 0.3, "zoom": 0.5}"#;
        assert_eq!(iris.pushes(up_and_closer).await, 204);
        println!("answered after {:?}", h.clock.mono().since(sent));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let further = h.truth();
    assert!(further.tilt_deg > stands.tilt_deg && further.zoom > stands.zoom);
    let (status, state) = iris.get("steering").await;
    assert_eq!(
        (status, &state["held_by"]),
        (200, &json!("iris")),
        "{state}"
    );
    assert_eq!(state["pan_deg"], json!([-180.0, 180.0]));
    assert_eq!(state["endless_pan"], true);
    assert_eq!(iris.post("steering/stop", "").await.0, 204);
    h.stands().await;
    iris.gets("steering", |state| state["held_by"].is_null())
        .await;
}

#[tokio::test]
async fn a_camera_goes_where_it_is_sent() {
    // What the camera does and what its profile makes of it: in generic numbers; in
    // degrees; with a base that looks elsewhere, leans, and pan and tilt mirrored.
    let turned = |profile: String| {
        let mirrored = profile
            .replace("to_deg = [-180.0, 180.0]", "to_deg = [180.0, -180.0]")
            .replace("to_deg = [-90.0, 20.0]", "to_deg = [20.0, -90.0]")
            .replace("upside_down = false", "upside_down = false\n")
            .replacen("pan_deg = 0.0", "pan_deg = 30.0", 1)
            .replacen("pitch_deg = 0.0", "pitch_deg = 5.0", 1);
        assert!(mirrored.contains("[180.0, -180.0]") && mirrored.contains("pitch_deg = 5.0"));
        mirrored
    };
    let spherical = SimConfig {
        position_space: PositionSpace::Spherical,
        ..SimConfig::default()
    };
    for (what, house, mirrored) in [
        ("generic", House::new(), false),
        ("degrees", House::with(spherical, |p| p), false),
        ("mirrored", House::with(SimConfig::default(), turned), true),
    ] {
        let iris = house.log_in("iris").await;
        // A mirrored profile calls the camera's left its right, and its up its down.
        let real = |pan: f64, tilt: f64| match mirrored {
            true => (-pan, -70.0 - tilt),
            false => (pan, tilt),
        };
        for (pan, tilt, zoom) in [
            (60.0, -20.0, "0.4"),
            (430.0, -5.5, "null"),
            (-179.0, -60.0, "0.0"),
        ] {
            let body = format!(r#"{{"pan_deg": {pan}, "tilt_deg": {tilt}, "zoom": {zoom}}}"#);
            let (status, said) = iris.post("steering/go", &body).await;
            assert_eq!(status, 204, "{what}: {said}");
            let pose = house.stands().await;
            let (pan, tilt) = real(pan, tilt);
            assert!(lies(&pose, pan, tilt), "{what}: {pose:?}, not {pan} {tilt}");
        }
        assert!(house.truth().zoom.abs() < 0.002);
        // What is told back is where it was sent, in the same words.
        let told = iris
            .gets("view", |view| {
                apart(view["pan_deg"].as_f64().unwrap(), -179.0) < 0.2 && view["moving"] == false
            })
            .await;
        assert!(
            (told["tilt_deg"].as_f64().unwrap() + 60.0).abs() < 0.2,
            "{what}: {told}"
        );
        assert!(told["zoom"].as_f64().unwrap() < 0.02, "{told}");
        assert!(
            (told["hfov_deg"].as_f64().unwrap() - 60.0).abs() < 0.5,
            "{told}"
        );
        assert!(told["state"].is_string(), "{told}");
        if !mirrored {
            let toward = r#"{"toward": {"pan_deg": 33.0, "tilt_deg": -12.0}}"#;
            assert_eq!(iris.post("steering/go", toward).await.0, 204);
            assert!(lies(&house.stands().await, 33.0, -12.0));
        } else {
            // The base looks 30° to the right and 5° up, there.
            let toward = r#"{"toward": {"pan_deg": 30.0, "tilt_deg": -12.0}}"#;
            assert_eq!(iris.post("steering/go", toward).await.0, 204);
            let (pan, tilt) = real(0.0, -17.0);
            let pose = house.stands().await;
            assert!(lies(&pose, pan, tilt), "{pose:?}, not {pan} {tilt}");
        }
    }
}

#[tokio::test]
async fn home_and_presets_are_the_cameras_own() {
    let h = House::new();
    let iris = h.log_in("iris").await;
    let (status, listed) = iris.get("presets").await;
    assert_eq!(status, 200, "{listed}");
    let listed = listed["presets"].as_array().unwrap().clone();
    assert!(listed.len() >= 2, "{listed:?}");
    for preset in listed.iter().rev() {
        let token = preset["token"].as_str().unwrap();
        assert!(!preset["name"].as_str().unwrap().is_empty());
        assert_eq!(iris.post(&format!("presets/{token}/go"), "").await.0, 204);
        let pose = h.stands().await;
        let number = |key: &str| preset[key].as_f64().unwrap();
        assert!(
            lies(&pose, number("pan_deg"), number("tilt_deg")),
            "{preset} {pose:?}"
        );
        assert!(
            (pose.zoom - number("zoom")).abs() < 0.01,
            "{preset} {pose:?}"
        );
    }
    let away = r#"{"pan_deg": 100, "tilt_deg": -40, "zoom": 0.2}"#;
    assert_eq!(iris.post("steering/go", away).await.0, 204);
    h.stands().await;
    assert_eq!(iris.post("steering/home", "").await.0, 204);
    let home = h.stands().await;
    let first = &listed[0];
    assert!(lies(
        &home,
        first["pan_deg"].as_f64().unwrap(),
        first["tilt_deg"].as_f64().unwrap()
    ));
    for token in ["nobody's", "%3Cx%2F%3E%26", "%00", &"9".repeat(500)] {
        assert_eq!(
            iris.post(&format!("presets/{token}/go"), "").await.0,
            404,
            "{token}"
        );
    }
    let actions: Vec<String> = h
        .records()
        .into_iter()
        .map(|(_, action, ..)| action)
        .collect();
    for wanted in ["steer", "steer-go", "steer-home", "steer-preset"] {
        assert!(actions.iter().any(|a| a == wanted), "{wanted}: {actions:?}");
    }
}

#[tokio::test]
async fn one_person_steers_and_nobody_who_may_not() {
    let h = House::new();
    let (iris, joris) = (h.log_in("iris").await, h.log_in("joris").await);
    assert_eq!(iris.pushes(HALF_LEFT).await, 204);
    for (path, body) in [
        ("steering/move", HALF_LEFT),
        ("steering/stop", ""),
        ("steering/home", ""),
        ("steering/go", r#"{"pan_deg": 0, "tilt_deg": 0}"#),
        ("presets/1/go", ""),
    ] {
        // Whoever steers goes on, so that it stays theirs on a slow machine.
        assert_eq!(iris.pushes(HALF_LEFT).await, 204);
        let (status, said) = joris.post(path, body).await;
        assert_eq!(status, 409, "{path}: {said}");
        assert_eq!(said["error"], "iris steers this camera");
    }
    joris
        .gets("steering", |state| state["held_by"].is_null())
        .await;
    assert_eq!(joris.pushes(HALF_LEFT).await, 204, "it is free again");
    for (name, camera, status) in [
        ("anna", "street", 403),
        ("olga", "street", 403),
        ("dora", "street", 404),
        ("dora", "door", 409),
        ("iris", "door", 409),
        ("iris", "none", 404),
    ] {
        let person = h.log_in(name).await;
        for (method, path, body) in [
            (Method::GET, "steering", ""),
            (Method::POST, "steering/move", HALF_LEFT),
            (Method::POST, "steering/stop", ""),
            (Method::POST, "steering/go", "nonsense"),
            (Method::POST, "steering/home", ""),
            (Method::GET, "presets", ""),
            (Method::POST, "presets/1/go", ""),
        ] {
            let path = format!("/api/v1/cameras/{camera}/{path}");
            let (found, said) = person.ask(method, &path, body).await;
            assert_eq!(found, status, "{name} {path}: {said}");
        }
    }
    let records = h.records();
    let (actor, _, _, detail) = records.iter().find(|r| r.1 == "steer").unwrap();
    assert_eq!(
        (actor.as_str(), &detail["phase"]),
        ("iris", &json!("begins"))
    );
}

#[tokio::test]
async fn what_is_no_command_is_refused_and_moves_nothing() {
    let h = House::new();
    let iris = h.log_in("iris").await;
    let before = h.truth();
    let long = format!(
        r#"{{"pan": 0.{}, "tilt": 0, "zoom": 0}}"#,
        "1".repeat(70_000)
    );
    for (path, body) in [
        ("move", ""),
        ("move", "{}"),
        ("move", r#"{"pan": NaN, "tilt": 0, "zoom": 0}"#),
        ("move", r#"{"pan": 1e999, "tilt": 0, "zoom": 0}"#),
        ("move", r#"{"pan": 1.01, "tilt": 0, "zoom": 0}"#),
        ("move", r#"{"pan": "1", "tilt": 0, "zoom": 0}"#),
        ("move", r#"{"pan": null, "tilt": 0, "zoom": 0}"#),
        ("move", r#"{"pan": 1, "tilt": 0, "zoom": 0, "speed": 9}"#),
        ("move", r#"[1, 0, 0, 0]"#),
        ("move", &long),
        ("go", "{}"),
        ("go", r#"{"pan_deg": 1}"#),
        ("go", r#"{"pan_deg": NaN, "tilt_deg": 0}"#),
        ("go", r#"{"pan_deg": 1e999, "tilt_deg": 0}"#),
        ("go", r#"{"pan_deg": 1e300, "tilt_deg": 0}"#),
        ("go", r#"{"pan_deg": 0, "tilt_deg": 45}"#),
        ("go", r#"{"pan_deg": 0, "tilt_deg": -91}"#),
        ("go", r#"{"pan_deg": 0, "tilt_deg": 0, "zoom": 2}"#),
        ("go", r#"{"toward": {"pan_deg": 0, "tilt_deg": 60}}"#),
        ("go", r#"{"toward": {"pan_deg": 0}}"#),
        (
            "go",
            r#"{"pan_deg": 0, "tilt_deg": 0, "toward": {"pan_deg": 0, "tilt_deg": 0}}"#,
        ),
    ] {
        let (status, said) = iris.post(&format!("steering/{path}"), body).await;
        assert!((400..500).contains(&status), "{path} {body:.60}: {status}");
        assert!(
            ![401, 403, 404, 409].contains(&status),
            "{path} {body:.60}: {said}"
        );
        assert!(said["error"].is_string(), "{path} {body:.60}: {said}");
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let after = h.stands().await;
    assert_eq!(
        (before.pan_deg, before.tilt_deg),
        (after.pan_deg, after.tilt_deg)
    );

    // Nobody drums on a camera.
    let nothing = r#"{"pan": 0, "tilt": 0, "zoom": 0}"#;
    let drumming = (0..80).map(|_| iris.post("steering/move", nothing));
    let drummed = futures::future::join_all(drumming).await;
    let refused = drummed.iter().filter(|(status, _)| *status == 429).count();
    assert!(refused > 0, "{refused} of 80");
    assert_eq!(
        iris.post("steering/stop", "").await.0,
        204,
        "but one may always stop it"
    );
}

#[tokio::test]
async fn what_keeps_steering_from_being_recorded_keeps_it_from_happening() {
    let h = House::new();
    let (iris, joris) = (h.log_in("iris").await, h.log_in("joris").await);
    let before = h.truth();
    // Every write of the log's head fails as on a full disk.
    let part = h.folder.path().join("audit/audit.head.part");
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    for person in [&iris, &joris, &iris] {
        let (status, said) = person.post("steering/move", HALF_LEFT).await;
        assert_eq!(status, 503, "{said}");
        assert_eq!(person.get("steering").await.1["held_by"], Value::Null);
        assert_eq!(person.post("steering/stop", "").await.0, 204);
    }
    assert!(same(&before, &h.stands().await), "it has not moved");
    fs::remove_file(part).unwrap();
    assert_eq!(joris.pushes(HALF_LEFT).await, 204);
    let began = h.records().into_iter().filter(|r| r.1 == "steer");
    let began: Vec<String> = began.map(|(actor, ..)| actor).collect();
    assert_eq!(began, ["joris"]);
}

#[tokio::test]
async fn who_lets_go_of_the_stick_or_reaches_for_what_cannot_be_holds_nothing() {
    let h = House::new();
    let iris = h.log_in("iris").await;
    let still = r#"{"pan": 0, "tilt": 0, "zoom": 0}"#;
    assert_eq!(iris.pushes(still).await, 204);
    assert_eq!(iris.get("steering").await.1["held_by"], Value::Null);
    let up = r#"{"pan_deg": 0, "tilt_deg": 45}"#;
    assert_eq!(iris.post("steering/go", up).await.0, 422);
    assert_eq!(iris.get("steering").await.1["held_by"], Value::Null);
    assert_eq!(h.log_in("joris").await.pushes(HALF_LEFT).await, 204);
}

#[tokio::test]
async fn whoever_leaves_leaves_it_standing() {
    let mut h = House::new();
    {
        let iris = h.log_in("iris").await;
        assert_eq!(iris.pushes(HALF_LEFT).await, 204);
        let left = iris.ask(Method::DELETE, "/api/v1/session", "").await;
        assert_eq!(left.0, 204);
        h.stands().await;
        assert_eq!(iris.pushes(HALF_LEFT).await, 401);
        // It is nobody's any more.
        let joris = h.log_in("joris").await;
        assert_eq!(joris.pushes(HALF_LEFT).await, 204);
    }
    let ended = |(actor, action, _, detail): &(String, String, String, Value)| {
        actor == "iris" && action == "steer" && detail["why"] == "logged out"
    };
    assert!(h.records().iter().any(ended), "{:?}", h.records());

    // An account that is taken away, in the middle of it.
    let path = h.folder.path().join("users.toml");
    let mut users = Users::read(&path).unwrap();
    users.remove("joris");
    users.write(&path).unwrap();
    h.stands().await;

    // A gateway that ends.
    let before = h.stands().await;
    {
        let iris = h.log_in("iris").await;
        for _ in 0..40 {
            if iris.pushes(HALF_LEFT).await == 204 && !same(&before, &h.truth()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert!(!same(&before, &h.truth()), "it turns");
    }
    let gateway = h.gateway.take();
    tokio::task::spawn_blocking(move || drop(gateway))
        .await
        .unwrap();
    h.stands().await;
}

#[tokio::test]
async fn a_camera_that_is_gone_is_said_to_be() {
    let mut h = House::new();
    {
        let iris = h.log_in("iris").await;
        assert_eq!(iris.pushes(HALF_LEFT).await, 204);
        h.stands().await;
    }
    h.sim.stop();
    let iris = h.log_in("iris").await;
    for (path, body) in [
        ("steering/move", HALF_LEFT),
        ("steering/go", r#"{"pan_deg": 0, "tilt_deg": 0}"#),
        ("steering/home", ""),
        ("presets/1/go", ""),
        ("steering/stop", ""),
    ] {
        let (status, said) = iris.post(path, body).await;
        assert_eq!(status, 502, "{path}: {said}");
        assert!(said["error"].as_str().unwrap().contains("camera"), "{said}");
    }
    assert_eq!(iris.get("presets").await.0, 502);
    assert_eq!(
        iris.get("steering").await.0,
        200,
        "what it reaches is known without it"
    );
    let failed = h.records().into_iter().filter(|r| r.2 == "failed");
    assert!(failed.count() >= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steered_fast_it_shows_nothing_private() {
    let street = SimConfig {
        canary: true,
        ..SimConfig::default()
    };
    let h = House::with(street, |profile| profile);
    let iris = h.log_in("iris").await;
    let (clock, url) = (h.clock.clone(), h.gateway().stream_url("street"));
    let watching = tokio::task::spawn_blocking(move || {
        let never = AtomicBool::new(false);
        watch(&url, Rgb(CANARY_RGB), 12.0, &clock, &never, |_, _| {}).unwrap()
    });
    iris.gets("view", |view| view["state"] != "covered").await;
    for round in 0..5 {
        let pan = if round % 2 == 0 { 1.0 } else { -1.0 };
        for zoom in [0.0, 1.0, -1.0] {
            let push = json!({"pan": pan, "tilt": -0.2 * pan, "zoom": zoom}).to_string();
            assert_eq!(iris.pushes(&push).await, 204);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        let far = json!({"pan_deg": 90 * round, "tilt_deg": -8, "zoom": 0}).to_string();
        assert_eq!(iris.post("steering/go", &far).await.0, 204);
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    let seen = watching.await.unwrap();
    // Not wholly covered all the time, or the canary could not have been seen.
    let live_s = h.gateway().status().cameras[0].live_s;
    println!("live for {live_s:.1} s; {seen:?}");
    assert!(live_s > 1.0, "{seen:?}");
    assert!(seen.leaks.frames_seen > 0, "{seen:?}");
    assert_eq!(seen.leaks.canary_frames, 0, "{seen:?}");
}
