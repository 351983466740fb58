//! Recording what people do: on disk before they are answered.

use super::error::ApiError;
use crate::audit::{Audit, Entry};
use axum::http::StatusCode;

/// Records `entry`; what cannot be recorded must not be done.
pub(super) async fn record(audit: &Audit, entry: Entry) -> Result<(), ApiError> {
    let audit = audit.clone();
    let recorded = tokio::task::spawn_blocking(move || audit.append(entry));
    match recorded.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            tracing::error!("refused: {error}");
            Err(not_recorded())
        }
        Err(_) => Err(not_recorded()),
    }
}

fn not_recorded() -> ApiError {
    let what = "this cannot be recorded in the audit log, so it is not done";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, what)
        .remedy("try again; the gateway's log tells those who run it what is wrong")
}
