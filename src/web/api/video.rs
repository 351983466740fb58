//! Watching a camera's masked stream in a browser: WHEP (draft-ietf-wish-whep).

use super::{As, Session, Viewer};
use crate::web::error::{ApiError, ErrorBody};
use crate::web::watching::{Watches, short};
use crate::web::{CannotWatch, Gateway};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const SDP: &str = "application/sdp";

/// Watch: an offer (SDP) for an answer.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/whep", operation_id = "watch",
    params(("camera" = String, Path, description = "the camera's id")),
    request_body(content = String, content_type = "application/sdp"),
    security(("session" = ["observer", "integrator", "admin"])),
    responses(
        (status = 201, content_type = "application/sdp", body = String,
         headers(("Location" = String, description = "what to DELETE in the end")),
         description = "the answer; the video follows over UDP"),
        (status = 400, body = ErrorBody, description = "no offer that can be answered"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
        (status = 403, body = ErrorBody, description = "not for this role"),
        (status = 404, body = ErrorBody, description = "no such camera for this account"),
        (status = 409, body = ErrorBody, description = "the browser does not take H.264"),
        (status = 415, body = ErrorBody, description = "not application/sdp"),
        (status = 503, body = ErrorBody, description = "too many viewers, the gateway is ending, or it cannot be recorded"),
    )
)]
pub(super) async fn watch(
    person: As<Viewer>,
    session: Session,
    Path(camera): Path<String>,
    State(gateway): State<Arc<dyn Gateway>>,
    State(watches): State<Watches>,
    headers: HeaderMap,
    offer: String,
) -> Result<Response, ApiError> {
    let person = person.at(&camera)?;
    let object = format!("camera {camera}");
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if kind.is_none_or(|kind| kind.split(';').next() != Some(SDP)) {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::new(status, "an offer is application/sdp"));
    }
    let of = camera.clone();
    // Making the answer takes milliseconds that other requests do not have.
    let asks = gateway.clone();
    let asked = tokio::task::spawn_blocking(move || asks.watch(&of, &offer));
    let watching = asked
        .await
        .map_err(|_| ApiError::internal())?
        .map_err(refused)?;
    let login = session.session.id().map(|id| id.to_string());
    // Nothing is shown before the browser has the answer.
    let begun = person
        .entry("watch", object)
        .detail("watching", short(&watching.id));
    if let Err(error) = person.record(begun).await {
        gateway.unwatch(&watching.id);
        return Err(error);
    }
    watches.begin(&watching.id, &camera, person.person, person.origin, login);
    let location = format!("/api/v1/cameras/{camera}/whep/{}", watching.id);
    let head = [(CONTENT_TYPE, SDP.to_owned()), (LOCATION, location)];
    Ok((StatusCode::CREATED, head, watching.answer).into_response())
}

fn refused(why: CannotWatch) -> ApiError {
    let status = match why {
        CannotWatch::NoCamera => return ApiError::no_camera(),
        CannotWatch::NotAnOffer(_) => StatusCode::BAD_REQUEST,
        CannotWatch::NoH264 => StatusCode::CONFLICT,
        CannotWatch::TooMany | CannotWatch::Ending => StatusCode::SERVICE_UNAVAILABLE,
    };
    let remedy = match why {
        CannotWatch::NoH264 => "use a browser that plays H.264",
        CannotWatch::TooMany => "close a picture elsewhere, or try again later",
        _ => "try again",
    };
    ApiError::new(status, why.to_string()).remedy(remedy)
}

/// Watch no longer.
#[utoipa::path(
    delete, path = "/api/v1/cameras/{camera}/whep/{watching}", operation_id = "unwatch",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("watching" = String, Path, description = "as Location named it"),
    ),
    security(("session" = ["observer", "integrator", "admin"])),
    responses(
        (status = 204, description = "ended"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
        (status = 403, body = ErrorBody, description = "not for this role"),
        (status = 404, body = ErrorBody, description = "this account watches nothing of that name"),
    )
)]
pub(super) async fn unwatch(
    person: As<Viewer>,
    Path((camera, watching)): Path<(String, String)>,
    State(watches): State<Watches>,
) -> Result<StatusCode, ApiError> {
    let person = person.at(&camera)?;
    match watches.end(&watching, &camera, &person.person) {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::new(
            StatusCode::NOT_FOUND,
            "nothing of that name is watched",
        )),
    }
}
