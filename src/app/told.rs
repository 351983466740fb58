//! What message buses are told, by whom and when: events as they happen, reports within
//! a second of a change and every half minute.
//!
//! Codes, numbers and names that the configuration gives to things. What a camera or a
//! server answered stays in the log, since addresses and paths may be in it.

use super::Shared;
use super::traced::Traced;
use crate::archive::rfc3339;
use crate::clock::Clock;
use crate::config::{self, Config, Login};
use crate::event::{CameraState, Event, Reason};
use crate::notify::{Board, Bus, BusFigures, FORMAT, GatewayReport, Server, Told, Wake};
use crate::web::BusStatus;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Reports come again after so long, whatever happened: seconds grow, and some buses
/// keep nothing for those who come later.
const AGAIN_AFTER: Duration = Duration::from_secs(30);
/// What happens within so long is told in one report.
const SETTLE: Duration = Duration::from_millis(500);

/// Hands the journal's events on: to message buses, and to what makes traces of them.
#[derive(Clone)]
pub(super) struct Hook {
    pub(super) board: Arc<Board>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) traced: Arc<Traced>,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}

impl Hook {
    /// Tells of `event`, unless it is not worth a line: then only reports show it.
    /// Returns at once.
    pub(super) fn tell(&self, event: &Event, worth_a_line: bool) {
        self.traced.see(event);
        let told = worth_a_line.then(|| told(event, || rfc3339(self.clock.wall())));
        match told.flatten() {
            Some(told) => self.board.tell(told),
            None if matches!(event, Event::StateChanged { .. }) => self.board.news(),
            None => {}
        }
    }
}

/// What is told of `event`; none where it is a measure, or about the buses themselves.
fn told(event: &Event, at: impl FnOnce() -> String) -> Option<Told> {
    let name = match event {
        Event::StateChanged { .. } => "state-changed",
        Event::FramesDropped { .. } => "frames-dropped",
        Event::StreamUp { .. } => "stream-up",
        Event::StreamDown { .. } => "stream-down",
        Event::TelemetryFault { .. } => "telemetry-fault",
        Event::DetectorFault { .. } => "detector-fault",
        Event::Viewer { joined: true, .. } => "viewer-joined",
        Event::Viewer { joined: false, .. } => "viewer-left",
        Event::PublicationUp { .. } => "publication-up",
        Event::PublicationDown { .. } => "publication-down",
        Event::ReadBackFailed { .. } => "read-back-failed",
        Event::Reloaded { .. } => "reloaded",
        Event::ReloadRefused { .. } => "reload-refused",
        Event::FrameMeasured { .. }
        | Event::TelemetryMeasured { .. }
        | Event::MetadataMeasured { .. }
        | Event::CaptureTimeFrom { .. }
        | Event::DetectorMeasured { .. }
        | Event::BusUp { .. }
        | Event::BusDown { .. } => return None,
    };
    let mut told = Told::new(at(), name);
    match event {
        Event::StateChanged { camera, to } => {
            told.camera = Some(camera.clone());
            told.state = Some(to.name().to_owned());
            told.code = to.reason().map(|reason| reason.code().to_owned());
            told.reason = to.reason().map(brief);
        }
        Event::FramesDropped { camera, why, count } => {
            told.camera = Some(camera.clone());
            told.code = Some(why.code().to_owned());
            told.count = Some(*count);
        }
        Event::Viewer {
            camera, viewers, ..
        } => {
            told.camera = Some(camera.clone());
            told.viewers = Some(*viewers);
        }
        Event::PublicationUp {
            camera,
            publication,
        }
        | Event::PublicationDown {
            camera,
            publication,
            ..
        } => {
            told.camera = Some(camera.clone());
            told.publication = Some(publication.clone());
        }
        Event::StreamUp { camera, .. }
        | Event::StreamDown { camera, .. }
        | Event::TelemetryFault { camera, .. }
        | Event::DetectorFault { camera, .. }
        | Event::ReadBackFailed { camera } => told.camera = Some(camera.clone()),
        _ => {}
    }
    Some(told)
}

/// Why, for people who may not know what cameras answered.
pub(super) fn brief(reason: &Reason) -> String {
    let whole = reason.to_string();
    match reason {
        Reason::BadPosition { .. }
        | Reason::CameraUnsteady { .. }
        | Reason::CaptureTimeDoubted { .. }
        | Reason::StreamChanged { .. }
        | Reason::NoMasks { .. }
        | Reason::NoSignal { .. }
        | Reason::Internal { .. } => {
            let before = whole.split(": ").next();
            before.unwrap_or_default().to_owned()
        }
        Reason::Starting
        | Reason::NoCaptureTime
        | Reason::ClockJump { .. }
        | Reason::NoPosition
        | Reason::TelemetryStale { .. }
        | Reason::PictureDisagrees
        | Reason::NotOnPreset { .. }
        | Reason::ZoomOutsideCalibration { .. }
        | Reason::MarginTooWide { .. }
        | Reason::DetectorSilent
        | Reason::TooManyThings
        | Reason::PaintFailed => whole,
    }
}

/// Puts reports on the board until dropped.
pub(super) struct Teller {
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

impl Teller {
    /// # Errors
    /// When no thread can be had.
    pub(super) fn start(shared: &Arc<Shared>, board: Arc<Board>) -> std::io::Result<Self> {
        // Weak: what is told about may end while nothing happens.
        let (of, on) = (Arc::downgrade(shared), board.clone());
        let work = move || {
            let mut again = true;
            loop {
                let Some(shared) = of.upgrade().filter(|_| !on.is_idle()) else {
                    if on.wait(AGAIN_AFTER) == Wake::Closed {
                        return;
                    }
                    continue;
                };
                let (gateway, cameras) = shared.reports();
                on.report(gateway, cameras, again);
                drop(shared);
                // What happens while one looks is seen by the next look.
                std::thread::sleep(SETTLE);
                again = match on.wait(AGAIN_AFTER) {
                    Wake::News => false,
                    Wake::Time => true,
                    Wake::Closed => return,
                };
            }
        };
        let thread = std::thread::Builder::new().name("reports".into());
        Ok(Self {
            board,
            thread: Some(thread.spawn(work)?),
        })
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.board.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that made reports had panicked");
        }
    }
}

