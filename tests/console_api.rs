//! The API over HTTP, as a browser or a stranger would ask it: every route with
//! every role and none, logging in and out, hostile requests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::archive::Version;
use greyplane::audit::{self, Audit};
use greyplane::clock::SystemClock;
use greyplane::secret::Secret;
use greyplane::users::{PasswordHash, Role, User, Users};
use greyplane::web::{
    Answer, CameraPreset, CameraStatus, CameraView, CannotWatch, ClearPicture, ConsoleSettings,
    Desk, DeskFault, Edit, Gateway, GatewayStatus, Grant, InForce, Live, LiveOver, Percentiles,
    Permit, ProofQuestion, Reach, Server, Settings, SteerFault, Steering, StillFault, Stills,
    Watching, Wish,
};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, RETRY_AFTER, SET_COOKIE};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PASSWORD: &str = "a password for tests";
const SESSION: &str = "/api/v1/session";
const MARKET: &str = "/api/v1/cameras/market/whep";

/// What the routes meet in place of cameras: two of them, and who watches.
#[derive(Default)]
struct Cameras {
    watching: Mutex<BTreeSet<String>>,
}

impl Gateway for Cameras {
    fn status(&self) -> GatewayStatus {
        let camera = |id: &str| CameraStatus {
            id: id.into(),
            state: "live",
            reason: None,
            size: Some((1280, 720)),
            fps_in: 25.0,
            fps_out: 25.0,
            latency_ms: Percentiles::default(),
            budget_ms: 250,
            late_frames: 0,
            dropped: BTreeMap::new(),
            covered_s: BTreeMap::new(),
            live_s: 1.0,
            telemetry_hz: None,
            telemetry_lateness_ms: None,
            detector: None,
            viewers: 0,
            read_back_failures: 0,
        };
        GatewayStatus {
            version: "0",
            rtsp_port: 0,
            cameras: ["market", "harbour"].map(camera).into(),
        }
    }

    fn watch(&self, camera: &str, offer: &str) -> Result<Watching, CannotWatch> {
        match offer {
            "v=0" => {}
            "no h264" => return Err(CannotWatch::NoH264),
            "full" => return Err(CannotWatch::TooMany),
            _ => return Err(CannotWatch::NotAnOffer("it is none".into())),
        }
        let mut watching = self.watching.lock().unwrap();
        let id = format!("{camera}-{}", watching.len());
        watching.insert(id.clone());
        let answer = "an answer".into();
        Ok(Watching { id, answer })
    }

    /// Nothing is shown, and it is over at once.
    fn watch_live(&self, _: &str) -> Result<Live, CannotWatch> {
        Ok(Live {
            id: "live".into(),
            parts: Box::pin(futures::stream::pending()),
            over: Box::pin(std::future::ready(LiveOver::Unwatched)),
        })
    }

    fn unwatch(&self, watching: &str) -> bool {
        self.watching.lock().unwrap().remove(watching)
    }
}

/// Has no zones: tests/console_masks.rs asks a real gateway.
impl Desk for Cameras {
    fn masks(&self, _: &str) -> Result<InForce, DeskFault> {
        Err(DeskFault::NoVersion(1))
    }

    fn versions(&self, _: &str) -> Result<Vec<Version>, DeskFault> {
        Ok(Vec::new())
    }

    fn version(&self, _: &str, number: u32) -> Result<(Version, Vec<u8>), DeskFault> {
        Err(DeskFault::NoVersion(number))
    }

    fn save(&self, _: &str, _: Edit) -> Result<Version, DeskFault> {
        Err(DeskFault::NeedsReason)
    }

    fn settle(&self, _: &str, number: u32, _: &str, _: bool) -> Result<Version, DeskFault> {
        Err(DeskFault::NotProposed(number))
    }

    fn view(&self, camera: &str) -> Result<CameraView, DeskFault> {
        match camera {
            "market" => Ok(CameraView::Fixed {
                size: (1280, 720),
                state: "live",
                reason: None,
            }),
            _ => Err(DeskFault::NoCamera),
        }
    }

