//! What is seen on one camera's pictures.
//!
//! A picture that nobody could look at leaves no trace: what the tracks then do
//! not know, the judge covers.

use super::super::motion::Motion;
use super::size::possible;
use super::{Line, Looker, lock};
use crate::clock::{CaptureTime, Clock, Mono, thread_cpu};
use crate::config::{Detect, Style, WhenSilent};
use crate::detect::{Class, Detection, Part, PixelBox};
use crate::event::{Event, EventSink, Looking, Reason};
use crate::frame::{FrameCopy, FrameRef};
use crate::geom::Size;
use crate::pipeline::Waker;
use crate::schedule::{Rules, Schedule};
use crate::track::{self, CannotSay, Hidden, Tracker};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where a camera's next picture is.
enum Slot {
    /// Nowhere: the next frame may be taken. Memory of the last one.
    Free(Option<FrameCopy>),
    Waiting(Taken, FrameCopy),
    LookedAt,
}

/// Which picture it is.
#[derive(Clone, Copy)]
struct Taken {
    capture: CaptureTime,
    at: Mono,
    /// How often everything had been forgotten before.
    epoch: u64,
}

/// One camera's sight.
pub(in crate::app) struct Sight {
    camera: String,
    detect: Detect,
    rules: Rules,
    following: track::Rules,
    line: Arc<Line>,
    slot: Mutex<Slot>,
    /// What to look at, once there was a picture, and the size of its pictures.
    schedule: Mutex<Option<(Size, Schedule)>>,
    /// The tracks, once something was looked at, and the size of its pictures.
    tracked: Mutex<Option<(Size, Tracker)>>,
    motion: Motion,
    waker: Waker,
    clock: Arc<dyn Clock>,
    /// How often everything was forgotten.
    epoch: AtomicU64,
    /// The next look is not before this; [`Mono`]'s nanoseconds.
    next_look: AtomicU64,
    /// Pictures in a row that could not be looked at.
    faults: AtomicU32,
    /// Frames for which the look after them came too late.
    unawaited: AtomicU64,
    measure: Mutex<Measure>,
}

/// Looks since the last report.
#[derive(Default)]
struct Measure {
    since: Option<Mono>,
    looks: u32,
    wall: Duration,
    cpu: Duration,
}

/// A fault that goes on is told again after so many pictures.
const SAID_EVERY: u32 = 100;
/// Measures are told so often.
const MEASURE: Duration = Duration::from_secs(1);
/// Measures that are older tell nothing about now.
const QUIET: Duration = Duration::from_secs(3);

impl std::fmt::Debug for Sight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sight")
            .field("camera", &self.camera)
            .finish_non_exhaustive()
    }
}

