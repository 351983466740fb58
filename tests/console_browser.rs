//! The console in Chromium: a person logs in, and the page's own video elements
//! show masked pictures only. Needs `make web`, chromium and node.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::app::Gateway;
use greyplane::clock::{Clock, SystemClock};
use greyplane::config;
use greyplane::prove::{Canary, Rgb};
use greyplane::secret::Secret;
use greyplane::sim::motion::script::Script;
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};
use greyplane::users::{PasswordHash, Role, User, Users};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const PASSWORD: &str = "a password for tests";

/// A street that turns to and fro, twice before the gateway: as `masked` with
/// its private places, as `bare` with none.
fn configure(sim: &Sim, folder: &Path) -> config::Config {
    let camera = |id: &str| {
        format!(
            "[[camera]]\nid = \"{id}\"\nurl = \"{}\"\nmasks = \"{id}.json\"\n\
             profile = \"street.profile.toml\"\n[camera.telemetry]\ndevice_url = \"{}\"\n",
            sim.rtsp_url(),
            sim.onvif_url()
        )
    };
    let text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
         [console]\nusers = \"users.toml\"\nwebrtc_listen = \"127.0.0.1:0\"\n{}{}",
        camera("masked"),
        camera("bare")
    );
    let nothing = r#"{"format": 1, "camera": "bare", "nothing_private": "A test.", "zones": []}"#;
    let zones = sim.zones_json().replace("\"street\"", "\"masked\"");
    let files = [
        ("masked.json", zones),
        ("bare.json", nothing.to_owned()),
        ("street.profile.toml", sim.profile().to_toml()),
        ("greyplane.toml", text),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    let mut users = Users::default();
    users
        .add(User {
            name: "anna".into(),
            password: PasswordHash::of(&Secret::new(PASSWORD)).unwrap(),
            roles: vec![Role::Observer],
            cameras: vec!["*".into()],
        })
        .unwrap();
    users.write(&folder.join("users.toml")).unwrap();
    config::load(&folder.join("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"))
}

/// Pixels of a picture that show the canary, and of how many different greys
/// its middle row is made: a picture, not a plane.
fn look_at(picture: &Path) -> (usize, usize) {
    let canary = Canary::new(Rgb(CANARY_RGB)).unwrap();
    let picture = image::open(picture).unwrap().to_rgb8();
    let shows = |p: &&image::Rgb<u8>| {
        // BT.709, as the stream says of itself (ITU-T H.273, 8.3).
        let [r, g, b] = p.0.map(f64::from);
        let u = 128.0 - 0.1006 * r - 0.3386 * g + 0.4392 * b;
        let v = 128.0 + 0.4392 * r - 0.3989 * g - 0.0403 * b;
        canary.is_canary(u.round() as u8, v.round() as u8)
    };
    let middle = picture.height() / 2;
    let row: std::collections::BTreeSet<u8> = (0..picture.width())
        .map(|x| picture.get_pixel(x, middle).0[1])
        .collect();
    (picture.pixels().filter(shows).count(), row.len())
}

#[test]
fn whoever_watches_in_a_browser_sees_the_street_and_nothing_private() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let street = SimConfig {
        id: "street".into(),
        canary: true,
        width: 640,
        height: 360,
        metadata_hz: 0.0,
        motion: Script::Sweep {
            peak_deg_per_s: 20.0,
            amplitude_deg: 60.0,
            centre_pan_deg: 0.0,
            tilt_deg: -8.0,
            zoom: 0.0,
        },
        ..SimConfig::default()
    };
    let sim = Sim::start(street, clock.clone()).unwrap();
    let mut gateway = Gateway::start(configure(&sim, folder.path()), clock).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/wall.mjs");
    let ran = Command::new("node")
        .arg(script)
        .args([&gateway.http_url(), "anna", PASSWORD])
        .arg(folder.path())
        .args(["masked", "bare"])
        .output()
        .unwrap();
    gateway.stop();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(report["complaints"], serde_json::json!([]), "{report}");
    assert_eq!(report["hosts"].as_array().unwrap().len(), 1, "{report}");

    let mut shown = std::collections::BTreeMap::new();
    for camera in ["masked", "bare"] {
        for shot in 0..8 {
            let (canary, greys) = look_at(&folder.path().join(format!("{camera}-{shot}.png")));
            let sums: &mut (usize, usize) = shown.entry(camera).or_default();
            *sums = (sums.0 + canary, sums.1.max(greys));
        }
    }
    assert_eq!(shown["masked"].0, 0, "private pixels: {shown:?}");
    assert!(
        shown["bare"].0 > 100,
        "the test cannot see what is private: {shown:?}"
    );
    assert!(
        shown["masked"].1 > 20,
        "only a grey plane is shown: {shown:?}"
    );
}