    fn proof(&self, _: &str, question: &ProofQuestion) -> Result<Vec<u8>, DeskFault> {
        Err(DeskFault::Question(question.from.clone()))
    }
}

/// None turns: tests/console_steering.rs asks a real gateway.
impl Steering for Cameras {
    fn reach(&self, _: &str) -> Result<Reach, SteerFault> {
        Err(SteerFault::Fixed)
    }

    fn steer(&self, _: &str, _: Wish) -> Answer<()> {
        Box::pin(async { Err(SteerFault::Fixed) })
    }

    fn presets(&self, _: &str) -> Answer<Vec<CameraPreset>> {
        Box::pin(async { Err(SteerFault::Fixed) })
    }

    fn let_go(&self, _: &str) {}
}

/// Has no stills: tests/console_still.rs asks a real gateway.
impl Stills for Cameras {
    fn offered(&self) -> bool {
        true
    }

    fn four_eyes(&self) -> bool {
        false
    }

    fn permit(&self, _: &str) -> Result<Option<Permit>, StillFault> {
        Err(StillFault::NoCamera)
    }

    fn permits(&self) -> Vec<(String, Permit)> {
        Vec::new()
    }

    fn grant(&self, _: &str, _: Grant) -> Result<Permit, StillFault> {
        Err(StillFault::NoCamera)
    }

    fn end(&self, _: &str, _: &Permit) -> bool {
        false
    }

    fn end_those_over(&self) -> Vec<(String, Permit)> {
        Vec::new()
    }

    fn take(&self, _: &str, _: &str) -> Result<ClearPicture, StillFault> {
        Err(StillFault::NoCamera)
    }
}

/// A console with an account for each role; its cameras are the market, but for
/// the admin, who sees all.
struct Console {
    cameras: Arc<Cameras>,
    server: Server,
    users: PathBuf,
    audit: Audit,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
}

impl Console {
    fn start() -> Self {
        Self::with_sessions_of(Duration::from_secs(3600))
    }

    fn with_sessions_of(session: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("users.toml");
        let hash = PasswordHash::of(&Secret::new(PASSWORD)).unwrap();
        let mut all = Users::default();
        for role in Role::ALL {
            let cameras = if role == Role::Admin { "*" } else { "market" };
            all.add(User {
                name: role.name().into(),
                password: hash.clone(),
                roles: vec![role],
                cameras: vec![cameras.into()],
            })
            .unwrap();
        }
        all.write(&users).unwrap();
        let cameras = Arc::new(Cameras::default());
        let audit = audit::Settings::in_folder(folder.path().join("audit"));
        let audit = Audit::start(audit, Arc::new(SystemClock::new())).unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            console: Some(ConsoleSettings {
                users: users.clone(),
                audit: audit.clone(),
                tls: None,
                session,
                clock: Arc::new(SystemClock::new()),
            }),
        };
        Self {
            server: Server::start(settings, cameras.clone())
                .unwrap(),
            cameras,
            users,
            audit,
            client: reqwest::Client::new(),
            _folder: folder,
        }
    }

    async fn ask(&self, method: &str, path: &str, cookie: &str, body: Option<Body>) -> Response {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", self.server.url());
        let mut request = self.client.request(method, url);
        if !cookie.is_empty() {
            request = request.header(COOKIE, cookie);
        }
        if let Some((kind, text)) = body {
            request = request.header(CONTENT_TYPE, kind).body(text);
        }
        request.send().await.unwrap()
    }

    /// Asks for a WebSocket, as a program would that is no browser.
    async fn upgrade(&self, path: &str, cookie: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.server.url()));
        let head = [
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("cookie", cookie),
        ];
        let request = head.into_iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        request.send().await.unwrap()
    }

    async fn get(&self, path: &str, cookie: &str) -> Response {
        self.ask("GET", path, cookie, None).await
    }

    /// Logs in; the cookie.
    async fn log_in(&self, name: &str) -> String {
        let answer = self.ask("POST", SESSION, "", login(name, PASSWORD)).await;
        assert_eq!(answer.status(), 200, "{name}");
        cookie_of(answer.headers())
    }
}

