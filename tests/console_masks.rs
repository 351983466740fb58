//! Zones over HTTP against a real gateway: saving, versions, conflicts, the
//! second person, and what a viewer sees of it.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod people_support;

use greyplane::app::Gateway;
use greyplane::clock::{Clock, SystemClock};
use greyplane::prove::{Rgb, WatchReport, watch};
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};
use greyplane::users::Role;
use people_support::{Person, settle, told, write_accounts};
use reqwest::header::{ETAG, IF_MATCH};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

const MASKS: &str = "/api/v1/cameras/street/masks";

/// A gateway before one camera, and two integrators, an officer and an observer.
struct House {
    gateway: Gateway,
    folder: tempfile::TempDir,
}

impl House {
    fn with(camera: &str, masks: &str, console: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let people = [
            ("iris", Role::Integrator, "street"),
            ("joris", Role::Integrator, "street"),
            ("olga", Role::Officer, "street"),
            ("anna", Role::Observer, "street"),
        ];
        write_accounts(&path("users.toml"), people);
        fs::write(path("street.json"), masks).unwrap();
        let camera = format!("[[camera]]\nid = \"street\"\nmasks = \"street.json\"\n{camera}");
        let config = settle(folder.path(), console, &camera);
        Self {
            gateway: Gateway::start(config, Arc::new(SystemClock::new())).unwrap(),
            folder,
        }
    }

    /// Before a camera that never sends, which never moves.
    fn quiet(masks: &Value, console: &str) -> Self {
        Self::with(
            "url = \"rtsp://127.0.0.1:9/none\"\n",
            &masks.to_string(),
            console,
        )
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn log_in(&self, name: &str) -> Person {
        Person::log_in(&self.gateway.http_url(), name).await
    }
}

impl Person {
    async fn ask(&self, method: Method, path: &str, tag: Option<&str>, body: String) -> Response {
        let request = self.request(method, path).body(body);
        let request = match tag {
            Some(tag) => request.header(IF_MATCH, tag),
            None => request,
        };
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        told(self.ask(Method::GET, path, None, String::new()).await).await
    }

    /// The ETag of the zones in force.
    async fn tag(&self) -> String {
        let answer = self.ask(Method::GET, MASKS, None, String::new()).await;
        answer.headers()[ETAG].to_str().unwrap().to_owned()
    }

    async fn put(&self, tag: &str, document: &Value, reason: Option<&str>) -> (u16, Value) {
        let body = json!({"document": document, "reason": reason}).to_string();
        told(self.ask(Method::PUT, MASKS, Some(tag), body).await).await
    }

    async fn post(&self, path: &str, tag: Option<&str>, body: Value) -> (u16, Value) {
        let path = format!("{MASKS}/versions/{path}");
        told(self.ask(Method::POST, &path, tag, body.to_string()).await).await
    }
}

fn document(zones: &[Value]) -> Value {
    json!({"format": 1, "camera": "street", "zones": zones})
}

fn zone(id: &str, [x, y, w, h]: [f64; 4]) -> Value {
    let points = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)];
    let points = points.map(|(x, y)| json!({"x": x, "y": y}));
    json!({"id": id, "mode": "hide", "shape": {"type": "image", "points": points}})
}

fn house() -> Value {
    zone("house", [0.1, 0.1, 0.3, 0.3])
}

fn garden() -> Value {
    zone("garden", [0.6, 0.6, 0.3, 0.3])
}

