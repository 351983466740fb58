//! Logging in and out.

use super::{LoggedIn, Session, Shared};
use crate::secret::Secret;
use crate::users::Role;
use crate::web::Gateway;
use crate::web::accounts::{Accounts, Credentials, Person};
use crate::web::error::{ApiError, ErrorBody};
use crate::web::watching::Watches;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use utoipa::ToSchema;

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Who {
    /// Their name.
    user: String,
    /// What they may do.
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    /// Ids of the cameras they may see, in the configuration's order.
    cameras: Vec<String>,
}

/// Who wants to log in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Login {
    /// Their name.
    user: String,
    /// Their password.
    #[schema(format = Password)]
    password: String,
}

fn who_is(person: &Person, gateway: &dyn Gateway) -> Who {
    let cameras = gateway.status().cameras.into_iter().map(|c| c.id);
    Who {
        user: person.user.name.clone(),
        roles: person.user.roles.clone(),
        cameras: cameras.filter(|id| person.user.sees(id)).collect(),
    }
}

/// Who is logged in.
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "who", security(("session" = [])),
    responses(
        (status = 200, body = Who, description = "who is logged in"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
    )
)]
pub(super) async fn who(
    LoggedIn(person): LoggedIn,
    State(gateway): State<Arc<dyn Gateway>>,
) -> Json<Who> {
    Json(who_is(&person, &*gateway))
}

/// Log in.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "log_in", request_body = Login,
    responses(
        (status = 200, body = Who, description = "logged in; the cookie carries the session"),
        (status = 401, body = ErrorBody, description = "wrong name or password"),
        (status = 429, body = ErrorBody, description = "too many tries; Retry-After says when again"),
    )
)]
pub(super) async fn log_in(
    mut session: Session,
    State(shared): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Json(login): Json<Login>,
) -> Result<Json<Who>, ApiError> {
    let (accounts, name): (&Accounts, _) = (&shared.accounts, login.user);
    if let Err(wait_s) = accounts.may_try(from.ip(), &name) {
        tracing::warn!(origin = %from.ip(), "too many tries to log in");
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "there were too many tries to log in",
        )
        .remedy(format!("wait {wait_s} seconds"))
        .retry_after_s(wait_s));
    }
    let credentials = Credentials {
        name: name.clone(),
        password: Secret::new(login.password),
    };
    let known = session.authenticate(credentials).await;
    let Ok(Some(person)) = known else {
        tracing::warn!(actor = name.escape_debug().to_string(), origin = %from.ip(), "login refused");
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "the name or the password is wrong",
        )
        .remedy("try again, or ask whoever keeps the accounts"));
    };
    // A session of its own for each login, whoever was logged in before.
    if session.user.is_some() {
        let before = session.session.id().map(|id| id.to_string());
        let cycled = session.session.cycle_id().await;
        cycled.map_err(|_| ApiError::internal())?;
        if let Some(before) = before {
            shared.watches.log_out(&before);
        }
    }
    session
        .login(&person)
        .await
        .map_err(|_| ApiError::internal())?;
    tracing::info!(actor = person.user.name, origin = %from.ip(), "logged in");
    Ok(Json(who_is(&person, &*shared.gateway)))
}

/// Log out; ends what this login watches.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "log_out", security(("session" = [])),
    responses(
        (status = 204, description = "logged out"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
    )
)]
pub(super) async fn log_out(
    LoggedIn(person): LoggedIn,
    mut session: Session,
    State(watches): State<Watches>,
) -> Result<StatusCode, ApiError> {
    let login = session.session.id().map(|id| id.to_string());
    session.logout().await.map_err(|_| ApiError::internal())?;
    if let Some(login) = login {
        watches.log_out(&login);
    }
    tracing::info!(actor = person.user.name, "logged out");
    Ok(StatusCode::NO_CONTENT)
}
