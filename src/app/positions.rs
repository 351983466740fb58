//! Telemetry's answers → pose evidence and events.

use crate::clock::Clock;
use crate::config::{Camera, Telemetry as Wanted};
use crate::event::{Event, EventSink};
use crate::onvif::OnvifSettings;
use crate::pose::{CameraProfile, PoseSource, Pushed};
use crate::secret::Secret;
use crate::telemetry::{Telemetry, TelemetryError, TelemetryItem, TelemetrySettings};
use std::sync::Arc;

/// Asks `camera` for its position until the result is dropped, and gives every
/// answer to `poses`.
pub(super) fn start(
    camera: &Camera,
    wanted: &Wanted,
    profile: Arc<CameraProfile>,
    poses: Arc<PoseSource>,
    events: Arc<dyn EventSink>,
    clock: Arc<dyn Clock>,
) -> Result<Telemetry, TelemetryError> {
    let camera = camera.id.clone();
    let settings = TelemetrySettings {
        camera: onvif(wanted),
        rate_hz: wanted.rate_hz,
    };
    Telemetry::start(settings, profile, clock, move |item| {
        take(&camera, item, &poses, &*events);
    })
}

fn take(camera: &str, item: TelemetryItem, poses: &PoseSource, events: &dyn EventSink) {
    let camera = || camera.to_owned();
    match item {
        TelemetryItem::Sample(timed) => {
            if let Pushed::Unsteady(reason) | Pushed::Refused(reason) = poses.on_sample(&timed) {
                tracing::debug!(camera = camera(), %reason, "position not believed");
            }
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
}

/// How to reach a camera's ONVIF services.
pub(super) fn onvif(wanted: &Wanted) -> OnvifSettings {
    let (user, password) = match &wanted.login {
        Some(login) => (login.user.clone(), login.password.clone()),
        None => (String::new(), Secret::new("")),
    };
    OnvifSettings {
        device_url: wanted.device_url.clone(),
        user,
        password,
        profile_token: wanted.profile_token.clone(),
        timeout_ms: u64::try_from(wanted.timeout.as_millis()).unwrap_or(u64::MAX),
    }
}
