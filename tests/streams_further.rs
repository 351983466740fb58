//! Several streams of one camera: a simulated camera that turns serves the same picture in
//! two sizes, and both are masked alike, by one set of positions and zones. What goes wrong
//! with one of them leaves the other alone; what is wrong for both covers both.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that fails should fail loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greyplane::app::Gateway;
use greyplane::clock::{CaptureTime, Clock, SystemClock};
use greyplane::config;
use greyplane::prove::{Canary, Planes, Rgb};
use greyplane::sim::faults::Freeze;
use greyplane::sim::motion::script::Script;
use greyplane::sim::{CANARY_RGB, Faults, Sim, SimConfig, code};
use greyplane::web::CameraStatus;
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

/// Tries, 100 ms apart, that last longer than anything may take on a busy machine.
const TRIES: u32 = 900;
const MAIN: [usize; 2] = [1024, 576];
const SUB: [usize; 2] = [512, 288];
/// Points of a picture at which it is asked whether they are hidden.
const GRID: [usize; 2] = [256, 144];

/// A camera that sweeps over a street of private places in two sizes, and the gateway
/// before it.
struct Rig {
    sim: Sim,
    gateway: Gateway,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// With the true private places as zones, or with none.
    fn new(sub: [usize; 2], zones: bool) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let sim = SimConfig {
            width: MAIN[0],
            height: MAIN[1],
            sub: Some(sub),
            fps: 12,
            canary: true,
            frame_code: true,
            motion: Script::Sweep {
                peak_deg_per_s: 20.0,
                amplitude_deg: 60.0,
                centre_pan_deg: 0.0,
                tilt_deg: -10.0,
                zoom: 0.0,
            },
            ..SimConfig::default()
        };
        let sim = Sim::start(sim, clock.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let none =
            r#"{"format": 1, "camera": "street", "nothing_private": "A test.", "zones": []}"#;
        let masks = match zones {
            true => sim.zones_json(),
            false => none.to_owned(),
        };
        fs::write(path("street.json"), masks).unwrap();
        fs::write(path("street.profile.toml"), sim.profile().to_toml()).unwrap();
        let text = format!(
            "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\n\
             [[camera]]\nid = \"street\"\nurl = \"{}\"\nmasks = \"street.json\"\n\
             profile = \"street.profile.toml\"\n[camera.telemetry]\ndevice_url = \"{}\"\n\
             [camera.onvif_device]\nlisten = \"127.0.0.1:0\"\n\
             [[camera.stream]]\nname = \"sub\"\nurl = \"{}\"\n",
            sim.rtsp_url(),
            sim.onvif_url(),
            sim.sub_url().unwrap(),
        );
        fs::write(path("greyplane.toml"), text).unwrap();
        let config = config::load(&path("greyplane.toml")).unwrap_or_else(|e| panic!("{e}"));
        let gateway = Gateway::start(config, clock).unwrap();
        Self {
            sim,
            gateway,
            _folder: folder,
        }
    }

    fn status(&self) -> CameraStatus {
        self.gateway.status().cameras.remove(0)
    }

    fn watch(&self, stream: &str) -> Viewer {
        Viewer::open(&self.gateway.stream_url(stream))
    }

