//! Servers elsewhere, on 127.0.0.1, that a masked stream is pushed to: they decode
//! what they get.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use greyplane::clock::CaptureTime;
use greyplane::egress::{Publication, PublicationFigures, Publisher};
use greyplane::event::Event;
use greyplane::pipeline::{CameraPipeline, EncoderSettings};
use gst::glib;
use gst::prelude::*;
use gst_rtsp_server::gio;
use gst_rtsp_server::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp as gst_rtsp;
use gstreamer_rtsp_server as gst_rtsp_server;

use crate::pipeline_support::{Camera, Judge, Log, Picture, picture, settings, start, until};

/// Hidden in every picture; leaves the bars with the frame's number alone.
pub const HIDDEN: [f64; 4] = [0.25, 0.4, 0.75, 0.8];

/// A masked stream, and a publisher.
pub struct Stage {
    pub log: Arc<Log>,
    pub publisher: Publisher,
    pub pipeline: CameraPipeline,
    // Last, so that it outlives the pipeline.
    pub camera: Camera,
}

impl Stage {
    pub fn new() -> Self {
        Self::of(Camera::start(0), 3000)
    }

    pub fn of(camera: Camera, bitrate_kbit: u32) -> Self {
        Self::encoding(camera, |encoder| encoder.bitrate_kbit = bitrate_kbit)
    }

    pub fn encoding(camera: Camera, how: impl FnOnce(&mut EncoderSettings)) -> Self {
        let log = Arc::new(Log::default());
        let mut wanted = settings(&camera.url());
        how(&mut wanted.encoder);
        let [left, top, right, bottom] = HIDDEN;
        let pipeline = start(wanted, Judge::hiding(left, top, right, bottom), &log);
        Self {
            publisher: Publisher::new(log.clone()),
            log,
            pipeline,
            camera,
        }
    }

    pub fn publish(&self, wanted: &[Publication]) {
        let stream = self.pipeline.stream();
        self.publisher.set("market", &stream, wanted).unwrap();
    }

    pub fn figures(&self, name: &str) -> PublicationFigures {
        let all = self.publisher.figures("market");
        all.into_iter().find(|p| p.name == name).unwrap()
    }

    pub fn wait_for(&self, name: &str, what: &str, so: impl Fn(&PublicationFigures) -> bool) {
        until(what, || so(&self.figures(name)).then_some(()));
    }

    /// Ups (`None`) and downs of a publication, in order.
    pub fn told(&self, name: &str) -> Vec<Option<String>> {
        let told = |event| match event {
            Event::PublicationUp { publication, .. } => Some((publication, None)),
            Event::PublicationDown {
                publication,
                detail,
                ..
            } => Some((publication, Some(detail))),
            _ => None,
        };
        let all = self.log.all().into_iter().filter_map(told);
        all.filter(|(of, _)| of == name)
            .map(|(_, what)| what)
            .collect()
    }
}

type Seen = Arc<Mutex<Vec<Picture>>>;

/// What a receiver saw so far.
#[derive(Clone, Default)]
pub struct Pictures(Seen);

impl Pictures {
    pub fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub fn wait<T>(&self, what: &str, wanted: impl Fn(&[Picture]) -> Option<T>) -> T {
        until(what, || wanted(&self.0.lock().unwrap()))
    }

    pub fn take(&self) -> Vec<Picture> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    pub fn push(&self, picture: Picture) {
        self.0.lock().unwrap().push(picture);
    }

    /// Takes every picture of `sink`.
    pub fn of(&self, sink: &gst_app::AppSink) {
        let to = self.0.clone();
        sink.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    to.lock().unwrap().push(picture(&sample));
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
    }
}

/// Who may record, and whether over TLS.
#[derive(Clone, Default)]
pub struct Rules {
    /// Name and password.
    pub login: Option<(String, String)>,
    /// Certificate and key, PEM.
    pub tls: Option<(String, String)>,
}

/// An RTSP server that takes one stream at `/market` by ANNOUNCE and RECORD.
pub struct RecordServer {
    server: gst_rtsp_server::RTSPServer,
    main_loop: glib::MainLoop,
    thread: Option<std::thread::JoinHandle<()>>,
    pub port: u16,
    pub pictures: Pictures,
}

const RECORDER: &str = "recorder";

