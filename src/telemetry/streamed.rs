//! The camera's metadata stream as a second source of positions, beside answers.
//!
//! It comes when the camera wants, often only on change, so its silence says nothing:
//! answers keep positions fresh, and vouch for the stream's clock and for its path. What
//! fits neither is passed over and counted. Must not know RTP or frames.

use super::TelemetryItem;
use super::agreement::{Agreement, Contradiction};
use super::poller::Poller;
use super::sample_clock::NoTime;
use crate::clock::Mono;
use crate::event::{MetadataCounts, Reason};
use crate::onvif::answers::PtzStatus;
use crate::onvif::metadata;
use crate::pose::{PoseSample, Pushed};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Documents that wait to be read; who sends more is not listened to.
const WAITING: usize = 32;

/// A document as the camera sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamedDocument {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Whether it is packed.
    pub gzip: bool,
    /// When its last packet came.
    pub received: Mono,
}

/// Where documents go in.
#[derive(Clone, Debug)]
pub struct DocumentQueue {
    queue: mpsc::Sender<StreamedDocument>,
    lost: Arc<AtomicU64>,
}

/// Where documents come out, for [`Telemetry`](super::Telemetry).
#[derive(Debug)]
pub struct Documents {
    queue: mpsc::Receiver<StreamedDocument>,
    lost: Arc<AtomicU64>,
}

/// A queue for the documents of one camera.
pub fn documents() -> (DocumentQueue, Documents) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let lost = Arc::new(AtomicU64::new(0));
    let put = DocumentQueue {
        queue: sender,
        lost: lost.clone(),
    };
    let queue = receiver;
    (put, Documents { queue, lost })
}

