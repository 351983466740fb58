//! The camera's other HTTP services: position as Axis' VAPIX and Hikvision's ISAPI tell
//! it, behind HTTP Digest, with the camera's time to the second in `Date`.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use md5::{Digest, Md5};

use super::camera::{Camera, lock};
use super::faults::UtcFault;
use super::reports::{Reports, numbers};

/// The services of one camera.
#[derive(Debug)]
pub(crate) struct Devices {
    camera: Arc<Camera>,
    gate: Option<Mutex<Gate>>,
}

impl Devices {
    pub(crate) fn new(camera: &Arc<Camera>) -> Self {
        let config = &camera.config;
        let gate = match (&config.user, &config.password) {
            (Some(user), Some(password)) => Some(Mutex::new(Gate::new(user, password))),
            _ => None,
        };
        Self {
            camera: Arc::clone(camera),
            gate,
        }
    }

    /// The routes.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/axis-cgi/com/ptz.cgi", get(vapix))
            .route("/ISAPI/PTZCtrl/channels/1/status", get(isapi))
            .with_state(Arc::new(self))
    }

    /// What `write` makes of the position, once the asker was let in.
    async fn answer(
        &self,
        (method, uri, headers): (&Method, &Uri, &HeaderMap),
        kind: &'static str,
        reports: Reports,
        write: fn([Option<f64>; 3]) -> String,
    ) -> Response {
        if self.camera.is_booting() {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        if let Some(gate) = &self.gate {
            let asked = headers.get(header::AUTHORIZATION);
            let asked = asked.and_then(|v| v.to_str().ok()).unwrap_or_default();
            let mut gate = lock(gate);
            if !gate.lets_in(method.as_str(), &uri.to_string(), asked) {
                let challenge = gate.challenge();
                return (
                    StatusCode::UNAUTHORIZED,
                    [(header::WWW_AUTHENTICATE, challenge)],
                )
                    .into_response();
            }
        }
        let Some(measured) = self.camera.measure() else {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        };
        let faults = self.camera.faults();
        let date = match faults.utc {
            UtcFault::Missing => "none".to_owned(),
            UtcFault::No | UtcFault::WholeSeconds => {
                http_date(self.camera.utc_at(self.camera.now_ns()).0)
            }
        };
        match self.camera.answer_delay_ms() {
            Some(ms) => tokio::time::sleep(Duration::from_secs_f64(ms / 1000.0)).await,
            // Lost: the client's patience ends first.
            None => std::future::pending::<()>().await,
        }
        let body = write(numbers(
            &self.camera.config,
            reports,
            &measured,
            faults.position,
        ));
        let heads = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::DATE, date),
        ];
        (heads, body).into_response()
    }
}

/// A `Date` header (RFC 9110, 5.6.7).
fn http_date(utc_ns: i64) -> String {
    let format = time::format_description::well_known::Rfc2822;
    let written = time::OffsetDateTime::from_unix_timestamp(utc_ns.div_euclid(1_000_000_000))
        .ok()
        .and_then(|t| t.format(&format).ok());
    // Mail writes the zone as a number, HTTP as a word.
    written.unwrap_or_default().replace("+0000", "GMT")
}

#[derive(serde::Deserialize)]
struct Asked {
    query: Option<String>,
}

async fn vapix(
    State(devices): State<Arc<Devices>>,
    Query(asked): Query<Asked>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if asked.query.as_deref() != Some("position") {
        return "Error: unknown query".into_response();
    }
    let asked = (&method, &uri, &headers);
    let write = |[pan, tilt, zoom]: [Option<f64>; 3]| {
        let line = |name: &str, value: Option<f64>, digits: usize| {
            value.map_or_else(String::new, |v| format!("{name}={v:.digits$}\r\n"))
        };
        [
            line("pan", pan, 4),
            line("tilt", tilt, 4),
            line("zoom", zoom, 0),
            "autofocus=on\r\nautoiris=on\r\n".to_owned(),
        ]
        .concat()
    };
    devices
        .answer(asked, "text/plain", Reports::Vapix, write)
        .await
}

async fn isapi(
    State(devices): State<Arc<Devices>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let asked = (&method, &uri, &headers);
    let write = |[azimuth, elevation, zoom]: [Option<f64>; 3]| {
        let element = |name: &str, value: Option<f64>| {
            value.map_or_else(String::new, |v| format!("<{name}>{v:.0}</{name}>"))
        };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PTZStatus version=\"2.0\" xmlns=\"http://www.hikvision.com/ver20/XMLSchema\"><AbsoluteHigh>{}{}{}</AbsoluteHigh></PTZStatus>\n",
            element("elevation", elevation),
            element("azimuth", azimuth),
            element("absoluteZoom", zoom),
        )
    };
    devices
        .answer(asked, "application/xml", Reports::Isapi, write)
        .await
}

