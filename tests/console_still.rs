//! The clear still over HTTP against a real gateway: who may have one, when, what
//! it shows, and that the stream beside it shows no more than always.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod people_support;

use greyplane::app::Gateway;
use greyplane::audit::{self, Filter, Record};
use greyplane::clock::{Clock, Mono, SystemClock, WallTime};
use greyplane::config;
use greyplane::prove::{Rgb, watch};
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};
use greyplane::users::{Role, User, Users};
use image::RgbImage;
use people_support::{PASSWORD, Person, settle, told, write_accounts};
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const STILL: &str = "/api/v1/cameras/street/still";
const PERMIT: &str = "/api/v1/cameras/street/still/permit";
const STATUS: &str = "/api/v1/status";
const PEOPLE: [(&str, Role); 4] = [
    ("iris", Role::Integrator),
    ("olga", Role::Officer),
    ("ada", Role::Admin),
    ("anna", Role::Observer),
];

/// The machine's clocks, put on by hand.
#[derive(Debug)]
struct Ahead(SystemClock, AtomicU64);

impl Ahead {
    fn by(&self, time: Duration) {
        self.1.fetch_add(time.as_nanos() as u64, Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn mono(&self) -> Mono {
        Mono(self.0.mono().0 + self.1.load(Ordering::SeqCst))
    }

    fn wall(&self) -> WallTime {
        WallTime(self.0.wall().0 + self.1.load(Ordering::SeqCst) as i64)
    }
}

/// A gateway before one camera, and an account for each role.
struct House {
    running: Option<Gateway>,
    clock: Arc<Ahead>,
    folder: tempfile::TempDir,
}

impl House {
    fn with(camera: &str, masks: &str, console: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("street.json"), masks).unwrap();
        let camera = format!("[[camera]]\nid = \"street\"\nmasks = \"street.json\"\n{camera}");
        Self::of(folder, &camera, console)
    }

    /// Of cameras whose files lie in `folder`.
    fn of(folder: tempfile::TempDir, cameras: &str, console: &str) -> Self {
        let people = PEOPLE.map(|(name, role)| (name, role, "street"));
        write_accounts(&folder.path().join("users.toml"), people);
        let config = settle(folder.path(), console, cameras);
        let clock = Arc::new(Ahead(SystemClock::new(), AtomicU64::new(0)));
        Self {
            running: Some(Gateway::start(config, clock.clone()).unwrap()),
            clock,
            folder,
        }
    }

    /// Before a camera that never sends.
    fn quiet(console: &str) -> Self {
        Self::with(
            "url = \"rtsp://127.0.0.1:9/none\"\n",
            &nothing_private(),
            console,
        )
    }

    fn gateway(&self) -> &Gateway {
        self.running.as_ref().unwrap()
    }

    async fn log_in(&self, name: &str) -> Person {
        Person::log_in(&self.gateway().http_url(), name).await
    }

    /// Changes the account of `name`; none removes it.
    fn account(&self, name: &str, change: impl FnOnce(User) -> Option<User>) {
        let file = self.folder.path().join("users.toml");
        let mut users = Users::read(&file).unwrap();
        let user = users.find(name).unwrap().clone();
        users.remove(name);
        if let Some(user) = change(user) {
            users.add(user).unwrap();
        }
        users.write(&file).unwrap();
    }

    /// What was recorded of stills, the oldest first: who, what, result.
    fn recorded(&self) -> Vec<Record> {
        let folder = self.folder.path().join("audit");
        let found = audit::search(&folder, &Filter::default(), 500).unwrap();
        let records = found.records.into_iter().rev();
        records.filter(|r| r.action.contains("still")).collect()
    }

    fn said(&self) -> Vec<String> {
        let say = |r: Record| format!("{} {} {}", r.actor, r.action, r.result.name());
        self.recorded().into_iter().map(say).collect()
    }

    /// The same, once there are `n`: what is refused is recorded a moment later.
    async fn said_in_the_end(&self, n: usize) -> Vec<String> {
        while self.recorded().len() < n {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.said()
    }

    /// Waits until the masked picture shows.
    async fn shows(&self, person: &Person) {
        while person.get(STATUS).await.1["cameras"][0]["state"] != "live" {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Person {
    async fn ask(&self, method: Method, path: &str, body: Value) -> Response {
        let request = self.request(method, path).body(body.to_string());
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        told(self.ask(Method::GET, path, Value::Null).await).await
    }

    async fn permit(&self, minutes: u32) -> (u16, Value) {
        let body = json!({"minutes": minutes, "reason": " a new camera "});
        told(self.ask(Method::POST, PERMIT, body).await).await
    }

    async fn withdraw(&self) -> u16 {
        let answer = self.ask(Method::DELETE, PERMIT, Value::Null).await;
        answer.status().as_u16()
    }

    /// A still, and how the camera looked on it.
    async fn still(&self) -> (RgbImage, Value) {
        let answer = self.ask(Method::GET, STILL, Value::Null).await;
        let status = answer.status();
        let head = answer.headers().clone();
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
        assert_eq!(head[CONTENT_TYPE], "image/jpeg");
        assert_eq!(head[CACHE_CONTROL], "no-store");
        let view = serde_json::from_slice(head["greyplane-view"].as_bytes()).unwrap();
        assert!(segments(&bytes).iter().all(|kind| *kind != 0xe1), "no EXIF");
        (image::load_from_memory(&bytes).unwrap().into_rgb8(), view)
    }
}

/// The kinds of a JPEG's segments before the picture.
fn segments(jpeg: &[u8]) -> Vec<u8> {
    let (mut at, mut kinds) = (2, Vec::new());
    while jpeg[at + 1] != 0xda {
        kinds.push(jpeg[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    assert!(!kinds.is_empty());
    kinds
}

fn nothing_private() -> String {
    json!({"format": 1, "camera": "street", "nothing_private": "A test.", "zones": []}).to_string()
}

fn canary_pixels(picture: &RgbImage) -> usize {
    let like = |p: &&image::Rgb<u8>| {
        let apart = p.0.iter().zip(CANARY_RGB).map(|(a, b)| a.abs_diff(b));
        apart.max().unwrap_or(0) < 60
    };
    picture.pixels().filter(like).count()
}

/// The camera sees real time: from one still to the next one has to wait.
const APART: Duration = Duration::from_secs(5);
const OFFERED: &str = "clear_still = true";

#[tokio::test]
async fn what_the_configuration_does_not_offer_nobody_has() {
    let h = House::quiet("");
    for (name, role) in PEOPLE {
        let person = h.log_in(name).await;
        assert_eq!(person.get(STILL).await.0, 403, "{name}");
        assert_eq!(person.permit(5).await.0, 403, "{name}");
        assert_eq!(person.withdraw().await, 403, "{name}");
        let (status, told) = person.get(PERMIT).await;
        match role {
            Role::Observer => assert_eq!(status, 403),
            _ => assert_eq!((status, &told["offered"]), (200, &json!(false))),
        }
    }
    let iris = h.log_in("iris").await;
    let (_, refused) = iris.get(STILL).await;
    assert!(refused["error"].as_str().unwrap().contains("not offer"));
    assert_eq!(h.said(), [""; 0], "no permit, no still");
}

#[tokio::test]
async fn only_who_may_permits_and_only_an_integrator_fetches() {
    let h = House::quiet(OFFERED);
    let (iris, olga) = (h.log_in("iris").await, h.log_in("olga").await);
    let (ada, anna) = (h.log_in("ada").await, h.log_in("anna").await);
    let (status, refused) = iris.get(STILL).await;
    let remedy = refused["remedy"].as_str().unwrap();
    assert_eq!(status, 403);
    assert!(
        remedy.contains("olga") && remedy.contains("ada"),
        "{remedy}"
    );
    assert!(!remedy.contains("anna") && !remedy.contains("iris"));
    let (_, told) = iris.get(PERMIT).await;
    assert_eq!(
        told,
        json!({"offered": true, "until": null, "by": null, "reason": null, "givers": ["olga", "ada"]})
    );
    for person in [&iris, &anna] {
        assert_eq!(person.permit(5).await.0, 403);
        assert_eq!(person.withdraw().await, 403);
    }
    assert_eq!(anna.get(PERMIT).await.0, 403);
    for unfit in [
        json!({"minutes": 0, "reason": "x"}),
        json!({"minutes": 61, "reason": "x"}),
        json!({"minutes": -1, "reason": "x"}),
        json!({"minutes": 1.5, "reason": "x"}),
        json!({"minutes": 5, "reason": " \n"}),
        json!({"minutes": 5, "reason": "x".repeat(1001)}),
        json!({"minutes": 5}),
        json!({"minutes": 5, "reason": "x", "for": "ever"}),
    ] {
        let answer = olga.ask(Method::POST, PERMIT, unfit.clone()).await;
        assert_eq!(answer.status(), 422, "{unfit}");
    }
    let elsewhere = "/api/v1/cameras/harbour/still";
    assert_eq!(iris.get(elsewhere).await.0, 404);
    let body = json!({"minutes": 5, "reason": "x"});
    let path = format!("{elsewhere}/permit");
    let answer = olga.ask(Method::POST, &path, body).await;
    assert_eq!(answer.status(), 404);
    assert_eq!(h.said_in_the_end(1).await, ["iris clear-still refused"]);

    let (status, given) = olga.permit(5).await;
    assert_eq!((status, &given["by"]), (200, &json!("olga")), "{given}");
    assert_eq!(given["reason"], "a new camera");
    assert_eq!(iris.get(PERMIT).await.1["until"], given["until"]);
    for other in [&olga, &ada, &anna] {
        assert_eq!(other.get(STILL).await.0, 403);
    }
    // This camera never sends.
    let (status, none) = iris.get(STILL).await;
    assert_eq!(status, 503, "{none}");
    let soon = iris.ask(Method::GET, STILL, Value::Null).await;
    assert_eq!(soon.status(), 429);
    let wait_s: u64 = soon.headers()[RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=5).contains(&wait_s), "{wait_s}");
    assert_eq!(ada.withdraw().await, 204);
    assert_eq!(iris.get(STILL).await.0, 403);
    assert_eq!(olga.withdraw().await, 204, "there is none any more");
    assert_eq!(
        h.said_in_the_end(5).await[1..],
        [
            "olga still-permit done",
            "iris clear-still failed",
            "ada still-permit-withdrawn done",
            "iris clear-still refused",
        ]
    );
}

#[tokio::test]
async fn a_permit_ends_by_time_and_with_the_account_that_gave_it() {
    let h = House::quiet(OFFERED);
    let iris = h.log_in("iris").await;
    let until = async |iris: &Person| iris.get(PERMIT).await.1["until"].clone();
    let olga = h.log_in("olga").await;
    assert_eq!(olga.permit(10).await.0, 200);
    h.clock.by(Duration::from_secs(599));
    assert!(until(&iris).await.is_string());
    h.clock.by(Duration::from_secs(1));
    assert_eq!(until(&iris).await, Value::Null);
    assert_eq!(iris.get(STILL).await.0, 403);

    assert_eq!(olga.permit(60).await.0, 200);
    h.account("olga", |mut olga| {
        olga.roles = vec![Role::Observer];
        Some(olga)
    });
    assert_eq!(until(&iris).await, Value::Null, "another role");
    assert_eq!(h.log_in("ada").await.permit(60).await.0, 200);
    h.account("ada", |_| None);
    assert_eq!(iris.get(STILL).await.0, 403, "no account any more");
    let over = |h: &House| {
        let over = h.recorded().into_iter();
        let over = over.filter(|r| r.action == "still-permit-over");
        over.map(|r| format!("{} {}", r.detail["permitted_by"], r.detail["why"]))
            .collect::<Vec<_>>()
    };
    while over(&h).len() < 3 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(
        over(&h),
        [
            r#""olga" "its time is over""#,
            r#""olga" "the account that gave it changed""#,
            r#""ada" "the account that gave it changed""#,
        ]
    );
}

#[tokio::test]
async fn a_permit_ends_with_its_camera_and_none_outlives_the_gateway() {
    let mut h = House::quiet(OFFERED);
    let given = h.log_in("olga").await.permit(60).await;
    assert_eq!(given.0, 200);
    let path = h.folder.path().join("greyplane.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("127.0.0.1:9/none", "127.0.0.1:9/other")).unwrap();
    h.running.as_mut().unwrap().reload(&path);
    let iris = h.log_in("iris").await;
    assert_eq!(iris.get(PERMIT).await.1["until"], Value::Null);
    assert_eq!(iris.get(STILL).await.0, 403);
    drop(iris);
    assert_eq!(h.log_in("ada").await.permit(60).await.0, 200);
    h.running = None;
    // The audit log is let go of a moment later.
    while h.running.is_none() {
        let config = config::load(&path).unwrap();
        h.running = Gateway::start(config, h.clock.clone()).ok();
    }
    let iris = h.log_in("iris").await;
    assert_eq!(iris.get(PERMIT).await.1["until"], Value::Null);
    let said = h.said_in_the_end(5).await;
    let over = said.iter().filter(|s| s.contains("still-permit-over"));
    assert_eq!(over.count(), 2, "{said:?}");
}

#[tokio::test]
async fn with_four_eyes_nobody_uses_a_permit_of_their_own() {
    let h = House::quiet("clear_still = true\nfour_eyes = true");
    h.account("olga", |mut olga| {
        olga.roles.push(Role::Integrator);
        Some(olga)
    });
    let olga = h.log_in("olga").await;
    assert_eq!(olga.permit(5).await.0, 200);
    let (status, refused) = olga.get(STILL).await;
    assert_eq!(status, 403, "{refused}");
    assert_eq!(h.log_in("ada").await.permit(5).await.0, 200);
    assert_eq!(olga.get(STILL).await.0, 503, "this camera never sends");
}

/// A gateway before a street that stands still, whose houses have their zones.
fn before_a_street() -> (House, Sim) {
    let street = |at| SimConfig {
        id: "street".into(),
        canary: true,
        width: 640,
        height: 360,
        metadata_hz: 0.0,
        motion: Script::Still { at },
        ..SimConfig::default()
    };
    let start = |at| Sim::start(street(at), Arc::new(SystemClock::new())).unwrap();
    let ahead = Place {
        pan_deg: 0.0,
        tilt_deg: -8.0,
        zoom: 0.0,
    };
    let zones: Value = serde_json::from_str(&start(ahead).zones_json()).unwrap();
    let house = zones["zones"].as_array().unwrap().iter();
    let house = house.clone().find(|zone| zone["mode"] == "hide").unwrap();
    let sim = start(Place {
        pan_deg: house["shape"]["points"][0]["pan_deg"].as_f64().unwrap(),
        ..ahead
    });
    let profile = tempfile::NamedTempFile::new().unwrap();
    fs::write(profile.path(), sim.profile().to_toml()).unwrap();
    let camera = format!(
        "url = \"{}\"\nprofile = \"{}\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
        sim.rtsp_url(),
        profile.path().display(),
        sim.onvif_url()
    );
    let house = House::with(&camera, &sim.zones_json(), OFFERED);
    (house, sim)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_still_shows_the_houses_and_the_stream_beside_it_does_not() {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (h, _sim) = before_a_street();
    let (iris, olga) = (h.log_in("iris").await, h.log_in("olga").await);
    let given = olga.permit(5).await.1;
    h.shows(&iris).await;

    // A viewer, for as long as stills are taken.
    let (url, over) = (
        h.gateway().stream_url("street"),
        Arc::new(AtomicBool::new(false)),
    );
    let viewer = tokio::task::spawn_blocking({
        let over = over.clone();
        move || watch(&url, Rgb(CANARY_RGB), 120.0, &clock, &over, |_, _| {}).unwrap()
    });
    let (first, view) = iris.still().await;
    assert_eq!(first.dimensions(), (640, 360));
    assert_eq!(view["kind"], "turning", "{view}");
    assert_eq!(view["size"], json!([640, 360]));
    let now = iris.get("/api/v1/cameras/street/view").await.1;
    assert_eq!(view["focal_px"], now["focal_px"]);
    let seen = canary_pixels(&first);
    assert!(seen > 500, "the houses show: {seen} pixels");
    let records = h.recorded();
    let last = records.last().unwrap();
    assert_eq!(
        (last.actor.as_str(), last.action.as_str()),
        ("iris", "clear-still")
    );
    assert_eq!(last.object, "camera street");
    for (name, value) in [
        ("permitted_by", json!("olga")),
        ("reason", json!("a new camera")),
        ("until", given["until"].clone()),
        ("hidden", json!(0)),
    ] {
        assert_eq!(last.detail[name], value, "{name}");
    }
    assert!(last.detail["captured"].is_string());
    assert_eq!(last.detail["view"], view, "where the camera looked");

    // What two stills of a street that stands still differ by are their marks.
    tokio::time::sleep(APART).await;
    let (second, _) = iris.still().await;
    for (left, top) in blocks(&first) {
        let differ = pixels(&first, left, top).zip(pixels(&second, left, top));
        let marked = differ.filter(|(a, b)| a.0[1].abs_diff(b.0[1]) > 25).count();
        assert!(marked >= 40, "{marked} at {left}, {top}");
    }

    // On a full disk nothing is recorded, so nothing is sent.
    tokio::time::sleep(APART).await;
    let part = h.folder.path().join("audit/audit.head.part");
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let answer = iris.ask(Method::GET, STILL, Value::Null).await;
    assert_eq!(answer.status(), 503);
    assert!(!answer.headers().contains_key("greyplane-view"));
    let said = answer.text().await.unwrap();
    assert!(said.contains("cannot be recorded"), "{said}");
    fs::remove_file(part).unwrap();

    over.store(true, Ordering::SeqCst);
    let watched = viewer.await.unwrap();
    assert!(watched.leaks.frames_seen > 20, "{watched:?}");
    assert_eq!(watched.leaks.canary_frames, 0, "{watched:?}");
    let stills = h
        .said()
        .into_iter()
        .filter(|s| s == "iris clear-still done");
    assert_eq!(stills.count(), 2);
}

fn blocks(of: &RgbImage) -> impl Iterator<Item = (u32, u32)> {
    let (width, height) = of.dimensions();
    let tops = (0..=height - 64).step_by(32);
    tops.flat_map(move |top| (0..=width - 64).step_by(32).map(move |left| (left, top)))
}

fn pixels(of: &RgbImage, left: u32, top: u32) -> impl Iterator<Item = &image::Rgb<u8>> {
    (0..64 * 64).map(move |i| of.get_pixel(left + i % 64, top + i / 64))
}

/// A clip in which a drawn face with a mark on its forehead walks to the right.
fn clip(into: &Path) {
    let face = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest/face.png");
    let [r, g, b] = CANARY_RGB;
    let walk = format!(
        "[1]drawbox=x=73:y=52:w=14:h=14:color=0x{r:02x}{g:02x}{b:02x}:t=fill,format=yuv444p[f];\
         [0][f]overlay=x='40+20*t':y=100"
    );
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("color=c=0x808890:s=640x360:r=25:d=20")
        .arg("-i")
        .arg(face)
        .args(["-filter_complex", &walk, "-c:v", "libx264", "-bf", "0"])
        .args(["-preset", "veryfast", "-b:v", "4M", "-pix_fmt", "yuv420p"])
        .arg(into)
        .status()
        .expect("ffmpeg is one of the packages that `make system` installs");
    assert!(made.success());
}

/// Canary pixels in a still of the face's clip, when the camera's
/// configuration ends with `detect`.
async fn of_a_face(detect: &str) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("face.mp4");
    clip(&file);
    let sim = SimConfig {
        clip: Some(file),
        width: 640,
        height: 360,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim, Arc::new(SystemClock::new())).unwrap();
    let camera = format!("url = \"{}\"\n{detect}", sim.rtsp_url());
    let h = House::with(&camera, &nothing_private(), OFFERED);
    let (iris, olga) = (h.log_in("iris").await, h.log_in("olga").await);
    assert_eq!(olga.permit(5).await.0, 200);
    loop {
        h.shows(&iris).await;
        let answer = iris.ask(Method::GET, STILL, Value::Null).await;
        match answer.status().as_u16() {
            200 => {
                let bytes = answer.bytes().await.unwrap();
                let shown = image::load_from_memory(&bytes).unwrap().into_rgb8();
                return canary_pixels(&shown);
            }
            // On a busy machine nobody has looked in time: refused, not shown.
            503 => tokio::time::sleep(APART).await,
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_face_is_hidden_in_a_still_where_faces_are_looked_for() {
    let seen = of_a_face("").await;
    assert!(seen > 50, "the test must be able to see: {seen}");
    let detect = "[camera.detect]\nclasses = [\"face\"]\nmax_silence_ms = 500\n";
    assert_eq!(of_a_face(detect).await, 0);
}

/// Needs `make web`, chromium and node.
#[test]
fn in_a_browser_one_draws_on_a_still_until_it_is_withdrawn() {
    let (h, _sim) = before_a_street();
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("still");
    fs::create_dir_all(&shots).unwrap();
    let [r, g, b] = CANARY_RGB;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/still.mjs");
    let ran = Command::new("node")
        .arg(script)
        .args([&h.gateway().http_url(), "olga", "iris", PASSWORD])
        .arg(&shots)
        .args(["street", &format!("{r},{g},{b}")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(told["shown"]["still"].as_u64().unwrap() > 500, "{told}");
    assert_eq!(told["shown"]["live"], 0, "{told}");
    assert_eq!(told["serious"], json!([]), "{told}");
    assert_eq!(told["complaints"], json!([]), "{told}");
    let stills = h
        .said()
        .into_iter()
        .filter(|s| s == "iris clear-still done");
    assert_eq!(stills.count(), 2);
}

/// A gateway before a street at its one preset, which tells nobody where it looks; the left
/// of the picture is private.
fn before_a_preset() -> (House, Sim) {
    let at = Place {
        pan_deg: 12.0,
        tilt_deg: -8.0,
        zoom: 0.0,
    };
    let street = SimConfig {
        id: "street".into(),
        width: 640,
        height: 360,
        metadata_hz: 0.0,
        motion: Script::Still { at },
        ..SimConfig::default()
    };
    let sim = Sim::start(street, Arc::new(SystemClock::new())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let points = [(-0.2, -0.2), (0.3, -0.2), (0.3, 1.2), (-0.2, 1.2)];
    let points = points.map(|(x, y)| json!({"x": x, "y": y}));
    let shape = json!({"type": "image", "points": points});
    let zone = json!({"id": "left", "mode": "hide", "shape": shape});
    let zones = json!({"format": 1, "camera": "street.north", "zones": [zone]}).to_string();
    fs::write(folder.path().join("north.json"), zones).unwrap();
    let camera = format!(
        "[[camera]]\nid = \"street\"\nurl = \"{}\"\n\
         [[camera.preset]]\nid = \"north\"\nname = \"North gate\"\nmasks = \"north.json\"\n",
        sim.rtsp_url()
    );
    (House::of(folder, &camera, OFFERED), sim)
}

/// Needs `make web`, chromium and node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_browser_one_vouches_for_a_preset_and_the_officer_withdraws_it() {
    let (mut h, _sim) = before_a_preset();
    let shots = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vouch");
    fs::create_dir_all(&shots).unwrap();
    assert_eq!(h.log_in("olga").await.permit(10).await.0, 200);
    let url = h.gateway().http_url();
    let ran = tokio::task::spawn_blocking(move || {
        Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/vouch.mjs"))
            .args([&url, "olga", "iris", PASSWORD])
            .arg(&shots)
            .args(["street", "north"])
            .output()
            .unwrap()
    });
    let ran = ran.await.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let told: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(told["covered"], json!({"before": true, "after": true}));
    let shown = told["shown"].as_array().unwrap();
    // The private left stays covered while the right shows the street.
    assert!(shown[0].as_f64().unwrap() < 4.0, "{told}");
    assert!(shown[1].as_f64().unwrap() > 10.0, "{told}");
    assert_eq!(told["serious"], json!([]), "{told}");
    assert_eq!(told["complaints"], json!([]), "{told}");
    let log = h.folder.path().join("audit");
    // Nobody waits for the record of a withdrawal.
    drop(h.running.take());
    let found = audit::search(&log, &Filter::default(), 500).unwrap();
    let done = found
        .records
        .iter()
        .rev()
        .filter(|r| r.object == "preset north of street" && r.result.name() == "done");
    let done: Vec<String> = done.map(|r| format!("{} {}", r.actor, r.action)).collect();
    let expected = [
        "iris ask-verify-preset",
        "iris preset-verified",
        "olga preset-withdrawn",
    ];
    assert_eq!(done, expected);
}
