//! Steering over HTTP: a real gateway before the simulated camera, whose own word
//! is taken for where it looks.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::app::Gateway;
use greyplane::clock::{CaptureTime, Clock, SystemClock};
use greyplane::config;
use greyplane::prove::{Rgb, watch};
use greyplane::secret::Secret;
use greyplane::sim::config::PositionSpace;
use greyplane::sim::lens::Pose;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};
use greyplane::users::{PasswordHash, Role, User, Users};
use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const PASSWORD: &str = "a password for tests";
const STREET: &str = "/api/v1/cameras/street";
const HALF_LEFT: &str = r#"{"pan": -0.5, "tilt": 0, "zoom": 0}"#;

/// A gateway before a street that turns and a door that does not.
struct House {
    gateway: Option<Gateway>,
    sim: Sim,
    clock: Arc<dyn Clock>,
    client: Client,
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
        let text = format!(
            "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
             [console]\nusers = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:0\"\n\
             [[camera]]\nid = \"street\"\nmasks = \"street.json\"\nprofile = \"profile.toml\"\n\
             url = \"{}\"\n[camera.telemetry]\ndevice_url = \"{}\"\n\
             [[camera]]\nid = \"door\"\nmasks = \"door.json\"\nurl = \"rtsp://127.0.0.1:9/none\"\n",
            sim.rtsp_url(),
            sim.onvif_url()
        );
        let door = json!({"format": 1, "camera": "door", "nothing_private": "A test.", "zones": []});
        for (name, text) in [
            ("greyplane.toml", text),
            ("profile.toml", profile(sim.profile().to_toml())),
            ("street.json", sim.zones_json()),
            ("door.json", door.to_string()),
        ] {
            fs::write(path(name), text).unwrap();
        }
        let hash = PasswordHash::of(&Secret::new(PASSWORD)).unwrap();
        let mut users = Users::default();
        for (name, role, camera) in [
            ("iris", Role::Integrator, "*"),
            ("joris", Role::Integrator, "*"),
            ("dora", Role::Integrator, "door"),
            ("olga", Role::Officer, "*"),
            ("anna", Role::Observer, "*"),
        ] {
            let user = User {
                name: name.into(),
                password: hash.clone(),
                roles: vec![role],
                cameras: vec![camera.into()],
            };
            users.add(user).unwrap();
        }
        users.write(&path("users.toml")).unwrap();
        let config = config::load(&path("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"));
        Self {
            gateway: Some(Gateway::start(config, clock.clone()).unwrap()),
            sim,
            clock,
            client: Client::new(),
            folder,
        }
    }

    fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    async fn log_in(&self, name: &str) -> Person<'_> {
        let url = format!("{}/api/v1/session", self.gateway().http_url());
        let body = json!({"user": name, "password": PASSWORD}).to_string();
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json");
        let answer = request.body(body).send().await.unwrap();
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        Person {
            house: self,
            cookie: cookie.split(';').next().unwrap().to_owned(),
        }
    }

    /// Where the camera really looks.
    fn truth(&self) -> Pose {
        let now = CaptureTime(self.clock.wall().0 - 5_000_000);
        self.sim.pose_at(now).unwrap().pose
    }

    /// Waits until the camera turns, or no longer does: however slow the machine.
    async fn until_it(&self, turns: bool) -> Pose {
        for _ in 0..600 {
            let before = self.truth();
            tokio::time::sleep(Duration::from_millis(100)).await;
            let after = self.truth();
            let same = before.pan_deg == after.pan_deg
                && before.tilt_deg == after.tilt_deg
                && before.zoom == after.zoom;
            if same != turns {
                return after;
            }
        }
        panic!("after a minute it still {}", if turns { "stands" } else { "turns" });
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

struct Person<'h> {
    house: &'h House,
    cookie: String,
}

impl Person<'_> {
    async fn ask(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}{path}", self.house.gateway().http_url());
        let request = self.house.client.request(method, url);
        let request = request.header(COOKIE, &self.cookie);
        let request = request.header(CONTENT_TYPE, "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let told = serde_json::from_str(&text).unwrap_or(Value::String(text));
        (status, told)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask(Method::GET, &format!("{STREET}/{path}"), "").await
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.ask(Method::POST, &format!("{STREET}/{path}"), body).await
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
    assert_eq!(iris.pushes(HALF_LEFT).await, 204);
    h.until_it(true).await;
    let stands = h.until_it(false).await;
    assert!(stands.pan_deg < start.pan_deg - 1.0, "it turned to the left: {stands:?}");
    assert_eq!(stands.tilt_deg, start.tilt_deg);

    // As long as it is repeated it goes on.
    for _ in 0..8 {
        assert_eq!(iris.pushes(r#"{"pan": 0, "tilt": 0.3, "zoom": 0.5}"#).await, 204);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let further = h.truth();
    assert!(further.tilt_deg > stands.tilt_deg && further.zoom > stands.zoom);
    assert_eq!(iris.post("steering/stop", "").await.0, 204);
    h.until_it(false).await;
    let (status, state) = iris.get("steering").await;
    assert_eq!((status, &state["held_by"]), (200, &json!("iris")), "{state}");
    assert_eq!(state["pan_deg"], json!([-180.0, 180.0]));
    assert_eq!(state["endless_pan"], true);
    iris.gets("steering", |state| state["held_by"].is_null()).await;
}
