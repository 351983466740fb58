//! What each viewer has of its own: packetising, sending, reports; of the picture, and of the
//! sound beside it where there is some.
//!
//! One media per viewer, none shared, because of what Debian's RTSP server
//! (1.22.0) does with a shared one when a viewer over TCP stops reading. It
//! queues packets for the slow viewer by their stamps and aborts the process
//! when one is older than the one before, as happens when the base time is taken
//! anew. And where *all* viewers at that moment stall, it stops sending
//! altogether, so that whoever joins later gets nothing: `tests/egress_stalled_viewer.rs`
//! failed in that way. With one viewer per media nothing queues there; a viewer
//! that stalls fills its own queue, here, and is dismissed. Base time is zero
//! for good, so that stamps are the clock's and only grow.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gst::prelude::*;
use gst_rtsp_server::RTSPContext;
use gst_rtsp_server::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp as gst_rtsp;
use gstreamer_rtsp_server as gst_rtsp_server;

use super::captured;
use super::queue::{self, Slow};
use super::viewers::Viewers;
use crate::pipeline::{MaskedStream, SoundCodec, SoundForm};

/// How often a stream is asked for its sound.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// How often each media is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Looks, ten seconds, for which a viewer waits for the first picture of a camera that shows none.
/// The server itself would wait for twice as long.
const LOOKS_FOR_A_PICTURE: u32 = 50;
/// The role that viewers who have shown who they are get.
pub(super) const VIEWER: &str = "viewer";

/// How a viewer's media may travel.
#[derive(Clone, Copy)]
pub(super) enum Over {
    /// As the viewer asks for: in its RTSP connection, or as datagrams.
    TcpOrUdp,
    /// In its RTSP connection, which is encrypted. Datagrams are refused (461):
    /// beside a connection over TLS they would travel in the clear.
    TheConnectionOnly,
}

/// A factory that gives each viewer of `id` a media of its own, fed from `stream`.
pub(super) fn factory(
    id: &str,
    stream: MaskedStream,
    over: Over,
    viewers: &Arc<Viewers>,
    server: &gst::glib::MainContext,
) -> gst_rtsp_server::RTSPMediaFactory {
    let factory = gst_rtsp_server::RTSPMediaFactory::new();
    let promised = Arc::new(Mutex::new(stream.sound()));
    factory.set_launch(&launch(locked(&promised).as_ref()));
    keep_up(&factory, (id, &stream), &promised, viewers, server);
    factory.set_shared(false);
    factory.set_suspend_mode(gst_rtsp_server::RTSPSuspendMode::None);
    factory.set_protocols(match over {
        Over::TcpOrUdp => gst_rtsp::RTSPLowerTrans::TCP | gst_rtsp::RTSPLowerTrans::UDP,
        Over::TheConnectionOnly => gst_rtsp::RTSPLowerTrans::TCP,
    });
    factory.set_clock(Some(&gst::SystemClock::obtain()));
    factory.add_role_from_structure(
        &gst::Structure::builder(VIEWER)
            .field("media.factory.access", true)
            .field("media.factory.construct", true)
            .build(),
    );
    let viewers = Arc::downgrade(viewers);
    let (id, server) = (id.to_owned(), server.clone());
    factory.connect_media_configure(move |_, media| {
        let slow = Slow::default();
        // The request that this media is made for is being handled.
        let client = RTSPContext::with_current_context(|c| c.client().cloned()).flatten();
        if let (Some(viewers), Some(client)) = (viewers.upgrade(), &client) {
            // It may have changed since this media was made.
            let sound = locked(&promised)
                .clone()
                .filter(|form| has_sound(media, form));
            viewers.watch(client, slow.clone(), (&id, sound));
        }
        let Some((pipeline, begun)) = configure(media, &stream, slow) else {
            // Its viewers then wait in vain and are told so by the server.
            tracing::error!("a media pipeline is not what was asked for");
            return;
        };
        let (viewers, id, stream) = (viewers.clone(), id.clone(), stream.clone());
        let served = move || {
            viewers
                .upgrade()
                .is_some_and(|all| all.serves(&id, &stream))
        };
        let client = client.map(|client| client.downgrade());
        look_after(&pipeline, client, begun, served, &server);
    });
    factory
}

