//! A gateway with a console before a simulated street, for people in Chromium.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use greyplane::config;
use greyplane::secret::Secret;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{Sim, SimConfig};
use greyplane::users::{PasswordHash, Role, User, Users};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

pub const PASSWORD: &str = "a password for tests";

/// A small street with canary pixels in its private places.
pub fn street(motion: Script) -> SimConfig {
    SimConfig {
        id: "street".into(),
        canary: true,
        width: 640,
        height: 360,
        metadata_hz: 0.0,
        motion,
        ..SimConfig::default()
    }
}

/// Looks down the street.
pub fn still() -> Script {
    Script::Still {
        at: Place {
            pan_deg: 0.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        },
    }
}

/// Looks along the whole street, to and fro.
pub fn sweep() -> Script {
    Script::Sweep {
        peak_deg_per_s: 20.0,
        amplitude_deg: 60.0,
        centre_pan_deg: 0.0,
        tilt_deg: -8.0,
        zoom: 0.0,
    }
}

/// A gateway before a street, as often as there are documents: (id, zones), and
/// one account for each of `people`. `console` are more keys of `[console]`.
pub fn configure(
    sim: &Sim,
    folder: &Path,
    documents: &[(&str, String)],
    people: &[(&str, Role)],
    console: &str,
) -> config::Config {
    let camera = |id: &str| {
        format!(
            "[[camera]]\nid = \"{id}\"\nurl = \"{}\"\nmasks = \"{id}.json\"\n\
             profile = \"street.profile.toml\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
            sim.rtsp_url(),
            sim.onvif_url()
        )
    };
    let cameras: String = documents.iter().map(|(id, _)| camera(id)).collect();
    let text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n[console]\n\
         users = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:0\"\n{console}\n{cameras}"
    );
    let profile = sim.profile().to_toml();
    let files = [("street.profile.toml", profile), ("greyplane.toml", text)];
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    for (id, document) in documents {
        fs::write(folder.join(format!("{id}.json")), document).unwrap();
    }
    let hash = PasswordHash::of(&Secret::new(PASSWORD)).unwrap();
    let mut users = Users::default();
    for (name, role) in people {
        let user = User {
            name: (*name).into(),
            password: hash.clone(),
            roles: vec![*role],
            cameras: vec!["*".into()],
        };
        users.add(user).unwrap();
    }
    users.write(&folder.join("users.toml")).unwrap();
    config::load(&folder.join("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"))
}

/// A script of `tests/browser`, to be given its arguments.
pub fn script(name: &str) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/browser")
        .join(name);
    let mut node = Command::new("node");
    node.arg(file);
    node
}

/// Runs a script to its end; the JSON that it writes.
pub fn report(mut script: Command) -> Value {
    let ran = script.output().unwrap();
    serde_json::from_slice(&ran.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ran.stderr)))
}
