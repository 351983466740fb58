//! One publication's thread: connect, watch, wait, connect again.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::counts::Counts;
use super::whip::Call;
use super::{Publication, PublishOver, rtsp, srt};
use crate::clock::SystemClock;
use crate::event::{Event, EventSink};
use crate::pipeline::{Backoff, MaskedStream};

/// A connection that stood for so long worked: the next try comes at once. A server
/// that takes a stream and lets it go again is left alone for longer and longer.
const WORKED: Duration = Duration::from_secs(10);

/// Why a connection is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// It was to stop.
    Stopped,
    /// What happened.
    Lost(String),
}

pub(super) struct Runner {
    pub(super) camera: String,
    pub(super) publication: Publication,
    pub(super) stream: MaskedStream,
    pub(super) counts: Arc<Counts>,
    pub(super) events: Arc<dyn EventSink>,
    /// Disconnected when it is to stop.
    pub(super) stopped: Receiver<()>,
}

impl Runner {
    pub(super) fn run(self) {
        let clock = SystemClock::new();
        let mut backoff = Backoff::default();
        // What was said last: a server that stays away is no news.
        let mut said = None;
        loop {
            let mut since = None;
            let over = self.publish(&mut || {
                since = Some(clock.instant());
                self.counts.connected();
                self.events.emit(Event::PublicationUp {
                    camera: self.camera.clone(),
                    publication: self.publication.name.clone(),
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
                self.events.emit(Event::PublicationDown {
                    camera: self.camera.clone(),
                    publication: self.publication.name.clone(),
                    detail: why.clone(),
                    retry_in_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
                });
                said = Some(why);
            }
            if self.stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    /// Connects and publishes until that is over; `connected` is called once, when
    /// the server takes the stream.
    fn publish(&self, connected: &mut dyn FnMut()) -> Over {
        let url = &self.publication.url;
        let line = match &self.publication.over {
            PublishOver::Whip { token, ca_file } => {
                let call = Call {
                    camera: &self.camera,
                    publication: &self.publication.name,
                    url,
                    token: token.as_ref(),
                    ca_file: ca_file.as_deref(),
                    stream: &self.stream,
                    counts: &self.counts,
                    stopped: &self.stopped,
                };
                return call.run(connected);
            }
            PublishOver::Rtsp { login, ca_file } => {
                rtsp::line(url, login.as_ref(), ca_file.as_deref())
            }
            PublishOver::Srt {
                login,
                passphrase,
                latency,
            } => srt::line(url, login.as_ref(), passphrase.as_ref(), *latency),
        };
        line.map_or_else(Over::Lost, |line| {
            line.run(&self.stream, &self.counts, &self.stopped, connected)
        })
    }
}
