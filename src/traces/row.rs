//! What the collector has not been sent yet: a bounded row.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::counts::Counts;
use super::story::Story;

/// What waits at most; of more the oldest is dropped, and counted. A megabyte at most.
pub(super) const AT_MOST: usize = 2048;

#[derive(Debug)]
pub(super) struct Row {
    waiting: Mutex<VecDeque<Story>>,
    filled: Notify,
    counts: Arc<Counts>,
}

impl Row {
    pub(super) fn new(counts: Arc<Counts>) -> Self {
        Self {
            waiting: Mutex::default(),
            filled: Notify::new(),
            counts,
        }
    }

    /// Returns at once: the lock is never held while anything is sent.
    pub(super) fn put(&self, story: Story) {
        let displaced = {
            let mut waiting = self.lock();
            let displaced = (waiting.len() >= AT_MOST).then(|| waiting.pop_front());
            waiting.push_back(story);
            displaced.flatten()
        };
        if let Some(story) = displaced {
            self.counts.dropped(story.what.spans());
        }
        self.filled.notify_one();
    }

    /// Returns when something waits, at once where it already does.
    pub(super) async fn filled(&self) {
        while self.lock().is_empty() {
            self.filled.notified().await;
        }
    }

    /// The oldest, at most so many.
    pub(super) fn take(&self, at_most: usize) -> Vec<Story> {
        let mut waiting = self.lock();
        let count = waiting.len().min(at_most);
        waiting.drain(..count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Story>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
