//! Publishing: the masked stream pushed to a media server, beside being served.
//!
//! Each [`Publication`] has a thread, a connection and a bounded queue of its own: a
//! server that is away or does not read costs nobody else a frame. It connects by
//! itself, and again. What is published are the access units that viewers get, never
//! another encoding. This module must not know where pictures came from, zones,
//! poses, or who reads what is published.

mod counts;
mod line;
mod rtsp;
mod run;
mod srt;
mod whip;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use self::counts::Counts;
pub use self::counts::PublicationFigures;
use self::run::Runner;
use super::CannotServe;
use crate::event::EventSink;
use crate::pipeline::MaskedStream;
use crate::secret::Secret;

/// Where one camera's masked stream is pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Its name, one of its own among the camera's.
    pub name: String,
    /// The server and the path on it, without credentials.
    pub url: String,
    /// In which protocol.
    pub over: PublishOver,
}

/// The protocol of a publication, and what it alone needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOver {
    /// RTSP's ANNOUNCE and RECORD; media travels in the same connection, over TLS
    /// where the URL says `rtsps`.
    Rtsp {
        /// Name and password.
        login: Option<(String, Secret)>,
        /// Certificates (PEM) that are trusted in place of the machine's.
        ca_file: Option<PathBuf>,
    },
    /// MPEG-TS over SRT; we call.
    Srt {
        /// Name and password, appended to the URL's `streamid` as `:NAME:PASSWORD`.
        login: Option<(String, Secret)>,
        /// What the stream is encrypted with, 10 to 79 bytes.
        passphrase: Option<Secret>,
        /// How long lost packets are sent again.
        latency: Duration,
    },
    /// WHIP: an offer over HTTP, media over WebRTC.
    Whip {
        /// What the server knows us by.
        token: Option<Secret>,
        /// Certificates (PEM) that are trusted in place of the machine's.
        ca_file: Option<PathBuf>,
    },
}

impl PublishOver {
    /// For people and labels.
    fn name(&self, url: &str) -> &'static str {
        match self {
            Self::Rtsp { .. } if url.starts_with("rtsps:") => "rtsps",
            Self::Rtsp { .. } => "rtsp",
            Self::Srt { .. } => "srt",
            Self::Whip { .. } => "whip",
        }
    }
}

/// All publications of all cameras. Dropping it ends them.
pub struct Publisher {
    events: Arc<dyn EventSink>,
    running: Mutex<Vec<Running>>,
    /// By camera and name; kept for good, so that what is counted only grows.
    counts: Mutex<BTreeMap<(String, String), Arc<Counts>>>,
}

impl std::fmt::Debug for Publisher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Publisher({} publications)", self.running().len())
    }
}

/// A publication that runs until it is told to stop, or dropped.
struct Running {
    camera: String,
    wanted: Publication,
    /// Dropped to stop it.
    stop: Option<Sender<()>>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

/// A server that does not answer may keep the goodbye waiting; nobody waits longer.
const STOP_WITHIN: Duration = Duration::from_secs(3);

impl Publisher {
    /// Publishes nothing at first.
    pub fn new(events: Arc<dyn EventSink>) -> Self {
        Self {
            events,
            running: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// Publishes `stream` under the camera's id as `wanted` says, and nowhere else.
    /// Publications that are wanted as they are go on undisturbed.
    ///
    /// # Errors
    /// [`CannotServe`]; then those not yet begun are not.
    pub fn set(
        &self,
        camera: &str,
        stream: &MaskedStream,
        wanted: &[Publication],
    ) -> Result<(), CannotServe> {
        self.end_where(|running| running.camera == camera && !wanted.contains(&running.wanted));
        for publication in wanted {
            let mut running = self.running();
            let runs = |r: &Running| r.camera == camera && r.wanted == *publication;
            if !running.iter().any(runs) {
                running.push(self.start(camera, stream.clone(), publication.clone())?);
            }
        }
        Ok(())
    }

    /// Publishes nothing of the camera any more.
    pub fn remove_camera(&self, camera: &str) {
        self.end_where(|running| running.camera == camera);
    }

    /// What became of the camera's publications, in no order of meaning.
    pub fn figures(&self, camera: &str) -> Vec<PublicationFigures> {
        let running = self.running();
        let of = running.iter().filter(|r| r.camera == camera);
        of.map(|r| {
            let over = r.wanted.over.name(&r.wanted.url);
            self.counts(camera, &r.wanted.name)
                .figures(&r.wanted.name, over)
        })
        .collect()
    }

    /// Ends all publications, within three seconds.
    pub fn stop(&self) {
        self.end_where(|_| true);
    }

    fn start(
        &self,
        camera: &str,
        stream: MaskedStream,
        wanted: Publication,
    ) -> Result<Running, CannotServe> {
        // What the frames are pushed with is looked for before anything runs.
        gstreamer::init().map_err(|e| CannotServe::NoGstreamer(e.to_string()))?;
        let (stop, stopped) = bounded(1);
        let (ending, ended) = bounded::<()>(1);
        let runner = Runner {
            camera: camera.to_owned(),
            counts: self.counts(camera, &wanted.name),
            publication: wanted.clone(),
            stream,
            events: self.events.clone(),
            stopped,
        };
        let thread = std::thread::Builder::new()
            .name(format!("publish {}", wanted.name))
            .spawn(move || {
                runner.run();
                // Dropped where it panics, which ends the waiting as well.
                drop(ending);
            })
            .map_err(|e| CannotServe::Thread(e.to_string()))?;
        Ok(Running {
            camera: camera.to_owned(),
            wanted,
            stop: Some(stop),
            ended,
            thread: Some(thread),
        })
    }

    /// All at once, so that their goodbyes do not add up.
    fn end_where(&self, which: impl Fn(&Running) -> bool) {
        let mut ending: Vec<Running> = {
            let mut running = self.running();
            let (ending, kept) = std::mem::take(&mut *running).into_iter().partition(which);
            *running = kept;
            ending
        };
        for running in &mut ending {
            drop(running.stop.take());
        }
        // Waited for one after the other, outside the lock: the status must not wait.
        drop(ending);
    }

    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self, camera: &str, name: &str) -> Arc<Counts> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (camera.to_owned(), name.to_owned());
        counts.entry(key).or_default().clone()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        let timed_out = matches!(
            self.ended.recv_timeout(STOP_WITHIN),
            Err(crossbeam_channel::RecvTimeoutError::Timeout)
        );
        let (camera, name) = (&self.camera, &self.wanted.name);
        if timed_out {
            // It takes no frame any more, and ends when the server lets it.
            tracing::warn!(%camera, publication = %name, "its server keeps the goodbye waiting");
        } else if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!(%camera, publication = %name, "its thread panicked");
        }
    }
}
