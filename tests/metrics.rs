//! What a real gateway tells Prometheus: it is what `design/021-operations.md`
//! lists, its counters only grow, and the alerts and the dashboard ask for nothing
//! else.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

use greyplane::app::Gateway;
use greyplane::clock::SystemClock;
use greyplane::config;
use greyplane::sim::{Sim, SimConfig};
use rcgen::{CertificateParams, KeyPair};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Long enough for a busy machine; nothing is judged by how long it takes.
const TRIES: u32 = 600;
const BETWEEN: Duration = Duration::from_millis(100);

/// A metric as people ask for it: its type, and its labels without those that
/// Prometheus adds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Metric {
    name: String,
    kind: String,
    labels: BTreeSet<String>,
}

/// A page of OpenMetrics text: its families, and the value of each series.
#[derive(Debug)]
struct Page {
    text: String,
    kinds: BTreeMap<String, String>,
    helps: BTreeMap<String, String>,
    series: BTreeMap<String, f64>,
}

impl Page {
    fn read(text: String) -> Self {
        assert!(text.ends_with("# EOF\n"), "{text}");
        let of = |prefix: &str| -> BTreeMap<String, String> {
            let lines = text.lines().filter_map(|l| l.strip_prefix(prefix));
            lines
                .map(|l| l.split_once(' ').unwrap())
                .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
                .collect()
        };
        let series = text.lines().filter(|l| !l.starts_with('#')).map(|l| {
            let (name, value) = l.rsplit_once(' ').unwrap();
            (name.to_owned(), value.parse().unwrap())
        });
        Self {
            kinds: of("# TYPE "),
            helps: of("# HELP "),
            series: series.collect(),
            text,
        }
    }

    fn value(&self, series: &str) -> f64 {
        let value = self.series.get(series);
        *value.unwrap_or_else(|| panic!("no {series} in {}", self.text))
    }

    fn metrics(&self) -> Vec<Metric> {
        let metrics = self.kinds.iter().map(|(family, kind)| {
            let name = match kind.as_str() {
                "counter" => format!("{family}_total"),
                "info" => format!("{family}_info"),
                _ => family.clone(),
            };
            let own = |series: &&String| {
                let sample = series.split('{').next().unwrap();
                let part = |p: &str| sample == format!("{name}{p}");
                match kind.as_str() {
                    "histogram" => ["_bucket", "_sum", "_count"].iter().any(|p| part(p)),
                    _ => part(""),
                }
            };
            let labels = self.series.keys().filter(own).flat_map(|s| labels_in(s));
            Metric {
                kind: kind.clone(),
                labels: labels.filter(|l| l != "le").collect(),
                name,
            }
        });
        metrics.collect()
    }
}

/// The label names of a series, or of a selector in a query.
fn labels_in(series: &str) -> Vec<String> {
    let Some((_, inside)) = series.split_once('{') else {
        return Vec::new();
    };
    let mut names = Vec::new();
    let (mut quoted, mut name) = (false, String::new());
    let mut before = ' ';
    for c in inside.chars() {
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '}' if !quoted => break,
            '=' | '!' if !quoted && !name.is_empty() => {
                names.push(std::mem::take(&mut name));
            }
            'a'..='z' | '_' if !quoted => name.push(c),
            _ => {}
        }
        before = c;
    }
    names
}

fn listed() -> Vec<Metric> {
    let rows = read("design/021-operations.md");
    let rows = rows
        .lines()
        .filter(|l| l.starts_with("| `greyplane_") || l.starts_with("| `process_"));
    let unquoted = |cell: &str| cell.trim().trim_matches('`').to_owned();
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        assert_eq!(cells.len(), 4, "{row}");
        assert!(cells[3].trim().len() > 3, "{row} explains nothing");
        Metric {
            name: unquoted(cells[0]),
            kind: unquoted(cells[1]),
            labels: cells[2]
                .split(',')
                .map(unquoted)
                .filter(|l| !l.is_empty())
                .collect(),
        }
    })
    .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

