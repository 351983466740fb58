//! From the encoder's thread to the serving thread: one bounded queue a viewer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TrySendError, bounded};
use tokio::sync::Notify;

use crate::pipeline::{EncodedMasked, MaskedStream, Tap, TapHandle};

/// Access units that wait for the serving thread; it takes them at once unless
/// the machine is starved.
const QUEUE: usize = 16;

/// A viewer's frames. Dropping it detaches from the stream.
pub(super) struct Feed {
    frames: Receiver<EncodedMasked>,
    out: Arc<AtomicBool>,
    _tap: TapHandle,
}

impl Feed {
    /// Attaches to `stream`, beginning with a key frame made for it; `wake` is
    /// notified of every frame.
    pub(super) fn attach(stream: &MaskedStream, wake: Arc<Notify>) -> Self {
        let (into, frames) = bounded(QUEUE);
        let out = Arc::new(AtomicBool::new(false));
        let missed = out.clone();
        // Whole groups of pictures or nothing: once a frame had no room, those
        // that build on it are of no use.
        let tap: Tap = Box::new(move |unit: &EncodedMasked| {
            if missed.load(Ordering::Relaxed) && !unit.is_key() {
                return;
            }
            match into.try_send(unit.clone()) {
                Ok(()) => missed.store(false, Ordering::Relaxed),
                Err(TrySendError::Full(_)) => missed.store(true, Ordering::Relaxed),
                // The viewer is being forgotten.
                Err(TrySendError::Disconnected(_)) => return,
            }
            wake.notify_one();
        });
        Self {
            frames,
            out,
            _tap: stream.tap(tap),
        }
    }

    /// The next frame, where one waits.
    pub(super) fn next(&self) -> Option<EncodedMasked> {
        self.frames.try_recv().ok()
    }

    /// Whether the viewer stays out until the next key frame.
    pub(super) fn is_out(&self) -> bool {
        self.out.load(Ordering::Relaxed)
    }
}
