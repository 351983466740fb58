//! A frame received over RTSP names, by sender reports, the instant whose pose
//! it shows.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails should fail loudly"
)]

use std::sync::Arc;

use greyplane::clock::{CaptureTime, SystemClock};
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{Faults, Sim, SimConfig, code};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;

/// A viewer that decodes and keeps the reports' capture times.
struct Viewer {
    pipeline: gst::Pipeline,
    sink: AppSink,
}

impl Viewer {
    fn connect(url: &str, credentials: &str, protocol: &str) -> Self {
        gst::init().unwrap();
        let launch = format!(
            "rtspsrc location={url} {credentials} protocols={protocol} latency=50 \
             add-reference-timestamp-meta=true ! rtph264depay ! h264parse ! avdec_h264 \
             max-threads=1 ! videoconvert ! video/x-raw,format=I420 \
             ! appsink name=sink sync=false max-buffers=50"
        );
        let pipeline = gst::parse::launch(&launch)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        let sink = pipeline.by_name("sink").unwrap().downcast().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        Self { pipeline, sink }
    }

    /// The next frame's number and, once known, its capture time.
    fn next(&self) -> Option<(Option<u32>, Option<CaptureTime>)> {
        let sample = self
            .sink
            .try_pull_sample(gst::ClockTime::from_seconds(15))?;
        let info = gstreamer_video::VideoInfo::from_caps(sample.caps()?).unwrap();
        let buffer = sample.buffer()?;
        let ntp = buffer
            .iter_meta::<gst::ReferenceTimestampMeta>()
            .find(|m| m.reference().to_string().starts_with("timestamp/x-ntp"))
            .map(|m| m.timestamp().nseconds());
        let map = buffer.map_readable().unwrap();
        let stride = usize::try_from(info.stride()[0]).unwrap();
        let height = info.height() as usize;
        let number = code::decode(&map[..stride * height], stride, height);
        Some((number, ntp.and_then(CaptureTime::from_ntp_ns)))
    }

    /// Frames with both a number and a capture time.
    fn stamped(&self, count: usize) -> Vec<(u32, CaptureTime)> {
        let mut frames = Vec::new();
        for _ in 0..count * 20 {
            if let (Some(number), Some(capture)) = self.next().expect("the stream goes on") {
                frames.push((number, capture));
                if frames.len() == count {
                    break;
                }
            }
        }
        frames
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        let _ = self.pipeline.set_state(gst::State::Null);
    }
}

fn config() -> SimConfig {
    SimConfig {
        width: 640,
        height: 360,
        bitrate_kbps: 2000,
        frame_code: true,
        motion: Script::Sweep {
            peak_deg_per_s: 100.0,
            amplitude_deg: 90.0,
            centre_pan_deg: 0.0,
            tilt_deg: -10.0,
            zoom: 0.0,
        },
        ..SimConfig::default()
    }
}

fn start(config: SimConfig) -> Sim {
    Sim::start(config, Arc::new(SystemClock::new())).unwrap()
}

/// Every frame's report time is its true capture time to 2 ms, and its pose is
/// the one of that time.
fn check(sim: &Sim, viewer: &Viewer, count: usize) {
    let frames = viewer.stamped(count);
    assert_eq!(frames.len(), count, "enough stamped frames");
    for (number, capture) in frames {
        let truth = sim.truth_of_frame(u64::from(number)).unwrap();
        let error_ms = (capture.0 - truth.t_ns) as f64 / 1e6;
        assert!(error_ms.abs() <= 2.0, "frame {number} is {error_ms} ms off");
        let by_time = sim.pose_at(capture).unwrap();
        assert!(
            (by_time.pose.pan_deg - truth.pose.pan_deg).abs() < 0.25,
            "frame {number}: {by_time:?} is not {truth:?}"
        );
    }
}

#[test]
fn sender_reports_tell_the_capture_time_over_tcp_and_udp() {
    for protocol in ["tcp", "udp"] {
        let sim = start(config());
        let viewer = Viewer::connect(sim.rtsp_url(), "", protocol);
        check(&sim, &viewer, 50);
    }
}

#[test]
fn a_second_viewer_and_a_third_get_the_same_times() {
    let sim = start(config());
    let first = Viewer::connect(sim.rtsp_url(), "", "tcp");
    check(&sim, &first, 10);
    let second = Viewer::connect(sim.rtsp_url(), "", "tcp");
    check(&sim, &second, 10);
    drop(second);
    let third = Viewer::connect(sim.rtsp_url(), "", "tcp");
    check(&sim, &third, 10);
    check(&sim, &first, 10);
}

#[test]
fn reports_follow_a_step_of_the_cameras_clock() {
    let sim = start(config());
    let viewer = Viewer::connect(sim.rtsp_url(), "", "tcp");
    check(&sim, &viewer, 5);
    sim.set_faults(&Faults {
        clock_step_s: 30.0,
        ..Faults::default()
    })
    .unwrap();
    // Frames received before the next report still carry the old mapping.
    let mut followed = false;
    for (number, capture) in viewer.stamped(75) {
        let truth = sim.truth_of_frame(u64::from(number)).unwrap();
        followed = (capture.0 - truth.t_ns).abs() < 2_000_000;
        if followed {
            break;
        }
    }
    assert!(followed, "no frame was told in the stepped clock");
}

#[test]
fn four_cameras_run_in_one_process_and_stop() {
    let sims: Vec<Sim> = (0..4).map(|_| start(config())).collect();
    let viewers: Vec<Viewer> = sims
        .iter()
        .map(|sim| Viewer::connect(sim.rtsp_url(), "", "tcp"))
        .collect();
    for (sim, viewer) in sims.iter().zip(&viewers) {
        check(sim, viewer, 5);
    }
}

#[test]
fn a_password_is_asked_for() {
    let sim = start(SimConfig {
        user: Some("viewer".into()),
        password: Some("s3cret".into()),
        motion: Script::Still {
            at: Place {
                pan_deg: 0.0,
                tilt_deg: -12.0,
                zoom: 0.0,
            },
        },
        ..config()
    });
    let viewer = Viewer::connect(sim.rtsp_url(), "user-id=viewer user-pw=s3cret", "tcp");
    check(&sim, &viewer, 3);
    let stranger = Viewer::connect(sim.rtsp_url(), "user-id=viewer user-pw=guess", "tcp");
    let message = stranger
        .pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(gst::ClockTime::from_seconds(10), &[gst::MessageType::Error]);
    assert!(message.is_some(), "a wrong password must be refused");
}
