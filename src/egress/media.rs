//! What each viewer has of its own: packetising, sending, reports.
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

use std::sync::{Arc, Mutex, PoisonError};

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
use crate::pipeline::MaskedStream;

/// How often sleeping sinks are looked for.
const WAKE_EVERY: std::time::Duration = std::time::Duration::from_millis(200);
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

/// A factory that gives each viewer a media of its own, fed from `stream`.
pub(super) fn factory(
    stream: MaskedStream,
    over: Over,
    viewers: &Arc<Viewers>,
    server: &gst::glib::MainContext,
) -> gst_rtsp_server::RTSPMediaFactory {
    let factory = gst_rtsp_server::RTSPMediaFactory::new();
    // SPS and PPS come with every key frame. The packetiser would repeat them
    // between the slices of one picture, which ffmpeg takes for a new picture.
    factory.set_launch(
        "( appsrc name=src is-live=true format=time block=false \
         ! rtph264pay name=pay0 pt=96 config-interval=0 aggregate-mode=zero-latency )",
    );
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
    let server = server.clone();
    factory.connect_media_configure(move |_, media| {
        let slow = Slow::default();
        // The request that this media is made for is being handled.
        let client = RTSPContext::with_current_context(|c| c.client().cloned()).flatten();
        if let (Some(viewers), Some(client)) = (viewers.upgrade(), client) {
            viewers.watch(&client, slow.clone());
        }
        if configure(media, &stream, slow, &server).is_none() {
            // Its viewers then wait in vain and are told so by the server.
            tracing::error!("a media pipeline is not what was asked for");
        }
    });
    factory
}

fn configure(
    media: &gst_rtsp_server::RTSPMedia,
    stream: &MaskedStream,
    slow: Slow,
    server: &gst::glib::MainContext,
) -> Option<()> {
    let bin = media.element().downcast::<gst::Bin>().ok()?;
    let pipeline = bin.parent()?.downcast::<gst::Pipeline>().ok()?;
    pipeline.use_clock(Some(&gst::SystemClock::obtain()));
    pipeline.set_start_time(gst::ClockTime::NONE);
    pipeline.set_base_time(gst::ClockTime::ZERO);

    wake_sleeping_sinks(&pipeline, server);
    let payloader = bin.by_name("pay0")?;
    let times = captured::tell(&pipeline, &payloader.static_pad("src")?);

    let source = bin.by_name("src")?.downcast::<gst_app::AppSrc>().ok()?;
    let tap = queue::feed(source, slow, move |unit, taken| {
        if taken {
            times.remember(unit);
        }
    });
    let tap = Mutex::new(Some(stream.tap(tap)));
    media.connect_unprepared(move |_| {
        drop(tap.lock().unwrap_or_else(PoisonError::into_inner).take());
    });
    Some(())
}

/// Takes sinks along that stayed behind when their pipeline went to PLAYING.
///
/// gst-rtsp-server 1.22 adds a connection's sinks while the state changes; on a
/// busy machine the one for RTCP may stay PAUSED for good, and no sender report
/// ever leaves. Looked for again and again, on the server's own loop, while the pipeline lives.
fn wake_sleeping_sinks(pipeline: &gst::Pipeline, server: &gst::glib::MainContext) {
    let pipeline = pipeline.downgrade();
    let wake = move || {
        let Some(pipeline) = pipeline.upgrade() else {
            return gst::glib::ControlFlow::Break;
        };
        let (_, current, pending) = pipeline.state(gst::ClockTime::ZERO);
        if [current, pending].contains(&gst::State::Playing) {
            for element in pipeline.iterate_recurse().into_iter().flatten() {
                let asleep = element.current_state() == gst::State::Paused;
                if asleep && element.element_flags().contains(gst::ElementFlags::SINK) {
                    tracing::debug!(sink = %element.name(), "woken");
                    // Its next push tells where this failed.
                    let _ = element.set_state(gst::State::Playing);
                }
            }
        }
        gst::glib::ControlFlow::Continue
    };
    gst::glib::timeout_source_new(WAKE_EVERY, None, gst::glib::Priority::DEFAULT, wake)
        .attach(Some(server));
}
