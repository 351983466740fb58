//! Presets of a camera that cannot tell where it looks: who vouches for them.

use super::masks::{MasksError, Refusal, at_desk, base, came_of};
use super::still::SettingUp;
use super::{As, Reader, given_reason};
use crate::web::desk::{Desk, DeskFault, PresetView, Vouch};
use crate::web::error::ErrorBody;
use crate::web::stills::Permits;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The presets of a camera.
#[derive(Serialize, ToSchema)]
pub(super) struct VerifiedPresets {
    /// In the configuration's order.
    presets: Vec<PresetView>,
}

/// Why nobody vouches by what others saw.
const NOT_SEEN: &str = "you were not given that clear still by this gateway: fetch one yourself";

/// What somebody vouches for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewVouch {
    /// The clear still that they looked at: `still` in its `Greyplane-View`.
    still: String,
    /// Why: for example where the zones were compared, and what time of the day it is.
    reason: String,
}

/// The presets of a camera that cannot tell where it looks, and who vouched for them.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/verified", operation_id = "verified_presets",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "officer", "admin"])),
    responses(
        (status = 200, body = VerifiedPresets),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "no such camera, or it has no presets of this kind"),
    )
)]
pub(super) async fn presets(
    person: As<Reader>,
    Path(camera): Path<String>,
    State(desk): State<Arc<dyn Desk>>,
) -> Result<Json<VerifiedPresets>, Refusal> {
    person.at(&camera)?;
    let presets = at_desk(desk, move |desk| desk.presets(&camera)).await?;
    Ok(Json(VerifiedPresets { presets }))
}

/// Vouch that the camera rests on this preset, and that its zones fit what a clear still
/// showed. Its picture is shown from then on, wherever it looks the same: on record, with the
/// reason, before it is done. Takes three seconds, in which the picture must stand still.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/verified/{preset}", operation_id = "verify_preset",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("preset" = String, Path, description = "the preset's id"),
        ("If-Match" = String, Header, description = "ETag of the version of its zones that fits"),
    ),
    request_body = NewVouch, security(("session" = ["integrator"])),
    responses(
        (status = 204, description = "verified"),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 403, body = MasksError, description = "not for this role; with `four_eyes`, not by who saved the zones"),
        (status = 409, body = MasksError, description = "the picture does not bear it out, they were not given that still, or there are other zones by now"),
        (status = 422, body = ErrorBody, description = "no reason, or one that is too long"),
        (status = 428, body = ErrorBody, description = "no If-Match"),
        (status = 503, body = ErrorBody, description = "it cannot be recorded"),
    )
)]
pub(super) async fn verify(
    person: As<SettingUp>,
    Path((camera, preset)): Path<(String, String)>,
    State(desk): State<Arc<dyn Desk>>,
    State(permits): State<Permits>,
    headers: HeaderMap,
    Json(asked): Json<NewVouch>,
) -> Result<StatusCode, Refusal> {
    let person = person.at(&camera)?;
    let vouch = Vouch {
        still: asked.still,
        base_sha256: base(&headers)?,
        by: person.name().to_owned(),
        reason: given_reason(&asked.reason)?,
    };
    let object = format!("preset {preset} of {camera}");
    let about = |action| {
        person
            .entry(action, object.clone())
            .detail("reason", vouch.reason.clone())
            .detail("sha256", vouch.base_sha256.clone())
            .detail("still", vouch.still.clone())
    };
    person.record(about("ask-verify-preset")).await?;
    let verified = match permits.saw(&camera, &vouch.still, person.name()) {
        true => {
            let given = vouch.clone();
            at_desk(desk, move |desk| desk.verify(&camera, &preset, &given)).await
        }
        false => Err(DeskFault::NotVerified(NOT_SEEN.to_owned()).into()),
    };
    person.note(about("preset-verified").result(came_of(&verified)));
    verified?;
    Ok(StatusCode::NO_CONTENT)
}

/// Vouch no more: the picture is covered there until somebody verifies the preset again.
#[utoipa::path(
    delete, path = "/api/v1/cameras/{camera}/verified/{preset}", operation_id = "withdraw_preset",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("preset" = String, Path, description = "the preset's id"),
    ),
    security(("session" = ["integrator", "officer", "admin"])),
    responses(
        (status = 204, description = "nobody vouches for it any more"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
pub(super) async fn withdraw(
    person: As<Reader>,
    Path((camera, preset)): Path<(String, String)>,
    State(desk): State<Arc<dyn Desk>>,
) -> Result<StatusCode, Refusal> {
    let person = person.at(&camera)?;
    let entry = person.entry("preset-withdrawn", format!("preset {preset} of {camera}"));
    // What hides more is done even where it cannot be recorded: losses are counted.
    let withdrawn = at_desk(desk, move |desk| desk.withdraw(&camera, &preset)).await;
    person.note(entry.result(came_of(&withdrawn)));
    withdrawn?;
    Ok(StatusCode::NO_CONTENT)
}
