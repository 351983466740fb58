//! Clear stills: one camera's permit, and taking one.

use super::Shared;
use super::audited::permit_over;
use super::camera::RunningCamera;
use super::judge::Look;
use crate::archive::rfc3339;
use crate::clock::{Clock, Mono, WallTime};
use crate::still::{ClearStill, Mark, NoStill, Slot};
use crate::traces::Task;
use crate::web::{ClearPicture, Grant, Permit, StillFault, Stills};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A frame that can be shown comes within this time, or there is no still.
const WITHIN: Duration = Duration::from_secs(2);
/// From one still of a camera to the next.
const APART: Duration = Duration::from_secs(5);

/// What one camera's clear stills need. Gone with the camera.
#[derive(Debug)]
pub(super) struct CameraStills {
    /// None where the configuration does not allow any: then no frame is ever lent.
    slot: Option<Arc<Slot>>,
    permit: Mutex<Option<Held>>,
    asked: Mutex<Option<Mono>>,
}

/// A permit, and when it ends.
#[derive(Clone, Debug)]
struct Held {
    permit: Permit,
    /// Whichever comes first: a clock that is put back must not make it longer.
    until: (Mono, WallTime),
}

impl Held {
    fn is_over(&self, clock: &dyn Clock) -> bool {
        clock.mono() >= self.until.0 || clock.wall() >= self.until.1
    }
}

impl CameraStills {
    pub(super) fn new(offered: bool) -> Self {
        Self {
            slot: offered.then(Arc::default),
            permit: Mutex::new(None),
            asked: Mutex::new(None),
        }
    }

    /// Where the judge looks whether somebody waits.
    pub(super) fn slot(&self) -> Option<Arc<Slot>> {
        self.slot.clone()
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The permit in force.
    fn permit(&self, clock: &dyn Clock) -> Option<Permit> {
        let held = self.held();
        let held = held.as_ref().filter(|held| !held.is_over(clock));
        held.map(|held| held.permit.clone())
    }

    /// Whether somebody may take one now.
    pub(super) fn is_permitted(&self, clock: &dyn Clock) -> bool {
        self.permit(clock).is_some()
    }

    /// Puts a permit in force, in place of any other.
    fn grant(&self, grant: Grant, clock: &dyn Clock) -> Permit {
        let lasts = Duration::from_secs(60 * u64::from(grant.minutes));
        let (now, began) = (clock.mono(), clock.wall());
        let lasts_ns = i64::try_from(lasts.as_nanos()).unwrap_or(0);
        let until = WallTime(began.0.saturating_add(lasts_ns));
        let permit = Permit {
            given_ns: now.0,
            until: rfc3339(until),
            by: grant.by,
            reason: grant.reason,
        };
        *self.held() = Some(Held {
            permit: permit.clone(),
            until: (now.plus(lasts), until),
        });
        permit
    }

    /// Takes a permit back, where `which` says so of it.
    fn end(&self, which: impl FnOnce(&Held) -> bool) -> Option<Permit> {
        self.held().take_if(|held| which(held)).map(|h| h.permit)
    }

    /// Whether a still may be taken now; else after how many seconds. One that
    /// may counts, whatever becomes of it.
    fn turn(&self, now: Mono) -> Result<(), u64> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = asked.map_or(Duration::ZERO, |last| APART.saturating_sub(now.since(last)));
        if wait.is_zero() {
            *asked = Some(now);
            return Ok(());
        }
        Err(wait.as_secs() + 1)
    }
}

impl From<NoStill> for StillFault {
    fn from(why: NoStill) -> Self {
        match why {
            NoStill::Busy => Self::TooSoon(1),
            NoStill::NoFrame | NoStill::Refused(_) => Self::NoPicture(why.to_string()),
        }
    }
}

impl Shared {
    fn still_of<T>(
        &self,
        camera: &str,
        ask: impl FnOnce(&RunningCamera) -> Result<T, StillFault>,
    ) -> Result<T, StillFault> {
        let cameras = self.cameras();
        let running = cameras.iter().find(|c| c.id() == camera);
        ask(running.ok_or(StillFault::NoCamera)?)
    }

    /// Records that the permit of a camera that goes is over.
    pub(super) fn end_permit(&self, camera: &RunningCamera, why: &'static str) {
        if let Some(permit) = camera.stills().end(|_| true) {
            self.journal.note(permit_over(camera.id(), &permit.by, why));
        }
    }
}

impl Stills for Shared {
    fn offered(&self) -> bool {
        self.clear_still
    }

    fn four_eyes(&self) -> bool {
        self.four_eyes
    }

    fn permit(&self, camera: &str) -> Result<Option<Permit>, StillFault> {
        self.still_of(camera, |running| Ok(running.stills().permit(&*self.clock)))
    }

    fn permits(&self) -> Vec<(String, Permit)> {
        let permit =
            |c: &RunningCamera| Some((c.id().to_owned(), c.stills().permit(&*self.clock)?));
        self.cameras().iter().filter_map(permit).collect()
    }

