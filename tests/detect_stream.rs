//! Faces in a stream, from a camera to a viewer: a drawn face with a mark on its
//! forehead walks through the picture; no viewer may see the mark.
//! `make models` must have run.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use greyplane::app::Gateway;
use greyplane::clock::{Clock, SystemClock};
use greyplane::config;
use greyplane::prove::{Rgb, WatchReport, watch};
use greyplane::sim::{CANARY_RGB, Sim, SimConfig};

/// A clip in which the drawn face, marked in the canary colour, walks to the right.
fn clip(into: &Path) {
    let face = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/selftest/face.png");
    let [r, g, b] = CANARY_RGB;
    let walk = format!(
        "[1]drawbox=x=73:y=52:w=14:h=14:color=0x{r:02x}{g:02x}{b:02x}:t=fill,format=yuv444p[f];\
         [0][f]overlay=x='40+20*t':y=100"
    );
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("color=c=0x808890:s=640x360:r=25:d=20")
        .arg("-i")
        .arg(face)
        .args(["-filter_complex", &walk])
        .args([
            "-c:v", "libx264", "-preset", "veryfast", "-b:v", "4M", "-bf", "0",
        ])
        .args(["-pix_fmt", "yuv420p"])
        .arg(into)
        .status()
        .expect("ffmpeg is one of the packages that `make system` installs");
    assert!(made.success());
}

/// What a viewer sees of the clip when the camera's configuration ends with `detect`.
fn watched(detect: &str) -> WatchReport {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    clip(&path("face.mp4"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let sim = SimConfig {
        clip: Some(path("face.mp4")),
        width: 640,
        height: 360,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim, clock.clone()).unwrap();
    fs::write(
        path("none.json"),
        r#"{"format": 1, "camera": "door", "nothing_private": "A test.", "zones": []}"#,
    )
    .unwrap();
    let text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\n\
         [[camera]]\nid = \"door\"\nurl = \"{}\"\nmasks = \"none.json\"\n{detect}",
        sim.rtsp_url()
    );
    fs::write(path("greyplane.toml"), text).unwrap();
    let config = config::load(&path("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"));
    let mut gateway = Gateway::start(config, clock.clone()).unwrap();
    let url = gateway.stream_url("door");
    let never = AtomicBool::new(false);
    let report = watch(&url, Rgb(CANARY_RGB), 6.0, &clock, &never, |_, _| {}).unwrap();
    gateway.stop();
    report
}

#[test]
fn a_face_that_walks_by_is_hidden_and_without_detection_it_is_seen() {
    let seen = watched("");
    assert!(seen.leaks.canary_frames > 0, "{seen:?}");
    // A busy machine looks less often; that may hide more, never less.
    let hidden = watched("[camera.detect]\nclasses = [\"face\"]\nmax_silence_ms = 500\n");
    assert!(hidden.leaks.frames_seen > 0, "{hidden:?}");
    assert_eq!(hidden.leaks.canary_frames, 0, "{hidden:?}");
}
