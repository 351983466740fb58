//! Steering and the camera's own presets.

use super::{As, Drawer, LoggedIn, Session, Shared};
use crate::web::command::NotDone;
use crate::web::error::{ApiError, ErrorBody};
use crate::web::holds::{By, Overtaken};
use crate::web::recording;
use crate::web::steering::{CameraPreset, Reach, SteerFault, Wish};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// No token is longer: ONVIF's ReferenceToken, characters.
const LONGEST_TOKEN: usize = 64;

/// What a camera can reach, and who steers it.
#[derive(Serialize, ToSchema)]
pub(super) struct SteeringState {
    #[serde(flatten)]
    reach: Reach,
    /// Who steers it now.
    #[schema(required)]
    held_by: Option<String>,
}

/// How far the stick is pushed: shares of a comfortable speed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Push {
    /// To the right, −1…1.
    pan: f64,
    /// Upwards, −1…1.
    tilt: f64,
    /// Closer, −1…1.
    zoom: f64,
}

/// Where to go: a position of the head, or a direction of the world.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    /// Pan of the head, any turn.
    #[serde(default)]
    pan_deg: Option<f64>,
    /// Tilt of the head.
    #[serde(default)]
    tilt_deg: Option<f64>,
    /// Zoom in the profile's unit; null = as it is.
    #[serde(default)]
    zoom: Option<f64>,
    /// In place of the others: a direction as zones' points have it.
    #[serde(default)]
    toward: Option<Toward>,
}

/// A direction of the world.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Toward {
    /// To the right.
    pan_deg: f64,
    /// Upwards.
    tilt_deg: f64,
}

/// The camera's own presets.
#[derive(Serialize, ToSchema)]
pub(super) struct Presets {
    /// In the camera's order.
    presets: Vec<CameraPreset>,
}

impl From<SteerFault> for ApiError {
    fn from(fault: SteerFault) -> Self {
        match fault {
            SteerFault::NoCamera => Self::no_camera(),
            SteerFault::Fixed => Self::new(StatusCode::CONFLICT, "this camera does not turn")
                .remedy("nothing: it tells no position, so it cannot be steered"),
            SteerFault::ByItself => Self::new(
                StatusCode::CONFLICT,
                "this camera cannot tell where it looks, so the gateway does not turn it",
            )
            .remedy("steer it by its own means; its picture shows where it rests on a verified preset"),
            SteerFault::NotOver(source) => Self::new(
                StatusCode::CONFLICT,
                format!("this camera tells its position over {source}; steering needs ONVIF"),
            )
            .remedy(
                "steer it by its own means, the zones follow; or set kind = \"onvif\" if it speaks that, too",
            ),
            SteerFault::Unknown(why) => Self::new(
                StatusCode::CONFLICT,
                format!("nobody knows how this camera turns: {why}"),
            )
            .remedy("mend its profile; `greyplane check` names the mistakes"),
            SteerFault::Beyond(why) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, why)
                .remedy("choose a place within its reach"),
            SteerFault::NoGo(why) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, why)
                .remedy("turn it elsewhere, or see fewer private places at a wider zoom"),
            SteerFault::NoPreset => {
                Self::new(StatusCode::NOT_FOUND, "the camera has no such preset")
                    .remedy("look at its presets again")
            }
            SteerFault::Camera(words) => {
                Self::new(StatusCode::BAD_GATEWAY, format!("the camera: {words}"))
                    .remedy("try again; if it stays so, look at the camera")
            }
        }
    }
}

impl From<Overtaken> for ApiError {
    fn from(overtaken: Overtaken) -> Self {
        let (error, remedy) = match overtaken {
            Overtaken::Stopped => (
                "a stop came after this command, so it is not given",
                "give it again to go on",
            ),
            Overtaken::Late => (
                "this command waited too long, so it is not given",
                "give it again",
            ),
            Overtaken::Over => (
                "your steering ended before this command was given",
                "give it again to begin anew",
            ),
        };
        Self::new(StatusCode::CONFLICT, error).remedy(remedy)
    }
}

