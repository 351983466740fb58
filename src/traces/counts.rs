//! What is counted of the telling, from any thread. In spans: the parts that a trace
//! is told in.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of the traces since the gateway began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceFigures {
    /// Spans that the collector took.
    pub taken: u64,
    /// Spans that it was away or too slow for.
    pub dropped: u64,
    /// Spans that it did not want.
    pub refused: u64,
    /// Requests that came to nothing.
    pub failures: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    taken: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    failures: AtomicU64,
}

impl Counts {
    /// The collector took so many, but for those that it did not want.
    pub(super) fn sent(&self, spans: u64, refused: u64) {
        let refused = refused.min(spans);
        self.taken.fetch_add(spans - refused, Relaxed);
        self.refused(refused);
    }

    pub(super) fn dropped(&self, spans: u64) {
        self.dropped.fetch_add(spans, Relaxed);
    }

    pub(super) fn refused(&self, spans: u64) {
        self.refused.fetch_add(spans, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    pub(super) fn figures(&self) -> TraceFigures {
        TraceFigures {
            taken: self.taken.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            refused: self.refused.load(Relaxed),
            failures: self.failures.load(Relaxed),
        }
    }
}