    fn grant(&self, camera: &str, grant: Grant) -> Result<Permit, StillFault> {
        if !self.clear_still {
            return Err(StillFault::NotOffered);
        }
        self.still_of(camera, |running| {
            Ok(running.stills().grant(grant, &*self.clock))
        })
    }

    fn end(&self, camera: &str, permit: &Permit) -> bool {
        let end = |running: &RunningCamera| {
            Ok(running
                .stills()
                .end(|held| held.permit == *permit)
                .is_some())
        };
        self.still_of(camera, end).unwrap_or(false)
    }

    fn end_those_over(&self) -> Vec<(String, Permit)> {
        let over = |running: &RunningCamera| {
            let over = running.stills().end(|held| held.is_over(&*self.clock));
            over.map(|permit| (running.id().to_owned(), permit))
        };
        self.cameras().iter().filter_map(over).collect()
    }

    fn take(&self, camera: &str, name: &str) -> Result<ClearPicture, StillFault> {
        let slot = self.still_of(camera, |running| {
            let slot = running.stills().slot().ok_or(StillFault::NotOffered)?;
            let turn = running.stills().turn(self.clock.mono());
            turn.map_err(StillFault::TooSoon)?;
            Ok(slot)
        })?;
        // Not under the lock of the cameras: others go on.
        let ask = || slot.ask(WITHIN);
        let failed = |no: &NoStill| *no == NoStill::NoFrame;
        let still = self.traced.timed(Task::ClearStill, camera, ask, failed)?;
        let look = Look {
            size: still.size(),
            pose: still.pose(),
            still: still.capture().map(|t| t.0.to_string()),
        };
        // One that was restarted meanwhile may have another lens.
        let view = self.still_of(camera, |running| {
            let slot_now = running.stills().slot();
            if !slot_now.is_some_and(|now| Arc::ptr_eq(&now, &slot)) {
                return Err(StillFault::NoCamera);
            }
            let view = running.view_of(look);
            view.map_err(|_| StillFault::NoPicture("nobody knows where it looked".into()))
        })?;
        self.picture(camera, name, view, still)
    }
}

impl Shared {
    fn picture(
        &self,
        camera: &str,
        name: &str,
        view: crate::web::CameraView,
        still: ClearStill,
    ) -> Result<ClearPicture, StillFault> {
        let captured = still.capture().map(|t| rfc3339(WallTime(t.0)));
        let hidden = still.hidden();
        let time = rfc3339(self.clock.wall())
            .replace('T', " ")
            .replace('Z', " UTC");
        let jpeg = still
            .marked(&Mark::new(name, camera, &time))
            .map_err(|error| StillFault::Failed(error.to_string()))?;
        Ok(ClearPicture {
            jpeg,
            view,
            captured,
            hidden,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SimClock;

    fn grant(minutes: u32) -> Grant {
        Grant {
            minutes,
            reason: "a new camera".into(),
            by: "olga".into(),
        }
    }

    #[test]
    fn a_permit_ends_by_either_clock() {
        // Seconds that pass, seconds that the wall clock is put on, and whether
        // five minutes are over.
        for (passed, stepped, over) in [
            (0, 0.0, false),
            (299, 0.0, false),
            (300, 0.0, true),
            (301, -86_400.0, true),
            (0, 300.0, true),
            (10, -3600.0, false),
        ] {
            let clock = SimClock::at(WallTime(1_795_000_000_000_000_000));
            let stills = CameraStills::new(true);
            let given = stills.grant(grant(5), &clock);
            clock.advance(Duration::from_secs(passed));
            clock.step_wall(stepped);
            let now = stills.permit(&clock);
            assert_eq!(now.is_none(), over, "{passed} {stepped}");
            assert_eq!(now.unwrap_or_else(|| given.clone()), given);
            let ended = stills.end(|held| held.is_over(&clock));
            assert_eq!(ended.is_some(), over, "{passed} {stepped}");
        }
    }

    #[test]
    fn only_the_permit_that_is_meant_is_ended() {
        let clock = SimClock::at(WallTime(0));
        let stills = CameraStills::new(true);
        let first = stills.grant(grant(5), &clock);
        clock.advance(Duration::from_millis(1));
        let second = stills.grant(grant(5), &clock);
        assert_eq!(stills.end(|held| held.permit == first), None);
        assert_eq!(stills.permit(&clock), Some(second.clone()));
        assert_eq!(stills.end(|held| held.permit == second), Some(second));
        assert_eq!(stills.permit(&clock), None);
    }

    #[test]
    fn stills_are_five_seconds_apart() {
        let stills = CameraStills::new(true);
        let at = |s: u64| Mono(1_000_000_000 * s);
        assert_eq!(
            [10, 10, 13, 15, 16, 20].map(|s| stills.turn(at(s))),
            [Ok(()), Err(6), Err(3), Ok(()), Err(5), Ok(())]
        );
    }

    #[test]
    fn where_none_are_offered_no_frame_is_lent() {
        assert!(CameraStills::new(false).slot().is_none());
    }
}
