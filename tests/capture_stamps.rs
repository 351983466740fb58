//! Time stamps in the camera's RTP packets, through the gateway: what they are worth, and
//! what those that lie cannot do.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;
mod prove_support;

use greyplane::clock::SystemClock;
use greyplane::pipeline::{CameraPipeline, CaptureTimes, Transport};
use greyplane::sim::{Faults, Sim, SimConfig, StampFault, Stamps};
use pipeline_support::{Judge, Log, settings, start, until};
use prove_support::play_hidden;
use std::sync::Arc;
use std::thread;

/// A small camera whose sender reports come that often.
fn camera(stamps: Stamps, sender_report_ms: u32) -> Sim {
    let config = SimConfig {
        width: 320,
        height: 184,
        bitrate_kbps: 1000,
        metadata_hz: 0.0,
        sender_report_ms,
        stamps,
        ..SimConfig::default()
    };
    Sim::start(config, Arc::new(SystemClock::new())).unwrap()
}

fn gateway(sim: &Sim, transport: Transport) -> CameraPipeline {
    let mut wanted = settings(sim.rtsp_url());
    wanted.source.transport = transport;
    let log = Arc::new(Log::default());
    start(wanted, Judge::hiding(0.5, 0.5, 0.6, 0.6), &log)
}

fn lie(sim: &Sim, stamp: StampFault, stamp_offset_ms: f64) {
    let faults = Faults {
        stamp,
        stamp_offset_ms,
        ..sim.faults()
    };
    sim.set_faults(&faults).unwrap();
}

fn told(times: &CaptureTimes, by: &str) -> u64 {
    times.told.get(by).copied().unwrap_or(0)
}

fn untimed(times: &CaptureTimes, why: &str) -> u64 {
    times.untimed.get(why).copied().unwrap_or(0)
}

#[test]
fn a_camera_that_sends_no_reports_is_timed_by_its_packets() {
    for (stamps, transport, by) in [
        (Stamps::Ntp64, Transport::Tcp, "ntp-64"),
        (Stamps::Ntp64TwoByte, Transport::Udp, "ntp-64"),
        (Stamps::OnvifReplay, Transport::Tcp, "onvif-replay"),
    ] {
        let sim = camera(stamps, 60_000);
        let mut pipeline = gateway(&sim, transport);
        let times = until("fifty frames with a time", || {
            let times = pipeline.stats().captures;
            (told(&times, by) >= 50).then_some(times)
        });
        eprintln!("{stamps:?} over {transport:?}: {times:?}");
        assert_eq!(times.told.len(), 1, "{times:?}");
        assert_eq!(times.unreadable, 0);
        let newest = times.newest.unwrap();
        // Which is true.
        let there = sim.pose_at(newest.at.plus_seconds(0.001)).unwrap();
        let frame = sim.truth_of_frame(there.frame).unwrap();
        let off_ns = newest.at.0.abs_diff(frame.t_ns);
        assert!(off_ns < 100_000, "{off_ns} ns: {newest:?} {frame:?}");
        assert!(newest.within.as_millis() < 40, "{newest:?}");
        assert!(pipeline.stop());
    }
}

#[test]
fn stamps_and_reports_are_held_against_each_other() {
    let sim = camera(Stamps::Ntp64, 200);
    let mut pipeline = gateway(&sim, Transport::Tcp);
    let times = || pipeline.stats().captures;
    until("frames told by stamps", || {
        (told(&times(), "ntp-64") > 50).then_some(())
    });
    assert_eq!(untimed(&times(), "apart"), 0, "they agree: {:?}", times());
    // GStreamer must not write the stamps into what reports tell: then they agree for ever.
    lie(&sim, StampFault::No, 700.0);
    until("frames doubted", || {
        (untimed(&times(), "apart") > 50).then_some(())
    });
    let before = times();
    lie(&sim, StampFault::No, 0.0);
    until("frames told again", || {
        (told(&times(), "ntp-64") > told(&before, "ntp-64") + 50).then_some(())
    });
    assert_eq!(
        told(&times(), "sender-report"),
        told(&before, "sender-report")
    );
    assert!(pipeline.stop());
}

#[test]
fn stamps_that_cannot_be_are_doubted_or_passed_over() {
    let sim = camera(Stamps::Ntp64, 500);
    let mut pipeline = gateway(&sim, Transport::Tcp);
    let times = || pipeline.stats().captures;
    let healthy = || {
        lie(&sim, StampFault::No, 0.0);
        let before = told(&times(), "ntp-64");
        until("stamps that are believed", || {
            (told(&times(), "ntp-64") > before + 30).then_some(())
        });
    };
    healthy();
    for (fault, why) in [
        (StampFault::Frozen, "unsteady"),
        (StampFault::Differing, "contradictory"),
    ] {
        let before = untimed(&times(), why);
        lie(&sim, fault, 0.0);
        until(why, || (untimed(&times(), why) > before + 30).then_some(()));
        healthy();
    }
    for fault in [StampFault::Short, StampFault::Zero] {
        let before = times();
        lie(&sim, fault, 0.0);
        // First carried on from the last stamp, then from reports: never from those.
        until("unreadable stamps", || {
            let now = times();
            (now.unreadable > before.unreadable + 30).then_some(())
        });
        assert_eq!(times().newest.map(|n| n.by.name()), Some("ntp-64"));
        healthy();
    }
    lie(&sim, StampFault::Sparse, 0.0);
    let before = told(&times(), "ntp-64");
    until("frames between stamps", || {
        (told(&times(), "ntp-64") > before + 60).then_some(())
    });
    assert!(pipeline.stop());
}

#[test]
fn with_stamps_the_first_picture_need_not_wait_for_a_report() {
    let waited = |stamps| {
        let report = play_hidden("stamps-ntp64.toml", 10.0, |scenario| {
            scenario.camera.stamps = stamps;
            scenario.camera.sender_report_ms = 5000;
        });
        assert!(report.live_ratio > 0.0, "{report:#?}");
        let code = "no-capture-time";
        report.covered_s.get(code).copied().unwrap_or(0.0)
    };
    let (with, without) = thread::scope(|both| {
        let without = both.spawn(|| waited(Stamps::None));
        (waited(Stamps::Ntp64), without.join().unwrap())
    });
    eprintln!("without a capture time: {with:.2} s with stamps, {without:.2} s with reports");
    assert!(with < without, "{with} {without}");
}

#[test]
fn onvifs_stamps_place_zones_as_well() {
    let report = play_hidden("stamps-onvif.toml", 12.0, |_| {});
    assert!(report.live_ratio > 0.0, "{report:#?}");
}

#[test]
fn stamps_that_lie_show_nothing_private() {
    let report = play_hidden("stamps-lie.toml", 28.0, |_| {});
    assert!(report.live_ratio > 0.0, "{report:#?}");
    let doubted_s = report.covered_s.get("capture-time-doubted").copied();
    assert!(doubted_s > Some(0.0), "{report:#?}");
}

#[test]
fn zones_grow_by_what_two_sources_lie_apart() {
    // Were they not, 6 degrees of private places would be seen at 100 degrees a second.
    let report = play_hidden("stamps-beside.toml", 15.0, |_| {});
    assert!(report.live_ratio > 0.0, "{report:#?}");
}
