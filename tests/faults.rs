//! Each fault once, with the real gateway: what must hold on any machine, however
//! slow. How soon the picture is back is judged by `make faults`.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

use greyplane::clock::{Clock, SystemClock};
use greyplane::prove::{Campaign, Fault, Scenario, Staging, run};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[test]
fn after_each_fault_the_picture_is_live_again_and_nothing_leaked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/faults/faults.toml");
    let mut scenario = Scenario::load(&path).unwrap();
    // It ends when every fault was played, long before.
    scenario.seconds = 900.0;
    scenario.camera.width = 320;
    scenario.camera.height = 184;
    scenario.camera.bitrate_kbps = 800;
    // Models are fetched by `make models`, not by tests.
    scenario.gateway.detect.clear();
    let faults: Vec<Fault> = Fault::ALL
        .into_iter()
        .filter(|fault| *fault != Fault::DetectorStarved)
        .collect();
    scenario.campaign = Some(Campaign {
        faults: faults.clone(),
        pairs: false,
        lasts_s: [1.5, 2.0],
        healthy_s: 1.5,
        // Generous: the player itself gives up after 90 s.
        live_within_s: 90.0,
        threads_growth_max: 100.0,
        fds_growth_max: 100.0,
        ..Campaign::default()
    });
    let staging = Staging {
        program: env!("CARGO_BIN_EXE_greyplane").into(),
        keep: None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let report = run(&scenario, &staging, &clock, &AtomicBool::new(false), |_| {}).unwrap();
    let campaign = report.campaign.as_ref().unwrap();
    for step in &campaign.steps {
        eprintln!("{step:?}");
    }
    assert_eq!(campaign.steps.len(), faults.len(), "{report:#?}");
    for step in &campaign.steps {
        assert!(step.live_again_s.is_some(), "{step:#?}");
        assert_eq!(step.remarks, [""; 0], "{step:#?}");
    }
    assert_eq!(report.canary_frames, 0, "{report:#?}");
    assert_eq!(report.late_frames, 0, "{report:#?}");
    assert_eq!(campaign.panics, 0, "{report:#?}");
    assert!(report.private_frames > 0, "{report:#?}");
}