impl Sight {
    pub(super) fn new(
        camera: String,
        detect: &Detect,
        (rules, following): (Rules, track::Rules),
        line: Arc<Line>,
        motion: Motion,
        waker: Waker,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            camera,
            detect: detect.clone(),
            rules,
            following,
            line,
            slot: Mutex::new(Slot::Free(None)),
            schedule: Mutex::new(None),
            tracked: Mutex::new(None),
            motion,
            waker,
            clock,
            epoch: AtomicU64::new(0),
            next_look: AtomicU64::new(0),
            faults: AtomicU32::new(0),
            unawaited: AtomicU64::new(0),
            measure: Mutex::default(),
        }
    }

    /// Whether a picture would be taken.
    pub(in crate::app) fn wants_picture(&self) -> bool {
        self.clock.mono().0 >= self.next_look.load(Ordering::Relaxed) && self.is_free()
    }

    /// Whether no picture waits or is looked at.
    pub(super) fn is_free(&self) -> bool {
        matches!(*lock(&self.slot), Slot::Free(_))
    }

    /// Takes a copy of a picture and stands in line with it.
    pub(in crate::app) fn take(self: &Arc<Self>, capture: CaptureTime, picture: &FrameRef<'_>) {
        let mut slot = lock(&self.slot);
        let Slot::Free(memory) = &mut *slot else {
            return;
        };
        let copy = FrameCopy::of(picture, memory.take());
        let taken = Taken {
            capture,
            at: self.clock.mono(),
            epoch: self.epoch.load(Ordering::SeqCst),
        };
        *slot = Slot::Waiting(taken, copy);
        drop(slot);
        self.line.join(self.clone());
    }

    /// Tracks of another connection mean nothing.
    pub(in crate::app) fn forget(&self) {
        let mut tracked = lock(&self.tracked);
        // A look at a picture of the old connection may still be under way.
        self.epoch.fetch_add(1, Ordering::SeqCst);
        *tracked = None;
    }

    pub(super) fn look(&self, looker: &mut Looker, events: &dyn EventSink) {
        let Slot::Waiting(taken, picture) =
            std::mem::replace(&mut *lock(&self.slot), Slot::LookedAt)
        else {
            return;
        };
        let looked = catch_unwind(AssertUnwindSafe(|| {
            self.look_at(taken, &picture.view(), looker)
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
        lock(&self.measure).wall += self.clock.mono().since(taken.at);
        self.tell(events);
    }

    fn look_at(
        &self,
        taken: Taken,
        picture: &FrameRef<'_>,
        looker: &mut Looker,
    ) -> anyhow::Result<()> {
        let began = self.clock.mono();
        looker.sees(began)?;
        let cpu_before = thread_cpu();
        let parts = self.parts(began, taken.capture, picture);
        let focal_px = self.motion.focal_px(taken.capture);
        let may_be = |d: &Detection| match (self.detect.nearest_m, focal_px) {
            (Some(nearest_m), Some(focal_px)) => {
                possible(d.class, &d.at, picture.size(), focal_px, nearest_m)
            }
            _ => true,
        };
        let found = looker.look(picture, &self.detect.classes, &parts, &may_be);
        let cpu = match (cpu_before, thread_cpu()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.clock.mono().since(began),
        };
        self.took(began, &parts, cpu);
        self.follow(taken, picture.size(), &found?, &parts)
    }

    /// What to look at of the picture taken at `capture`.
    fn parts(&self, now: Mono, capture: CaptureTime, picture: &FrameRef<'_>) -> Vec<Part> {
        let size = picture.size();
        let followed: Vec<(Class, PixelBox)> = match &*lock(&self.tracked) {
            Some((of, tracker)) if *of == size => tracker
                .boxes_at(capture, &self.motion)
                .unwrap_or_default()
                .iter()
                .map(|thing| (thing.class, thing.likely))
                .collect(),
            _ => Vec::new(),
        };
        let mut schedule = lock(&self.schedule);
        let schedule = match &mut *schedule {
            Some((of, schedule)) if *of == size => schedule,
            other => &mut other.insert((size, Schedule::new(self.rules, size))).1,
        };
        schedule.parts(now, picture, &followed)
    }

    fn took(&self, began: Mono, parts: &[Part], cpu: Duration) {
        if let Some((_, schedule)) = &mut *lock(&self.schedule) {
            schedule.looked(began, parts, cpu);
            self.next_look
                .store(schedule.next_look().0, Ordering::Relaxed);
        }
        let mut measure = lock(&self.measure);
        measure.looks += 1;
        measure.cpu += cpu;
    }

    /// Takes what was found in `parts` of the picture of that time into the tracks.
    fn follow(
        &self,
        taken: Taken,
        size: Size,
        found: &[Detection],
        parts: &[Part],
    ) -> anyhow::Result<()> {
        let schedule = lock(&self.schedule);
        let shown = |class, place: &PixelBox| {
            schedule
                .as_ref()
                .is_some_and(|(_, schedule)| schedule.shown(parts, class, place))
        };
        let mut tracked = lock(&self.tracked);
        if taken.epoch != self.epoch.load(Ordering::SeqCst) {
            return Ok(());
        }
        let tracker = match &mut *tracked {
            Some((of, tracker)) if *of == size => tracker,
            _ => {
                let tracker = Tracker::new(self.following, size)?;
                &mut tracked.insert((size, tracker)).1
            }
        };
        let refused = tracker
            .observe_where(taken.capture, found, &self.motion, &shown)
            .err();
        if let Some(refused) = refused {
            // A clock that went back, for one: what is remembered belongs to
            // another time. The next look begins anew; until then all is covered.
            *tracked = None;
            return Err(refused.into());
        }
        Ok(())
    }

    /// Tells, once a second, how much is looked at.
    fn tell(&self, events: &dyn EventSink) {
        let now = self.clock.mono();
        let mut measure = lock(&self.measure);
        let since = *measure.since.get_or_insert(now);
        let past = now.since(since);
        if past < MEASURE {
            return;
        }
        let done = std::mem::replace(
            &mut *measure,
            Measure {
                since: Some(now),
                ..Measure::default()
            },
        );
        drop(measure);
        let behind = lock(&self.schedule)
            .as_ref()
            .map(|(_, schedule)| schedule.behind(now))
            .unwrap_or_default();
        events.emit(Event::DetectorMeasured {
            camera: self.camera.clone(),
            looking: Looking {
                looks_hz: f64::from(done.looks) / past.as_secs_f64(),
                cpu_percent: 100.0 * done.cpu.as_secs_f64() / past.as_secs_f64(),
                look_ms: 1e3 * done.wall.as_secs_f64() / f64::from(done.looks.max(1)),
                tiles: behind.tiles,
                tiles_overdue: behind.overdue,
                longest_unvisited_ms: behind.longest.as_millis() as u64,
                frames_before_their_look: self.unawaited.load(Ordering::Relaxed),
            },
        });
    }

    /// Whether nobody has told for a while how much is looked at: a look hangs, or
    /// no picture comes.
    pub(in crate::app) fn is_quiet(&self) -> bool {
        let since = lock(&self.measure).since;
        since.is_some_and(|since| self.clock.mono().since(since) > QUIET)
    }

    /// Whether what is found is shown as a mosaic instead of grey.
    pub(in crate::app) fn mosaic(&self) -> bool {
        self.detect.style == Style::Mosaic
    }

    /// Whether waiting longer cannot tell more about a frame taken at `t`.
    pub(in crate::app) fn ready(&self, t: CaptureTime) -> bool {
        let tracked = lock(&self.tracked);
        let Some((_, tracker)) = &*tracked else {
            return false;
        };
        self.is_silent(tracker, t) || tracker.known_until().is_some_and(|known| known >= t)
    }

    /// What to hide in a frame taken at `t`.
    pub(in crate::app) fn things(&self, t: CaptureTime) -> Result<Vec<Hidden>, Reason> {
        let covers = self.detect.when_silent == WhenSilent::Cover;
        match &*lock(&self.tracked) {
            Some((_, tracker)) if !(covers && self.is_silent(tracker, t)) => {
                if tracker.known_until().is_none_or(|known| known < t) {
                    self.unawaited.fetch_add(1, Ordering::Relaxed);
                }
                tracker.boxes_at(t, &self.motion).map_err(cannot_say)
            }
            None if !covers => {
                // Shown though nobody has looked: the status must tell.
                self.unawaited.fetch_add(1, Ordering::Relaxed);
                Ok(Vec::new())
            }
            _ => Err(Reason::DetectorSilent),
        }
    }

    /// What is known of a frame taken at `t`, for another stream of the same camera, which is
    /// looked at itself: nothing is counted, and whoever is silent says so.
    pub(in crate::app) fn known(&self, t: CaptureTime) -> Result<Vec<Hidden>, Reason> {
        match &*lock(&self.tracked) {
            Some((_, tracker)) if !self.is_silent(tracker, t) => {
                tracker.boxes_at(t, &self.motion).map_err(cannot_say)
            }
            _ => Err(Reason::DetectorSilent),
        }
    }

    /// What to hide in a frame taken at `t` that may be shown without its zones:
    /// whatever the policy for silent detectors, somebody must have looked, and
    /// not only before `t`.
    pub(in crate::app) fn seen(&self, t: CaptureTime) -> Result<Vec<Hidden>, Reason> {
        match &*lock(&self.tracked) {
            Some((_, tracker))
                if tracker.known_until().is_some_and(|known| known >= t)
                    && !self.is_silent(tracker, t) =>
            {
                tracker.boxes_at(t, &self.motion).map_err(cannot_say)
            }
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

fn cannot_say(why: CannotSay) -> Reason {
    match why {
        CannotSay::TooMany { .. } => Reason::TooManyThings,
        CannotSay::Forgotten { .. } => Reason::DetectorSilent,
    }
}
