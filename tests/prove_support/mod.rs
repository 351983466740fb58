//! Scenarios played short and small, with the real gateway as a child process.
//! Figures that depend on the machine's speed are judged by `make prove`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    unreachable_pub,
    reason = "a test that fails should fail loudly, and none uses all of it"
)]

use greyplane::clock::{Clock, SystemClock};
use greyplane::prove::{Report, Scenario, Staging, run};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Plays `tests/scenarios/<file>` for `seconds`, with what `change` makes of it; the viewer
/// saw frames.
pub fn play(file: &str, seconds: f64, change: impl FnOnce(&mut Scenario)) -> Report {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/scenarios")
        .join(file);
    let mut scenario = Scenario::load(&path).unwrap();
    scenario.last(seconds);
    // Small pictures leave the machine time for everything else; at fewer bits the camera's
    // compression carries private places beyond their zones (design/007).
    scenario.camera.width = 640;
    scenario.camera.height = 360;
    scenario.camera.bitrate_kbps = 4000;
    change(&mut scenario);
    let staging = Staging {
        program: env!("CARGO_BIN_EXE_greyplane").into(),
        keep: None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let report = run(&scenario, &staging, &clock, &AtomicBool::new(false), |_| {}).unwrap();
    eprintln!("{file}: {} {:?}", report.line(), report.covered_s);
    assert!(report.frames_seen > 0, "{file}: {report:#?}");
    report
}

/// The same, of which nothing private may be seen though there was something to hide.
pub fn play_hidden(file: &str, seconds: f64, change: impl FnOnce(&mut Scenario)) -> Report {
    let report = play(file, seconds, change);
    assert_eq!(report.canary_frames, 0, "{file}: {report:#?}");
    assert!(report.private_frames > 0, "{file}: {report:#?}");
    report
}
