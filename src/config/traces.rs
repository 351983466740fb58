//! `[traces]`: which collector is told, how it is reached, and that nothing goes beyond this
//! machine in the clear unless somebody said so.

use super::Secret;
use super::document;
use super::events::host_and_port;
use super::publish::is_this_machine;
use super::types::Traces;
use super::validate::Validator;
use std::time::Duration;
use toml::Spanned;

/// More than this no collector asks for.
const HEADERS_AT_MOST: usize = 16;
/// Those that say how a request is made are ours.
const OURS: [&str; 7] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];

impl Validator<'_> {
    /// None where something is wrong; it is noted.
    pub(super) fn traces(&mut self, t: &document::Traces) -> Option<Traces> {
        let before = self.problems();
        let tls = self.collector(&t.endpoint);
        let headers = t.headers_file.as_ref().map(|file| self.headers(file));
        let ca_pem = t.ca_file.as_ref().and_then(|file| {
            if tls == Some(false) {
                let remedy = "write https://, or leave it out";
                self.at(file, "is of no use: there is no TLS", remedy);
                return None;
            }
            self.roots(file)
        });
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        if let Some(instance) = &t.instance
            && !((1..=64).contains(&instance.get_ref().len())
                && instance.get_ref().chars().all(plain))
        {
            let remedy = "use 1 to 64 letters, digits, `-`, `_` and `.`";
            self.at(instance, "is no name for a gateway", remedy);
        }
        let frame_every = self.number(&t.frame_every_s, 0..=3600, "seconds");
        let endpoint = t.endpoint.get_ref();
        let rest = endpoint.split_once("://").map_or("", |(_, rest)| rest);
        let beyond_in_clear = tls == Some(false) && !is_this_machine(rest);
        if beyond_in_clear && !*t.allow_clear.get_ref() {
            self.at(
                &t.endpoint,
                "takes traces beyond this machine in the clear",
                "write https://, or set `allow_clear = true` where the collector can do no better \
                 and the network is yours",
            );
        }
        if tls == Some(true) && *t.allow_clear.get_ref() {
            self.at(
                &t.allow_clear,
                "is of no use: nothing goes out in the clear",
                "leave it out",
            );
        }
        (self.problems() == before).then(|| Traces {
            endpoint: endpoint.clone(),
            ca_pem,
            headers: headers.flatten().unwrap_or_default(),
            instance: t.instance.as_ref().map(|name| name.get_ref().clone()),
            frame_every: (frame_every > 0).then(|| Duration::from_secs(frame_every)),
            beyond_in_clear,
        })
    }

    /// Whether it is reached over TLS; none where it is no address.
    fn collector(&mut self, endpoint: &Spanned<String>) -> Option<bool> {
        let before = self.problems();
        self.url(endpoint, &["https", "http"]);
        if self.problems() > before {
            return None;
        }
        let (scheme, rest) = endpoint.get_ref().split_once("://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if rest.contains(['?', '#']) {
            // Not quoted: there may be a token in it.
            self.unquoted(
                endpoint,
                "the address has more in it than a path",
                "give what the collector knows you by in `headers_file`",
            );
            return None;
        }
        if host_and_port(authority, 443).is_none() || path.len() < 2 {
            let remedy = "write https://HOST[:PORT]/v1/traces: the whole path that takes traces";
            self.at(endpoint, "is no address of a collector", remedy);
            return None;
        }
        Some(scheme == "https")
    }

    /// Lines of `Name: value`; none where one is none. Nothing of them is quoted.
    fn headers(&mut self, file: &Spanned<String>) -> Option<Vec<(String, Secret)>> {
        let text = self.secret(file)?;
        let lines = text.reveal().lines().map(str::trim);
        let mut headers: Vec<(String, Secret)> = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap_or_default();
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
            let good = !name.is_empty()
                && name.chars().all(token)
                && !value.is_empty()
                && value.chars().all(|c| c.is_ascii_graphic() || c == ' ');
            if !good {
                let remedy = "write lines as `Authorization: Bearer …`, in ASCII";
                self.at(file, "holds a line that is no header", remedy);
                return None;
            }
            if OURS.contains(&name.as_str()) || headers.iter().any(|(n, _)| *n == name) {
                let what = format!("holds `{name}`, which is ours to say, or twice in it");
                self.at(file, &what, "leave that line out");
                return None;
            }
            headers.push((name, Secret::new(value)));
        }
        if headers.len() > HEADERS_AT_MOST {
            let remedy = format!("leave out those that nobody needs: at most {HEADERS_AT_MOST}");
            self.at(file, "holds too many headers", &remedy);
            return None;
        }
        Some(headers)
    }
}
