//! Where a request for a still waits for a frame.

use super::picture::Taken;
use super::{ClearStill, StillPlan};
use crate::clock::CaptureTime;
use crate::event::Reason;
use crate::frame::FrameRef;
use crate::paint::paint;
use crossbeam_channel::{Sender, bounded};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One camera's slot: at most one request waits in it, for one frame. What is
/// asked of every frame while nobody waits is one atomic load.
#[derive(Debug, Default)]
pub struct Slot {
    wanted: AtomicBool,
    asked: Mutex<Option<Asked>>,
}

#[derive(Debug)]
struct Asked {
    to: Sender<ClearStill>,
    /// Why the last frame was none for a still.
    why: Option<Reason>,
}

/// Why there is no still.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoStill {
    /// Somebody else waits for one.
    #[error("somebody else waits for a still of this camera")]
    Busy,
    /// No frame came in time.
    #[error("no picture came in time")]
    NoFrame,
    /// Frames came, and none of them could be shown.
    #[error("no picture could be shown: {0}")]
    Refused(Reason),
}

impl Slot {
    /// Whether somebody waits for a still.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    /// Waits for the next frame of which there may be a still, at most for `within`.
    ///
    /// # Errors
    /// [`NoStill`].
    pub fn ask(&self, within: Duration) -> Result<ClearStill, NoStill> {
        let (to, come) = bounded(1);
        {
            let mut asked = self.asked();
            if asked.is_some() {
                return Err(NoStill::Busy);
            }
            *asked = Some(Asked { to, why: None });
            self.wanted.store(true, Ordering::Relaxed);
        }
        let come_in_time = come.recv_timeout(within);
        let left = {
            let mut asked = self.asked();
            self.wanted.store(false, Ordering::Relaxed);
            asked.take()
        };
        // It may have come between the two.
        if let Ok(still) = come_in_time.or_else(|_| come.try_recv()) {
            return Ok(still);
        }
        Err(match left.and_then(|asked| asked.why) {
            Some(reason) => NoStill::Refused(reason),
            None => NoStill::NoFrame,
        })
    }

    /// Says why a frame is none for a still; whoever waits gets the next one.
    pub fn refuse(&self, why: Reason) {
        if let Some(asked) = &mut *self.asked() {
            asked.why = Some(why);
        }
    }

    /// Makes the still of a frame that is lent for the length of the call: a
    /// copy, with what `plan` says hidden in it before anybody has it.
    pub fn give(&self, frame: &FrameRef<'_>, capture: Option<CaptureTime>, plan: &StillPlan) {
        if self.asked().is_none() {
            return;
        }
        match still(frame, capture, plan) {
            Ok(still) => {
                if let Some(asked) = self.asked().take() {
                    self.wanted.store(false, Ordering::Relaxed);
                    // Whoever asked may have gone; then it is dropped here.
                    let _ = asked.to.try_send(still);
                }
            }
            Err(reason) => self.refuse(reason),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Option<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn still(
    frame: &FrameRef<'_>,
    capture: Option<CaptureTime>,
    plan: &StillPlan,
) -> Result<ClearStill, Reason> {
    let copy = Taken::of(frame).map_err(|_| Reason::PaintFailed)?;
    let masked = paint(&plan.things, copy).map_err(|_| Reason::PaintFailed)?;
    match masked.painted().covered.clone() {
        Some(reason) => Err(reason),
        None => Ok(ClearStill::new(masked, capture, plan)),
    }
}
