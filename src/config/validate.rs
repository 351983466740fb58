//! Document → run-time types, or every reason why not.

use super::document::{self, Document};
use super::problem::{Problem, Problems};
use super::types::{
    Account, Camera, Config, Console, Detect, Detectors, Encoder, Kind, Limits, Masks, Source,
    TelemetryKind, Tls,
};
use super::{Secret, read_text};
use crate::pose::CameraProfile;
use crate::zone::{MAX_DOCUMENT_BYTES, ZoneSet};
use std::collections::HashSet;
use std::env::VarError;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

/// The default budget of a camera that turns, or whose pictures are looked at: long
/// enough for telemetry that is 100 ms late at 10 Hz, and for a detector to look.
const PTZ_BUDGET_MS: u64 = 250;
/// Any other fixed camera waits for nothing but its painting.
const FIXED_BUDGET_MS: u64 = 100;
/// The UDP port that browsers' video comes from, unless another is named.
const WEBRTC_PORT: u16 = 8189;

pub(super) struct Validator<'a> {
    path: &'a Path,
    text: &'a str,
    pub(super) problems: &'a mut Problems,
}

impl<'a> Validator<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str, problems: &'a mut Problems) -> Self {
        Self {
            path,
            text,
            problems,
        }
    }

    /// `None` when the configuration cannot be used at all; mistakes in masks
    /// and profiles leave a camera that will be covered.
    pub(super) fn config(mut self, d: Document) -> Option<Config> {
        let rtsp_listen = self.address(&d.gateway.rtsp_listen);
        let http_listen = self.address(&d.gateway.http_listen);
        let metrics_listen = match &d.gateway.metrics_listen {
            None => None,
            Some(written) => Some(self.metrics_address(written)?),
        };
        let console = match (&d.console, http_listen) {
            (Some(console), Some(http)) => Some(self.console(console, http)),
            _ => None,
        };
        let rtsp_tls = d.rtsp_tls.as_ref().map(|t| self.rtsp_tls(t));
        let viewers = self.viewers(&d);
        let devices = self.onvif_devices(&d);
        let detectors = Detectors {
            folder: d.detectors.folder.map(|f| self.beside(f.get_ref())),
            threads: self.number(&d.detectors.threads, 1..=64, "threads") as usize,
            face: self.model(d.detectors.face),
            plate: self.model(d.detectors.plate),
            person: d.detectors.person.map(|name| self.model(name)),
            input_long_side: self.number(&d.detectors.input_long_side, 32..=4096, "samples"),
        };
        let events = self.events(&d.events);
        let traces = d.traces.as_ref().map(|t| self.traces(t));
        if d.cameras.is_empty() {
            self.problems.push(Problem::in_file(
                self.path,
                "names no camera",
                "add a [[camera]] section",
            ));
        }
        let count = d.cameras.len();
        let mut ids = HashSet::new();
        let cameras: Vec<Camera> = d
            .cameras
            .into_iter()
            .filter_map(|c| self.camera(c, &mut ids))
            .map(|c| Camera {
                onvif_device: devices.get(&c.id).copied(),
                ..c
            })
            .collect();
        let (rtsp_listen, http_listen, viewers) = (rtsp_listen?, http_listen?, viewers?);
        let events = events?;
        let traces = traces.map_or(Some(None), |traces| traces.map(Some))?;
        let rtsp_tls = rtsp_tls.map_or(Some(None), |tls| tls.map(Some))?;
        let beyond = !rtsp_listen.ip().is_loopback();
        if !self.guarded(&d.gateway, beyond, rtsp_tls.is_some(), viewers.len()) {
            return None;
        }
        if !http_listen.ip().is_loopback() && console.as_ref().is_none_or(|c| c.tls.is_none()) {
            self.at(
                &d.gateway.http_listen,
                "would serve beyond this machine without accounts or without TLS",
                "add [console] with `users`, `tls_certificate` and `tls_key`, or listen on 127.0.0.1",
            );
            return None;
        }
        (count > 0 && cameras.len() == count).then_some(Config {
            rtsp_listen,
            rtsp_beyond_in_clear: beyond && rtsp_tls.is_none(),
            rtsp_tls,
            http_listen,
            metrics_listen,
            filter_system_calls: d.gateway.filter_system_calls,
            console,
            detectors,
            events,
            traces,
            viewers,
            cameras,
        })
    }

    /// One address of this machine: what has no login must not be at all of them.
    fn metrics_address(&mut self, written: &Spanned<String>) -> Option<SocketAddr> {
        let address = self.address(written)?;
        if address.ip().is_unspecified() {
            self.at(
                written,
                "would tell every network about the cameras: metrics have no login",
                "name 127.0.0.1, or this machine's address in the network of your monitoring",
            );
            return None;
        }
        Some(address)
    }

    fn console(&mut self, c: &document::Console, http: SocketAddr) -> Console {
        let tls = match (&c.tls_certificate, &c.tls_key) {
            (Some(certificate), Some(key)) => Some(Tls {
                certificate: self.beside(certificate.get_ref()),
                key: self.beside(key.get_ref()),
            }),
            (None, None) => None,
            (Some(alone), None) | (None, Some(alone)) => {
                self.at(
                    alone,
                    "is only half of what TLS needs",
                    "name both `tls_certificate` and `tls_key`",
                );
                None
            }
        };
        let webrtc = c.webrtc_listen.as_ref().and_then(|a| self.address(a));
        Console {
            users: self.beside(c.users.get_ref()),
            audit: self.beside(&c.audit),
            tls,
            webrtc_listen: webrtc.unwrap_or(SocketAddr::new(http.ip(), WEBRTC_PORT)),
            four_eyes: c.four_eyes,
            clear_still: c.clear_still,
            session: Duration::from_secs(60 * self.number(&c.session_minutes, 5..=1440, "minutes")),
        }
    }

    fn camera(&mut self, c: document::Camera, ids: &mut HashSet<String>) -> Option<Camera> {
        let before = self.problems.0.len();
        let id = c.id.get_ref().clone();
        let plain = |ch: char| ch.is_ascii_alphanumeric() || ch == '-' || ch == '_';
        if id.is_empty() || id.len() > 64 || !id.chars().all(plain) {
            self.at(
                &c.id,
                "is no camera id",
                "use 1 to 64 letters, digits, `-` and `_`: it becomes the stream's path",
            );
        } else if !ids.insert(id.clone()) {
            self.at(
                &c.id,
                "names a second camera",
                "give every camera an id of its own",
            );
        }
        self.url(&c.url, &["rtsp"]);
        let login = self.login(
            c.user.as_ref(),
            c.password_file.as_ref(),
            c.password_env.as_ref(),
        );
        let source = Source {
            url: c.url.get_ref().clone(),
            transport: c.transport,
            login,
            jitter_buffer: self.ms(&c.jitter_buffer_ms, 0..=5_000),
            stall: self.ms(&c.stall_ms, 500..=60_000),
        };
        let default_ms = if c.profile.is_some() || c.detect.is_some() || !c.preset.is_empty() {
            PTZ_BUDGET_MS
        } else {
            FIXED_BUDGET_MS
        };
        let latency_budget = match &c.latency_budget_ms {
            Some(ms) => self.ms(ms, 20..=5_000),
            None => Duration::from_millis(default_ms),
        };
        let encoder = Encoder {
            choice: c.encoder.name,
            bitrate_kbit: self.number(&c.encoder.bitrate_kbit, 100..=100_000, "kbit/s"),
            gop_frames: self.number(&c.encoder.gop_frames, 1..=600, "frames"),
        };
        let limits = Limits {
            widened_deg: self.number(&c.limits.widened_deg, 0.0..=90.0, "degrees"),
            cover_margin_share: self.number(&c.limits.cover_margin_percent, 1.0..=100.0, "%")
                / 100.0,
            max_telemetry_age: self.ms(&c.limits.max_telemetry_age_ms, 50..=10_000),
            restart_takes: (c.limits.restart_takes_ms.as_ref())
                .map(|takes| self.ms(takes, 1_000..=600_000)),
        };
        let streams = self.streams(&c.stream, &source, encoder);
        let publish = self.publications(&c.publish);
        let telemetry = c.telemetry.as_ref().map(|t| self.telemetry(t));
        let steering = c
            .steering
            .as_ref()
            .map(|s| self.steering(s, c.profile.is_some()));
        let detect = c
            .detect
            .as_ref()
            .map(|d| self.detect(d, c.profile.is_some()));
        if self.problems.0.len() > before {
            return None;
        }
        let kind = match (&c.profile, telemetry) {
            _ if !c.preset.is_empty() => Kind::Presets(self.presets(&c)?),
            (None, None) => Kind::Fixed,
            (Some(profile), Some(telemetry)) => Kind::Ptz {
                profile: self.profile(profile, &telemetry.kind),
                telemetry,
            },
            (Some(p), None) => {
                self.at(
                    p,
                    "describes a camera that turns, but nothing tells its position",
                    "add [camera.telemetry], or remove `profile` for a fixed camera",
                );
                return None;
            }
            (None, Some(_)) => {
                self.at(
                    &c.id,
                    "has telemetry but no `profile`",
                    "name the camera profile that maps its positions to degrees",
                );
                return None;
            }
        };
        let (masks_file, masks) = match (&c.masks, &kind) {
            (_, Kind::Presets(_)) => (
                PathBuf::new(),
                Err("its zones belong to its presets".to_owned()),
            ),
            (Some(masks), kind) => {
                let turns = matches!(kind, Kind::Ptz { .. });
                (self.beside(masks.get_ref()), self.masks(masks, &id, turns))
            }
            (None, _) => {
                self.at(
                    &c.id,
                    "has no `masks`",
                    "name its zone document; one without zones must say why nothing is private",
                );
                return None;
            }
        };
        Some(Camera {
            id,
            source,
            streams,
            kind,
            masks,
            masks_file,
            latency_budget,
            detect,
            encoder,
            limits,
            steering: steering.unwrap_or_default(),
            onvif_device: None,
            publish,
            sound: c.sound,
        })
    }

    fn detect(&mut self, d: &document::Detect, turns: bool) -> Detect {
        let classes = d.classes.get_ref();
        let distinct: HashSet<_> = classes.iter().collect();
        if classes.is_empty() || distinct.len() < classes.len() {
            self.at(
                &d.classes,
                "names nothing, or something twice",
                "name each class to look for once, or leave out [camera.detect]",
            );
        }
        if let Some(nearest_m) = d.nearest_m.as_ref().filter(|_| !turns) {
            self.at(
                nearest_m,
                "says nothing of a camera whose lens is not known",
                "leave it out, or give the camera a profile",
            );
        }
        let nearest_m = d.nearest_m.as_ref();
        Detect {
            nearest_m: nearest_m.map(|m| self.number(m, 0.5..=1000.0, "metres")),
            classes: classes.clone(),
            style: d.style,
            when_silent: d.when_silent,
            max_silence: self.ms(&d.max_silence_ms, 100..=60_000),
            cpu_share: self.number(&d.detector_cpu_percent, 1.0..=6400.0, "percent") / 100.0,
            sweep: self.ms(&d.sweep_ms, 100..=60_000),
        }
    }

    /// The zones of `camera`; of one that does not tell where it looks they are its picture's.
    pub(super) fn masks(&mut self, name: &Spanned<String>, camera: &str, turns: bool) -> Masks {
        let path = self.beside(name.get_ref());
        let before = self.problems.0.len();
        let max = u64::try_from(MAX_DOCUMENT_BYTES).unwrap_or(u64::MAX);
        let zones = read_text(&path, max, self.problems).and_then(|text| {
            match ZoneSet::parse(text.as_bytes(), camera) {
                Ok(zones) => Some(zones),
                Err(errors) => {
                    for e in &errors.errors {
                        self.problems.push(Problem {
                            file: path.clone(),
                            at: e.at,
                            what: placed(&e.path, &e.what),
                            remedy: e.remedy.clone(),
                        });
                    }
                    if errors.more > 0 {
                        let what = format!("{} more mistakes", errors.more);
                        self.problems
                            .push(Problem::in_file(&path, what, "mend these first"));
                    }
                    None
                }
            }
        });
        if let Some(zones) = &zones
            && !turns
            && zones.needs_pose()
        {
            self.problems.push(Problem::in_file(
                &path,
                "has zones on the sphere, but the camera has no profile and no telemetry",
                "draw image zones for a fixed camera, or configure the camera as one that turns",
            ));
        }
        self.usable(zones.map(Arc::new), before)
    }

    fn profile(
        &mut self,
        name: &Spanned<String>,
        kind: &TelemetryKind,
    ) -> Result<Arc<CameraProfile>, String> {
        let path = self.beside(name.get_ref());
        let before = self.problems.0.len();
        let profile = read_text(&path, super::MAX_BYTES, self.problems).and_then(|text| {
            match CameraProfile::from_toml(&text) {
                Ok(profile) => {
                    self.misfits(&path, &profile, kind);
                    Some(Arc::new(profile))
                }
                Err(error) => {
                    for f in error.faults {
                        let what = placed(&f.place, &f.problem);
                        self.problems.push(Problem::in_file(&path, what, f.remedy));
                    }
                    None
                }
            }
        });
        self.usable(profile, before)
    }

    /// The value, unless problems have come since `before`: then the first of them.
    fn usable<T>(&self, value: Option<T>, before: usize) -> Result<T, String> {
        match (value, self.problems.0.get(before)) {
            (Some(value), None) => Ok(value),
            (_, Some(p)) => Err(p.what.clone()),
            (None, None) => Err("could not be read".into()),
        }
    }

    pub(super) fn url(&mut self, url: &Spanned<String>, schemes: &[&str]) {
        let text = url.get_ref();
        if text.contains('@') {
            // Not quoted: a password must not reach a terminal or a log.
            self.unquoted(
                url,
                "the address carries credentials",
                "give `user` and `password_file` or `password_env` instead",
            );
            return;
        }
        let fits = schemes.iter().any(|s| {
            text.strip_prefix(s)
                .and_then(|r| r.strip_prefix("://"))
                .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        });
        if !fits {
            let remedy = format!("write {}://HOST[:PORT]/PATH", schemes[0]);
            self.at(url, "is no address", &remedy);
        }
    }

    pub(super) fn login(
        &mut self,
        user: Option<&Spanned<String>>,
        file: Option<&Spanned<String>>,
        env: Option<&Spanned<String>>,
    ) -> Option<Account> {
        match (user, file.or(env)) {
            (Some(user), _) => self.account(user, file, env),
            (None, Some(password)) => {
                self.at(password, "gives a password without a user", "add `user`");
                None
            }
            (None, None) => None,
        }
    }

    pub(super) fn account(
        &mut self,
        user: &Spanned<String>,
        file: Option<&Spanned<String>>,
        env: Option<&Spanned<String>>,
    ) -> Option<Account> {
        if !self.user_name(user) {
            return None;
        }
        let password = match (file, env) {
            (Some(file), None) => self.secret_text(file)?,
            (None, Some(env)) => match std::env::var(env.get_ref()) {
                Ok(password) => password,
                Err(VarError::NotPresent) => {
                    self.at(env, "is not set", "set it before the start");
                    return None;
                }
                Err(VarError::NotUnicode(_)) => {
                    self.at(env, "is not UTF-8", "write the password in UTF-8");
                    return None;
                }
            },
            _ => {
                self.at(
                    user,
                    "needs exactly one of `password_file` and `password_env`",
                    "passwords never stand in the configuration",
                );
                return None;
            }
        };
        let password = password.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            self.at(
                user,
                "has an empty password",
                "write a password into the file or variable",
            );
            return None;
        }
        Some(Account {
            user: user.get_ref().clone(),
            password: Secret::new(password),
        })
    }

    fn secret_text(&mut self, file: &Spanned<String>) -> Option<String> {
        let path = self.beside(file.get_ref());
        read_text(&path, 64 * 1024, self.problems)
    }

    /// What stands in a file of its own, without the line's end.
    pub(super) fn secret(&mut self, file: &Spanned<String>) -> Option<Secret> {
        let text = self.secret_text(file)?;
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            self.at(file, "is empty", "write the secret into it");
            return None;
        }
        Some(Secret::new(text))
    }

    /// Whether it is one; otherwise it is noted as a mistake.
    pub(super) fn user_name(&mut self, user: &Spanned<String>) -> bool {
        let fit = !user.get_ref().is_empty() && !user.get_ref().contains([':', '"', '\n']);
        if !fit {
            self.at(
                user,
                "is no user name",
                "leave out colons, quotes and line ends",
            );
        }
        fit
    }

    pub(super) fn address(&mut self, text: &Spanned<String>) -> Option<SocketAddr> {
        let parsed = text.get_ref().parse().ok();
        if parsed.is_none() {
            self.at(
                text,
                "is no address",
                "write IP:PORT, for example 127.0.0.1:8554",
            );
        }
        parsed
    }

    pub(super) fn ms(&mut self, value: &Spanned<u64>, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.number(value, range, "ms"))
    }

    /// The value; outside `range` (or NaN) it is noted as a mistake.
    pub(super) fn number<T: Copy + PartialOrd + std::fmt::Display>(
        &mut self,
        value: &Spanned<T>,
        range: RangeInclusive<T>,
        unit: &str,
    ) -> T {
        if !range.contains(value.get_ref()) {
            let remedy = format!("choose {} to {} {unit}", range.start(), range.end());
            self.at(value, "is out of range", &remedy);
        }
        *value.get_ref()
    }

    /// A model's name as it is, its file as seen from the configuration.
    fn model(&self, name: String) -> String {
        if Path::new(&name).extension().is_some() {
            self.beside(&name).to_string_lossy().into_owned()
        } else {
            name
        }
    }

    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(name)
    }

    /// How many mistakes were noted so far.
    pub(super) fn problems(&self) -> usize {
        self.problems.0.len()
    }

    /// Notes a mistake at `value`, quoted as it stands in the file.
    pub(super) fn at<T>(&mut self, value: &Spanned<T>, what: &str, remedy: &str) {
        let quoted = self.text.get(value.span()).unwrap_or("");
        let what = format!("{quoted} {what}");
        self.unquoted(value, what.trim(), remedy);
    }

    /// Notes a mistake at `value` without quoting it.
    pub(super) fn unquoted<T>(&mut self, value: &Spanned<T>, what: &str, remedy: &str) {
        let problem = Problem::at_span(self.path, self.text, &value.span(), what, remedy);
        self.problems.push(problem);
    }
}

/// `what`, led by its place in a document where one is known.
pub(super) fn placed(place: &str, what: &str) -> String {
    if place.is_empty() {
        what.to_owned()
    } else {
        format!("{place}: {what}")
    }
}