impl Shared {
    /// Everything as it is now.
    fn reports(&self) -> (GatewayReport, Vec<crate::notify::CameraReport>) {
        let reports: Vec<_> = {
            let running = self.cameras();
            let all = running.iter();
            all.map(|c| c.report(&self.journal, &self.exits, &*self.clock))
                .collect()
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let gateway = GatewayReport {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cameras: count(reports.len()),
            hidden: count(reports.iter().filter(|r| r.hidden).count()),
            last_reload_refused: self.journal.reloads().last_refused,
            audit_writable: self.journal.audit_health().map(|health| health.writable),
        };
        (gateway, reports)
    }
}

/// Whether a state shows nothing of the street.
pub(super) fn hides(state: &CameraState) -> bool {
    matches!(state, CameraState::Covered(_) | CameraState::NoSignal(_))
}

/// That a camera was taken out of the configuration.
pub(super) fn removed(camera: &str, clock: &dyn Clock) -> Told {
    let mut told = Told::new(rfc3339(clock.wall()), "camera-removed");
    told.camera = Some(camera.to_owned());
    told
}

/// The buses that `config` wants told.
pub(super) fn buses(config: &Config) -> Vec<Bus> {
    let login = |login: &Option<Login>| {
        let login = login.as_ref();
        login.map(|l| (l.user.clone(), l.password.clone()))
    };
    let server = |s: &config::EventServer| Server {
        host: s.host.clone(),
        port: s.port,
        tls: s.tls,
        ca_file: s.ca_file.clone(),
        login: login(&s.login),
    };
    let mqtt = config.events.mqtt.iter().map(|mqtt| Bus::Mqtt {
        server: server(&mqtt.server),
        topic: mqtt.topic.clone(),
        discovery: mqtt.discovery.clone(),
    });
    let nats = config.events.nats.iter().map(|nats| Bus::Nats {
        server: server(&nats.server),
        token: nats.token.clone(),
        subject: nats.subject.clone(),
    });
    mqtt.chain(nats).collect()
}

/// What is said of buses that are told in the clear beyond this machine.
pub(super) fn in_clear(config: &Config) -> Vec<String> {
    let mqtt = config.events.mqtt.iter().map(|m| ("mqtt", &m.server));
    let nats = config.events.nats.iter().map(|n| ("nats", &n.server));
    let clear = mqtt.chain(nats).filter(|(_, s)| s.beyond_in_clear);
    clear
        .map(|(bus, server)| {
            format!(
                "events go to {} in the clear ([events.{bus}], `allow_clear`): whoever is on the way \
                 can read them, and the password",
                server.host
            )
        })
        .collect()
}

/// A bus as the status shows it.
pub(super) fn status(f: BusFigures) -> BusStatus {
    BusStatus {
        bus: f.bus,
        connected: f.connected,
        problem: f.problem,
        connects: f.connects,
        failures: f.failures,
        sent: f.sent,
        dropped: f.dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cameras_and_servers_answered_is_not_told() {
        let secret = "rtsp://10.0.0.9/etc/passwd".to_owned();
        let of = |event: &Event| serde_json::to_string(&told(event, String::new)).unwrap();
        let (camera, detail) = ("a".to_owned(), secret.clone());
        let reasons = [
            (
                Reason::NoSignal {
                    detail: detail.clone(),
                },
                "no signal",
            ),
            (
                Reason::NoMasks {
                    detail: detail.clone(),
                },
                "no valid masks",
            ),
            (
                Reason::Internal {
                    detail: detail.clone(),
                },
                "internal error",
            ),
            (
                Reason::StreamChanged {
                    detail: detail.clone(),
                },
                "stream changed",
            ),
            (
                Reason::BadPosition {
                    detail: detail.clone(),
                },
                "position refused",
            ),
            (
                Reason::CameraUnsteady {
                    detail: detail.clone(),
                },
                "camera unsteady",
            ),
            (Reason::TelemetryStale { age_s: 3.0 }, "telemetry 3.0 s old"),
        ];
        for (reason, text) in reasons {
            assert_eq!(brief(&reason), text);
            let to = CameraState::Covered(reason);
            let camera = camera.clone();
            let said = of(&Event::StateChanged { camera, to });
            assert!(said.contains(text) && !said.contains(&secret), "{said}");
        }
        for event in [
            Event::StreamDown {
                camera: camera.clone(),
                detail: detail.clone(),
                retry_in_ms: 1,
            },
            Event::TelemetryFault {
                camera: camera.clone(),
                detail: detail.clone(),
            },
            Event::DetectorFault {
                camera: camera.clone(),
                detail: detail.clone(),
            },
            Event::Viewer {
                camera: camera.clone(),
                joined: false,
                viewers: 1,
                detail: Some(detail.clone()),
            },
            Event::PublicationDown {
                camera,
                publication: "main".into(),
                detail: detail.clone(),
                retry_in_ms: 1,
            },
            Event::Reloaded {
                detail: detail.clone(),
            },
            Event::ReloadRefused { detail },
        ] {
            let said = of(&event);
            assert!(
                said.contains("\"event\":") && !said.contains(&secret),
                "{said}"
            );
        }
    }
}
