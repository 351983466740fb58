//! Recording what people do: on disk before they are answered.

use super::error::ApiError;
use crate::audit::{Audit, Entry};
use axum::http::StatusCode;

/// Records `entry`; what cannot be recorded must not be done.
pub(super) async fn record(audit: &Audit, entry: Entry) -> Result<(), ApiError> {
    match is_recorded(audit, entry).await {
        true => Ok(()),
        false => Err(not_recorded()),
    }
}

/// Whether `entry` is on disk.
pub(super) async fn is_recorded(audit: &Audit, entry: Entry) -> bool {
    let audit = audit.clone();
    let recorded = tokio::task::spawn_blocking(move || audit.append(entry));
    match recorded.await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => {
            tracing::error!("refused: {error}");
            false
        }
        Err(_) => false,
    }
}

pub(super) fn not_recorded() -> ApiError {
    let what = "this cannot be recorded in the audit log, so it is not done";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, what)
        .remedy("try again; the gateway's log tells those who run it what is wrong")
}
