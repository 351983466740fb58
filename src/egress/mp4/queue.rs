//! From the encoder's thread to one viewer: a queue bounded in time.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Frames that span more than this wait for a viewer who will not catch up, ns.
/// Together with what is on the way (see `web`'s pings) two seconds at most.
pub(super) const SPAN_NS: u64 = 750_000_000;
/// However close their stamps are.
const FRAMES: usize = 64;

/// What the queue needs to know of a frame.
pub(super) trait Timed {
    fn is_key(&self) -> bool;
    /// Monotonic.
    fn pts_ns(&self) -> u64;
}

/// What waits for one viewer. Whole groups of pictures or nothing: where there
/// is no room all that waits is let go, and nothing is taken up to the next key
/// frame.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Notify,
}

#[derive(Debug)]
struct State<T> {
    frames: VecDeque<T>,
    out: bool,
}

impl<T: Timed> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                frames: VecDeque::new(),
                out: true,
            }),
            filled: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a frame or lets it go; returns at once.
    pub(super) fn put(&self, frame: T) {
        let mut state = self.state();
        let oldest_ns = state.frames.front().map(Timed::pts_ns);
        let span_ns = oldest_ns.map_or(0, |ns| frame.pts_ns().saturating_sub(ns));
        if span_ns > SPAN_NS || state.frames.len() >= FRAMES {
            state.frames.clear();
            state.out = true;
        }
        if state.out && !frame.is_key() {
            return;
        }
        state.out = false;
        state.frames.push_back(frame);
        drop(state);
        self.filled.notify_one();
    }

    /// The next frame, where one waits.
    pub(super) fn next(&self) -> Option<T> {
        self.state().frames.pop_front()
    }

    /// Lets go of what waits: nothing comes before the next key frame.
    pub(super) fn leave_out(&self) {
        let mut state = self.state();
        state.frames.clear();
        state.out = true;
    }

    /// Whether only a key frame helps.
    pub(super) fn is_out(&self) -> bool {
        self.state().out
    }

    /// Until a frame was put in; may return for one that was taken already.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Timed for (char, u64) {
        fn is_key(&self) -> bool {
            self.0 == 'I'
        }
        fn pts_ns(&self) -> u64 {
            self.1 * 1_000_000
        }
    }

    /// Puts frames in at their stamps (ms); `.` takes one out. What was taken,
    /// and what is left.
    fn check(steps: &[(char, u64)], taken: &[u64], left: &[u64]) {
        let queue = Queue::new();
        let mut got = Vec::new();
        for step in steps {
            match step {
                ('.', _) => got.extend(queue.next()),
                frame => queue.put(*frame),
            }
        }
        let rest: Vec<u64> = std::iter::from_fn(|| queue.next()).map(|f| f.1).collect();
        let got: Vec<u64> = got.iter().map(|f| f.1).collect();
        assert_eq!(
            (got.as_slice(), rest.as_slice()),
            (taken, left),
            "{steps:?}"
        );
    }

    #[test]
    fn whole_groups_of_pictures_or_nothing() {
        check(&[], &[], &[]);
        check(&[('P', 0), ('I', 40), ('P', 80)], &[], &[40, 80]);
        check(&[('I', 0), ('.', 0), ('P', 40)], &[0], &[40]);
        // Nobody takes: all goes, up to the next key frame.
        let stuck = [('I', 0), ('P', 400), ('P', 800), ('P', 840)];
        check(&stuck, &[], &[]);
        check(
            &[&stuck[..], &[('I', 880), ('P', 920)]].concat(),
            &[],
            &[880, 920],
        );
        // A key frame that finds no room is the next key frame.
        check(&[('I', 0), ('P', 400), ('I', 800)], &[], &[800]);
        // One frame a second is not slow.
        check(
            &[('I', 0), ('.', 0), ('P', 1000), ('.', 0), ('P', 2000)],
            &[0, 1000],
            &[2000],
        );
    }

    #[test]
    fn frames_without_time_between_them_have_a_bound_as_well() {
        let queue = Queue::new();
        queue.put(('I', 0));
        for _ in 0..10 * FRAMES {
            queue.put(('P', 0));
        }
        assert!(queue.is_out());
        assert_eq!(queue.next(), None);
    }
}
