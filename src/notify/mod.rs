//! What happens, told to message buses: MQTT, with Home Assistant's discovery, and NATS.
//!
//! States and events in small JSON documents ([`CameraReport`], [`GatewayReport`],
//! [`Told`]), nothing else: whoever subscribes is not asked who they are. Each bus has a
//! thread, a connection and a bounded outbox of its own. Telling takes a lock for as long
//! as it takes to put a pointer down, and never waits: a bus that is away or slow costs its
//! own oldest events and nobody a frame. This module must not know pictures, zones,
//! addresses of cameras or people; it is handed what it may say.

mod board;
mod counts;
mod documents;
mod home_assistant;
mod mqtt;
mod nats;
mod outbox;
mod run;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tokio::sync::watch;

pub use self::board::{Board, Wake};
pub use self::counts::BusFigures;
use self::counts::Counts;
pub use self::documents::{CameraReport, FORMAT, GatewayReport, Told, schema};
use self::outbox::Outbox;
use self::run::{Goodbye, Runner};
use crate::event::EventSink;
use crate::secret::Secret;

/// How a bus's server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name or address; IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is spoken to over TLS, and not otherwise.
    pub tls: bool,
    /// Certificates (PEM) that are trusted in place of the machine's.
    pub ca_file: Option<PathBuf>,
    /// Name and password.
    pub login: Option<(String, Secret)>,
}

impl Server {
    /// `HOST:PORT`, an IPv6 address in brackets.
    fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

/// A bus that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bus {
    /// MQTT 3.1.1, which servers of MQTT 5 speak as well.
    Mqtt {
        /// The broker.
        server: Server,
        /// What all topics begin with.
        topic: String,
        /// The prefix that Home Assistant looks for new devices under; none = it is not
        /// told of any.
        discovery: Option<String>,
    },
    /// NATS, without JetStream.
    Nats {
        /// The server.
        server: Server,
        /// In place of name and password.
        token: Option<Secret>,
        /// What all subjects begin with.
        subject: String,
    },
}

impl Bus {
    /// For people and labels: `mqtt` or `nats`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mqtt { .. } => "mqtt",
            Self::Nats { .. } => "nats",
        }
    }

    /// Whether `next` writes over what this one had kept at its server: then that is not
    /// taken away, and Home Assistant keeps what people set up there.
    fn is_continued_by(&self, next: &[Self]) -> bool {
        let place = |bus: &Self| match bus {
            Self::Mqtt {
                server,
                topic,
                discovery,
            } => Some((server.authority(), topic.clone(), discovery.clone())),
            Self::Nats { .. } => None,
        };
        let own = place(self);
        own.is_none() || next.iter().any(|bus| place(bus) == own)
    }
}

/// All buses. Dropping it ends them.
pub struct Notifier {
    board: Arc<Board>,
    events: Arc<dyn EventSink>,
    running: Mutex<Vec<Running>>,
    /// By the bus's name; kept for good, so that what is counted only grows.
    counts: [(&'static str, Arc<Counts>); 2],
}

impl std::fmt::Debug for Notifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Notifier({} buses)", self.running().len())
    }
}

/// A bus that is told until that is to stop, or until it is dropped.
struct Running {
    bus: Bus,
    outbox: Arc<Outbox>,
    board: Arc<Board>,
    stop: watch::Sender<Goodbye>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

/// A server that does not answer may keep the goodbye waiting; nobody waits longer.
const STOP_WITHIN: Duration = Duration::from_secs(3);

impl Notifier {
    /// Tells nobody at first.
    pub fn new(board: Arc<Board>, events: Arc<dyn EventSink>) -> Self {
        Self {
            board,
            events,
            running: Mutex::default(),
            counts: [("mqtt", Arc::default()), ("nats", Arc::default())],
        }
    }

    /// Tells those that are `wanted`, at most one of a kind, and nobody else. Buses that
    /// are wanted as they are go on undisturbed.
    ///
    /// # Errors
    /// When no thread can be had; then those not yet begun are not.
    pub fn set(&self, wanted: &[Bus]) -> std::io::Result<()> {
        self.end_where(
            |r| !wanted.contains(&r.bus),
            |r| match r.bus.is_continued_by(wanted) {
                true => Goodbye::Stay,
                false => Goodbye::Withdraw,
            },
        );
        for bus in wanted {
            let mut running = self.running();
            if !running.iter().any(|r| r.bus == *bus) {
                running.push(self.start(bus.clone())?);
            }
        }
        Ok(())
    }

    /// What became of the buses that are told.
    pub fn figures(&self) -> Vec<BusFigures> {
        let running = self.running();
        let all = running.iter();
        all.map(|r| self.counts(r.bus.name()).figures(r.bus.name()))
            .collect()
    }

    /// Ends all, within three seconds. What they keep stays, marked as offline.
    pub fn stop(&self) {
        self.end_where(|_| true, |_| Goodbye::Stay);
    }

    fn start(&self, bus: Bus) -> std::io::Result<Running> {
        let (stop, stopped) = watch::channel(Goodbye::NotYet);
        let (ending, ended) = bounded::<()>(1);
        let counts = self.counts(bus.name());
        // NATS keeps nothing for those who come later: they are told again.
        let repeats = matches!(bus, Bus::Nats { .. });
        let outbox = Arc::new(Outbox::new(counts.clone(), repeats));
        let runner = Runner {
            bus: bus.clone(),
            outbox: outbox.clone(),
            counts,
            events: self.events.clone(),
            stopped,
        };
        let thread = std::thread::Builder::new()
            .name(format!("events {}", bus.name()))
            .spawn(move || {
                runner.run();
                // Dropped where it panics, which ends the waiting as well.
                drop(ending);
            })?;
        self.board.add(&outbox);
        Ok(Running {
            bus,
            outbox,
            board: self.board.clone(),
            stop,
            ended,
            thread: Some(thread),
        })
    }

    /// All at once, so that their goodbyes do not add up.
    fn end_where(&self, which: impl Fn(&Running) -> bool, how: impl Fn(&Running) -> Goodbye) {
        let ending: Vec<Running> = {
            let mut running = self.running();
            let (ending, kept) = std::mem::take(&mut *running).into_iter().partition(which);
            *running = kept;
            ending
        };
        for running in &ending {
            running.stop.send_replace(how(running));
        }
        // Waited for one after the other, outside the lock: the status must not wait.
        drop(ending);
    }

    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self, name: &str) -> Arc<Counts> {
        let [mqtt, nats] = &self.counts;
        match name == mqtt.0 {
            true => mqtt.1.clone(),
            false => nats.1.clone(),
        }
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.board.remove(&self.outbox);
        self.stop.send_if_modified(|goodbye| {
            let open = *goodbye == Goodbye::NotYet;
            if open {
                *goodbye = Goodbye::Stay;
            }
            open
        });
        let bus = self.bus.name();
        if self.ended.recv_timeout(STOP_WITHIN) == Err(RecvTimeoutError::Timeout) {
            // It is told nothing any more, and ends when its server lets it.
            tracing::warn!(bus, "its server keeps the goodbye waiting");
        } else if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!(bus, "its thread panicked");
        }
    }
}
