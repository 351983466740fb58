//! `greyplane probe`: what a camera is, what it tells and how well, before it is put
//! behind the gateway: each known lie of cameras is looked for and named, with what to
//! do about it.
//!
//! Asks over ONVIF, looks at the stream as the gateway would, asks for the position for
//! a while and, where it may, turns the camera a little. What is asked gathers facts; pure
//! functions judge them. Changes nothing in the camera. Must not know arguments, terminals
//! or who gave permission.

mod address;
mod facts;
mod find;
mod head;
mod motion;
mod numbers;
mod open;
mod positions;
mod spread;
mod stamps;
mod trace;
mod verdicts;
mod write;

pub use address::{AddressError, device_url};
pub use facts::{DeviceFacts, ProfileFacts};
pub use find::{Found, find};
pub use head::{HeadFacts, PresetFacts, Space};
pub use positions::PositionFigures;
pub use spread::Spread;
pub use trace::MotionFigures;
pub use write::{CannotWrite, Login, write};

use crate::clock::Clock;
use crate::doctor::{Finding, Verdict};
use crate::onvif::{OnvifCamera, OnvifSettings};
use crate::pipeline::{self, SourceSettings};
use crate::secret::Secret;
use facts::Camera;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Everything that is read from a camera must have come by then.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// Whom to probe, and how long.
#[derive(Clone, Debug)]
pub struct ProbeSettings {
    /// `http(s)://HOST[:PORT]/PATH` of the device service; [`device_url`] makes one.
    pub device_url: String,
    /// User name; empty: ask without credentials.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Certificates (PEM) that alone are trusted over https; `None`: the machine's.
    pub ca_pem: Option<Arc<str>>,
    /// The media profile to look at; `None`: the first with PTZ, or the first.
    pub profile_token: Option<String>,
    /// How long one request may take, milliseconds, 10…60 000.
    pub timeout_ms: u64,
    /// Questions for the position, per second, 0.2…100.
    pub rate_hz: f64,
    /// For how long the position is asked for.
    pub asks_for: Duration,
    /// For how long the stream is looked at.
    pub looks_for: Duration,
    /// The camera may be turned: [`Turn`] says how.
    pub turn: Option<Turn>,
}

/// How the camera may be turned: by about [`Turn::ABOUT_DEG`], and to a preset where one
/// is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Token or name of a preset of the camera that it may go to.
    pub preset: Option<String>,
}

impl Turn {
    /// How far the camera is turned, degrees, where its space tells degrees. In a generic
    /// space, as much as that would be if pan went once around.
    pub const ABOUT_DEG: f64 = 5.0;
}

/// What the stream is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamFacts {
    /// Its address, without credentials, at the host that was probed.
    pub url: String,
    /// Codec, for people.
    pub codec: Option<&'static str>,
    /// Width and height, pixels.
    pub size: Option<(u32, u32)>,
    /// Pictures per second, as they came.
    pub fps: Option<f64>,
    /// From the beginning to the first picture, seconds.
    pub first_picture_s: Option<f64>,
    /// From the beginning to the first picture whose capture time is known, seconds.
    pub first_capture_time_s: Option<f64>,
    /// Who told that of the last picture: `ntp-64`, `onvif-replay` or `sender-report`.
    pub capture_time_by: Option<&'static str>,
    /// Why the gateway would not take it.
    pub refused: Option<String>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Whether nothing keeps the camera from being masked, as far as was looked.
    pub ok: bool,
    /// Whether it was broken off.
    pub broken_off: bool,
    /// Which device service was asked.
    pub device_url: String,
    /// What the camera says that it is.
    pub device: Option<DeviceFacts>,
    /// Its media profiles.
    pub profiles: Vec<ProfileFacts>,
    /// The profile that was looked at.
    pub profile_token: Option<String>,
    /// Its head; none for a camera that does not turn.
    pub head: Option<HeadFacts>,
    /// Its stream.
    pub stream: Option<StreamFacts>,
    /// How it tells its position.
    pub positions: Option<PositionFigures>,
    /// How it tells its position while it turns.
    pub motion: Option<MotionFigures>,
    /// What was found, in the order in which it was.
    pub findings: Vec<Finding>,
}

/// Findings, and who is told of each as it comes.
struct Notes<'t> {
    findings: Vec<Finding>,
    tell: &'t dyn Fn(&Finding),
}

impl Notes<'_> {
    fn add(&mut self, finding: Finding) {
        (self.tell)(&finding);
        self.findings.push(finding);
    }

    fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|f| self.add(f));
    }
}

