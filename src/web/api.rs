//! `/api/v1`: every route, who may ask it, and the document that describes them.

mod audit;
mod masks;
mod position;
mod presets;
mod proof;
mod session;
mod status;
mod steering;
mod still;
mod video;
mod view;

use super::Gateway;
use super::accounts::{Accounts, Person};
use super::desk::Desk;
use super::error::ApiError;
use super::holds::Holds;
use super::recording;
use super::sessions::Sessions;
use super::steering::Steering;
use super::stills::Permits;
use super::watching::Watches;
use crate::audit::{Audit, Entry, Outcome};
use crate::users::Role;
use axum::Json;
use axum::extract::{ConnectInfo, DefaultBodyLimit, FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum_login::AuthSession;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tower_sessions::session::Id;
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
    pub(super) sessions: Sessions,
    pub(super) watches: Watches,
    pub(super) steering: Arc<dyn Steering>,
    pub(super) holds: Holds,
    pub(super) permits: Permits,
    pub(super) audit: Audit,
    #[from_ref(skip)]
    pub(super) searches: Arc<Semaphore>,
    #[from_ref(skip)]
    pub(super) proofs: Arc<Semaphore>,
}

type Session = AuthSession<Accounts>;

/// The longest reason, characters.
const LONGEST_REASON: usize = 1000;

/// A request with a zone document and all that stands around it, bytes.
const LARGEST_MASKS: usize = 9 << 20;

/// Somebody who is logged in, and what they ask for.
pub(super) struct LoggedIn {
    person: Person,
    login: Option<Id>,
    origin: IpAddr,
    asked: String,
    audit: Audit,
    accounts: Accounts,
    sessions: Sessions,
}

impl FromRequestParts<Shared> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        let session = Session::from_request_parts(parts, shared).await;
        let session = session.map_err(|_| ApiError::internal())?;
        let person = session.user.ok_or_else(ApiError::not_logged_in)?;
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let ConnectInfo(from) = from.ok_or_else(ApiError::internal)?;
        Ok(Self {
            person,
            login: session.session.id(),
            origin: from.ip().to_canonical(),
            asked: format!("{} {}", parts.method, parts.uri.path()),
            audit: shared.audit.clone(),
            accounts: shared.accounts.clone(),
            sessions: shared.sessions.clone(),
        })
    }
}

/// Somebody who is logged in and has one of the roles that `R` names: known
/// before anything else of a request is looked at.
pub(super) struct As<R>(LoggedIn, PhantomData<R>);

/// What some roles may do together.
pub(super) trait Part {
    /// Who may.
    const ROLES: &'static [Role];
}

impl<R: Part> FromRequestParts<Shared> for As<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, ApiError> {
        let person = LoggedIn::from_request_parts(parts, shared).await?;
        Ok(Self(person.with(R::ROLES)?, PhantomData))
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

    /// Their name.
    fn name(&self) -> &str {
        &self.person.user.name
    }

    /// That this person's login and account are still what they were when the
    /// request began: its body, or a record, may have taken a while.
    fn still_in(&self) -> Result<(), ApiError> {
        let known = self.accounts.person(self.name());
        let known = known.is_some_and(|now| now.is_still(&self.person));
        match known && self.login.is_some_and(|id| self.sessions.lives(&id)) {
            true => Ok(()),
            false => Err(ApiError::not_logged_in()),
        }
    }

    /// Records, and goes on; losses are counted.
    fn note(&self, entry: Entry) {
        self.audit.note(entry);
    }

    /// Records. What cannot be recorded must not be done, nor what somebody wished
    /// whose login ended while the log was written.
    async fn record(&self, entry: Entry) -> Result<(), ApiError> {
        let not_done = entry.clone().result(Outcome::Refused);
        recording::record(&self.audit, entry).await?;
        self.still_in().inspect_err(|_| {
            self.note(not_done.detail("why", "the login ended before it was done"));
        })
    }
}

impl<R> As<R> {
    /// The person, where they may see this camera; else that is recorded.
    fn at(self, camera: &str) -> Result<LoggedIn, ApiError> {
        let Self(person, _) = self;
        person.still_in()?;
        if person.person.user.sees(camera) {
            return Ok(person);
        }
        let refused = person.entry("request", person.asked.clone());
        person.audit.note(refused.result(Outcome::Refused));
        Err(ApiError::no_camera())
    }
}

/// What somebody gives as their reason, where it is one.
fn given_reason(text: &str) -> Result<String, ApiError> {
    let unfit = |error: &str, remedy: String| {
        Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, error).remedy(remedy))
    };
    match text.trim() {
        "" => unfit("this needs a reason", "say why".to_owned()),
        text if text.chars().count() > LONGEST_REASON => {
            let remedy = format!("use at most {LONGEST_REASON} characters");
            unfit("the reason is too long", remedy)
        }
        text => Ok(text.to_owned()),
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

/// Whoever answers for what the cameras hide.
pub(super) struct Auditor;

impl Part for Auditor {
    const ROLES: &'static [Role] = &[Role::Officer, Role::Admin];
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
        .routes(routes!(video::watch_live))
        .merge(large)
        .routes(routes!(masks::versions))
        .routes(routes!(masks::version))
        .routes(routes!(masks::restore))
        .routes(routes!(masks::approve))
        .routes(routes!(view::view))
        .routes(routes!(view::stream))
        .routes(routes!(position::believe))
        .routes(routes!(presets::presets))
        .routes(routes!(presets::verify, presets::withdraw))
        .routes(routes!(steering::steering))
        .routes(routes!(steering::push))
        .routes(routes!(steering::stop))
        .routes(routes!(steering::go))
        .routes(routes!(steering::home))
        .routes(routes!(steering::presets))
        .routes(routes!(steering::go_preset))
        .routes(routes!(still::fetch))
        .routes(routes!(still::permit, still::give, still::withdraw))
        .routes(routes!(audit::search))
        .routes(routes!(audit::export))
        .routes(routes!(proof::proof))
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

/// The document that describes the HTTP API (OpenAPI 3.1, JSON), from which the
/// console's types are made.
///
/// # Errors
/// What serde reports; nothing in the document can cause it.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(&routes().1)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_is_built_from_the_api_as_it_is() {
        let kept = include_str!("../../assets/web/openapi.json");
        assert!(
            openapi_json().unwrap() == kept,
            "write it anew: cargo run -- openapi >assets/web/openapi.json"
        );
    }
}
