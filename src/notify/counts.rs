//! What is counted of one bus, from any thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// What became of one bus. Counters run since the gateway began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusFigures {
    /// `mqtt` or `nats`.
    pub bus: &'static str,
    /// Whether it takes messages now.
    pub connected: bool,
    /// Connections that it took messages over.
    pub connects: u64,
    /// Tries that came to nothing, and connections that were lost.
    pub failures: u64,
    /// Messages that it took.
    pub sent: u64,
    /// Events that it was away or too slow for.
    pub dropped: u64,
    /// Why the last try or connection ended; none while it is connected.
    pub problem: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    connected: AtomicBool,
    connects: AtomicU64,
    failures: AtomicU64,
    sent: AtomicU64,
    dropped: AtomicU64,
    problem: Mutex<Option<String>>,
}

impl Counts {
    pub(super) fn connected(&self) {
        self.connected.store(true, Relaxed);
        self.connects.fetch_add(1, Relaxed);
        self.told(None);
    }

    /// It ended, and nobody is to blame.
    pub(super) fn stopped(&self) {
        self.connected.store(false, Relaxed);
    }

    pub(super) fn failed(&self, why: &str) {
        self.connected.store(false, Relaxed);
        self.failures.fetch_add(1, Relaxed);
        self.told(Some(why.to_owned()));
    }

    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Relaxed);
    }

    fn told(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    pub(super) fn figures(&self, bus: &'static str) -> BusFigures {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        BusFigures {
            bus,
            connected: self.connected.load(Relaxed),
            connects: self.connects.load(Relaxed),
            failures: self.failures.load(Relaxed),
            sent: self.sent.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            problem: problem.clone(),
        }
    }
}
