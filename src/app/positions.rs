//! Telemetry's answers, and the camera's metadata stream → pose evidence and events.

use crate::clock::Clock;
use crate::config::{Camera, Kind, Telemetry as Wanted, TelemetryKind, Untimed};
use crate::event::{Event, EventSink};
use crate::onvif::OnvifSettings;
use crate::pipeline::{MetadataDocument, MetadataSink};
use crate::pose::{CameraProfile, PoseSource, Pushed};
use crate::secret::Secret;
use crate::telemetry::{
    AnswerTimes, ClockPromise, Documents, HttpSettings, Source, StreamedDocument, Telemetry,
    TelemetryError, TelemetryItem, TelemetrySettings, ViscaSettings, documents, visca_address,
};
use std::sync::Arc;
use std::time::Duration;

/// From the pipeline's hands into telemetry's, where the metadata stream of `camera` is
/// wanted: a short queue, and what finds it full is counted and thrown away.
pub(super) fn metadata(camera: &Camera) -> Option<(MetadataSink, Documents)> {
    let wanted = matches!(&camera.kind, Kind::Ptz { telemetry, .. } if telemetry.metadata);
    let (queue, documents) = wanted.then(documents)?;
    let put = move |document: MetadataDocument| {
        queue.put(StreamedDocument {
            bytes: document.bytes,
            gzip: document.gzip,
            received: document.arrived,
        });
    };
    Some((Arc::new(put), documents))
}

/// Asks `camera` for its position until the result is dropped, hears `documents` of its
/// metadata stream, and gives every position to `poses`.
pub(super) fn start(
    camera: &Camera,
    wanted: &Wanted,
    (profile, documents): (Arc<CameraProfile>, Option<Documents>),
    poses: Arc<PoseSource>,
    events: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
) -> Result<Telemetry, TelemetryError> {
    let camera = camera.id.clone();
    let settings = TelemetrySettings {
        source: source(wanted),
        rate_hz: wanted.rate_hz,
    };
    Telemetry::start_listening(settings, profile, clock, documents, move |item| {
        take(&camera, item, &poses, &*events)
    })
}

/// What became of it, where it is a position.
fn take(
    camera: &str,
    item: TelemetryItem,
    poses: &PoseSource,
    events: &dyn EventSink,
) -> Option<Pushed> {
    let camera = || camera.to_owned();
    match item {
        TelemetryItem::Sample(timed) => {
            let pushed = poses.on_sample(&timed);
            if let Pushed::Unsteady(reason) | Pushed::Refused(reason) = &pushed {
                tracing::debug!(camera = camera(), %reason, "position not believed");
            }
            return Some(pushed);
        }
        TelemetryItem::Streamed(sample) => {
            let pushed = poses.on_streamed(&sample);
            if let Pushed::Unsteady(reason) | Pushed::Refused(reason) = &pushed {
                tracing::debug!(camera = camera(), %reason, "streamed position not believed");
            }
            return Some(pushed);
        }
        TelemetryItem::Contradicted { since, detail } => poses.on_contradiction(since, detail),
        TelemetryItem::Metadata { leads, counts } => {
            events.emit(Event::MetadataMeasured {
                camera: camera(),
                leads,
                counts,
            });
        }
        TelemetryItem::Refused { reason, received } => {
            tracing::debug!(camera = camera(), %reason, "position refused");
            poses.on_refused(reason, received);
        }
        TelemetryItem::Fault(detail) => {
            events.emit(Event::TelemetryFault {
                camera: camera(),
                detail,
            });
        }
        TelemetryItem::Measured {
            rate_hz,
            lateness_ms,
        } => {
            events.emit(Event::TelemetryMeasured {
                camera: camera(),
                rate_hz,
                lateness_ms,
            });
        }
    }
    None
}

/// Whom to ask.
fn source(wanted: &Wanted) -> Source {
    match &wanted.kind {
        TelemetryKind::Onvif { profile_token } => Source::Onvif(onvif(wanted, profile_token)),
        TelemetryKind::Vapix(untimed) => Source::Vapix(http(wanted, untimed)),
        TelemetryKind::Isapi(untimed) => Source::Isapi(http(wanted, untimed)),
        TelemetryKind::Visca(untimed) => Source::Visca(ViscaSettings {
            address: visca_address(&wanted.device_url),
            timeout_ms: timeout_ms(wanted),
            times: AnswerTimes { age: untimed.age },
            // The configuration demands it of this kind.
            promise: promise(untimed).unwrap_or(ClockPromise {
                within: Duration::MAX,
                kernel_keeps_clock: true,
            }),
        }),
    }
}

fn http(wanted: &Wanted, untimed: &Untimed) -> HttpSettings {
    let (user, password) = credentials(wanted);
    HttpSettings {
        device_url: wanted.device_url.clone(),
        user,
        password,
        ca_pem: wanted.ca_pem.clone(),
        channel: untimed.channel,
        timeout_ms: timeout_ms(wanted),
        times: AnswerTimes { age: untimed.age },
        promise: promise(untimed),
    }
}

fn promise(untimed: &Untimed) -> Option<ClockPromise> {
    untimed.clock_within.map(|within| ClockPromise {
        within,
        kernel_keeps_clock: untimed.kernel_keeps_clock,
    })
}

/// How to steer a camera: over ONVIF, or not at all.
pub(super) fn steering(wanted: &Wanted) -> Option<OnvifSettings> {
    match &wanted.kind {
        TelemetryKind::Onvif { profile_token } => Some(onvif(wanted, profile_token)),
        _ => None,
    }
}

/// How to reach a camera's ONVIF services.
fn onvif(wanted: &Wanted, profile_token: &Option<String>) -> OnvifSettings {
    let (user, password) = credentials(wanted);
    OnvifSettings {
        device_url: wanted.device_url.clone(),
        user,
        password,
        profile_token: profile_token.clone(),
        ca_pem: wanted.ca_pem.clone(),
        timeout_ms: timeout_ms(wanted),
    }
}

fn credentials(wanted: &Wanted) -> (String, Secret) {
    match &wanted.login {
        Some(login) => (login.user.clone(), login.password.clone()),
        None => (String::new(), Secret::new("")),
    }
}

fn timeout_ms(wanted: &Wanted) -> u64 {
    u64::try_from(wanted.timeout.as_millis()).unwrap_or(u64::MAX)
}
