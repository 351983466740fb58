//! Zones: what is in force, its versions, saving, the second person.

use super::{As, Drawer, LoggedIn, Reader, given_reason};
use crate::archive::Version;
use crate::audit::{Entry, Outcome};
use crate::web::desk::{Desk, DeskFault, Edit, InForce, Mistake};
use crate::web::error::{ApiError, ErrorBody};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use std::sync::Arc;
use utoipa::ToSchema;

/// The zones in force.
#[derive(Serialize, ToSchema)]
pub(super) struct Masks {
    version: Version,
    /// A zone document: `greyplane mask schema` prints its schema.
    #[schema(value_type = Object)]
    document: Box<RawValue>,
    /// Whether what hides less needs a second person.
    four_eyes: bool,
}

/// One version and its document.
#[derive(Serialize, ToSchema)]
pub(super) struct Saved {
    version: Version,
    /// A zone document.
    #[schema(value_type = Object)]
    document: Box<RawValue>,
}

/// All versions.
#[derive(Serialize, ToSchema)]
pub(super) struct Versions {
    /// Newest first.
    versions: Vec<Version>,
}

/// What became of what was saved.
#[derive(Serialize, ToSchema)]
pub(super) struct Done {
    version: Version,
}

/// A document to put in force.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMasks {
    /// A zone document.
    #[schema(value_type = Object)]
    document: Value,
    /// Why.
    #[serde(default)]
    reason: Option<String>,
}

/// Why an older version is brought back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    /// Why.
    #[serde(default)]
    reason: Option<String>,
}

/// What a second person says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// Whether it is to be in force.
    approve: bool,
}

/// A refusal, with what an editor needs to go on.
#[derive(Serialize, ToSchema)]
pub(super) struct MasksError {
    /// What happened, a sentence.
    error: String,
    /// What to do about it.
    remedy: Option<String>,
    /// What was saved meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<Box<Version>>,
    /// What is wrong with the document.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mistakes: Vec<Mistake>,
    /// It hides less than what is in force, and nobody said why.
    needs_reason: bool,
}

/// Any refusal of these routes.
pub(super) enum Refusal {
    Plain(ApiError),
    Told(StatusCode, Box<MasksError>),
}

/// What came of something, for the record: who was refused could have known, what failed broke.
pub(super) fn came_of<T>(done: &Result<T, Refusal>) -> Outcome {
    let status = match done {
        Ok(_) => return Outcome::Done,
        Err(Refusal::Plain(error)) => error.status(),
        Err(Refusal::Told(status, _)) => *status,
    };
    match status.is_server_error() {
        true => Outcome::Failed,
        false => Outcome::Refused,
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Plain(error)
    }
}

impl From<DeskFault> for Refusal {
    fn from(fault: DeskFault) -> Self {
        let mut told = MasksError {
            error: String::new(),
            remedy: None,
            current: None,
            mistakes: Vec::new(),
            needs_reason: false,
        };
        let (status, error, remedy) = match fault {
            DeskFault::NoCamera => return ApiError::no_camera().into(),
            DeskFault::NoVersion(number) => {
                let error = format!("there is no version {number}");
                return ApiError::new(StatusCode::NOT_FOUND, error).into();
            }
            DeskFault::Conflict(current) => {
                let error = format!(
                    "{} saved version {} meanwhile",
                    current.author, current.number
                );
                told.current = Some(current);
                (
                    StatusCode::CONFLICT,
                    error,
                    "look at it, then save yours again or leave it",
                )
            }
            DeskFault::Mistakes(mistakes) => {
                told.mistakes = mistakes;
                let error = "the zones cannot be used as they are".to_owned();
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    error,
                    "mend what is named, then save again",
                )
            }
            DeskFault::NeedsReason => {
                told.needs_reason = true;
                let error = "these zones hide less than those in force".to_owned();
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    error,
                    "say why, then save again",
                )
            }
            DeskFault::NotProposed(number) => {
                let error = format!("version {number} waits for nobody");
                (StatusCode::CONFLICT, error, "look at the versions again")
            }
            DeskFault::SamePerson => {
                let error = "who saved a version cannot approve it, nor vouch for it".to_owned();
                (StatusCode::FORBIDDEN, error, "ask somebody else")
            }
            DeskFault::NoPose(why) => (
                StatusCode::CONFLICT,
                why,
                "wait until the camera tells where it looks",
            ),
            DeskFault::NotDoubted => (
                StatusCode::CONFLICT,
                "no picture contradicts this camera's position".to_owned(),
                "look at its state: it says why the picture is covered",
            ),
            DeskFault::NoPreset => {
                let error = ApiError::new(StatusCode::NOT_FOUND, "this camera has no such preset");
                let remedy =
                    "presets that are verified are named by [[camera.preset]] in the configuration";
                return error.remedy(remedy).into();
            }
            DeskFault::NotVerified(why) => (
                StatusCode::CONFLICT,
                format!("this preset is not verified: {why}"),
                "once that is so no more, let the camera rest on it, look at a clear still of it, and try again",
            ),
            DeskFault::Question(what) => {
                return ApiError::new(StatusCode::BAD_REQUEST, what).into();
            }
            DeskFault::Failed(why) => {
                tracing::error!(why, "the desk failed");
                return ApiError::internal().into();
            }
        };
        (told.error, told.remedy) = (error, Some(remedy.to_owned()));
        Self::Told(status, Box::new(told))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Plain(error) => error.into_response(),
            Self::Told(status, told) => (status, Json(told)).into_response(),
        }
    }
}

