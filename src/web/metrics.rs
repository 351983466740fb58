//! `/metrics`: for whoever reaches an address that serves no people.
//!
//! It tells the ids and states of all cameras, so it is not at the console's
//! address: there, whoever asks must be somebody. Without a console that address
//! is this machine's own, and tells the same in `/api/v1/status`.

use super::Gateway;
use super::guard;
use crate::metrics::MEDIA_TYPE;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// Everything of an address that serves metrics alone.
pub(super) fn alone(gateway: Arc<dyn Gateway>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .with_state(gateway)
        .layer(from_fn(guard::same_site))
        .layer(from_fn(|request, next| guard::harden(false, request, next)))
}

pub(super) async fn metrics(State(gateway): State<Arc<dyn Gateway>>) -> Response {
    match gateway.metrics() {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
