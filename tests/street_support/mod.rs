//! A simulated street behind a gateway, for viewers over TLS or in the clear.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use crate::players_support::{HEIGHT, WIDTH};
use crate::tls_support::{Authority, Gateway};
use greyplane::clock::SystemClock;
use greyplane::sim::{Sim, SimConfig};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// A viewer who may watch both cameras.
pub const LOGIN: (&str, &str) = ("observer", "geheim");
pub const VIEWERS: &str = r#"
[[viewer]]
user = "observer"
password_file = "password"
[[viewer]]
user = "yard-only"
password_file = "password"
cameras = ["yard"]
"#;

/// A simulated street with canaries, a yard whose camera is never there, and a
/// gateway in front of both.
pub struct Street {
    pub folder: tempfile::TempDir,
    _sim: Sim,
    pub gateway: Gateway,
    pub port: u16,
}

impl Street {
    /// `tls`: what stands in `[rtsp_tls]`; none: in the clear.
    pub fn start(viewers: &str, tls: Option<&str>, put: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sim_config = SimConfig {
            width: WIDTH,
            height: HEIGHT,
            canary: true,
            ..SimConfig::default()
        };
        let sim = Sim::start(sim_config, Arc::new(SystemClock::new())).unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("street.json"), sim.zones_json()).unwrap();
        fs::write(path("street.profile.toml"), sim.profile().to_toml()).unwrap();
        let yard =
            r#"{"format":1,"camera":"yard","nothing_private":"it is never there","zones":[]}"#;
        fs::write(path("yard.json"), yard).unwrap();
        fs::write(path("password"), "geheim\n").unwrap();
        put(folder.path());
        let tls = tls.map_or_else(String::new, |inside| format!("[rtsp_tls]\n{inside}\n"));
        let text = format!(
            r#"
[gateway]
rtsp_listen = "127.0.0.1:0"
http_listen = "127.0.0.1:0"
{tls}
{viewers}
[[camera]]
id = "yard"
url = "rtsp://127.0.0.1:9/yard"
masks = "yard.json"
[[camera]]
id = "street"
url = "{}"
masks = "street.json"
profile = "street.profile.toml"
[camera.telemetry]
device_url = "{}"
"#,
            sim.rtsp_url(),
            sim.onvif_url()
        );
        fs::write(path("greyplane.toml"), text).unwrap();
        let gateway = Gateway::start(&path("greyplane.toml"));
        let port = gateway.port();
        gateway.says("live camera=street");
        Self {
            folder,
            _sim: sim,
            gateway,
            port,
        }
    }

    /// With a certificate of `ca`, and viewers with passwords.
    pub fn with_passwords(ca: &Authority) -> Self {
        let files = "certificate = \"tls.crt\"\nkey = \"tls.key\"";
        Self::start(VIEWERS, Some(files), |folder| {
            ca.server("first").put(folder)
        })
    }
}
