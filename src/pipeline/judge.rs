//! What the pipeline asks about a frame, and how it is woken.
//!
//! The pipeline knows no geometry: whoever implements [`FrameJudge`] does. This
//! file must not know GStreamer.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{CaptureTime, Mono};
use crate::event::Reason;
use crate::frame::FrameRef;
use crate::geom::Size;
use crate::plan::Plan;
use crate::stamp::Captured;
use crate::still::{Slot, StillPlan};

/// Knows the evidence for frames. Called on streaming threads: every method
/// must return at once. A panic in any of them covers the frame.
pub trait FrameJudge: Send + Sync {
    /// A connection to the camera begins: stamps of frames to come mean nothing
    /// beside those of frames that came.
    fn stream_restarted(&self);

    /// A decoded frame came in. Feeds the watch over the camera's clock.
    ///
    /// `stream_ns` is the frame's stamp in the ingest's own time: only differences
    /// between frames of one connection mean anything. `captured` is missing until the camera
    /// has told its time, and while what it tells contradicts itself.
    fn frame_seen(&self, captured: Option<Captured>, stream_ns: u64, arrival: Mono);

    /// Whether somebody would look at a frame now. Asked for every frame.
    fn wants_picture(&self) -> bool {
        false
    }

    /// A frame taken at `capture`, not painted yet, for whoever looks at pictures.
    /// It is lent for the length of the call: what is needed is copied at once.
    fn picture(&self, _capture: CaptureTime, _picture: &FrameRef<'_>) {}

    /// Whether waiting longer cannot improve the evidence for this frame.
    fn ready(&self, capture: Option<CaptureTime>) -> bool;

    /// What to hide of a frame of `size` taken at `capture`, with what is known now.
    /// `picture` is the frame, not painted yet, to compare it with where the camera says it
    /// looks: lent for the length of the call; `None` where it cannot be read.
    fn plan(
        &self,
        capture: Option<CaptureTime>,
        size: Size,
        picture: Option<&FrameRef<'_>>,
        now: Mono,
    ) -> Plan;

    /// Where somebody waits for a still: the slot, and what a still of this frame
    /// would hide. Asked for every frame that is about to be painted, after
    /// [`plan`](Self::plan).
    ///
    /// # Errors
    /// Inside: the reason for which there is no still of this frame.
    fn still(
        &self,
        _capture: Option<CaptureTime>,
        _size: Size,
        _now: Mono,
    ) -> Option<(&Slot, Result<StillPlan, Reason>)> {
        None
    }
}

/// Wakes the task that waits for evidence. Cheap to clone; all clones are one.
///
/// Whoever adds evidence calls [`Waker::wake`] afterwards. It may hold its own
/// locks while it does: waking takes the waker's only.
#[derive(Clone, Debug, Default)]
pub struct Waker(Arc<(Mutex<u64>, Condvar)>);

impl Waker {
    /// Says that evidence came, or that anything else changed.
    pub fn wake(&self) {
        let (count, changed) = &*self.0;
        let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.wrapping_add(1);
        changed.notify_all();
    }

    /// The number of wakings so far: take it *before* looking at the state, so
    /// that a waking between the look and the wait is not lost.
    pub(super) fn seen(&self) -> u64 {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there was a waking after `seen`, at most for `at_most`.
    pub(super) fn wait(&self, seen: u64, at_most: Duration) {
        let (count, changed) = &*self.0;
        let guard = count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_timeout_while(guard, at_most, |now| *now == seen));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waking_before_the_wait_is_not_lost() {
        let waker = Waker::default();
        let seen = waker.seen();
        waker.clone().wake();
        // Would wait an hour if the waking were lost.
        waker.wait(seen, Duration::from_secs(3600));
        assert_ne!(waker.seen(), seen);
    }
}
