//! The thread that empties the row: gather, send, wait, send again.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::Collector;
use super::counts::Counts;
use super::otlp::{self, Verdict};
use super::row::{AT_MOST, Row};
use super::story::Story;
use crate::device_http::{BytesAnswer, DeviceHttp, HttpError};
use crate::pipeline::Backoff;
use crate::secret::Secret;

/// What happens within so long is told in one request.
const GATHER: Duration = Duration::from_secs(1);
/// Stories in one request; some hundred kilobytes at most.
const STORIES_AT_MOST: usize = 256;
/// A collector that has not answered by then is asked again.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// The longest that a goodbye takes.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);
/// No answer of a collector is longer: it says how many spans it did not want.
const ANSWER_AT_MOST: usize = 64 << 10;

pub(super) struct Sender {
    pub(super) collector: Collector,
    /// How the collector tells this gateway from others.
    pub(super) instance: String,
    pub(super) row: Arc<Row>,
    pub(super) counts: Arc<Counts>,
    /// Whether it is to stop.
    pub(super) stopped: watch::Receiver<bool>,
}

/// Why a request was left.
#[derive(Debug)]
struct Stopped;

impl Sender {
    pub(super) fn run(self) {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                tracing::error!(%error, "no traces are told: nothing to connect with");
                return;
            }
        };
        runtime.block_on(self.work());
        // A name that is still being looked up must not hold the end up.
        runtime.shutdown_background();
    }

    async fn work(self) {
        let (ca_pem, nobody) = (self.collector.ca_pem.as_deref(), Secret::new(""));
        let client = match DeviceHttp::new("", &nobody, ca_pem, ANSWERS_WITHIN) {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "no traces are told"),
        };
        let mut link = Link {
            post: Post {
                client,
                endpoint: self.collector.endpoint.clone(),
                headers: headers(&self.collector.headers),
            },
            backoff: Backoff::default(),
            said: None,
            counts: self.counts.clone(),
            stopped: self.stopped.clone(),
        };
        let mut unsent = None;
        while link.unless_stopped(self.row.filled()).await.is_ok()
            // Others may come meanwhile.
            && link.unless_stopped(tokio::time::sleep(GATHER)).await.is_ok()
        {
            let stories = self.row.take(STORIES_AT_MOST);
            let (body, spans) = otlp::request(&stories, &self.instance);
            if let Err(Stopped) = link.send(body.clone(), spans).await {
                unsent = Some((body, spans));
                break;
            }
        }
        self.goodbye(&link.post, unsent).await;
    }

    /// What still waits is sent once, as far as it goes.
    async fn goodbye(&self, post: &Post, unsent: Option<(Vec<u8>, u64)>) {
        let left: Vec<Story> = self.row.take(AT_MOST);
        let left = left
            .chunks(STORIES_AT_MOST)
            .map(|stories| otlp::request(stories, &self.instance));
        let left: Vec<_> = unsent.into_iter().chain(left).collect();
        let mut lost: u64 = left.iter().map(|(_, spans)| spans).sum();
        let sent = async {
            for (body, spans) in left {
                let Verdict::Taken { refused } = otlp::verdict(post.send(body).await) else {
                    self.counts.failed();
                    break;
                };
                self.counts.sent(spans, refused);
                lost -= spans;
            }
        };
        // Of one that is cut off nobody knows whether the collector has it.
        let _ = tokio::time::timeout(GOODBYE_WITHIN, sent).await;
        self.counts.dropped(lost);
    }
}

/// How requests are made.
struct Post {
    client: DeviceHttp,
    endpoint: String,
    headers: HeaderMap,
}

impl Post {
    async fn send(&self, body: Vec<u8>) -> Result<BytesAnswer, HttpError> {
        let request = self.client.post(&self.endpoint);
        let request = request.headers(self.headers.clone()).body(body);
        self.client.send_for_bytes(request, ANSWER_AT_MOST).await
    }
}

/// A collector, and how it is doing.
struct Link {
    post: Post,
    backoff: Backoff,
    /// What was said of it last: one that stays away is no news.
    said: Option<String>,
    counts: Arc<Counts>,
    stopped: watch::Receiver<bool>,
}

impl Link {
    /// Sends until it is taken or refused.
    async fn send(&mut self, body: Vec<u8>, spans: u64) -> Result<(), Stopped> {
        loop {
            let answer = {
                let mut stopped = self.stopped.clone();
                tokio::select! {
                    answer = self.post.send(body.clone()) => answer,
                    _ = stopped.wait_for(|stop| *stop) => return Err(Stopped),
                }
            };
            let (why, over) = match otlp::verdict(answer) {
                Verdict::Taken { refused } => {
                    self.counts.sent(spans, refused);
                    self.backoff.reset();
                    if self.said.take().is_some() {
                        tracing::info!("traces are taken again");
                    }
                    return Ok(());
                }
                Verdict::Later(why) => (why, false),
                Verdict::Refused(why) => {
                    self.counts.refused(spans);
                    (why, true)
                }
            };
            self.counts.failed();
            let wait = self.backoff.next(rand::random());
            if self.said.as_ref() != Some(&why) {
                let retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(detail = %why, retry_in_ms, "traces are not taken");
                self.said = Some(why);
            }
            let waited = self.unless_stopped(tokio::time::sleep(wait)).await;
            if over {
                return Ok(()); // And counted: nothing of it is left to say goodbye with.
            }
            waited?;
        }
    }

    async fn unless_stopped<T>(&self, other: impl Future<Output = T>) -> Result<T, Stopped> {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            done = other => Ok(done),
            // Also when nobody is left who could say it.
            _ = stopped.wait_for(|stop| *stop) => Err(Stopped),
        }
    }
}

/// Ours, and what the configuration adds; it was looked through there.
fn headers(more: &[(String, Secret)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let program = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    headers.insert(USER_AGENT, HeaderValue::from_static(program));
    for (name, value) in more {
        let (name, value) = (
            HeaderName::try_from(name),
            HeaderValue::try_from(value.reveal()),
        );
        if let (Ok(name), Ok(mut value)) = (name, value) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
    headers
}
