//! Faults reach those who look at the simulated camera from the network.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod sim_support;

use std::sync::Arc;
use std::time::Duration;

use greyplane::clock::{Clock, SystemClock};
use greyplane::sim::motion::script::{Place, Script};
use greyplane::sim::{Sim, SimConfig};
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use serde_json::{Value, json};

use sim_support::{PATIENCE, Packet, Session, http};

const STILL: Script = Script::Still {
    at: Place {
        pan_deg: 36.0,
        tilt_deg: -12.0,
        zoom: 0.25,
    },
};

fn start(motion: Script) -> Sim {
    let config = SimConfig {
        width: 320,
        height: 184,
        bitrate_kbps: 500,
        motion,
        ..SimConfig::default()
    };
    Sim::start(config, Arc::new(SystemClock::new())).unwrap()
}

/// Sets faults over the network; those not named are off.
fn fault(sim: &Sim, patch: &Value) {
    let url = format!("{}/faults", sim.control_url());
    let body = patch.to_string();
    let (status, said) = http("POST", &url, "application/json", &body, PATIENCE).unwrap();
    assert_eq!(status, 200, "{patch}: {said}");
}

fn ask_status(sim: &Sim, patience: Duration) -> Option<(u16, String)> {
    let url = sim.onvif_url().replace("device_service", "ptz_service");
    let body = r#"<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:t="http://www.onvif.org/ver20/ptz/wsdl"><s:Body><t:GetStatus><t:ProfileToken>main</t:ProfileToken></t:GetStatus></s:Body></s:Envelope>"#;
    http("POST", &url, "application/soap+xml", body, patience)
}

/// A GetStatus answer.
struct Status(String);

impl Status {
    fn of(sim: &Sim) -> Self {
        let (status, xml) = ask_status(sim, PATIENCE).unwrap();
        assert_eq!(status, 200, "{xml}");
        Self(xml)
    }

    /// What stands between two texts.
    fn between(&self, from: &str, to: &str) -> Option<&str> {
        self.0.split_once(from)?.1.split_once(to).map(|(a, _)| a)
    }

