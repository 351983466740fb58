//! The true private places as a mask document.

use serde_json::json;

use super::config::SimConfig;
use super::lens::pan_tilt;
use super::scene::private::private_places;

/// The mask document (JSON, format 1) of a camera: the exact outlines of what
/// `canary` paints. A clip has none.
pub fn document(config: &SimConfig) -> String {
    let zones: Vec<_> = if config.clip.is_some() {
        Vec::new()
    } else {
        private_places()
            .into_iter()
            .map(|place| {
                let points: Vec<_> = place
                    .outline
                    .iter()
                    .map(|&d| {
                        let (pan_deg, tilt_deg) = pan_tilt(d);
                        json!({"pan_deg": pan_deg, "tilt_deg": tilt_deg})
                    })
                    .collect();
                json!({
                    "id": place.id,
                    "name": place.name,
                    "mode": "hide",
                    "shape": {"type": "sphere", "points": points},
                })
            })
            .collect()
    };
    let document = json!({"format": 1, "camera": config.id, "zones": zones});
    format!("{document:#}\n")
}
