//! From the encoder's thread into a GStreamer pipeline that sends: one bounded queue
//! for each, whole groups of pictures or nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use gstreamer as gst;
use gstreamer_app as gst_app;

use crate::pipeline::{EncodedMasked, PassedSound, SoundCodec, SoundTap, Tap};

/// Access units that wait for the packetiser. It takes them at once, except before
/// the far side wants them and where it does not read.
const QUEUE: u64 = 16;
/// Pieces of sound that wait: one and a third seconds of pieces of 20 ms.
const SOUND_QUEUE: u64 = 64;
/// A queue that was full for this long is one of somebody slow.
const SLOW_AFTER: gst::ClockTime = gst::ClockTime::from_seconds(5);

/// Whether the far side has fallen behind; set and unset as frames come.
pub(super) type Slow = Arc<AtomicBool>;

/// Puts access units into `source`, and whole groups of pictures or nothing: a
/// queue that is full stays out until the next key frame. `met` is told of each
/// unit before it goes in (`true`), or that it does not.
pub(super) fn feed(
    source: gst_app::AppSrc,
    slow: Slow,
    met: impl Fn(&EncodedMasked, bool) + Send + Sync + 'static,
) -> Tap {
    source.set_max_bytes(0);
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
            met(unit, false);
            return;
        }
        *since = None;
        slow.store(false, Ordering::Relaxed);
        if source.caps().as_ref() != Some(unit.caps()) {
            source.set_caps(Some(unit.caps()));
        }
        met(unit, true);
        // Refused only while the pipeline is being taken down.
        let _ = source.push_buffer(unit.buffer().clone());
    })
}

/// Puts sound in that codec into `source`. What does not fit is left out: whoever takes
/// pictures alone, or nothing, holds up nobody. `met` is told of each piece that goes in.
pub(super) fn feed_sound(
    source: gst_app::AppSrc,
    codec: SoundCodec,
    met: impl Fn(&PassedSound) + Send + Sync + 'static,
) -> SoundTap {
    source.set_max_bytes(0);
    Box::new(move |piece: &PassedSound| {
        let fits = source.current_level_buffers() < SOUND_QUEUE;
        if piece.form().codec() != codec || !fits {
            return;
        }
        if source.caps().as_ref() != Some(piece.form().caps()) {
            source.set_caps(Some(piece.form().caps()));
        }
        met(piece);
        // Refused only while the pipeline is being taken down.
        let _ = source.push_buffer(piece.buffer().clone());
    })
}
