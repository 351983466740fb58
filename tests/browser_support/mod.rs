//! A gateway with a console before a simulated street, for people in Chromium.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use crate::people_support::{settle, write_accounts};
use greyplane::config;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{Sim, SimConfig};
use greyplane::users::Role;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

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
    fs::write(folder.join("street.profile.toml"), sim.profile().to_toml()).unwrap();
    for (id, document) in documents {
        fs::write(folder.join(format!("{id}.json")), document).unwrap();
    }
    let people = people.iter().map(|(name, role)| (*name, *role, "*"));
    write_accounts(&folder.join("users.toml"), people);
    settle(folder, console, &cameras)
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
