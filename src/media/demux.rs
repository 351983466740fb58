//! What comes out of a file: `filesrc ! decodebin`, of which one kind of stream
//! is decoded and the rest left as it is.
//!
//! Must not know what becomes of the streams.

use super::MediaError;
use crate::pipeline::element;
use gst::prelude::*;
use gstreamer as gst;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which streams are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Picture,
    Sound,
}

/// What the demuxer found, filled in by GStreamer's threads.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Kinds of streams that nobody takes.
    pub(super) others: BTreeSet<String>,
    pub(super) sound: bool,
    /// Where the streams that nobody takes end, running time.
    pub(super) others_end: gst::ClockTime,
    /// All streams are known.
    pub(super) complete: bool,
    /// How often something was read from the file.
    pub(super) reads: u64,
}

pub(super) fn lock(found: &Mutex<Found>) -> MutexGuard<'_, Found> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The decodebin of `file`, in `pipeline`.
pub(super) fn demux(
    file: &Path,
    wanted: Wanted,
    pipeline: &gst::Pipeline,
    found: &Arc<Mutex<Found>>,
) -> Result<gst::Element, MediaError> {
    let location = file
        .to_str()
        .ok_or_else(|| MediaError::Name(file.to_owned()))?;
    let source = element("filesrc").map_err(MediaError::machine)?;
    source.set_property("location", location);
    let seen = found.clone();
    let output = source.static_pad("src");
    output.inspect(|pad| {
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            lock(&seen).reads += 1;
            gst::PadProbeReturn::Ok
        });
    });
    let decode = element("decodebin").map_err(MediaError::machine)?;
    decode.connect("autoplug-continue", false, move |values| {
        let kind = kind_of(values);
        Some(kind.is_some_and(|kind| goes_on(&kind, wanted)).to_value())
    });
    let seen = found.clone();
    decode.connect_no_more_pads(move |_| lock(&seen).complete = true);
    let seen = found.clone();
    decode.connect("unknown-type", false, move |values| {
        lock(&seen).others.extend(kind_of(values));
        None
    });
    pipeline
        .add_many([&source, &decode])
        .map_err(MediaError::machine)?;
    source.link(&decode).map_err(MediaError::machine)?;
    Ok(decode)
}

/// The kind of stream that a signal of decodebin's tells of.
fn kind_of(values: &[gst::glib::Value]) -> Option<String> {
    let caps = values.get(2)?.get::<gst::Caps>().ok()?;
    Some(caps.structure(0)?.name().to_string())
}

/// Whether decodebin is to look into a stream of this kind: containers and what
/// is wanted. A playlist would be followed to wherever it leads.
fn goes_on(kind: &str, wanted: Wanted) -> bool {
    const CONTAINERS: [&str; 16] = [
        "application/mxf",
        "application/ogg",
        "application/vnd.ms-asf",
        "application/x-3gp",
        "application/x-id3",
        "audio/x-matroska",
        "video/mpeg",
        "video/mpegts",
        "video/ogg",
        "video/quicktime",
        "video/webm",
        "video/x-dv",
        "video/x-flv",
        "video/x-matroska",
        "video/x-ms-asf",
        "video/x-msvideo",
    ];
    let elementary = match wanted {
        Wanted::Picture => kind.starts_with("video/") || kind.starts_with("image/"),
        Wanted::Sound => kind.starts_with("audio/"),
    };
    elementary || CONTAINERS.contains(&kind)
}

/// Takes what comes out of `pad` and forgets it: a stream that nobody takes
/// would stop the others.
pub(super) fn throw_away(pipeline: &gst::Pipeline, pad: &gst::Pad, found: &Arc<Mutex<Found>>) {
    let found = found.clone();
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let end = info.buffer().and_then(|b| {
            let end = b.pts()? + b.duration().unwrap_or(gst::ClockTime::ZERO);
            let segment = pad.sticky_event::<gst::event::Segment>(0)?;
            let segment = segment.segment().downcast_ref::<gst::ClockTime>()?;
            segment.to_running_time(end)
        });
        let mut found = lock(&found);
        found.others_end = found.others_end.max(end.unwrap_or(gst::ClockTime::ZERO));
        gst::PadProbeReturn::Ok
    });
    let Ok(sink) = element("fakesink") else {
        return;
    };
    sink.set_property("sync", false);
    sink.set_property("async", false);
    let linked = pipeline.add(&sink).is_ok()
        && sink.sync_state_with_parent().is_ok()
        && sink
            .static_pad("sink")
            .is_some_and(|input| pad.link(&input).is_ok());
    if !linked {
        tracing::debug!("a stream of the clip stays unlinked");
    }
}