/// Its pipeline, and whether a picture has come.
fn configure(
    media: &gst_rtsp_server::RTSPMedia,
    stream: &MaskedStream,
    slow: Slow,
) -> Option<(gst::Pipeline, Arc<AtomicBool>)> {
    let bin = media.element().downcast::<gst::Bin>().ok()?;
    let pipeline = bin.parent()?.downcast::<gst::Pipeline>().ok()?;
    pipeline.use_clock(Some(&gst::SystemClock::obtain()));
    pipeline.set_start_time(gst::ClockTime::NONE);
    pipeline.set_base_time(gst::ClockTime::ZERO);

    let begun = Arc::<AtomicBool>::default();
    let packets = |payloader: &str| bin.by_name(payloader)?.static_pad("src");
    let source = |name: &str| bin.by_name(name)?.downcast::<gst_app::AppSrc>().ok();
    let pictures = packets("pay0")?;
    let sound = CODECS.into_iter().find_map(|(codec, name, _)| {
        let source = source(name)?;
        Some((codec, source, packets("pay1")?))
    });
    let (times, sound) = match sound {
        None => (captured::tell(&pipeline, &pictures), None),
        Some((codec, source, packets)) => {
            let [times, heard] = captured::tell_all(&pipeline, [&pictures, &packets]);
            let tap = queue::feed_sound(source, codec, move |piece| {
                heard.remember(piece.buffer(), piece.capture());
            });
            (times, Some(stream.tap_sound(tap)))
        }
    };
    let came = begun.clone();
    let tap = queue::feed(source("src")?, slow, move |unit, taken| {
        if taken {
            came.store(true, Ordering::Relaxed);
            times.remember(unit.buffer(), unit.capture());
        }
    });
    let taps = Mutex::new(Some((stream.tap(tap), sound)));
    media.connect_unprepared(move |_| {
        drop(locked(&taps).take());
    });
    Some((pipeline, begun))
}

/// For each codec of sound: what its source is called, and what packs it.
const CODECS: [(SoundCodec, &str, &str); 4] = [
    (
        SoundCodec::Pcmu,
        "sound-pcmu",
        "rtppcmupay name=pay1 pt=0 perfect-rtptime=false",
    ),
    (
        SoundCodec::Pcma,
        "sound-pcma",
        "rtppcmapay name=pay1 pt=8 perfect-rtptime=false",
    ),
    (SoundCodec::Aac, "sound-aac", "rtpmp4gpay name=pay1 pt=97"),
    (SoundCodec::Opus, "sound-opus", "rtpopuspay name=pay1 pt=97"),
];

fn has_sound(media: &gst_rtsp_server::RTSPMedia, form: &SoundForm) -> bool {
    let bin = media.element().downcast::<gst::Bin>();
    CODECS.iter().any(|(codec, name, _)| {
        *codec == form.codec() && bin.as_ref().is_ok_and(|bin| bin.by_name(name).is_some())
    })
}

/// What each viewer's media is made of.
fn launch(sound: Option<&SoundForm>) -> String {
    // SPS and PPS come with every key frame. The packetiser would repeat them
    // between the slices of one picture, which ffmpeg takes for a new picture.
    let mut launch = "( appsrc name=src is-live=true format=time block=false \
         ! rtph264pay name=pay0 pt=96 config-interval=0 aggregate-mode=zero-latency"
        .to_owned();
    let codec = sound.map(SoundForm::codec);
    if let Some((_, name, pack)) = CODECS.iter().find(|(c, _, _)| Some(*c) == codec) {
        launch.push_str(&format!(
            " appsrc name={name} is-live=true format=time block=false ! {pack}"
        ));
    }
    launch + " )"
}