struct House {
    gateway: Gateway,
    folder: tempfile::TempDir,
}

impl House {
    /// A console over TLS, a camera that turns and one that is looked at, if only
    /// there were models.
    fn start(sim: &Sim) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("street.json", &sim.zones_json());
        write("street.profile.toml", &sim.profile().to_toml());
        write("street.password", "grey & quiet\n");
        write(
            "yard.json",
            r#"{"format":1,"camera":"yard","zones":[{"id":"a","name":"a","mode":"hide","shape":
            {"type":"image","points":[{"x":0.1,"y":0.1},{"x":0.4,"y":0.1},{"x":0.4,"y":0.4}]}}]}"#,
        );
        write("users.toml", "");
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        write("key.pem", &key.serialize_pem());
        write("cert.pem", &params.self_signed(&key).unwrap().pem());
        let house = |budget_ms: u32| {
            format!(
                r#"
[gateway]
rtsp_listen = "127.0.0.1:0"
http_listen = "127.0.0.1:0"
metrics_listen = "127.0.0.1:0"
[events.mqtt]
url = "mqtt://127.0.0.1:9"
[traces]
endpoint = "http://127.0.0.1:9/v1/traces"
[console]
users = "users.toml"
webrtc_listen = "127.0.0.1:0"
tls_certificate = "cert.pem"
tls_key = "key.pem"
[detectors]
folder = "no-models"
[[camera]]
id = "street"
url = "{0}"
user = "quentin"
password_file = "street.password"
masks = "street.json"
profile = "street.profile.toml"
latency_budget_ms = {budget_ms}
[camera.telemetry]
device_url = "{1}"
metadata = true
[[camera.publish]]
name = "nobody"
url = "rtsp://127.0.0.1:9/street"
[[camera]]
id = "yard"
url = "{0}"
masks = "yard.json"
[camera.detect]
classes = ["face"]
"#,
                sim.rtsp_url(),
                sim.onvif_url()
            )
        };
        write("greyplane.toml", &house(250));
        write("slower.toml", &house(300));
        let config = config::load(&folder.path().join("greyplane.toml"));
        let config = config.unwrap_or_else(|e| panic!("{e}"));
        let gateway = Gateway::start(config, Arc::new(SystemClock::new())).unwrap();
        Self { gateway, folder }
    }

    async fn page(&self) -> Page {
        let answer = reqwest::get(self.gateway.metrics_url().unwrap())
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let kind = answer.headers()["content-type"].to_str().unwrap();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        Page::read(answer.text().await.unwrap())
    }

    /// The first page that is as it should be.
    async fn page_where(&self, is: impl Fn(&Page) -> bool) -> Page {
        let mut page = self.page().await;
        for _ in 0..TRIES {
            if is(&page) {
                return page;
            }
            tokio::time::sleep(BETWEEN).await;
            page = self.page().await;
        }
        panic!("it never came to that: {}", page.text);
    }
}

const LIVE: &str = "greyplane_camera_shown_seconds_total{camera=\"street\",state=\"live\"}";
const SHOWN: &str = "greyplane_camera_state{camera=\"street\",state=\"live\"}";
const AGE: &str = "greyplane_camera_telemetry_age_seconds{camera=\"street\"}";
const HZ: &str = "greyplane_camera_telemetry_per_second{camera=\"street\"}";
const UNSEEN: &str =
    "greyplane_camera_covered_seconds_total{camera=\"yard\",reason=\"detector-silent\"}";
const CHECKED: &str = "greyplane_audit_verified";

