//! Who looks at the pictures: a few threads for all cameras, the newest picture
//! of each camera in turn.
//!
//! A camera's picture is taken only while none of its own waits or is looked at,
//! and only when its budget allows: nothing piles up, and slow detectors see
//! fewer pictures, not later ones.

mod looker;
mod sight;
mod size;
mod trial;

use super::motion::Motion;
use crate::clock::Clock;
use crate::config::Detect;
use crate::event::EventSink;
use crate::pipeline::Waker;
use crate::schedule::Rules;
use crate::track;
use anyhow::Context;
pub(super) use looker::Looker;
pub(super) use sight::Sight;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
pub(super) use trial::Trial;

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The threads that look. Dropping it ends them.
pub(super) struct Pool {
    /// What whole pictures are brought to, input samples.
    long_side: u32,
    /// How what is found is followed.
    rules: track::Rules,
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
    pub(super) fn start(
        lookers: Vec<Looker>,
        long_side: u32,
        rules: track::Rules,
        events: Arc<dyn EventSink>,
    ) -> anyhow::Result<Self> {
        let line = Arc::new(Line::default());
        let mut threads = Vec::new();
        for mut looker in lookers {
            let (line, events) = (line.clone(), events.clone());
            let thread = std::thread::Builder::new()
                .name("detector".to_owned())
                .spawn(move || {
                    yield_to_the_stream();
                    while let Some(sight) = line.next() {
                        sight.look(&mut looker, events.as_ref());
                    }
                })
                .context("no thread for the detectors")?;
            threads.push(thread);
        }
        Ok(Self {
            long_side,
            rules,
            line,
            threads,
        })
    }

    /// The sight of one camera.
    pub(super) fn sight(
        &self,
        camera: &str,
        detect: &Detect,
        motion: Motion,
        waker: Waker,
        clock: Arc<dyn Clock>,
    ) -> Arc<Sight> {
        let rules = Rules {
            cpu_share: detect.cpu_share,
            sweep: detect.sweep,
            long_side: self.long_side,
        };
        let line = self.line.clone();
        let camera = camera.to_owned();
        Arc::new(Sight::new(
            camera,
            detect,
            (rules, self.rules),
            line,
            motion,
            waker,
            clock,
        ))
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

/// A look that comes late costs some grey, an encoder that comes late a frame.
fn yield_to_the_stream() {
    // On Linux this is the calling thread's own.
    if let Err(error) = rustix::process::nice(5) {
        tracing::debug!(%error, "the detectors run at the stream's own priority");
    }
}

#[cfg(test)]
mod tests;
