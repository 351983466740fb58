//! Logging in and out.

use super::{LoggedIn, Session, Shared};
use crate::audit::{Entry, Outcome};
use crate::secret::Secret;
use crate::users::Role;
use crate::web::Gateway;
use crate::web::accounts::{Accounts, Credentials, Person};
use crate::web::error::{ApiError, ErrorBody};
use crate::web::holds::Holds;
use crate::web::recording::record;
use crate::web::watching::Watches;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use utoipa::ToSchema;

/// Whoever names no account.
const NOBODY: &str = "unknown";

/// Who is logged in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Who {
    /// Their name.
    user: String,
    /// What they may do.
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
    LoggedIn { person, .. }: LoggedIn,
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
        (status = 503, body = ErrorBody, description = "the login cannot be recorded"),
    )
)]
pub(super) async fn log_in(
    mut session: Session,
    State(shared): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Json(login): Json<Login>,
) -> Result<Json<Who>, ApiError> {
    let (accounts, name): (&Accounts, _) = (&shared.accounts, login.user);
    let origin = from.ip().to_canonical();
    // Only names of accounts are recorded: what else is typed there may be a password.
    let actor = match accounts.person(&name) {
        Some(person) => person.user.name,
        None => NOBODY.to_owned(),
    };
    let entry = |result| {
        Entry::new("log-in", "session")
            .by(&actor, origin)
            .result(result)
    };
    if let Err(wait_s) = accounts.may_try(from.ip(), &name) {
        tracing::warn!(%origin, "too many tries to log in");
        if let Some(untold) = accounts.may_tell_of_tries() {
            let refused = entry(Outcome::Refused).detail("why", "too many tries");
            shared.audit.note(refused.detail("more_before", untold));
        }
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
        tracing::warn!(actor, %origin, "login refused");
        let refused = entry(Outcome::Refused).detail("why", "wrong name or password");
        // Refused it is in any case.
        let _ = record(&shared.audit, refused).await;
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "the name or the password is wrong",
        )
        .remedy("try again, or ask whoever keeps the accounts"));
    };
    record(&shared.audit, entry(Outcome::Done)).await?;
    if begin(&mut session, &shared, &person, origin).await.is_err() {
        shared.audit.note(entry(Outcome::Failed));
        return Err(ApiError::internal());
    }
    tracing::info!(actor, %origin, "logged in");
    Ok(Json(who_is(&person, &*shared.gateway)))
}

/// A session of its own for each login, whoever was logged in before.
async fn begin(
    session: &mut Session,
    shared: &Shared,
    person: &Person,
    origin: IpAddr,
) -> Result<(), ApiError> {
    if let Some(former) = &session.user {
        let entry = Entry::new("log-out", "session").by(&former.user.name, origin);
        let before = session.session.id().map(|id| id.to_string());
        let cycled = session.session.cycle_id().await;
        cycled.map_err(|_| ApiError::internal())?;
        if let Some(before) = before {
            shared.watches.log_out(&before);
            shared.holds.log_out(&before);
        }
        shared.audit.note(entry.detail("why", "another login"));
    }
    let begun = session.login(person).await;
    begun.map_err(|_| ApiError::internal())
}

/// Log out; ends what this login watches and steers.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "log_out", security(("session" = [])),
    responses(
        (status = 204, description = "logged out"),
        (status = 401, body = ErrorBody, description = "nobody is logged in"),
    )
)]
pub(super) async fn log_out(
    person: LoggedIn,
    mut session: Session,
    State(watches): State<Watches>,
    State(holds): State<Holds>,
) -> Result<StatusCode, ApiError> {
    let login = session.session.id().map(|id| id.to_string());
    session.logout().await.map_err(|_| ApiError::internal())?;
    if let Some(login) = login {
        watches.log_out(&login);
        holds.log_out(&login);
    }
    tracing::info!(actor = person.person.user.name, "logged out");
    // Nobody is kept from leaving: an error was logged.
    let _ = record(&person.audit, person.entry("log-out", "session")).await;
    Ok(StatusCode::NO_CONTENT)
}
