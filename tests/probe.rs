//! `greyplane probe` against cameras that lie: the simulated one with its faults, oxvif's
//! mock, PyPI's ipycam, and things that are no camera.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should fail loudly, one that is skipped should say so"
)]

use greyplane::clock::{CaptureTime, Clock, SystemClock};
use greyplane::doctor::Verdict::{self, Bad, Doubt, Good};
use greyplane::probe::{ProbeSettings, Report, Turn, probe};
use greyplane::secret::Secret;
use greyplane::sim::config::PositionSpace;
use greyplane::sim::faults::{Freeze, PositionFault, SpaceFault, StreamStop, UtcFault};
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{Faults, Sim, SimConfig};
use oxvif::mock::MockServer;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

const USER: &str = "operator";
const PASSWORD: &str = "hunter2-secret";
const AT: Place = Place {
    pan_deg: 30.0,
    tilt_deg: -20.0,
    zoom: 0.2,
};

fn camera(config: SimConfig) -> Sim {
    let config = SimConfig {
        width: 320,
        height: 184,
        user: Some(USER.to_owned()),
        password: Some(PASSWORD.to_owned()),
        motion: Script::Still { at: AT },
        ..config
    };
    Sim::start(config, Arc::new(SystemClock::new())).unwrap()
}

fn settings(device_url: &str) -> ProbeSettings {
    ProbeSettings {
        device_url: device_url.to_owned(),
        user: USER.to_owned(),
        password: Secret::new(PASSWORD),
        ca_pem: None,
        profile_token: None,
        timeout_ms: 2000,
        rate_hz: 20.0,
        asks_for: Duration::from_millis(1200),
        // Long enough to connect; each case waits for it.
        looks_for: Duration::from_millis(100),
        turn: None,
    }
}

fn found(settings: &ProbeSettings) -> Report {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let stop = Arc::new(AtomicBool::new(false));
    let report = probe(settings, &clock, &stop, &|_| {}).unwrap();
    for finding in &report.findings {
        assert_eq!(
            finding.remedy.is_none(),
            finding.verdict == Good,
            "{finding:?}"
        );
        assert!(!format!("{finding:?}").contains(PASSWORD), "{finding:?}");
    }
    report
}

/// Whether something of this verdict and with these words was found.
fn has(report: &Report, check: &str, verdict: Verdict, words: &str) {
    let fits = report
        .findings
        .iter()
        .any(|f| f.check == check && f.verdict == verdict && f.what.contains(words));
    assert!(fits, "no {verdict:?} {check} with {words:?} in {report:#?}");
}

#[test]
fn a_healthy_camera_has_nothing_against_it() {
    let sim = camera(SimConfig::default());
    let mut settings = settings(sim.onvif_url());
    settings.looks_for = Duration::from_secs(6);
    let report = found(&settings);
    assert!(report.ok, "{report:#?}");
    has(&report, "device", Good, "greyplane sim, firmware 1.0");
    has(
        &report,
        "profiles",
        Good,
        "H264 320x184 25/s, 6000 kbit/s, turns",
    );
    has(&report, "anonymous", Good, "ONVIF wants a login");
    has(&report, "anonymous", Good, "RTSP wants a login");
    has(&report, "stream", Good, "H.264 320x184");
    has(&report, "capture-time", Good, "from sender reports");
    has(
        &report,
        "spaces",
        Doubt,
        "PositionGenericSpace: pan -1 … 1, tilt -1 … 1: not in degrees",
    );
    has(&report, "positions", Good, "pan 0.166667");
    has(&report, "utc-time", Good, "steps of 1 ms");
    has(&report, "clock", Good, "");
    has(&report, "reconnect", Good, "");
    has(&report, "move-status", Good, "IDLE");
    let head = report.head.unwrap();
    assert_eq!(head.positions[0].y, Some([-1.0, 1.0]));
    assert!(report.stream.unwrap().first_capture_time_s.is_some());
    assert!(report.positions.unwrap().rate_hz > 1.0);
}

#[test]
fn a_camera_that_lets_everybody_in_is_named() {
    let config = SimConfig {
        width: 320,
        height: 184,
        motion: Script::Still { at: AT },
        ..SimConfig::default()
    };
    let sim = Sim::start(config, Arc::new(SystemClock::new())).unwrap();
    let mut settings = settings(sim.onvif_url());
    settings.user = String::new();
    let report = found(&settings);
    has(
        &report,
        "anonymous",
        Doubt,
        "without a login the camera tells",
    );
    has(
        &report,
        "anonymous",
        Doubt,
        "without a login whoever reaches the camera",
    );
}