/// Files and polygons take time that answers to others do not have.
pub(super) async fn at_desk<T: Send + 'static>(
    desk: Arc<dyn Desk>,
    ask: impl FnOnce(&dyn Desk) -> Result<T, DeskFault> + Send + 'static,
) -> Result<T, Refusal> {
    let asked = tokio::task::spawn_blocking(move || ask(&*desk)).await;
    Ok(asked.map_err(|_| ApiError::internal())??)
}

fn raw(document: Vec<u8>) -> Result<Box<RawValue>, Refusal> {
    let text = String::from_utf8(document).ok();
    let raw = text.and_then(|text| RawValue::from_string(text).ok());
    raw.ok_or_else(|| ApiError::internal().into())
}

/// The version that somebody's edit was made from, as `If-Match` names it.
pub(super) fn base(headers: &HeaderMap) -> Result<String, ApiError> {
    let tag = headers.get(IF_MATCH).and_then(|v| v.to_str().ok());
    let sum = tag.and_then(|t| t.strip_prefix('"')?.strip_suffix('"'));
    sum.map(str::to_owned).ok_or_else(|| {
        ApiError::new(
            StatusCode::PRECONDITION_REQUIRED,
            "nobody can tell which version was edited",
        )
        .remedy("send its ETag as If-Match")
    })
}

fn reason(text: Option<String>) -> Result<Option<String>, ApiError> {
    let text = text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
    text.map(|text| given_reason(&text)).transpose()
}

/// Of which preset the zones are meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Of {
    preset: Option<String>,
}

impl Of {
    /// What the desk calls it.
    fn place(self, camera: String) -> String {
        match self.preset {
            Some(preset) => format!("{camera}.{preset}"),
            None => camera,
        }
    }
}

/// The zones in force.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/masks", operation_id = "masks",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("preset" = Option<String>, Query, description = "the preset's id, where zones belong to presets"),
    ),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, body = Masks, headers(("ETag" = String, description = "for If-Match"))),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
pub(super) async fn masks(
    person: As<Drawer>,
    Path(camera): Path<String>,
    Query(of): Query<Of>,
    State(desk): State<Arc<dyn Desk>>,
) -> Result<Response, Refusal> {
    person.at(&camera)?;
    let camera = of.place(camera);
    let InForce {
        version,
        document,
        four_eyes,
    } = at_desk(desk, move |desk| desk.masks(&camera)).await?;
    let tag = [(ETAG, format!("\"{}\"", version.sha256))];
    let body = Masks {
        version,
        document: raw(document)?,
        four_eyes,
    };
    Ok((tag, Json(body)).into_response())
}

/// Save zones: in force for the next frame, or proposed to a second person.
#[utoipa::path(
    put, path = "/api/v1/cameras/{camera}/masks", operation_id = "save_masks",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("preset" = Option<String>, Query, description = "the preset's id, where zones belong to presets"),
        ("If-Match" = String, Header, description = "ETag of the version that was edited"),
    ),
    request_body = NewMasks, security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, body = Done),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = MasksError, description = "somebody else saved meanwhile"),
        (status = 422, body = MasksError, description = "mistakes, or it hides less and needs a reason"),
        (status = 428, body = ErrorBody, description = "no If-Match"),
    )
)]
pub(super) async fn save(
    person: As<Drawer>,
    Path(camera): Path<String>,
    Query(of): Query<Of>,
    State(desk): State<Arc<dyn Desk>>,
    headers: HeaderMap,
    Json(new): Json<NewMasks>,
) -> Result<Json<Done>, Refusal> {
    let person = person.at(&camera)?;
    let camera = of.place(camera);
    let document = serde_json::to_vec_pretty(&new.document).map_err(|_| ApiError::internal())?;
    let edit = Edit {
        document,
        base_sha256: base(&headers)?,
        author: person.name().to_owned(),
        reason: reason(new.reason)?,
        restores: None,
    };
    store(person, desk, camera, edit).await
}

