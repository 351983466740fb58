//! The configuration as it is written: serde structs, nothing decided yet.

use super::problem::{Problem, Problems};
use super::types::{EncoderChoice, Sound, Style, Transport, WhenSilent};
use crate::detect::Class;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The whole file.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) gateway: Gateway,
    pub(super) rtsp_tls: Option<RtspTls>,
    pub(super) console: Option<Console>,
    pub(super) detectors: Detectors,
    pub(super) events: Events,
    pub(super) traces: Option<Traces>,
    pub(super) viewers: Vec<Viewer>,
    pub(super) cameras: Vec<Camera>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Gateway {
    pub(super) rtsp_listen: Spanned<String>,
    pub(super) http_listen: Spanned<String>,
    pub(super) metrics_listen: Option<Spanned<String>>,
    pub(super) rtsp_allow_clear: Spanned<bool>,
    pub(super) filter_system_calls: bool,
}

/// TLS for the masked streams. Wanted as soon as the table is there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RtspTls {
    pub(super) certificate: Option<Spanned<String>>,
    pub(super) key: Option<Spanned<String>>,
    pub(super) made_in: Option<Spanned<String>>,
    pub(super) client_ca: Option<Spanned<String>>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            rtsp_listen: unplaced("127.0.0.1:8554".into()),
            http_listen: unplaced("127.0.0.1:8080".into()),
            metrics_listen: None,
            rtsp_allow_clear: unplaced(false),
            filter_system_calls: true,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Console {
    pub(super) users: Spanned<String>,
    #[serde(default = "defaults::audit")]
    pub(super) audit: String,
    pub(super) tls_certificate: Option<Spanned<String>>,
    pub(super) tls_key: Option<Spanned<String>>,
    pub(super) webrtc_listen: Option<Spanned<String>>,
    #[serde(default = "defaults::session_minutes")]
    pub(super) session_minutes: Spanned<u64>,
    #[serde(default)]
    pub(super) four_eyes: bool,
    #[serde(default)]
    pub(super) clear_still: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Detectors {
    pub(super) folder: Option<Spanned<String>>,
    pub(super) threads: Spanned<u32>,
    pub(super) face: String,
    pub(super) plate: String,
    pub(super) person: Option<String>,
    pub(super) input_long_side: Spanned<u32>,
}

impl Default for Detectors {
    fn default() -> Self {
        Self {
            folder: None,
            threads: unplaced(1),
            face: "auto".into(),
            plate: "plate-eu".into(),
            person: None,
            input_long_side: unplaced(640),
        }
    }
}

/// The message buses that events are told to.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    pub(super) mqtt: Option<Mqtt>,
    pub(super) nats: Option<Nats>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mqtt {
    pub(super) url: Spanned<String>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    #[serde(default = "defaults::bus_prefix")]
    pub(super) topic: Spanned<String>,
    #[serde(default)]
    pub(super) home_assistant: bool,
    pub(super) discovery_prefix: Option<Spanned<String>>,
    #[serde(default = "defaults::no")]
    pub(super) allow_clear: Spanned<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nats {
    pub(super) url: Spanned<String>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    #[serde(default = "defaults::bus_prefix")]
    pub(super) subject: Spanned<String>,
    #[serde(default = "defaults::no")]
    pub(super) allow_clear: Spanned<bool>,
}

/// A collector of traces.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traces {
    pub(super) endpoint: Spanned<String>,
    pub(super) headers_file: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) instance: Option<Spanned<String>>,
    #[serde(default = "defaults::frame_every_s")]
    pub(super) frame_every_s: Spanned<u64>,
    #[serde(default = "defaults::no")]
    pub(super) allow_clear: Spanned<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Viewer {
    pub(super) user: Spanned<String>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    pub(super) certificate: Option<Spanned<String>>,
    pub(super) cameras: Option<Vec<Spanned<String>>>,
    #[serde(default = "defaults::no")]
    pub(super) steer: Spanned<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Camera {
    pub(super) id: Spanned<String>,
    pub(super) url: Spanned<String>,
    #[serde(default)]
    pub(super) transport: Transport,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    #[serde(default = "defaults::jitter_buffer_ms")]
    pub(super) jitter_buffer_ms: Spanned<u64>,
    #[serde(default = "defaults::stall_ms")]
    pub(super) stall_ms: Spanned<u64>,
    pub(super) masks: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) preset: Vec<Preset>,
    pub(super) profile: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) sound: Sound,
    pub(super) latency_budget_ms: Option<Spanned<u64>>,
    pub(super) telemetry: Option<Telemetry>,
    pub(super) steering: Option<Steering>,
    pub(super) onvif_device: Option<OnvifDevice>,
    #[serde(default)]
    pub(super) stream: Vec<Stream>,
    #[serde(default)]
    pub(super) publish: Vec<Publish>,
    pub(super) detect: Option<Detect>,
    #[serde(default)]
    pub(super) encoder: Encoder,
    #[serde(default)]
    pub(super) limits: Limits,
}

