//! `[[camera.publish]]`: which keys belong to which protocol, and what may leave this
//! machine how.

use super::document;
use super::types::{Publication, PublishOver};
use super::validate::Validator;
use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::Spanned;

/// What libsrt takes.
const PASSPHRASE_BYTES: RangeInclusive<usize> = 10..=79;
/// What SRT takes where nobody says otherwise, ms.
const SRT_LATENCY_MS: u64 = 120;

impl Validator<'_> {
    /// Those that can be used; the mistakes in the others are noted.
    pub(super) fn publications(&mut self, all: &[document::Publish]) -> Vec<Publication> {
        let (mut names, mut urls) = (HashSet::new(), HashSet::new());
        let mut usable = Vec::new();
        for p in all {
            let name = p.name.get_ref();
            let plain = |ch: char| ch.is_ascii_alphanumeric() || ch == '-' || ch == '_';
            if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
                self.at(
                    &p.name,
                    "is no name for a publication",
                    "use 1 to 64 letters, digits, `-` and `_`",
                );
            } else if !names.insert(name) {
                // Where the name is left out, only the address has a place.
                self.at(
                    &p.url,
                    "belongs to a second publication of one name",
                    "give every publication of a camera a `name` of its own",
                );
            }
            if !urls.insert(p.url.get_ref()) {
                self.at(
                    &p.url,
                    "is published to twice",
                    "leave one of them out: the second would push the first out",
                );
            }
            usable.extend(self.publication(p));
        }
        usable
    }

    fn publication(&mut self, p: &document::Publish) -> Option<Publication> {
        let before = self.problems();
        self.url(&p.url, &["rtsps", "rtsp", "srt"]);
        if self.problems() > before {
            return None;
        }
        let url = p.url.get_ref();
        let (scheme, rest) = url.split_once("://")?;
        let login = self.login(
            p.user.as_ref(),
            p.password_file.as_ref(),
            p.password_env.as_ref(),
        );
        let ca_file = p.ca_file.as_ref().map(|file| {
            if scheme != "rtsps" {
                self.at(
                    file,
                    "is of no use: the address is not rtsps",
                    "publish over rtsps, or leave it out",
                );
            }
            self.roots(file);
            self.beside(file.get_ref())
        });
        let latency = (p.latency_ms.as_ref()).map(|ms| self.ms(ms, 20..=10_000));
        let passphrase = p.passphrase_file.as_ref().and_then(|file| {
            let secret = self.secret(file)?;
            if !PASSPHRASE_BYTES.contains(&secret.reveal().len()) {
                self.at(
                    file,
                    "holds no passphrase for SRT",
                    "write 10 to 79 characters into it",
                );
            }
            Some(secret)
        });
        let over = if scheme == "srt" {
            self.srt_url(&p.url, login.is_some());
            PublishOver::Srt {
                login,
                passphrase,
                latency: latency.unwrap_or(Duration::from_millis(SRT_LATENCY_MS)),
            }
        } else {
            self.only_of_srt(p.passphrase_file.as_ref(), "passphrase_file");
            self.only_of_srt(p.latency_ms.as_ref(), "latency_ms");
            PublishOver::Rtsp { login, ca_file }
        };
        let clear = match &over {
            PublishOver::Rtsp { .. } => scheme == "rtsp",
            PublishOver::Srt { .. } => p.passphrase_file.is_none(),
        };
        let beyond_in_clear = clear && !is_this_machine(rest);
        let remedy = match &over {
            PublishOver::Rtsp { .. } => "write rtsps://, or set `allow_clear = true`",
            PublishOver::Srt { .. } => "give a `passphrase_file`, or set `allow_clear = true`",
        };
        if beyond_in_clear && !*p.allow_clear.get_ref() {
            let remedy =
                format!("{remedy} where the server can do no better and the network is yours");
            self.at(
                &p.url,
                "publishes beyond this machine in the clear",
                &remedy,
            );
        }
        if !clear && *p.allow_clear.get_ref() {
            self.at(
                &p.allow_clear,
                "is of no use: nothing goes out in the clear",
                "leave it out",
            );
        }
        (self.problems() == before).then(|| Publication {
            name: p.name.get_ref().clone(),
            url: url.clone(),
            over,
            beyond_in_clear,
        })
    }

    fn only_of_srt<T>(&mut self, value: Option<&Spanned<T>>, key: &str) {
        if let Some(value) = value {
            let what = format!("is of no use: RTSP has no {key}");
            self.at(value, &what, "leave it out");
        }
    }

    /// Of an SRT address only the server and the stream's id: what else could stand
    /// there has a key of its own here, or lets the server call us.
    fn srt_url(&mut self, url: &Spanned<String>, login: bool) {
        let (place, query) = url.get_ref().split_once('?').unwrap_or((url.get_ref(), ""));
        let port = place
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok());
        let keys: Vec<&str> = query
            .split('&')
            .filter(|part| !part.is_empty())
            .map(|part| part.split('=').next().unwrap_or(part))
            .collect();
        if port.is_none() {
            self.at(
                url,
                "names no port",
                "write srt://HOST:PORT?streamid=…, as for MediaMTX srt://HOST:8890?streamid=publish:PATH",
            );
        } else if keys.iter().any(|key| *key != "streamid") {
            // Not quoted: there may be a passphrase in it.
            self.unquoted(
                url,
                "the address has more in it than a `streamid`",
                "use `passphrase_file` and `latency_ms`",
            );
        } else if login && keys.is_empty() {
            self.at(
                url,
                "has no `streamid` that name and password could follow",
                "add ?streamid=publish:PATH, or leave `user` out",
            );
        }
    }
}

/// Whether what follows a scheme is an address of this machine's own.
pub(super) fn is_this_machine(rest: &str) -> bool {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
