//! Which events go into the audit log, and as what.

use crate::audit::{Entry, Outcome};
use crate::config::{Camera, Sound};
use crate::event::Event;

/// The gateway began; whether it offers clear stills, and which cameras' sound leaves, is
/// for everyone to know who reads the log.
pub(super) fn started(clear_still: bool, cameras: &[Camera]) -> Entry {
    let mut entry = Entry::new("start", "gateway");
    if clear_still {
        entry = entry.detail("clear_still", true);
    }
    let sounds: Vec<String> = cameras
        .iter()
        .filter(|camera| camera.sound != Sound::Drop)
        .map(|camera| format!("{}: {}", camera.id, camera.sound.name()))
        .collect();
    match sounds.is_empty() {
        true => entry,
        false => entry.detail("sound", sounds.join(", ")),
    }
}

/// The gateway ends, in order.
pub(super) fn stopped() -> Entry {
    Entry::new("stop", "gateway")
}

/// A permit for clear stills of `camera` that `by` had given is over.
pub(super) fn permit_over(camera: &str, by: &str, why: &'static str) -> Entry {
    let over = Entry::new("still-permit-over", format!("camera {camera}"));
    over.detail("permitted_by", by).detail("why", why)
}

/// The record of `event`; none where it is a measure, or a fault that shows as a
/// state where it matters.
pub(super) fn entry(event: &Event) -> Option<Entry> {
    let of = |action, camera: &str| Entry::new(action, format!("camera {camera}"));
    Some(match event {
        Event::StateChanged { camera, to } => {
            let entry = of("state-changed", camera).detail("state", to.name());
            match to.reason() {
                Some(reason) => entry
                    .detail("code", reason.code())
                    .detail("reason", reason.to_string()),
                None => entry,
            }
        }
        Event::CaptureTimeFrom {
            camera,
            by,
            within_ms,
        } => match within_ms {
            Some(within_ms) => of("capture-time", camera)
                .detail("by", *by)
                .detail("within_ms", (within_ms * 10.0).round() / 10.0),
            None => of("capture-time", camera)
                .result(Outcome::Failed)
                .detail("why", *by),
        },
        Event::StreamUp { camera, form, .. } => {
            of("stream-up", camera).detail("form", form.as_str())
        }
        Event::StreamDown { camera, detail, .. } => of("stream-down", camera)
            .result(Outcome::Failed)
            .detail("why", detail.as_str()),
        Event::Viewer {
            camera,
            joined,
            viewers,
            detail,
        } => {
            let action = if *joined {
                "viewer-joined"
            } else {
                "viewer-left"
            };
            let entry = of(action, camera).detail("viewers", *viewers);
            match detail {
                Some(why) => entry.detail("why", why.as_str()),
                None => entry,
            }
        }
        Event::PublicationUp {
            camera,
            publication,
        } => of("publication-up", camera).detail("publication", publication.as_str()),
        Event::PublicationDown {
            camera,
            publication,
            detail,
            ..
        } => of("publication-down", camera)
            .result(Outcome::Failed)
            .detail("publication", publication.as_str())
            .detail("why", detail.as_str()),
        Event::BusUp { bus } => Entry::new("bus-up", format!("bus {bus}")),
        Event::BusDown { bus, detail, .. } => Entry::new("bus-down", format!("bus {bus}"))
            .result(Outcome::Failed)
            .detail("why", detail.as_str()),
        Event::ReadBackFailed { camera } => of("read-back", camera).result(Outcome::Failed),
        Event::Reloaded { detail } => {
            Entry::new("reload", "configuration").detail("changes", detail.as_str())
        }
        Event::ReloadRefused { detail } => Entry::new("reload", "configuration")
            .result(Outcome::Refused)
            .detail("why", detail.as_str()),
        Event::FramesDropped { .. }
        | Event::FrameMeasured { .. }
        | Event::TelemetryMeasured { .. }
        | Event::MetadataMeasured { .. }
        | Event::TelemetryFault { .. }
        | Event::DetectorMeasured { .. }
        | Event::DetectorFault { .. } => return None,
    })
}