impl RecordServer {
    pub fn start(port: u16, rules: &Rules) -> Self {
        gst::init().unwrap();
        let server = gst_rtsp_server::RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service(&port.to_string());
        let factory = gst_rtsp_server::RTSPMediaFactory::new();
        factory.set_launch(
            "( rtph264depay name=depay0 ! h264parse ! avdec_h264 max-threads=1 \
             ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink sync=false )",
        );
        factory.set_transport_mode(gst_rtsp_server::RTSPTransportMode::RECORD);
        factory.set_protocols(gst_rtsp::RTSPLowerTrans::TCP);
        factory.set_latency(0);
        factory.add_role_from_structure(
            &gst::Structure::builder(RECORDER)
                .field("media.factory.access", true)
                .field("media.factory.construct", true)
                .build(),
        );
        let pictures = Pictures::default();
        let to = pictures.clone();
        factory.connect_media_configure(move |_, media| {
            let bin = media.element().downcast::<gst::Bin>().unwrap();
            let sink = bin.by_name("sink").unwrap();
            to.of(&sink.downcast::<gst_app::AppSink>().unwrap());
            let pipeline = bin.parent().unwrap().downcast::<gst::Pipeline>().unwrap();
            pipeline.connect_deep_element_added(|_, _, element| {
                let of = |name| element.factory().is_some_and(|f| f.name() == name);
                if of("rtpbin") || of("rtpjitterbuffer") {
                    element.set_property("add-reference-timestamp-meta", true);
                }
            });
        });
        server
            .mount_points()
            .unwrap()
            .add_factory("/market", factory);
        if rules.login.is_some() || rules.tls.is_some() {
            server.set_auth(Some(&keeper(rules)));
        }
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
            pictures,
        }
    }

    pub fn url(&self, scheme: &str) -> String {
        format!("{scheme}://127.0.0.1:{}/market", self.port)
    }
}

fn keeper(rules: &Rules) -> gst_rtsp_server::RTSPAuth {
    let auth = gst_rtsp_server::RTSPAuth::new();
    let token = gst_rtsp_server::RTSPToken::builder()
        .field("media.factory.role", RECORDER)
        .build();
    match &rules.login {
        None => {
            let mut token = token;
            auth.set_default_token(Some(&mut token));
        }
        Some((user, password)) => {
            auth.set_supported_methods(gst_rtsp::RTSPAuthMethod::Digest);
            auth.add_digest(user, password, &token);
        }
    }
    if let Some((certificate, key)) = &rules.tls {
        let pem = format!("{certificate}\n{key}");
        let certificate = gio::TlsCertificate::from_pem(&pem).unwrap();
        auth.set_tls_certificate(Some(&certificate));
    }
    auth
}

impl Drop for RecordServer {
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

/// An SRT listener that decodes the H.264 in the MPEG-TS it gets.
pub struct SrtServer {
    pipeline: gst::Pipeline,
    pub pictures: Pictures,
    pub port: u16,
}

impl SrtServer {
    pub fn start(port: u16, passphrase: Option<&str>) -> Self {
        Self::letting_in(port, passphrase, None)
    }

    /// Lets in whoever calls with this `streamid`; with none, everybody.
    pub fn letting_in(port: u16, passphrase: Option<&str>, id: Option<&'static str>) -> Self {
        gst::init().unwrap();
        let secret = passphrase.map_or_else(String::new, |p| format!("passphrase={p} pbkeylen=32"));
        let pipeline = gst::parse::launch(&format!(
            "srtsrc name=door uri=srt://127.0.0.1:{port}?mode=listener latency=20 {secret} \
             ! tsdemux latency=0 ! h264parse ! avdec_h264 max-threads=1 \
             ! videoconvert ! video/x-raw,format=GRAY8 ! appsink name=sink sync=false"
        ))
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
        if let Some(id) = id {
            let door = pipeline.by_name("door").unwrap();
            door.set_property("authentication", true);
            door.connect("caller-connecting", false, move |arguments| {
                let called = arguments[2].get::<Option<String>>().unwrap();
                Some((called.as_deref() == Some(id)).to_value())
            });
        }
        let pictures = Pictures::default();
        let sink = pipeline.by_name("sink").unwrap();
        pictures.of(&sink.downcast::<gst_app::AppSink>().unwrap());
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            pictures,
            port,
        }
    }

    pub fn url(&self) -> String {
        format!("srt://127.0.0.1:{}?streamid=publish:market", self.port)
    }
}

impl Drop for SrtServer {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

/// A UDP port that nobody has right now.
pub fn free_udp_port() -> u16 {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// Fails unless the box that [`crate::pipeline_support::Judge::hiding`] hides, in
/// fractions of the frame, is grey in every picture.
pub fn hidden_in_all(pictures: &[Picture], [left, top, right, bottom]: [f64; 4]) {
    // Before the camera was there pictures are grey as a whole, with a caption.
    let live: Vec<&Picture> = pictures.iter().filter(|p| !p.is_grey()).collect();
    assert!(!live.is_empty(), "nothing but grey came");
    for picture in live {
        let (w, h) = (
            f64::from(picture.size.width),
            f64::from(picture.size.height),
        );
        let inside = |a: f64, b: f64, size: f64| {
            // Compression blurs edges by less than a block.
            (a * size) as usize + 16..(b * size) as usize - 16
        };
        for y in inside(top, bottom, h) {
            for x in inside(left, right, w) {
                let luma = picture.luma_at(x, y);
                assert!(luma.abs_diff(128) <= 12, "{luma} at {x},{y} leaked");
            }
        }
    }
}

/// The capture time of each frame number, milliseconds.
pub fn captures(seen: &[Picture]) -> std::collections::HashMap<u32, f64> {
    let ms = |t: CaptureTime| t.0 as f64 * 1e-6;
    seen.iter()
        .filter_map(|p| Some((p.number()?, ms(p.capture?))))
        .collect()
}
