//! How a camera looks: for drawing zones over its picture.

use super::masks::{Refusal, at_desk};
use super::{As, Drawer, Shared};
use crate::web::desk::{CameraView, Desk, DeskFault};
use crate::web::error::ErrorBody;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Between two messages.
const EVERY: Duration = Duration::from_millis(100);
/// After so many a browser has to come again, and to show its session again.
const MESSAGES: u32 = 300;

/// How a camera looks now.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/view", operation_id = "view",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, body = CameraView),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "nobody knows where it looks"),
    )
)]
pub(super) async fn view(
    person: As<Drawer>,
    Path(camera): Path<String>,
    State(desk): State<Arc<dyn Desk>>,
) -> Result<Json<CameraView>, Refusal> {
    person.at(&camera)?;
    Ok(Json(at_desk(desk, move |desk| desk.view(&camera)).await?))
}

/// The same ten times a second, as server-sent events; `unknown` while nobody
/// knows where the camera looks.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/view/stream", operation_id = "view_stream",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
pub(super) async fn stream(
    person: As<Drawer>,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let person = person.at(&camera)?;
    if let Err(DeskFault::NoCamera) = shared.desk.view(&camera) {
        return Err(DeskFault::NoCamera.into());
    }
    let person = person.person;
    let messages = unfold(0, move |sent: u32| {
        let (shared, camera, person) = (shared.clone(), camera.clone(), person.clone());
        async move {
            tokio::time::sleep(EVERY).await;
            let now = shared.accounts.person(&person.user.name);
            if sent >= MESSAGES || !now.is_some_and(|now| now.is_still(&person)) {
                return None;
            }
            Some((Ok(message(shared.desk.view(&camera))), sent + 1))
        }
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::default()))
}

fn message(view: Result<CameraView, DeskFault>) -> Event {
    let unknown = |why: &str| {
        let event = Event::default().event("unknown");
        event.data(json!({ "why": why }).to_string())
    };
    match view {
        Ok(view) => match serde_json::to_string(&view) {
            Ok(text) => Event::default().data(text),
            Err(_) => unknown("it cannot be told"),
        },
        Err(DeskFault::NoPose(why)) => unknown(&why),
        Err(_) => unknown("the camera is gone"),
    }
}
