//! Whom to ask for positions, and how: one connection for each kind of source.
//!
//! A source says where the camera stands in its own numbers, and what it knows of the
//! time: ONVIF when it measured, HTTP when it answered (to the second), VISCA nothing.
//! Must not know poses.

use super::devices::{HttpDevice, ViscaDevice};
use super::sample_clock::{AnswerTimes, Shown};
use crate::clock::{Clock, Mono};
use crate::onvif::answers::AnswerError;
use crate::onvif::utc::UtcStamp;
use crate::onvif::{CameraError, OnvifCamera, OnvifSettings};
use crate::pose::profile::RawPosition;
use crate::secret::Secret;
use std::sync::Arc;
use std::time::Duration;

/// How one camera tells its position.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// ONVIF GetStatus.
    Onvif(OnvifSettings),
    /// Axis VAPIX.
    Vapix(HttpSettings),
    /// Hikvision ISAPI.
    Isapi(HttpSettings),
    /// VISCA over IP.
    Visca(ViscaSettings),
}

/// A camera that is asked over plain HTTP or HTTPS.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpSettings {
    /// `http://HOST[:PORT]` or `https://…`.
    pub device_url: String,
    /// User name for HTTP Digest; empty: ask without credentials.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Certificates (PEM) that alone are trusted over https; `None`: the machine's.
    pub ca_pem: Option<Arc<str>>,
    /// Video channel, from 1 on.
    pub channel: u32,
    /// How long one request may take, milliseconds, 10…60 000.
    pub timeout_ms: u64,
    /// When its answers' positions were measured.
    pub times: AnswerTimes,
    /// How far the camera's clock and this machine's are apart, where that is
    /// known; `None`: the `Date` of its answers tells its time.
    pub promise: Option<ClockPromise>,
}

/// A camera that speaks VISCA over IP.
#[derive(Clone, Debug, PartialEq)]
pub struct ViscaSettings {
    /// `HOST:PORT`.
    pub address: String,
    /// How long one request may take, milliseconds, 10…60 000.
    pub timeout_ms: u64,
    /// When its answers' positions were measured.
    pub times: AnswerTimes,
    /// How far the camera's clock and this machine's are apart.
    pub promise: ClockPromise,
}

/// What somebody vouches for: that the camera's clock and this machine's are both kept right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockPromise {
    /// How far they are apart at most.
    pub within: Duration,
    /// Whether the promise holds only while the kernel says that its clock is synchronised.
    pub kernel_keeps_clock: bool,
}

impl Source {
    /// How long one request may take, milliseconds.
    pub(super) fn timeout_ms(&self) -> u64 {
        match self {
            Self::Onvif(s) => s.timeout_ms,
            Self::Vapix(s) | Self::Isapi(s) => s.timeout_ms,
            Self::Visca(s) => s.timeout_ms,
        }
    }

    /// Whether the camera's time is known to the second only, so that questions must not
    /// keep step with its seconds.
    pub(super) fn tells_seconds(&self) -> bool {
        matches!(self, Self::Vapix(s) | Self::Isapi(s) if s.promise.is_none())
    }
}

/// What a camera said of one moment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    /// Where it stood, its own numbers.
    pub(super) position: RawPosition,
    /// What it knows of the time.
    pub(super) when: When,
    /// What it calls an error, where it names one.
    pub(super) error: Option<String>,
}

/// What a report knows of its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    /// The position was measured then.
    Measured(Option<UtcStamp>),
    /// Nobody says; this tells the camera's clock.
    Answered(Option<Shown>, AnswerTimes),
}

/// Why a question brought no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unheard {
    /// For people.
    pub(super) detail: String,
    /// Whether the camera is there at all, however useless its words.
    pub(super) is_answer: bool,
    /// Whether it meant to tell a position, and did so wrongly.
    pub(super) is_wrong: bool,
    /// Whether nothing came at all.
    pub(super) is_silence: bool,
}

impl Unheard {
    /// Nobody is there.
    pub(super) fn silence(detail: impl ToString) -> Self {
        Self {
            detail: detail.to_string(),
            is_answer: false,
            is_wrong: false,
            is_silence: true,
        }
    }

    /// Somebody is there who does not know us: to be left alone, lest it lock us out.
    pub(super) fn stranger(detail: impl ToString) -> Self {
        Self {
            is_silence: false,
            ..Self::silence(detail)
        }
    }

    /// The camera is there and does not want to tell.
    pub(super) fn refusal(detail: impl ToString) -> Self {
        Self {
            is_answer: true,
            is_silence: false,
            ..Self::silence(detail)
        }
    }

    /// The camera told something that is no position.
    pub(super) fn wrong(detail: impl ToString) -> Self {
        Self {
            is_wrong: true,
            ..Self::refusal(detail)
        }
    }
}

/// When a question left, when its answer had arrived, and the answer.
pub(super) struct Asked {
    pub(super) sent: Mono,
    pub(super) received: Mono,
    pub(super) answer: Result<Report, Unheard>,
}

/// A connected camera.
pub(super) enum Connection {
    Onvif(OnvifCamera),
    Http(HttpDevice),
    Visca(ViscaDevice),
}

impl Connection {
    /// # Errors
    /// What keeps it from being asked.
    pub(super) async fn open(source: &Source, clock: Arc<dyn Clock>) -> Result<Self, Unheard> {
        match source {
            Source::Onvif(settings) => OnvifCamera::connect(settings, clock)
                .await
                .map(Self::Onvif)
                .map_err(|e| unheard(&e)),
            Source::Vapix(settings) => HttpDevice::vapix(settings, clock)
                .map(Self::Http)
                .map_err(Unheard::stranger),
            Source::Isapi(settings) => HttpDevice::isapi(settings, clock)
                .map(Self::Http)
                .map_err(Unheard::stranger),
            Source::Visca(settings) => ViscaDevice::open(settings, clock)
                .await
                .map(Self::Visca)
                .map_err(Unheard::stranger),
        }
    }

    /// Asks for the position.
    pub(super) async fn ask(&self) -> Asked {
        match self {
            Self::Onvif(camera) => {
                let (sent, received, answer) = camera.status().await;
                let answer = answer.map_err(|e| unheard(&e)).map(|status| Report {
                    position: status.position,
                    when: When::Measured(status.utc),
                    error: status.error,
                });
                Asked {
                    sent,
                    received,
                    answer,
                }
            }
            Self::Http(device) => device.ask().await,
            Self::Visca(device) => device.ask().await,
        }
    }

    /// Questions that may be under way at the same time.
    pub(super) fn most_in_flight(&self) -> usize {
        match self {
            Self::Onvif(_) | Self::Http(_) => 4,
            // One socket, and cameras that take one message at a time.
            Self::Visca(_) => 1,
        }
    }
}

fn unheard(e: &CameraError) -> Unheard {
    match e {
        CameraError::Answer(a) if a.is_unauthorised() => Unheard::stranger(a),
        CameraError::Answer(a @ AnswerError::Fault { .. }) => Unheard::refusal(a),
        CameraError::Answer(a) => Unheard::wrong(a),
        other if other.is_silence() => Unheard::silence(other),
        other => Unheard::stranger(other),
    }
}
