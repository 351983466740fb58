//! A camera whose pictures contradicted its position, believed again.

use super::masks::{MasksError, Refusal, at_desk, came_of};
use super::{As, Drawer, given_reason};
use crate::web::desk::Desk;
use crate::web::error::ErrorBody;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Why a position is right although the pictures contradicted it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Belief {
    /// Why.
    reason: String,
}

/// Believe where a camera says it looks, although its pictures contradicted it. It may show
/// private places if that is wrong: on record, with the reason, before it is done.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/position/believe", operation_id = "believe_position",
    params(("camera" = String, Path, description = "the camera's id")),
    request_body = Belief, security(("session" = ["integrator", "admin"])),
    responses(
        (status = 204, description = "believed; the next contradiction covers again"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = MasksError, description = "no picture contradicts it"),
        (status = 422, body = ErrorBody, description = "no reason, or one that is too long"),
        (status = 503, body = ErrorBody, description = "it cannot be recorded"),
    )
)]
pub(super) async fn believe(
    person: As<Drawer>,
    Path(camera): Path<String>,
    State(desk): State<Arc<dyn Desk>>,
    Json(asked): Json<Belief>,
) -> Result<StatusCode, Refusal> {
    let person = person.at(&camera)?;
    let reason = given_reason(&asked.reason)?;
    let object = format!("camera {camera}");
    let entry = person.entry("ask-believe-position", object.clone());
    let entry = entry.detail("reason", reason.clone());
    person.record(entry).await?;
    let believed = at_desk(desk, move |desk| desk.believe(&camera)).await;
    let entry = person.entry("position-believed", object);
    let entry = entry.detail("reason", reason);
    person.note(entry.result(came_of(&believed)));
    believed?;
    Ok(StatusCode::NO_CONTENT)
}
