//! Connects to the camera, watches, and connects again, for ever.
//!
//! Two kinds of failure, two kinds of patience: a camera that cannot be reached,
//! or takes connections and says nothing, is looked for every second and is live
//! again soon after it is back; one that answers and then fails is left alone for
//! longer and longer (it may be locking us out), unless it vanishes meanwhile
//! and comes back.

use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use gst::prelude::*;
use gstreamer as gst;

use super::CannotStart;
use super::backoff::Backoff;
use super::metadata::MetadataSink;
use super::privacymask::PrivacyMask;
use super::sound::Sound;
use super::source::{self, Beside, Connection, News, SourceSettings, What};
use super::stats::Meters;
use crate::clock::{Clock, Mono};
use crate::event::{Event, EventSink, Reason};

const KNOCK_EVERY: Duration = Duration::from_secs(1);
const KNOCK_WITHIN: Duration = Duration::from_millis(1500);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A connection that lived this long was a good one.
const GOOD_AFTER: Duration = Duration::from_secs(10);
/// An outage for one and the same reason is told this often.
const TELL_EVERY: Duration = Duration::from_secs(60);
/// Connections that hang while they are taken down: no more than this.
const HANGING_AT_MOST: usize = 8;

pub(super) struct Supervisor {
    pub(super) camera: String,
    pub(super) source: SourceSettings,
    /// Host and port.
    pub(super) endpoint: (String, u16),
    /// Who is to have the metadata stream's documents.
    pub(super) metadata: Option<MetadataSink>,
    /// Where the sound goes, if the configuration passes it.
    pub(super) sound: Sound,
    pub(super) pipeline: gst::Pipeline,
    pub(super) mask: PrivacyMask,
    pub(super) meters: Arc<Meters>,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) news: Sender<News>,
    pub(super) heard: Receiver<News>,
    pub(super) stopping: Arc<AtomicBool>,
}

/// Why a connection is over.
enum Over {
    Stop,
    Failed(String),
    OutputFailed(String),
}

impl Supervisor {
    pub(super) fn run(self) {
        let mut backoff = Backoff::default();
        let mut told = Told::default();
        let hanging = Arc::new(AtomicUsize::new(0));
        let mut connection = 0;
        while !self.stops() {
            let knocked = self.clock.mono();
            if let Err(why) = self.knock() {
                backoff.reset();
                self.tell(&mut told, format!("cannot be reached: {why}"), KNOCK_EVERY);
                // A knock that nobody heard took its time already.
                let waited = self.clock.mono().since(knocked);
                self.sleep(KNOCK_EVERY.saturating_sub(waited));
                continue;
            }
            connection += 1;
            let began = self.clock.mono();
            let over = match self.open(connection) {
                Ok(opened) => {
                    let over = self.attend(connection, began);
                    let complaint = opened.complaint();
                    self.close(opened.bin, &hanging);
                    match (over, complaint) {
                        (Over::Failed(_), Some(complaint)) => Over::Failed(complaint),
                        (over, _) => over,
                    }
                }
                Err(why) => Over::Failed(why.to_string()),
            };
            let why = match over {
                Over::Stop => return,
                Over::Failed(why) => why,
                Over::OutputFailed(why) => {
                    self.restart_output();
                    format!("encoding failed: {why}")
                }
            };
            if self.clock.mono().since(began) > GOOD_AFTER && self.gave_frames_since(began) {
                backoff.reset();
            }
            let wait = backoff.next(rand::random());
            self.tell(&mut told, why, wait);
            if self.wait_unless_it_comes_back(wait) {
                backoff.reset();
            }
            while hanging.load(Ordering::SeqCst) >= HANGING_AT_MOST && !self.stops() {
                self.sleep(LOOK_EVERY);
            }
        }
    }