/// Has the factory make what the stream's sound is by now, and those who were promised other
/// come again: nobody's SDP can be changed while they watch.
fn keep_up(
    factory: &gst_rtsp_server::RTSPMediaFactory,
    (id, stream): (&str, &MaskedStream),
    promised: &Arc<Mutex<Option<SoundForm>>>,
    viewers: &Arc<Viewers>,
    server: &gst::glib::MainContext,
) {
    let (factory, viewers) = (factory.downgrade(), Arc::downgrade(viewers));
    let (id, stream, promised) = (id.to_owned(), stream.clone(), promised.clone());
    let ask = move || {
        let (Some(factory), Some(viewers)) = (factory.upgrade(), viewers.upgrade()) else {
            return gst::glib::ControlFlow::Break;
        };
        let now = stream.sound();
        if *locked(&promised) != now {
            factory.set_launch(&launch(now.as_ref()));
            *locked(&promised) = now;
        }
        viewers.dismiss_promised_other(&id, locked(&promised).as_ref());
        gst::glib::ControlFlow::Continue
    };
    gst::glib::timeout_source_new(ASK_EVERY, None, gst::glib::Priority::DEFAULT, ask)
        .attach(Some(server));
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks after a viewer's pipeline again and again, on the server's own loop, while it lives.
///
/// A DESCRIBE waits for its first picture. Where none can come any more, as the stream is no longer
/// `served`, or has not come for long, it is ended with an answer (503); a viewer who was given an
/// answer, but has not yet asked to play, is sent away: no picture would reach them.
fn look_after(
    pipeline: &gst::Pipeline,
    client: Option<gst::glib::WeakRef<gst_rtsp_server::RTSPClient>>,
    begun: Arc<AtomicBool>,
    served: impl Fn() -> bool + Send + 'static,
    server: &gst::glib::MainContext,
) {
    let (pipeline, mut looks) = (pipeline.downgrade(), 0);
    let look = move || {
        let Some(pipeline) = pipeline.upgrade() else {
            return gst::glib::ControlFlow::Break;
        };
        let (served, begun) = (served(), begun.load(Ordering::Relaxed));
        looks += 1;
        if !begun && (!served || looks > LOOKS_FOR_A_PICTURE) {
            gst::element_error!(pipeline, gst::StreamError::Failed, ("no picture came"));
            return gst::glib::ControlFlow::Break;
        }
        if !served {
            if let Some(client) = client.as_ref().and_then(gst::glib::WeakRef::upgrade) {
                client.close();
            }
            return gst::glib::ControlFlow::Break;
        }
        wake_sleeping_sinks(&pipeline);
        gst::glib::ControlFlow::Continue
    };
    gst::glib::timeout_source_new(LOOK_EVERY, None, gst::glib::Priority::DEFAULT, look)
        .attach(Some(server));
}

/// Takes sinks along that stayed behind when their pipeline went to PLAYING.
///
/// gst-rtsp-server 1.22 adds a connection's sinks while the state changes; on a
/// busy machine the one for RTCP may stay PAUSED for good, and no sender report
/// ever leaves.
fn wake_sleeping_sinks(pipeline: &gst::Pipeline) {
    let (_, current, pending) = pipeline.state(gst::ClockTime::ZERO);
    if ![current, pending].contains(&gst::State::Playing) {
        return;
    }
    for element in pipeline.iterate_recurse().into_iter().flatten() {
        let asleep = element.current_state() == gst::State::Paused;
        if asleep && element.element_flags().contains(gst::ElementFlags::SINK) {
            tracing::debug!(sink = %element.name(), "woken");
            // Its next push tells where this failed.
            let _ = element.set_state(gst::State::Playing);
        }
    }
}
