//! The gateway's figures, read like Prometheus would: they go on counting where the
//! status begins anew with a camera that was restarted.

use super::status::{CameraStatus, Latency};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One reading.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// By name, labels included, as written.
    values: BTreeMap<String, f64>,
}

/// Longest page that is read.
const LONGEST: u64 = 4 << 20;

impl Figures {
    /// Reads the page at `url`, `http://HOST:PORT/PATH`.
    ///
    /// # Errors
    /// Of the network.
    pub(super) fn read(url: &str) -> std::io::Result<Self> {
        let bare = url.trim_start_matches("http://");
        let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
        let wait = Duration::from_secs(2);
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(wait))?;
        stream.set_write_timeout(Some(wait))?;
        write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(LONGEST).read_to_string(&mut answer)?;
        let (_, page) = answer
            .split_once("\r\n\r\n")
            .filter(|(head, _)| head.split(' ').nth(1) == Some("200"))
            .ok_or_else(|| std::io::Error::other("no page of figures"))?;
        Ok(Self::parse(page))
    }

    fn parse(page: &str) -> Self {
        let values = page
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let (name, value) = line.rsplit_once(' ')?;
                Some((name.to_owned(), value.parse().ok()?))
            })
            .collect();
        Self { values }
    }

    /// A figure without labels.
    pub(super) fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// A figure of one camera.
    fn of(&self, name: &str, camera: &str) -> Option<f64> {
        self.get(&format!("{name}{{camera=\"{camera}\"}}"))
    }

    /// Of a camera's figure what differs by `label`, without what is 0.
    fn by(&self, name: &str, camera: &str, label: &str) -> BTreeMap<String, f64> {
        let start = format!("{name}{{camera=\"{camera}\",{label}=\"");
        self.values
            .iter()
            .filter_map(|(key, value)| {
                let of = key.strip_prefix(&start)?.strip_suffix("\"}")?;
                (*value != 0.0).then(|| (of.to_owned(), *value))
            })
            .collect()
    }

    /// What the status would say of `camera` had it never been restarted. Of
    /// latencies it knows the class: its upper bound.
    pub(super) fn status(&self, camera: &str) -> CameraStatus {
        let one = |name: &str, label: &str| self.by(name, camera, label).into_keys().next();
        let ms = |s: Option<f64>| s.unwrap_or(f64::NAN) * 1e3;
        let count = |name: &str| self.of(name, camera).unwrap_or(f64::NAN);
        let dropped = self.by("greyplane_camera_frames_dropped_total", camera, "reason");
        CameraStatus {
            id: camera.to_owned(),
            state: one("greyplane_camera_state", "state").unwrap_or_default(),
            reason: one("greyplane_camera_reason", "reason"),
            latency_ms: Latency {
                p50: ms(self.latency_s(camera, 0.5)),
                p99: ms(self.latency_s(camera, 0.99)),
                max: ms(self.of("greyplane_camera_latency_max_seconds", camera)),
            },
            budget_ms: ms(self.of("greyplane_camera_latency_budget_seconds", camera)),
            late_frames: count("greyplane_camera_frames_late_total") as u64,
            dropped: dropped.into_iter().map(|(k, v)| (k, v as u64)).collect(),
            covered_s: self.by("greyplane_camera_covered_seconds_total", camera, "reason"),
            viewers: count("greyplane_camera_viewers") as u64,
            detector: None,
        }
    }

    /// Upper bound of the class in which the frame at `share` of all lies.
    fn latency_s(&self, camera: &str, share: f64) -> Option<f64> {
        let start = "greyplane_camera_latency_seconds_bucket{le=\"";
        let end = format!("\",camera=\"{camera}\"}}");
        let mut classes: Vec<(f64, f64)> = self
            .values
            .iter()
            .filter_map(|(key, count)| {
                let bound = key.strip_prefix(start)?.strip_suffix(&end)?;
                Some((bound.parse().unwrap_or(f64::INFINITY), *count))
            })
            .collect();
        classes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = classes.last()?.1;
        let at = classes.iter().find(|(_, n)| *n >= share * all)?;
        Some(at.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_become_a_status() {
        let page = "# HELP x y\n\
            greyplane_camera_state{camera=\"a-1\",state=\"live\"} 0\n\
            greyplane_camera_state{camera=\"a-1\",state=\"covered\"} 1\n\
            greyplane_camera_reason{camera=\"a-1\",reason=\"starting\"} 1\n\
            greyplane_camera_frames_late_total{camera=\"a-1\"} 2\n\
            greyplane_camera_frames_dropped_total{camera=\"a-1\",reason=\"late\"} 3\n\
            greyplane_camera_covered_seconds_total{camera=\"a-1\",reason=\"starting\"} 1.5\n\
            greyplane_camera_covered_seconds_total{camera=\"b\",reason=\"internal\"} 7\n\
            greyplane_camera_latency_seconds_bucket{le=\"0.1\",camera=\"a-1\"} 90\n\
            greyplane_camera_latency_seconds_bucket{le=\"0.25\",camera=\"a-1\"} 99\n\
            greyplane_camera_latency_seconds_bucket{le=\"+Inf\",camera=\"a-1\"} 100\n\
            process_threads 40\n# EOF\n";
        let figures = Figures::parse(page);
        assert_eq!(figures.get("process_threads"), Some(40.0));
        let status = figures.status("a-1");
        assert_eq!(status.state, "covered");
        assert_eq!(status.reason.as_deref(), Some("starting"));
        assert_eq!((status.late_frames, status.dropped["late"]), (2, 3));
        assert_eq!(status.covered_s.len(), 1);
        assert_eq!(
            (status.latency_ms.p50, status.latency_ms.p99),
            (100.0, 250.0)
        );
    }
}
