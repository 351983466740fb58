//! Who looks at the pictures: a few threads for all cameras, the newest picture
//! of each camera in turn.
//!
//! A camera's picture is taken only while none of its own waits or is looked at:
//! nothing piles up, and slow detectors see fewer pictures, not later ones. A
//! picture that nobody could look at leaves no trace: what the tracks then do not
//! know, the judge covers.

use super::motion::Motion;
use crate::clock::CaptureTime;
use crate::config::{Detect, WhenSilent};
use crate::detect::{Detection, Detector, PixelBox};
use crate::event::{Event, EventSink, Reason};
use crate::frame::{FrameCopy, FrameRef};
use crate::geom::Size;
use crate::pipeline::Waker;
use crate::track::{Hidden, Rules, Tracker};
use anyhow::Context;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one thread looks with.
pub(super) struct Looker {
    /// The longer side that a picture is brought to, samples.
    pub(super) long_side: u32,
    /// At most one for each class.
    pub(super) detectors: Vec<Box<dyn Detector>>,
}

/// The threads that look. Dropping it ends them.
pub(super) struct Pool {
    line: Arc<Line>,
    threads: Vec<JoinHandle<()>>,
}

/// The cameras whose picture waits, the longest waiting first.
#[derive(Default)]
struct Line {
    waiting: Mutex<(VecDeque<Arc<Sight>>, bool)>,
    come: Condvar,
}

impl Line {
    fn join(&self, sight: Arc<Sight>) {
        lock(&self.waiting).0.push_back(sight);
        self.come.notify_one();
    }

    /// The next camera; `None` when it is over.
    fn next(&self) -> Option<Arc<Sight>> {
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.1 {
                return None;
            }
            if let Some(sight) = waiting.0.pop_front() {
                return Some(sight);
            }
            waiting = self
                .come
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Pool {
    /// Starts a thread for each looker; without one, nobody ever looks.
    pub(super) fn start(lookers: Vec<Looker>, events: Arc<dyn EventSink>) -> anyhow::Result<Self> {
        let line = Arc::new(Line::default());
        let mut threads = Vec::new();
        for mut looker in lookers {
            let (line, events) = (line.clone(), events.clone());
            let thread = std::thread::Builder::new()
                .name("detector".to_owned())
                .spawn(move || {
                    while let Some(sight) = line.next() {
                        sight.look(&mut looker, events.as_ref());
                    }
                })
                .context("no thread for the detectors")?;
            threads.push(thread);
        }
        Ok(Self { line, threads })
    }

    /// The sight of one camera.
    pub(super) fn sight(
        &self,
        camera: &str,
        detect: &Detect,
        motion: Motion,
        waker: Waker,
    ) -> Arc<Sight> {
        Arc::new(Sight {
            camera: camera.to_owned(),
            detect: detect.clone(),
            line: self.line.clone(),
            slot: Mutex::new(Slot::Free(None)),
            tracked: Mutex::new(None),
            motion,
            waker,
            faults: AtomicU32::new(0),
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.line.waiting).1 = true;
        self.line.come.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Where a camera's next picture is.
enum Slot {
    /// Nowhere: the next frame may be taken. Memory of the last one.
    Free(Option<FrameCopy>),
    Waiting(CaptureTime, FrameCopy),
    LookedAt,
}

/// What is seen on one camera's pictures.
pub(super) struct Sight {
    camera: String,
    detect: Detect,
    line: Arc<Line>,
    slot: Mutex<Slot>,
    /// The tracks, once something was looked at, and the size of its pictures.
    tracked: Mutex<Option<(Size, Tracker)>>,
    motion: Motion,
    waker: Waker,
    /// Pictures in a row that could not be looked at.
    faults: AtomicU32,
}

/// A fault that goes on is told again after so many pictures.
const SAID_EVERY: u32 = 100;

impl std::fmt::Debug for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sight")
            .field("camera", &self.camera)
            .finish_non_exhaustive()
    }
}

impl Sight {
    /// Whether a picture would be taken.
    pub(super) fn wants_picture(&self) -> bool {
        matches!(*lock(&self.slot), Slot::Free(_))
    }

    /// Takes a copy of a picture and stands in line with it.
    pub(super) fn take(self: &Arc<Self>, capture: CaptureTime, picture: &FrameRef<'_>) {
        let mut slot = lock(&self.slot);
        let Slot::Free(memory) = &mut *slot else {
            return;
        };
        let copy = FrameCopy::of(picture, memory.take());
        *slot = Slot::Waiting(capture, copy);
        drop(slot);
        self.line.join(self.clone());
    }

    /// Tracks of another connection mean nothing.
    pub(super) fn forget(&self) {
        *lock(&self.tracked) = None;
    }

    fn look(&self, looker: &mut Looker, events: &dyn EventSink) {
        let Slot::Waiting(capture, picture) =
            std::mem::replace(&mut *lock(&self.slot), Slot::LookedAt)
        else {
            return;
        };
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let view = picture.view();
            let whole = PixelBox {
                x0: 0.0,
                y0: 0.0,
                x1: f64::from(view.size().width),
                y1: f64::from(view.size().height),
            };
            let mut found = Vec::new();
            for class in &self.detect.classes {
                // A class that nobody looks for would else count as looked for.
                let detector = looker
                    .detectors
                    .iter_mut()
                    .find(|d| d.descriptor().class == *class);
                let detector = detector.with_context(|| format!("no model finds a {class}"))?;
                found.extend(detector.detect(&view, &whole, looker.long_side)?);
            }
            self.follow(capture, view.size(), &found)
        }))
        .unwrap_or_else(|_| {
            // The tracks may be half changed.
            self.forget();
            Err(anyhow::anyhow!("a detector panicked"))
        });
        match looked {
            Ok(()) => self.faults.store(0, Ordering::Relaxed),
            Err(error) => {
                let before = self.faults.fetch_add(1, Ordering::Relaxed);
                if before.is_multiple_of(SAID_EVERY) {
                    events.emit(Event::DetectorFault {
                        camera: self.camera.clone(),
                        detail: format!("{error:#}"),
                    });
                }
            }
        }
        *lock(&self.slot) = Slot::Free(Some(picture));
        self.waker.wake();
    }

