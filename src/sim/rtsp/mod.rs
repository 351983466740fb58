//! The RTSP server of the simulated camera: one shared video stream, the
//! `vnd.onvif.metadata` stream and, where it is wanted, sound, at `/street`; and, where it is
//! wanted, the same video in another size at `/sub`.
//!
//! Capture time: buffers carry it as their running time, and the NTP field of
//! every sender report is rewritten (see [`stamp`]) so that it says, in the
//! camera's own clock, when the frame was taken. GStreamer's own NTP source
//! cannot step, and the camera's clock must be able to.

mod av1;
mod feed;
mod hdrext;
pub(in crate::sim) mod pay;
mod stamp;
mod tone;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use gst_server::prelude::*;
use gst_server::{gio, glib};
use gstreamer as gst;
use gstreamer_rtsp as gst_rtsp;
use gstreamer_rtsp_server as gst_server;

use self::stamp::Stamps;
use super::SimError;
use super::camera::{Camera, lock};
use super::config::ClipView;
use super::faults::Faults;
use super::render::{Backdrop, Renderer, Size};

/// Path of the stream.
pub(super) const PATH: &str = "/street";
/// Path of the second one.
pub(super) const SUB_PATH: &str = "/sub";
const ROLE: &str = "viewer";

/// One of the camera's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Main,
    /// The second one, of this size.
    Sub(Size),
}

impl Stream {
    /// Of the pictures that it sends now.
    fn size(self, camera: &Camera, faults: &Faults) -> Size {
        match (self, faults.size) {
            (Self::Sub(size), _) => size,
            (Self::Main, Some([width, height])) => Size { width, height },
            (Self::Main, None) => camera.config.size(),
        }
    }

    fn is_silent(self, faults: &Faults) -> bool {
        self != Self::Main && faults.sub_silent
    }

    /// How far its sender reports are ahead of the camera's clock, seconds.
    fn ahead_s(self, faults: &Faults) -> f64 {
        match self {
            Self::Main => 0.0,
            Self::Sub(_) => faults.sub_clock_step_s,
        }
    }
}

/// A running RTSP server.
#[derive(Debug)]
pub(super) struct RtspServer {
    server: gst_server::RTSPServer,
    context: glib::MainContext,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
    source: Mutex<Option<glib::Source>>,
    /// Threads that draw; each ends within a frame.
    feeds: Arc<Mutex<Vec<JoinHandle<()>>>>,
    stopping: Arc<AtomicBool>,
    port: u16,
}

fn gst_error(what: &str) -> impl Fn(glib::BoolError) -> SimError + '_ {
    move |e| SimError::Stream(format!("{what}: {e}"))
}