    fn pan(&self) -> Option<&str> {
        self.between(r#"<tt:PanTilt x=""#, "\"")
    }

    fn space(&self) -> Option<&str> {
        self.between("<tt:PanTilt x=", ">")?
            .split_once("space=\"")?
            .1
            .split('"')
            .next()
    }

    fn utc(&self) -> Option<&str> {
        self.between("<tt:UtcTime>", "<")
    }
}

#[test]
fn what_a_status_lacks_or_tells_wrong_is_seen() {
    let sim = start(STILL);
    let healthy = Status::of(&sim);
    assert_eq!(healthy.pan(), Some("0.200000"), "{}", healthy.0);
    assert!(healthy.space().unwrap().ends_with("/PositionGenericSpace"));
    assert!(healthy.utc().unwrap().contains('.'));
    assert!(healthy.0.contains("<tt:PanTilt>IDLE<"));
    assert!(healthy.0.contains("<tt:Zoom x=\"0.25"));
    type Sign = fn(&Status) -> bool;
    let cases: [(Value, Sign); 13] = [
        (json!({"position": "nan"}), |s| s.pan() == Some("NaN")),
        (json!({"position": "missing"}), |s| s.pan().is_none()),
        (json!({"position": "missing_zoom"}), |s| {
            s.pan().is_some() && !s.0.contains("<tt:Zoom x=")
        }),
        (json!({"position": "out_of_range"}), |s| {
            s.pan().unwrap().parse::<f64>().unwrap() > 1000.0
        }),
        (json!({"space": "other"}), |s| {
            s.space()
                .unwrap()
                .ends_with("/SphericalPositionSpaceDegrees")
        }),
        (json!({"space": "unknown"}), |s| {
            !s.space().unwrap().contains("onvif.org")
        }),
        (json!({"space": "missing"}), |s| {
            s.pan().is_some() && s.space().is_none()
        }),
        (json!({"utc": "missing"}), |s| s.utc().is_none()),
        (json!({"utc": "whole_seconds"}), |s| {
            !s.utc().unwrap().contains('.')
        }),
        (json!({"lie_pan_deg": 90.0}), |s| {
            s.pan() == Some("0.700000")
        }),
        (json!({"stuck_moving": true}), |s| {
            s.0.contains("<tt:PanTilt>MOVING<")
        }),
        (json!({"clock_step_s": 1e8}), |s| {
            s.utc().unwrap() > "2029" && s.utc().unwrap() < "2100"
        }),
        (json!({}), |s| s.pan() == Some("0.200000")),
    ];
    for (patch, sign) in cases {
        fault(&sim, &patch);
        let status = Status::of(&sim);
        assert!(sign(&status), "{patch}: {}", status.0);
    }
}

#[test]
fn frozen_and_seldom_telemetry_stands_still_while_the_camera_turns() {
    let sim = start(Script::SlowPan {
        deg_per_s: 20.0,
        tilt_deg: -20.0,
        zoom: 0.0,
    });
    for (patch, pan_goes_on, time_goes_on) in [
        (json!({}), true, true),
        (json!({"freeze": "position"}), false, false),
        (json!({"freeze": "with_fresh_time"}), false, true),
        (json!({"telemetry_max_hz": 0.001}), false, false),
    ] {
        fault(&sim, &json!({}));
        Status::of(&sim);
        fault(&sim, &patch);
        let first = Status::of(&sim);
        std::thread::sleep(Duration::from_millis(150));
        let second = Status::of(&sim);
        assert_eq!(first.pan() != second.pan(), pan_goes_on, "{patch}");
        assert_eq!(first.utc() != second.utc(), time_goes_on, "{patch}");
    }
}

#[test]
fn telemetry_is_late_or_lost() {
    let sim = start(STILL);
    let clock = SystemClock::new();
    fault(&sim, &json!({"delay_ms": 400.0}));
    let before = clock.mono();
    Status::of(&sim);
    let took = clock.mono().since(before);
    assert!(took >= Duration::from_millis(400), "answered in {took:?}");
    fault(&sim, &json!({"loss": 1.0}));
    assert_eq!(ask_status(&sim, Duration::from_secs(2)), None);
    fault(&sim, &json!({}));
    Status::of(&sim);
}

#[test]
fn a_restarted_camera_forgets_where_it_is() {
    let sim = start(STILL);
    let mut session = Session::play(sim.rtsp_url(), false).unwrap();
    session.until("video", |p| matches!(p, Packet::Media(..)));
    let url = format!("{}/restart", sim.control_url());
    assert_eq!(
        http("POST", &url, "text/plain", "", PATIENCE).unwrap().0,
        204
    );
    let (booting, _) = ask_status(&sim, PATIENCE).unwrap();
    assert_eq!(booting, 503);
    session.until("thrown out", |p| *p == Packet::End);
    let mut told = None;
    for _ in 0..300 {
        let (status, xml) = ask_status(&sim, PATIENCE).unwrap();
        if status == 200 {
            told = Some(Status(xml));
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let told = told.expect("it comes back");
    assert_eq!(told.pan(), Some("0.000000"), "{}", told.0);
    assert!(told.0.contains(r#"<tt:Zoom x="0.000000""#), "{}", told.0);
    let mut session = Session::play(sim.rtsp_url(), false).unwrap();
    session.until("video again", |p| matches!(p, Packet::Media(..)));
}

/// The share of `count` packets that are missing among those received.
fn lost(session: &mut Session, count: u16) -> f64 {
    let mut first = None;
    let mut received = 0u32;
    let mut span = 0;
    session.until("packets", |p| {
        if let Packet::Media(number, _) = *p {
            span = number.wrapping_sub(*first.get_or_insert(number));
            received += 1;
        }
        span >= count
    });
    1.0 - f64::from(received) / (f64::from(span) + 1.0)
}

#[test]
fn rtp_packets_get_lost() {
    let sim = start(STILL);
    for over_udp in [true, false] {
        let mut session = Session::play(sim.rtsp_url(), over_udp).unwrap();
        let healthy = lost(&mut session, 100);
        assert!(healthy < 0.02, "udp {over_udp}: {healthy} lost");
        fault(&sim, &json!({"rtp_loss": 0.3}));
        let faulty = lost(&mut session, 300);
        assert!(
            (0.1..0.5).contains(&faulty),
            "udp {over_udp}: {faulty} lost"
        );
        fault(&sim, &json!({}));
    }
}

#[test]
fn a_silent_stream_comes_back_on_the_same_connection() {
    let sim = start(STILL);
    let mut session = Session::play(sim.rtsp_url(), false).unwrap();
    for _ in 0..2 {
        session.until("video", |p| matches!(p, Packet::Media(..)));
        fault(&sim, &json!({"stream_stop": "silent"}));
        let mut quiet = false;
        let mut reports = 0;
        for _ in 0..2_000 {
            match session.next(Duration::from_secs(3)) {
                Packet::End => panic!("the connection ended"),
                Packet::Media(..) | Packet::Metadata(..) => reports = 0,
                Packet::Report | Packet::Other => reports += 1,
                Packet::Silence => quiet = true,
            }
            if quiet || reports == 3 {
                quiet = true;
                break;
            }
        }
        assert!(quiet, "video went on");
        fault(&sim, &json!({}));
    }
    session.until("video again", |p| matches!(p, Packet::Media(..)));
}

#[test]
fn a_refused_stream_comes_back_on_its_address() {
    let sim = start(STILL);
    for _ in 0..2 {
        let mut session = Session::play(sim.rtsp_url(), false).unwrap();
        session.until("video", |p| matches!(p, Packet::Media(..)));
        fault(&sim, &json!({"stream_stop": "refuse"}));
        session.until("thrown out", |p| *p == Packet::End);
        assert!(Session::play(sim.rtsp_url(), false).is_none(), "let in");
        fault(&sim, &json!({}));
    }
    let mut session = Session::play(sim.rtsp_url(), false).unwrap();
    session.until("video again", |p| matches!(p, Packet::Media(..)));
}

/// In time of the stream itself, so that a slow machine changes nothing: the
/// first report within 1.5 s, three within 10 s.
#[test]
fn sender_reports_come_at_once_and_regularly() {
    let sim = start(STILL);
    // Where reports go astray they do so in one session out of four.
    for round in 0..10 {
        let mut session = Session::play(sim.rtsp_url(), false).unwrap();
        let (mut first, mut at_s) = (None, 0.0);
        let mut reports = Vec::new();
        session.until("reports", |p| {
            match *p {
                Packet::Media(_, timestamp) => {
                    let ticks = timestamp.wrapping_sub(*first.get_or_insert(timestamp));
                    at_s = f64::from(ticks) / 90_000.0;
                }
                Packet::Report => reports.push(at_s),
                _ => {}
            }
            reports.len() == 3 || at_s > 10.0
        });
        assert_eq!(reports.len(), 3, "session {round}: {reports:?}");
        assert!(reports[0] <= 1.5, "session {round}: {reports:?}");
    }
}

#[test]
fn a_change_of_size_reaches_a_viewer() {
    let sim = start(STILL);
    let launch = format!(
        "rtspsrc location={} protocols=tcp latency=50 ! rtph264depay ! h264parse ! avdec_h264 \
         max-threads=1 ! appsink name=sink sync=false max-buffers=50",
        sim.rtsp_url()
    );
    let pipeline = gst::parse::launch(&launch)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink: AppSink = pipeline.by_name("sink").unwrap().downcast().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for (patch, wanted) in [
        (json!({}), (320, 184)),
        (json!({"size": [640, 368]}), (640, 368)),
        (json!({"size": [160, 96]}), (160, 96)),
        (json!({}), (320, 184)),
    ] {
        fault(&sim, &patch);
        let mut last = None;
        for _ in 0..500 {
            let sample = sink
                .try_pull_sample(gst::ClockTime::from_seconds(PATIENCE.as_secs()))
                .expect("the stream goes on");
            let caps = sample.caps().unwrap().structure(0).unwrap();
            let side = |name| caps.get::<i32>(name).unwrap();
            last = Some((side("width"), side("height")));
            if last == Some(wanted) {
                break;
            }
        }
        assert_eq!(last, Some(wanted), "{patch}");
    }
    pipeline.set_state(gst::State::Null).unwrap();
}