    /// Takes what was found in the picture of that time into the tracks.
    fn follow(&self, at: CaptureTime, size: Size, found: &[Detection]) -> anyhow::Result<()> {
        let mut tracked = lock(&self.tracked);
        let tracker = match &mut *tracked {
            Some((of, tracker)) if *of == size => tracker,
            _ => {
                &mut tracked
                    .insert((size, Tracker::new(Rules::default(), size)?))
                    .1
            }
        };
        let refused = tracker.observe(at, found, &self.motion).err();
        if let Some(refused) = refused {
            // A clock that went back, for one: what is remembered belongs to
            // another time. The next look begins anew; until then all is covered.
            *tracked = None;
            return Err(refused.into());
        }
        Ok(())
    }

    /// Whether waiting longer cannot tell more about a frame taken at `t`.
    pub(super) fn ready(&self, t: CaptureTime) -> bool {
        let tracked = lock(&self.tracked);
        let Some((_, tracker)) = &*tracked else {
            return false;
        };
        self.is_silent(tracker, t) || tracker.known_until().is_some_and(|known| known >= t)
    }

    /// What to hide in a frame taken at `t`, poses taken for exact.
    pub(super) fn things(&self, t: CaptureTime) -> Result<Vec<Hidden>, Reason> {
        let covers = self.detect.when_silent == WhenSilent::Cover;
        match &*lock(&self.tracked) {
            Some((_, tracker)) if !(covers && self.is_silent(tracker, t)) => tracker
                .boxes_at(t, &self.motion)
                .map_err(|_| Reason::DetectorSilent),
            None if !covers => Ok(Vec::new()),
            _ => Err(Reason::DetectorSilent),
        }
    }

    /// Whether nobody has looked for too long around `t`.
    fn is_silent(&self, tracker: &Tracker, t: CaptureTime) -> bool {
        tracker
            .silent_for(t)
            .is_none_or(|s| s > self.detect.max_silence.as_secs_f64())
    }
}

#[cfg(test)]
mod tests;
