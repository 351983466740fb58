//! The console's server over doubles of what it reaches: two cameras, and who
//! watches them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use crate::people_support::{PASSWORD, write_accounts};
use greyplane::archive::Version;
use greyplane::audit::{self, Audit};
use greyplane::clock::SystemClock;
use greyplane::users::Role;
use greyplane::web::{
    Answer, CameraPreset, CameraStatus, CameraView, CannotWatch, CaptureTimeStatus, ClearPicture,
    ConsoleSettings, Desk, DeskFault, Edit, Gateway, GatewayStatus, Grant, Holds, InForce, Live,
    LiveOver, Percentiles, Permit, PresetView, ProofQuestion, Reach, Server, Settings, SoundStatus,
    SteerFault, Steering, StillFault, Stills, Vouch, Watching, Wish,
};
use reqwest::header::{CONTENT_TYPE, COOKIE, HeaderMap, SET_COOKIE};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const SESSION: &str = "/api/v1/session";
pub const MARKET: &str = "/api/v1/cameras/market/whep";

/// What the routes meet in place of cameras: two of them, and who watches.
#[derive(Default)]
pub struct Cameras {
    pub watching: Mutex<BTreeSet<String>>,
}

impl Gateway for Cameras {
    fn status(&self) -> GatewayStatus {
        let camera = |id: &str| CameraStatus {
            id: id.into(),
            state: "live",
            code: None,
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
            capture_time: CaptureTimeStatus::default(),
            sound: SoundStatus::default(),
            telemetry_hz: None,
            telemetry_lateness_ms: None,
            metadata: None,
            detector: None,
            viewers: 0,
            publications: Vec::new(),
            read_back_failures: 0,
            streams: Vec::new(),
            presets: Vec::new(),
        };
        GatewayStatus {
            version: "0",
            rtsp_port: 0,
            cameras: ["market", "harbour"].map(camera).into(),
            buses: Vec::new(),
        }
    }

    fn metrics(&self) -> Result<String, std::fmt::Error> {
        Ok("# EOF\n".into())
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

    fn believe(&self, _: &str) -> Result<(), DeskFault> {
        Err(DeskFault::NotDoubted)
    }

    fn presets(&self, _: &str) -> Result<Vec<PresetView>, DeskFault> {
        Err(DeskFault::NoPreset)
    }

    fn verify(&self, _: &str, _: &str, _: &Vouch) -> Result<(), DeskFault> {
        Err(DeskFault::NoPreset)
    }

    fn withdraw(&self, _: &str, _: &str) -> Result<bool, DeskFault> {
        Err(DeskFault::NoPreset)
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
pub struct Console {
    pub cameras: Arc<Cameras>,
    pub server: Server,
    pub users: PathBuf,
    pub audit: Audit,
    pub client: reqwest::Client,
    pub _folder: tempfile::TempDir,
}

impl Console {
    pub fn start() -> Self {
        Self::with_sessions_of(Duration::from_secs(3600))
    }

    pub fn with_sessions_of(session: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("users.toml");
        let people = Role::ALL.map(|role| {
            let cameras = if role == Role::Admin { "*" } else { "market" };
            (role.name(), role, cameras)
        });
        write_accounts(&users, people);
        let cameras = Arc::new(Cameras::default());
        let audit = audit::Settings::in_folder(folder.path().join("audit"));
        let audit = Audit::start(audit, Arc::new(SystemClock::new())).unwrap();
        let settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            metrics_listen: None,
            console: Some(ConsoleSettings {
                users: users.clone(),
                audit: audit.clone(),
                holds: Holds::new(cameras.clone(), audit.clone(), Arc::new(SystemClock::new())),
                tls: None,
                session,
                clock: Arc::new(SystemClock::new()),
            }),
        };
        Self {
            server: Server::start(settings, cameras.clone()).unwrap(),
            cameras,
            users,
            audit,
            client: reqwest::Client::new(),
            _folder: folder,
        }
    }

    pub async fn ask(
        &self,
        method: &str,
        path: &str,
        cookie: &str,
        body: Option<Body>,
    ) -> Response {
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
    pub async fn upgrade(&self, path: &str, cookie: &str) -> Response {
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

    pub async fn get(&self, path: &str, cookie: &str) -> Response {
        self.ask("GET", path, cookie, None).await
    }

    /// Logs in; the cookie.
    pub async fn log_in(&self, name: &str) -> String {
        let answer = self.ask("POST", SESSION, "", login(name, PASSWORD)).await;
        assert_eq!(answer.status(), 200, "{name}");
        cookie_of(answer.headers())
    }
}

pub type Body = (&'static str, String);

pub fn login(name: &str, password: &str) -> Option<Body> {
    let body = json!({"user": name, "password": password}).to_string();
    Some(("application/json", body))
}

pub fn offer(text: &str) -> Option<Body> {
    Some(("application/sdp", text.into()))
}

pub fn cookie_of(headers: &HeaderMap) -> String {
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

pub async fn json_of(answer: Response) -> Value {
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

pub async fn error_of(answer: Response) -> String {
    let body = json_of(answer).await;
    body["error"].as_str().unwrap().to_owned()
}