#[tokio::test]
async fn zones_are_saved_compared_and_brought_back() {
    let h = House::quiet(&document(&[house()]), "");
    let (iris, joris) = (h.log_in("iris").await, h.log_in("joris").await);
    let (_, now) = iris.get(MASKS).await;
    assert_eq!(now["version"]["author"], "unknown (by hand)");
    assert_eq!(now["document"]["zones"][0]["id"], "house");
    let old = joris.tag().await;

    let both = document(&[house(), garden()]);
    let (status, saved) = iris
        .put(&iris.tag().await, &both, Some("  a garden "))
        .await;
    assert_eq!((status, &saved["version"]["number"]), (200, &json!(2)));
    assert_eq!(saved["version"]["reason"], "a garden");
    assert_eq!(saved["version"]["covers_less"], false);
    let file: Value = serde_json::from_slice(&fs::read(h.file("street.json")).unwrap()).unwrap();
    assert_eq!(
        file, both,
        "the file that the configuration names is the one in force"
    );

    let (status, refused) = joris.put(&old, &document(&[garden()]), Some("mine")).await;
    assert_eq!(
        (status, &refused["current"]["author"]),
        (409, &json!("iris"))
    );
    assert_eq!(refused["current"]["number"], 2);

    let less = document(&[garden()]);
    let (status, refused) = joris.put(&joris.tag().await, &less, Some(" \n")).await;
    assert_eq!((status, &refused["needs_reason"]), (422, &json!(true)));
    let (status, saved) = joris
        .put(&joris.tag().await, &less, Some("it was torn down"))
        .await;
    assert_eq!(
        (status, &saved["version"]["covers_less"]),
        (200, &json!(true))
    );

    let tag = iris.tag().await;
    let (status, back) = iris
        .post("2/restore", Some(&tag), json!({"reason": "was it?"}))
        .await;
    assert_eq!((status, &back["version"]["restores"]), (200, &json!(2)));
    assert_eq!(
        iris.post("2/restore", Some(&tag), json!({})).await.0,
        409,
        "a stale page"
    );
    assert_eq!(
        iris.post("9/restore", Some(&iris.tag().await), json!({}))
            .await
            .0,
        404
    );
    let (_, listed) = h
        .log_in("olga")
        .await
        .get(&format!("{MASKS}/versions"))
        .await;
    let listed = listed["versions"].as_array().unwrap().clone();
    let authors: Vec<&str> = listed
        .iter()
        .map(|v| v["author"].as_str().unwrap())
        .collect();
    assert_eq!(authors, ["iris", "joris", "iris", "unknown (by hand)"]);
    let states: Vec<&str> = listed
        .iter()
        .map(|v| v["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["active", "past", "past", "past"]);
    let (_, first) = iris.get(&format!("{MASKS}/versions/1")).await;
    assert_eq!(first["document"], document(&[house()]));
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_and_changes_nothing() {
    let h = House::quiet(&document(&[house()]), "");
    let iris = h.log_in("iris").await;
    let tag = iris.tag().await;
    let before = fs::read(h.file("street.json")).unwrap();
    let crossing = json!({"id": "x", "mode": "hide", "shape": {"type": "image", "points":
        [{"x": 0, "y": 0}, {"x": 1, "y": 1}, {"x": 1, "y": 0}, {"x": 0, "y": 1}]}});
    let sphere = json!({"id": "s", "mode": "hide", "shape": {"type": "sphere", "points":
        [{"pan_deg": 0, "tilt_deg": 0}, {"pan_deg": 9, "tilt_deg": 0}, {"pan_deg": 9, "tilt_deg": 9}]}});
    let many: Vec<Value> = (0..100_000)
        .map(|i| json!({"x": f64::from(i) * 1e-5, "y": f64::from(i % 2)}))
        .collect();
    let many = json!({"id": "m", "mode": "hide", "shape": {"type": "image", "points": many}});
    let mut other = document(&[house()]);
    other["camera"] = json!("market");
    let mut unknown = document(&[house()]);
    unknown["colour"] = json!("red");
    for (what, document, says) in [
        ("edges that cross", document(&[crossing]), "cross"),
        ("another camera's", other, "market"),
        ("a key nobody knows", unknown, "colour"),
        ("no zones, no word why", document(&[]), "nothing_private"),
        ("the same id twice", document(&[house(), house()]), "house"),
        (
            "directions for a fixed camera",
            document(&[house(), sphere]),
            "where it looks",
        ),
        ("100,000 points", document(&[many]), "10000"),
        ("no document", json!(null), ""),
        ("a list", json!([1, 2]), ""),
    ] {
        let (status, refused) = iris.put(&tag, &document, Some("because")).await;
        assert_eq!(status, 422, "{what}: {refused}");
        let mistakes = refused["mistakes"].as_array().unwrap();
        let said = mistakes.iter().any(|m| m.to_string().contains(says));
        assert!(!mistakes.is_empty() && said, "{what}: {refused}");
    }
    let put = |tag, body: &str| iris.ask(Method::PUT, MASKS, tag, body.to_owned());
    let good = json!({"document": document(&[house()])}).to_string();
    let nan = good.replacen("0.1", "NaN", 1);
    let deep = format!("{{\"document\": {}{}}}", "[".repeat(500), "]".repeat(500));
    let huge = format!("{{\"document\": \"{}\"}}", "x".repeat(10 << 20));
    let long = json!({"document": document(&[house()]), "reason": "x".repeat(2000)}).to_string();
    let tag = Some(tag.as_str());
    for (what, tag, body, status) in [
        ("no If-Match", None, good.as_str(), 428),
        ("a strange If-Match", Some("*"), &good, 428),
        ("an old If-Match", Some("\"0\""), &good, 409),
        ("NaN", tag, &nan, 400),
        ("nested deeply", tag, &deep, 400),
        ("a long reason", tag, &long, 422),
        (
            "another key",
            tag,
            r#"{"document": {}, "author": "olga"}"#,
            422,
        ),
    ] {
        assert_eq!(put(tag, body).await.status(), status, "{what}");
    }
    // Whoever goes on sending after the refusal finds the connection closed.
    let another = h.log_in("iris").await;
    let refused = another.request(Method::PUT, MASKS).body(huge).send().await;
    assert!(refused.is_err() || refused.is_ok_and(|answer| answer.status() == 413));
    assert_eq!(fs::read(h.file("street.json")).unwrap(), before);
    assert_eq!(
        iris.get(&format!("{MASKS}/versions")).await.1["versions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let any = iris.tag().await;
    for name in ["anna", "olga"] {
        let other = h.log_in(name).await;
        assert_eq!(
            other.put(&any, &document(&[house()]), None).await.0,
            403,
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_hides_less_can_need_a_second_person() {
    let h = House::quiet(&document(&[house(), garden()]), "four_eyes = true");
    let (iris, joris) = (h.log_in("iris").await, h.log_in("joris").await);
    let less = document(&[house()]);
    let (status, proposed) = iris.put(&iris.tag().await, &less, Some("no garden")).await;
    assert_eq!(
        (status, &proposed["version"]["state"]),
        (200, &json!("proposed"))
    );
    let in_force = |answer: &Value| answer["document"]["zones"].as_array().unwrap().len();
    assert_eq!(
        in_force(&iris.get(MASKS).await.1),
        2,
        "nothing changes before"
    );
    let yes = json!({"approve": true});
    assert_eq!(
        iris.post("2/approve", None, yes.clone()).await.0,
        403,
        "not by oneself"
    );
    let (status, approved) = joris.post("2/approve", None, yes.clone()).await;
    assert_eq!(
        (status, &approved["version"]["second"]),
        (200, &json!("joris"))
    );
    assert_eq!(in_force(&iris.get(MASKS).await.1), 1);
    assert_eq!(joris.post("2/approve", None, yes).await.0, 409, "once");
    // What hides more needs nobody.
    let more = document(&[house(), garden()]);
    let (_, saved) = iris.put(&iris.tag().await, &more, None).await;
    assert_eq!(saved["version"]["state"], "active");
}

/// What a viewer sees in `seconds`.
fn look(gateway: &Gateway, seconds: f64) -> WatchReport {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let never = AtomicBool::new(false);
    let url = gateway.stream_url("street");
    watch(&url, Rgb(CANARY_RGB), seconds, &clock, &never, |_, _| {}).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_saved_is_hidden_in_the_next_frames() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let street = SimConfig {
        id: "street".into(),
        canary: true,
        width: 640,
        height: 360,
        metadata_hz: 0.0,
        ..SimConfig::default()
    };
    let sim = Sim::start(street, clock).unwrap();
    let camera = format!(
        "url = \"{}\"\nprofile = \"{}\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
        sim.rtsp_url(),
        profile(&sim).display(),
        sim.onvif_url()
    );
    let nothing =
        json!({"format": 1, "camera": "street", "nothing_private": "A test.", "zones": []});
    let h = House::with(&camera, &nothing.to_string(), "");
    let seen = tokio::task::block_in_place(|| look(&h.gateway, 4.0));
    assert!(
        seen.leaks.canary_frames > 0,
        "the test must be able to see: {seen:?}"
    );

    let iris = h.log_in("iris").await;
    let (status, view) = iris.get("/api/v1/cameras/street/view").await;
    assert_eq!((status, &view["kind"]), (200, &json!("turning")), "{view}");
    assert_eq!(view["size"], json!([640, 360]));
    let zones: Value = serde_json::from_str(&sim.zones_json()).unwrap();
    let (status, saved) = iris.put(&iris.tag().await, &zones, None).await;
    assert_eq!(status, 200, "{saved}");
    let hidden = tokio::task::block_in_place(|| look(&h.gateway, 3.0));
    assert!(hidden.leaks.frames_seen > 0, "{hidden:?}");
    assert_eq!(hidden.leaks.canary_frames, 0, "{hidden:?}");

    // By hand, and a reload: what the file says holds, whoever wrote it last.
    fs::write(h.file("street.json"), nothing.to_string()).unwrap();
    let mut h = h;
    let path = h.file("greyplane.toml");
    h.gateway.reload(&path);
    let seen = tokio::task::block_in_place(|| look(&h.gateway, 4.0));
    assert!(seen.leaks.canary_frames > 0, "{seen:?}");
}

fn profile(sim: &Sim) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console_masks.profile.toml");
    fs::write(&file, sim.profile().to_toml()).unwrap();
    file
}
