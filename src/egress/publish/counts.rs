//! What is counted of one publication, from any thread.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// What became of one publication. Counters run since the gateway began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationFigures {
    /// Its name.
    pub name: String,
    /// `rtsp`, `rtsps`, `srt` or `whip`.
    pub over: &'static str,
    /// Whether the server takes the stream now.
    pub connected: bool,
    /// Connections that the server took the stream over.
    pub connects: u64,
    /// Tries that came to nothing, and connections that were lost.
    pub failures: u64,
    /// Access units given to the connection.
    pub frames: u64,
    /// Bytes of video in them.
    pub bytes: u64,
    /// Access units that a connected server was too slow for.
    pub dropped: u64,
    /// Why the last try or connection ended; none while it is connected.
    pub problem: Option<String>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    connected: AtomicBool,
    connects: AtomicU64,
    failures: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
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

    /// A unit of so many bytes goes to the connection, or is dropped. Those that wait for a
    /// server that is not there yet count as neither.
    pub(super) fn unit(&self, bytes: usize, taken: bool) {
        if !self.connected.load(Relaxed) {
            return;
        }
        if taken {
            self.frames.fetch_add(1, Relaxed);
            self.bytes.fetch_add(bytes as u64, Relaxed);
        } else {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    fn told(&self, problem: Option<String>) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }

    pub(super) fn figures(&self, name: &str, over: &'static str) -> PublicationFigures {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        PublicationFigures {
            name: name.to_owned(),
            over,
            connected: self.connected.load(Relaxed),
            connects: self.connects.load(Relaxed),
            failures: self.failures.load(Relaxed),
            frames: self.frames.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            problem: problem.clone(),
        }
    }
}
