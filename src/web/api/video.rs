//! Watching a camera's masked stream in a browser: WHEP (draft-ietf-wish-whep),
//! or a WebSocket where nothing comes through over UDP.

use super::{As, Session, Viewer};
use crate::web::accounts::Person;
use crate::web::error::{ApiError, ErrorBody};
use crate::web::live::{self, LARGEST_MESSAGE};
use crate::web::watching::{Watches, short};
use crate::web::{CannotWatch, Gateway};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
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
        .detail("watching", short(&watching.id))
        .detail("way", "webrtc");
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

/// Watch over a WebSocket: the stream's form as text (`{"mime": …}`), then
/// fragmented MP4. Asked without an upgrade it says whether one may watch.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/live", operation_id = "watch_live",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["observer", "integrator", "admin"])),
    responses(
        (status = 101, description = "text: the form; binary: the init segment, then a frame each, from a key frame \
            on. Closed with 4401 when the login is over, 4404 when the camera is gone, 1001 when the gateway ends"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
        (status = 403, body = ErrorBody, description = "not for this role, or from another site"),
        (status = 404, body = ErrorBody, description = "no such camera for this account"),
        (status = 426, body = ErrorBody, description = "one may watch, but this is no WebSocket"),
        (status = 503, body = ErrorBody, description = "too many viewers, the gateway is ending, or it cannot be recorded"),
    )
)]
pub(super) async fn watch_live(
    person: As<Viewer>,
    session: Session,
    Path(camera): Path<String>,
    State(gateway): State<Arc<dyn Gateway>>,
    State(watches): State<Watches>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let person = person.at(&camera)?;
    let watching = gateway.watch_live(&camera).map_err(refused)?;
    let upgrade = upgrade.map_err(|_| {
        let what = "this camera is shown over a WebSocket here";
        ApiError::new(StatusCode::UPGRADE_REQUIRED, what).remedy("ask for an upgrade")
    })?;
    let id = watching.id.clone();
    let begun = person
        .entry("watch", format!("camera {camera}"))
        .detail("watching", short(&id))
        .detail("way", "websocket");
    person.record(begun).await?;
    let login = session.session.id().map(|id| id.to_string());
    let who = person.person.clone();
    watches.begin(&id, &camera, person.person, person.origin, login);
    // Also where the connection ends before it is a WebSocket.
    let open = OpenWatch {
        watches,
        id,
        camera,
        who,
    };
    let upgrade = upgrade
        .max_message_size(LARGEST_MESSAGE)
        .max_frame_size(LARGEST_MESSAGE);
    Ok(upgrade.on_upgrade(async move |socket| {
        live::send(socket, watching).await;
        drop(open);
    }))
}

/// A watching that ends with its connection.
struct OpenWatch {
    watches: Watches,
    id: String,
    camera: String,
    who: Person,
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        // False where it was over before.
        self.watches.end(&self.id, &self.camera, &self.who);
    }
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
