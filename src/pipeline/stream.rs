//! The masked, encoded stream of one camera, and the way to tap it.
//!
//! [`EncodedMasked`] can only be made in this file, from what the encoder behind
//! `privacymask` gives; egress takes nothing else. Must not know who listens.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use gst_video::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;

use super::sound::{Sound, SoundForm, SoundStats, SoundTap};
use super::stamps::capture_time;
use crate::clock::CaptureTime;

/// Stamps are at least this far apart.
const APART_NS: u64 = 100_000;

/// One encoded access unit of masked video.
#[derive(Clone, Debug)]
pub struct EncodedMasked {
    buffer: gst::Buffer,
    caps: gst::Caps,
    capture: Option<CaptureTime>,
}

impl EncodedMasked {
    /// The access unit: H.264 byte stream; its stamp is on GStreamer's system
    /// clock (monotonic), and later than that of every unit before.
    pub fn buffer(&self) -> &gst::Buffer {
        &self.buffer
    }

    /// Its caps; they change when the picture's size does.
    pub fn caps(&self) -> &gst::Caps {
        &self.caps
    }

    /// When the camera took the picture; missing for grey pictures of our own
    /// and before the camera has told its time.
    pub fn capture(&self) -> Option<CaptureTime> {
        self.capture
    }

    /// Whether a viewer can begin here.
    pub fn is_key(&self) -> bool {
        !self.buffer.flags().contains(gst::BufferFlags::DELTA_UNIT)
    }

    /// `last_ns` is the stamp before, and becomes this one: egress aborts the
    /// process for a stamp that goes back, so not even a restarted encoder may
    /// cause one.
    fn from_sample(sample: &gst::Sample, last_ns: &AtomicU64) -> Option<Self> {
        let segment = sample.segment()?.downcast_ref::<gst::ClockTime>()?;
        let encoded = sample.buffer()?;
        let capture = capture_time(encoded);
        // Encoders shift stamps to make room for B-frames that we do not use.
        let pts_ns = segment.to_running_time(encoded.pts()?)?.nseconds();
        let pts_ns = pts_ns.max(last_ns.load(Ordering::Relaxed).saturating_add(APART_NS));
        last_ns.store(pts_ns, Ordering::Relaxed);
        let mut buffer = encoded.copy();
        {
            let buffer = buffer.get_mut()?;
            buffer.set_pts(gst::ClockTime::from_nseconds(pts_ns));
            buffer.set_dts(None);
        }
        Some(Self {
            buffer,
            caps: sample.caps_owned()?,
            capture,
        })
    }
}

/// Takes access units on the encoder's thread: must return at once, and must
/// not call back into the [`MaskedStream`].
pub type Tap = Box<dyn Fn(&EncodedMasked) + Send + Sync>;

/// The masked stream of one camera. Cheap to clone; all clones are one stream.
#[derive(Clone)]
pub struct MaskedStream(Arc<Shared>);

struct Shared {
    taps: Mutex<Taps<Tap>>,
    sound: Sound,
    sound_taps: Mutex<Taps<SoundTap>>,
    next_tap: AtomicU64,
    viewers: AtomicU32,
    encoder: Mutex<Option<gst::glib::WeakRef<gst::Element>>>,
}

/// Replaced as a whole, so that taps run without the lock.
type Taps<T> = Arc<Vec<(u64, Arc<T>)>>;

impl std::fmt::Debug for MaskedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MaskedStream({} viewers)", self.viewers())
    }
}

/// Keeps a [`Tap`] or a [`SoundTap`] attached; dropping it detaches.
pub struct TapHandle {
    id: u64,
    stream: Weak<Shared>,
}

impl std::fmt::Debug for TapHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TapHandle({})", self.id)
    }
}

impl MaskedStream {
    pub(super) fn new(sound: Sound) -> Self {
        Self(Arc::new(Shared {
            taps: Mutex::default(),
            sound,
            sound_taps: Mutex::default(),
            next_tap: AtomicU64::new(1),
            viewers: AtomicU32::new(0),
            encoder: Mutex::new(None),
        }))
    }

