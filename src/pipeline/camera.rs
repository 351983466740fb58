//! One camera's pipeline as the rest of the gateway holds it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;

use super::CannotStart;
use super::encoder::{self, EncoderSettings};
use super::judge::{FrameJudge, Waker};
use super::metadata::MetadataSink;
use super::privacymask::{PrivacyMask, Setup};
use super::sound::{Sound, SoundRule};
use super::source::{News, SourceSettings, What, connection_of};
use super::stats::{Meters, PipelineStats};
use super::stream::MaskedStream;
use super::supervisor::Supervisor;
use crate::clock::Clock;
use crate::event::EventSink;
use crate::geom::Size;

/// How one camera's pipeline is to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraSettings {
    /// The camera's id: in events and in the RTSP path.
    pub id: String,
    /// Where the frames come from.
    pub source: SourceSettings,
    /// How they are encoded.
    pub encoder: EncoderSettings,
    /// The longest time from a frame's arrival to the encoder.
    pub budget: Duration,
    /// The most frames that wait at once; one that is too many displaces the
    /// oldest. Budget × frame rate + 2 is enough.
    pub hold_frames: usize,
    /// The size of the grey picture before the camera's own is known. A viewer
    /// sees the size change once, unless it is the camera's.
    pub idle_size: Size,
    /// What becomes of the camera's sound.
    pub sound: SoundRule,
}

/// A running camera pipeline. Dropping it stops it.
pub struct CameraPipeline {
    pipeline: gst::Pipeline,
    stream: MaskedStream,
    waker: Waker,
    meters: Arc<Meters>,
    clock: Arc<dyn Clock>,
    news: Sender<News>,
    stopping: Arc<AtomicBool>,
    supervisor: Option<(JoinHandle<()>, Receiver<()>)>,
}

impl std::fmt::Debug for CameraPipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CameraPipeline({})", self.pipeline.name())
    }
}

/// Each half of [`CameraPipeline::stop`] may take this long.
const STOP_WITHIN: Duration = Duration::from_millis(1400);

