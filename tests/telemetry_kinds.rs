//! Positions over VAPIX, ISAPI and VISCA: what cameras answer, what becomes of it, how
//! near to the truth it is beside ONVIF, over TLS, and that no canary comes out.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should fail loudly"
)]

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri};
use axum::response::Response;
use greyplane::app::Gateway;
use greyplane::clock::{CaptureTime, Clock, SystemClock};
use greyplane::config;
use greyplane::onvif::OnvifSettings;
use greyplane::pose::clockwatch::ClockRules;
use greyplane::pose::profile::RawPosition;
use greyplane::pose::{CameraProfile, Evidence, HistoryRules, PoseSource};
use greyplane::secret::Secret;
use greyplane::sim::faults::{PositionFault, UtcFault};
use greyplane::sim::motion::script::Script;
use greyplane::sim::{Faults, Profile, Reports, Sim, SimConfig};
use greyplane::telemetry::visca::{Question, Reply, ViscaError};
use greyplane::telemetry::{
    AnswerTimes, ClockPromise, HttpSettings, Source, Telemetry, TelemetryItem, TelemetrySettings,
    ViscaSettings, isapi, vapix, visca,
};
use greyplane::users::{PasswordHash, Role, User, Users};
use std::collections::VecDeque;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const KINDS: [Reports; 4] = [
    Reports::Onvif,
    Reports::Vapix,
    Reports::Isapi,
    Reports::Visca,
];

fn profile_in(words: Reports) -> CameraProfile {
    let profile = Profile::of_reports(&SimConfig::default(), words);
    CameraProfile::from_toml(&profile.to_toml()).unwrap()
}