/// A body that is JSON of the right form; what it says is looked at later.
fn read<T>(body: Result<Json<T>, JsonRejection>) -> Result<T, ApiError> {
    body.map(|Json(body)| body).map_err(|rejected| {
        ApiError::new(rejected.status(), rejected.body_text())
            .remedy("send what the API's description says")
    })
}

fn wrong(what: &str, remedy: &str) -> ApiError {
    ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, what).remedy(remedy)
}

impl Push {
    fn wish(self) -> Result<Wish, ApiError> {
        let Self { pan, tilt, zoom } = self;
        if [pan, tilt, zoom].iter().any(|v| !(-1.0..=1.0).contains(v)) {
            return Err(wrong(
                "a share is beyond -1 to 1",
                "give pan, tilt and zoom from -1 to 1",
            ));
        }
        if [pan, tilt, zoom] == [0.0; 3] {
            // Whoever lets go of the stick does not go on steering.
            return Ok(Wish::Stop);
        }
        Ok(Wish::Turn { pan, tilt, zoom })
    }
}

impl Place {
    fn wish(self) -> Result<Wish, ApiError> {
        match self {
            Self {
                pan_deg: Some(pan_deg),
                tilt_deg: Some(tilt_deg),
                zoom,
                toward: None,
            } => Ok(Wish::Go {
                pan_deg,
                tilt_deg,
                zoom,
            }),
            Self {
                pan_deg: None,
                tilt_deg: None,
                zoom: None,
                toward: Some(Toward { pan_deg, tilt_deg }),
            } => Ok(Wish::Look { pan_deg, tilt_deg }),
            _ => Err(wrong(
                "it is not clear where to go",
                "give pan_deg and tilt_deg, and zoom where it changes; or toward alone",
            )),
        }
    }
}

impl From<NotDone> for ApiError {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Theirs(holder) => {
                Self::new(StatusCode::CONFLICT, format!("{holder} steers this camera"))
                    .remedy("wait until three seconds after they let go, or ask them")
            }
            NotDone::NotRecorded => recording::not_recorded(),
            NotDone::NoLonger => Self::not_logged_in(),
            NotDone::Overtaken(overtaken) => overtaken.into(),
            NotDone::Fault(fault) => fault.into(),
        }
    }
}

/// Gives a command, where the camera is not somebody else's.
async fn command(
    person: LoggedIn,
    session: Session,
    shared: Shared,
    camera: String,
    wish: Wish,
) -> Result<StatusCode, ApiError> {
    let login = session.session.id().map(|id| id.to_string());
    let by = By::person(person.person.clone(), person.origin, login);
    let may = || person.still_in().is_ok();
    shared.holds.command(&camera, &by, wish, may).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whoever may steer, the camera being one that turns, and not too often.
fn steerer(person: As<Drawer>, shared: &Shared, camera: &str) -> Result<LoggedIn, ApiError> {
    let person = person.at(camera)?;
    shared.steering.reach(camera)?;
    if !shared.holds.may_command(person.name()) {
        let status = StatusCode::TOO_MANY_REQUESTS;
        return Err(ApiError::new(status, "these are too many commands")
            .remedy("send at most 20 a second")
            .retry_after_s(1));
    }
    Ok(person)
}

/// What a camera can reach, and who steers it.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/steering", operation_id = "steering",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, body = SteeringState),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "it does not turn"),
    )
)]
pub(super) async fn steering(
    person: As<Drawer>,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
) -> Result<Json<SteeringState>, ApiError> {
    person.at(&camera)?;
    let reach = shared.steering.reach(&camera)?;
    let held_by = shared.holds.holder(&camera);
    Ok(Json(SteeringState { reach, held_by }))
}

