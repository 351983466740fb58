//! What the cameras do now.

use super::LoggedIn;
use crate::web::error::ErrorBody;
use crate::web::{Gateway, GatewayStatus};
use axum::Json;
use axum::extract::State;
use std::sync::Arc;

/// What the cameras do now: those that this account may see.
#[utoipa::path(
    get, path = "/api/v1/status", operation_id = "status", security(("session" = [])),
    responses(
        (status = 200, body = GatewayStatus, description = "now"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
    )
)]
pub(super) async fn status(
    LoggedIn { person, .. }: LoggedIn,
    State(gateway): State<Arc<dyn Gateway>>,
) -> Json<GatewayStatus> {
    let mut status = gateway.status();
    status.cameras.retain(|camera| person.user.sees(&camera.id));
    Json(status)
}
