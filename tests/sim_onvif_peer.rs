//! The simulated camera satisfies a strict ONVIF client that is not ours:
//! onvif-zeep-async, which checks every answer against the published WSDL.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly, one that is skipped should say so"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use greyplane::clock::SystemClock;
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{Sim, SimConfig};
use serde_json::Value;

fn near(value: &Value, key: &str, expected: f64, tolerance: f64) {
    let got = value[key].as_f64().unwrap();
    assert!(
        (got - expected).abs() <= tolerance,
        "{key} of {value} is not {expected}"
    );
}

#[test]
fn onvif_zeep_async_drives_the_camera() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join(".venv/bin/python");
    if !python.exists() {
        eprintln!("skipped: .venv/bin/python is absent; `make test` makes it");
        return;
    }
    let sim = Sim::start(
        SimConfig {
            user: Some("admin".into()),
            password: Some("street & square".into()),
            width: 320,
            height: 184,
            motion: Script::Still {
                at: Place {
                    pan_deg: 0.0,
                    tilt_deg: -12.0,
                    zoom: 0.0,
                },
            },
            ..SimConfig::default()
        },
        Arc::new(SystemClock::new()),
    )
    .unwrap();
    let url = url::Url::parse(sim.onvif_url()).unwrap();
    let run = |password: &str| {
        Command::new(&python)
            .arg(root.join("tests/peers/onvif_client.py"))
            .args([url.host_str().unwrap(), &url.port().unwrap().to_string()])
            .args(["admin", password])
            .output()
            .unwrap()
    };
    let output = run("street & square");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["model"], "sim");
    assert_eq!(told["uri"], sim.rtsp_url());
    assert_eq!(told["profiles"], 1);
    assert_eq!(told["spaces"], 2);
    assert_eq!(told["home_supported"], true);
    assert_eq!(told["named"], serde_json::json!(["peer"]));
    assert_eq!(told["removed"], true);
    let space = "http://www.onvif.org/ver10/tptz/PanTiltSpaces/PositionGenericSpace";
    for (place, pan, tilt, zoom) in [
        ("absolute", 0.25, 0.5, 0.3),
        ("relative", 0.15, 0.6, 0.2),
        ("preset", 0.25, 0.5, 0.3),
    ] {
        let at = &told[place];
        assert_eq!(at["space"], space);
        near(at, "pan", pan, 1e-3);
        near(at, "tilt", tilt, 1e-3);
        near(at, "zoom", zoom, 1e-3);
    }
    let turned = told["continuous"]["pan"].as_f64().unwrap() - 0.15;
    assert!(turned > 0.05, "ContinuousMove turned by {turned}");

    let stranger = run("wrong");
    assert!(!stranger.status.success(), "a wrong password is refused");
}
