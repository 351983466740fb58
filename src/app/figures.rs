//! What is told to Prometheus: of the cameras, the audit log, the certificates, the
//! disks and the process.

use super::Shared;
use crate::clock::Clock;
use crate::config::Config;
use crate::event::is_awaited;
use crate::machine;
use crate::metrics::{self, Certificate, ClockState, Disk, Process};
use crate::notify::BusFigures;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use x509_cert::der::Decode;

/// What is looked at whenever somebody asks.
#[derive(Debug)]
pub(super) struct Watched {
    certificates: Vec<(&'static str, PathBuf)>,
    /// Since the Unix epoch, seconds; noted once, so that it never moves.
    started_s: Option<f64>,
}

impl Watched {
    pub(super) fn new(config: &Config, clock: &dyn Clock) -> Self {
        let console = config.console.as_ref();
        let console = console.and_then(|console| console.tls.as_ref());
        let rtsp = config.rtsp_tls.as_ref().map(|tls| &tls.files);
        let now_s = clock.wall().0 as f64 * 1e-9;
        Self {
            certificates: [("console", console), ("rtsp", rtsp)]
                .into_iter()
                .filter_map(|(used_for, tls)| Some((used_for, tls?.certificate.clone())))
                .collect(),
            started_s: machine::usage().map(|usage| now_s - usage.age_s),
        }
    }

    fn process(&self) -> Option<Process> {
        let usage = machine::usage()?;
        Some(Process {
            cpu_s: usage.cpu_s,
            resident: usage.resident,
            fds: usage.fds,
            max_fds: machine::open_files_limit()?,
            threads: usage.threads,
            started_s: self.started_s?,
        })
    }

    fn certificates(&self) -> Vec<Certificate> {
        let ends = self.certificates.iter().filter_map(|(used_for, file)| {
            Some(Certificate {
                used_for,
                expires_s: expiry_s(file)?,
            })
        });
        ends.collect()
    }
}

/// When the first certificate in `file` (PEM) ends, seconds since the Unix epoch;
/// none where it cannot be read as one.
fn expiry_s(file: &Path) -> Option<i64> {
    let der = CertificateDer::from_pem_file(file).ok()?;
    let certificate = x509_cert::Certificate::from_der(&der).ok()?;
    let end = certificate.tbs_certificate().validity().not_after;
    i64::try_from(end.to_unix_duration().as_secs()).ok()
}

fn bus(f: BusFigures) -> metrics::Bus {
    metrics::Bus {
        bus: f.bus,
        connected: f.connected,
        connects: f.connects,
        failures: f.failures,
        sent: f.sent,
        dropped: f.dropped,
    }
}

impl Shared {
    /// Everything that is told, as text.
    pub(super) fn figures(&self) -> Result<String, std::fmt::Error> {
        let now = self.clock.mono();
        let (cameras, masks) = {
            let running = self.cameras();
            let earlier = self.earlier();
            let cameras: Vec<metrics::Camera> = running
                .iter()
                .flat_map(|c| c.figures(&self.journal, &self.exits, &earlier, now))
                .collect();
            let masks = running.iter().flat_map(|camera| {
                let camera = camera.configured();
                let folder = |file: &Path| Some(machine::or_here(file.parent()?).to_owned());
                let folders: Vec<PathBuf> = camera.masks_files().filter_map(folder).collect();
                folders
            });
            (cameras, masks.collect::<BTreeSet<PathBuf>>())
        };
        let reloads = self.journal.reloads();
        let audit = self.journal.audit_health();
        let clock = machine::clock_discipline();
        metrics::text(metrics::Snapshot {
            gateway: metrics::Gateway {
                version: env!("CARGO_PKG_VERSION"),
                ready: !cameras.iter().any(|c| is_awaited(c.state, c.reason)),
                reloads_done: reloads.done,
                reloads_refused: reloads.refused,
                last_reload_refused: reloads.last_refused,
                audit: audit.map(|health| metrics::Audit {
                    writable: health.writable,
                    lost: health.lost,
                    verified: health.verified,
                }),
                certificates: self.watched.certificates(),
                clock: clock.map(|clock| ClockState {
                    synchronised: clock.synchronised,
                    error_bound_s: clock.error_bound.as_secs_f64(),
                }),
                buses: self.notifier.figures().into_iter().map(bus).collect(),
                traces: self.traced.figures(),
                disks: self.disks(&masks),
                process: self.watched.process(),
            },
            cameras,
        })
    }

    /// Where the masks lie on several disks, the one with the least room.
    fn disks(&self, masks: &BTreeSet<PathBuf>) -> Vec<Disk> {
        let disk = |place: &'static str, folder: &Path| {
            let space = machine::space(folder).ok()?;
            Some(Disk {
                place,
                free: space.free,
                size: space.size,
            })
        };
        let audit = self.journal.audit_folder();
        let audit = audit.and_then(|folder| disk("audit", folder));
        let masks = masks.iter().filter_map(|folder| disk("masks", folder));
        let masks = masks.min_by_key(|disk| disk.free);
        audit.into_iter().chain(masks).collect()
    }
}
