//! The clear still: permitting it, and fetching one.

use super::{As, LoggedIn, Part, Reader, given_reason};
use crate::audit::Outcome;
use crate::users::Role;
use crate::web::desk::CameraView;
use crate::web::error::{ApiError, ErrorBody};
use crate::web::stills::{GIVERS, Permit, Permits, StillFault};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use utoipa::ToSchema;

/// How long a permit lasts, minutes.
const MINUTES: RangeInclusive<u32> = 1..=60;
/// How the camera looked on exactly that frame (JSON, a `CameraView`).
const VIEW: HeaderName = HeaderName::from_static("greyplane-view");
/// Who could permit it: so many are named.
const NAMES: usize = 5;

/// Whoever sets up zones: nobody else has a clear still, not an admin either.
pub(super) struct SettingUp;

impl Part for SettingUp {
    const ROLES: &'static [Role] = &[Role::Integrator];
}

/// Whoever may permit it.
pub(super) struct Giver;

impl Part for Giver {
    const ROLES: &'static [Role] = GIVERS;
}

/// Whether there may be clear stills of a camera now.
#[derive(Serialize, ToSchema)]
pub(super) struct StillPermit {
    /// Whether the configuration allows any.
    offered: bool,
    /// When the permit in force ends (RFC 3339); none = there is none.
    #[schema(required)]
    until: Option<String>,
    /// Who gave it.
    #[schema(required)]
    by: Option<String>,
    /// Why.
    #[schema(required)]
    reason: Option<String>,
    /// Some of those who could give one.
    givers: Vec<String>,
}

/// A permit to be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPermit {
    /// For how long.
    #[schema(minimum = 1, maximum = 60)]
    minutes: u32,
    /// Why.
    reason: String,
}

impl From<StillFault> for ApiError {
    fn from(fault: StillFault) -> Self {
        match fault {
            StillFault::NotOffered => not_offered(),
            StillFault::NoCamera => Self::no_camera(),
            StillFault::TooSoon(seconds) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "a still of this camera was asked for just now",
            )
            .remedy("wait a few seconds")
            .retry_after_s(seconds),
            StillFault::NoPicture(why) => {
                let error = format!("there is no clear still of this camera now: {why}");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
                    .remedy("try again when the camera stands still and shows a picture")
            }
            StillFault::Failed(why) => {
                tracing::error!(%why, "no clear still");
                Self::internal()
            }
        }
    }
}

fn not_offered() -> ApiError {
    let error = "this gateway does not offer clear stills";
    let remedy = "`clear_still = true` under [console] in its configuration allows them";
    ApiError::new(StatusCode::FORBIDDEN, error).remedy(remedy)
}

fn answer(permits: &Permits, camera: &str) -> Result<StillPermit, ApiError> {
    let offered = permits.stills.offered();
    let permit = match offered {
        true => permits.of(camera)?,
        false => None,
    };
    let (until, by, reason) = match permit {
        Some(p) => (Some(p.until), Some(p.by), Some(p.reason)),
        None => (None, None, None),
    };
    Ok(StillPermit {
        offered,
        until,
        by,
        reason,
        givers: match offered {
            true => permits.who_could_give(camera, NAMES),
            false => Vec::new(),
        },
    })
}

/// Whether clear stills of a camera are permitted now.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/still/permit", operation_id = "still_permit",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator", "officer", "admin"])),
    responses(
        (status = 200, body = StillPermit),
        (status = 401, body = ErrorBody), (status = 403, body = ErrorBody), (status = 404, body = ErrorBody),
    )
)]
pub(super) async fn permit(
    person: As<Reader>,
    Path(camera): Path<String>,
    State(permits): State<Permits>,
) -> Result<Json<StillPermit>, ApiError> {
    person.at(&camera)?;
    Ok(Json(answer(&permits, &camera)?))
}

/// Permit clear stills of a camera for some minutes.
#[utoipa::path(
    post, path = "/api/v1/cameras/{camera}/still/permit", operation_id = "permit_stills",
    params(("camera" = String, Path, description = "the camera's id")),
    request_body = NewPermit, security(("session" = ["officer", "admin"])),
    responses(
        (status = 200, body = StillPermit),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not for this role, or the configuration offers none"),
        (status = 422, body = ErrorBody, description = "no reason, or not 1 to 60 minutes"),
        (status = 503, body = ErrorBody, description = "it cannot be recorded"),
    )
)]
pub(super) async fn give(
    person: As<Giver>,
    Path(camera): Path<String>,
    State(permits): State<Permits>,
    Json(asked): Json<NewPermit>,
) -> Result<Json<StillPermit>, ApiError> {
    let person = person.at(&camera)?;
    if !permits.stills.offered() {
        return Err(not_offered());
    }
    // That there is such a camera.
    permits.of(&camera)?;
    if !MINUTES.contains(&asked.minutes) {
        let error = ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "a permit lasts 1 to 60 minutes",
        );
        return Err(error.remedy("choose fewer minutes"));
    }
    let reason = given_reason(&asked.reason)?;
    let entry = person
        .entry("still-permit", format!("camera {camera}"))
        .detail("minutes", asked.minutes)
        .detail("reason", reason.as_str());
    person.record(entry).await?;
    permits.grant(&camera, &person.person, asked.minutes, reason)?;
    Ok(Json(answer(&permits, &camera)?))
}

