//! The gateway under proof: `greyplane run` as a child process, configured through
//! files and seen through its addresses, like anywhere else.

use super::child::{Child, ChildError, Workplace};
use super::scenario::GatewayKnobs;
use crate::sim::{Reports, Sim};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What the gateway must know of one camera.
#[derive(Clone, Debug)]
pub(super) struct CameraFiles {
    /// Its id.
    pub id: String,
    /// Its clear stream.
    pub rtsp_url: String,
    /// Where it tells its position: keys of `[camera.telemetry]`.
    pub telemetry: String,
    /// Its zones, a mask document.
    pub zones_json: String,
    /// Its profile, TOML.
    pub profile_toml: String,
}

/// A running gateway.
#[derive(Debug)]
pub(super) struct Gateway {
    /// The process.
    pub child: Child,
    /// `http://HOST:PORT`.
    pub http: String,
    /// The masked streams, in the cameras' order.
    pub streams: Vec<String>,
    /// Its figures, where it keeps books.
    pub metrics: Option<String>,
}

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The process.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// Its files.
    #[error("the gateway's files cannot be written: {0}")]
    Files(#[from] std::io::Error),
}

/// How long the gateway may take to give its addresses.
const START: Duration = Duration::from_secs(30);

impl Gateway {
    /// Starts `program run` for the cameras; with `books` it has a console, and so an
    /// audit log, and tells its figures.
    ///
    /// # Errors
    /// [`GatewayError`].
    pub(super) fn start(
        program: &Path,
        place: &Workplace,
        cameras: &[CameraFiles],
        knobs: &GatewayKnobs,
        books: bool,
    ) -> Result<Self, GatewayError> {
        for camera in cameras {
            std::fs::write(
                place.file(&format!("{}.json", camera.id)),
                &camera.zones_json,
            )?;
            let profile = place.file(&format!("{}.profile.toml", camera.id));
            std::fs::write(profile, &camera.profile_toml)?;
        }
        let config = place.file("greyplane.toml");
        std::fs::write(&config, configuration(cameras, knobs, books))?;
        let log = place.file("gateway.log");
        let mut arguments = vec![
            "run".to_owned(),
            "--config".to_owned(),
            config.display().to_string(),
        ];
        let child = if books {
            add_account(program, &place.file(USERS))?;
            // A limit on the size of files must fail a write, not end the process.
            let ignoring = ["-c", "trap '' XFSZ; exec \"$@\"", "sh"].map(str::to_owned);
            arguments.insert(0, program.display().to_string());
            let arguments = [ignoring.to_vec(), arguments].concat();
            Child::start("the gateway", Path::new("/bin/sh"), &arguments, &log)?
        } else {
            Child::start("the gateway", program, &arguments, &log)?
        };
        let http = child.line("http", START)?;
        let mut streams = Vec::new();
        for _ in cameras {
            streams.push(child.line("stream", START)?);
        }
        let metrics = books.then(|| child.line("metrics", START)).transpose()?;
        Ok(Self {
            child,
            http,
            streams,
            metrics,
        })
    }
}

/// The console's accounts.
const USERS: &str = "users.toml";

