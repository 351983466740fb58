//! What took how long, told to a collector of OpenTelemetry traces (OTLP over HTTP, protobuf).
//!
//! What may be told is a closed list ([`What`]): names that the configuration gives to things,
//! codes, durations. There is no field that an address, a person, a picture or anybody's words
//! would fit in. Telling puts a few bytes into a bounded row and never waits: a collector that is
//! away or slow costs its own oldest traces and nobody a frame. One thread empties the row. This
//! module must not know pictures, positions, people or where cameras are; it is handed what it
//! may say, and reads nothing from the environment.

mod counts;
mod otlp;
mod row;
mod send;
mod story;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tokio::sync::watch;

use self::counts::Counts;
pub use self::counts::TraceFigures;
use self::row::Row;
use self::send::Sender;
pub use self::story::{End, FrameParts, Name, Outcome, Story, Task, Turn, What};
use crate::secret::Secret;

/// The collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// Where it takes traces: `https://HOST[:PORT]/v1/traces`, or `http`.
    pub endpoint: String,
    /// Certificates (PEM) that are trusted in place of the machine's.
    pub ca_pem: Option<Arc<str>>,
    /// Sent with each request; such as what it knows us by.
    pub headers: Vec<(String, Secret)>,
    /// How it tells this gateway from others; none = a name drawn at the start.
    pub instance: Option<String>,
}

/// All that is told goes through here. Dropping it ends the telling.
#[derive(Debug)]
pub struct Traces {
    row: ArcSwapOption<Row>,
    running: Mutex<Option<Running>>,
    /// Kept for good, so that what is counted only grows.
    counts: Arc<Counts>,
    /// For collectors that were given no name of ours.
    drawn: String,
}

/// A collector that is told until that is to stop, or until it is dropped.
#[derive(Debug)]
struct Running {
    collector: Collector,
    stop: watch::Sender<bool>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

/// A collector may keep the last request waiting; nobody waits longer.
const STOP_WITHIN: Duration = Duration::from_secs(2);

impl Default for Traces {
    /// Tells nobody at first.
    fn default() -> Self {
        Self {
            row: ArcSwapOption::empty(),
            running: Mutex::default(),
            counts: Arc::default(),
            drawn: drawn(rand::random()),
        }
    }
}

/// A name that no other has: a UUID of random bits (RFC 9562, 5.4).
fn drawn(random: u128) -> String {
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("{a}-{b}-{c}-{d}-{e}")
}

impl Traces {
    /// Whether nobody is told.
    pub fn is_idle(&self) -> bool {
        self.row.load().is_none()
    }

    /// Tells of something that is over. Returns at once, whatever the collector does.
    pub fn tell(&self, story: Story) {
        if let Some(row) = &*self.row.load() {
            row.put(story);
        }
    }

    /// Tells the `wanted` collector and nobody else; one that is wanted as it is goes on
    /// undisturbed. Another is told what is waiting once, or it is lost and counted. Whether anything
    /// changed; where the telling has ended by itself, it begins again.
    ///
    /// # Errors
    /// When no thread can be had; then nobody is told.
    pub fn set(&self, wanted: Option<&Collector>) -> std::io::Result<bool> {
        let mut running = self.running();
        let told = running.as_ref().filter(|r| r.goes_on());
        if told.map(|r| &r.collector) == wanted {
            return Ok(false);
        }
        self.row.store(None);
        drop(running.take());
        if let Some(collector) = wanted {
            *running = Some(self.start(collector.clone())?);
        }
        Ok(true)
    }

    /// What became of the traces; none while nobody is told.
    pub fn figures(&self) -> Option<TraceFigures> {
        (!self.is_idle()).then(|| self.counts.figures())
    }

    /// Ends the telling, within two seconds.
    pub fn stop(&self) {
        self.row.store(None);
        drop(self.running().take());
    }

    fn start(&self, collector: Collector) -> std::io::Result<Running> {
        let (stop, stopped) = watch::channel(false);
        let (ending, ended) = bounded::<()>(1);
        let row = Arc::new(Row::new(self.counts.clone()));
        let sender = Sender {
            instance: collector.instance.clone().unwrap_or(self.drawn.clone()),
            collector: collector.clone(),
            row: row.clone(),
            counts: self.counts.clone(),
            stopped,
        };
        let thread = std::thread::Builder::new()
            .name("traces".into())
            .spawn(move || {
                sender.run();
                // Dropped where it panics, which ends the waiting as well.
                drop(ending);
            })?;
        self.row.store(Some(row));
        Ok(Running {
            collector,
            stop,
            ended,
            thread: Some(thread),
        })
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn goes_on(&self) -> bool {
        self.thread.as_ref().is_some_and(|t| !t.is_finished())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if self.ended.recv_timeout(STOP_WITHIN) == Err(RecvTimeoutError::Timeout) {
            // It is told nothing any more, and ends when the machine lets it.
            tracing::warn!("the collector of traces keeps the goodbye waiting");
        } else if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the thread that tells of traces panicked");
        }
    }
}

#[cfg(test)]
mod tests;
