//! What the mask editor asks of the gateway.

use crate::archive::Version;
use serde::Serialize;
use utoipa::ToSchema;

/// Where zones are kept, checked and put in force.
pub trait Desk: Send + Sync {
    /// The zones in force of a camera.
    ///
    /// # Errors
    /// [`DeskFault`].
    fn masks(&self, camera: &str) -> Result<InForce, DeskFault>;

    /// All versions, newest first.
    ///
    /// # Errors
    /// [`DeskFault`].
    fn versions(&self, camera: &str) -> Result<Vec<Version>, DeskFault>;

    /// One version and its document (JSON).
    ///
    /// # Errors
    /// [`DeskFault`].
    fn version(&self, camera: &str, number: u32) -> Result<(Version, Vec<u8>), DeskFault>;

    /// Saves a document; it is in force for the next frame, or proposed.
    ///
    /// # Errors
    /// [`DeskFault`]; nothing is changed then.
    fn save(&self, camera: &str, edit: Edit) -> Result<Version, DeskFault>;

    /// A second person puts a proposed version in force, or refuses it.
    ///
    /// # Errors
    /// [`DeskFault`]; nothing is changed then.
    fn settle(
        &self,
        camera: &str,
        number: u32,
        second: &str,
        approve: bool,
    ) -> Result<Version, DeskFault>;

    /// How a camera looks now.
    ///
    /// # Errors
    /// [`DeskFault::NoPose`] while nobody knows.
    fn view(&self, camera: &str) -> Result<CameraView, DeskFault>;

    /// A camera's positions are believed again although its pictures contradicted them.
    ///
    /// # Errors
    /// [`DeskFault::NotDoubted`] where they are believed.
    fn believe(&self, camera: &str) -> Result<(), DeskFault>;

    /// The presets of a camera that cannot tell where it looks.
    ///
    /// # Errors
    /// [`DeskFault::NoPreset`] where it has none.
    fn presets(&self, camera: &str) -> Result<Vec<PresetView>, DeskFault>;

    /// Somebody vouches that what is seen now is this preset, and that its zones fit. Takes
    /// seconds.
    ///
    /// # Errors
    /// [`DeskFault::NotVerified`] where the picture does not bear it out, or where its zones
    /// are others by now.
    fn verify(&self, camera: &str, preset: &str, vouch: &Vouch) -> Result<(), DeskFault>;

    /// Nobody vouches for a preset any more; whether anybody did.
    ///
    /// # Errors
    /// [`DeskFault::NoPreset`].
    fn withdraw(&self, camera: &str, preset: &str) -> Result<bool, DeskFault>;

    /// A proof pack of a camera: a signed HTML file. Takes seconds.
    ///
    /// # Errors
    /// [`DeskFault::Question`] for what is no period or no language.
    fn proof(&self, camera: &str, question: &ProofQuestion) -> Result<Vec<u8>, DeskFault>;
}

/// A preset of a camera that cannot tell where it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PresetView {
    /// Its id.
    pub id: String,
    /// What people call it.
    #[schema(required)]
    pub name: Option<String>,
    /// Who vouched for it with the zones in force, the first one first. None: the picture is
    /// covered there.
    pub verified: Vec<VerifiedView>,
    /// Whether the camera rests on it now.
    pub resting: bool,
}

/// Somebody vouched for a preset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct VerifiedView {
    /// Who.
    pub by: String,
    /// When (RFC 3339).
    pub at: String,
    /// Why.
    pub reason: String,
}

/// Somebody vouches for a preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouch {
    /// The clear still that they looked at: `still` of its view.
    pub still: String,
    /// SHA-256 of the version of the zones that fits, hexadecimal.
    pub base_sha256: String,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What a proof pack is asked for, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofQuestion {
    /// The first day (UTC), or an instant (RFC 3339).
    pub from: String,
    /// The last day, or an instant.
    pub to: String,
    /// `nl` or `en`.
    pub lang: String,
}