impl RtspServer {
    /// Starts serving.
    pub(super) fn start(camera: &Arc<Camera>, backdrop: &Source) -> Result<Self, SimError> {
        let config = &camera.config;
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let server = gst_server::RTSPServer::new();
        server.set_address(&config.listen.to_string());
        server.set_service(&config.rtsp_port.to_string());
        let second = config.sub.map(|[width, height]| {
            let size = Size { width, height };
            (SUB_PATH, Stream::Sub(size))
        });
        let streams = std::iter::once((PATH, Stream::Main)).chain(second);
        let factories = streams.map(|(path, which)| Ok((path, which, factory(camera, which)?)));
        let factories: Vec<_> = factories.collect::<Result<_, SimError>>()?;
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            let auth = gst_server::RTSPAuth::new();
            let token = gst_server::RTSPToken::builder()
                .field(gst_server::RTSP_TOKEN_MEDIA_FACTORY_ROLE, ROLE)
                .build();
            auth.set_supported_methods(gst_rtsp::RTSPAuthMethod::Digest);
            auth.add_digest(user, password, &token);
            for (_, _, factory) in &factories {
                factory.add_role_from_structure(
                    &gst::Structure::builder(ROLE)
                        .field(gst_server::RTSP_PERM_MEDIA_FACTORY_ACCESS, true)
                        .field(gst_server::RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, true)
                        .build(),
                );
            }
            server.set_auth(Some(&auth));
        }
        let stopping = Arc::new(AtomicBool::new(false));
        let feeds = Arc::new(Mutex::new(Vec::<JoinHandle<()>>::new()));
        for (path, which, factory) in factories {
            let (feed_camera, source, stop) =
                (Arc::clone(camera), backdrop.clone(), Arc::clone(&stopping));
            let loop_context = context.clone();
            let running = Arc::clone(&feeds);
            factory.connect_media_configure(move |_, media| {
                let done = Arc::new(AtomicBool::new(false));
                let stamps = Arc::new(Stamps::new(Arc::clone(&feed_camera), which));
                let feed = feed::spawn(media, &source, &stamps, [&stop, &done]);
                let mut feeds = lock(&running);
                feeds.retain(|feed| !feed.is_finished());
                feeds.extend(feed);
                drop(feeds);
                stamp::install(media, &stamps, &loop_context);
                media.connect_unprepared(move |_| done.store(true, Ordering::SeqCst));
            });
            if let Some(mounts) = server.mount_points() {
                mounts.add_factory(path, factory);
            }
        }
        let mut this = Self {
            server,
            context: context.clone(),
            main_loop: main_loop.clone(),
            thread: None,
            source: Mutex::new(None),
            feeds,
            stopping,
            port: 0,
        };
        this.listen()?;
        this.port = u16::try_from(this.server.bound_port()).unwrap_or(0);
        this.server.set_service(&this.port.to_string());
        let thread = std::thread::Builder::new()
            .name("sim-rtsp".to_owned())
            .spawn(move || {
                let _ = context.with_thread_default(|| main_loop.run());
            })
            .map_err(|e| SimError::Stream(format!("no thread for the RTSP server: {e}")))?;
        this.thread = Some(thread);
        Ok(this)
    }

    /// The port it listens on.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Accepts viewers (again).
    pub(super) fn listen(&self) -> Result<(), SimError> {
        let mut source = lock(&self.source);
        if source.is_none() {
            let new = self
                .server
                .create_source(None::<&gio::Cancellable>)
                .map_err(|e| SimError::Stream(format!("cannot listen for RTSP: {e}")))?;
            new.attach(Some(&self.context));
            *source = Some(new);
        }
        Ok(())
    }

    /// Throws all viewers out and refuses new ones.
    pub(super) fn refuse(&self) {
        if let Some(source) = lock(&self.source).take() {
            source.destroy();
        }
        self.throw_out();
    }

    /// Throws all viewers out.
    pub(super) fn throw_out(&self) {
        let clients = self
            .server
            .client_filter(Some(&mut |_, _| gst_server::RTSPFilterResult::Ref));
        for client in clients {
            client.close();
        }
    }

    /// Stops serving and waits for the server's thread.
    pub(super) fn stop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.refuse();
        if let Some(pool) = self.server.session_pool() {
            pool.filter(Some(&mut |_, _| gst_server::RTSPFilterResult::Remove));
        }
        let main_loop = self.main_loop.clone();
        // On the loop's own thread: quitting before it runs would be lost.
        self.context.invoke(move || main_loop.quit());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        // Nothing may draw any more when the process tears its libraries down.
        for feed in lock(&self.feeds).drain(..) {
            let _ = feed.join();
        }
    }
}

fn factory(camera: &Camera, which: Stream) -> Result<gst_server::RTSPMediaFactory, SimError> {
    pay::register().map_err(gst_error("cannot register the payloader"))?;
    let config = &camera.config;
    let as_it_is = config.clip.is_some() && config.clip_view == ClipView::AsItIs;
    let kbps = match which {
        Stream::Main => config.bitrate_kbps,
        // As many bits a pixel.
        Stream::Sub(Size { width, height }) => {
            let share = (width * height) as f64 / (config.width * config.height) as f64;
            (f64::from(config.bitrate_kbps) * share).ceil() as u32
        }
    };
    let video = config.form.launch(kbps, config.gop, as_it_is)?;
    let mut launch = format!(
        "( appsrc name=video is-live=true format=time max-buffers=2 leaky-type=downstream \
         ! {video}"
    );
    let metadata = which == Stream::Main && config.metadata_hz > 0.0;
    if metadata {
        launch.push_str(&format!(
            " appsrc name=metadata is-live=true format=time max-buffers=20 leaky-type=downstream \
             caps=application/x-onvif-metadata,packed={} ! greyplanesimpay name=pay1",
            config.metadata_gzip
        ));
    }
    if which == Stream::Main {
        let number = if metadata { 2 } else { 1 };
        launch.push_str(&config.form.launch_audio(number));
    }
    launch.push_str(" )");
    let factory = gst_server::RTSPMediaFactory::new();
    factory.set_launch(&launch);
    factory.set_shared(true);
    factory.set_suspend_mode(gst_server::RTSPSuspendMode::None);
    factory.set_latency(0);
    Ok(factory)
}

pub(super) use feed::Source;
pub use tone::SOUND_HZ;

/// What a feed draws with.
pub(super) fn renderer(camera: &Camera) -> Renderer {
    let config = &camera.config;
    let flat = config.clip.is_some();
    Renderer::new(
        if flat { 0.0 } else { config.k1 },
        if flat { 0.0 } else { config.k2 },
        config.canary && !flat,
    )
}

/// The street, painted if it is not yet.
pub(super) fn street_source() -> Source {
    Source::Still(Backdrop::Street(super::render::street()))
}
