//! `prove --url` on streams that greyplane had no part in.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails should fail loudly"
)]

use greyplane::clock::{Clock, SystemClock};
use greyplane::prove::{Rgb, WatchError, WatchReport, watch};
use greyplane::sim::motion::script::Script;
use greyplane::sim::{Sim, SimConfig};
use gstreamer::glib;
use gstreamer_rtsp_server as server;
use gstreamer_rtsp_server::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A server of one stream at a free port; ends when dropped.
struct Stream {
    main_loop: glib::MainLoop,
    thread: Option<std::thread::JoinHandle<()>>,
    url: String,
}

impl Stream {
    fn start(picture: &str) -> Self {
        gstreamer::init().unwrap();
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let rtsp = server::RTSPServer::new();
        rtsp.set_address("127.0.0.1");
        rtsp.set_service("0");
        let factory = server::RTSPMediaFactory::new();
        factory.set_launch(&format!(
            "( videotestsrc is-live=true {picture} ! video/x-raw,width=320,height=240,framerate=25/1 \
             ! x264enc tune=zerolatency speed-preset=ultrafast bitrate=500 ! rtph264pay name=pay0 )"
        ));
        rtsp.mount_points().unwrap().add_factory("/s", factory);
        rtsp.attach(Some(&context)).unwrap();
        let url = format!("rtsp://127.0.0.1:{}/s", rtsp.bound_port());
        let running = main_loop.clone();
        let thread = std::thread::spawn(move || {
            context.with_thread_default(|| running.run()).unwrap();
        });
        Self {
            main_loop,
            thread: Some(thread),
            url,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Quitting before it runs would be lost.
        while !self.main_loop.is_running() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        self.main_loop.quit();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn judged(url: &str, seconds: f64) -> Result<WatchReport, WatchError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let stop = AtomicBool::new(false);
    watch(url, Rgb([255, 0, 255]), seconds, &clock, &stop, |_, _| {})
}

#[test]
fn a_stream_is_judged_by_what_it_shows() {
    for (picture, clean) in [
        ("pattern=gradient", true),
        ("pattern=ball", true),
        ("pattern=smpte", false), // one of its bars is magenta
        ("pattern=solid-color foreground-color=0xffff00ff", false),
    ] {
        let stream = Stream::start(picture);
        let report = judged(&stream.url, 3.0).unwrap();
        assert!(report.leaks.frames_seen > 10, "{picture}: {report:?}");
        assert_eq!(report.is_clean(), clean, "{picture}: {report:?}");
        if !clean {
            assert_eq!(report.leaks.canary_frames, report.leaks.frames_seen);
            assert!(report.leaks.smallest_leak_px > Some(1000), "{report:?}");
        }
    }
}

/// The simulated street without canary, at a starved bitrate and in motion, has
/// nothing that could be taken for one; with canary its clear stream is full of it.
#[test]
fn the_clear_street_alarms_only_where_it_should() {
    for (canary, bitrate_kbps) in [(true, 4000), (false, 4000), (false, 1000)] {
        let config = SimConfig {
            canary,
            bitrate_kbps,
            width: 640,
            height: 360,
            motion: Script::PresetJumps {
                every_s: 1.5,
                places: Vec::new(),
            },
            ..SimConfig::default()
        };
        let sim = Sim::start(config, Arc::new(SystemClock::new())).unwrap();
        let report = judged(sim.rtsp_url(), 5.0).unwrap();
        assert!(report.leaks.frames_seen > 10, "{report:?}");
        assert_eq!(report.is_clean(), !canary, "{bitrate_kbps}: {report:?}");
    }
}

#[test]
fn no_stream_is_no_clean_stream() {
    // Nobody listens on the discard port of the loopback.
    let error = judged("rtsp://user:secret@127.0.0.1:9/s", 1.5).unwrap_err();
    assert!(matches!(error, WatchError::NoFrames { .. }), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
