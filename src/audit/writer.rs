//! The thread that writes the log, and the handle that others record with.

use super::log::Log;
use super::open::open;
use super::record::{Entry, Outcome, timestamp};
use super::verify::{Asked, Report, verify};
use super::{AT_ONCE, Settings};
use crate::clock::{Clock, Mono};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Entries that wait for the disk; more are counted and lost.
const WAITING: usize = 1024;
/// Whoever must know that it is on disk waits so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// What could not be opened is tried again so often, also when nothing happens; for
/// whoever waits, at once.
const TRY_AGAIN: Duration = Duration::from_secs(3);
/// The whole log is looked at again so often.
const CHECK_EVERY: Duration = Duration::from_secs(24 * 3600);

/// A record is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the log.
    pub seq: u64,
}

/// Why something is not recorded; then it is not done either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotRecord {
    /// The disk, or who owns the folder, does not allow it.
    #[error("the audit log cannot be written: {0}")]
    Unwritable(String),
    /// The disk takes too long.
    #[error("the audit log was not written within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// The gateway is ending.
    #[error("the audit log is closed")]
    Closed,
}

/// What the last look at the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// When.
    pub at: String,
    /// What was found, or why nothing could be.
    pub found: Result<Report, String>,
}

/// How the log is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether what was to be written last is on disk; before there was anything,
    /// whether it could be opened.
    pub writable: bool,
    /// What was to be recorded since the start, and is not.
    pub lost: u64,
    /// Whether the last look at the whole log found it to be what was written;
    /// none before the first.
    pub verified: Option<bool>,
}

/// The audit log of a running gateway. Cheap to clone; when the last one goes,
/// what still waits is written and the log is closed.
#[derive(Clone)]
pub struct Audit(Arc<Shared>);

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audit").field(&self.0.settings).finish()
    }
}

struct Shared {
    settings: Settings,
    queue: Option<Sender<Waiting>>,
    lost: Arc<AtomicU64>,
    lost_ever: Arc<AtomicU64>,
    writable: Arc<AtomicBool>,
    checked: Arc<Mutex<Option<Checked>>>,
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// An entry, and who waits for it.
struct Waiting {
    entry: Entry,
    who: Option<Waiter>,
}

#[derive(Clone)]
struct Waiter {
    state: Arc<AtomicU8>,
    answer: Sender<Result<Receipt, CannotRecord>>,
}

/// Nobody has decided yet; then either side does, once.
const OPEN: u8 = 0;
const ANSWERED: u8 = 1;
const GIVEN_UP: u8 = 2;

fn decide(state: &AtomicU8, to: u8) -> bool {
    let changed = state.compare_exchange(OPEN, to, Ordering::SeqCst, Ordering::SeqCst);
    changed.is_ok()
}

impl Audit {
    /// Begins to write the log. Where it cannot be opened now, that is logged,
    /// and tried again whenever something is to be recorded.
    ///
    /// # Errors
    /// When no thread can be had.
    pub fn start(settings: Settings, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (queue, asked) = bounded(WAITING);
        let (opened, check) = bounded(1);
        let lost = Arc::new(AtomicU64::new(0));
        let lost_ever = Arc::new(AtomicU64::new(0));
        let writable = Arc::new(AtomicBool::new(false));
        let checked = Arc::new(Mutex::new(None));
        let ending = Arc::new(AtomicBool::new(false));
        let mut writer = Writer {
            settings: settings.clone(),
            clock: clock.clone(),
            log: None,
            failed: None,
            lost: lost.clone(),
            lost_ever: lost_ever.clone(),
            writable: writable.clone(),
            opened,
        };
        let writing = std::thread::Builder::new().name("audit".into());
        let writing = writing.spawn(move || writer.run(&asked))?;
        let checker = Checker {
            settings: settings.clone(),
            clock,
            checked: checked.clone(),
            ending: ending.clone(),
        };
        let checking = std::thread::Builder::new().name("audit-check".into());
        let checking = checking.spawn(move || checker.run(&check))?;
        Ok(Self(Arc::new(Shared {
            settings,
            queue: Some(queue),
            lost,
            lost_ever,
            writable,
            checked,
            ending,
            threads: vec![writing, checking],
        })))
    }

