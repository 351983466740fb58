//! `/api/v1`: every route, who may ask it, and the document that describes them.

mod session;
mod status;
mod video;

use super::Gateway;
use super::accounts::{Accounts, Person};
use super::error::ApiError;
use super::watching::Watches;
use crate::users::Role;
use axum::Json;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum_login::AuthSession;
use std::sync::Arc;
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
}

type Session = AuthSession<Accounts>;

/// Roles that watch video.
const VIDEO: &[Role] = &[Role::Observer, Role::Integrator, Role::Admin];

/// Somebody who is logged in.
pub(super) struct LoggedIn(pub(super) Person);

impl<S: Send + Sync> FromRequestParts<S> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let session = Session::from_request_parts(parts, state).await;
        let person = session.ok().and_then(|session| session.user);
        person.map(Self).ok_or_else(ApiError::not_logged_in)
    }
}

impl LoggedIn {
    /// The person, where they have one of `roles`.
    fn with(self, roles: &[Role]) -> Result<Person, ApiError> {
        let Self(person) = self;
        match person.has_any(roles) {
            true => Ok(person),
            false => Err(ApiError::not_for_this_role()),
        }
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
