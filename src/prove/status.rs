//! The gateway's own word: its status page, read as any program would.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What the gateway says about one camera.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct CameraStatus {
    /// Its id.
    pub id: String,
    /// `live`, `widened`, `covered` or `no-signal`.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Arrival to encoder.
    pub latency_ms: Latency,
    /// The promise.
    pub budget_ms: f64,
    /// Frames that left after their budget.
    pub late_frames: u64,
    /// Frames that did not leave, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Seconds wholly covered, by reason.
    pub covered_s: BTreeMap<String, f64>,
    /// Who watches.
    pub viewers: u64,
    /// What its detectors reach, where it has any.
    #[serde(default)]
    pub detector: Option<serde_json::Value>,
}

/// A distribution of latencies, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, serde::Serialize)]
pub struct Latency {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}

#[derive(Deserialize)]
struct Page {
    cameras: Vec<CameraStatus>,
}

/// Why the status cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StatusError {
    /// The network.
    #[error("the gateway's status cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Not an address.
    #[error("`{0}` is not an address of a gateway")]
    Address(String),
    /// Not what it should be.
    #[error("the gateway's status is not understood: {0}")]
    Form(String),
}

/// Longest status page that is read.
const LONGEST: u64 = 4 << 20;

/// Reads `/api/v1/status` of the gateway at `base`, `http://HOST:PORT`.
///
/// # Errors
/// [`StatusError`].
pub(super) fn read(base: &str) -> Result<Vec<CameraStatus>, StatusError> {
    let host = base.trim_start_matches("http://").trim_end_matches('/');
    let address: SocketAddr = host
        .parse()
        .map_err(|_| StatusError::Address(base.to_owned()))?;
    let wait = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&address, wait)?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    // HTTP/1.0: the answer comes unchunked and ends with the connection.
    write!(
        stream,
        "GET /api/v1/status HTTP/1.0\r\nHost: {host}\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(LONGEST).read_to_end(&mut answer)?;
    parse(&String::from_utf8_lossy(&answer))
}

fn parse(answer: &str) -> Result<Vec<CameraStatus>, StatusError> {
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or_else(|| StatusError::Form("no HTTP answer".to_owned()))?;
    let first = head.lines().next().unwrap_or_default();
    if first.split(' ').nth(1) != Some("200") {
        return Err(StatusError::Form(first.to_owned()));
    }
    serde_json::from_str::<Page>(body)
        .map(|page| page.cameras)
        .map_err(|e| StatusError::Form(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_page_is_read_and_others_are_refused() {
        let page = r#"{"version":"0","cameras":[{"id":"a","state":"covered","reason":"starting",
            "fps_in":1.0,"latency_ms":{"p50":1.0,"p99":2.0,"max":3.5},"budget_ms":250,
            "late_frames":0,"dropped":{"late":2},"covered_s":{"starting":1.5},"live_s":2.0,
            "viewers":3}]}"#;
        let good = parse(&format!("HTTP/1.0 200 OK\r\nA: b\r\n\r\n{page}")).unwrap();
        assert_eq!(good[0].covered_s["starting"], 1.5);
        assert_eq!(good[0].latency_ms.max, 3.5);
        for bad in [
            String::new(),
            format!("HTTP/1.0 404 Not Found\r\n\r\n{page}"),
            "HTTP/1.0 200 OK\r\n\r\n{}".to_owned(),
        ] {
            assert!(parse(&bad).is_err(), "{bad}");
        }
    }
}