#[test]
fn each_lie_that_the_simulated_camera_knows_is_named() {
    let sim = camera(SimConfig::default());
    let quick = |faults: Faults, check: &str, verdict, words: &str| {
        sim.set_faults(&faults).unwrap();
        let mut settings = settings(sim.onvif_url());
        settings.timeout_ms = 700;
        settings.asks_for = Duration::from_millis(500);
        let report = found(&settings);
        has(&report, check, verdict, words);
        if verdict == Bad {
            assert!(!report.ok);
        }
    };
    let none = Faults::default;
    for (faults, check, verdict, words) in [
        (
            Faults {
                freeze: Freeze::Position,
                ..none()
            },
            "utc-time",
            Bad,
            "stood still",
        ),
        (
            Faults {
                utc: UtcFault::WholeSeconds,
                ..none()
            },
            "utc-time",
            Doubt,
            "whole seconds",
        ),
        (
            Faults {
                utc: UtcFault::Missing,
                ..none()
            },
            "utc-time",
            Bad,
            "do not say when",
        ),
        (
            Faults {
                telemetry_max_hz: 2.0,
                ..none()
            },
            "utc-time",
            Doubt,
            "older than the question",
        ),
        (
            Faults {
                position: PositionFault::Missing,
                ..none()
            },
            "positions",
            Bad,
            "lack pan and tilt",
        ),
        (
            Faults {
                position: PositionFault::MissingZoom,
                ..none()
            },
            "positions",
            Bad,
            "lack zoom",
        ),
        (
            Faults {
                position: PositionFault::Nan,
                ..none()
            },
            "positions",
            Bad,
            "that are none",
        ),
        (
            Faults {
                position: PositionFault::OutOfRange,
                ..none()
            },
            "positions",
            Bad,
            "outside -1 … 1",
        ),
        (
            Faults {
                space: SpaceFault::Unknown,
                ..none()
            },
            "spaces",
            Doubt,
            "does not list",
        ),
        (
            Faults {
                space: SpaceFault::Missing,
                ..none()
            },
            "spaces",
            Doubt,
            "name no space",
        ),
        (
            Faults {
                stuck_moving: true,
                ..none()
            },
            "move-status",
            Doubt,
            "MOVING all the time",
        ),
        (
            Faults {
                clock_step_s: 100.0,
                ..none()
            },
            "clock",
            Doubt,
            "ahead of ours",
        ),
        (
            Faults {
                delay_ms: 400.0,
                ..none()
            },
            "answer-time",
            Doubt,
            "answers take",
        ),
        (
            Faults {
                loss: 1.0,
                ..none()
            },
            "positions",
            Bad,
            "came to nothing",
        ),
        (
            Faults {
                stream_stop: StreamStop::Refuse,
                ..none()
            },
            "stream",
            Bad,
            "",
        ),
    ] {
        quick(faults, check, verdict, words);
    }
}

fn turned(sim: &Sim) -> Report {
    let mut settings = settings(sim.onvif_url());
    settings.asks_for = Duration::from_millis(300);
    settings.turn = Some(Turn::default());
    found(&settings)
}

