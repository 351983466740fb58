//! The documents that are sent. Integrators build on them: a field is added, never
//! renamed, and [`FORMAT`] grows when one goes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// The format of all documents.
pub const FORMAT: u32 = 1;

/// What one camera does now: sent whenever it changes, kept by the broker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct CameraReport {
    /// Always 1.
    pub format: u32,
    /// Its id.
    pub camera: String,
    /// `live`, `widened`, `covered` or `no-signal`.
    pub state: String,
    /// Whether the whole picture is hidden, or none comes.
    pub hidden: bool,
    /// Why, as one stable word; null where it is not hidden.
    pub code: Option<String>,
    /// Why, for people; null where it is not hidden.
    pub reason: Option<String>,
    /// How many watch now. Nobody's name.
    pub viewers: u32,
    /// Frames a second that leave.
    pub fps: f64,
    /// Seconds wholly covered since the camera's start.
    pub covered_s: f64,
    /// The same, by reason.
    pub covered_by_reason_s: BTreeMap<String, f64>,
    /// Seconds not wholly covered since the camera's start.
    pub live_s: f64,
    /// Frames that left after their budget: always 0, or it is a fault of ours.
    pub late_frames: u64,
    /// Alarms: painted frames that did not read back as hidden, and were covered.
    pub read_back_failures: u64,
    /// Whether a clear still may be taken now, because somebody permitted it.
    pub clear_still_permitted: bool,
    /// Servers that the masked stream should be pushed to and that do not take it.
    pub publications_down: u32,
}

/// The gateway as a whole: sent whenever it changes, kept by the broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GatewayReport {
    /// Always 1.
    pub format: u32,
    /// greyplane's version.
    pub version: String,
    /// How many cameras are configured.
    pub cameras: u32,
    /// How many of them are wholly hidden now.
    pub hidden: u32,
    /// Whether the last reload was refused: what is configured is not what runs.
    pub last_reload_refused: bool,
    /// Whether the audit log can be written; null where there is none.
    pub audit_writable: Option<bool>,
}

/// Something that happened once. Fields that say nothing of it are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Told {
    /// Always 1.
    pub format: u32,
    /// When, RFC 3339, UTC, the gateway's clock.
    pub at: String,
    /// What: `state-changed`, `stream-up`, `stream-down`, `viewer-joined`, `viewer-left`,
    /// `publication-up`, `publication-down`, `read-back-failed`, `frames-dropped`,
    /// `telemetry-fault`, `detector-fault`, `camera-removed`, `reloaded`, `reload-refused`.
    pub event: String,
    /// The camera's id, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// The state it is in now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Why, as one stable word: of a covered picture, or of dropped frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why the picture is covered, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many watch now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub viewers: Option<u32>,
    /// The publication's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publication: Option<String>,
    /// How many frames were dropped since the last such event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

impl Told {
    /// An event that nothing more is known of.
    pub fn new(at: String, event: &str) -> Self {
        Self {
            format: FORMAT,
            at,
            event: event.to_owned(),
            ..Self::default()
        }
    }
}

/// The documents' JSON Schemas, by their names, as `assets/events/schema.json` holds them.
pub fn schema() -> serde_json::Value {
    serde_json::json!({
        "camera": schemars::schema_for!(CameraReport),
        "gateway": schemars::schema_for!(GatewayReport),
        "event": schemars::schema_for!(Told),
    })
}

/// `document` as it is sent. These have string keys only, which cannot fail; an empty
/// object would be seen.
pub(super) fn json(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).unwrap_or_else(|_| b"{}".to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_file_is_what_is_sent() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/events/schema.json");
        let text = format!("{:#}\n", schema());
        if std::env::var_os("GREYPLANE_WRITE_SCHEMA").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            text,
            "run this test with GREYPLANE_WRITE_SCHEMA=1 and look at the difference"
        );
    }
}
