//! Telemetry: cameras' protocols → [`PoseSample`]s.
//!
//! Polls ONVIF's GetStatus, Axis' VAPIX, Hikvision's ISAPI or VISCA over IP, and hears
//! ONVIF's metadata stream beside it where there is one. What a camera says is refused or mapped by its [profile](crate::pose::profile), timed, and
//! handed to a sink; nothing is ever made up. This module must not know frames, zones or
//! GStreamer.

mod agreement;
mod devices;
pub mod isapi;
mod measure;
mod poller;
pub mod sample_clock;
mod source;
mod streamed;
pub mod vapix;
pub mod visca;

pub(crate) use devices::visca_address;
pub use sample_clock::AnswerTimes;
pub use source::{ClockPromise, HttpSettings, Source, ViscaSettings};
pub use streamed::{DocumentQueue, Documents, StreamedDocument, documents};

use crate::clock::{CaptureTime, Clock, Mono};
use crate::event::{MetadataCounts, Reason};
use crate::pose::{CameraProfile, PoseSample, Pushed, TimedSample};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// Whom to ask for positions, and how often.
#[derive(Clone, Debug, PartialEq)]
pub struct TelemetrySettings {
    /// The camera.
    pub source: Source,
    /// Requests per second, 0.1…100.
    pub rate_hz: f64,
}

/// What telemetry has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum TelemetryItem {
    /// A position that was asked for.
    Sample(TimedSample),
    /// A position of the metadata stream, believed as far as its uncertainty says.
    Streamed(PoseSample),
    /// The metadata stream, believed until now, and the answers contradict each other.
    Contradicted {
        /// The last moment at which they agreed, camera's clock.
        since: CaptureTime,
        /// For people.
        detail: String,
    },
    /// A report that must not be used.
    Refused {
        /// Why.
        reason: Reason,
        /// When it had arrived.
        received: Mono,
    },
    /// Something else went wrong (one in five seconds, with a count).
    Fault(String),
    /// What was measured, once a second.
    Measured {
        /// Positions per second.
        rate_hz: f64,
        /// Mean time from measurement to arrival, milliseconds.
        lateness_ms: f64,
    },
    /// What became of the metadata stream since this was told last, once a second where
    /// there is one to be heard.
    Metadata {
        /// Whether more positions came from it than from answers.
        leads: bool,
        /// Positions.
        counts: MetadataCounts,
    },
}

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// A setting outside its range.
    #[error("{key} is {value}: give {range}")]
    Setting {
        /// Which.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        range: &'static str,
    },
    /// No thread, or no event loop in it.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// The running poller of one camera; stops when dropped.
#[derive(Debug)]
pub struct Telemetry {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Telemetry {
    /// Starts to ask. `sink` is called on telemetry's own thread and must
    /// return at once.
    ///
    /// # Errors
    /// [`TelemetryError`]; a camera that cannot be reached is none: it is tried
    /// for ever.
    pub fn start(
        settings: TelemetrySettings,
        profile: Arc<CameraProfile>,
        clock: Arc<dyn Clock>,
        sink: impl Fn(TelemetryItem) + Send + 'static,
    ) -> Result<Self, TelemetryError> {
        Self::start_listening(settings, profile, clock, None, move |item| {
            sink(item);
            None
        })
    }

    /// The same, and `documents` of the camera's metadata stream are heard, too. `sink` says
    /// what became of a position, and `None` of all else: the stream is used only while
    /// answers are.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_listening(
        settings: TelemetrySettings,
        profile: Arc<CameraProfile>,
        clock: Arc<dyn Clock>,
        documents: Option<Documents>,
        sink: impl Fn(TelemetryItem) -> Option<Pushed> + Send + 'static,
    ) -> Result<Self, TelemetryError> {
        check(&settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let agreement = agreement::Agreement::new(&profile);
        let listening = documents.map(|d| streamed::Listening::new(d, agreement));
        let poller = poller::Poller {
            listening,
            settings,
            profile,
            measure: measure::Measure::from(clock.mono()),
            clock,
            sink: Box::new(sink),
            times: sample_clock::SampleClock::default(),
            faults: measure::Rationed::default(),
        };
        let thread = std::thread::Builder::new()
            .name("telemetry".to_owned())
            .spawn(move || {
                runtime.block_on(poller.run(stopped));
                // A name look-up under way must not keep us.
                runtime.shutdown_timeout(Duration::from_millis(50));
            })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // The poller may have ended already; then nobody listens.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic in the poller has been reported by its thread; what it
            // leaves is silence, and silence covers.
            let _ = thread.join();
        }
    }
}

fn check(s: &TelemetrySettings) -> Result<(), TelemetryError> {
    if !(s.rate_hz >= 0.1 && s.rate_hz <= 100.0) {
        return Err(TelemetryError::Setting {
            key: "rate_hz",
            value: s.rate_hz.to_string(),
            range: "0.1 to 100",
        });
    }
    let timeout_ms = s.source.timeout_ms();
    if !(10..=60_000).contains(&timeout_ms) {
        return Err(TelemetryError::Setting {
            key: "timeout_ms",
            value: timeout_ms.to_string(),
            range: "10 to 60000",
        });
    }
    Ok(())
}

/// The camera's words end up in logs and on pictures: one short line of them.
fn short(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests;
