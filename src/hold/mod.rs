//! The hold: the bounded queue in which frames wait for their evidence.
//!
//! Frames leave in the order in which they came, each as soon as its evidence
//! is complete or when its deadline comes, and never after its budget. The hold
//! reads no clock, starts no thread and waits for nothing: its owner tells it
//! the time and sleeps until the time it answers. Generic over what it holds;
//! must not know GStreamer, pixels or poses.

mod reserve;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::{CaptureTime, Mono};

pub use reserve::Reserve;

/// The times a hold keeps to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The longest time from a frame's arrival to the encoder.
    pub total: Duration,
    /// The part of `total` that is kept for planning, painting and pushing: a
    /// frame is released at the latest at arrival + `total` − `reserve`. At or
    /// above `total`, frames are released at once.
    pub reserve: Duration,
}

/// A frame with what the hold knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<F> {
    /// What was pushed.
    pub frame: F,
    /// When it reached the gateway.
    pub arrival: Mono,
    /// When the sensor took it, where that is known.
    pub capture: Option<CaptureTime>,
}

/// Why a frame was released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its evidence is complete.
    Evidence,
    /// Its time is up; what is known so far must do.
    Deadline,
}

/// What became of a push. The displaced frame has to be dropped, and counted
/// as [`DropReason::HoldFull`](crate::event::DropReason::HoldFull).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a displaced frame must be counted"]
pub enum Pushed<F> {
    /// There was room.
    Held,
    /// The hold was full, and its *oldest* frame made room: it is the one
    /// nearest to the end of its budget, and a live picture is better served by
    /// what happens now. The order of the others stays.
    Displaced(Held<F>),
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a released frame that is ignored is lost without being counted"]
pub enum Polled<F> {
    /// Plan, paint and push this frame, before `push_by`.
    Release {
        /// The oldest frame.
        held: Held<F>,
        /// Whether its evidence is complete.
        why: Why,
        /// The end of its budget: look again just before pushing, and drop it
        /// when this instant has passed.
        push_by: Mono,
    },
    /// This frame's budget is over. It must be dropped, and counted as
    /// [`DropReason::Late`](crate::event::DropReason::Late).
    Late(Held<F>),
    /// Nothing to do before this instant, unless evidence or a frame comes.
    WaitUntil(Mono),
    /// Nothing is held.
    Empty,
}

/// A bounded first-in-first-out queue of frames that wait for evidence.
#[derive(Debug)]
pub struct Hold<F> {
    queue: VecDeque<Held<F>>,
    capacity: usize,
    budget: Budget,
}

impl<F> Hold<F> {
    /// A hold for at most `capacity` frames (at least one).
    ///
    /// `budget.total` × frame rate + 2 is a capacity that fills up only when
    /// nobody polls: at 25 fps and 250 ms, nine frames.
    pub fn new(capacity: usize, budget: Budget) -> Self {
        let capacity = capacity.max(1);
        Self {
            queue: VecDeque::with_capacity(capacity),
            capacity,
            budget,
        }
    }

    /// Takes a frame that came at `arrival`. Never refuses it: when the hold is
    /// full, the oldest frame is given back instead.
    pub fn push(&mut self, frame: F, arrival: Mono, capture: Option<CaptureTime>) -> Pushed<F> {
        let displaced = if self.queue.len() >= self.capacity {
            self.queue.pop_front()
        } else {
            None
        };
        self.queue.push_back(Held {
            frame,
            arrival,
            capture,
        });
        displaced.map_or(Pushed::Held, Pushed::Displaced)
    }

    /// Looks at the oldest frame only. `ready` says whether the evidence for
    /// its capture time (`None`: not known) is complete; it is asked at most
    /// once, and not at all for a frame that is late.
    ///
    /// The answers come one frame at a time: poll again until
    /// [`Polled::WaitUntil`] or [`Polled::Empty`].
    pub fn poll(
        &mut self,
        now: Mono,
        ready: impl FnOnce(Option<CaptureTime>) -> bool,
    ) -> Polled<F> {
        let Some(oldest) = self.queue.front() else {
            return Polled::Empty;
        };
        let push_by = oldest.arrival.plus(self.budget.total);
        let release_at = oldest
            .arrival
            .plus(self.budget.total.saturating_sub(self.budget.reserve));
        let late = now > push_by;
        let why = if late {
            None
        } else if ready(oldest.capture) {
            Some(Why::Evidence)
        } else if now >= release_at {
            Some(Why::Deadline)
        } else {
            return Polled::WaitUntil(release_at);
        };
        match (self.queue.pop_front(), why) {
            (Some(held), Some(why)) => Polled::Release { held, why, push_by },
            (Some(held), None) => Polled::Late(held),
            (None, _) => Polled::Empty,
        }
    }

    /// Takes everything out, oldest first: for end of stream, a seek or a
    /// change of form. What the caller does not plan and paint it must drop.
    pub fn drain(&mut self) -> impl Iterator<Item = Held<F>> + '_ {
        self.queue.drain(..)
    }

    /// Sets the times, for the frames that wait too.
    pub fn set_budget(&mut self, budget: Budget) {
        self.budget = budget;
    }

    /// The times it keeps to.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// How many frames wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