/// A preset of a camera that cannot tell its position.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Preset {
    pub(super) id: Spanned<String>,
    pub(super) name: Option<Spanned<String>>,
    pub(super) masks: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telemetry {
    #[serde(default = "defaults::telemetry_kind")]
    pub(super) kind: Spanned<String>,
    pub(super) device_url: Spanned<String>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) profile_token: Option<Spanned<String>>,
    pub(super) metadata: Option<Spanned<bool>>,
    pub(super) channel: Option<Spanned<u32>>,
    pub(super) clock_within_ms: Option<Spanned<u64>>,
    pub(super) kernel_keeps_clock: Option<Spanned<bool>>,
    pub(super) position_age_ms: Option<Spanned<u64>>,
    #[serde(default = "defaults::yes")]
    pub(super) check_picture: bool,
    #[serde(default = "defaults::rate_hz")]
    pub(super) rate_hz: Spanned<f64>,
    #[serde(default = "defaults::timeout_ms")]
    pub(super) timeout_ms: Spanned<u64>,
}

/// How far and how fast anybody may steer a camera.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Steering {
    #[serde(default = "defaults::most_speed")]
    pub(super) most_speed: Spanned<f64>,
    pub(super) least_hfov_deg: Option<Spanned<f64>>,
    pub(super) most_hidden_share: Option<Spanned<f64>>,
}

/// A camera as an ONVIF device.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OnvifDevice {
    pub(super) listen: Spanned<String>,
    #[serde(default = "defaults::no")]
    pub(super) allow_clear: Spanned<bool>,
}

/// A further stream of the camera.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stream {
    pub(super) name: Spanned<String>,
    pub(super) url: Spanned<String>,
    #[serde(default = "defaults::further_bitrate_kbit")]
    pub(super) bitrate_kbit: Spanned<u32>,
}

/// A server that the masked stream is pushed to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    #[serde(default = "defaults::publication")]
    pub(super) name: Spanned<String>,
    pub(super) url: Spanned<String>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) passphrase_file: Option<Spanned<String>>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) latency_ms: Option<Spanned<u64>>,
    #[serde(default = "defaults::no")]
    pub(super) allow_clear: Spanned<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Detect {
    pub(super) classes: Spanned<Vec<Class>>,
    #[serde(default)]
    pub(super) style: Style,
    #[serde(default)]
    pub(super) when_silent: WhenSilent,
    #[serde(default = "defaults::max_silence_ms")]
    pub(super) max_silence_ms: Spanned<u64>,
    #[serde(default = "defaults::detector_cpu_percent")]
    pub(super) detector_cpu_percent: Spanned<f64>,
    #[serde(default = "defaults::sweep_ms")]
    pub(super) sweep_ms: Spanned<u64>,
    pub(super) nearest_m: Option<Spanned<f64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Encoder {
    pub(super) name: EncoderChoice,
    pub(super) bitrate_kbit: Spanned<u32>,
    pub(super) gop_frames: Spanned<u32>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            name: EncoderChoice::Auto,
            bitrate_kbit: unplaced(4000),
            gop_frames: unplaced(50),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) widened_deg: Spanned<f64>,
    pub(super) cover_margin_percent: Spanned<f64>,
    pub(super) max_telemetry_age_ms: Spanned<u64>,
    pub(super) restart_takes_ms: Option<Spanned<u64>>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            widened_deg: unplaced(1.5),
            cover_margin_percent: unplaced(25.0),
            max_telemetry_age_ms: unplaced(1000),
            restart_takes_ms: None,
        }
    }
}

mod defaults {
    use super::{Spanned, unplaced};

