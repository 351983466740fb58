//! What comes out of a file: `filesrc ! decodebin`, of which one kind of stream
//! is decoded and the rest left as it is.
//!
//! Must not know what becomes of the streams.

use super::MediaError;
use crate::pipeline::element;
use gst::prelude::*;
use gstreamer as gst;
use std::collections::{BTreeMap, BTreeSet};
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
    /// What the video decoder was given and has not given back.
    pub(super) units: Units,
    /// Decoders of H.264 and H.265 that were given something, by name: with more
    /// than one, `units` says nothing.
    pub(super) coded: BTreeSet<String>,
}

/// Access units of H.264 and H.265 in the decoder, by their stamps: each gives
/// one frame. One that gives none was damaged, and so is every frame that may
/// be predicted from it, until the next key frame.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Stamp → whether it is a key frame.
    waiting: BTreeMap<u64, bool>,
    begun: bool,
    broken: bool,
}

impl Units {
    fn enter(&mut self, unit: &gst::BufferRef) {
        let shown = !unit.flags().contains(gst::BufferFlags::DECODE_ONLY);
        if let Some(pts) = unit.pts().filter(|_| shown) {
            let key = !unit.flags().contains(gst::BufferFlags::DELTA_UNIT);
            self.waiting.insert(pts.nseconds(), key);
        }
    }

    /// Takes note of the next frame, in the order of showing; whether it may be
    /// made of what was lost.
    pub(super) fn leave(&mut self, frame: &gst::BufferRef) -> bool {
        let Some(pts) = frame.pts().map(gst::ClockTime::nseconds) else {
            return self.broken;
        };
        let later = self.waiting.split_off(&pts);
        let lost = std::mem::replace(&mut self.waiting, later);
        // What comes before the first frame is often cut off on purpose.
        self.broken |= self.begun && !lost.is_empty();
        self.begun = true;
        if self.waiting.remove(&pts) == Some(true) {
            self.broken = false;
        }
        self.broken
    }
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
    let bin = decode.downcast_ref::<gst::Bin>();
    bin.ok_or_else(|| MediaError::Machine("decodebin is no bin".to_owned()))?
        .connect_deep_element_added(move |_, _, inner| watch_decoder(inner, &seen));
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

/// Counts what goes into `element` where that is a decoder of H.264 or H.265.
fn watch_decoder(element: &gst::Element, found: &Arc<Mutex<Found>>) {
    let class = element.metadata(gst::ELEMENT_METADATA_KLASS);
    let decodes = class.is_some_and(|c| c.contains("Decoder") && c.contains("Video"));
    let Some(pad) = element.static_pad("sink").filter(|_| decodes) else {
        return;
    };
    let (found, name) = (found.clone(), element.name().to_string());
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let known = pad.current_caps().is_some_and(|caps| {
            let kind = caps.structure(0).map(|s| s.name().as_str());
            matches!(kind, Some("video/x-h264" | "video/x-h265"))
        });
        if let Some(unit) = info.buffer().filter(|_| known) {
            let mut found = lock(&found);
            found.units.enter(unit);
            if !found.coded.contains(&name) {
                found.coded.insert(name.clone());
            }
        }
        gst::PadProbeReturn::Ok
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(pts: u64, key: bool) -> gst::Buffer {
        let mut buffer = gst::Buffer::new();
        let unit = buffer.get_mut().unwrap();
        unit.set_pts(gst::ClockTime::from_nseconds(pts));
        if !key {
            unit.set_flags(gst::BufferFlags::DELTA_UNIT);
        }
        buffer
    }

    #[test]
    fn what_follows_a_lost_unit_is_broken_until_the_next_key_frame() {
        gst::init().unwrap();
        // Given to the decoder in this order, stamps as shown; key frames marked.
        let given = [
            (10, true),
            (40, false),
            (20, false),
            (30, false),
            (50, true),
            (60, false),
        ];
        let cases: [(&[u64], &[bool]); 4] = [
            (&[10, 20, 30, 40, 50, 60], &[false; 6]),
            (&[10, 30, 40, 50, 60], &[false, true, true, false, false]),
            (&[20, 30, 40, 50], &[false; 4]),
            (&[10, 20, 30, 40, 60], &[false, false, false, false, true]),
        ];
        for (shown, broken) in cases {
            let mut units = Units::default();
            for (pts, key) in given {
                units.enter(&unit(pts, key));
            }
            let found: Vec<bool> = shown
                .iter()
                .map(|pts| units.leave(&unit(*pts, false)))
                .collect();
            assert_eq!(found, broken, "{shown:?}");
        }
    }

    #[test]
    fn playlists_and_other_kinds_of_streams_are_not_followed() {
        for (kind, picture, sound) in [
            ("video/quicktime", true, true),
            ("video/x-h264", true, false),
            ("audio/mpeg", false, true),
            ("application/x-hls", false, false),
            ("application/dash+xml", false, false),
            ("application/sdp", false, false),
            ("text/uri-list", false, false),
            ("meta/x-klv", false, false),
        ] {
            assert_eq!(goes_on(kind, Wanted::Picture), picture, "{kind}");
            assert_eq!(goes_on(kind, Wanted::Sound), sound, "{kind}");
        }
    }
}
