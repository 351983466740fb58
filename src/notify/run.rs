//! One bus's thread: connect, tell, wait, connect again.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::counts::Counts;
use super::outbox::Outbox;
use super::{Bus, mqtt, nats};
use crate::clock::SystemClock;
use crate::event::{Event, EventSink};
use crate::pipeline::Backoff;

/// A server that has not taken us by then is tried again.
pub(super) const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The longest that it may keep a message waiting.
pub(super) const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// The longest that a goodbye takes.
pub(super) const GOODBYE_WITHIN: Duration = Duration::from_secs(2);
/// A connection that stood for so long worked: the next try comes at once.
const WORKED: Duration = Duration::from_secs(10);
/// Longer words of a server's are cut.
const LONGEST_WORDS: usize = 200;

/// Whether, and how, a bus is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goodbye {
    /// It is told on.
    NotYet,
    /// What it keeps of us stays, marked as offline.
    Stay,
    /// What it keeps of us is taken away.
    Withdraw,
}

impl Goodbye {
    /// As soon as it is said; also when nobody is left who could say it.
    pub(super) async fn said(stopped: &mut watch::Receiver<Self>) -> Self {
        let said = stopped.wait_for(|goodbye| *goodbye != Self::NotYet).await;
        said.map_or(Self::Stay, |goodbye| *goodbye)
    }
}

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// It was to stop.
    Stopped,
    /// What happened.
    Lost(String),
}

/// What a connection works with.
pub(super) struct Link<'a> {
    pub(super) outbox: &'a Outbox,
    pub(super) stopped: watch::Receiver<Goodbye>,
    /// Called once, when the server takes messages.
    pub(super) connected: &'a mut dyn FnMut(),
}

pub(super) struct Runner {
    pub(super) bus: Bus,
    pub(super) outbox: Arc<Outbox>,
    pub(super) counts: Arc<Counts>,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) stopped: watch::Receiver<Goodbye>,
}

impl Runner {
    pub(super) fn run(mut self) {
        let clock = SystemClock::new();
        let mut backoff = Backoff::default();
        // What was said last: a server that stays away is no news.
        let mut said = None;
        loop {
            let mut since = None;
            let over = self.connection(&mut || {
                since = Some(clock.instant());
                self.counts.connected();
                self.events.emit(Event::BusUp {
                    bus: self.bus.name(),
                });
            });
            let why = match over {
                Over::Stopped => return self.counts.stopped(),
                Over::Lost(why) => why,
            };
            self.counts.failed(&why);
            if since.is_some_and(|since| clock.instant() - since >= WORKED) {
                backoff.reset();
            }
            let wait = backoff.next(rand::random());
            if since.is_some() || said.as_ref() != Some(&why) {
                self.events.emit(Event::BusDown {
                    bus: self.bus.name(),
                    detail: why.clone(),
                    retry_in_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                });
                said = Some(why);
            }
            if self.stops_within(wait) {
                return self.counts.stopped();
            }
        }
    }

    /// Connects and tells until that is over. What the libraries began ends with it: the
    /// next connection shares nothing with this one.
    fn connection(&self, connected: &mut dyn FnMut()) -> Over {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(why) => return Over::Lost(why),
        };
        let mut link = Link {
            outbox: &self.outbox,
            stopped: self.stopped.clone(),
            connected,
        };
        let mut stopped = self.stopped.clone();
        let over = runtime.block_on(async {
            let told = async {
                match &self.bus {
                    Bus::Mqtt {
                        server,
                        topic,
                        discovery,
                    } => mqtt::run(server, topic, discovery.as_deref(), &mut link).await,
                    Bus::Nats {
                        server,
                        token,
                        subject,
                    } => nats::run(server, token.as_ref(), subject, &mut link).await,
                }
            };
            // One that is still connecting, or does not see that it is to stop, is left.
            let left = async {
                Goodbye::said(&mut stopped).await;
                tokio::time::sleep(GOODBYE_WITHIN).await;
            };
            tokio::select! {
                over = told => over,
                () = left => Over::Stopped,
            }
        });
        // A name that is still being looked up must not hold the end up.
        runtime.shutdown_background();
        over
    }

    /// Waits for so long; whether it is to stop.
    fn stops_within(&mut self, wait: Duration) -> bool {
        let Ok(runtime) = runtime() else {
            std::thread::sleep(wait);
            return *self.stopped.borrow() != Goodbye::NotYet;
        };
        let said = async { tokio::time::timeout(wait, Goodbye::said(&mut self.stopped)).await };
        runtime.block_on(said).is_ok()
    }
}

fn runtime() -> Result<Runtime, String> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|e| format!("nothing to connect with: {e}"))
}

/// What went wrong, with its causes, in one line. Nothing in it is ours to hide: the
/// libraries' errors carry no password.
pub(super) fn words(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        let more = e.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = e.source();
    }
    let unknown = text.contains("UnknownIssuer");
    let mut text: String = text
        .replace('\n', " ")
        .chars()
        .take(LONGEST_WORDS)
        .collect();
    if unknown {
        text.push_str("; name the PEM file of the CA that signed it as ca_file");
    }
    text
}