/// Take the permit back.
#[utoipa::path(
    delete, path = "/api/v1/cameras/{camera}/still/permit", operation_id = "withdraw_stills",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["officer", "admin"])),
    responses(
        (status = 204, description = "there is no permit any more"),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not for this role, or the configuration offers none"),
    )
)]
pub(super) async fn withdraw(
    person: As<Giver>,
    Path(camera): Path<String>,
    State(permits): State<Permits>,
) -> Result<StatusCode, ApiError> {
    let person = person.at(&camera)?;
    if !permits.stills.offered() {
        return Err(not_offered());
    }
    // What hides more is done even where it cannot be recorded: losses are counted.
    if let Some(permit) = permits.of(&camera)?
        && permits.stills.end(&camera, &permit)
    {
        let entry = person.entry("still-permit-withdrawn", format!("camera {camera}"));
        person.note(entry.detail("permitted_by", permit.by));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A clear still: zones not hidden, faces and plates hidden where the camera
/// looks for them, the name of whoever fetches it all over.
#[utoipa::path(
    get, path = "/api/v1/cameras/{camera}/still", operation_id = "clear_still",
    params(("camera" = String, Path, description = "the camera's id")),
    security(("session" = ["integrator"])),
    responses(
        (status = 200, content_type = "image/jpeg", body = Vec<u8>,
         headers(("Greyplane-View" = String, description = "how the camera looked on this frame: a CameraView as JSON")),
         description = "never stored"),
        (status = 401, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 403, body = ErrorBody, description = "not for this role, not offered, or nobody has permitted it"),
        (status = 429, body = ErrorBody, description = "one in five seconds of each camera"),
        (status = 503, body = ErrorBody, description = "no frame that may be shown, or it cannot be recorded"),
    )
)]
pub(super) async fn fetch(
    person: As<SettingUp>,
    Path(camera): Path<String>,
    State(permits): State<Permits>,
) -> Result<Response, ApiError> {
    let person = person.at(&camera)?;
    let permit = permitted(&person, &permits, &camera)?;
    let (stills, name) = (permits.stills.clone(), person.name().to_owned());
    let of = camera.clone();
    let taken = tokio::task::spawn_blocking(move || stills.take(&of, &name)).await;
    let picture = taken.map_err(|_| ApiError::internal())?;
    let picture = picture.inspect_err(|fault| {
        if let StillFault::NoPicture(why) | StillFault::Failed(why) = fault {
            let entry = person.entry("clear-still", format!("camera {camera}"));
            person.note(entry.result(Outcome::Failed).detail("why", why.as_str()));
        }
    })?;
    let view = serde_json::to_string(&picture.view).map_err(|_| ApiError::internal())?;
    let view = HeaderValue::from_str(&ascii(&view)).map_err(|_| ApiError::internal())?;
    let entry = person
        .entry("clear-still", format!("camera {camera}"))
        .detail("permitted_by", permit.by.as_str())
        .detail("reason", permit.reason.as_str())
        .detail("until", permit.until.as_str())
        .detail("captured", picture.captured.as_deref())
        .detail("hidden", picture.hidden)
        .detail("view", serde_json::json!(picture.view));
    // It took a while: the permit must be the same still, and nothing is sent
    // that is not on record.
    if permitted(&person, &permits, &camera)? != permit {
        return Err(not_permitted(&permits, &camera));
    }
    person.record(entry).await?;
    // So may recording: a permit that is over meanwhile is over.
    if permitted(&person, &permits, &camera)? != permit {
        return Err(not_permitted(&permits, &camera));
    }
    if let CameraView::Presets {
        still: Some(still), ..
    } = &picture.view
    {
        permits.shown(&camera, still, person.name());
    }
    let head = [
        (CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (VIEW, view),
    ];
    // The bytes are not copied, and overwritten when they are sent.
    Ok((head, Bytes::from_owner(picture.jpeg)).into_response())
}

/// The same JSON in ASCII, as a header needs it.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// The permit that lets `person` have a still now; that there is none is recorded.
fn permitted(person: &LoggedIn, permits: &Permits, camera: &str) -> Result<Permit, ApiError> {
    if !permits.stills.offered() {
        return Err(not_offered());
    }
    let refused = |why: &'static str| {
        let entry = person.entry("clear-still", format!("camera {camera}"));
        person.note(entry.result(Outcome::Refused).detail("why", why));
    };
    let Some(permit) = permits.of(camera)? else {
        refused("no permit");
        return Err(not_permitted(permits, camera));
    };
    if permits.stills.four_eyes() && permit.by == person.name() {
        refused("their own permit");
        let error = "a permit of one's own cannot be used";
        return Err(ApiError::new(StatusCode::FORBIDDEN, error)
            .remedy("ask another officer or administrator to permit it"));
    }
    Ok(permit)
}

fn not_permitted(permits: &Permits, camera: &str) -> ApiError {
    let names = permits.who_could_give(camera, NAMES);
    let remedy = match names.is_empty() {
        true => "an officer or administrator of this camera could, but there is none".to_owned(),
        false => format!("an officer or administrator can: {}", names.join(", ")),
    };
    let error = "nobody has permitted clear stills of this camera now";
    ApiError::new(StatusCode::FORBIDDEN, error).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_a_header_says_the_same() {
        for said in ["plain", "één café", "😀 \"quoted\" \\ back", ""] {
            let json = serde_json::to_string(said).unwrap();
            let header = ascii(&json);
            assert!(HeaderValue::from_str(&header).is_ok(), "{header}");
            assert_eq!(serde_json::from_str::<String>(&header).unwrap(), said);
        }
    }
}
