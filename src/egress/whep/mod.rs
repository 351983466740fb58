//! WHEP: the masked stream in an ordinary browser, over WebRTC.
//!
//! [`WhepServer::offer`] takes a browser's SDP offer and gives the answer; who
//! may ask, and over which HTTP route, is decided before. One thread serves all
//! viewers over one UDP port. Nothing is encoded here: each viewer gets the
//! camera's own H.264, and nothing is ever taken from a viewer but what the
//! protocols need (ICE checks, receiver reports, wishes for a key frame). This
//! module must not know HTTP, users, zones or poses.
//!
//! ICE is *lite* (RFC 8445, 2.5): the viewer finds the way, we answer. So
//! nothing is sent to an address that has not itself sent a check with this
//! session's secret.

mod offer;
mod serve;
mod shared;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use self::offer::Answerer;
use self::shared::{Arrived, Shared};
use super::CannotServe;
use super::webrtc;
use crate::clock::SystemClock;
use crate::event::EventSink;
use crate::pipeline::MaskedStream;

/// How WHEP is to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhepSettings {
    /// The UDP address; an unspecified one (`0.0.0.0`, `::`) stands for every
    /// address that the machine has when the server starts. Port 0 is the
    /// system's choice.
    pub listen: SocketAddr,
    /// The most sessions at once, those included that are only being set up.
    pub sessions_at_most: usize,
}

/// What a viewer gets who may watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhepAnswer {
    /// The session's name: 128 random bits, 32 hexadecimal digits.
    pub session: String,
    /// The SDP answer.
    pub sdp: String,
}

/// Why an offer was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhepRefused {
    /// No camera of this name is served.
    #[error("no camera of this name is served")]
    NoSuchCamera,
    /// The text is no offer for WHEP.
    #[error("not an offer for watching: {0}")]
    NotAnOffer(String),
    /// The viewer cannot take the stream as it is.
    #[error("the offer has no H.264 with packetization-mode=1")]
    NoH264,
    /// As many sessions as are allowed.
    #[error("too many viewers")]
    TooMany,
    /// The server is stopped.
    #[error("the server is stopped")]
    Stopped,
}

/// A running WHEP server. Dropping it stops it.
pub struct WhepServer {
    shared: Arc<Shared>,
    answerer: Answerer,
    thread: Mutex<Option<(JoinHandle<()>, Receiver<()>)>>,
    port: u16,
}

impl std::fmt::Debug for WhepServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WhepServer(port {})", self.port)
    }
}

const STOP_WITHIN: Duration = Duration::from_secs(2);

impl WhepServer {
    /// Listens and serves; without cameras at first.
    ///
    /// # Errors
    /// [`CannotServe::Listen`] and [`CannotServe::Thread`] say why not.
    pub fn start(settings: WhepSettings, events: Arc<dyn EventSink>) -> Result<Self, CannotServe> {
        let cannot_listen = |e: std::io::Error| CannotServe::Listen {
            address: settings.listen.ip().to_string(),
            port: settings.listen.port(),
            why: e.to_string(),
        };
        let sockets = webrtc::bind(settings.listen).map_err(cannot_listen)?;
        let addresses: Vec<SocketAddr> = sockets
            .iter()
            .map(std::net::UdpSocket::local_addr)
            .collect::<Result<_, _>>()
            .map_err(cannot_listen)?;
        let port = addresses.first().map_or(0, SocketAddr::port);

        let clock = SystemClock::new();
        let shared = Arc::new(Shared::new(settings.sessions_at_most));
        let (ended, end) = bounded::<()>(1);
        let serving = serve::Serving::new(shared.clone(), events, clock);
        let thread = std::thread::Builder::new()
            .name("whep".into())
            .spawn(move || {
                serving.run(sockets);
                // Dropped where it panics, which ends the waiting as well.
                drop(ended);
            })
            .map_err(|e| CannotServe::Thread(e.to_string()))?;
        Ok(Self {
            shared,
            answerer: Answerer::new(addresses, clock),
            thread: Mutex::new(Some((thread, end))),
            port,
        })
    }

    /// The UDP port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves `stream` under `id`. A camera of the same id is replaced, and its
    /// viewers dismissed; nobody else notices.
    pub fn add_camera(&self, id: &str, stream: MaskedStream) {
        self.shared.add_camera(id, stream);
    }

    /// Serves the camera no longer and dismisses its viewers.
    pub fn remove_camera(&self, id: &str) {
        self.shared.remove_camera(id);
    }

    /// Answers `sdp`, a viewer's offer to watch `camera`. The viewer must
    /// connect within ten seconds, or is forgotten. Takes a few milliseconds of
    /// CPU time (a certificate is made), and waits for nobody.
    ///
    /// # Errors
    /// [`WhepRefused`] says why the offer was not taken; then nothing is left.
    pub fn offer(&self, camera: &str, sdp: &str) -> Result<WhepAnswer, WhepRefused> {
        let reserved = self.shared.reserve(camera)?;
        let session = reserved.session().to_owned();
        let (rtc, answer) = self.answerer.answer(sdp)?;
        reserved.fill(|stream| Arrived {
            session: session.clone(),
            camera: camera.to_owned(),
            stream,
            rtc: Box::new(rtc),
        })?;
        Ok(WhepAnswer {
            session,
            sdp: answer,
        })
    }

    /// Ends a session, as its viewer asked; `false` where there is none of this
    /// name.
    pub fn end(&self, session: &str) -> bool {
        self.shared.end(session)
    }

    /// Ends all sessions and stops listening, within three seconds.
    pub fn stop(&self) {
        let Some((thread, end)) = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        else {
            return;
        };
        self.shared.stop();
        let in_time = !matches!(
            end.recv_timeout(STOP_WITHIN),
            Err(crossbeam_channel::RecvTimeoutError::Timeout)
        );
        if in_time && thread.join().is_err() {
            tracing::error!("the WHEP server's thread panicked");
        }
    }
}

impl Drop for WhepServer {
    fn drop(&mut self) {
        self.stop();
    }
}
