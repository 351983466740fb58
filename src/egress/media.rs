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

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gst::prelude::*;
use gst_rtsp_server::RTSPContext;
use gst_rtsp_server::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_rtsp as gst_rtsp;
use gstreamer_rtsp_server as gst_rtsp_server;

use super::reports::{Anchor, Report, tell_capture_time};
use super::viewers::Viewers;
use crate::clock::CaptureTime;
use crate::pipeline::{EncodedMasked, MaskedStream, Tap};

/// Access units that wait for the packetiser. It takes them at once, except
/// between DESCRIBE and PLAY and for a viewer that does not read.
const QUEUE: u64 = 16;
/// A viewer whose queue was full for this long is slow.
const SLOW_AFTER: gst::ClockTime = gst::ClockTime::from_seconds(5);
/// How often sleeping sinks are looked for.
const WAKE_EVERY: std::time::Duration = std::time::Duration::from_millis(200);
/// The bandwidth of which RTCP may take its twentieth (RFC 3550, 6.2).
const SESSION_BITS_PER_S: f64 = 4e6;
/// Reports go out at least this far apart; the capture time is known to a new
/// viewer after about as long.
const REPORT_EVERY_NS: u64 = 1_000_000_000;
/// Frames between the queue and the packetiser whose capture time is remembered.
const REMEMBERED: usize = 128;
/// The role that viewers who have shown who they are get.
pub(super) const VIEWER: &str = "viewer";

/// Whether a viewer has fallen behind; set and unset as frames come.
pub(super) type Slow = Arc<AtomicBool>;

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

    report_often(&pipeline);
    wake_sleeping_sinks(&pipeline, server);
    let times = Arc::new(Times::default());
    let payloader = bin.by_name("pay0")?;
    follow(&payloader.static_pad("src")?, &times);
    rewrite_reports(&pipeline, &times);

    let source = bin.by_name("src")?.downcast::<gst_app::AppSrc>().ok()?;
    source.set_max_bytes(0);
    let tap = Mutex::new(Some(stream.tap(feed(source, times, slow))));
    media.connect_unprepared(move |_| {
        drop(tap.lock().unwrap_or_else(PoisonError::into_inner).take());
    });
    Some(())
}

/// Puts access units into `source`, and whole groups of pictures or nothing: a
/// queue that is full stays out until the next key frame.
fn feed(source: gst_app::AppSrc, times: Arc<Times>, slow: Slow) -> Tap {
    let full_since: Mutex<Option<gst::ClockTime>> = Mutex::new(None);
    Box::new(move |unit: &EncodedMasked| {
        let now = unit.buffer().pts().unwrap_or_default();
        let mut since = full_since.lock().unwrap_or_else(PoisonError::into_inner);
        let full = source.current_level_buffers() >= QUEUE;
        if full {
            let since = *since.get_or_insert(now);
            slow.store(now.saturating_sub(since) > SLOW_AFTER, Ordering::Relaxed);
        }
        if full || (since.is_some() && !unit.is_key()) {
            return;
        }
        *since = None;
        slow.store(false, Ordering::Relaxed);
        if source.caps().as_ref() != Some(unit.caps()) {
            source.set_caps(Some(unit.caps()));
        }
        times.remember(unit.buffer().pts(), unit.capture());
        // Refused only while the media is being taken down.
        let _ = source.push_buffer(unit.buffer().clone());
    })
}

/// Which capture time belongs to which RTP timestamp.
#[derive(Default)]
struct Times(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Frames on their way to the packetiser.
    under_way: VecDeque<(gst::ClockTime, Option<CaptureTime>)>,
    anchor: Option<Anchor>,
}

impl Times {
    fn remember(&self, pts: Option<gst::ClockTime>, capture: Option<CaptureTime>) {
        let Some(pts) = pts else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.under_way.len() == REMEMBERED {
            known.under_way.pop_front();
        }
        known.under_way.push_back((pts, capture));
    }

    /// A packet with timestamp `rtp` of the frame stamped `pts` was made.
    fn packet(&self, pts: Option<gst::ClockTime>, rtp: u32) {
        let Some(pts) = pts else { return };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while known.under_way.front().is_some_and(|(at, _)| *at < pts) {
            known.under_way.pop_front();
        }
        if let Some((at, capture)) = known.under_way.front().copied()
            && at == pts
        {
            known.under_way.pop_front();
            known.anchor = Anchor::after(known.anchor, rtp, capture);
        }
    }

    fn anchor(&self) -> Option<Anchor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).anchor
    }
}

/// Learns from the packets which RTP timestamp each frame got.
fn follow(pad: &gst::Pad, times: &Arc<Times>) {
    let times = times.clone();
    pad.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
        move |_, info| {
            let first = match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => Some(buffer.as_ref()),
                Some(gst::PadProbeData::BufferList(list)) => list.get(0),
                _ => None,
            };
            if let Some(first) = first {
                let mut header = [0; 8];
                if first.copy_to_slice(0, &mut header).is_ok() {
                    let rtp = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
                    times.packet(first.pts(), rtp);
                }
            }
            gst::PadProbeReturn::Ok
        },
    );
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

/// Sets the RTP session's share of RTCP when it is made. Later is too late: the
/// bandwidth that the session measures before its first report is almost none,
/// and the next report is then due in minutes.
fn report_often(pipeline: &gst::Pipeline) {
    pipeline.connect_deep_element_added(|_, _, element| {
        if element.factory().is_some_and(|f| f.name() == "rtpsession") {
            element.set_property("rtcp-min-interval", REPORT_EVERY_NS);
            element.set_property("bandwidth", SESSION_BITS_PER_S);
        }
    });
}

/// Rewrites what the RTP session of `pipeline` reports.
fn rewrite_reports(pipeline: &gst::Pipeline, times: &Arc<Times>) {
    let times = times.clone();
    pipeline.connect_element_added(move |_, element| {
        if element.factory().is_none_or(|f| f.name() != "rtpbin") {
            return;
        }
        let times = times.clone();
        element.connect_pad_added(move |_, pad| {
            if !pad.name().starts_with("send_rtcp_src") {
                return;
            }
            let times = times.clone();
            pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                let Some(buffer) = info.buffer_mut() else {
                    return gst::PadProbeReturn::Drop;
                };
                let Ok(mut packet) = buffer.make_mut().map_writable() else {
                    return gst::PadProbeReturn::Drop;
                };
                match tell_capture_time(&mut packet, times.anchor()) {
                    Report::True => gst::PadProbeReturn::Ok,
                    Report::Unknown => gst::PadProbeReturn::Drop,
                }
            });
        });
    });
}