type Body = (&'static str, String);

fn login(name: &str, password: &str) -> Option<Body> {
    let body = json!({"user": name, "password": password}).to_string();
    Some(("application/json", body))
}

fn offer(text: &str) -> Option<Body> {
    Some(("application/sdp", text.into()))
}

fn cookie_of(headers: &HeaderMap) -> String {
    let set = headers[SET_COOKIE].to_str().unwrap();
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
    assert!(
        set.starts_with("__Host-") && !set.contains("Domain"),
        "{set}"
    );
    set.split(';').next().unwrap().to_owned()
}

async fn json_of(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn error_of(answer: Response) -> String {
    let body = json_of(answer).await;
    body["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_route_answers_whom_it_is_not_for() {
    let console = Console::start();
    let mut cookies = BTreeMap::from([("", String::new())]);
    for role in Role::ALL {
        cookies.insert(role.name(), console.log_in(role.name()).await);
    }
    let document = console.get("/api/v1/openapi.json", &cookies["admin"]).await;
    let document = json_of(document).await;
    let mut walked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path
            .replace("{camera}", "market")
            .replace("{watching}", "none")
            .replace("{token}", "1")
            .replace("{number}", "7");
        assert!(
            !path.contains('{'),
            "{path} has a parameter this test does not know"
        );
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation["security"][0]["session"].as_array();
            for (role, cookie) in &cookies {
                if method == "delete" && path == SESSION && !role.is_empty() {
                    continue; // Would log the role out; has a test of its own.
                }
                let body = operation.get("requestBody").map(|b| {
                    let kinds = b["content"].as_object().unwrap();
                    match kinds.contains_key("application/sdp") {
                        true => ("application/sdp", "v=0".to_owned()),
                        false => ("application/json", "{}".to_owned()),
                    }
                });
                let upgrades = operation["responses"].get("101").is_some();
                let answer = match upgrades {
                    true => console.upgrade(&path, cookie).await,
                    false => {
                        let method = method.to_uppercase();
                        console.ask(&method, &path, cookie, body).await
                    }
                };
                let status = answer.status().as_u16();
                assert!(status != 101 || upgrades, "{path}");
                let what = format!("{method} {path} as `{role}`: {status}");
                let allowed = security.is_none_or(|roles| {
                    roles.is_empty() || roles.iter().any(|r| r.as_str() == Some(role))
                });
                match (security, *role) {
                    (None, _) => assert!(method == "post" && path == SESSION, "{what} is open"),
                    (Some(_), "") => assert_eq!(status, 401, "{what}"),
                    (Some(_), _) if !allowed => assert_eq!(status, 403, "{what}"),
                    (Some(_), _) if upgrades => assert_eq!(status, 101, "{what}"),
                    (Some(_), _) => assert!(![401, 403, 405, 500].contains(&status), "{what}"),
                }
                walked += 1;
            }
        }
    }
    assert!(walked >= 30, "only {walked} requests");
}

#[tokio::test]
async fn without_a_login_there_is_only_the_page() {
    let console = Console::start();
    for path in [
        "/api/v1/status",
        "/api/v1/nothing",
        "/api/v2/status",
        "/api",
        "/api/v1/../v1/status",
        "/api/v1/status/",
        "//api/v1/status",
        "/%61pi/v1/status",
        "/assets/../../Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "/metrics",
    ] {
        let answer = console.get(path, "").await;
        let status = answer.status().as_u16();
        assert!([401, 404].contains(&status), "{path}: {status}");
        assert!(!answer.text().await.unwrap().contains("market"), "{path}");
    }
    let health = console.get("/healthz", "").await;
    assert_eq!(health.text().await.unwrap(), "ok\n");
    assert_eq!(
        console.get("/readyz", "").await.text().await.unwrap(),
        "ready\n"
    );
    let page = console.get("/", "").await;
    for (name, part) in [
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert!(
            page.headers()[name].to_str().unwrap().contains(part),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_login_lasts_until_its_end() {
    let console = Console::start();
    let cookie = console.log_in("observer").await;
    let who = json_of(console.get(SESSION, &cookie).await).await;
    assert_eq!(
        who,
        json!({"user": "observer", "roles": ["observer"], "cameras": ["market"]})
    );
    let status = json_of(console.get("/api/v1/status", &cookie).await).await;
    let ids: Vec<&Value> = status["cameras"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["id"])
        .collect();
    assert_eq!(ids, ["market"]);

    let again = console.log_in("observer").await;
    assert_ne!(again, cookie, "each login has a session of its own");
    assert_eq!(
        console.ask("DELETE", SESSION, &cookie, None).await.status(),
        204
    );
    assert_eq!(console.get(SESSION, &cookie).await.status(), 401);
    assert_eq!(console.get(SESSION, &again).await.status(), 200);

    // A login over a login ends the first one.
    let body = login("officer", PASSWORD);
    let other = console.ask("POST", SESSION, &again, body).await;
    let officer = cookie_of(other.headers());
    assert_eq!(console.get(SESSION, &again).await.status(), 401);
    assert_eq!(console.get(SESSION, &officer).await.status(), 200);

    for forged in [
        "__Host-greyplane=",
        "__Host-greyplane=AAAAAAAAAAAAAAAAAAAAAA",
        "id=1",
    ] {
        assert_eq!(console.get(SESSION, forged).await.status(), 401, "{forged}");
    }
}

#[tokio::test]
async fn an_account_that_changes_ends_its_sessions_and_what_they_watch() {
    let changes = [
        "password",
        "roles",
        "cameras",
        "gone",
        "file gone",
        "file broken",
    ];
    futures::future::join_all(changes.map(ends_with)).await;
}

async fn ends_with(change: &str) {
    let console = Console::start();
    let cookie = console.log_in("observer").await;
    let watching = console.ask("POST", MARKET, &cookie, offer("v=0")).await;
    assert_eq!(watching.status(), 201);
    let mut users = Users::read(&console.users).unwrap();
    let mut user = users.find("observer").unwrap().clone();
    match change {
        "password" => {
            user.password = PasswordHash::of(&Secret::new("quite another one")).unwrap();
        }
        "roles" => user.roles = vec![Role::Officer],
        "cameras" => user.cameras = vec!["harbour".into()],
        _ => {}
    }
    users.remove("observer");
    if !change.ends_with("gone") {
        users.add(user).unwrap();
    }
    users.write(&console.users).unwrap();
    match change {
        "file gone" => std::fs::remove_file(&console.users).unwrap(),
        "file broken" => std::fs::write(&console.users, "format = 1\n[[user]]\n").unwrap(),
        _ => {}
    }
    assert_eq!(
        console.get(SESSION, &cookie).await.status(),
        401,
        "{change}"
    );
    while !console.cameras.watching.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn wrong_passwords_say_nothing_and_soon_have_to_wait() {
    let console = Console::start();
    let mut said = BTreeSet::new();
    let mut waits = None;
    for (tries, name) in [
        "observer",
        "nobody",
        "",
        "observer\n",
        "x".repeat(10_000).as_str(),
    ]
    .iter()
    .cycle()
    .enumerate()
    .take(40)
    {
        let answer = console
            .ask("POST", SESSION, "", login(name, "a wrong password"))
            .await;
        assert!(!answer.headers().contains_key(SET_COOKIE));
        match answer.status().as_u16() {
            401 => said.insert(error_of(answer).await),
            429 => {
                waits = Some((tries, answer.headers()[RETRY_AFTER].clone()));
                break;
            }
            other => panic!("{other}"),
        };
    }
    assert_eq!(
        said.len(),
        1,
        "names that exist are answered like others: {said:?}"
    );
    let (tries, wait) = waits.expect("somebody who guesses has to wait");
    assert!((5..=11).contains(&tries), "{tries}");
    let wait_s: u64 = wait.to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait_s));
    let right = console
        .ask("POST", SESSION, "", login("observer", PASSWORD))
        .await;
    assert_eq!(right.status(), 429, "the right one waits too");
}

#[tokio::test]
async fn hostile_requests_are_refused_by_what_they_are() {
    let console = Console::start();
    let cookie = console.log_in("admin").await;
    let big = "x".repeat(70_000);
    let cases: [(&str, &str, Option<Body>, u16); 13] = [
        ("POST", SESSION, Some(("application/json", "{".into())), 400),
        (
            "POST",
            SESSION,
            Some(("application/json", "[1]".into())),
            422,
        ),
        ("POST", SESSION, Some(("text/plain", "{}".into())), 415),
        (
            "POST",
            SESSION,
            Some(("application/json", big.clone())),
            413,
        ),
        ("PUT", SESSION, None, 405),
        ("POST", MARKET, offer("rubbish"), 400),
        ("POST", MARKET, offer("no h264"), 409),
        ("POST", MARKET, offer("full"), 503),
        ("POST", MARKET, offer(&big), 413),
        ("POST", MARKET, Some(("text/plain", "v=0".into())), 415),
        (
            "POST",
            "/api/v1/cameras/nowhere/whep",
            offer("rubbish"),
            400,
        ),
        ("DELETE", "/api/v1/cameras/market/whep/nothing", None, 404),
        ("DELETE", "/api/v1/cameras/market/whep/%00%ff", None, 400),
    ];
    for (method, path, body, status) in cases {
        let answer = console.ask(method, path, &cookie, body).await;
        assert_eq!(answer.status(), status, "{method} {path}");
    }
    // What another site makes the browser ask for, with the person's own cookie.
    let url = format!("{}{SESSION}", console.server.url());
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let answer = console
            .client
            .delete(&url)
            .header(COOKIE, &cookie)
            .header(name, value);
        assert_eq!(answer.send().await.unwrap().status(), 403, "{name}");
    }
    assert_eq!(
        console.get(SESSION, &cookie).await.status(),
        200,
        "still logged in"
    );
}

#[tokio::test]
async fn watching_is_for_ones_own_cameras_and_ends_with_the_login() {
    let console = Console::start();
    let (admin, observer) = (
        console.log_in("admin").await,
        console.log_in("observer").await,
    );
    let answer = console.ask("POST", MARKET, &observer, offer("v=0")).await;
    assert_eq!(answer.status(), 201);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/sdp");
    assert_eq!(answer.text().await.unwrap(), "an answer");
    let harbour = "/api/v1/cameras/harbour/whep";
    assert_eq!(
        console
            .ask("POST", harbour, &observer, offer("v=0"))
            .await
            .status(),
        404
    );
    assert_eq!(
        console
            .ask("POST", harbour, &admin, offer("v=0"))
            .await
            .status(),
        201
    );
    assert_eq!(
        console.ask("DELETE", &place, &admin, None).await.status(),
        404,
        "what somebody else watches is theirs to end"
    );
    assert_eq!(
        console
            .ask("DELETE", &place, &observer, None)
            .await
            .status(),
        204
    );
    assert_eq!(
        console
            .ask("DELETE", &place, &observer, None)
            .await
            .status(),
        404
    );
    assert_eq!(
        console
            .ask("POST", MARKET, &observer, offer("v=0"))
            .await
            .status(),
        201
    );
    let watching = || console.cameras.watching.lock().unwrap().clone();
    assert_eq!(watching().len(), 2);
    console.ask("DELETE", SESSION, &observer, None).await;
    assert_eq!(watching().len(), 1, "the admin's");
}

#[tokio::test]
async fn who_watches_and_asks_for_nothing_more_is_out_when_the_session_expires() {
    let console = Console::with_sessions_of(Duration::from_secs(2));
    let cookie = console.log_in("observer").await;
    let watching = console.ask("POST", MARKET, &cookie, offer("v=0")).await;
    assert_eq!(watching.status(), 201);
    while !console.cameras.watching.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(console.get(SESSION, &cookie).await.status(), 401);
}

#[tokio::test]
async fn without_accounts_there_is_a_status_and_no_console() {
    let settings = Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        console: None,
    };
    let cameras = Arc::new(Cameras::default());
    let server = Server::start(settings, cameras).unwrap();
    for (path, status) in [
        ("/api/v1/status", 200),
        (SESSION, 404),
        (MARKET, 404),
        ("/", 404),
    ] {
        let answer = reqwest::get(format!("{}{path}", server.url()))
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
}

#[tokio::test]
async fn over_tls_a_browser_is_told_to_stay_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(path("no.pem"), "no key").unwrap();
    let start = |key: &str| {
        let cameras = Arc::new(Cameras::default());
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            console: Some(ConsoleSettings {
                users: path("users.toml"),
                tls: Some((path("cert.pem"), path(key))),
                audit: Audit::start(
                    audit::Settings::in_folder(path(&format!("audit for {key}"))),
                    Arc::new(SystemClock::new()),
                )
                .unwrap(),
                session: Duration::from_secs(3600),
                clock: Arc::new(SystemClock::new()),
            }),
        };
        Server::start(settings, cameras)
    };
    for unfit in ["no.pem", "missing.pem", "cert.pem"] {
        let said = start(unfit).unwrap_err().to_string();
        assert!(said.contains("TLS with"), "{unfit}: {said}");
    }
    let server = start("key.pem").unwrap();
    assert!(server.url().starts_with("https://"));
    let port = server.address().port();
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .tls_certs_only([trusted])
        .build()
        .unwrap();
    let page = client
        .get(format!("https://localhost:{port}/healthz"))
        .send()
        .await
        .unwrap();
    assert!(page.headers().contains_key("strict-transport-security"));
    let plain = client
        .get(format!("http://localhost:{port}/healthz"))
        .send()
        .await;
    assert!(plain.is_err(), "nothing is served in the clear");
    // No file of accounts: nobody is let in, and the gateway serves on.
    let url = format!("https://localhost:{port}{SESSION}");
    let (kind, body) = login("admin", PASSWORD).unwrap();
    let refused = client
        .post(url)
        .header(CONTENT_TYPE, kind)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
}