#[tokio::test]
async fn it_tells_what_is_listed_and_its_counters_only_grow() {
    let sim = SimConfig {
        width: 320,
        height: 184,
        ..SimConfig::default()
    };
    let sim = Sim::start(sim, Arc::new(SystemClock::new())).unwrap();
    let mut house = House::start(&sim);
    let page = house
        .page_where(|page| {
            let begun = |series: &&str| page.series.get(*series).is_some_and(|v| *v > 0.0);
            [LIVE, UNSEEN, AGE, HZ, CHECKED].iter().all(begun)
        })
        .await;

    // The list is what is told, both ways.
    let (mut listed, mut told) = (listed(), page.metrics());
    listed.sort();
    told.sort();
    if listed != told {
        let rows = told.iter().map(|m| {
            let labels: Vec<String> = m.labels.iter().map(|l| format!("`{l}`")).collect();
            let family = m.name.trim_end_matches("_total").trim_end_matches("_info");
            let help = &page.helps[family];
            format!(
                "| `{}` | {} | {} | {help} |\n",
                m.name,
                m.kind,
                labels.join(", ")
            )
        });
        panic!(
            "design/021-operations.md should list:\n{}",
            rows.collect::<String>()
        );
    }
    for metric in &told {
        let sample = metric.name.as_str();
        let there = page.series.keys().any(|s| s.starts_with(sample));
        assert!(there, "no value of {sample} in {}", page.text);
    }

    // Something is there to be wrong about.
    assert!(page.value(AGE) < 60.0 && page.value(HZ) < 100.0);
    assert_eq!(page.value(CHECKED), 1.0);
    assert_eq!(page.value("greyplane_audit_writable"), 1.0);
    assert_eq!(page.value("greyplane_ready"), 0.0, "the yard is covered");
    let expiry = page.value("greyplane_certificate_expiry_timestamp_seconds{used_for=\"console\"}");
    assert_eq!(expiry, 2_208_988_800.0);
    let frames = page.value("greyplane_camera_latency_seconds_count{camera=\"street\"}");
    let out = page.value("greyplane_camera_frames_out_total{camera=\"street\"}");
    let grey = page.value("greyplane_camera_frames_grey_total{camera=\"street\"}");
    assert!(
        frames == out - grey && frames > 0.0,
        "{frames} {out} {grey}"
    );
    assert!(page.value("process_threads") >= 4.0 && page.value("process_open_fds") >= 10.0);

    // Nobody learns a name, an address or a password of it.
    for secret in ["grey & quiet", "quentin", "rtsp:", "127.0.0.1", "/"] {
        let values = page.text.lines().filter(|l| !l.starts_with('#'));
        for line in values {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }

    // At the console's address nobody is told anything.
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let console = format!("{}/metrics", house.gateway.http_url());
    let answer = client.get(console).send().await.unwrap();
    assert!(!answer.text().await.unwrap().contains("greyplane_"));
    // At the metrics' address there is nothing else, and no other site's page reads it.
    let url = house.gateway.metrics_url().unwrap();
    let elsewhere = url.replace("/metrics", "/api/v1/status");
    assert_eq!(reqwest::get(elsewhere).await.unwrap().status(), 404);
    let foreign = client.get(url).header("origin", "https://a.example");
    assert_eq!(foreign.send().await.unwrap().status(), 403);

    // A camera that is started anew counts on.
    let before = house.page().await;
    house
        .gateway
        .reload(&house.folder.path().join("slower.toml"));
    let budget = "greyplane_camera_latency_budget_seconds{camera=\"street\"}";
    assert_eq!(house.page().await.value(budget), 0.3);
    let after = house
        .page_where(|page| page.value(SHOWN) == 1.0 && page.value(LIVE) > before.value(LIVE))
        .await;
    assert!(after.value("greyplane_camera_connects_total{camera=\"street\"}") >= 2.0);
    assert_eq!(after.value("greyplane_reloads_total{result=\"done\"}"), 1.0);
    let grows = |series: &str| {
        let name = series.split('{').next().unwrap();
        ["_total", "_bucket", "_sum", "_count"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let counters = before.series.iter().filter(|(series, _)| grows(series));
    assert!(counters.clone().count() > 100);
    for (series, was) in counters {
        assert!(after.value(series) >= *was, "{series} fell from {was}");
    }
}

/// The metrics that a query names, each with the labels it selects by.
fn asked(query: &str) -> Vec<(String, Vec<String>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut rest = query;
    while let Some(at) = ["greyplane_", "process_"]
        .iter()
        .filter_map(|p| rest.find(p))
        .min()
    {
        let (_, from) = rest.split_at(at);
        let end = from.find(|c| !is_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);
        let labels = match after.starts_with('{') {
            true => labels_in(after),
            false => Vec::new(),
        };
        found.push((name.to_owned(), labels));
        rest = after;
    }
    found
}

#[test]
fn alerts_and_dashboard_ask_for_what_is_listed() {
    let listed = listed();
    let alerts = read("assets/prometheus/alerts.yml");
    let queries: Vec<&str> = alerts
        .split("- alert: ")
        .skip(1)
        .map(|rule| {
            rule.split("expr: ")
                .nth(1)
                .unwrap()
                .split("labels: {severity")
                .next()
                .unwrap()
        })
        .collect();
    let board: serde_json::Value =
        serde_json::from_str(&read("assets/grafana/greyplane.json")).unwrap();
    let panels = board["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|p| p["targets"].as_array().unwrap());
    let targets: Vec<&str> = targets.map(|t| t["expr"].as_str().unwrap()).collect();
    let variables = board["templating"]["list"].as_array().unwrap().iter();
    let variables: Vec<&str> = variables.map(|v| v["query"].as_str().unwrap()).collect();
    assert!(queries.len() >= 20 && targets.len() >= 20);
    let mut alerted = BTreeSet::new();
    for (query, is_alert) in queries
        .iter()
        .map(|q| (q, true))
        .chain(targets.iter().chain(&variables).map(|q| (q, false)))
    {
        let asked = asked(query);
        assert!(
            !asked.is_empty() || query.contains("up{") || *query == "prometheus",
            "{query} asks for nothing"
        );
        for (name, labels) in asked {
            let plain = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .filter(|plain| {
                    listed
                        .iter()
                        .any(|m| m.name == *plain && m.kind == "histogram")
                });
            let name = plain.unwrap_or(&name);
            let metric = listed.iter().find(|m| m.name == name);
            let metric = metric.unwrap_or_else(|| panic!("{name} in {query} is not listed"));
            for label in labels {
                // What Prometheus adds.
                let known = ["instance", "job"].contains(&label.as_str());
                assert!(
                    known || metric.labels.contains(&label),
                    "{label} in {query}"
                );
            }
            if is_alert {
                alerted.insert(name.to_owned());
            }
        }
    }
    // What an operator must be woken for has an alert.
    for name in [
        "greyplane_camera_state",
        "greyplane_camera_frames_dropped_total",
        "greyplane_camera_frames_late_total",
        "greyplane_camera_read_back_failures_total",
        "greyplane_camera_telemetry_age_seconds",
        "greyplane_camera_detector_looks_per_second",
        "greyplane_clock_synchronised",
        "greyplane_disk_free_bytes",
        "greyplane_audit_writable",
        "greyplane_certificate_expiry_timestamp_seconds",
    ] {
        assert!(alerted.contains(name), "nothing alerts on {name}");
    }
}

#[test]
fn metrics_are_not_told_to_every_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greyplane.toml");
    for (address, is_refused) in [
        ("127.0.0.1:9464", false),
        ("[::1]:0", false),
        ("192.0.2.7:9464", false),
        ("0.0.0.0:9464", true),
        ("[::]:9464", true),
        ("here", true),
    ] {
        let text = format!(
            "[gateway]\nmetrics_listen = \"{address}\"\n[[camera]]\nid = \"a\"\n\
             url = \"rtsp://127.0.0.1/a\"\nmasks = \"a.json\"\n"
        );
        fs::write(&path, text).unwrap();
        // Its masks are missing, which covers it.
        let read = config::load_covering(&path);
        assert_eq!(read.is_err(), is_refused, "{address}");
        if let Err(problems) = read {
            assert!(
                problems.to_string().contains("greyplane.toml:2:"),
                "{problems}"
            );
        }
    }
}
