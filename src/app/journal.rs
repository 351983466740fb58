//! Where events go: a log line each, and what the status shows of them.

use super::audited;
use super::told::Hook;
use crate::audit::{Audit, Entry, Health};
use crate::event::{CameraState, Event, EventSink, Looking, MetadataCounts};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What events said last about one camera.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Gauges {
    pub(super) telemetry_hz: Option<f64>,
    pub(super) telemetry_lateness_ms: Option<f64>,
    /// Whether the metadata stream leads; none where none is heard.
    pub(super) metadata_leads: Option<bool>,
    pub(super) looking: Option<Looking>,
    pub(super) read_back_failures: u64,
    shown: bool,
}

/// What happened to one camera since the gateway began: it is never forgotten, so
/// that counters only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) stream_failures: u64,
    pub(super) telemetry_faults: u64,
    pub(super) metadata: MetadataCounts,
    pub(super) detector_faults: u64,
    pub(super) read_back_failures: u64,
    pub(super) frames_before_their_look: u64,
}

/// What became of reloads since the gateway began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reloads {
    pub(super) done: u64,
    pub(super) refused: u64,
    pub(super) last_refused: bool,
}

/// Writes every event to the log, what matters to the audit log, to message buses and into traces, and remembers
/// what the status needs.
#[derive(Debug, Default)]
pub(super) struct Journal {
    audit: Option<Audit>,
    /// Tells message buses.
    hook: Option<Hook>,
    cameras: Mutex<BTreeMap<String, Gauges>>,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    cameras: BTreeMap<String, Tally>,
    reloads: Reloads,
}

impl Journal {
    pub(super) fn new(audit: Option<Audit>, hook: Hook) -> Self {
        Self {
            audit,
            hook: Some(hook),
            cameras: Mutex::default(),
            counted: Mutex::default(),
        }
    }

    /// Records that the gateway ends.
    pub(super) fn ending(&self) {
        if let Some(audit) = &self.audit {
            audit.note(audited::stopped());
        }
    }

    /// How the audit log is doing, where there is one.
    pub(super) fn audit_health(&self) -> Option<Health> {
        self.audit.as_ref().map(Audit::health)
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

    /// Forgets what is true of a camera now; what was counted stays.
    pub(super) fn forget(&self, camera: &str) {
        let gone = self.lock().remove(camera);
        if let Some(looking) = gone.and_then(|gauges| gauges.looking) {
            let mut counted = self.counted();
            let tally = counted.cameras.entry(camera.to_owned()).or_default();
            tally.frames_before_their_look += looking.frames_before_their_look;
        }
    }

    /// What happened to a camera since the gateway began.
    pub(super) fn tally(&self, camera: &str) -> Tally {
        let now = self.gauges(camera).looking;
        let mut tally = self
            .counted()
            .cameras
            .get(camera)
            .copied()
            .unwrap_or_default();
        tally.frames_before_their_look += now.map_or(0, |l| l.frames_before_their_look);
        tally
    }

    /// What became of reloads since the gateway began.
    pub(super) fn reloads(&self) -> Reloads {
        self.counted().reloads
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, event: &Event) {
        let mut counted = self.counted();
        let mut of = |camera: &String, count: fn(&mut Tally) -> &mut u64| {
            *count(counted.cameras.entry(camera.clone()).or_default()) += 1;
        };
        match event {
            Event::StreamDown { camera, .. } => of(camera, |t| &mut t.stream_failures),
            Event::TelemetryFault { camera, .. } => of(camera, |t| &mut t.telemetry_faults),
            Event::MetadataMeasured { camera, counts, .. } => {
                counted.cameras.entry(camera.clone()).or_default().metadata += *counts;
            }
            Event::DetectorFault { camera, .. } => of(camera, |t| &mut t.detector_faults),
            Event::ReadBackFailed { camera } => of(camera, |t| &mut t.read_back_failures),
            Event::Reloaded { .. } => {
                counted.reloads.done += 1;
                counted.reloads.last_refused = false;
            }
            Event::ReloadRefused { .. } => {
                counted.reloads.refused += 1;
                counted.reloads.last_refused = true;
            }
            _ => {}
        }
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
            Event::MetadataMeasured { camera, leads, .. } => {
                let mut cameras = self.lock();
                cameras.entry(camera.clone()).or_default().metadata_leads = Some(*leads);
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
        self.count(&event);
        let worth_a_line = self.remember(&event);
        if let Some(hook) = &self.hook {
            hook.tell(&event, worth_a_line);
        }
        if worth_a_line {
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
        Event::StreamUp { camera, form, .. } => tracing::info!(%camera, %form, "stream up"),
        Event::StreamDown {
            camera,
            detail,
            retry_in_ms,
        } => {
            tracing::warn!(%camera, %detail, retry_in_ms, "stream down");
        }
        Event::CaptureTimeFrom {
            camera,
            by,
            within_ms,
        } => match within_ms {
            Some(within_ms) => tracing::info!(%camera, by, within_ms, "capture time"),
            None => tracing::warn!(%camera, why = by, "no capture time"),
        },
        Event::FrameMeasured { camera, times } => {
            tracing::debug!(%camera, ?times, "a frame's time");
        }
        Event::TelemetryMeasured {
            camera,
            rate_hz,
            lateness_ms,
        } => {
            tracing::debug!(%camera, rate_hz, lateness_ms, "telemetry");
        }
        Event::MetadataMeasured {
            camera,
            leads,
            counts,
        } => {
            tracing::debug!(%camera, leads, ?counts, "metadata stream");
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
        Event::PublicationUp {
            camera,
            publication,
        } => tracing::info!(%camera, %publication, "published"),
        Event::PublicationDown {
            camera,
            publication,
            detail,
            retry_in_ms,
        } => {
            tracing::warn!(%camera, %publication, %detail, retry_in_ms, "not published");
        }
        Event::BusUp { bus } => tracing::info!(bus, "events are told"),
        Event::BusDown {
            bus,
            detail,
            retry_in_ms,
        } => {
            tracing::warn!(bus, %detail, retry_in_ms, "events are not told");
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

    #[test]
    fn what_was_counted_is_not_forgotten() {
        let journal = Journal::default();
        let looked = |frames| Event::DetectorMeasured {
            camera: "a".into(),
            looking: Looking {
                frames_before_their_look: frames,
                ..Looking::default()
            },
        };
        let refused = || Event::ReloadRefused {
            detail: String::new(),
        };
        for _ in 0..2 {
            journal.emit(Event::ReadBackFailed { camera: "a".into() });
            journal.emit(looked(3));
            journal.emit(looked(5));
            journal.forget("a");
            journal.emit(refused());
        }
        let metadata = |taken| Event::MetadataMeasured {
            camera: "a".into(),
            leads: taken > 2,
            counts: MetadataCounts {
                taken,
                ..MetadataCounts::default()
            },
        };
        journal.emit(metadata(3));
        journal.forget("a");
        journal.emit(metadata(2));
        assert_eq!(journal.gauges("a").metadata_leads, Some(false));
        assert_eq!(journal.tally("a").metadata.taken, 5);
        journal.emit(looked(1));
        let tally = journal.tally("a");
        assert_eq!(tally.read_back_failures, 2);
        assert_eq!(tally.frames_before_their_look, 11);
        assert_eq!(journal.tally("b"), Tally::default());
        let reloads = journal.reloads();
        assert_eq!((reloads.refused, reloads.last_refused), (2, true));
        journal.emit(Event::Reloaded {
            detail: String::new(),
        });
        let reloads = journal.reloads();
        assert_eq!((reloads.done, reloads.last_refused), (1, false));
    }
}
