//! Where events go: a log line each, and what the status shows of them.

use super::audited;
use crate::audit::{Audit, Entry};
use crate::event::{CameraState, Event, EventSink, Looking};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What events said last about one camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Gauges {
    pub(super) telemetry_hz: Option<f64>,
    pub(super) telemetry_lateness_ms: Option<f64>,
    pub(super) looking: Option<Looking>,
    pub(super) read_back_failures: u64,
    shown: bool,
}

/// Writes every event to the log, what matters to the audit log, and remembers
/// what the status needs.
#[derive(Debug, Default)]
pub(super) struct Journal {
    audit: Option<Audit>,
    cameras: Mutex<BTreeMap<String, Gauges>>,
}

impl Journal {
    pub(super) fn new(audit: Option<Audit>) -> Self {
        Self {
            audit,
            cameras: Mutex::default(),
        }
    }

    /// Records that the gateway ends.
    pub(super) fn ending(&self) {
        if let Some(audit) = &self.audit {
            audit.note(audited::stopped());
        }
    }

    /// Where the audit log lies, where there is one.
    pub(super) fn audit_folder(&self) -> Option<&Path> {
        self.audit.as_ref().map(Audit::folder)
    }

    /// Records what is no event, where there is an audit log.
    pub(super) fn note(&self, entry: Entry) {
        if let Some(audit) = &self.audit {
            audit.note(entry);
        }
    }

    pub(super) fn gauges(&self, camera: &str) -> Gauges {
        self.lock().get(camera).copied().unwrap_or_default()
    }

    pub(super) fn forget(&self, camera: &str) {
        self.lock().remove(camera);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Gauges>> {
        self.cameras.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what the status needs. `false` where the event is not worth a line:
    /// masks widen and shrink at every turn of the camera.
    fn remember(&self, event: &Event) -> bool {
        match event {
            Event::StateChanged { camera, to } => {
                let shown = matches!(to, CameraState::Live | CameraState::Widened { .. });
                let mut cameras = self.lock();
                let gauges = cameras.entry(camera.clone()).or_default();
                return !(std::mem::replace(&mut gauges.shown, shown) && shown);
            }
            Event::TelemetryMeasured {
                camera,
                rate_hz,
                lateness_ms,
            } => {
                let mut cameras = self.lock();
                let gauges = cameras.entry(camera.clone()).or_default();
                gauges.telemetry_hz = Some(*rate_hz);
                gauges.telemetry_lateness_ms = Some(*lateness_ms);
            }
            Event::DetectorMeasured { camera, looking } => {
                self.lock().entry(camera.clone()).or_default().looking = Some(*looking);
            }
            Event::ReadBackFailed { camera } => {
                self.lock()
                    .entry(camera.clone())
                    .or_default()
                    .read_back_failures += 1;
            }
            _ => {}
        }
        true
    }
}

impl EventSink for Journal {
    fn emit(&self, event: Event) {
        if self.remember(&event) {
            log(&event);
            if let Some(audit) = &self.audit
                && let Some(entry) = audited::entry(&event)
            {
                audit.note(entry);
            }
        }
    }
}

fn log(event: &Event) {
    match event {
        Event::StateChanged { camera, to } => match to {
            CameraState::Live | CameraState::Widened { .. } => {
                tracing::info!(%camera, state = to.name(), "{to}");
            }
            CameraState::Covered(reason) | CameraState::NoSignal(reason) => {
                tracing::warn!(%camera, state = to.name(), code = reason.code(), "{to}");
            }
        },
        Event::FramesDropped { camera, why, count } => {
            tracing::warn!(%camera, why = why.code(), count, "frames did not leave");
        }
        Event::StreamUp { camera, form } => tracing::info!(%camera, %form, "stream up"),
        Event::StreamDown {
            camera,
            detail,
            retry_in_ms,
        } => {
            tracing::warn!(%camera, %detail, retry_in_ms, "stream down");
        }
        Event::TelemetryMeasured {
            camera,
            rate_hz,
            lateness_ms,
        } => {
            tracing::debug!(%camera, rate_hz, lateness_ms, "telemetry");
        }
        Event::TelemetryFault { camera, detail } => {
            tracing::warn!(%camera, %detail, "telemetry fault");
        }
        Event::DetectorFault { camera, detail } => {
            tracing::warn!(%camera, %detail, "detector fault");
        }
        Event::DetectorMeasured { camera, looking } => {
            tracing::debug!(%camera, ?looking, "detectors");
        }
        Event::Viewer {
            camera,
            joined,
            viewers,
            detail,
        } => {
            let what = if *joined {
                "viewer joined"
            } else {
                "viewer left"
            };
            tracing::info!(%camera, viewers, detail = detail.as_deref(), "{what}");
        }
        Event::ReadBackFailed { camera } => {
            tracing::error!(%camera, "a painted frame did not read back as hidden; it was covered");
        }
        Event::Reloaded { detail } => tracing::info!(%detail, "reloaded"),
        Event::ReloadRefused { detail } => {
            tracing::error!(%detail, "reload refused; what ran before still runs");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_measure_is_kept_per_camera() {
        let journal = Journal::default();
        for (camera, rate_hz) in [("a", 9.0), ("b", 5.0), ("a", 10.0)] {
            let camera = camera.to_owned();
            journal.emit(Event::TelemetryMeasured {
                camera,
                rate_hz,
                lateness_ms: 20.0,
            });
        }
        journal.emit(Event::ReadBackFailed { camera: "a".into() });
        assert_eq!(journal.gauges("a").telemetry_hz, Some(10.0));
        assert_eq!(journal.gauges("a").read_back_failures, 1);
        assert_eq!(journal.gauges("b").telemetry_hz, Some(5.0));
        journal.forget("a");
        assert_eq!(journal.gauges("a"), Gauges::default());
    }
}
