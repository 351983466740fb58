//! The serving thread: all viewers, one after another, none waited for.

use std::collections::HashMap;
use std::net::UdpSocket as StdSocket;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::shared::{Arrived, Shared};
use crate::clock::SystemClock;
use crate::egress::webrtc::{Gone, KEY_FRAME_EVERY, Session, Sockets, Taken};
use crate::event::{Event, EventSink};

/// The longest sleep.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) struct Serving {
    shared: Arc<Shared>,
    events: Arc<dyn EventSink>,
    clock: SystemClock,
    sessions: Vec<Session>,
    /// When each camera was last asked for a key frame.
    asked: HashMap<String, Instant>,
}

impl Serving {
    pub(super) fn new(shared: Arc<Shared>, events: Arc<dyn EventSink>, clock: SystemClock) -> Self {
        Self {
            shared,
            events,
            clock,
            sessions: Vec::new(),
            asked: HashMap::new(),
        }
    }

    /// Serves until the server is stopped.
    pub(super) fn run(mut self, sockets: Vec<StdSocket>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build();
        let served = runtime.and_then(|runtime| {
            runtime.block_on(async {
                let sockets = Sockets::new(sockets)?;
                while self.turn(&sockets).await {}
                Ok(())
            })
        });
        if let Err(e) = served {
            tracing::error!("WHEP cannot be served: {e}");
        }
    }

    /// Waits for something to do and does it; `false` when that was the last.
    async fn turn(&mut self, sockets: &Sockets) -> bool {
        let sleep = self.sleep();
        let shared = self.shared.clone();
        let something = async {
            tokio::select! {
                () = shared.wake().notified() => {}
                () = sockets.readable() => {}
            }
        };
        // Elapsed: time has come for something.
        let _ = tokio::time::timeout(sleep, something).await;

        let now = self.clock.instant();
        let stopped = self.take_changes(sockets, now);
        if !stopped {
            self.receive(sockets, now);
            for at in 0..self.sessions.len() {
                self.serve(at, sockets, now);
            }
            self.ask_for_key_frames(now);
        }
        self.forget_the_gone();
        !stopped
    }

    fn sleep(&self) -> Duration {
        let now = self.clock.instant();
        let key_frame = self
            .sessions
            .iter()
            .filter(|s| s.wants_key_frame())
            .filter_map(|s| self.asked.get(&s.camera))
            .map(|asked| *asked + KEY_FRAME_EVERY);
        self.sessions
            .iter()
            .map(Session::due)
            .chain(key_frame)
            .map(|due| due.saturating_duration_since(now))
            .fold(LOOK_EVERY, Duration::min)
    }

    fn take_changes(&mut self, sockets: &Sockets, now: Instant) -> bool {
        let changes = self.shared.changes();
        for arrived in changes.arrived {
            let Arrived {
                session,
                camera,
                stream,
                rtc,
            } = arrived;
            let session = Session::new(session, camera, stream, rtc, now);
            self.sessions.push(session);
        }
        for (name, why) in changes.ended {
            if let Some(session) = self.sessions.iter_mut().find(|s| s.name == name) {
                session.end(why, now, &mut |datagram| sockets.send(datagram));
            }
        }
        changes.stopped
    }

    fn receive(&mut self, sockets: &Sockets, now: Instant) {
        let mut connected = Vec::new();
        let sessions = &mut self.sessions;
        sockets.receive(|source, to, bytes| {
            for (at, session) in sessions.iter_mut().enumerate() {
                let mut send = |datagram: &_| sockets.send(datagram);
                match session.receive((source, to), bytes, now, &mut send) {
                    Taken::No => continue,
                    Taken::Yes { connected: true } => connected.push(at),
                    Taken::Yes { connected: false } => {}
                }
                break;
            }
        });
        for at in connected {
            self.begin(at, true);
        }
    }

    /// Time's demands and the frames of one session.
    fn serve(&mut self, at: usize, sockets: &Sockets, now: Instant) {
        let mut send = |datagram: &_| sockets.send(datagram);
        let session = &mut self.sessions[at];
        let connected = session.due() <= now && session.tick(now, &mut send);
        session.send_frames(now, &mut send);
        self.begin(at, connected);
    }

    fn begin(&mut self, at: usize, connected: bool) {
        let session = &mut self.sessions[at];
        if session.begin(connected, self.shared.wake(), |_, _| {}) {
            let viewers = session.stream.viewer_joined();
            let camera = session.camera.clone();
            self.tell(camera, true, viewers, None);
        }
    }

    fn ask_for_key_frames(&mut self, now: Instant) {
        for session in self.sessions.iter_mut().filter(|s| s.wants_key_frame()) {
            let asked = self.asked.get(&session.camera);
            if asked.is_none_or(|asked| now >= *asked + KEY_FRAME_EVERY) {
                session.stream.request_key_frame();
                self.asked.insert(session.camera.clone(), now);
            }
            // Asked a moment ago for another: that one serves both.
            if self.asked.get(&session.camera) == Some(&now) {
                session.key_frame_asked();
            }
        }
    }

    fn forget_the_gone(&mut self) {
        let (gone, stay) = std::mem::take(&mut self.sessions)
            .into_iter()
            .partition(|s| s.gone().is_some());
        self.sessions = stay;
        let gone: Vec<Session> = gone;
        for session in gone {
            self.shared.forget(&session.name);
            if !session.watches() {
                continue;
            }
            let detail = match session.gone() {
                Some(Gone::Dismissed(why)) => Some(why.clone()),
                Some(Gone::Left) | None => None,
            };
            let viewers = session.stream.viewer_left();
            self.tell(session.camera.clone(), false, viewers, detail);
        }
        let sessions = &self.sessions;
        self.asked
            .retain(|camera, _| sessions.iter().any(|s| s.camera == *camera));
    }

    fn tell(&self, camera: String, joined: bool, viewers: u32, detail: Option<String>) {
        self.events.emit(Event::Viewer {
            camera,
            joined,
            viewers,
            detail,
        });
    }
}

impl Drop for Serving {
    /// Nobody is let in any more, whatever ended it.
    fn drop(&mut self) {
        self.shared.stop();
    }
}
