//! Proof packs: what a camera hides, signed, to be handed on.

use super::masks::{Refusal, at_desk};
use super::{As, Auditor, Shared};
use crate::web::desk::ProofQuestion;
use crate::web::error::{ApiError, ErrorBody};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// After so long it is worth asking again, seconds.
const AGAIN_S: u64 = 10;

/// Which period, and in which language.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Question {
    /// The first day (UTC), `2026-11-01`, or an instant (RFC 3339).
    from: String,
    /// The last day, with all of its hours, or an instant.
    to: String,
    /// `nl` or `en`.
    lang: String,
}

/// A proof pack of a camera: one HTML file that needs nothing else, signed with the
/// audit log's key. One is made at a time.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/proof", operation_id = "proof",
    params(("camera" = String, Path), Question),
    security(("session" = ["officer", "admin"])),
    responses(
        (status = 200, description = "the pack", content_type = "text/html"),
        (status = 400, body = ErrorBody, description = "no such period or language"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
        (status = 403, body = ErrorBody, description = "not for this role"),
        (status = 404, body = ErrorBody, description = "no such camera for this account"),
        (status = 429, body = ErrorBody, description = "another pack is being made"),
        (status = 503, body = ErrorBody, description = "it cannot be recorded, so it is not sent"),
    )
)]
pub(super) async fn proof(
    person: As<Auditor>,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
    asked: Result<Query<Question>, QueryRejection>,
) -> Result<Response, Refusal> {
    let person = person.at(&camera)?;
    let Query(Question { from, to, lang }) =
        asked.map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    let turn = shared.proofs.clone().try_acquire_owned().map_err(|_| {
        let what = "another proof pack is being made";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, what)
            .remedy("try again in a moment")
            .retry_after_s(AGAIN_S)
    })?;
    let question = ProofQuestion { from, to, lang };
    let of = camera.clone();
    let wanted = question.clone();
    let pack = at_desk(shared.desk, move |desk| {
        let made = desk.proof(&of, &wanted);
        // Not before it ends, even where nobody waits for it any more.
        drop(turn);
        made
    })
    .await?;
    let sha256 = hex::encode(Sha256::digest(&pack));
    let entry = person
        .entry("proof-pack", format!("camera {camera}"))
        .detail("from", question.from)
        .detail("to", question.to)
        .detail("file_sha256", sha256);
    person.record(entry).await?;
    let name = format!("attachment; filename=\"greyplane-proof-{camera}.html\"");
    let head = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, name),
    ];
    Ok((head, pack).into_response())
}