    pub(super) fn yes() -> bool {
        true
    }
    pub(super) fn audit() -> String {
        "audit".into()
    }
    pub(super) fn no() -> Spanned<bool> {
        unplaced(false)
    }
    pub(super) fn bus_prefix() -> Spanned<String> {
        unplaced("greyplane".into())
    }
    pub(super) fn frame_every_s() -> Spanned<u64> {
        unplaced(10)
    }
    pub(super) fn further_bitrate_kbit() -> Spanned<u32> {
        unplaced(1000)
    }
    pub(super) fn publication() -> Spanned<String> {
        unplaced("main".into())
    }
    pub(super) fn most_speed() -> Spanned<f64> {
        unplaced(1.0)
    }
    pub(super) fn session_minutes() -> Spanned<u64> {
        unplaced(480)
    }
    pub(super) fn jitter_buffer_ms() -> Spanned<u64> {
        unplaced(50)
    }
    pub(super) fn stall_ms() -> Spanned<u64> {
        unplaced(3000)
    }
    pub(super) fn telemetry_kind() -> Spanned<String> {
        unplaced("onvif".into())
    }

    pub(super) fn rate_hz() -> Spanned<f64> {
        unplaced(10.0)
    }
    pub(super) fn timeout_ms() -> Spanned<u64> {
        unplaced(1000)
    }
    pub(super) fn detector_cpu_percent() -> Spanned<f64> {
        unplaced(60.0)
    }

    pub(super) fn sweep_ms() -> Spanned<u64> {
        unplaced(500)
    }

    pub(super) fn max_silence_ms() -> Spanned<u64> {
        unplaced(1000)
    }
}

/// A value that stands nowhere in the file: a default.
fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// Reads each table on its own, so that a mistake in one camera does not hide
/// the mistakes in the next. `None` where nothing can be read at all.
pub(super) fn parse(path: &Path, text: &str, problems: &mut Problems) -> Option<Document> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        problems.push(toml_problem(path, text, error));
    }
    if !errors.is_empty() {
        return None;
    }
    let mut reader = Reader {
        path,
        text,
        problems,
    };
    let mut document = Document::default();
    let mut whole = true;
    for (key, value) in table.into_inner() {
        let read = match key.get_ref().as_ref() {
            "gateway" => reader.table(value).map(|g| document.gateway = g),
            "rtsp_tls" => reader.table(value).map(|t| document.rtsp_tls = Some(t)),
            "console" => reader.table(value).map(|c| document.console = Some(c)),
            "events" => reader.table(value).map(|e| document.events = e),
            "traces" => reader.table(value).map(|t| document.traces = Some(t)),
            "detectors" => reader.table(value).map(|d| document.detectors = d),
            "viewer" => reader.array("viewer", value).map(|v| document.viewers = v),
            "camera" => reader.array("camera", value).map(|c| document.cameras = c),
            other => {
                reader.problems.push(Problem::at_span(
                    path,
                    text,
                    &key.span(),
                    format!("unknown section `{other}`"),
                    "known sections: [gateway], [rtsp_tls], [console], [detectors], [events], [traces], [[viewer]], [[camera]]",
                ));
                None
            }
        };
        whole &= read.is_some();
    }
    whole.then_some(document)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn table<T: for<'de> Deserialize<'de>>(&mut self, value: Spanned<DeValue<'_>>) -> Option<T> {
        match T::deserialize(value.into_deserializer()) {
            Ok(v) => Some(v),
            Err(e) => {
                self.problems.push(toml_problem(self.path, self.text, &e));
                None
            }
        }
    }

    /// All elements, or `None` when one of them cannot be read.
    fn array<T: for<'de> Deserialize<'de>>(
        &mut self,
        name: &str,
        value: Spanned<DeValue<'_>>,
    ) -> Option<Vec<T>> {
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.problems.push(Problem::at_span(
                self.path,
                self.text,
                &span,
                format!("`{name}` is a single table"),
                format!("write [[{name}]] with two brackets: there may be several"),
            ));
            return None;
        };
        let read: Vec<Option<T>> = items.into_iter().map(|item| self.table(item)).collect();
        read.into_iter().collect()
    }
}

fn toml_problem(path: &Path, text: &str, error: &toml::de::Error) -> Problem {
    let remedy = "greyplane.toml in the repository documents every key";
    match error.span() {
        Some(span) => Problem::at_span(path, text, &span, error.message(), remedy),
        None => Problem::in_file(path, error.message(), remedy),
    }
}