/// Waits until the camera really stands where it stood.
fn stands_again(sim: &Sim) {
    for _ in 0..600 {
        let now = SystemClock::new().wall().0;
        let truth = sim.pose_at(CaptureTime(now - 50_000_000)).unwrap();
        let truth = serde_json::to_value(truth).unwrap();
        let off = |name: &str, there: f64| (truth[name].as_f64().unwrap() - there).abs();
        if off("pan_deg", AT.pan_deg) < 0.05 && off("tilt_deg", AT.tilt_deg) < 0.05 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it was not put back");
}

#[test]
fn a_camera_that_is_turned_a_little_follows_and_is_put_back() {
    for position_space in [PositionSpace::Generic, PositionSpace::Spherical] {
        let sim = camera(SimConfig {
            position_space,
            ..SimConfig::default()
        });
        let report = turned(&sim);
        has(&report, "follows", Good, "follows");
        has(&report, "precision", Good, "back where it began");
        has(&report, "put-back", Good, "stands again");
        let motion = report.motion.unwrap();
        assert!(motion.put_back && motion.sent == 12, "{motion:?}");
        stands_again(&sim);
    }
}

#[test]
fn a_position_that_is_frozen_under_fresh_stamps_shows_when_it_is_turned() {
    let sim = camera(SimConfig::default());
    sim.set_faults(&Faults {
        freeze: Freeze::WithFreshTime,
        ..Faults::default()
    })
    .unwrap();
    let report = turned(&sim);
    has(&report, "utc-time", Good, "");
    has(&report, "follows", Bad, "has not changed");
    assert!(!report.ok);
    stands_again(&sim);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn oxvifs_mock_tells_where_it_goes_at_once() {
    let server = MockServer::builder()
        .enforce_auth(true)
        .start()
        .await
        .unwrap();
    let mut settings = settings(server.device_url());
    settings.user = "admin".to_owned();
    settings.password = Secret::new("admin");
    settings.turn = Some(Turn::default());
    let asked = settings.clone();
    let report = tokio::task::spawn_blocking(move || found(&asked))
        .await
        .unwrap();
    has(&report, "utc-time", Doubt, "whole seconds");
    has(&report, "anonymous", Good, "ONVIF wants a login");
    // A head without mass.
    has(&report, "follows", Bad, "tells where it is going");
    has(&report, "put-back", Good, "");
    settings.password = Secret::new(PASSWORD);
    let refused = tokio::task::spawn_blocking(move || found(&settings))
        .await
        .unwrap();
    has(&refused, "reach", Bad, "FailedAuthentication");
    server.shutdown().await.unwrap();
}

/// ipycam's ONVIF half in a process of its own; ends with its standard input.
struct Peer(Child, u16);

impl Peer {
    /// `None`, and a line that says so, where `make test` made no `.venv`.
    fn start(kind: &str) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join(".venv/bin/python");
        let has_it = Command::new(&python)
            .args([
                "-c",
                "import importlib.util as u, sys; sys.exit(u.find_spec('ipycam') is None)",
            ])
            .status();
        if !has_it.is_ok_and(|s| s.success()) {
            println!("skipped: .venv has no ipycam (tests/peers/requirements-ipycam.txt)");
            return None;
        }
        let mut process = Command::new(python)
            .arg(root.join("tests/peers/ipycam_onvif.py"))
            .arg(kind)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().parse().unwrap();
        Some(Self(process, port))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

#[test]
fn ipycam_tells_no_time_and_stands_at_zero() {
    for (kind, check, verdict, words) in [
        ("shipped", "utc-time", Bad, "do not say when"),
        ("patched", "utc-time", Good, "steps of 1 ms"),
        ("patched", "positions", Doubt, "0, 0, 0 all the time"),
        ("patched", "accounts", Doubt, "as an administrator"),
    ] {
        let Some(peer) = Peer::start(kind) else {
            return;
        };
        let mut settings = settings(&format!("http://127.0.0.1:{}/onvif/device_service", peer.1));
        settings.user = "admin".to_owned();
        settings.password = Secret::new("admin");
        has(&found(&settings), check, verdict, words);
    }
}

/// A server that answers every connection with `answer`, or never.
fn server(answer: Option<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            match answer.clone() {
                Some(answer) => {
                    std::thread::spawn(move || {
                        let _ = stream.read(&mut [0; 4096]);
                        // Who has heard enough hangs up.
                        let _ = stream.write_all(&answer);
                    });
                }
                None => held.push(stream),
            }
        }
    });
    format!("http://{at}/onvif/device_service")
}

fn http(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

#[test]
fn what_is_no_camera_is_one_finding_with_a_remedy() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!(
            "http://{}/onvif/device_service",
            listener.local_addr().unwrap()
        )
    };
    let envelope = |inside: &str| format!("<Envelope><Body>{inside}</Body></Envelope>");
    for (url, words) in [
        (nobody, "no answer"),
        (server(None), "no answer in time"),
        (
            server(Some(http("<html><body>Welcome</body></html>"))),
            "answer lacks a SOAP body",
        ),
        (server(Some(http("It works!"))), ""),
        (
            server(Some(
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
            )),
            "HTTP 404",
        ),
        (server(Some(b"\x00\xff\x00garbage".to_vec())), "no answer"),
        (
            server(Some(http(&"<a>".repeat(3_500_000)))),
            "larger than 256 KiB",
        ),
        (
            server(Some(http(&envelope(
                "<Fault><faultstring>no</faultstring></Fault>",
            )))),
            "camera refuses",
        ),
        (
            "https://127.0.0.1:1/onvif/device_service".to_owned(),
            "no answer",
        ),
    ] {
        let mut settings = settings(&url);
        settings.timeout_ms = 300;
        let report = found(&settings);
        assert_eq!(report.findings.len(), 1, "{url}: {report:#?}");
        assert!(!report.ok);
        has(&report, "reach", Bad, words);
    }
}

fn typed(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_greyplane"))
        .args(["--log", "error", "probe"])
        .args(arguments)
        .env("PROBE_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn wrong_usage_is_told_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&[][..], "required"),
        (&["cam", "--find"], "cannot be used"),
        (&["u:pw-in-clear@cam"], "carries credentials"),
        (&["cam", "--user", "u"], "--password-file or --password-env"),
        (&["cam", "--user", "u", "--password-file", "none"], "none"),
        (&["cam", "--password-file", "none"], "--user"),
        (&["cam", "--rate", "1000"], "give 0.2 to 100"),
        (&["cam", "--seconds", "NaN"], "give 0.1 to 3600"),
        (&["cam", "--yes"], "--move"),
        (&["cam", "--move"], "nobody can answer here"),
        (&["rtsp://cam/"], "is no address"),
    ] {
        let output = typed(arguments, folder.path());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(
            said.contains(words) && !said.contains("pw-in-clear"),
            "{arguments:?}: {said}"
        );
    }
}