    /// Records `entry` and returns when it is on disk. May block for five
    /// seconds: not for async code.
    ///
    /// # Errors
    /// [`CannotRecord`]: what was to be recorded must not be done then.
    pub fn append(&self, entry: Entry) -> Result<Receipt, CannotRecord> {
        let queue = self.0.queue.as_ref().ok_or(CannotRecord::Closed)?;
        let (answer, answered) = bounded(1);
        let state = Arc::new(AtomicU8::new(OPEN));
        let who = Waiter {
            state: state.clone(),
            answer,
        };
        let waiting = Waiting {
            entry,
            who: Some(who),
        };
        queue
            .send_timeout(waiting, PATIENCE)
            .map_err(|error| match error.is_timeout() {
                true => CannotRecord::TooSlow,
                false => CannotRecord::Closed,
            })?;
        match answered.recv_timeout(PATIENCE) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => Err(CannotRecord::Closed),
            Err(RecvTimeoutError::Timeout) if decide(&state, GIVEN_UP) => {
                Err(CannotRecord::TooSlow)
            }
            // It was written at the last moment.
            Err(RecvTimeoutError::Timeout) => answered.recv().unwrap_or(Err(CannotRecord::Closed)),
        }
    }

    /// Records `entry` soon, if that is possible; returns at once. What is lost
    /// is counted, and the count is recorded.
    pub fn note(&self, entry: Entry) {
        let Some(queue) = &self.0.queue else { return };
        let who = None;
        if let Err(TrySendError::Full(_)) = queue.try_send(Waiting { entry, who }) {
            self.0.lost.fetch_add(1, Ordering::Relaxed);
            self.0.lost_ever.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How the log is doing now.
    pub fn health(&self) -> Health {
        let verified = self.checked().map(|checked| {
            let found = checked.found.as_ref();
            found.is_ok_and(Report::is_whole)
        });
        Health {
            writable: self.0.writable.load(Ordering::Relaxed),
            lost: self.0.lost_ever.load(Ordering::Relaxed),
            verified,
        }
    }

    /// Where the log lies.
    pub fn folder(&self) -> &Path {
        &self.0.settings.folder
    }

    /// What the last look at the whole log found; none before the first.
    pub fn checked(&self) -> Option<Checked> {
        let checked = self.0.checked.lock();
        checked.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        drop(self.queue.take());
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the audit log had panicked");
            }
        }
    }
}

struct Writer {
    settings: Settings,
    clock: Arc<dyn Clock>,
    log: Option<Log>,
    /// When it could not be opened last.
    failed: Option<Mono>,
    /// Not recorded, and that is not recorded yet.
    lost: Arc<AtomicU64>,
    lost_ever: Arc<AtomicU64>,
    writable: Arc<AtomicBool>,
    /// Says that the log is open now.
    opened: Sender<()>,
}

impl Writer {
    fn run(&mut self, asked: &Receiver<Waiting>) {
        if let Err(why) = self.open() {
            tracing::error!("nothing can be recorded: {why}");
        }
        loop {
            let first = match asked.recv_timeout(TRY_AGAIN) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    self.recover();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Room for what was lost and for the first line of another file.
            let more = asked.try_iter().take(AT_ONCE as usize - 4);
            let batch: Vec<Waiting> = std::iter::once(first).chain(more).collect();
            self.write(batch);
        }
    }

    /// Nothing happens, and the disk may have room again: an alarm must end, and what was
    /// lost be on record, without somebody to knock.
    fn recover(&mut self) {
        if self.lost.load(Ordering::Relaxed) > 0 {
            self.write(Vec::new());
        } else if !self.writable.load(Ordering::Relaxed) {
            // Why not was told when it began.
            let _ = self.open();
        }
    }

    fn open(&mut self) -> Result<&mut Log, CannotRecord> {
        if self.log.as_ref().is_some_and(Log::is_spoiled) {
            self.log = None;
        }
        if self.log.is_none() {
            let log = open(&self.settings, &timestamp(self.clock.wall())).map_err(|error| {
                self.failed = Some(self.clock.mono());
                self.writable.store(false, Ordering::Relaxed);
                CannotRecord::Unwritable(error.to_string())
            })?;
            self.log = Some(log);
            self.failed = None;
            self.writable.store(true, Ordering::Relaxed);
            let _ = self.opened.try_send(());
        }
        self.log.as_mut().ok_or(CannotRecord::Closed)
    }