    /// Attaches `tap`, which first sees a key frame that is made for it.
    pub fn tap(&self, tap: Tap) -> TapHandle {
        let id = self.0.next_tap.fetch_add(1, Ordering::Relaxed);
        let begun = std::sync::atomic::AtomicBool::new(false);
        let gated: Tap = Box::new(move |unit| {
            if unit.is_key() {
                begun.store(true, Ordering::Relaxed);
            }
            if begun.load(Ordering::Relaxed) {
                tap(unit);
            }
        });
        change(&self.0.taps, |taps| taps.push((id, Arc::new(gated))));
        self.request_key_frame();
        TapHandle {
            id,
            stream: Arc::downgrade(&self.0),
        }
    }

    /// Whether both are one stream.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The form of the sound beside the pictures; none while there is no track of it. It may
    /// become another, once a minute at most.
    pub fn sound(&self) -> Option<SoundForm> {
        self.0.sound.form()
    }

    /// What became of its sound so far.
    pub fn sound_stats(&self) -> SoundStats {
        self.0.sound.stats()
    }

    /// Attaches `tap`, which is given the sound that leaves, whatever form it has.
    pub fn tap_sound(&self, tap: SoundTap) -> TapHandle {
        let id = self.0.next_tap.fetch_add(1, Ordering::Relaxed);
        change(&self.0.sound_taps, |taps| taps.push((id, Arc::new(tap))));
        TapHandle {
            id,
            stream: Arc::downgrade(&self.0),
        }
    }

    /// Asks the encoder for a key frame now, as when a viewer joins.
    pub fn request_key_frame(&self) {
        let encoder = self
            .0
            .encoder
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(encoder) = encoder.as_ref().and_then(gst::glib::WeakRef::upgrade) else {
            return;
        };
        let event = gst_video::UpstreamForceKeyUnitEvent::builder()
            .all_headers(true)
            .build();
        // Not handled only while the encoder is not running: then its first
        // frame is a key frame anyway.
        encoder.send_event(event);
    }

    /// Viewers now, over all ways out.
    pub fn viewers(&self) -> u32 {
        self.0.viewers.load(Ordering::Relaxed)
    }

    /// A viewer joined; the number of viewers then.
    pub fn viewer_joined(&self) -> u32 {
        self.0.viewers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A viewer left; the number of viewers then.
    pub fn viewer_left(&self) -> u32 {
        self.0
            .viewers
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
            .map_or(0, |before| before - 1)
    }

    /// Feeds the stream from `encoder`'s output as it arrives in `sink`.
    pub(super) fn feed_from(&self, encoder: &gst::Element, sink: &gst_app::AppSink) {
        *self
            .0
            .encoder
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(encoder.downgrade());
        let shared = self.0.clone();
        let last_ns = AtomicU64::new(0);
        sink.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    if let Some(unit) = EncodedMasked::from_sample(&sample, &last_ns) {
                        for (_, tap) in now(&shared.taps).iter() {
                            tap(&unit);
                        }
                        // After its picture, never before it.
                        let sound = shared.sound.beside(&unit);
                        let taps = now(&shared.sound_taps);
                        for (piece, (_, tap)) in sound
                            .iter()
                            .flat_map(|piece| taps.iter().map(move |tap| (piece, tap)))
                        {
                            tap(piece);
                        }
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
    }
}

fn now<T>(taps: &Mutex<Taps<T>>) -> Taps<T> {
    taps.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn change<T>(taps: &Mutex<Taps<T>>, change: impl FnOnce(&mut Vec<(u64, Arc<T>)>)) {
    let mut taps = taps.lock().unwrap_or_else(PoisonError::into_inner);
    let mut anew = Vec::clone(&taps);
    change(&mut anew);
    *taps = Arc::new(anew);
}

impl Drop for TapHandle {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.upgrade() {
            // Ids are given once, whatever is tapped.
            change(&stream.taps, |taps| taps.retain(|(id, _)| *id != self.id));
            change(&stream.sound_taps, |taps| {
                taps.retain(|(id, _)| *id != self.id);
            });
        }
    }
}
