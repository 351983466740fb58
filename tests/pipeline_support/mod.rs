//! A camera, a viewer and a judge for the tests of pipeline and egress.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greyplane::clock::{CaptureTime, Mono, SystemClock};
use greyplane::event::{CameraState, Event, EventSink};
use greyplane::frame::FrameRef;
use greyplane::geom::{PixelPoint, Size};
use greyplane::pipeline::{
    CameraPipeline, CameraSettings, EncoderSettings, FrameJudge, SoundRule, SourceSettings, Waker,
};
use greyplane::plan::{Hide, Plan};
use greyplane::stamp::Captured;
use greyplane::zone::{GrownPoint, Mode, Region};
use gst::glib;
use gst::prelude::*;
use gst_rtsp_server::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp_server as gst_rtsp_server;

/// Longer than anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// An RTSP camera on 127.0.0.1 whose frames carry their number as bars.
pub struct Camera {
    server: gst_rtsp_server::RTSPServer,
    main_loop: glib::MainLoop,
    thread: Option<std::thread::JoinHandle<()>>,
    pub port: u16,
}

impl Camera {
    /// 640x360, 25 frames a second, H.264.
    pub fn start(port: u16) -> Self {
        Self::with(port, 640, 360)
    }

    pub fn with(port: u16, width: u32, height: u32) -> Self {
        Self::launch(
            port,
            &format!(
                "( videotestsrc name=cam is-live=true pattern=smpte \
                 ! video/x-raw,format=I420,width={width},height={height},framerate=25/1 \
                 ! identity name=raw \
                 ! x264enc threads=1 tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=3000 \
                 ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
            ),
        )
    }

    /// A picture that costs as many bits as it may.
    pub fn noise(port: u16) -> Self {
        Self::launch(
            port,
            "( videotestsrc is-live=true pattern=snow \
             ! video/x-raw,format=I420,width=640,height=360,framerate=25/1 \
             ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=20000 \
             ! rtph264pay name=pay0 pt=96 config-interval=-1 )",
        )
    }

    pub fn launch(port: u16, launch: &str) -> Self {
        gst::init().unwrap();
        let server = gst_rtsp_server::RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service(&port.to_string());
        let factory = gst_rtsp_server::RTSPMediaFactory::new();
        factory.set_launch(launch);
        factory.set_shared(true);
        factory.connect_media_configure(|_, media| {
            let bin = media.element().downcast::<gst::Bin>().unwrap();
            if let Some(raw) = bin.by_name("raw") {
                number_frames(&raw.static_pad("src").unwrap());
            }
            media.connect_prepared(|media| {
                let session = media.stream(0).and_then(|s| s.rtpsession());
                session
                    .unwrap()
                    .set_property("rtcp-min-interval", 500_000_000u64);
            });
        });
        server.mount_points().unwrap().add_factory("/cam", factory);
        let context = glib::MainContext::new();
        server.attach(Some(&context)).unwrap();
        let port = u16::try_from(server.bound_port()).unwrap();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let run = main_loop.clone();
        let thread = std::thread::spawn(move || {
            context.with_thread_default(|| run.run()).unwrap();
        });
        Self {
            server,
            main_loop,
            thread: Some(thread),
            port,
        }
    }

    pub fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/cam", self.port)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.server
            .client_filter(Some(&mut |_, _| gst_rtsp_server::RTSPFilterResult::Remove));
        while !self.main_loop.is_running() {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.main_loop.quit();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Bars of this width and height, black for 0 and white for 1, lowest bit left.
const BAR: (usize, usize) = (16, 32);
const BITS: usize = 16;

fn number_frames(pad: &gst::Pad) {
    let number = Mutex::new(0u32);
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let caps = pad.current_caps().unwrap();
        let width = caps.structure(0).unwrap().get::<i32>("width").unwrap() as usize;
        let stride = width.next_multiple_of(4);
        let mut number = number.lock().unwrap();
        let buffer = info.buffer_mut().unwrap().make_mut();
        let mut map = buffer.map_writable().unwrap();
        for y in 0..BAR.1 {
            for bit in 0..BITS {
                let value = if *number >> bit & 1 == 1 { 235 } else { 16 };
                map[y * stride + bit * BAR.0..][..BAR.0].fill(value);
            }
        }
        *number += 1;
        gst::PadProbeReturn::Ok
    });
}

/// A decoded picture that a viewer received.
pub struct Picture {
    pub size: Size,
    pub luma: Vec<u8>,
    pub capture: Option<CaptureTime>,
    pub at: Instant,
}

impl Picture {
    pub fn luma_at(&self, x: usize, y: usize) -> u8 {
        self.luma[y * self.size.width as usize + x]
    }

    /// The frame number the camera drew; `None` where the bars are hidden.
    pub fn number(&self) -> Option<u32> {
        let mut number = 0;
        for bit in 0..BITS {
            match self.luma_at(bit * BAR.0 + BAR.0 / 2, BAR.1 / 2) {
                0..=60 => {}
                190.. => number |= 1 << bit,
                _ => return None,
            }
        }
        Some(number)
    }

    /// Whether it is the grey of hiding, except for a caption.
    pub fn is_grey(&self) -> bool {
        let grey = self.luma.iter().filter(|l| l.abs_diff(128) <= 6).count();
        grey * 10 > self.luma.len() * 7
    }

    pub fn save(&self, name: &str) {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let file = std::fs::File::create(path).unwrap();
        let mut png = png::Encoder::new(file, self.size.width, self.size.height);
        png.set_color(png::ColorType::Grayscale);
        let mut png = png.write_header().unwrap();
        png.write_image_data(&self.luma).unwrap();
    }
}

