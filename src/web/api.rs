//! `/api/v1`: every route, who may ask it, and the document that describes them.

mod masks;
mod session;
mod status;
mod video;
mod view;

use super::Gateway;
use super::accounts::{Accounts, Person};
use super::desk::Desk;
use super::error::ApiError;
use super::watching::Watches;
use crate::users::Role;
use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum_login::AuthSession;
use std::marker::PhantomData;
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
    pub(super) desk: Arc<dyn Desk>,
    pub(super) accounts: Accounts,
    pub(super) watches: Watches,
}

type Session = AuthSession<Accounts>;

/// A request with a zone document and all that stands around it, bytes.
const LARGEST_MASKS: usize = 9 << 20;

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

/// Somebody who is logged in and has one of the roles that `R` names: known
/// before anything else of a request is looked at.
pub(super) struct As<R>(Person, PhantomData<R>);

/// What some roles may do together.
pub(super) trait Part {
    /// Who may.
    const ROLES: &'static [Role];
}

impl<R: Part, S: Send + Sync> FromRequestParts<S> for As<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let LoggedIn(person) = LoggedIn::from_request_parts(parts, state).await?;
        match person.has_any(R::ROLES) {
            true => Ok(Self(person, PhantomData)),
            false => Err(ApiError::not_for_this_role()),
        }
    }
}

impl<R> As<R> {
    /// The person, where they may see this camera.
    pub(super) fn at(self, camera: &str) -> Result<Person, ApiError> {
        match self.0.user.sees(camera) {
            true => Ok(self.0),
            false => Err(ApiError::no_camera()),
        }
    }
}

/// Whoever watches video.
pub(super) struct Viewer;

impl Part for Viewer {
    const ROLES: &'static [Role] = &[Role::Observer, Role::Integrator, Role::Admin];
}

/// Whoever draws zones.
pub(super) struct Drawer;

impl Part for Drawer {
    const ROLES: &'static [Role] = &[Role::Integrator, Role::Admin];
}

/// Whoever looks at what was drawn.
pub(super) struct Reader;

impl Part for Reader {
    const ROLES: &'static [Role] = &[Role::Integrator, Role::Officer, Role::Admin];
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
    let large = OpenApiRouter::new()
        .routes(routes!(masks::masks, masks::save))
        .layer(DefaultBodyLimit::max(LARGEST_MASKS));
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(session::who, session::log_in, session::log_out))
        .routes(routes!(status::status))
        .routes(routes!(video::watch))
        .routes(routes!(video::unwatch))
        .merge(large)
        .routes(routes!(masks::versions))
        .routes(routes!(masks::version))
        .routes(routes!(masks::restore))
        .routes(routes!(masks::approve))
        .routes(routes!(view::view))
        .routes(routes!(view::stream))
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
