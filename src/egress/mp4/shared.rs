//! Cameras, and the sessions of their viewers. Held for moments only.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{Mp4Over, Mp4Refused};
use crate::clock::SystemClock;
use crate::event::EventSink;
use crate::pipeline::MaskedStream;

/// How often a camera is asked for a key frame at most, however many of its
/// viewers want one: each costs the others' picture bits.
const KEY_FRAME_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Shared {
    state: Mutex<State>,
    left: Condvar,
    sessions_at_most: usize,
    clock: SystemClock,
    events: Arc<dyn EventSink>,
}

#[derive(Default)]
struct State {
    cameras: HashMap<String, Served>,
    sessions: HashMap<String, Session>,
    stopped: bool,
}

struct Served {
    stream: MaskedStream,
    /// When it was last asked for a key frame.
    asked: Option<Instant>,
}

/// There until its viewer is dropped.
struct Session {
    camera: String,
    over: watch::Sender<Option<Mp4Over>>,
}

impl Session {
    /// Whether it was not over before.
    fn end(&self, why: Mp4Over) -> bool {
        self.over.send_if_modified(|over| {
            let ends = over.is_none();
            over.get_or_insert(why);
            ends
        })
    }
}

impl Shared {
    pub(super) fn new(sessions_at_most: usize, events: Arc<dyn EventSink>) -> Self {
        Self {
            state: Mutex::default(),
            left: Condvar::new(),
            sessions_at_most,
            clock: SystemClock::new(),
            events,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_camera(&self, id: &str, stream: MaskedStream) {
        let mut state = self.state();
        state.end_where(Mp4Over::NoCamera, |camera| camera == id);
        if !state.stopped {
            let served = Served {
                stream,
                asked: None,
            };
            state.cameras.insert(id.to_owned(), served);
        }
    }

    pub(super) fn remove_camera(&self, id: &str) {
        let mut state = self.state();
        state.cameras.remove(id);
        state.end_where(Mp4Over::NoCamera, |camera| camera == id);
    }

    pub(super) fn reserve(self: &Arc<Self>, camera: &str) -> Result<Place, Mp4Refused> {
        let mut state = self.state();
        if state.stopped {
            return Err(Mp4Refused::Stopped);
        }
        let served = state.cameras.get(camera).ok_or(Mp4Refused::NoSuchCamera)?;
        let stream = served.stream.clone();
        if state.sessions.len() >= self.sessions_at_most {
            return Err(Mp4Refused::TooMany);
        }
        let name = format!("{:032x}", rand::random::<u128>());
        let (over, told) = watch::channel(None);
        let session = Session {
            camera: camera.to_owned(),
            over,
        };
        state.sessions.insert(name.clone(), session);
        Ok(Place {
            shared: self.clone(),
            session: name,
            camera: camera.to_owned(),
            stream,
            over: told,
        })
    }

    pub(super) fn end(&self, session: &str) -> bool {
        let state = self.state();
        let session = state.sessions.get(session);
        session.is_some_and(|session| session.end(Mp4Over::Ended))
    }

    /// Ends everything and lets nobody in any more.
    pub(super) fn stop(&self) {
        let mut state = self.state();
        state.stopped = true;
        state.cameras.clear();
        state.end_where(Mp4Over::Stopped, |_| true);
    }

    /// Waits until all viewers are gone, `at_most` so long.
    pub(super) fn wait_for_leaving(&self, at_most: Duration) {
        let state = self.state();
        // Whoever is not gone by then goes without a goodbye.
        drop(
            self.left
                .wait_timeout_while(state, at_most, |state| !state.sessions.is_empty()),
        );
    }
}

impl State {
    fn end_where(&self, why: Mp4Over, which: impl Fn(&str) -> bool) {
        for session in self.sessions.values().filter(|s| which(&s.camera)) {
            session.end(why);
        }
    }
}

/// A session's place among all; free again when dropped.
pub(super) struct Place {
    shared: Arc<Shared>,
    session: String,
    camera: String,
    stream: MaskedStream,
    over: watch::Receiver<Option<Mp4Over>>,
}

impl Place {
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    pub(super) fn camera(&self) -> &str {
        &self.camera
    }

    pub(super) fn stream(&self) -> &MaskedStream {
        &self.stream
    }

    /// There once it is over.
    pub(super) fn over(&self) -> &watch::Receiver<Option<Mp4Over>> {
        &self.over
    }

    pub(super) fn events(&self) -> &dyn EventSink {
        &*self.shared.events
    }

    /// Asks for a key frame, unless somebody has done so just now.
    pub(super) fn ask_for_key_frame(&self) {
        let now = self.shared.clock.instant();
        let mut state = self.shared.state();
        let Some(served) = state.cameras.get_mut(&self.camera) else {
            return;
        };
        if served
            .asked
            .is_some_and(|asked| now < asked + KEY_FRAME_EVERY)
        {
            return;
        }
        served.asked = Some(now);
        drop(state);
        self.stream.request_key_frame();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.state().sessions.remove(&self.session);
        self.shared.left.notify_all();
    }
}