/// Saves; that it was tried is on record before, what came of it after.
async fn store(
    person: LoggedIn,
    desk: Arc<dyn Desk>,
    camera: String,
    edit: Edit,
) -> Result<Json<Done>, Refusal> {
    let object = format!("masks of {camera}");
    let entry = person.entry("ask-save-masks", object.clone());
    let entry = entry.detail("base", edit.base_sha256.clone());
    person.record(entry).await?;
    let saved = at_desk(desk, move |desk| desk.save(&camera, edit)).await;
    let entry = person.entry("masks-saved", object);
    person.note(match &saved {
        Err(_) => entry.result(came_of(&saved)),
        Ok(version) => about(entry, version),
    });
    Ok(Json(Done { version: saved? }))
}

/// What an officer wants to know of a version.
fn about(entry: Entry, version: &Version) -> Entry {
    entry
        .detail("version", version.number)
        .detail("sha256", version.sha256.clone())
        .detail("covers_less", version.covers_less)
        .detail("reason", version.reason.clone())
        .detail("restores", version.restores)
}

/// All versions, newest first.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/masks/versions", operation_id = "mask_versions",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("preset" = Option<String>, Query, description = "the preset's id, where zones belong to presets"),
    ),
    security(("session" = ["integrator", "officer", "admin"])),
    responses(
        (status = 200, body = Versions),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
pub(super) async fn versions(
    person: As<Reader>,
    Path(camera): Path<String>,
    Query(of): Query<Of>,
    State(desk): State<Arc<dyn Desk>>,
) -> Result<Json<Versions>, Refusal> {
    person.at(&camera)?;
    let camera = of.place(camera);
    let versions = at_desk(desk, move |desk| desk.versions(&camera)).await?;
    Ok(Json(Versions { versions }))
}

/// One version and its document.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/masks/versions/{number}", operation_id = "mask_version",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("number" = u32, Path, description = "the version's number"),
        ("preset" = Option<String>, Query, description = "the preset's id, where zones belong to presets"),
    ),
    security(("session" = ["integrator", "officer", "admin"])),
    responses(
        (status = 200, body = Saved),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
pub(super) async fn version(
    person: As<Reader>,
    Path((camera, number)): Path<(String, u32)>,
    Query(of): Query<Of>,
    State(desk): State<Arc<dyn Desk>>,
) -> Result<Json<Saved>, Refusal> {
    person.at(&camera)?;
    let camera = of.place(camera);
    let (version, document) = at_desk(desk, move |desk| desk.version(&camera, number)).await?;
    let document = raw(document)?;
    Ok(Json(Saved { version, document }))
}

/// Bring an older version back, as a new one.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/masks/versions/{number}/restore", operation_id = "restore_masks",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("number" = u32, Path, description = "the version's number"),
        ("preset" = Option<String>, Query, description = "the preset's id, where zones belong to presets"),
        ("If-Match" = String, Header, description = "ETag of the version in force"),
    ),
    request_body = Why, security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, body = Done),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = MasksError), (status = 422, body = MasksError), (status = 428, body = ErrorBody),
    )
)]
pub(super) async fn restore(
    person: As<Drawer>,
    Path((camera, number)): Path<(String, u32)>,
    Query(of): Query<Of>,
    State(desk): State<Arc<dyn Desk>>,
    headers: HeaderMap,
    Json(why): Json<Why>,
) -> Result<Json<Done>, Refusal> {
    let person = person.at(&camera)?;
    let camera = of.place(camera);
    let base_sha256 = base(&headers)?;
    let reason = reason(why.reason)?;
    let place = camera.clone();
    let (_, document) = at_desk(desk.clone(), move |desk| desk.version(&place, number)).await?;
    let edit = Edit {
        document,
        base_sha256,
        author: person.name().to_owned(),
        reason,
        restores: Some(number),
    };
    store(person, desk, camera, edit).await
}

/// Put a proposed version in force as its second person, or refuse it.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/masks/versions/{number}/approve", operation_id = "approve_masks",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("number" = u32, Path, description = "the version's number"),
        ("preset" = Option<String>, Query, description = "the preset's id, where zones belong to presets"),
    ),
    request_body = Decision, security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, body = Done),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = MasksError),
    )
)]
pub(super) async fn approve(
    person: As<Drawer>,
    Path((camera, number)): Path<(String, u32)>,
    Query(of): Query<Of>,
    State(desk): State<Arc<dyn Desk>>,
    Json(decision): Json<Decision>,
) -> Result<Json<Done>, Refusal> {
    let person = person.at(&camera)?;
    let camera = of.place(camera);
    let (second, approve) = (person.name().to_owned(), decision.approve);
    let object = format!("masks of {camera}");
    let entry = person.entry("ask-settle-masks", object.clone());
    let entry = entry.detail("version", number).detail("approve", approve);
    person.record(entry).await?;
    let settle = move |desk: &dyn Desk| desk.settle(&camera, number, &second, approve);
    let settled = at_desk(desk, settle).await;
    let entry = person.entry("masks-settled", object);
    person.note(match &settled {
        Err(_) => entry.result(came_of(&settled)),
        Ok(version) => about(entry, version),
    });
    let settled = settled?;
    Ok(Json(Done { version: settled }))
}