#[tokio::test]
async fn what_people_do_is_recorded_before_they_are_answered() {
    let console = Console::start();
    let admin = console.log_in("admin").await;
    console
        .ask("POST", SESSION, "", login("observer", "a wrong password"))
        .await;
    let body = login("a password in the wrong place", "x");
    console.ask("POST", SESSION, "", body).await;
    let observer = console.log_in("observer").await;
    let watching = console.ask("POST", MARKET, &observer, offer("v=0")).await;
    assert_eq!(watching.status(), 201);
    let harbour = "/api/v1/cameras/harbour/whep";
    console.ask("POST", harbour, &observer, offer("v=0")).await;
    console.ask("DELETE", SESSION, &observer, None).await;
    let officer = console.log_in("officer").await;
    console.get("/api/v1/audit/export", &officer).await;

    let folder = console.audit.folder().to_owned();
    let found = audit::search(&folder, &audit::Filter::default(), 100).unwrap();
    let said: Vec<String> = found
        .records
        .iter()
        .rev()
        .filter(|r| r.origin == "127.0.0.1" && r.action != "unwatch")
        .map(|r| format!("{} {} {} {}", r.actor, r.action, r.object, r.result.name()))
        .collect();
    assert_eq!(
        said,
        [
            "admin log-in session done",
            "observer log-in session refused",
            "unknown log-in session refused",
            "observer log-in session done",
            "observer watch camera market done",
            "observer request POST /api/v1/cameras/harbour/whep refused",
            "observer log-out session done",
            "officer log-in session done",
            "officer audit-export audit log done",
        ]
    );
    let report = audit::verify(&folder, audit::Asked::default(), &|| true).unwrap();
    assert!(report.is_whole(), "{report:?}");

    // The same through the API, in parts, and by what they say.
    let ask = async |question: &str| {
        let path = format!("/api/v1/audit?{question}");
        let answer = console.get(&path, &admin).await;
        assert_eq!(answer.status(), 200, "{question}");
        json_of(answer).await
    };
    let page = ask("limit=2&actor=observer&action=log-in").await;
    let records = page["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["result"], "done");
    assert_eq!(records[1]["detail"]["why"], "wrong name or password");
    let next = page["next_before_seq"].as_u64().unwrap();
    let page = ask(&format!("before_seq={next}&actor=observer&action=log-in")).await;
    assert_eq!(
        (
            page["records"].as_array().unwrap().len(),
            &page["next_before_seq"]
        ),
        (0, &Value::Null)
    );
    for (question, count) in [
        ("object=harbour", 1),
        ("result=refused&actor=unknown", 1),
        ("from=2200-01-01T00:00:00Z", 0),
        ("to=2000-01-01T01:00:00%2B01:00", 0),
        ("action=unwatch&actor=observer&object=camera%20market", 1),
    ] {
        let page = ask(question).await;
        assert_eq!(
            page["records"].as_array().unwrap().len(),
            count,
            "{question}"
        );
    }
    for wrong in [
        "limit=x",
        "from=yesterday",
        "result=maybe",
        "seq=1",
        "before_seq=-1",
    ] {
        let answer = console.get(&format!("/api/v1/audit?{wrong}"), &admin).await;
        assert_eq!(answer.status(), 400, "{wrong}");
        error_of(answer).await;
    }
    while ask("limit=1").await["verified"]["state"] == "unknown" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask("limit=1").await["verified"]["state"], "whole");

    let answer = console.get("/api/v1/audit/export", &admin).await;
    let head = answer.headers()["content-disposition"].to_str().unwrap();
    assert!(head.starts_with("attachment"), "{head}");
    let lines = answer.text().await.unwrap();
    let file = std::fs::read_to_string(folder.join("audit-000001.jsonl")).unwrap();
    assert!(file.starts_with(&lines) && lines.lines().count() > 10);
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(
        (last["actor"].as_str(), last["action"].as_str()),
        (Some("admin"), Some("audit-export"))
    );
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_done() {
    let console = Console::start();
    let observer = console.log_in("observer").await;
    // Every write of the head fails as on a full disk.
    let part = console.audit.folder().join("audit.head.part");
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let cannot = "this cannot be recorded in the audit log, so it is not done";
    let answer = console
        .ask("POST", SESSION, "", login("admin", PASSWORD))
        .await;
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers().contains_key(SET_COOKIE)
        ),
        (503, false)
    );
    assert_eq!(error_of(answer).await, cannot);
    let answer = console.ask("POST", MARKET, &observer, offer("v=0")).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(error_of(answer).await, cannot);
    assert!(console.cameras.watching.lock().unwrap().is_empty());
    let again = console
        .ask("POST", SESSION, "", login("admin", "a wrong one"))
        .await;
    assert_eq!(again.status(), 401);
    assert_eq!(console.get(SESSION, &observer).await.status(), 200);
    std::fs::remove_file(part).unwrap();
    console.log_in("admin").await;
    let folder = console.audit.folder();
    let report = audit::verify(folder, audit::Asked::default(), &|| true).unwrap();
    assert!(report.is_whole(), "{report:?}");
    let logins = audit::Filter {
        action: Some("log-in".into()),
        ..audit::Filter::default()
    };
    let found = audit::search(folder, &logins, 100).unwrap().records;
    assert_eq!(found.iter().filter(|r| r.actor == "admin").count(), 1);
}

#[tokio::test]
async fn changed_accounts_are_recorded() {
    let console = Console::start();
    // By then the accounts were read.
    console.log_in("admin").await;
    let mut users = Users::read(&console.users).unwrap();
    users.remove("observer");
    let hash = PasswordHash::of(&Secret::new("quite another one")).unwrap();
    users.set_password("officer", hash.clone());
    users
        .add(User {
            name: "anna".into(),
            password: hash,
            roles: vec![Role::Officer],
            cameras: vec!["*".into()],
        })
        .unwrap();
    users.write(&console.users).unwrap();
    let changes = audit::Filter {
        action: Some("accounts-changed".into()),
        ..audit::Filter::default()
    };
    let folder = console.audit.folder();
    let detail = loop {
        let found = audit::search(folder, &changes, 10).unwrap().records;
        match found.first() {
            Some(record) => break record.detail.clone(),
            None => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    assert_eq!(
        Value::Object(detail),
        json!({"added": ["anna"], "changed": ["officer"], "removed": ["observer"]})
    );
}