/// Probes a camera. `tell` hears each finding as it comes; once `stop` is set, nothing new
/// is begun, and a camera that was turned is sent back.
///
/// # Errors
/// No event loop; a camera that cannot be reached is a finding.
pub fn probe(
    settings: &ProbeSettings,
    clock: &Arc<dyn Clock>,
    stop: &Arc<AtomicBool>,
    tell: &dyn Fn(&Finding),
) -> std::io::Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut report = Report {
        device_url: settings.device_url.clone(),
        ..Report::default()
    };
    let mut notes = Notes {
        findings: Vec::new(),
        tell,
    };
    runtime.block_on(all(settings, clock, stop, &mut report, &mut notes));
    // A name look-up under way must not keep us.
    runtime.shutdown_timeout(Duration::from_millis(50));
    report.broken_off = stop.load(Ordering::SeqCst);
    report.findings = notes.findings;
    report.ok = !report.broken_off && report.findings.iter().all(|f| f.verdict != Verdict::Bad);
    Ok(report)
}

async fn all(
    settings: &ProbeSettings,
    clock: &Arc<dyn Clock>,
    stop: &Arc<AtomicBool>,
    report: &mut Report,
    notes: &mut Notes<'_>,
) {
    let onvif = OnvifSettings {
        device_url: settings.device_url.clone(),
        user: settings.user.clone(),
        password: settings.password.clone(),
        profile_token: settings.profile_token.clone(),
        ca_pem: settings.ca_pem.clone(),
        timeout_ms: settings.timeout_ms,
    };
    let Some(mut camera) = meet(&onvif, clock, report, notes).await else {
        return;
    };
    let read = timeout(READ_WITHIN, read(&camera, &onvif, clock, report, notes)).await;
    if read.is_err() {
        notes.add(Finding::bad(
            "answers",
            format!("not all was read within {} s", READ_WITHIN.as_secs()),
            "look at the camera's load and its network; then try again",
        ));
        return;
    }
    let going_on = || !stop.load(Ordering::SeqCst);
    if going_on()
        && let Some(profile) = chosen(report)
        && let Some(url) = profile.url.clone()
    {
        let source = source(settings, &url);
        let looked = pipeline::glance(&source, settings.looks_for, clock, stop);
        let (facts, findings) = verdicts::stream(&url, looked);
        report.stream = facts;
        notes.extend(findings);
    }
    let Some(profile) = chosen(report).filter(|p| p.turns).cloned() else {
        return;
    };
    camera.turn_to(&profile.token);
    if going_on() {
        let head = report.head.as_ref();
        let heard = positions::ask(&camera, clock, settings, stop).await;
        let (figures, findings) = positions::judge(&heard, head, settings.rate_hz);
        report.positions = Some(figures);
        notes.extend(findings);
        notes.add(positions::reconnect(&onvif, clock, &profile.token, camera.services()).await);
    }
    if going_on()
        && let (Some(turn), Some(head)) = (&settings.turn, &report.head)
    {
        let (figures, findings) = motion::turn(&camera, clock, head, turn, stop).await;
        report.motion = figures;
        notes.extend(findings);
    }
}

/// The camera, where it answers and lets us in.
async fn meet(
    onvif: &OnvifSettings,
    clock: &Arc<dyn Clock>,
    report: &mut Report,
    notes: &mut Notes<'_>,
) -> Option<Camera> {
    let connected = match OnvifCamera::meet(onvif, clock.clone()).await {
        Ok(camera) => facts::begin(camera).await,
        Err(e) => Err(e),
    };
    match connected {
        Ok((camera, device)) => {
            notes.add(device.finding());
            report.device = Some(device);
            Some(camera)
        }
        Err(e) => {
            notes.add(verdicts::unreached(&e));
            None
        }
    }
}

async fn read(
    camera: &Camera,
    onvif: &OnvifSettings,
    clock: &Arc<dyn Clock>,
    report: &mut Report,
    notes: &mut Notes<'_>,
) {
    let (profiles, findings) = camera.profiles(&onvif.device_url).await;
    report.profiles = profiles;
    notes.extend(findings);
    let wanted = onvif.profile_token.as_deref();
    let (token, finding) = verdicts::choose(&report.profiles, wanted);
    report.profile_token = token;
    notes.extend(finding);
    notes.extend(camera.accounts(&onvif.user).await);
    let Some(profile) = chosen(report).cloned() else {
        return;
    };
    notes.extend(open::anonymous(onvif, clock, camera, &profile).await);
    notes.extend(camera.masks(&profile).await);
    notes.extend(camera.picture(&profile).await);
    if profile.turns {
        let (head, findings) = head::read(camera, &profile).await;
        report.head = head;
        notes.extend(findings);
    }
}

fn chosen(report: &Report) -> Option<&ProfileFacts> {
    let token = report.profile_token.as_deref()?;
    report.profiles.iter().find(|p| p.token == token)
}

fn source(settings: &ProbeSettings, url: &str) -> SourceSettings {
    let mut source = SourceSettings::new(url);
    if !settings.user.is_empty() {
        source.credentials = Some((settings.user.clone(), settings.password.clone()));
    }
    source
}

#[cfg(test)]
mod tests;
