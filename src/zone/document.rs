//! The zone document as it stands in a file: JSON, `format: 1`.
//!
//! These types say what is written; what may be written is checked in
//! [`read`](super::read). The published schema is made from them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Mode;

/// The only format there is.
pub const FORMAT: u32 = 1;

/// The private places of one camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "greyplane zone document")]
pub struct Document {
    /// Always 1. Other formats are refused.
    #[schemars(range(min = 1, max = 1))]
    pub format: u32,
    /// The id of the camera these zones were drawn for; another camera refuses
    /// the document.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub camera: String,
    /// Why this camera may see everything. Needed when, and only allowed when,
    /// `zones` is empty: an empty file must not uncover a street.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub nothing_private: Option<String>,
    /// The zones. At most 100,000 points in all.
    pub zones: Vec<Zone>,
    /// Positions of the camera at which zones are corrected. At most 1000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1000))]
    pub presets: Vec<Preset>,
}

/// One private place, or one place that may be seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Zone {
    /// Unique in the document: letters, digits, `.`, `_` and `-`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub name: Option<String>,
    /// `hide`: the inside is hidden. `show-only`: everything outside all
    /// show-only zones is hidden.
    pub mode: Mode,
    /// Where it is.
    pub shape: Shape,
}

/// The outline of a zone: 3 to 10,000 points, in either order, closed by
/// itself, that do not cross or touch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// A polygon of directions around the camera, which turns along with it.
    /// Edges are great circles: straight where the picture is not distorted. It
    /// must fit in a cap of 80° radius; the inside is the smaller side.
    Sphere {
        /// The corners.
        #[schemars(length(min = 3, max = 10_000))]
        points: Vec<SpherePoint>,
    },
    /// A polygon of points of the picture, for a camera that does not move (or
    /// for what moves along with it).
    Image {
        /// The corners.
        #[schemars(length(min = 3, max = 10_000))]
        points: Vec<PicturePoint>,
    },
}

/// A direction from the camera.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpherePoint {
    /// Degrees clockwise seen from above.
    #[schemars(range(min = -360.0, max = 360.0))]
    pub pan_deg: f64,
    /// Degrees above the horizon.
    #[schemars(range(min = -90.0, max = 90.0))]
    pub tilt_deg: f64,
}

/// A point of the picture in fractions of its width and height.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PicturePoint {
    /// 0 is the left edge, 1 the right one. May reach one frame beyond.
    #[schemars(range(min = -1.0, max = 2.0))]
    pub x: f64,
    /// 0 is the top edge, 1 the bottom one. May reach one frame beyond.
    #[schemars(range(min = -1.0, max = 2.0))]
    pub y: f64,
}

/// A position of the camera at which zones are corrected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Unique among the presets: letters, digits, `.`, `_` and `-`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 200))]
    pub name: Option<String>,
    /// Degrees clockwise seen from above.
    #[schemars(range(min = -360.0, max = 360.0))]
    pub pan_deg: f64,
    /// Degrees above the horizon.
    #[schemars(range(min = -180.0, max = 180.0))]
    pub tilt_deg: f64,
    /// In the camera profile's unit. Trims are angles and apply at every zoom.
    pub zoom: f64,
    /// What is corrected here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trims: Vec<Trim>,
}

/// A small correction of one zone near one preset.
///
/// It turns the zone as if the camera stood `pan_deg` further left and
/// `tilt_deg` lower than it says, so that the zone moves right and up in the
/// picture. It grows from nothing at 2° from the preset to all of itself at
/// 0.25°; until the camera stands within 0.05° of the preset, the zone stays
/// hidden where it was without the trim as well, and everything between.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Trim {
    /// The zone's id.
    pub zone: String,
    /// Degrees to the right.
    #[schemars(range(min = -5.0, max = 5.0))]
    pub pan_deg: f64,
    /// Degrees upwards.
    #[schemars(range(min = -5.0, max = 5.0))]
    pub tilt_deg: f64,
}

impl Document {
    /// The JSON Schema that `greyplane mask schema` prints and `masks/` holds.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    /// As JSON text, to be written to a file. Numbers that are not finite come
    /// out as `null` and are refused when read back.
    ///
    /// # Errors
    /// What serde reports; nothing in these types can cause it.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}