/// What becomes of every file in `folder`, in one line each; every file has its case.
fn check(folder: &str, cases: &[(&str, &str)], judge: impl Fn(&str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let mut names = Vec::new();
    let mut wrong = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let got = judge(&std::fs::read_to_string(path).unwrap());
        let expected = cases.iter().find(|c| c.0 == name).map(|c| c.1);
        let fits = expected.is_some_and(|e| match e.strip_suffix('*') {
            Some(start) => got.starts_with(start),
            None => got == e,
        });
        if !fits {
            wrong.push(format!("{name}: {got}"));
        }
        names.push(name);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(names.len(), cases.len(), "{names:?}");
}

fn mapped(words: Reports, read: Result<RawPosition, String>) -> String {
    let mapped = read.and_then(|raw| profile_in(words).map(&raw).map_err(|r| r.to_string()));
    match mapped {
        Ok(p) => format!(
            "pan {:.1} tilt {:.1} zoom {:.0}",
            p.pan_deg, p.tilt_deg, p.zoom
        ),
        Err(why) => why,
    }
}

#[test]
fn vapix_answers_are_mapped_or_refused_by_name() {
    let cases = [
        ("documented-position", "pan -2.5 tilt -21.2 zoom 1"),
        ("unnamed-line-feeds-alone", "pan 90.5 tilt -45.0 zoom 9999"),
        (
            "unnamed-error",
            "camera refuses: Error: The product does not support*",
        ),
        ("unnamed-no-zoom", "position refused: zoom missing"),
        ("unnamed-no-position", "answer is no position"),
        ("unnamed-not-a-number", "position refused: pan is NaN"),
        ("unnamed-comma-decimals", "pan is not a number: 10,5"),
        (
            "unnamed-out-of-range",
            "position refused: pan 361.2 outside -180…180",
        ),
        (
            "unnamed-zoom-zero",
            "zoom 0 is none: steps go from 1 to 9999",
        ),
        ("hostile-two-pans", "pan is given twice"),
        ("hostile-html", "answer is no position"),
        ("hostile-empty", "answer is no position"),
    ];
    check("vapix", &cases, |text| {
        mapped(
            Reports::Vapix,
            vapix::position(text).map_err(|e| e.to_string()),
        )
    });
}

#[test]
fn isapi_answers_are_mapped_or_refused_by_name() {
    let cases = [
        ("documented-ptz-status", "pan 178.2 tilt -45.0 zoom 10"),
        (
            "documented-response-status",
            "camera refuses: Invalid Operation, notSupport",
        ),
        ("unnamed-no-azimuth", "position refused: pan missing"),
        ("unnamed-empty-zoom", "absoluteZoom is not a number: "),
        ("unnamed-no-position", "answer lacks AbsoluteHigh"),
        ("unnamed-relative", "answer lacks AbsoluteHigh"),
        (
            "unnamed-out-of-range",
            "position refused: pan 36000 outside 0…3600",
        ),
        (
            "unnamed-zoom-beyond-calibration",
            "zoom 9990.000 not calibrated*",
        ),
        ("hostile-two-azimuths", "position refused: pan missing"),
        ("hostile-entity", "answer defines or uses entities"),
        ("hostile-html", "answer lacks PTZStatus"),
    ];
    check("isapi", &cases, |text| {
        mapped(
            Reports::Isapi,
            isapi::position(text).map_err(|e| e.to_string()),
        )
    });
}

#[test]
fn visca_datagrams_are_read_or_refused_by_name() {
    let cases = [
        ("documented-clevermic-4035-pan-tilt", "pan -1296 tilt 1296"),
        (
            "documented-brc-300-pan-tilt-five-digits",
            "pan 800 tilt 432",
        ),
        (
            "documented-not-executable",
            "camera refuses: VISCA error 41",
        ),
        (
            "documented-sequence-abnormality",
            "camera lost count of the messages",
        ),
        ("unnamed-answer-to-an-older-question", "passed over"),
        (
            "unnamed-zoom-in-place-of-pan-tilt",
            "reply is no answer to the question",
        ),
        (
            "unnamed-without-header",
            "reply is no answer to the question",
        ),
        ("hostile-full-bytes", "reply is no answer to the question"),
        ("hostile-length", "reply is no answer to the question"),
    ];
    check("visca", &cases, |text| {
        let byte = |b: &str| u8::from_str_radix(b, 16).unwrap();
        let datagram: Vec<u8> = text.split_whitespace().map(byte).collect();
        match visca::reply(&datagram, Question::PanTilt, 7) {
            None => "passed over".to_owned(),
            Some(Ok(Reply::PanTilt { pan, tilt })) => format!("pan {pan} tilt {tilt}"),
            Some(Ok(other)) => format!("{other:?}"),
            Some(Err(e @ (ViscaError::NotAnAnswer | ViscaError::LostCount))) => e.to_string(),
            Some(Err(e)) => e.to_string(),
        }
    });
}

/// How to ask `sim` in `words`; at `base` in place of its own address, where one is given.
fn source(sim: &Sim, words: Reports, base: Option<&str>, ca_pem: Option<&str>) -> Source {
    let http = || HttpSettings {
        device_url: base.unwrap_or(sim.http_url()).to_owned(),
        user: "operator".to_owned(),
        password: Secret::new("secret"),
        ca_pem: ca_pem.map(Into::into),
        channel: 1,
        timeout_ms: 1000,
        times: AnswerTimes::default(),
        promise: None,
    };
    match words {
        Reports::Onvif => Source::Onvif(OnvifSettings {
            device_url: match base {
                Some(base) => format!("{base}/onvif/device_service"),
                None => sim.onvif_url().to_owned(),
            },
            user: "operator".to_owned(),
            password: Secret::new("secret"),
            profile_token: None,
            ca_pem: ca_pem.map(Into::into),
            timeout_ms: 1000,
        }),
        Reports::Vapix => Source::Vapix(http()),
        Reports::Isapi => Source::Isapi(http()),
        Reports::Visca => Source::Visca(ViscaSettings {
            address: sim.visca_url().trim_start_matches("visca://").to_owned(),
            timeout_ms: 1000,
            times: AnswerTimes::default(),
            promise: ClockPromise {
                within: Duration::from_millis(5),
                kernel_keeps_clock: false,
            },
        }),
    }
}

fn simulated(faults: Faults, clock: &Arc<SystemClock>) -> Sim {
    let config = SimConfig {
        width: 320,
        height: 184,
        user: Some("operator".to_owned()),
        password: Some("secret".to_owned()),
        motion: Script::SlowPan {
            deg_per_s: 100.0,
            tilt_deg: -20.0,
            zoom: 0.0,
        },
        faults,
        ..SimConfig::default()
    };
    Sim::start(config, clock.clone()).unwrap()
}

/// One way of asking, and how near to the truth it came.
struct Watched {
    words: Reports,
    poses: Arc<PoseSource>,
    measured: Arc<Mutex<Vec<(f64, f64)>>>,
    _telemetry: Telemetry,
    known: usize,
    worst_share: f64,
    worst_error_deg: f64,
    worst_margin_deg: f64,
}

impl Watched {
    fn start(sim: &Sim, words: Reports, age_ms: u64, clock: &Arc<SystemClock>) -> Self {
        let profile = CameraProfile::from_toml(&sim.profile_in(words).to_toml()).unwrap();
        let profile = Arc::new(profile);
        let (history, clocks) = (HistoryRules::default(), ClockRules::default());
        let poses = Arc::new(PoseSource::new(profile.clone(), history, clocks, || {}));
        let measured = Arc::new(Mutex::new(Vec::new()));
        let (into, noted) = (poses.clone(), measured.clone());
        let mut source = source(sim, words, None, None);
        match &mut source {
            Source::Onvif(_) => {}
            Source::Vapix(s) | Source::Isapi(s) => s.times.age = Duration::from_millis(age_ms),
            Source::Visca(s) => s.times.age = Duration::from_millis(age_ms),
        }
        let settings = TelemetrySettings {
            source,
            rate_hz: 10.0,
        };
        let telemetry =
            Telemetry::start(settings, profile, clock.clone(), move |item| match item {
                TelemetryItem::Sample(s) => {
                    into.on_sample(&s);
                }
                TelemetryItem::Refused { reason, received } => into.on_refused(reason, received),
                TelemetryItem::Measured {
                    rate_hz,
                    lateness_ms,
                } => noted.lock().unwrap().push((rate_hz, lateness_ms)),
                TelemetryItem::Fault(detail) => println!("{words:?}: {detail}"),
                _ => {}
            })
            .unwrap();
        Self {
            words,
            poses,
            measured,
            _telemetry: telemetry,
            known: 0,
            worst_share: 0.0,
            worst_error_deg: 0.0,
            worst_margin_deg: 0.0,
        }
    }

    fn compare(&mut self, sim: &Sim, capture: CaptureTime, clock: &SystemClock) {
        let Evidence::Known(e) = self.poses.at(capture, clock.mono()) else {
            return;
        };
        self.known += 1;
        let truth = sim.pose_at(capture).unwrap().pose;
        let off = (e.pan.deg() - truth.pan_deg + 180.0).rem_euclid(360.0) - 180.0;
        self.worst_error_deg = self.worst_error_deg.max(off.abs());
        self.worst_margin_deg = self.worst_margin_deg.max(e.margin.angle.deg());
        self.worst_share = self.worst_share.max(off.abs() / e.margin.angle.deg());
    }

    /// Means over the seconds that were measured, but for the first two.
    fn rate_and_lateness(&self) -> (f64, f64) {
        let measured = self.measured.lock().unwrap();
        let seconds = measured.iter().skip(2);
        let n = seconds.clone().count().max(1) as f64;
        let sum = seconds.fold((0.0, 0.0), |s, m| (s.0 + m.0, s.1 + m.1));
        (sum.0 / n, sum.1 / n)
    }
}

/// At 100°/s, whoever tells the position.
fn the_truth_lies_within_the_margin(faults: Faults, age_ms: u64) {
    let clock = Arc::new(SystemClock::new());
    let sim = simulated(faults, &clock);
    let mut all = KINDS.map(|words| Watched::start(&sim, words, age_ms, &clock));
    // Frames that arrive 80 ms after capture and are asked for 200 ms later, as the
    // hold does. The camera's clock is this machine's.
    let (mut waiting, mut frames) = (VecDeque::new(), 0);
    for k in 0..300u64 {
        std::thread::sleep(Duration::from_millis(40));
        let capture = CaptureTime(clock.wall().0 - 80_000_000);
        let stream_ns = (capture.0 - 1_000_000_000_000_000_000) as u64;
        for one in &all {
            one.poses.on_frame_clock(capture, stream_ns, clock.mono());
        }
        waiting.push_back(capture);
        if waiting.len() > 5
            && let Some(capture) = waiting.pop_front()
            && k >= 125
        {
            frames += 1;
            for one in &mut all {
                one.compare(&sim, capture, &clock);
            }
        }
    }
    for one in &all {
        let (rate_hz, lateness_ms) = one.rate_and_lateness();
        println!(
            "{:?}: {rate_hz:.1} Hz, {lateness_ms:.0} ms late, known {}/{frames}, error {:.3}°, margin {:.2}°, share {:.2}",
            one.words, one.known, one.worst_error_deg, one.worst_margin_deg, one.worst_share
        );
        assert!(one.known > 0, "{:?}: nothing known", one.words);
        assert!(
            one.worst_share <= 1.0,
            "{:?}: {}° beyond the margin",
            one.words,
            one.worst_error_deg
        );
    }
}

#[test]
fn at_100_deg_per_s_every_kind_holds_the_truth_within_its_margin() {
    the_truth_lies_within_the_margin(Faults::default(), 0);
}

#[test]
fn so_does_a_camera_that_answers_late() {
    let late = Faults {
        delay_ms: 60.0,
        jitter_ms: 40.0,
        ..Faults::default()
    };
    the_truth_lies_within_the_margin(late, 0);
}

#[test]
fn so_does_one_that_reads_its_motors_at_25_hz() {
    let paced = Faults {
        telemetry_max_hz: 25.0,
        ..Faults::default()
    };
    the_truth_lies_within_the_margin(paced, 40);
}

/// What telemetry says, as it says it.
fn listen(source: Source, profile: CameraProfile) -> (Telemetry, Receiver<TelemetryItem>) {
    let (items, heard) = sync_channel(4096);
    let settings = TelemetrySettings {
        source,
        rate_hz: 20.0,
    };
    let clock = Arc::new(SystemClock::new());
    let telemetry = Telemetry::start(settings, Arc::new(profile), clock, move |item| {
        let _ = items.try_send(item);
    });
    (telemetry.unwrap(), heard)
}

/// Long enough for a busy machine; nothing is judged by how long it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first sample, or the first fault or refusal that contains `what`.
fn wait_for(heard: &Receiver<TelemetryItem>, what: Option<&str>) -> Vec<TelemetryItem> {
    let (mut all, mut seconds) = (Vec::new(), 0);
    loop {
        let item = heard.recv_timeout(PATIENCE);
        let item = item.unwrap_or_else(|_| panic!("never {what:?}; heard {all:?}"));
        let done = match (&item, what) {
            (TelemetryItem::Measured { .. }, _) => {
                seconds += 1;
                assert!(
                    seconds < PATIENCE.as_secs(),
                    "never {what:?}; heard {all:?}"
                );
                continue;
            }
            (TelemetryItem::Sample(_), None) => true,
            (TelemetryItem::Fault(detail), Some(what)) => detail.contains(what),
            (TelemetryItem::Refused { reason, .. }, Some(what)) => {
                reason.to_string().contains(what)
            }
            _ => false,
        };
        all.push(item);
        if done {
            return all;
        }
    }
}

#[test]
fn what_is_no_position_gives_no_sample() {
    let position = |position: PositionFault| Faults {
        position,
        ..Faults::default()
    };
    let no_time = Faults {
        utc: UtcFault::Missing,
        ..Faults::default()
    };
    let visca = "reply is no answer";
    for (faults, said) in [
        (
            position(PositionFault::Missing),
            ["no position", "pan missing", "VISCA error 41"],
        ),
        (
            position(PositionFault::MissingZoom),
            ["zoom missing", "zoom missing", "VISCA error 41"],
        ),
        (
            position(PositionFault::Nan),
            ["zoom NaN is none", "pan is NaN", visca],
        ),
        (
            position(PositionFault::OutOfRange),
            ["outside", "outside", "outside"],
        ),
        (no_time, ["no time stamp", "no time stamp", ""]),
    ] {
        let clock = Arc::new(SystemClock::new());
        let sim = simulated(faults, &clock);
        for (words, said) in KINDS[1..].iter().zip(said) {
            if said.is_empty() {
                continue;
            }
            let profile = CameraProfile::from_toml(&sim.profile_in(*words).to_toml()).unwrap();
            let (_telemetry, heard) = listen(source(&sim, *words, None, None), profile);
            let all = wait_for(&heard, Some(said));
            let sampled = all.iter().any(|i| matches!(i, TelemetryItem::Sample(_)));
            assert!(!sampled, "{words:?}: {all:?}");
        }
    }
}

#[test]
fn who_is_not_let_in_is_told_so() {
    let clock = Arc::new(SystemClock::new());
    let sim = simulated(Faults::default(), &clock);
    for words in [Reports::Vapix, Reports::Isapi] {
        let mut source = source(&sim, words, None, None);
        if let Source::Vapix(s) | Source::Isapi(s) = &mut source {
            s.password = Secret::new("wrong");
        }
        let (_telemetry, heard) = listen(source, profile_in(words));
        let all = wait_for(&heard, Some("user or password is wrong"));
        assert!(
            !all.iter().any(|i| matches!(i, TelemetryItem::Sample(_))),
            "{all:?}"
        );
    }
}

/// Hands requests on from TLS to the camera, as an encrypting camera would take them.
async fn forward(
    State((client, to)): State<(reqwest::Client, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut request = client.request(method, format!("{to}{uri}")).body(body);
    for name in ["authorization", "content-type"] {
        if let Some(value) = headers.get(name) {
            request = request.header(name, value.as_bytes());
        }
    }
    let Ok(answer) = request.send().await else {
        return Response::builder()
            .status(StatusCode::BAD_GATEWAY)
            .body(Body::empty())
            .unwrap();
    };
    let mut response = Response::builder().status(answer.status().as_u16());
    for name in ["date", "content-type", "www-authenticate"] {
        if let Some(value) = answer.headers().get(name) {
            let name = HeaderName::from_static(name);
            response = response.header(name, value.as_bytes());
        }
    }
    let bytes = answer.bytes().await.unwrap();
    response.body(Body::from(bytes)).unwrap()
}

/// A CA of our own, and what it signed for 127.0.0.1: (CA, certificate, key), PEM.
fn signed() -> (String, String, String) {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    let mut ca = CertificateParams::new(Vec::<String>::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let camera = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let camera = camera.signed_by(&key, &issuer).unwrap();
    (ca_pem, camera.pem(), key.serialize_pem())
}

#[test]
fn only_the_named_ca_is_trusted() {
    let clock = Arc::new(SystemClock::new());
    let sim = simulated(Faults::default(), &clock);
    let (ca, certificate, key) = signed();
    let (other_ca, ..) = signed();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(forward);
    let router = router.with_state((reqwest::Client::new(), sim.http_url().to_owned()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let config = axum_server::tls_rustls::RustlsConfig::from_pem(certificate.into(), key.into());
    let config = runtime.block_on(config).unwrap();
    let _entered = runtime.enter();
    let server = axum_server::from_tcp_rustls(listener, config).unwrap();
    runtime.spawn(server.serve(router.into_make_service()));
    for words in [Reports::Onvif, Reports::Vapix, Reports::Isapi] {
        let profile = || CameraProfile::from_toml(&sim.profile_in(words).to_toml()).unwrap();
        for wrong in [None, Some(other_ca.as_str())] {
            let (_telemetry, heard) = listen(source(&sim, words, Some(&base), wrong), profile());
            let all = wait_for(&heard, Some("certificate"));
            let TelemetryItem::Fault(detail) = all.last().unwrap() else {
                panic!("{words:?}: {all:?}")
            };
            assert!(detail.contains("as ca_file"), "{words:?}: {detail}");
        }
        let (_telemetry, heard) = listen(source(&sim, words, Some(&base), Some(&ca)), profile());
        wait_for(&heard, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_camera_without_onvif_says_why_it_is_not_steered() {
    let clock = Arc::new(SystemClock::new());
    let sim = simulated(Faults::default(), &clock);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
         [console]\nusers = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:0\"\n\
         [[camera]]\nid = \"street\"\nmasks = \"street.json\"\nprofile = \"profile.toml\"\n\
         url = \"{}\"\nuser = \"operator\"\npassword_file = \"password\"\n\
         [camera.telemetry]\nkind = \"vapix\"\nposition_age_ms = 0\ndevice_url = \"{}\"\n\
         user = \"operator\"\npassword_file = \"password\"\n",
        sim.rtsp_url(),
        sim.http_url()
    );
    let profile = sim.profile_in(Reports::Vapix).to_toml();
    for (name, text) in [
        ("greyplane.toml", text),
        ("password", "secret\n".to_owned()),
        ("profile.toml", profile),
        ("street.json", sim.zones_json()),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    let mut users = Users::default();
    users
        .add(User {
            name: "iris".into(),
            password: PasswordHash::of(&Secret::new("grey & quiet")).unwrap(),
            roles: vec![Role::Integrator],
            cameras: vec!["*".into()],
        })
        .unwrap();
    users.write(&path("users.toml")).unwrap();
    let config = config::load(&path("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"));
    let gateway = Gateway::start(config, clock).unwrap();
    let api = format!("{}/api/v1", gateway.http_url());
    let client = reqwest::Client::new();
    let login = r#"{"user":"iris","password":"grey & quiet"}"#;
    let login = client
        .post(format!("{api}/session"))
        .header("content-type", "application/json")
        .body(login);
    let login = login.send().await.unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let asked = client
        .get(format!("{api}/cameras/street/steering"))
        .header("cookie", cookie);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 409);
    let words = answer.text().await.unwrap();
    assert!(
        words.contains("over VAPIX; steering needs ONVIF"),
        "{words}"
    );
    tokio::task::spawn_blocking(move || drop(gateway))
        .await
        .unwrap();
}
