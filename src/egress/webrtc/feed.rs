//! From the encoder's thread to the sending thread: one bounded queue a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, TrySendError, bounded};
use tokio::sync::Notify;

use crate::pipeline::{EncodedMasked, MaskedStream, Tap, TapHandle};

/// Access units that wait for the sending thread; it takes them at once unless
/// the machine is starved.
const QUEUE: usize = 16;

/// A session's frames. Dropping it detaches from the stream.
pub(super) struct Feed {
    frames: Receiver<EncodedMasked>,
    out: Arc<AtomicBool>,
    _tap: TapHandle,
}

impl Feed {
    /// Attaches to `stream`, beginning with a key frame made for it; `wake` is
    /// notified of every frame, and `met` told of each whether it found room.
    pub(super) fn attach(
        stream: &MaskedStream,
        wake: Arc<Notify>,
        met: impl Fn(&EncodedMasked, bool) + Send + Sync + 'static,
    ) -> Self {
        let (into, frames) = bounded(QUEUE);
        let out = Arc::new(AtomicBool::new(false));
        let missed = out.clone();
        // Whole groups of pictures or nothing: once a frame had no room, those
        // that build on it are of no use.
        let tap: Tap = Box::new(move |unit: &EncodedMasked| {
            if missed.load(Ordering::Relaxed) && !unit.is_key() {
                met(unit, false);
                return;
            }
            let taken = match into.try_send(unit.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => false,
                // The session is being forgotten.
                Err(TrySendError::Disconnected(_)) => return,
            };
            missed.store(!taken, Ordering::Relaxed);
            met(unit, taken);
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

    /// Whether the far side stays out until the next key frame.
    pub(super) fn is_out(&self) -> bool {
        self.out.load(Ordering::Relaxed)
    }
}
