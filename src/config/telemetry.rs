//! `[camera.telemetry]`: which keys belong to which kind of source, and whether the
//! camera's profile maps what that kind reports.

use super::document;
use super::problem::Problem;
use super::read_text;
use super::types::{Telemetry, TelemetryKind, Untimed};
use super::validate::{Validator, placed};
use crate::pose::CameraProfile;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use toml::Spanned;

impl Validator<'_> {
    pub(super) fn telemetry(&mut self, t: &document::Telemetry) -> Telemetry {
        let kind = self.telemetry_kind(t);
        let visca = matches!(kind, TelemetryKind::Visca(_));
        let schemes: &[&str] = if visca {
            &["visca"]
        } else {
            &["http", "https"]
        };
        self.url(&t.device_url, schemes);
        if !matches!(kind, TelemetryKind::Onvif { .. }) {
            self.host_alone(&t.device_url);
        }
        let (user, file, env) = (&t.user, &t.password_file, &t.password_env);
        if let (true, Some(key)) = (visca, user.as_ref().or(file.as_ref()).or(env.as_ref())) {
            self.at(
                key,
                "is of no use: VISCA knows no accounts",
                "leave it out, and let nobody but the gateway reach the camera's UDP port",
            );
        }
        let login = self.login(user.as_ref(), file.as_ref(), env.as_ref());
        Telemetry {
            ca_pem: t.ca_file.as_ref().and_then(|f| self.ca(f, &t.device_url)),
            kind,
            device_url: t.device_url.get_ref().clone(),
            login,
            check_picture: t.check_picture,
            metadata: t.metadata.as_ref().is_some_and(|m| *m.get_ref()),
            rate_hz: self.number(&t.rate_hz, 0.2..=100.0, "Hz"),
            timeout: self.ms(&t.timeout_ms, 50..=30_000),
        }
    }

    fn telemetry_kind(&mut self, t: &document::Telemetry) -> TelemetryKind {
        let kind = t.kind.get_ref().as_str();
        let untimed = |v: &mut Self| Untimed {
            channel: t.channel.as_ref().map_or(1, |c| v.number(c, 1..=256, "")),
            age: match &t.position_age_ms {
                Some(ms) => v.ms(ms, 0..=300),
                None => {
                    v.at(
                        &t.kind,
                        "does not say how old its positions are",
                        "measure it and write it as position_age_ms (0 where the camera reads its motors for every answer)",
                    );
                    Duration::ZERO
                }
            },
            clock_within: t.clock_within_ms.as_ref().map(|ms| v.ms(ms, 1..=100)),
            kernel_keeps_clock: t.kernel_keeps_clock.as_ref().is_none_or(|k| *k.get_ref()),
        };
        let found = match kind {
            "vapix" => TelemetryKind::Vapix(untimed(self)),
            "isapi" => TelemetryKind::Isapi(untimed(self)),
            "visca" => {
                if t.clock_within_ms.is_none() {
                    self.at(
                        &t.kind,
                        "tells no time, so nothing says when the camera stood there",
                        "keep camera and gateway on NTP, and write with clock_within_ms how far their clocks may be apart",
                    );
                }
                TelemetryKind::Visca(untimed(self))
            }
            other => {
                if other != "onvif" {
                    self.at(
                        &t.kind,
                        "is no kind of telemetry",
                        "choose \"onvif\", \"vapix\", \"isapi\" or \"visca\"",
                    );
                }
                let profile_token = t.profile_token.as_ref().map(|p| p.get_ref().clone());
                TelemetryKind::Onvif { profile_token }
            }
        };
        let onvif = matches!(found, TelemetryKind::Onvif { .. });
        if let (true, Some(key)) = (!onvif && t.clock_within_ms.is_none(), &t.kernel_keeps_clock) {
            self.at(
                key,
                "is of no use: this machine's clock is not asked for",
                "leave it out, or write clock_within_ms",
            );
        }
        let visca = matches!(found, TelemetryKind::Visca(_));
        self.no_use(onvif, kind, &t.clock_within_ms, "clock_within_ms");
        self.no_use(onvif, kind, &t.kernel_keeps_clock, "kernel_keeps_clock");
        self.no_use(onvif, kind, &t.position_age_ms, "position_age_ms");
        self.no_use(onvif || visca, kind, &t.channel, "channel");
        self.no_use(!onvif, kind, &t.profile_token, "profile_token");
        self.no_use(!onvif, kind, &t.metadata, "metadata");
        found
    }

    /// Refuses a key that the kind would pass over.
    fn no_use<T>(&mut self, unused: bool, kind: &str, value: &Option<Spanned<T>>, key: &str) {
        if let (true, Some(value)) = (unused, value) {
            let what = format!("is of no use: kind \"{kind}\" has no {key}");
            self.at(value, &what, "leave it out");
        }
    }

    /// A device whose paths are known is named by its host.
    fn host_alone(&mut self, url: &Spanned<String>) {
        let text = url.get_ref();
        let rest = text.split_once("://").map_or("", |(_, rest)| rest);
        if !text.contains('@') && rest.trim_end_matches('/').contains(['/', '?', '#']) {
            self.at(
                url,
                "names a path",
                "write SCHEME://HOST[:PORT] alone: this kind knows the path",
            );
        }
    }

    fn ca(&mut self, file: &Spanned<String>, url: &Spanned<String>) -> Option<Arc<str>> {
        if !url.get_ref().starts_with("https://") {
            self.at(
                file,
                "is of no use: device_url is not https",
                "ask over https, or leave it out",
            );
            return None;
        }
        self.roots(file)
    }

    /// The certificates in `file`, if they can be trusted in place of the machine's.
    pub(super) fn roots(&mut self, file: &Spanned<String>) -> Option<Arc<str>> {
        let path = self.beside(file.get_ref());
        let pem = read_text(&path, super::MAX_BYTES, self.problems)?;
        if let Err((what, remedy)) = certificates(&pem) {
            self.problems.push(Problem::in_file(&path, what, remedy));
            return None;
        }
        Some(pem.into())
    }

    /// What of the profile does not fit what `kind` reports.
    pub(super) fn misfits(&mut self, path: &Path, profile: &CameraProfile, kind: &TelemetryKind) {
        for fault in profile.misfits(kind.units()) {
            let what = placed(&fault.place, &fault.problem);
            self.problems
                .push(Problem::in_file(path, what, fault.remedy));
        }
    }
}

#[cfg(feature = "gateway")]
fn certificates(pem: &str) -> Result<(), (String, String)> {
    crate::device_http::check_roots(pem).map_err(|e| {
        let remedy = "give PEM certificates of the CA that signed its own";
        (e.problem(), remedy.to_owned())
    })
}

/// Without the gateway nobody is asked.
#[cfg(not(feature = "gateway"))]
fn certificates(_: &str) -> Result<(), (String, String)> {
    Ok(())
}