    fn write(&mut self, batch: Vec<Waiting>) {
        let waits = |w: &Waiting| {
            let who = w.who.as_ref();
            who.is_none_or(|who| who.state.load(Ordering::SeqCst) == OPEN)
        };
        let batch: Vec<Waiting> = batch.into_iter().filter(waits).collect();
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let mut entries: Vec<Entry> = Vec::new();
        if lost > 0 {
            let entry = Entry::new("records-lost", "audit log").result(Outcome::Failed);
            entries.push(entry.detail("count", lost));
        }
        let before = entries.len();
        entries.extend(batch.iter().map(|w| w.entry.clone()));
        if entries.is_empty() {
            return;
        }
        let somebody_waits = batch.iter().any(|w| w.who.is_some());
        let done = self.commit(&entries, somebody_waits);
        if done.is_err() {
            let noted = batch.iter().filter(|w| w.who.is_none()).count() as u64;
            self.lost.fetch_add(lost + noted, Ordering::Relaxed);
            self.lost_ever.fetch_add(noted, Ordering::Relaxed);
        }
        let mut late = Vec::new();
        for (i, waiting) in batch.into_iter().enumerate() {
            let Some(who) = waiting.who else { continue };
            let answer = match &done {
                Ok(seqs) => seqs.get(before + i).map(|seq| Receipt { seq: *seq }),
                Err(_) => None,
            };
            if decide(&who.state, ANSWERED) {
                let refused = done.as_ref().err().cloned();
                let answer = answer.ok_or(refused.unwrap_or(CannotRecord::Closed));
                let _ = who.answer.send(answer);
            } else if let Some(receipt) = answer {
                let entry = waiting.entry.result(Outcome::Failed);
                late.push(entry.detail("withdrawn", receipt.seq));
            }
        }
        // What was recorded too late was not done, and the log must say so.
        if !late.is_empty() && self.commit(&late, true).is_err() {
            self.lost.fetch_add(late.len() as u64, Ordering::Relaxed);
            self.lost_ever
                .fetch_add(late.len() as u64, Ordering::Relaxed);
        }
    }

    fn commit(
        &mut self,
        entries: &[Entry],
        somebody_waits: bool,
    ) -> Result<Vec<u64>, CannotRecord> {
        let since = self.failed.map(|at| self.clock.mono().since(at));
        if !somebody_waits && self.log.is_none() && since.is_some_and(|s| s < TRY_AGAIN) {
            return Err(CannotRecord::Closed);
        }
        let time = timestamp(self.clock.wall());
        let done = self.open().and_then(|log| {
            let done = log.commit(entries, &time);
            done.map_err(|error| CannotRecord::Unwritable(error.to_string()))
        });
        let was_writable = self.writable.swap(done.is_ok(), Ordering::Relaxed);
        match done {
            Ok(places) => Ok(places.into_iter().map(|place| place.seq).collect()),
            Err(error) => {
                if was_writable {
                    tracing::error!("not recorded: {error}");
                } else {
                    tracing::debug!("not recorded: {error}");
                }
                Err(error)
            }
        }
    }
}

/// Looks at the whole log when it was opened, and once a day.
struct Checker {
    settings: Settings,
    clock: Arc<dyn Clock>,
    checked: Arc<Mutex<Option<Checked>>>,
    ending: Arc<AtomicBool>,
}

impl Checker {
    fn run(&self, opened: &Receiver<()>) {
        let mut since_opened = false;
        loop {
            match opened.recv_timeout(CHECK_EVERY) {
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(()) => since_opened = true,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if since_opened {
                self.check();
            }
        }
    }

    fn check(&self) {
        let go_on = || !self.ending.load(Ordering::Relaxed);
        let found = verify(&self.settings.folder, Asked::default(), &go_on);
        if !go_on() {
            return;
        }
        match &found {
            Ok(report) => {
                for fault in &report.faults {
                    tracing::error!("the audit log does not verify: {fault}");
                }
            }
            Err(error) => tracing::error!(%error, "the audit log cannot be read"),
        }
        let checked = Checked {
            at: timestamp(self.clock.wall()),
            found: found.map_err(|error| error.to_string()),
        };
        let mut last = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(checked);
    }
}

#[cfg(test)]
mod tests;