impl CameraPipeline {
    /// Starts masking and encoding; grey at once, the camera when it answers.
    ///
    /// `waker` is to be woken whenever evidence comes. With a sink the camera's metadata
    /// stream is received, too, where it offers one.
    ///
    /// # Errors
    /// [`CannotStart`] where the settings or this machine's GStreamer do not
    /// allow it. A camera that does not answer is no error.
    pub fn start(
        settings: CameraSettings,
        judge: Arc<dyn FrameJudge>,
        (waker, metadata): (Waker, Option<MetadataSink>),
        events: Arc<dyn EventSink>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CannotStart> {
        super::start_gstreamer()?;
        let endpoint = settings.source.endpoint()?;
        let Size { width, height } = settings.idle_size;
        if [width, height]
            .iter()
            .any(|side| side % 2 != 0 || !(16..=16_384).contains(side))
        {
            return Err(CannotStart::BadSize(width, height));
        }
        let meters = Arc::new(Meters::new());
        let sound = Sound::new(settings.sound);
        let stream = MaskedStream::new(sound.clone());
        let mask = PrivacyMask::new();
        mask.configure(Setup {
            camera: settings.id.clone(),
            budget: settings.budget,
            capacity: settings.hold_frames,
            idle_size: settings.idle_size,
            judge,
            waker: waker.clone(),
            events: events.clone(),
            clock: clock.clone(),
            meters: meters.clone(),
        });
        let pipeline = output(&settings, &mask, &stream)?;
        let (news, heard) = bounded(64);
        listen(&pipeline, &news)?;
        pipeline
            .set_state(gst::State::Playing)
            .map_err(|e| CannotStart::State(e.to_string()))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let (ended, end) = bounded(1);
        let supervisor = Supervisor {
            camera: settings.id.clone(),
            source: settings.source,
            endpoint,
            metadata,
            sound,
            pipeline: pipeline.clone(),
            mask,
            meters: meters.clone(),
            events,
            clock: clock.clone(),
            news: news.clone(),
            heard,
            stopping: stopping.clone(),
        };
        let mut started = Self {
            pipeline,
            stream,
            waker,
            meters,
            clock,
            news,
            stopping,
            supervisor: None,
        };
        // On failure `started` is dropped, and stops the pipeline.
        let thread = std::thread::Builder::new()
            .name(format!("camera-{}", settings.id))
            .spawn(move || {
                supervisor.run();
                // Nobody listens any more where stop() has given up.
                let _ = ended.try_send(());
            })
            .map_err(|e| CannotStart::Thread(e.to_string()))?;
        started.supervisor = Some((thread, end));
        Ok(started)
    }

    /// The masked stream, for egress.
    pub fn stream(&self) -> MaskedStream {
        self.stream.clone()
    }

    /// To be woken whenever evidence comes.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// What it did so far.
    pub fn stats(&self) -> PipelineStats {
        self.meters.read(self.clock.mono(), self.stream.viewers())
    }

    /// Stops within three seconds, even when camera or network hang. `false`
    /// where something hung and was left behind to end by itself.
    pub fn stop(&mut self) -> bool {
        self.stopping.store(true, Ordering::SeqCst);
        // A full channel wakes the supervisor as well.
        let _ = self.news.try_send(News {
            connection: 0,
            what: What::Stop,
        });
        self.waker.wake();
        let Some((thread, end)) = self.supervisor.take() else {
            return self.pipeline.current_state() == gst::State::Null || self.stop_pipeline();
        };
        let ended = end.recv_timeout(STOP_WITHIN).is_ok();
        if ended && thread.join().is_err() {
            tracing::error!("a camera's supervisor panicked");
        }
        self.stop_pipeline() && ended
    }

    fn stop_pipeline(&self) -> bool {
        within(STOP_WITHIN, {
            let pipeline = self.pipeline.clone();
            move || {
                // Going down fails only for an element that is broken already.
                let _ = pipeline.set_state(gst::State::Null);
            }
        })
    }
}

impl Drop for CameraPipeline {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Runs `work` on a thread of its own and waits for it at most for `limit`.
/// `true` when it ended in time.
pub(super) fn within(limit: Duration, work: impl FnOnce() + Send + 'static) -> bool {
    let (ended, end) = bounded(1);
    let thread = std::thread::Builder::new()
        .name("pipeline-end".into())
        .spawn(move || {
            work();
            // Nobody listens any more where the limit has passed.
            let _ = ended.try_send(());
        });
    thread.is_ok() && end.recv_timeout(limit).is_ok()
}

/// Everything from the mask on.
fn output(
    settings: &CameraSettings,
    mask: &PrivacyMask,
    stream: &MaskedStream,
) -> Result<gst::Pipeline, CannotStart> {
    let pipeline = gst::Pipeline::with_name(&format!("camera-{}", settings.id));
    pipeline.use_clock(Some(&gst::SystemClock::obtain()));
    pipeline.set_start_time(gst::ClockTime::NONE);
    pipeline.set_base_time(gst::ClockTime::ZERO);
    let encoder = encoder::make(&settings.encoder)?;
    let sink = gst_app::AppSink::builder()
        .sync(false)
        .async_(false)
        .max_buffers(4)
        .build();
    let link = || -> Result<(), gst::glib::BoolError> {
        pipeline.add(mask)?;
        pipeline.add_many(&encoder.chain)?;
        pipeline.add(&sink)?;
        let mut last: gst::Element = mask.clone().upcast();
        for next in &encoder.chain {
            last.link(next)?;
            last = next.clone();
        }
        last.link(&sink)
    };
    link().map_err(|_| CannotStart::Link)?;
    stream.feed_from(&encoder.encoder, &sink);
    Ok(pipeline)
}

/// Errors go to the supervisor; nothing gathers on the bus.
pub(super) fn listen(pipeline: &gst::Pipeline, news: &Sender<News>) -> Result<(), CannotStart> {
    let bus = pipeline.bus().ok_or(CannotStart::Link)?;
    let news = news.clone();
    bus.set_sync_handler(move |_, message| {
        if let gst::MessageView::Error(error) = message.view() {
            let connection = message.src().and_then(connection_of);
            let text = describe(error);
            let news_item = match connection {
                Some(connection) => News {
                    connection,
                    what: What::Down(text),
                },
                None => News {
                    connection: 0,
                    what: What::OutputFailed(text),
                },
            };
            // A full channel already holds an end.
            let _ = news.try_send(news_item);
        }
        gst::BusSyncReply::Drop
    });
    Ok(())
}

/// The error's own words. Of its details only what an element added itself,
/// the second line; the first names a line of GStreamer's source.
fn describe(error: &gst::message::Error) -> String {
    let message = error.error().to_string();
    match error.debug().as_deref().and_then(|d| d.lines().nth(1)) {
        Some(detail) => format!("{message} ({})", detail.trim()),
        None => message,
    }
}
