//! A ContinuousMove goes on until its time is over, or until somebody says otherwise
//! (ONVIF PTZ Service Specification, 5.3.4). What turns a camera here stops when
//! nobody says any more that it should go on (`steer`'s dead man): so it is said for
//! the VMS, as long as it asked for, and never for longer than [`LONGEST`].

use super::login::Gate;
use crate::clock::{Clock, Mono};
use crate::web::{By, Holds, NotDone, Wish};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;

/// A VMS that says nothing more leaves a camera that turns for so long at most.
pub(super) const LONGEST: Duration = Duration::from_secs(10);
/// Where it does not say for how long.
pub(super) const USUAL: Duration = Duration::from_secs(5);
/// How often it is said that the camera is to go on: as the console's page does.
const SAID_EVERY: Duration = Duration::from_millis(250);

/// Shares, −1…1: to the right, upwards, closer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Motion {
    pub(super) pan: f64,
    pub(super) tilt: f64,
    pub(super) zoom: f64,
}

impl Motion {
    /// As it is wished; nothing that moves is a stop.
    pub(super) fn wish(self) -> Wish {
        let Self { pan, tilt, zoom } = self;
        match self == Self::default() {
            true => Wish::Stop,
            false => Wish::Turn { pan, tilt, zoom },
        }
    }
}

/// One viewer's hand on one camera.
#[derive(Clone)]
pub(super) struct Hand {
    pub(super) camera: String,
    pub(super) viewer: String,
    pub(super) by: By,
    pub(super) holds: Holds,
    pub(super) gate: Arc<Gate>,
}

impl Hand {
    fn may(&self) -> bool {
        self.gate.may_steer(&self.viewer, &self.camera)
    }

    /// Gives a command.
    pub(super) async fn give(&self, wish: Wish) -> Result<(), NotDone> {
        let may = || self.may();
        self.holds.command(&self.camera, &self.by, wish, may).await
    }

    /// Says that a turn goes on, until it is over.
    async fn goes_on(self, turn: Wish, clock: Arc<dyn Clock>, until: Mono) {
        loop {
            let left = until.since(clock.mono());
            tokio::time::sleep(left.min(SAID_EVERY)).await;
            if clock.mono() >= until || !self.may() {
                break;
            }
            let may = || self.may();
            let said = self.holds.repeat(&self.camera, &self.by, turn.clone(), may);
            if let Err(why) = said.await {
                // Whoever has the camera now, or what keeps it, has seen to it.
                tracing::debug!(camera = self.camera, ?why, "a turn for a VMS ended");
                return;
            }
        }
        if let Err(why) = self.give(Wish::Stop).await {
            tracing::debug!(
                camera = self.camera,
                ?why,
                "the stop after a turn for a VMS"
            );
        }
    }
}

/// What turns one camera for a VMS now.
#[derive(Default)]
pub(super) struct Turning(Mutex<Now>);

#[derive(Default)]
struct Now {
    turn: Option<Turn>,
    /// How often it was taken.
    taken: u64,
}

/// What was asked when this was had may still begin; not if something was asked since.
#[derive(Clone, Copy)]
pub(super) struct Asked(u64);

struct Turn {
    by: String,
    motion: Motion,
    task: AbortHandle,
    until: Mono,
}

impl Turning {
    /// Nothing is said any more for this hand; how the camera turned for it until now,
    /// and until when it would have.
    pub(super) fn take(&self, by: &By) -> (Asked, Option<(Motion, Mono)>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        now.taken += 1;
        let asked = Asked(now.taken);
        let Some(turn) = now.turn.take_if(|turn| turn.by == by.name()) else {
            return (asked, None);
        };
        let ran = !turn.task.is_finished();
        turn.task.abort();
        (asked, ran.then_some((turn.motion, turn.until)))
    }

    /// From now on it is said for this hand that the camera goes on turning so.
    ///
    /// The camera took its time to answer: what was asked meanwhile, a stop above all,
    /// came later and holds.
    pub(super) fn begin(
        &self,
        asked: Asked,
        hand: Hand,
        motion: Motion,
        clock: Arc<dyn Clock>,
        until: Mono,
    ) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.taken != asked.0 {
            return;
        }
        let by = hand.by.name().to_owned();
        let task = tokio::spawn(hand.goes_on(motion.wish(), clock, until));
        let turn = Turn {
            by,
            motion,
            task: task.abort_handle(),
            until,
        };
        if let Some(former) = now.turn.replace(turn) {
            former.task.abort();
        }
    }
}