impl DocumentQueue {
    /// Puts a document in, or counts it as lost where too many wait. Returns at once.
    pub fn put(&self, document: StreamedDocument) {
        if self.queue.try_send(document).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What listens to the stream of one camera.
#[derive(Debug)]
pub(super) struct Listening {
    documents: Documents,
    agreement: Agreement,
    counts: MetadataCounts,
    /// Answers since it was told last.
    answers: u64,
    /// When the last answer was asked for that told a position.
    answered: Option<Mono>,
}

impl Listening {
    pub(super) fn new(documents: Documents, agreement: Agreement) -> Self {
        Self {
            documents,
            agreement,
            counts: MetadataCounts::default(),
            answers: 0,
            answered: None,
        }
    }

    /// Another connection: what came while nobody asked the camera is of no use.
    pub(super) fn begin_anew(&mut self) {
        self.agreement.reset();
        self.answered = None;
        while self.documents.queue.try_recv().is_ok() {
            self.counts.lost += 1;
        }
    }

    /// What became of the stream since this was asked last, and whether it leads.
    pub(super) fn tell(&mut self) -> TelemetryItem {
        let mut counts = std::mem::take(&mut self.counts);
        counts.lost += self.documents.lost.swap(0, Ordering::Relaxed);
        let answers = std::mem::take(&mut self.answers);
        TelemetryItem::Metadata {
            leads: counts.taken > answers,
            counts,
        }
    }
}

/// The next document; never, where there is no stream.
pub(super) async fn next(listening: &mut Option<Listening>) -> StreamedDocument {
    let next = match listening {
        Some(listening) => listening.documents.queue.recv().await,
        None => None,
    };
    match next {
        Some(document) => document,
        None => std::future::pending().await,
    }
}

impl Poller {
    /// Reads a document and passes on what of it may be believed.
    pub(super) fn hear(&mut self, document: &StreamedDocument) {
        let received = document.received;
        let Some(listening) = &mut self.listening else {
            return;
        };
        if listening.agreement.distrusts(received) {
            listening.counts.unproven += 1;
            return;
        }
        let read = metadata::text(&document.bytes, document.gzip)
            .and_then(|text| metadata::ptz_statuses(&text));
        match read {
            Ok(statuses) => {
                for status in &statuses {
                    if self.hear_status(status, received).is_none() {
                        return;
                    }
                }
            }
            Err(e) => {
                listening.counts.unreadable += 1;
                self.fault(e.to_string());
            }
        }
    }

    /// `None` where the stream is not to be heard any further.
    fn hear_status(&mut self, status: &PtzStatus, received: Mono) -> Option<()> {
        let position = match &status.error {
            Some(error) => Err(Reason::BadPosition {
                detail: format!("camera reports an error: {error}"),
            }),
            None => self.profile.map(&status.position),
        };
        let zoom = |zoom| Reason::ZoomOutsideCalibration { zoom };
        let position = position.and_then(|position| {
            let ln_focal = self.profile.ln_focal(position.zoom);
            Ok((position, ln_focal.ok_or_else(|| zoom(position.zoom))?))
        });
        let time = self.times.time_of_streamed(status.utc, received);
        let give_up_after = self.give_up_after();
        let listening = self.listening.as_mut()?;
        let (position, ln_focal) = match position {
            Ok(position) => position,
            Err(reason) => {
                listening.counts.refused += 1;
                self.refuse(reason, received);
                return Some(());
            }
        };
        let time = match time {
            Ok(time) => time,
            Err(why) => {
                listening.counts.untimed += 1;
                if why == NoTime::Missing {
                    let detail = "no time stamp in the metadata stream".to_owned();
                    self.refuse(Reason::BadPosition { detail }, received);
                }
                return Some(());
            }
        };
        let mut sample = PoseSample {
            at: time.at,
            sigma_t_s: time.sigma_s,
            pan_deg: position.pan_deg,
            tilt_deg: position.tilt_deg,
            zoom: position.zoom,
            hfov_deg: None,
            received,
        };
        let is_news = match listening.agreement.streamed(&sample, ln_focal) {
            Ok(is_news) => is_news,
            Err(contradiction) => {
                self.contradicted(contradiction);
                return None;
            }
        };
        // Answers that tell no position vouch for nothing, however many come.
        let vouched = listening
            .answered
            .is_some_and(|at| received.since(at) <= give_up_after);
        let lag_s = match is_news && vouched {
            true => listening.agreement.lag_s(),
            false => None,
        };
        let Some(lag_s) = lag_s else {
            listening.counts.unproven += 1;
            return Some(());
        };
        // The lag is a bound: 2σ.
        sample.sigma_t_s = sample.sigma_t_s.max(lag_s / 2.0);
        if listening.agreement.is_spare(sample.sigma_t_s) {
            listening.counts.spare += 1;
            return Some(());
        }
        match (self.sink)(TelemetryItem::Streamed(sample)) {
            Some(Pushed::Taken) => {
                listening.counts.taken += 1;
                self.measure.sample(time.lateness_s);
            }
            Some(Pushed::NotNews) => listening.counts.spare += 1,
            Some(Pushed::Unsteady(_)) => listening.counts.unproven += 1,
            Some(Pushed::Refused(_)) | None => listening.counts.refused += 1,
        }
        Some(())
    }

    /// An answer that was asked for at `sent` told a position: the stream may be used for a
    /// while.
    pub(super) fn vouch(&mut self, sent: Mono) {
        if let Some(listening) = &mut self.listening {
            listening.answered = listening.answered.max(Some(sent));
        }
    }

    /// Compares an answer with the stream, before it is passed on.
    pub(super) fn compare(&mut self, answer: &PoseSample) {
        let Some(listening) = &mut self.listening else {
            return;
        };
        listening.answers += 1;
        let Some(ln_focal) = self.profile.ln_focal(answer.zoom) else {
            return;
        };
        if let Err(contradiction) = listening.agreement.answered(answer, ln_focal) {
            self.contradicted(contradiction);
        }
    }

    fn contradicted(&mut self, found: Contradiction) {
        let detail = found.detail;
        // Told at once, whatever was told before.
        let told = format!("{detail}; the stream is not used for ten minutes");
        (self.sink)(TelemetryItem::Fault(told));
        if found.was_believed {
            // Which of the two lied, and since when, nobody knows.
            (self.sink)(TelemetryItem::Contradicted {
                since: found.since,
                detail,
            });
        }
    }
}

#[cfg(test)]
mod tests;