/// A viewer over RTSP: everything it saw so far.
pub struct Viewer {
    pipeline: gst::Pipeline,
    seen: Arc<Mutex<Vec<Picture>>>,
}

impl Viewer {
    pub fn open(url: &str) -> Self {
        Self::open_with(url, "")
    }

    /// `options` are properties of rtspsrc as in a launch line.
    pub fn open_with(url: &str, options: &str) -> Self {
        gst::init().unwrap();
        let pipeline = gst::parse::launch(&format!(
            "rtspsrc location={url} protocols=tcp latency=0 add-reference-timestamp-meta=true {options} \
             ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 \
             ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink sync=false"
        ))
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
        let sink = pipeline
            .by_name("sink")
            .unwrap()
            .downcast::<gst_app::AppSink>()
            .unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let to = seen.clone();
        sink.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    to.lock().unwrap().push(picture(&sample));
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
        pipeline.set_state(gst::State::Playing).unwrap();
        Self { pipeline, seen }
    }

    pub fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Looks at what was seen until `wanted` gives an answer.
    pub fn wait<T>(&self, what: &str, wanted: impl Fn(&[Picture]) -> Option<T>) -> T {
        until(what, || wanted(&self.seen.lock().unwrap()))
    }

    /// Lets go of the pictures but keeps counting from there.
    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }

    pub fn take(&self) -> Vec<Picture> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// The error that ended it, if one did.
    pub fn error(&self) -> Option<String> {
        let message = self
            .pipeline
            .bus()?
            .pop_filtered(&[gst::MessageType::Error])?;
        match message.view() {
            gst::MessageView::Error(e) => Some(format!("{} {:?}", e.error(), e.debug())),
            _ => None,
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

pub fn picture(sample: &gst::Sample) -> Picture {
    let s = sample.caps().unwrap().structure(0).unwrap();
    let size = Size {
        width: s.get::<i32>("width").unwrap() as u32,
        height: s.get::<i32>("height").unwrap() as u32,
    };
    let buffer = sample.buffer().unwrap();
    let map = buffer.map_readable().unwrap();
    let stride = (size.width as usize).next_multiple_of(4);
    let luma = map
        .chunks(stride)
        .take(size.height as usize)
        .flat_map(|row| &row[..size.width as usize])
        .copied()
        .collect();
    let capture = buffer
        .iter_meta::<gst::ReferenceTimestampMeta>()
        .next()
        .and_then(|m| CaptureTime::from_ntp_ns(m.timestamp().nseconds()));
    Picture {
        size,
        luma,
        capture,
        at: Instant::now(),
    }
}

/// Waits for an answer, and fails after [`PATIENCE`].
pub fn until<T>(what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = answer() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

type Planner = dyn Fn(Option<CaptureTime>, Size) -> Plan + Send + Sync;

/// A judge whose plan is a closure, and whose evidence is always complete.
pub struct Judge(pub Box<Planner>);

impl Judge {
    pub fn new(
        plan: impl Fn(Option<CaptureTime>, Size) -> Plan + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self(Box::new(plan)))
    }

    /// Hides this box of fractions of the frame.
    pub fn hiding(left: f64, top: f64, right: f64, bottom: f64) -> Arc<Self> {
        Self::new(move |_, size| hide(size, [left, top, right, bottom]))
    }
}

pub fn hide(size: Size, [left, top, right, bottom]: [f64; 4]) -> Plan {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let outline = [(left, top), (right, top), (right, bottom), (left, bottom)]
        .map(|(x, y)| GrownPoint {
            at: PixelPoint { x: x * w, y: y * h },
            margin_px: 0.0,
        })
        .to_vec();
    Plan {
        size,
        hide: Hide::Regions {
            regions: vec![Region {
                zone: Some(0),
                mode: Mode::Hide,
                outline,
            }],
            show_only: false,
        },
        state: CameraState::Live,
        mosaic: false,
    }
}

impl FrameJudge for Judge {
    fn stream_restarted(&self) {}
    fn frame_seen(&self, _: Option<Captured>, _: u64, _: Mono) {}
    fn ready(&self, _: Option<CaptureTime>) -> bool {
        true
    }
    fn plan(
        &self,
        capture: Option<CaptureTime>,
        size: Size,
        _: Option<&FrameRef<'_>>,
        _: Mono,
    ) -> Plan {
        (self.0)(capture, size)
    }
}

/// Keeps every event.
#[derive(Default)]
pub struct Log(Mutex<Vec<Event>>);

impl EventSink for Log {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Log {
    pub fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }
}

pub fn settings(url: &str) -> CameraSettings {
    CameraSettings {
        id: "gate".into(),
        source: SourceSettings::new(url),
        encoder: EncoderSettings {
            bitrate_kbit: 3000,
            ..EncoderSettings::default()
        },
        // No test is about the budget of a starved machine.
        budget: Duration::from_secs(5),
        hold_frames: 150,
        idle_size: Size {
            width: 640,
            height: 360,
        },
        sound: SoundRule::Drop,
    }
}

pub fn start(
    settings: CameraSettings,
    judge: Arc<dyn FrameJudge>,
    log: &Arc<Log>,
) -> CameraPipeline {
    CameraPipeline::start(
        settings,
        judge,
        (Waker::default(), None),
        log.clone(),
        Arc::new(SystemClock::new()),
    )
    .unwrap()
}

pub fn serve(log: &Arc<Log>, access: greyplane::egress::Access) -> greyplane::egress::RtspServer {
    greyplane::egress::RtspServer::start(
        greyplane::egress::RtspSettings {
            address: [127, 0, 0, 1].into(),
            port: 0,
            access,
            tls: None,
            sessions_at_most: 100,
        },
        log.clone(),
    )
    .unwrap()
}