/// Turn and zoom. Ends by itself 0.7 s after the last such request.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/steering/move", operation_id = "steer_move",
    params(("camera" = String, Path, description = "the camera's id")),
    request_body = Push, security(("session" = ["integrator", "admin"])),
    responses(
        (status = 204, description = "it turns"),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "somebody else steers, or it does not turn"),
        (status = 422, body = ErrorBody, description = "beyond -1 to 1"),
        (status = 429, body = ErrorBody, description = "more than 20 commands a second"),
        (status = 502, body = ErrorBody, description = "the camera refuses or cannot be reached"),
        (status = 503, body = ErrorBody, description = "it cannot be recorded"),
    )
)]
pub(super) async fn push(
    person: As<Drawer>,
    session: Session,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
    body: Result<Json<Push>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let person = steerer(person, &shared, &camera)?;
    let wish = read(body)?.wish()?;
    command(person, session, shared, camera, wish).await
}

/// Stop.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/steering/stop", operation_id = "steer_stop",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 204, description = "it stands still"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody, description = "somebody else steers, or it does not turn"),
        (status = 502, body = ErrorBody, description = "it has not confirmed; the gateway goes on telling it"),
    )
)]
pub(super) async fn stop(
    person: As<Drawer>,
    session: Session,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
) -> Result<StatusCode, ApiError> {
    // However many commands came before: it is never too often to stop.
    let person = person.at(&camera)?;
    shared.steering.reach(&camera)?;
    command(person, session, shared, camera, Wish::Stop).await
}

/// Go to a position of the head, or look along a direction of the world.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/steering/go", operation_id = "steer_go",
    params(("camera" = String, Path, description = "the camera's id")),
    request_body = Place, security(("session" = ["integrator", "admin"])),
    responses(
        (status = 204, description = "it is on its way"),
        (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 422, body = ErrorBody, description = "beyond what it reaches"),
        (status = 429, body = ErrorBody), (status = 502, body = ErrorBody), (status = 503, body = ErrorBody),
    )
)]
pub(super) async fn go(
    person: As<Drawer>,
    session: Session,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
    body: Result<Json<Place>, JsonRejection>,
) -> Result<StatusCode, ApiError> {
    let person = steerer(person, &shared, &camera)?;
    let wish = read(body)?.wish()?;
    command(person, session, shared, camera, wish).await
}

/// Go to what the camera calls home.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/steering/home", operation_id = "steer_home",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 204, description = "it is on its way"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 429, body = ErrorBody), (status = 502, body = ErrorBody),
        (status = 503, body = ErrorBody),
    )
)]
pub(super) async fn home(
    person: As<Drawer>,
    session: Session,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
) -> Result<StatusCode, ApiError> {
    let person = steerer(person, &shared, &camera)?;
    command(person, session, shared, camera, Wish::Home).await
}

/// The camera's own presets.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/presets", operation_id = "presets",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 200, body = Presets),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 429, body = ErrorBody), (status = 502, body = ErrorBody),
    )
)]
pub(super) async fn presets(
    person: As<Drawer>,
    Path(camera): Path<String>,
    State(shared): State<Shared>,
) -> Result<Json<Presets>, ApiError> {
    steerer(person, &shared, &camera)?;
    let presets = shared.steering.presets(&camera).await?;
    Ok(Json(Presets { presets }))
}

/// Go to one of the camera's presets.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/presets/{token}/go", operation_id = "go_preset",
    params(
        ("camera" = String, Path, description = "the camera's id"),
        ("token" = String, Path, description = "the preset's token"),
    ),
    security(("session" = ["integrator", "admin"])),
    responses(
        (status = 204, description = "it is on its way"),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody),
        (status = 404, body = ErrorBody, description = "no such camera or preset"),
        (status = 409, body = ErrorBody), (status = 429, body = ErrorBody), (status = 502, body = ErrorBody),
        (status = 503, body = ErrorBody),
    )
)]
pub(super) async fn go_preset(
    person: As<Drawer>,
    session: Session,
    Path((camera, token)): Path<(String, String)>,
    State(shared): State<Shared>,
) -> Result<StatusCode, ApiError> {
    let person = steerer(person, &shared, &camera)?;
    if token.chars().count() > LONGEST_TOKEN || token.chars().any(char::is_control) {
        return Err(SteerFault::NoPreset.into());
    }
    command(person, session, shared, camera, Wish::Preset(token)).await
}
