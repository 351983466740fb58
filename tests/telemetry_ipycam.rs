//! Telemetry against PyPI's ipycam: as shipped its GetStatus is malformed and
//! must be refused calmly; patched it is an ordinary camera.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should fail loudly, one that is skipped should say so"
)]

use greyplane::clock::SystemClock;
use greyplane::onvif::OnvifSettings;
use greyplane::pose::CameraProfile;
use greyplane::secret::Secret;
use greyplane::telemetry::{Source, Telemetry, TelemetryItem, TelemetrySettings};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

/// ipycam's ONVIF half in a process of its own; ends with its standard input.
struct Peer {
    process: Child,
    port: u16,
}

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
        Some(Self { process, port })
    }

    /// The first item that `wanted` picks.
    fn first<T>(&self, wanted: impl Fn(TelemetryItem) -> Option<T>) -> T {
        let (items, heard) = sync_channel(1024);
        let camera = OnvifSettings {
            device_url: format!("http://127.0.0.1:{}/onvif/device_service", self.port),
            user: "admin".to_owned(),
            password: Secret::new("admin"),
            profile_token: None,
            ca_pem: None,
            timeout_ms: 2000,
        };
        let settings = TelemetrySettings {
            source: Source::Onvif(camera),
            rate_hz: 20.0,
        };
        let profile =
            CameraProfile::from_toml(include_str!("fixtures/profile-generic.toml")).unwrap();
        let _telemetry = Telemetry::start(
            settings,
            Arc::new(profile),
            Arc::new(SystemClock::new()),
            move |item| {
                let _ = items.try_send(item);
            },
        )
        .unwrap();
        loop {
            if let Some(found) = wanted(heard.recv().unwrap()) {
                return found;
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

#[test]
fn as_shipped_it_is_refused_calmly() {
    let Some(peer) = Peer::start("shipped") else {
        return;
    };
    let refused = peer.first(|item| match item {
        TelemetryItem::Refused { reason, .. } => Some(reason),
        TelemetryItem::Sample(s) => panic!("believed {s:?}"),
        _ => None,
    });
    assert_eq!(refused.code(), "bad-position", "{refused}");
}

#[test]
fn patched_it_is_an_ordinary_camera() {
    let Some(peer) = Peer::start("patched") else {
        return;
    };
    let sample = peer.first(|item| match item {
        TelemetryItem::Sample(s) => Some(s),
        TelemetryItem::Refused { reason, .. } => panic!("{reason}"),
        TelemetryItem::Fault(detail) => panic!("{detail}"),
        _ => None,
    });
    // It stands at 0, 0, 0 of its generic space.
    assert!(sample.sample.pan_deg.abs() < 1e-9 && (sample.sample.tilt_deg + 35.0).abs() < 1e-9);
    assert_eq!(sample.clock.resolution_ns, 1_000_000);
}
