//! The sound of a clip: as it is, or distorted.
//!
//! Distorting shifts the pitch by an amount that wanders, by chance that is kept
//! nowhere, so that no single shift back undoes it, and takes away what lies
//! above the telephone's band. It hides neither words nor manner of speaking.

use super::MediaError;
use super::demux::{Found, Wanted, demux, throw_away};
use crate::pipeline::element;
use gst::prelude::*;
use gstreamer as gst;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What becomes of a clip's sound, where any is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// As it is.
    Keep,
    /// Pitch shifted by an amount that wanders.
    Distort,
}

/// How long a pitch lasts before the next, nanoseconds of sound.
const WANDERS_EVERY_NS: u64 = 250_000_000;
/// Pitches are at least this far from the voice's own, both ways.
const PITCHES: [std::ops::Range<f32>; 2] = [0.62..0.78, 1.3..1.55];

/// Adds the sound of `file` to `pipeline`, encoded, into `into`.
pub(super) fn add(
    file: &Path,
    sound: Sound,
    pipeline: &gst::Pipeline,
    into: &gst::Pad,
) -> Result<(), MediaError> {
    let found = Arc::new(Mutex::new(Found::default()));
    let decoded = demux(file, Wanted::Sound, pipeline, &found)?;
    let chain = chain(sound)?;
    pipeline.add_many(&chain).map_err(MediaError::machine)?;
    gst::Element::link_many(&chain).map_err(MediaError::machine)?;
    let ends = chain.first().zip(chain.last());
    let (Some(input), Some(output)) = (
        ends.and_then(|(first, _)| first.static_pad("sink")),
        ends.and_then(|(_, last)| last.static_pad("src")),
    ) else {
        return Err(MediaError::Machine("pads for sound".to_owned()));
    };
    output.link(into).map_err(MediaError::machine)?;
    let (take, within, seen) = (input.clone(), pipeline.downgrade(), found.clone());
    decoded.connect_pad_added(move |_, pad| {
        let caps = pad.current_caps().unwrap_or_else(|| pad.query_caps(None));
        let is_sound = caps.structure(0).is_some_and(|s| s.name() == "audio/x-raw");
        if is_sound && !take.is_linked() && pad.link(&take).is_ok() {
            return;
        }
        if let Some(pipeline) = within.upgrade() {
            throw_away(&pipeline, pad, &seen);
        }
    });
    // Sound that is not there after all must not be waited for.
    decoded.connect_no_more_pads(move |_| {
        if !input.is_linked() {
            input.send_event(gst::event::Eos::new());
        }
    });
    Ok(())
}

fn chain(sound: Sound) -> Result<Vec<gst::Element>, MediaError> {
    let make = |name| element(name).map_err(MediaError::machine);
    let mut chain = vec![
        make("queue")?,
        make("audioconvert")?,
        make("audioresample")?,
    ];
    if sound == Sound::Distort {
        let narrow = make("capsfilter")?;
        let caps = gst::Caps::builder("audio/x-raw")
            .field("rate", 8000)
            .field("channels", 1)
            .build();
        narrow.set_property("caps", caps);
        let pitch = make("pitch")?;
        wander(&pitch);
        chain.extend([narrow, pitch, make("audioconvert")?, make("audioresample")?]);
    }
    let form = make("capsfilter")?;
    let caps = gst::Caps::builder("audio/x-raw")
        .field("rate", RATE)
        .build();
    form.set_property("caps", caps);
    let encoder = make("avenc_aac")?;
    if sound == Sound::Keep {
        // `pitch` is early itself, by more.
        ahead(&encoder);
    }
    chain.extend([form, encoder, make("aacparse")?]);
    Ok(chain)
}

/// Samples a second in the copy.
const RATE: i32 = 48_000;
/// AAC decoders give what was encoded this much later, nanoseconds: a frame of
/// 1024 samples (ISO/IEC 14496-3 leaves it to the container to say so, and
/// mp4mux does not).
const AAC_DELAY_NS: u64 = 1024 * 1_000_000_000 / RATE as u64;

/// Encodes sound so much earlier that it is heard in time; its first 21 ms go.
fn ahead(encoder: &gst::Element) {
    let Some(pad) = encoder.static_pad("sink") else {
        return;
    };
    pad.add_probe(gst::PadProbeType::BUFFER, |_, info| {
        let delay = gst::ClockTime::from_nseconds(AAC_DELAY_NS);
        let Some(buffer) = info.buffer_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        match buffer.pts().map(|pts| pts.checked_sub(delay)) {
            Some(Some(earlier)) => {
                buffer.make_mut().set_pts(earlier);
                gst::PadProbeReturn::Ok
            }
            // GStreamer 1.22 does not bear `Drop` from here.
            Some(None) => gst::PadProbeReturn::Handled,
            None => gst::PadProbeReturn::Ok,
        }
    });
}

/// Gives `pitch` another shift again and again.
fn wander(pitch: &gst::Element) {
    let next_ns = AtomicU64::new(0);
    let Some(pad) = pitch.static_pad("sink") else {
        return;
    };
    // Set before the first sample, whatever the first buffer's stamp is.
    pitch.set_property("pitch", some_pitch());
    let pitch = pitch.downgrade();
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let at = info.buffer().and_then(|b| b.pts());
        if let (Some(at), Some(pitch)) = (at, pitch.upgrade())
            && at.nseconds() >= next_ns.load(Ordering::Relaxed)
        {
            let lasts = rand::random_range(WANDERS_EVERY_NS / 2..WANDERS_EVERY_NS * 2);
            next_ns.store(at.nseconds().saturating_add(lasts), Ordering::Relaxed);
            pitch.set_property("pitch", some_pitch());
        }
        gst::PadProbeReturn::Ok
    });
}

fn some_pitch() -> f32 {
    let [low, high] = PITCHES;
    // Down more often: high voices are harder to follow.
    rand::random_range(if rand::random_bool(0.7) { low } else { high })
}
