//! `/api/v1`: every route, who may ask it, and the document that describes them.

mod audit;
mod session;
mod status;
mod video;

use super::Gateway;
use super::accounts::{Accounts, Person};
use super::error::ApiError;
use super::recording;
use super::watching::Watches;
use crate::audit::{Audit, Entry, Outcome};
use crate::users::Role;
use axum::Json;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum_login::AuthSession;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The cookie that carries a session; the prefix binds it to this host and to TLS.
pub(super) const COOKIE: &str = "__Host-greyplane";

/// What the routes share.
#[derive(Clone, FromRef)]
pub(super) struct Shared {
    pub(super) gateway: Arc<dyn Gateway>,
    pub(super) accounts: Accounts,
    pub(super) watches: Watches,
    pub(super) audit: Audit,
    pub(super) searches: Arc<Semaphore>,
}

type Session = AuthSession<Accounts>;

/// Roles that watch video.
const VIDEO: &[Role] = &[Role::Observer, Role::Integrator, Role::Admin];

/// Somebody who is logged in, and what they ask for.
pub(super) struct LoggedIn {
    person: Person,
    origin: IpAddr,
    asked: String,
    audit: Audit,
}

impl FromRequestParts<Shared> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        let session = Session::from_request_parts(parts, shared).await;
        let person = session.ok().and_then(|session| session.user);
        let person = person.ok_or_else(ApiError::not_logged_in)?;
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(from) = from.ok_or_else(ApiError::internal)?;
        Ok(Self {
            person,
            origin: from.ip().to_canonical(),
            asked: format!("{} {}", parts.method, parts.uri.path()),
            audit: shared.audit.clone(),
        })
    }
}

impl LoggedIn {
    /// The same, where the person has one of `roles`; else that is recorded.
    fn with(self, roles: &[Role]) -> Result<Self, ApiError> {
        if self.person.has_any(roles) {
            return Ok(self);
        }
        let refused = self.entry("request", self.asked.clone());
        self.audit.note(refused.result(Outcome::Refused));
        Err(ApiError::not_for_this_role())
    }

    /// That this person did `action` to `object`.
    fn entry(&self, action: &'static str, object: impl Into<String>) -> Entry {
        Entry::new(action, object).by(&self.person.user.name, self.origin)
    }

    /// Records; what cannot be recorded must not be done.
    async fn record(&self, entry: Entry) -> Result<(), ApiError> {
        recording::record(&self.audit, entry).await
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "greyplane", description = "What the console asks the gateway."),
    modifiers(&Cookies)
)]
struct Described;

struct Cookies;

impl Modify for Cookies {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("session", cookie);
    }
}

/// All routes of the API. A route that is not described cannot be added here.
pub(super) fn routes() -> (axum::Router<Shared>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(session::who, session::log_in, session::log_out))
        .routes(routes!(status::status))
        .routes(routes!(video::watch))
        .routes(routes!(video::unwatch))
        .routes(routes!(audit::search))
        .routes(routes!(audit::export))
        .routes(routes!(document))
        .split_for_parts()
}

/// The document that describes this API.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "openapi", security(("session" = [])),
    responses(
        (status = 200, description = "OpenAPI 3.1", content_type = "application/json"),
        (status = 401, body = super::error::ErrorBody, description = "nobody is logged in"),
    )
)]
async fn document(_person: LoggedIn) -> Json<utoipa::openapi::OpenApi> {
    Json(routes().1)
}
