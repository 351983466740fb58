//! Cameras of which a person says where they look, over HTTP, against a real gateway: one
//! whose pictures contradict what it says itself, and one that cannot tell, whose presets
//! somebody vouches for.
#![cfg(feature = "gateway")]
#![allow(clippy::unwrap_used, reason = "a test that fails should fail loudly")]

mod people_support;

use greyplane::app::Gateway;
use greyplane::audit::{self, Filter};
use greyplane::clock::{Clock, SystemClock};
use greyplane::config;
use greyplane::prove::{Rgb, watch};
use greyplane::sim::motion::Order;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{CANARY_RGB, Faults, Sim, SimConfig};
use greyplane::users::Role;
use image::RgbImage;
use people_support::{Person, settle, told, write_accounts};
use reqwest::Method;
use reqwest::header::{ETAG, IF_MATCH};
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const BELIEVE: &str = "/api/v1/cameras/street/position/believe";

impl Person {
    async fn believe(&self, body: Value) -> u16 {
        let request = self.request(Method::POST, BELIEVE).body(body.to_string());
        told(request.send().await.unwrap()).await.0
    }

    /// Waits until `stands` of the camera's state and the reason for it.
    async fn waits_until(&self, stands: impl Fn(&str, &str) -> bool) {
        loop {
            let status = self.request(Method::GET, "/api/v1/status");
            let (_, status) = told(status.send().await.unwrap()).await;
            let [state, reason] = ["state", "reason"]
                .map(|key| status["cameras"][0][key].as_str().unwrap_or_default());
            if stands(state, reason) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn sees_a_picture(&self) {
        self.waits_until(|state, _| ["live", "widened"].contains(&state))
            .await;
    }

    async fn sees_a_doubt(&self) {
        self.waits_until(|_, reason| reason == "picture and position disagree")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_answers_for_a_camera_ends_a_doubt_that_does_not_end_itself() {
    let street = SimConfig {
        width: 640,
        height: 360,
        bitrate_kbps: 4000,
        motion: Script::SlowPan {
            deg_per_s: 8.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        },
        ..SimConfig::default()
    };
    let sim = Sim::start(street, Arc::new(SystemClock::new())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let people = [
        ("iris", Role::Integrator),
        ("olga", Role::Officer),
        ("anna", Role::Observer),
    ];
    write_accounts(
        &path("users.toml"),
        people.map(|(name, role)| (name, role, "street")),
    );
    fs::write(path("street.json"), sim.zones_json()).unwrap();
    fs::write(path("profile.toml"), sim.profile().to_toml()).unwrap();
    let camera = format!(
        "[[camera]]\nid = \"street\"\nmasks = \"street.json\"\nprofile = \"profile.toml\"\n\
         url = \"{}\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
        sim.rtsp_url(),
        sim.onvif_url()
    );
    let config = settle(folder.path(), "", &camera);
    let gateway = Gateway::start(config, Arc::new(SystemClock::new())).unwrap();
    let [iris, olga, anna] = {
        let url = gateway.http_url();
        [
            Person::log_in(&url, "iris").await,
            Person::log_in(&url, "olga").await,
            Person::log_in(&url, "anna").await,
        ]
    };
    let because = json!({"reason": " the clear still fits the map "});

    iris.sees_a_picture().await;
    assert_eq!(
        iris.believe(because.clone()).await,
        409,
        "nothing is doubted"
    );

    // Somebody hits the mast.
    sim.set_faults(&Faults {
        lie_pan_deg: 5.0,
        ..Faults::default()
    })
    .unwrap();
    iris.sees_a_doubt().await;
    for person in [&olga, &anna] {
        assert_eq!(person.believe(because.clone()).await, 403);
    }
    for unfit in [
        json!({"reason": " "}),
        json!({"reason": "x".repeat(1001)}),
        json!({}),
        json!({"reason": "x", "for": "ever"}),
    ] {
        assert_eq!(iris.believe(unfit.clone()).await, 422, "{unfit}");
    }
    iris.sees_a_doubt().await;
    assert_eq!(iris.believe(because.clone()).await, 204);
    iris.sees_a_picture().await;

    // Another contradiction covers again: as far as a head turns between two answers.
    tokio::time::sleep(Duration::from_secs(1)).await;
    sim.set_faults(&Faults::default()).unwrap();
    iris.sees_a_doubt().await;

    let found = audit::search(&path("audit"), &Filter::default(), 500).unwrap();
    let said: Vec<_> = found
        .records
        .iter()
        .rev()
        .filter(|record| record.action.contains("believe"))
        .map(|record| {
            let reason = record.detail["reason"].as_str().unwrap();
            assert_eq!(
                (record.actor.as_str(), reason),
                ("iris", "the clear still fits the map")
            );
            (record.action.as_str(), record.result.name())
        })
        .collect();
    assert_eq!(
        said,
        [
            ("ask-believe-position", "done"),
            ("position-believed", "refused"),
            ("ask-believe-position", "done"),
            ("position-believed", "done"),
        ]
    );
}

const CAMERA: &str = "/api/v1/cameras/street";
const NORTH: Place = Place {
    pan_deg: 12.0,
    tilt_deg: -8.0,
    zoom: 0.0,
};
const SOUTH: Place = Place {
    pan_deg: 190.0,
    tilt_deg: -10.0,
    zoom: 0.0,
};

fn to(place: Place) -> Order {
    Order::Go {
        pan_deg: Some(place.pan_deg),
        tilt_deg: Some(place.tilt_deg),
        zoom: Some(place.zoom),
        speed: None,
    }
}

fn by(pan_deg: f64, tilt_deg: f64, zoom: f64) -> Order {
    Order::By {
        pan_deg,
        tilt_deg,
        zoom,
    }
}

/// A zone document of a preset, with rectangles of its picture, in fractions of it.
fn rectangles(preset: &str, all: &[[f64; 4]]) -> Value {
    let point = |x: f64, y: f64| json!({"x": x, "y": y});
    let zone = |(i, [x0, y0, x1, y1]): (usize, &[f64; 4])| {
        let points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)].map(|(x, y)| point(*x, *y));
        json!({"id": format!("z{i}"), "mode": "hide", "shape": {"type": "image", "points": points}})
    };
    let zones: Vec<Value> = all.iter().enumerate().map(zone).collect();
    json!({"format": 1, "camera": format!("street.{preset}"), "zones": zones})
}

/// What somebody would draw on a still in which private places have a colour: rectangles
/// around all of it, beyond the picture's edge where it reaches that.
fn drawn_on(still: &RgbImage) -> Vec<[f64; 4]> {
    const STEP: u32 = 8;
    let (width, height) = still.dimensions();
    let private = |x: u32, y: u32| {
        let pixel = still.get_pixel(x, y).0.iter().zip(CANARY_RGB);
        pixel.map(|(a, b)| a.abs_diff(b)).max().unwrap() < 60
    };
    let has = |column: u32, row: u32| {
        let mut pixels =
            (0..STEP * STEP).map(|i| (column * STEP + i % STEP, row * STEP + i / STEP));
        pixels.any(|(x, y)| private(x, y))
    };
    let mut drawn = Vec::new();
    for row in 0..height / STEP {
        let mut column = 0;
        while column < width / STEP {
            let from = column;
            while column < width / STEP && has(column, row) {
                column += 1;
            }
            if column > from {
                let around = |low: u32, high: u32, side: u32| {
                    let (low, high) = (f64::from(low * STEP) - 12.0, f64::from(high * STEP) + 12.0);
                    let side = f64::from(side);
                    let low = if low <= 0.0 { -0.2 } else { low / side };
                    let high = if high >= side { 1.2 } else { high / side };
                    (low, high)
                };
                let (x0, x1) = around(from, column, width);
                let (y0, y1) = around(row, row + 1, height);
                drawn.push([x0, y0, x1, y1]);
            }
            column += 1;
        }
    }
    drawn
}

impl Person {
    async fn asks(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.request(method, path).body(body.to_string());
        told(request.send().await.unwrap()).await
    }

    async fn rests(&self) {
        self.waits_until(|state, _| state == "live").await;
    }

    async fn is_away(&self) {
        let away = |_: &str, why: &str| why.starts_with("on no verified preset");
        self.waits_until(away).await;
    }

    /// A clear still, as soon as there is one, and what names it.
    async fn still(&self) -> (RgbImage, Value) {
        loop {
            let answer = self.request(Method::GET, &format!("{CAMERA}/still"));
            let answer = answer.send().await.unwrap();
            let view = answer.headers().get("greyplane-view").cloned();
            let (status, bytes) = (answer.status().as_u16(), answer.bytes().await.unwrap());
            if let (200, Some(view)) = (status, view) {
                let view = serde_json::from_slice(view.as_bytes()).unwrap();
                return (image::load_from_memory(&bytes).unwrap().into_rgb8(), view);
            }
            // Too soon, or it still moves.
            let said = String::from_utf8_lossy(&bytes);
            assert!([429, 503].contains(&status), "{status} {said}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn etag(&self, preset: &str) -> String {
        let request = self.request(Method::GET, &format!("{CAMERA}/masks?preset={preset}"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()[ETAG].to_str().unwrap().to_owned()
    }

    async fn draws(&self, preset: &str, zones: &[[f64; 4]]) {
        let body = json!({"document": rectangles(preset, zones), "reason": "a new camera"});
        let request = self.request(Method::PUT, &format!("{CAMERA}/masks?preset={preset}"));
        let request = request.header(IF_MATCH, self.etag(preset).await);
        let (status, said) = told(request.body(body.to_string()).send().await.unwrap()).await;
        assert_eq!(status, 200, "{said}");
    }

    async fn verifies(&self, preset: &str, still: &Value, etag: &str) -> (u16, Value) {
        let body = json!({"still": still, "reason": " it fits the map, by day "});
        let request = self.request(Method::POST, &format!("{CAMERA}/verified/{preset}"));
        let request = request.header(IF_MATCH, etag).body(body.to_string());
        told(request.send().await.unwrap()).await
    }

    /// Draws on a still of what the camera shows now, and vouches for it.
    async fn sets_up(&self, preset: &str) -> Value {
        let (still, view) = self.still().await;
        assert_eq!(view["kind"], "presets", "{view}");
        let zones = drawn_on(&still);
        assert!(zones.len() > 5, "the houses show: {zones:?}");
        self.draws(preset, &zones).await;
        let etag = self.etag(preset).await;
        let (status, said) = self.verifies(preset, &view["still"], &etag).await;
        assert_eq!(status, 204, "{said}");
        view["still"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_that_cannot_tell_where_it_looks_shows_only_the_presets_somebody_vouched_for() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let street = SimConfig {
        canary: true,
        width: 640,
        height: 360,
        bitrate_kbps: 4000,
        metadata_hz: 0.0,
        motion: Script::Still { at: NORTH },
        ..SimConfig::default()
    };
    let sim = Sim::start(street, clock.clone()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let people = [
        ("iris", Role::Integrator),
        ("ines", Role::Integrator),
        ("olga", Role::Officer),
        ("adam", Role::Admin),
        ("anna", Role::Observer),
    ];
    write_accounts(
        &path("users.toml"),
        people.map(|(name, role)| (name, role, "street")),
    );
    let mut camera = format!(
        "[[camera]]\nid = \"street\"\nurl = \"{}\"\n",
        sim.rtsp_url()
    );
    for preset in ["north", "south"] {
        let all = rectangles(preset, &[[-0.5, -0.5, 1.5, 1.5]]).to_string();
        fs::write(path(&format!("{preset}.json")), all).unwrap();
        camera += &format!("[[camera.preset]]\nid = \"{preset}\"\nmasks = \"{preset}.json\"\n");
    }
    let config = settle(folder.path(), "clear_still = true", &camera);
    let gateway = Gateway::start(config, clock.clone()).unwrap();
    let url = gateway.http_url();
    let iris = Person::log_in(&url, "iris").await;
    let ines = Person::log_in(&url, "ines").await;
    let olga = Person::log_in(&url, "olga").await;
    let adam = Person::log_in(&url, "adam").await;
    let anna = Person::log_in(&url, "anna").await;
    // From the first frame on somebody watches, and judges.
    let over = Arc::new(AtomicBool::new(false));
    let viewer = tokio::task::spawn_blocking({
        let (stream, clock, over) = (gateway.stream_url("street"), clock.clone(), over.clone());
        move || watch(&stream, Rgb(CANARY_RGB), 300.0, &clock, &over, |_, _| {}).unwrap()
    });
    iris.is_away().await;
    let permit = json!({"minutes": 30, "reason": "a new camera"});
    let (ask, path_of) = (Method::POST, format!("{CAMERA}/still/permit"));
    assert_eq!(olga.asks(ask, &path_of, permit).await.0, 200);

    let still = iris.sets_up("north").await;
    iris.rests().await;
    let etag = iris.etag("north").await;
    for (person, preset, still, etag, status) in [
        (&anna, "north", &still, etag.as_str(), 403),
        (&olga, "north", &still, &etag, 403),
        (&adam, "north", &still, &etag, 403),
        // She has not seen what somebody else was given.
        (&ines, "north", &still, &etag, 409),
        (&iris, "east", &still, &etag, 404),
        (&iris, "south", &still, &etag, 409),
        (&iris, "north", &json!("12"), &etag, 409),
        (&iris, "north", &still, "\"00\"", 409),
    ] {
        let said = person.verifies(preset, still, etag).await;
        assert_eq!(said.0, status, "{preset} {etag}: {}", said.1);
    }
    assert_eq!(
        iris.asks(Method::GET, &format!("{CAMERA}/masks"), Value::Null)
            .await
            .0,
        400
    );

    // Elsewhere; the still of there is no word for here.
    sim.order(to(SOUTH));
    iris.is_away().await;
    let south = iris.etag("south").await;
    let (status, said) = iris.verifies("south", &still, &south).await;
    assert_eq!(status, 409, "{said}");
    iris.sets_up("south").await;
    iris.rests().await;

    // A tour; and somebody else turns and zooms it a little.
    for place in [NORTH, SOUTH, NORTH] {
        sim.order(to(place));
        iris.is_away().await;
        iris.rests().await;
    }
    for nudge in [by(0.7, 0.0, 0.0), by(0.0, -0.7, 0.0), by(0.0, 0.0, 0.01)] {
        sim.order(nudge);
        iris.is_away().await;
        // It stays covered, however long it stands there.
        tokio::time::sleep(Duration::from_millis(700)).await;
        iris.is_away().await;
        sim.order(to(NORTH));
        iris.rests().await;
    }
    let (_, list) = iris
        .asks(Method::GET, &format!("{CAMERA}/verified"), Value::Null)
        .await;
    let north = &list["presets"][0];
    assert_eq!(
        (&north["id"], &north["resting"]),
        (&json!("north"), &json!(true))
    );
    assert_eq!(north["verified"][0]["by"], "iris");
    // Whoever only watches is told no names.
    let (_, status) = anna.asks(Method::GET, "/api/v1/status", Value::Null).await;
    let presets = json!([{"id": "north", "verified": 1, "resting": true},
        {"id": "south", "verified": 1, "resting": false}]);
    assert_eq!(status["cameras"][0]["presets"], presets);

    // With other zones nobody has vouched for it; with those of before somebody must again.
    iris.draws("north", &[[0.1, 0.1, 0.2, 0.2]]).await;
    iris.is_away().await;
    let version = format!("{CAMERA}/masks/versions/2/restore?preset=north");
    let request = iris.request(Method::POST, &version);
    let request = request.header(IF_MATCH, iris.etag("north").await);
    let request = request.body(json!({"reason": "a mistake"}).to_string());
    let (status, said) = told(request.send().await.unwrap()).await;
    assert_eq!(status, 200, "{said}");
    tokio::time::sleep(Duration::from_millis(700)).await;
    iris.is_away().await;
    let etag = iris.etag("north").await;
    let (status, said) = iris.verifies("north", &still, &etag).await;
    assert_eq!(status, 204, "{said}");
    iris.rests().await;

    over.store(true, Ordering::SeqCst);
    let watched = viewer.await.unwrap();
    assert_eq!(watched.leaks.canary_frames, 0, "{watched:?}");
    assert!(watched.leaks.frames_seen > 200, "{watched:?}");

    // Somebody's word outlives a restart; nobody's word ends with it.
    let seen = |name: &str| {
        let png = fs::read_dir(path(&format!("{name}.json.verified"))).unwrap();
        png.count()
    };
    assert_eq!((seen("north"), seen("south")), (1, 1));
    drop(gateway);
    let config = config::load(&path("greyplane.toml")).unwrap();
    let gateway = Gateway::start(config, clock).unwrap();
    let iris = Person::log_in(&gateway.http_url(), "iris").await;
    iris.rests().await;
    // An officer may not give a word, but take one away.
    let verified = format!("{CAMERA}/verified/north");
    let olga = Person::log_in(&gateway.http_url(), "olga").await;
    let withdrawn = olga.asks(Method::DELETE, &verified, Value::Null).await;
    assert_eq!(withdrawn.0, 204, "{}", withdrawn.1);
    iris.is_away().await;
    assert_eq!((seen("north"), seen("south")), (0, 1));

    // What nobody had to wait for is written by now.
    drop(gateway);
    let found = audit::search(&path("audit"), &Filter::default(), 500).unwrap();
    let records = found.records.iter().rev();
    let of = records.filter(|r| r.object.starts_with("preset ") && r.result.name() == "done");
    let said: Vec<String> = of.map(|r| format!("{} {}", r.action, r.object)).collect();
    let [ask, done] = ["ask-verify-preset", "preset-verified"];
    assert_eq!(
        said.first().unwrap(),
        &format!("{ask} preset north of street")
    );
    assert_eq!(
        said.get(1).unwrap(),
        &format!("{done} preset north of street")
    );
    let south = format!("{done} preset south of street");
    assert_eq!(said.iter().filter(|s| **s == south).count(), 1, "{said:?}");
    assert_eq!(
        said.last().unwrap(),
        "preset-withdrawn preset north of street"
    );
}