#[test]
fn whoever_sits_there_is_asked_before_the_camera_turns() {
    for (answer, code, words) in [
        ("n", 2, "not turned, nothing asked"),
        ("", 2, "not turned, nothing asked"),
        ("y", 1, "reach"),
    ] {
        // A terminal, by util-linux.
        let line = format!(
            "{} --log error probe 127.0.0.1:1 --move",
            env!("CARGO_BIN_EXE_greyplane")
        );
        let mut process = Command::new("script")
            .args(["-qec", &line, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut typing = process.stdin.take().unwrap();
        typing.write_all(format!("{answer}\n").as_bytes()).unwrap();
        let mut said = String::new();
        process
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        drop(typing);
        assert_eq!(process.wait().unwrap().code(), Some(code), "{said}");
        assert!(
            said.contains("Go on? [y/N]") && said.contains(words),
            "{said}"
        );
    }
}

#[test]
fn what_it_writes_is_what_check_accepts_and_is_never_overwritten() {
    let sim = camera(SimConfig::default());
    let folder = tempfile::tempdir().unwrap();
    let host = sim
        .onvif_url()
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap();
    let line = |json: &'static str| {
        let mut line = vec![host, "--user", USER, "--password-env", "PROBE_PASSWORD"];
        line.extend([
            "--seconds",
            "0.5",
            "--look-seconds",
            "6",
            "--write",
            "made",
            "--json",
            json,
        ]);
        line
    };
    let output = typed(&line("-"), folder.path());
    let said = String::from_utf8(output.stdout).unwrap();
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    assert_eq!(report["ok"], true);
    assert_eq!(report["device"]["model"], "sim");
    assert!(!said.contains(PASSWORD));
    let config = folder.path().join("made/greyplane.toml");
    let before = fs::read_to_string(&config).unwrap();
    assert!(
        !before.contains(PASSWORD) && before.contains("password_env"),
        "{before}"
    );
    let check = Command::new(env!("CARGO_BIN_EXE_greyplane"))
        .args(["check", "--config"])
        .arg(&config)
        .env("PROBE_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&check.stderr);
    assert_eq!(check.status.code(), Some(0), "{words}\n{before}");
    assert!(String::from_utf8_lossy(&check.stdout).contains("sim: turning camera, 1 zones"));
    // Again: what is there stays, and what was found is still told.
    let again = typed(&line("found.json"), folder.path());
    let words = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(1), "{words}");
    assert!(words.contains("not overwritten"), "{words}");
    assert_eq!(fs::read_to_string(&config).unwrap(), before);
    let kept = fs::read_to_string(folder.path().join("found.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&kept).unwrap()["ok"], true);
    let table = String::from_utf8_lossy(&again.stdout);
    assert!(
        table.contains("ok    device") && table.contains("It can be masked"),
        "{table}"
    );
}

#[test]
fn interrupted_it_puts_the_camera_back() {
    let mut config = SimConfig::default();
    // So slow that it is on its way for seconds.
    config.limits.max_speed_deg_per_s = 2.0;
    let sim = camera(config);
    let host = sim.onvif_url().to_owned();
    let mut process = Command::new(env!("CARGO_BIN_EXE_greyplane"))
        .args(["--log", "error", "probe", &host, "--user", USER])
        .args(["--password-env", "PROBE_PASSWORD", "--move", "--yes"])
        .args(["--seconds", "0.2", "--look-seconds", "0.2"])
        .env("PROBE_PASSWORD", PASSWORD)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let moved = (0..1200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        let truth = sim.pose_at(CaptureTime(SystemClock::new().wall().0 - 50_000_000));
        let truth = serde_json::to_value(truth).unwrap();
        (truth["pan_deg"].as_f64().unwrap() - AT.pan_deg).abs() > 0.5
    });
    let pid = process.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let mut said = String::new();
    process
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(1), "{said}");
    assert!(moved, "it never turned: {said}");
    assert!(
        said.contains("put-back") && said.contains("Broken off."),
        "{said}"
    );
    stands_again(&sim);
}

#[test]
fn looking_for_cameras_ends_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let output = typed(
        &["--find", "--look-seconds", "0.3", "--json", "-"],
        folder.path(),
    );
    // Where there is no network at all it says so.
    if output.status.success() {
        let list: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(list.is_array(), "{list}");
    } else {
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains("WS-Discovery"), "{words}");
    }
}