    fn wait(&self, what: &str, enough: impl Fn(&CameraStatus) -> bool) -> CameraStatus {
        for _ in 0..TRIES {
            let now = self.status();
            if enough(&now) {
                return now;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("waited in vain for {what}: {:?}", self.status());
    }

    /// Both are shown, and have been for a while.
    fn is_live(&self) {
        self.wait("both streams", |now| {
            let sub = &now.streams[0];
            shown(now.state) && shown(sub.state) && now.live_s > 1.0 && sub.live_s > 1.0
        });
    }

    fn set(&self, faults: Faults) {
        self.sim.set_faults(&faults).unwrap();
    }

    /// An operation of the camera's ONVIF device.
    fn ask(&self, operation: &str) -> String {
        let url = self.gateway.onvif_url("street").unwrap();
        post(
            &url,
            &format!(
                "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body>\
                 {operation}</s:Body></s:Envelope>"
            ),
        )
    }
}

fn shown(state: &str) -> bool {
    state == "live" || state == "widened"
}

fn exchange(url: &str, head: &str, body: &str) -> String {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut connection = TcpStream::connect(host).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    write!(
        connection,
        "{head} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn post(url: &str, body: &str) -> String {
    exchange(url, "POST", body)
}

/// One frame as a viewer saw it.
struct Frame {
    capture: Option<CaptureTime>,
    canary: u64,
    /// Which points of the [`GRID`] are grey.
    grey: Vec<bool>,
}

impl Frame {
    fn share(&self) -> f64 {
        self.count(|i| self.grey[i]) as f64 / self.grey.len() as f64
    }

    fn count(&self, of: impl Fn(usize) -> bool) -> usize {
        (0..self.grey.len()).filter(|i| of(*i)).count()
    }
}

/// What was seen of one stream.
#[derive(Default)]
struct Seen {
    frames: u64,
    canary: u64,
    sizes: Vec<[usize; 2]>,
    /// By the number that the camera drew: those that were not covered.
    numbered: BTreeMap<u32, Frame>,
}

/// A viewer over RTSP that judges what it sees.
struct Viewer {
    pipeline: gst::Pipeline,
    seen: Arc<Mutex<Seen>>,
}

impl Viewer {
    fn open(url: &str) -> Self {
        gst::init().unwrap();
        let pipeline = gst::parse::launch(&format!(
            "rtspsrc location={url} protocols=tcp latency=0 add-reference-timestamp-meta=true \
             ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 ! videoconvert \
             ! video/x-raw,format=I420 ! appsink name=sink sync=false"
        ))
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
        let sink = pipeline.by_name("sink").unwrap();
        let sink = sink.downcast::<gst_app::AppSink>().unwrap();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let to = seen.clone();
        let canary = Canary::new(Rgb(CANARY_RGB)).unwrap();
        let look = move |sink: &gst_app::AppSink| {
            let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
            see(&sample, &canary, &mut to.lock().unwrap());
            Ok(gst::FlowSuccess::Ok)
        };
        let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(look);
        sink.set_callbacks(callbacks.build());
        pipeline.set_state(gst::State::Playing).unwrap();
        Self { pipeline, seen }
    }

    fn wait(&self, what: &str, enough: impl Fn(&Seen) -> bool) {
        for _ in 0..TRIES {
            if enough(&self.seen.lock().unwrap()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let seen = self.seen.lock().unwrap();
        let (frames, numbered) = (seen.frames, seen.numbered.len());
        panic!("waited in vain for {what}: {frames} frames, {numbered} shown");
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

fn see(sample: &gst::Sample, canary: &Canary, seen: &mut Seen) {
    let form = sample.caps().unwrap().structure(0).unwrap();
    let side = |name: &str| usize::try_from(form.get::<i32>(name).unwrap()).unwrap();
    let size @ [width, height] = [side("width"), side("height")];
    let buffer = sample.buffer().unwrap();
    let map = buffer.map_readable().unwrap();
    // As gst-video lays out I420; all widths here are multiples of 8.
    let (luma, chroma) = map.split_at(width * height);
    let (u, v) = chroma.split_at(width * height / 4);
    let planes = Planes {
        width,
        height,
        data: [luma, u, v],
        stride: [width, width / 2, width / 2],
    };
    let pixels = canary.pixels(&planes).unwrap();
    seen.frames += 1;
    seen.canary += pixels;
    if seen.sizes.last() != Some(&size) {
        seen.sizes.push(size);
    }
    let near = |sample: u8, by: u8| sample.abs_diff(128) <= by;
    let grey = |i: usize| {
        let [column, row] = [i % GRID[0], i / GRID[0]];
        let x = (2 * column + 1) * width / (2 * GRID[0]);
        let y = (2 * row + 1) * height / (2 * GRID[1]);
        let c = y / 2 * (width / 2) + x / 2;
        near(luma[y * width + x], 6) && near(u[c], 3) && near(v[c], 3)
    };
    let frame = Frame {
        capture: buffer
            .iter_meta::<gst::ReferenceTimestampMeta>()
            .next()
            .and_then(|m| CaptureTime::from_ntp_ns(m.timestamp().nseconds())),
        canary: pixels,
        grey: (0..GRID[0] * GRID[1]).map(grey).collect(),
    };
    if let Some(number) = code::decode(luma, width, height) {
        seen.numbered.insert(number, frame);
    }
}

#[test]
fn two_sizes_of_one_camera_are_masked_alike() {
    // Without zones the canary comes through in both: what is not seen below is hidden.
    {
        let rig = Rig::new(SUB, false);
        for stream in ["street", "street/sub"] {
            let viewer = rig.watch(stream);
            viewer.wait(stream, |seen| seen.canary > 1_000);
        }
    }
    let rig = Rig::new(SUB, true);
    let [main, sub] = ["street", "street/sub"].map(|stream| rig.watch(stream));
    let both = |main: &Seen, sub: &Seen| -> Vec<u32> {
        let numbers = main.numbered.keys().copied();
        numbers.filter(|n| sub.numbered.contains_key(n)).collect()
    };
    sub.wait("frames that both show", |sub| {
        let main = main.seen.lock().unwrap();
        both(&main, sub).len() >= 100
    });
    let status = rig.status();
    let (main, sub) = (main.seen.lock().unwrap(), sub.seen.lock().unwrap());
    assert_eq!((main.canary, sub.canary), (0, 0));
    assert_eq!(
        (main.sizes.last(), sub.sizes.last()),
        (Some(&MAIN), Some(&SUB))
    );
    assert_eq!(status.late_frames + status.streams[0].late_frames, 0);

    // (of what the main stream hides, the sub stream hides; the overlap of the two)
    let mut alike = Vec::new();
    for number in both(&main, &sub) {
        let (a, b) = (&main.numbered[&number], &sub.numbered[&number]);
        assert_eq!(a.canary + b.canary, 0, "frame {number}");
        if let (Some(a), Some(b)) = (a.capture, b.capture) {
            // One capture time, whichever way it came.
            let apart_s = a.seconds_since(b).abs();
            assert!(apart_s < 0.005, "frame {number}: {apart_s} s apart");
        }
        // Little that is grey is hidden, and much of it may be covered.
        if !(0.02..0.8).contains(&a.share()) {
            continue;
        }
        let shared = a.count(|i| a.grey[i] && b.grey[i]) as f64;
        let hidden = a.count(|i| a.grey[i]) as f64;
        let either = a.count(|i| a.grey[i] || b.grey[i]) as f64;
        alike.push((shared / hidden, shared / either));
    }
    assert!(alike.len() >= 50, "{} frames hide something", alike.len());
    let mean = |of: fn(&(f64, f64)) -> f64| alike.iter().map(of).sum::<f64>() / alike.len() as f64;
    let (held, overlap) = (mean(|a| a.0), mean(|a| a.1));
    eprintln!(
        "{} frames: the sub stream hides {held:.4} of what the main one does, overlap {overlap:.4}",
        alike.len()
    );
    // The same places: what the main one hides, but for the points on its edges.
    assert!(held > 0.95, "{held}");
    // And not much more: margins that count in pixels are wider in a small picture.
    assert!(overlap > 0.6, "{overlap}");
}

#[test]
fn what_befalls_one_stream_leaves_the_other_alone() {
    let rig = Rig::new(SUB, true);
    rig.is_live();
    let covered = |now: &CameraStatus| now.covered_s.values().sum::<f64>();

    // Frames of the second one stop, and come again.
    let before = covered(&rig.status());
    rig.set(Faults {
        sub_silent: true,
        ..Faults::default()
    });
    let now = rig.wait("the second to be gone", |now| {
        now.streams[0].state == "no-signal"
    });
    assert!(shown(now.state), "{now:?}");
    rig.set(Faults::default());
    rig.wait("the second to be back", |now| shown(now.streams[0].state));

    // Its clock alone steps, and steps back.
    rig.set(Faults {
        sub_clock_step_s: 5.0,
        ..Faults::default()
    });
    let now = rig.wait("the second to be covered", |now| {
        let why = now.streams[0].reason.as_deref();
        why.is_some_and(|why| why.contains("clock jumped"))
    });
    assert!(shown(now.state), "{now:?}");
    rig.set(Faults::default());
    rig.wait("the second to be believed", |now| {
        shown(now.streams[0].state)
    });
    let after = rig.status();
    assert!(
        covered(&after) - before < 0.1,
        "the main stream was shown all the time: {after:?}"
    );

    // Positions that stand still under a fresh time are wrong for both.
    rig.set(Faults {
        freeze: Freeze::WithFreshTime,
        ..Faults::default()
    });
    rig.wait("both to be covered", |now| {
        let sub = &now.streams[0];
        let told = |covered: &BTreeMap<&str, f64>| covered.contains_key("picture-disagrees");
        now.state == "covered"
            && sub.state == "covered"
            && told(&now.covered_s)
            && told(&sub.covered_s)
    });

    // Each is told by itself, and the camera's positions once.
    let metrics = exchange(&format!("{}/metrics", rig.gateway.http_url()), "GET", "");
    for line in [
        "greyplane_camera_state{camera=\"street\",state=\"covered\"} 1",
        "greyplane_camera_state{camera=\"street\",stream=\"sub\",state=\"covered\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(!metrics.contains("telemetry_per_second{camera=\"street\",stream"));
}

#[test]
fn a_stream_of_another_form_stays_covered() {
    let rig = Rig::new([512, 384], true);
    let viewer = rig.watch("street/sub");
    let now = rig.wait("the main stream", |now| {
        now.live_s > 3.0 && now.streams[0].reason.is_some()
    });
    let sub = &now.streams[0];
    assert_eq!((sub.state, sub.live_s), ("covered", 0.0), "{sub:?}");
    let why = sub.reason.as_deref().unwrap();
    assert!(
        why.contains("512x384 is not of the main stream's form"),
        "{why}"
    );
    viewer.wait("pictures", |seen| seen.frames > 20);
    let seen = viewer.seen.lock().unwrap();
    assert_eq!((seen.canary, seen.numbered.len()), (0, 0));
}

#[test]
fn a_vms_finds_both_streams() {
    let rig = Rig::new(SUB, true);
    rig.wait("both sizes", |now| {
        now.size == Some((1024, 576)) && now.streams[0].size == Some((512, 288))
    });
    let profiles = rig.ask("<GetProfiles/>");
    for said in [
        "token=\"masked\"",
        "token=\"masked-sub\"",
        "token=\"encoder-config\"",
        "token=\"encoder-config-sub\"",
        "<tt:Width>1024</tt:Width>",
        "<tt:Width>512</tt:Width>",
        "<tt:BitrateLimit>4000</tt:BitrateLimit>",
        "<tt:BitrateLimit>1000</tt:BitrateLimit>",
        "<tt:UseCount>2</tt:UseCount>",
    ] {
        assert!(profiles.contains(said), "{said} in {profiles}");
    }
    for (profile, stream) in [("masked", "street"), ("masked-sub", "street/sub")] {
        let token = format!("<ProfileToken>{profile}</ProfileToken>");
        let said = rig.ask(&format!("<GetStreamUri>{token}</GetStreamUri>"));
        let uri = format!("<tt:Uri>{}</tt:Uri>", rig.gateway.stream_url(stream));
        assert!(said.contains(&uri), "{uri} in {said}");
    }
    let said = rig.ask("<GetStreamUri><ProfileToken>masked-x</ProfileToken></GetStreamUri>");
    assert!(said.contains("NoProfile"), "{said}");
}
