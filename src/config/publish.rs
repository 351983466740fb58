//! `[[camera.publish]]`: which keys belong to which protocol, and what may leave this
//! machine how.

use super::document;
use super::types::{Publication, PublishOver};
use super::validate::Validator;
use crate::secret::Secret;
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
        self.url(&p.url, &["rtsps", "rtsp", "srt", "https", "http"]);
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
            if !["rtsps", "https"].contains(&scheme) {
                self.at(
                    file,
                    "is of no use: the address is not rtsps or https",
                    "publish over one of them, or leave it out",
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
        let token = p.token_file.as_ref().and_then(|file| self.token(file));
        let over = match scheme {
            "srt" => {
                self.srt_url(&p.url, login.is_some());
                self.not_of("SRT", p.token_file.as_ref(), "token_file");
                PublishOver::Srt {
                    login,
                    passphrase,
                    latency: latency.unwrap_or(Duration::from_millis(SRT_LATENCY_MS)),
                }
            }
            "https" | "http" => {
                self.not_of("WHIP", p.user.as_ref(), "user, but a `token_file`");
                self.not_of("WHIP", p.passphrase_file.as_ref(), "passphrase_file");
                self.not_of("WHIP", p.latency_ms.as_ref(), "latency_ms");
                PublishOver::Whip { token, ca_file }
            }
            _ => {
                self.not_of("RTSP", p.token_file.as_ref(), "token_file");
                self.not_of("RTSP", p.passphrase_file.as_ref(), "passphrase_file");
                self.not_of("RTSP", p.latency_ms.as_ref(), "latency_ms");
                PublishOver::Rtsp { login, ca_file }
            }
        };
        let (clear, remedy) = match &over {
            PublishOver::Rtsp { .. } => (scheme == "rtsp", "write rtsps://"),
            PublishOver::Srt { .. } => (p.passphrase_file.is_none(), "give a `passphrase_file`"),
            PublishOver::Whip { .. } => (scheme == "http", "write https://"),
        };
        let beyond_in_clear = clear && !is_this_machine(rest);
        if beyond_in_clear && !*p.allow_clear.get_ref() {
            let remedy = format!(
                "{remedy}, or set `allow_clear = true` where the server can do no better and the \
                 network is yours"
            );
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

    fn not_of<T>(&mut self, protocol: &str, value: Option<&Spanned<T>>, key: &str) {
        if let Some(value) = value {
            let what = format!("is of no use: {protocol} has no {key}");
            self.at(value, &what, "leave it out");
        }
    }

    /// What can stand behind `Bearer` in a header (RFC 9110, 11.2, and what servers
    /// take beyond that).
    fn token(&mut self, file: &Spanned<String>) -> Option<Secret> {
        let token = self.secret(file)?;
        if !token.reveal().bytes().all(|b| b.is_ascii_graphic()) {
            self.at(
                file,
                "holds no token",
                "write it into the file as the server gave it: letters, digits and signs, no spaces",
            );
            return None;
        }
        Some(token)
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