/// HTTP Digest with MD5 and `qop=auth` (RFC 7616), as cameras still ask for it.
#[derive(Debug)]
struct Gate {
    user: String,
    password: String,
    /// Nonces that were given out, oldest first, and the counts that were used with each.
    given: VecDeque<(String, BTreeSet<u32>)>,
}

const REALM: &str = "greyplane sim";
/// A nonce is good for so many questions.
const MOST_COUNTS: usize = 1000;
/// So many are known at a time; whoever has an older one is given another.
const MOST_NONCES: usize = 64;

impl Gate {
    fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            given: VecDeque::new(),
        }
    }

    fn challenge(&mut self) -> String {
        let nonce = hex::encode(rand::random::<[u8; 16]>());
        let challenge =
            format!("Digest realm=\"{REALM}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"");
        self.give(nonce);
        challenge
    }

    fn give(&mut self, nonce: String) {
        self.given.push_back((nonce, BTreeSet::new()));
        while self.given.len() > MOST_NONCES {
            self.given.pop_front();
        }
    }

    fn lets_in(&mut self, method: &str, uri: &str, header: &str) -> bool {
        let Some(fields) = header.strip_prefix("Digest ") else {
            return false;
        };
        let field = |name: &str| {
            fields.split(',').find_map(|f| {
                let (key, value) = f.trim().split_once('=')?;
                (key.trim() == name).then(|| value.trim().trim_matches('"'))
            })
        };
        let (Some(nonce), Some(nc), Some(cnonce), Some(response)) = (
            field("nonce"),
            field("nc"),
            field("cnonce"),
            field("response"),
        ) else {
            return false;
        };
        let known = field("username") == Some(self.user.as_str())
            && field("uri") == Some(uri)
            && field("qop") == Some("auth");
        let ha1 = md5(&format!("{}:{REALM}:{}", self.user, self.password));
        let ha2 = md5(&format!("{method}:{uri}"));
        let right = md5(&format!("{ha1}:{nonce}:{nc}:{cnonce}:auth:{ha2}"));
        if !known || right != response {
            return false;
        }
        let used = self.given.iter_mut().find(|(given, _)| given == nonce);
        let (Some((_, used)), Ok(count)) = (used, u32::from_str_radix(nc, 16)) else {
            return false;
        };
        // A count that was used is a message that somebody sends again.
        used.len() < MOST_COUNTS && used.insert(count)
    }
}

fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_let_in_once_and_only_when_right() {
        let mut gate = Gate::new("Mufasa", "Circle Of Life");
        gate.give("dcd98b7102dd2f0e8b11d0f600bfb0c093".to_owned());
        let uri = "/dir/index.html";
        let ha1 = md5("Mufasa:greyplane sim:Circle Of Life");
        let ha2 = md5("GET:/dir/index.html");
        let header = |nc: &str, ha1: &str| {
            let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
            let response = md5(&format!("{ha1}:{nonce}:{nc}:0a4f113b:auth:{ha2}"));
            format!(
                "Digest username=\"Mufasa\", realm=\"{REALM}\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, nc={nc}, cnonce=\"0a4f113b\", response=\"{response}\""
            )
        };
        assert!(gate.lets_in("GET", uri, &header("00000001", &ha1)));
        assert!(
            !gate.lets_in("GET", uri, &header("00000001", &ha1)),
            "again"
        );
        assert!(gate.lets_in("GET", uri, &header("00000002", &ha1)));
        assert!(!gate.lets_in("POST", uri, &header("00000003", &ha1)));
        assert!(!gate.lets_in("GET", "/other", &header("00000004", &ha1)));
        let wrong = md5("Mufasa:greyplane sim:Circle");
        assert!(!gate.lets_in("GET", uri, &header("00000005", &wrong)));
        assert!(!gate.lets_in("GET", uri, "Basic TXVmYXNhOg=="));
        (0..MOST_NONCES).for_each(|_| drop(gate.challenge()));
        let forgotten = header("00000006", &ha1);
        assert!(!gate.lets_in("GET", uri, &forgotten), "a nonce of long ago");
    }

    #[test]
    fn dates_are_written_as_http_wants_them() {
        let written = http_date(784_111_777_900_000_000);
        assert_eq!(written, "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