    fn stops(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn gave_frames_since(&self, began: Mono) -> bool {
        self.meters.last_in().is_some_and(|last| last > began)
    }

    /// Whether the camera takes TCP connections and, where it is spoken to in the
    /// clear, says anything at all: a connection to one that hangs costs ten seconds.
    fn knock(&self) -> Result<(), String> {
        let (host, port) = (self.endpoint.0.as_str(), self.endpoint.1);
        let addresses = (host, port).to_socket_addrs().map_err(|e| e.to_string())?;
        let mut last = "the name has no address".to_owned();
        for address in addresses {
            match TcpStream::connect_timeout(&address, KNOCK_WITHIN) {
                Ok(_) if self.source.is_tls() => return Ok(()),
                Ok(stream) => match self.source.greet(stream, KNOCK_WITHIN) {
                    Ok(()) => return Ok(()),
                    Err(why) => last = why,
                },
                Err(e) => last = e.to_string(),
            }
        }
        Err(last)
    }

    fn open(&self, connection: u64) -> Result<Connection, CannotStart> {
        while let Ok(news) = self.heard.try_recv() {
            self.heed_between_connections(&news);
        }
        let beside = Beside {
            metadata: self.metadata.clone(),
            sound: self.sound.clone(),
            clock: self.clock.clone(),
        };
        let opened = source::connect(&self.source, connection, &self.news, beside)?;
        self.meters.connected();
        let join = || -> Result<(), gst::glib::BoolError> {
            self.pipeline.add(&opened.bin)?;
            opened.bin.link(&self.mask)?;
            opened.bin.sync_state_with_parent()
        };
        join().map_err(|e| {
            self.close(opened.bin.clone(), &Arc::default());
            CannotStart::State(e.to_string())
        })?;
        Ok(opened)
    }

    /// Watches the connection until it is over.
    fn attend(&self, connection: u64, began: Mono) -> Over {
        loop {
            match self.heard.recv_timeout(LOOK_EVERY) {
                Ok(news) => match news.what {
                    What::Stop => return Over::Stop,
                    What::OutputFailed(why) => return Over::OutputFailed(why),
                    _ if news.connection != connection => {}
                    What::Up(form) => {
                        self.mask.say(Reason::NoSignal {
                            detail: "no frames".into(),
                        });
                        self.events.emit(Event::StreamUp {
                            camera: self.camera.clone(),
                            form,
                            took: self.clock.mono().since(began),
                        });
                    }
                    What::Down(why) => {
                        return Over::Failed(self.mask.take_refusal().unwrap_or(why));
                    }
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Over::Stop,
            }
            if self.stops() {
                return Over::Stop;
            }
            let now = self.clock.mono();
            match self.meters.last_in().filter(|last| *last > began) {
                Some(last) if now.since(last) > self.source.stall_after => {
                    let s = self.source.stall_after.as_secs_f64();
                    return Over::Failed(format!("no frame for {s:.0} s"));
                }
                None if now.since(began) > self.source.first_frame_within => {
                    let s = self.source.first_frame_within.as_secs_f64();
                    return Over::Failed(format!("connected, but no frame within {s:.0} s"));
                }
                _ => {}
            }
        }
    }

    /// Takes a connection out at once and ends it on a thread of its own: a
    /// camera that no longer answers can hold that up.
    fn close(&self, bin: gst::Bin, hanging: &Arc<AtomicUsize>) {
        self.sound.end();
        bin.unlink(&self.mask);
        // Fails where it was never added.
        let _ = self.pipeline.remove(&bin);
        hanging.fetch_add(1, Ordering::SeqCst);
        let counter = hanging.clone();
        let end = move || {
            // Going down fails only for an element that is broken already.
            let _ = bin.set_state(gst::State::Null);
            counter.fetch_sub(1, Ordering::SeqCst);
        };
        if std::thread::Builder::new()
            .name("connection-end".into())
            .spawn(end)
            .is_err()
        {
            tracing::error!(camera = self.camera, "no thread to end a connection");
        }
    }

    fn restart_output(&self) {
        for state in [gst::State::Ready, gst::State::Playing] {
            if let Err(e) = self.pipeline.set_state(state) {
                tracing::error!(camera = self.camera, %e, "output does not restart");
            }
        }
    }

    /// Waits for `wait`; `true` where the camera vanished meanwhile and is back.
    fn wait_unless_it_comes_back(&self, wait: Duration) -> bool {
        let until = self.clock.mono().plus(wait);
        let mut vanished = false;
        loop {
            let left = until.since(self.clock.mono());
            if left.is_zero() || self.stops() {
                return false;
            }
            self.sleep(left.min(KNOCK_EVERY));
            match self.knock() {
                Err(_) => vanished = true,
                Ok(()) if vanished => return true,
                Ok(()) => {}
            }
        }
    }

    /// What is left of earlier connections is of no interest; an output that
    /// failed is, for it serves the grey picture too.
    fn heed_between_connections(&self, news: &News) {
        if let What::OutputFailed(why) = &news.what {
            tracing::error!(camera = self.camera, %why, "output failed");
            self.restart_output();
        }
    }

    /// Sleeps, but not through a stop.
    fn sleep(&self, at_most: Duration) {
        let until = self.clock.mono().plus(at_most);
        while !self.stops() {
            let left = until.since(self.clock.mono());
            if left.is_zero() {
                return;
            }
            if let Ok(news) = self.heard.recv_timeout(left.min(LOOK_EVERY)) {
                self.heed_between_connections(&news);
            }
        }
    }

    fn tell(&self, told: &mut Told, why: String, retry_in: Duration) {
        self.mask.say(Reason::NoSignal {
            detail: why.clone(),
        });
        let now = self.clock.mono();
        if !told.is_news(&why, now) {
            return;
        }
        self.events.emit(Event::StreamDown {
            camera: self.camera.clone(),
            detail: why,
            retry_in_ms: u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX),
        });
    }
}

/// What was last told about an outage.
#[derive(Default)]
struct Told(Option<(String, Mono)>);

impl Told {
    fn is_news(&mut self, why: &str, now: Mono) -> bool {
        let old = self
            .0
            .as_ref()
            .is_some_and(|(last, at)| last == why && now.since(*at) < TELL_EVERY);
        if !old {
            self.0 = Some((why.to_owned(), now));
        }
        !old
    }
}
