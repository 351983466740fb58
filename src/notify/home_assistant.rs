//! Home Assistant's MQTT discovery: a device for each camera, described once in
//! retained messages, and taken away with empty ones.
//!
//! After <https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>, a topic for
//! each entity, which every version understands.

use serde_json::{Map, Value, json};

use super::mqtt::Topics;
use crate::event::{CameraState, Reason};

/// What a camera has in Home Assistant: the component, the entity's own part of its id,
/// its name, and what only it says.
fn kinds() -> [(&'static str, &'static str, &'static str, Value); 6] {
    let codes: Vec<&str> = Reason::CODES.into_iter().chain(["none"]).collect();
    [
        (
            "binary_sensor",
            "hidden",
            "Picture hidden",
            json!({
                "device_class": "problem",
                "payload_on": "ON",
                "payload_off": "OFF",
                "value_template": "{{ 'ON' if value_json.hidden else 'OFF' }}",
            }),
        ),
        (
            "binary_sensor",
            "clear_still",
            "Clear still permitted",
            json!({
                "payload_on": "ON",
                "payload_off": "OFF",
                "entity_category": "diagnostic",
                "value_template": "{{ 'ON' if value_json.clear_still_permitted else 'OFF' }}",
            }),
        ),
        (
            "sensor",
            "state",
            "State",
            json!({
                "device_class": "enum",
                "options": CameraState::NAMES,
                "value_template": "{{ value_json.state }}",
            }),
        ),
        (
            "sensor",
            "reason",
            "Reason",
            json!({
                "device_class": "enum",
                "options": codes,
                "value_template": "{{ value_json.code or 'none' }}",
            }),
        ),
        (
            "sensor",
            "viewers",
            "Viewers",
            json!({
                "state_class": "measurement",
                "value_template": "{{ value_json.viewers }}",
            }),
        ),
        (
            "sensor",
            "covered",
            "Covered",
            json!({
                "device_class": "duration",
                "state_class": "total_increasing",
                "unit_of_measurement": "s",
                "entity_category": "diagnostic",
                "value_template": "{{ value_json.covered_s }}",
            }),
        ),
    ]
}

/// The topics of what `camera` has, under `prefix`, and what they hold.
pub(super) fn entities(prefix: &str, topics: &Topics, camera: &str) -> Vec<(String, Value)> {
    let device = device_id(topics, camera);
    let whole = kinds().into_iter().map(|(component, part, name, own)| {
        let id = format!("{device}_{part}");
        let mut entity = Map::from_iter([
            ("name".to_owned(), json!(name)),
            ("unique_id".to_owned(), json!(id)),
            ("state_topic".to_owned(), json!(topics.camera(camera))),
            (
                "availability_topic".to_owned(),
                json!(topics.availability()),
            ),
            ("payload_available".to_owned(), json!("online")),
            ("payload_not_available".to_owned(), json!("offline")),
            ("qos".to_owned(), json!(1)),
            (
                "device".to_owned(),
                json!({
                    "identifiers": [device],
                    "name": camera,
                    "manufacturer": "greyplane",
                    "model": "Masked camera",
                    "sw_version": env!("CARGO_PKG_VERSION"),
                }),
            ),
            (
                "origin".to_owned(),
                json!({ "name": "greyplane", "sw_version": env!("CARGO_PKG_VERSION") }),
            ),
        ]);
        if part == "reason" {
            let all = json!(topics.camera(camera));
            entity.insert("json_attributes_topic".to_owned(), all);
        }
        if let Value::Object(own) = own {
            entity.extend(own);
        }
        (
            format!("{prefix}/{component}/{id}/config"),
            Value::Object(entity),
        )
    });
    whole.collect()
}

/// One of its own among all gateways whose topics differ; of letters, digits, `-` and `_`.
fn device_id(topics: &Topics, camera: &str) -> String {
    format!("{}_{camera}", topics.prefix().replace('/', "_"))
}
