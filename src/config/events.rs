//! `[events]`: which message buses are told, how they are reached, and that nothing
//! goes beyond this machine in the clear unless somebody said so.

use super::document;
use super::publish::is_this_machine;
use super::types::{EventServer, Events, Login, MqttBus, NatsBus};
use super::validate::Validator;
use toml::Spanned;

/// Where Home Assistant looks unless it was told otherwise.
const HOME_ASSISTANT: &str = "homeassistant";
/// No prefix is longer, characters.
const LONGEST_PREFIX: usize = 200;

/// The schemes of a bus and their ports: over TLS, and in the clear.
struct Schemes {
    tls: (&'static str, u16),
    clear: (&'static str, u16),
}

const MQTT: Schemes = Schemes {
    tls: ("mqtts", 8883),
    clear: ("mqtt", 1883),
};
const NATS: Schemes = Schemes {
    tls: ("tls", 4222),
    clear: ("nats", 4222),
};

impl Validator<'_> {
    /// None where something is wrong; it is noted.
    pub(super) fn events(&mut self, e: &document::Events) -> Option<Events> {
        let before = self.problems();
        let mqtt = e.mqtt.as_ref().map(|m| self.mqtt(m));
        let nats = e.nats.as_ref().map(|n| self.nats(n));
        (self.problems() == before).then_some(Events {
            mqtt: mqtt.flatten(),
            nats: nats.flatten(),
        })
    }

    fn mqtt(&mut self, m: &document::Mqtt) -> Option<MqttBus> {
        let login = self.login(
            m.user.as_ref(),
            m.password_file.as_ref(),
            m.password_env.as_ref(),
        );
        self.prefix(&m.topic, '/', "a topic");
        if let Some(prefix) = &m.discovery_prefix {
            self.prefix(prefix, '/', "a topic");
            if !m.home_assistant {
                self.at(
                    prefix,
                    "is of no use: Home Assistant is not told",
                    "set `home_assistant = true`, or leave it out",
                );
            }
        }
        let discovery = m.discovery_prefix.as_ref();
        let discovery = discovery.map_or(HOME_ASSISTANT, |prefix| prefix.get_ref());
        Some(MqttBus {
            server: self.event_server(&m.url, &MQTT, login, m.ca_file.as_ref(), &m.allow_clear)?,
            topic: m.topic.get_ref().clone(),
            discovery: m.home_assistant.then(|| discovery.to_owned()),
        })
    }

    fn nats(&mut self, n: &document::Nats) -> Option<NatsBus> {
        let login = self.login(
            n.user.as_ref(),
            n.password_file.as_ref(),
            n.password_env.as_ref(),
        );
        if let (Some(file), true) = (&n.token_file, n.user.is_some()) {
            self.at(
                file,
                "is one login too many: there is a `user`",
                "give either a token, or user and password",
            );
        }
        let token = n.token_file.as_ref().and_then(|file| self.secret(file));
        self.prefix(&n.subject, '.', "a subject");
        Some(NatsBus {
            server: self.event_server(&n.url, &NATS, login, n.ca_file.as_ref(), &n.allow_clear)?,
            token,
            subject: n.subject.get_ref().clone(),
        })
    }

    /// What topics or subjects begin with: no wildcards, nothing of the server's own.
    fn prefix(&mut self, prefix: &Spanned<String>, between: char, what: &str) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let text = prefix.get_ref();
        let mut levels = text.split(between);
        if text.len() > LONGEST_PREFIX || !levels.all(|l| !l.is_empty() && l.chars().all(plain)) {
            self.at(
                prefix,
                &format!("is no beginning of {what}"),
                &format!("use letters, digits, `-` and `_`, with `{between}` between levels"),
            );
        }
    }

    fn event_server(
        &mut self,
        url: &Spanned<String>,
        schemes: &Schemes,
        login: Option<Login>,
        ca_file: Option<&Spanned<String>>,
        allow_clear: &Spanned<bool>,
    ) -> Option<EventServer> {
        let before = self.problems();
        self.url(url, &[schemes.tls.0, schemes.clear.0]);
        if self.problems() > before {
            return None;
        }
        let (scheme, rest) = url.get_ref().split_once("://")?;
        let tls = scheme == schemes.tls.0;
        let usual = if tls { schemes.tls.1 } else { schemes.clear.1 };
        let Some((host, port)) = host_and_port(rest, usual) else {
            let remedy = format!(
                "write {}://HOST[:PORT], and nothing behind it",
                schemes.tls.0
            );
            self.at(url, "is no address", &remedy);
            return None;
        };
        let ca_file = ca_file.map(|file| {
            if !tls {
                let remedy = format!("write {}://, or leave it out", schemes.tls.0);
                self.at(file, "is of no use: there is no TLS", &remedy);
            }
            self.roots(file);
            self.beside(file.get_ref())
        });
        let beyond_in_clear = !tls && !is_this_machine(rest);
        if beyond_in_clear && !*allow_clear.get_ref() {
            let remedy = format!(
                "write {}://, or set `allow_clear = true` where the server can do no better and \
                 the network is yours",
                schemes.tls.0
            );
            self.at(
                url,
                "takes events beyond this machine in the clear",
                &remedy,
            );
        }
        if tls && *allow_clear.get_ref() {
            self.at(
                allow_clear,
                "is of no use: nothing goes out in the clear",
                "leave it out",
            );
        }
        Some(EventServer {
            host,
            port,
            tls,
            ca_file,
            login,
            beyond_in_clear,
        })
    }
}

/// `HOST[:PORT]`, an IPv6 address in brackets; a slash may end it.
pub(super) fn host_and_port(rest: &str, usual: u16) -> Option<(String, u16)> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[') {
        Some(v6) => {
            let (host, port) = v6.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, port)
        }
        None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    // What ends in a number is an address, or nothing.
    let last = host.rsplit('.').next().unwrap_or_default();
    let numbers = !last.is_empty() && last.chars().all(|c| c.is_ascii_digit());
    let wrong = numbers && host.parse::<std::net::Ipv4Addr>().is_err() && !rest.starts_with('[');
    if host.is_empty() || wrong || !host.chars().all(plain) {
        return None;
    }
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port != 0)?,
        None if port.is_empty() => usual,
        None => return None,
    };
    Some((host.to_owned(), port))
}