/// The zones in force.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Their version.
    pub version: Version,
    /// Their document (JSON).
    pub document: Vec<u8>,
    /// Whether what hides less needs a second person.
    pub four_eyes: bool,
}

/// A document that somebody wants in force.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The document (JSON).
    pub document: Vec<u8>,
    /// SHA-256 of the version it was made from, hexadecimal.
    pub base_sha256: String,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: Option<String>,
    /// The version whose document it is.
    pub restores: Option<u32>,
}

/// One mistake in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Mistake {
    /// Where, as `zones[3].shape.points[17].tilt_deg`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

/// Why the desk does not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskFault {
    /// No such camera.
    NoCamera,
    /// No such version.
    NoVersion(u32),
    /// Somebody else saved meanwhile: this.
    Conflict(Box<Version>),
    /// The document cannot be used.
    Mistakes(Vec<Mistake>),
    /// It hides less than what is in force, and nobody said why.
    NeedsReason,
    /// That version waits for nobody.
    NotProposed(u32),
    /// Who saved a version cannot be its second person.
    SamePerson,
    /// Nobody knows where the camera looks.
    NoPose(String),
    /// No picture contradicts where the camera says it looks.
    NotDoubted,
    /// It has no such preset.
    NoPreset,
    /// The picture does not bear out what somebody vouches for, or nothing else does.
    NotVerified(String),
    /// What was asked means nothing.
    Question(String),
    /// Files could not be read or written.
    Failed(String),
}

/// How a camera looks: what is needed to draw directions into its picture.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum CameraView {
    /// It never moves.
    Fixed {
        /// Width and height of its picture, pixels.
        size: (u32, u32),
        /// `live`, `widened`, `covered` or `no-signal`.
        state: &'static str,
        /// Why, where there is a reason.
        #[schema(required)]
        reason: Option<Why>,
    },
    /// It turns and cannot tell where it looks; its picture shows whether it rests on a
    /// preset.
    Presets {
        /// Width and height of its picture, pixels.
        size: (u32, u32),
        /// The id of the preset on which it rests, if it is known.
        #[schema(required)]
        resting: Option<String>,
        /// On a clear still: what names it to whoever vouches for a preset.
        #[schema(required)]
        still: Option<String>,
        /// `live`, `widened`, `covered` or `no-signal`.
        state: &'static str,
        /// Why, where there is a reason.
        #[schema(required)]
        reason: Option<Why>,
    },
    /// It turns: p = K · distortion · roll · tilt · pan · mount · direction.
    Turning {
        /// Width and height of its picture, pixels.
        size: (u32, u32),
        /// To the right, any turn.
        pan_deg: f64,
        /// Upwards.
        tilt_deg: f64,
        /// Clockwise about its axis.
        roll_deg: f64,
        /// The profile's unit; null where nobody knows.
        #[schema(required)]
        zoom: Option<f64>,
        /// Horizontal field of view.
        hfov_deg: f64,
        /// Focal length, pixels.
        focal_px: f64,
        /// Radial distortion.
        k1: f64,
        /// Radial distortion, fourth power.
        k2: f64,
        /// How its base stands.
        mount: MountView,
        /// Whether it turns or zooms right now.
        moving: bool,
        /// By how much zones grow now.
        margin_deg: f64,
        /// `live`, `widened`, `covered` or `no-signal`.
        state: &'static str,
        /// Why, where there is a reason.
        #[schema(required)]
        reason: Option<Why>,
    },
}

/// Why a picture is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Why {
    /// A stable name, the key of the status' `covered_s`.
    pub code: &'static str,
    /// A short text.
    pub detail: String,
}

/// How a camera's base stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct MountView {
    /// Where the head's pan 0 looks.
    pub pan_deg: f64,
    /// How far the base leans at pan 0, upwards.
    pub pitch_deg: f64,
    /// How far the base leans to its right.
    pub roll_deg: f64,
    /// Hung from a ceiling.
    pub ceiling: bool,
}
