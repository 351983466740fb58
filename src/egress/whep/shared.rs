//! What the callers and the serving thread both see: cameras, and the names of
//! the sessions. Held for moments only; no packet is sent under this lock.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use str0m::Rtc;
use tokio::sync::Notify;

use super::WhepRefused;
use crate::pipeline::MaskedStream;

/// Why viewers are dismissed whose camera is served no longer.
const TAKEN_OUT: &str = "the camera was taken out";

/// A session whose offer was answered, on its way to the serving thread.
pub(super) struct Arrived {
    pub(super) session: String,
    pub(super) camera: String,
    pub(super) stream: MaskedStream,
    pub(super) rtc: Box<Rtc>,
}

/// A session to end, and why where we make it end.
pub(super) type Ended = (String, Option<&'static str>);

/// What changed since the serving thread looked last.
pub(super) struct Changes {
    pub(super) arrived: Vec<Arrived>,
    pub(super) ended: Vec<Ended>,
    pub(super) stopped: bool,
}

pub(super) struct Shared {
    state: Mutex<State>,
    sessions_at_most: usize,
    wake: std::sync::Arc<Notify>,
}

/// `arrived` and `ended` name each session at most once: as bounded as they.
#[derive(Default)]
struct State {
    cameras: HashMap<String, MaskedStream>,
    /// The camera of each session.
    sessions: HashMap<String, String>,
    arrived: Vec<Arrived>,
    ended: Vec<Ended>,
    stopped: bool,
}

impl Shared {
    pub(super) fn new(sessions_at_most: usize) -> Self {
        Self {
            state: Mutex::default(),
            sessions_at_most,
            wake: std::sync::Arc::default(),
        }
    }

    /// Wakes the serving thread.
    pub(super) fn wake(&self) -> &std::sync::Arc<Notify> {
        &self.wake
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_camera(&self, id: &str, stream: MaskedStream) {
        let mut state = self.state();
        state.end_where(Some(TAKEN_OUT), |camera| camera == id);
        if !state.stopped {
            state.cameras.insert(id.to_owned(), stream);
        }
        drop(state);
        self.wake.notify_one();
    }

    pub(super) fn remove_camera(&self, id: &str) {
        let mut state = self.state();
        state.cameras.remove(id);
        state.end_where(Some(TAKEN_OUT), |camera| camera == id);
        drop(state);
        self.wake.notify_one();
    }

    /// Takes a place for a session before any work is spent on its offer.
    pub(super) fn reserve(&self, camera: &str) -> Result<Reserved<'_>, WhepRefused> {
        let mut state = self.state();
        if state.stopped {
            return Err(WhepRefused::Stopped);
        }
        if !state.cameras.contains_key(camera) {
            return Err(WhepRefused::NoSuchCamera);
        }
        if state.sessions.len() >= self.sessions_at_most {
            return Err(WhepRefused::TooMany);
        }
        let session = format!("{:032x}", rand::random::<u128>());
        state.sessions.insert(session.clone(), camera.to_owned());
        Ok(Reserved {
            shared: self,
            session,
            filled: false,
        })
    }

    pub(super) fn end(&self, session: &str) -> bool {
        let mut state = self.state();
        let there = state.sessions.remove(session).is_some();
        if there {
            state.ended.push((session.to_owned(), None));
        }
        drop(state);
        self.wake.notify_one();
        there
    }

    /// A session ended by itself.
    pub(super) fn forget(&self, session: &str) {
        self.state().sessions.remove(session);
    }

    pub(super) fn changes(&self) -> Changes {
        let mut state = self.state();
        Changes {
            arrived: std::mem::take(&mut state.arrived),
            ended: std::mem::take(&mut state.ended),
            stopped: state.stopped,
        }
    }

    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        state.cameras.clear();
        state.end_where(Some("the server stops"), |_| true);
        drop(state);
        self.wake.notify_one();
    }
}

impl State {
    fn end_where(&mut self, why: Option<&'static str>, which: impl Fn(&str) -> bool) {
        let ended = &mut self.ended;
        self.sessions.retain(|session, camera| {
            let ends = which(camera);
            if ends {
                ended.push((session.clone(), why));
            }
            !ends
        });
    }
}

/// A place that is free again when dropped without a session in it.
pub(super) struct Reserved<'a> {
    shared: &'a Shared,
    session: String,
    filled: bool,
}

impl Reserved<'_> {
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    /// Hands the session over, unless its camera was taken out meanwhile.
    pub(super) fn fill(
        mut self,
        arrived: impl FnOnce(MaskedStream) -> Arrived,
    ) -> Result<(), WhepRefused> {
        let mut state = self.shared.state();
        if state.stopped {
            return Err(WhepRefused::Stopped);
        }
        let stream = state
            .sessions
            .get(&self.session)
            .and_then(|camera| state.cameras.get(camera))
            .cloned()
            .ok_or(WhepRefused::NoSuchCamera)?;
        state.arrived.push(arrived(stream));
        drop(state);
        self.filled = true;
        self.shared.wake.notify_one();
        Ok(())
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.filled {
            self.shared.forget(&self.session);
        }
    }
}
