//! The control interface: the truth, the faults and moves, as HTTP and JSON.

use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::camera::{Camera, lock};
use super::faults::Faults;
use super::motion::Order;
use super::profile::Profile;
use super::rtsp::RtspServer;
use super::{SimError, refuses, zones};
use crate::clock::CaptureTime;

type Shared = Arc<Mutex<RtspServer>>;

/// What the control interface works on.
#[derive(Debug, Clone)]
pub(super) struct Control {
    camera: Arc<Camera>,
    rtsp: Shared,
    addresses: [String; 3],
}

/// Sets faults and what follows from them for the servers.
pub(super) fn apply(camera: &Camera, rtsp: &Shared, faults: &Faults) -> Result<(), SimError> {
    camera.set_faults(faults)?;
    let server = lock(rtsp);
    if refuses(faults) {
        server.refuse();
        Ok(())
    } else {
        server.listen()
    }
}

/// Restarts the camera.
pub(super) fn restart(camera: &Camera, rtsp: &Shared) {
    camera.restart();
    lock(rtsp).throw_out();
}

impl Control {
    pub(super) fn new(camera: &Arc<Camera>, rtsp: &Shared, addresses: [String; 3]) -> Self {
        Self {
            camera: Arc::clone(camera),
            rtsp: Arc::clone(rtsp),
            addresses,
        }
    }

    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/state", get(state))
            .route("/faults", get(faults).patch(patch_faults).post(set_faults))
            .route("/move", post(order))
            .route("/restart", post(restart_now))
            .route("/truth", get(truth))
            .route("/profile", get(profile))
            .route("/zones", get(zones_document))
            .with_state(self)
    }
}

fn refused(e: &SimError) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(json!({"error": e.to_string()})),
    )
        .into_response()
}

async fn state(State(c): State<Control>) -> Response {
    let now = c.camera.now_ns();
    Json(json!({
        "id": c.camera.config.id,
        "rtsp": c.addresses[0],
        "onvif": c.addresses[1],
        "control": c.addresses[2],
        "scripted": c.camera.is_scripted(),
        "booting": c.camera.is_booting(),
        "truth": c.camera.truth_at(now),
        "faults": c.camera.faults(),
    }))
    .into_response()
}

async fn faults(State(c): State<Control>) -> Response {
    Json(c.camera.faults()).into_response()
}

async fn patch_faults(State(c): State<Control>, Json(patch): Json<Value>) -> Response {
    change(&c, c.camera.faults().patched(&patch))
}

async fn set_faults(State(c): State<Control>, Json(patch): Json<Value>) -> Response {
    change(&c, Faults::default().patched(&patch))
}

fn change(c: &Control, faults: Result<Faults, SimError>) -> Response {
    match faults.and_then(|f| apply(&c.camera, &c.rtsp, &f).map(|()| f)) {
        Ok(faults) => Json(faults).into_response(),
        Err(e) => refused(&e),
    }
}

async fn order(State(c): State<Control>, Json(order): Json<Order>) -> Response {
    c.camera.order(order);
    StatusCode::NO_CONTENT.into_response()
}

async fn restart_now(State(c): State<Control>) -> Response {
    restart(&c.camera, &c.rtsp);
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct When {
    t_ns: Option<i64>,
    frame: Option<u64>,
}

async fn truth(State(c): State<Control>, Query(when): Query<When>) -> Response {
    let t_ns = match when {
        When { t_ns: Some(t), .. } => c.camera.since_start(CaptureTime(t)),
        When { frame: Some(n), .. } => n.checked_mul(c.camera.frame_ns()),
        When { .. } => Some(c.camera.now_ns()),
    };
    match t_ns.and_then(|t| c.camera.truth_at(t)) {
        Some(truth) => Json(truth).into_response(),
        None => (
            StatusCode::NOT_FOUND,
            Json(json!({"error": "that instant lies ahead, or more than a minute back"})),
        )
            .into_response(),
    }
}

async fn profile(State(c): State<Control>) -> Response {
    Json(Profile::of(&c.camera.config)).into_response()
}

async fn zones_document(State(c): State<Control>) -> Response {
    let kind = [(axum::http::header::CONTENT_TYPE, "application/json")];
    (kind, zones::document(&c.camera.config)).into_response()
}