/// Makes the account that a console needs; nobody uses it.
fn add_account(program: &Path, users: &Path) -> std::io::Result<()> {
    let mut making = Command::new(program)
        .args(["user", "--users"])
        .arg(users)
        .args(["add", "prove", "--role", "admin", "--camera", "*"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = making.stdin.take() {
        std::io::Write::write_all(&mut input, b"a-long-word-for-nobody\n")?;
    }
    match making.wait()? {
        done if done.success() => Ok(()),
        done => Err(std::io::Error::other(format!("no account: {done}"))),
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn configuration(cameras: &[CameraFiles], knobs: &GatewayKnobs, books: bool) -> String {
    let mut text =
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n".to_owned();
    // Writing to a String cannot fail.
    if books {
        let _ = writeln!(
            text,
            "metrics_listen = \"127.0.0.1:0\"\n[console]\nusers = {}\naudit = \"audit\"\n\
             webrtc_listen = \"127.0.0.1:0\"",
            quoted(USERS)
        );
    }
    for camera in cameras {
        let _ = write!(
            text,
            "\n[[camera]]\nid = {}\nurl = {}\nmasks = \"{}.json\"\nprofile = \"{}.profile.toml\"\n",
            quoted(&camera.id),
            quoted(&camera.rtsp_url),
            camera.id,
            camera.id
        );
        if let Some(ms) = knobs.latency_budget_ms {
            let _ = writeln!(text, "latency_budget_ms = {ms}");
        }
        if let Some(transport) = &knobs.transport {
            let _ = writeln!(text, "transport = {}", quoted(transport));
        }
        let _ = writeln!(text, "[camera.telemetry]\n{}", camera.telemetry);
        if let Some(rate) = knobs.telemetry_rate_hz {
            let _ = writeln!(text, "rate_hz = {rate:?}");
        }
        if let Some(metadata) = knobs.metadata {
            let _ = writeln!(text, "metadata = {metadata}");
        }
        text.push_str("[camera.encoder]\n");
        if let Some(rate) = knobs.bitrate_kbit {
            let _ = writeln!(text, "bitrate_kbit = {rate}");
        }
        let limits = [
            ("max_telemetry_age_ms", knobs.max_telemetry_age_ms),
            ("restart_takes_ms", knobs.restart_takes_ms),
        ];
        text.push_str("[camera.limits]\n");
        for (key, ms) in limits {
            if let Some(ms) = ms {
                let _ = writeln!(text, "{key} = {ms}");
            }
        }
        if !knobs.detect.is_empty() {
            let _ = writeln!(text, "[camera.detect]\nclasses = {:?}", knobs.detect);
        }
    }
    text
}

/// The keys of `[camera.telemetry]` for a camera that is asked in `words`.
pub(super) fn telemetry(sim: &Sim, words: Reports) -> String {
    let (kind, url) = match words {
        Reports::Onvif => ("onvif", sim.onvif_url()),
        Reports::Vapix => ("vapix", sim.http_url()),
        Reports::Isapi => ("isapi", sim.http_url()),
        Reports::Visca => ("visca", sim.visca_url()),
    };
    let more = match words {
        Reports::Onvif => "",
        // It reads its motors when it is asked.
        Reports::Vapix | Reports::Isapi => "\nposition_age_ms = 0",
        // And shares this machine's clock, right or wrong.
        Reports::Visca => "\nposition_age_ms = 0\nclock_within_ms = 5\nkernel_keeps_clock = false",
    };
    format!("kind = \"{kind}\"\ndevice_url = {}{more}", quoted(url))
}

/// The mask document `json` with every zone turned in pan by `shift_deg`.
///
/// # Errors
/// When it is no JSON.
pub(super) fn shifted(json: &str, shift_deg: f64) -> Result<String, serde_json::Error> {
    let mut document: Value = serde_json::from_str(json)?;
    if let Some(zones) = document.get_mut("zones") {
        shift(zones, shift_deg);
    }
    Ok(document.to_string())
}

fn shift(value: &mut Value, shift_deg: f64) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                match inner.as_f64() {
                    Some(pan_deg) if key == "pan_deg" => {
                        let turned = (pan_deg + shift_deg + 180.0).rem_euclid(360.0) - 180.0;
                        *inner = Value::from(turned);
                    }
                    _ => shift(inner, shift_deg),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                shift(item, shift_deg);
            }
        }
        _ => {}
    }
}

/// The mask document `json` with the claim that nothing is private.
///
/// # Errors
/// When it is no JSON.
pub(super) fn emptied(json: &str) -> Result<String, serde_json::Error> {
    let mut document: Value = serde_json::from_str(json)?;
    if let Some(fields) = document.as_object_mut() {
        fields.insert("zones".to_owned(), Value::Array(Vec::new()));
        fields.insert("nothing_private".to_owned(), "a negative control".into());
        // Trims of zones that are gone would be mistakes.
        fields.remove("presets");
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zones_are_shifted_and_pan_wraps() {
        let json = r#"{"format":1,"zones":[{"id":"a","points":[{"pan_deg":179.5,"tilt_deg":-3.0}]}],
            "presets":[{"pan_deg":10.0}]}"#;
        let turned: Value = serde_json::from_str(&shifted(json, 1.0).unwrap()).unwrap();
        assert_eq!(turned["zones"][0]["points"][0]["pan_deg"], -179.5);
        assert_eq!(turned["zones"][0]["points"][0]["tilt_deg"], -3.0);
        assert_eq!(turned["presets"][0]["pan_deg"], 10.0);
        let none: Value = serde_json::from_str(&emptied(json).unwrap()).unwrap();
        assert_eq!(none["zones"], Value::Array(vec![]));
    }

    #[test]
    fn the_configuration_is_toml_with_the_knobs_where_they_belong() {
        let camera = CameraFiles {
            id: "a-1".into(),
            rtsp_url: "rtsp://127.0.0.1:1/\"x".into(),
            telemetry: "device_url = \"http://127.0.0.1:2/\"".into(),
            zones_json: String::new(),
            profile_toml: String::new(),
        };
        let knobs = GatewayKnobs {
            telemetry: Reports::Onvif,
            latency_budget_ms: Some(300),
            transport: Some("udp".into()),
            telemetry_rate_hz: Some(5.0),
            metadata: Some(true),
            bitrate_kbit: Some(3000),
            max_telemetry_age_ms: Some(700),
            restart_takes_ms: None,
            detect: vec!["face".into(), "plate".into()],
        };
        let text = configuration(&[camera.clone(), camera], &knobs, true);
        let parsed: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(parsed["console"]["audit"].as_str(), Some("audit"));
        let camera = &parsed["camera"][1];
        assert_eq!(camera["url"].as_str(), Some("rtsp://127.0.0.1:1/\"x"));
        assert_eq!(camera["latency_budget_ms"].as_integer(), Some(300));
        assert_eq!(camera["telemetry"]["rate_hz"].as_float(), Some(5.0));
        assert_eq!(camera["telemetry"]["metadata"].as_bool(), Some(true));
        assert_eq!(camera["encoder"]["bitrate_kbit"].as_integer(), Some(3000));
        assert_eq!(
            camera["limits"]["max_telemetry_age_ms"].as_integer(),
            Some(700)
        );
        let classes = camera["detect"]["classes"].as_array().map(Vec::len);
        assert_eq!(classes, Some(2));
    }
}
