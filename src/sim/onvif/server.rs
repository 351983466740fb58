//! The HTTP side of the ONVIF services.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use super::super::camera::{Camera, lock};
use super::answer::{self, Addresses, Fault};
use super::digest::{Denied, Gate};
use super::request::{self, MAX_BYTES, Refused};

/// The services of one camera.
#[derive(Debug)]
pub(crate) struct OnvifServer {
    camera: Arc<Camera>,
    addresses: Addresses,
    gate: Option<Mutex<Gate>>,
}

impl OnvifServer {
    /// Services at `onvif` (`http://host:port`) for the stream at `rtsp`.
    pub(crate) fn new(camera: &Arc<Camera>, onvif: String, rtsp: String) -> Self {
        let config = &camera.config;
        let gate = match (&config.user, &config.password) {
            (Some(user), Some(password)) => Some(Mutex::new(Gate::new(user, password))),
            _ => None,
        };
        Self {
            camera: Arc::clone(camera),
            addresses: Addresses { onvif, rtsp },
            gate,
        }
    }

    /// The routes.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::max(MAX_BYTES))
            .with_state(Arc::new(self))
    }

    /// The answer to a request, and whether it carries telemetry.
    fn answer(&self, path: &str, body: &[u8]) -> (Result<String, Fault>, bool) {
        let envelope = match request::parse(body) {
            Ok(envelope) => envelope,
            Err(Refused(why)) => return (Err(Fault::sender("ter:WellFormed", why)), false),
        };
        let Some(operation) = envelope.child("Body").and_then(|b| b.children.first()) else {
            return (Err(Fault::sender("ter:WellFormed", "no operation")), false);
        };
        if let Some(gate) = &self.gate
            && !answer::is_public(&operation.name)
        {
            let now = self.camera.now_ns();
            let stepped = self.camera.utc_at(now).0;
            let step = (self.camera.faults().clock_step_s * 1e9) as i64;
            let clocks = [stepped, stepped.saturating_sub(step)].map(|t| t / 1_000_000_000);
            if let Err(denied) = lock(gate).check(&envelope, &clocks) {
                return (Err(not_authorized(denied)), false);
            }
        }
        let telemetry = operation.name == "GetStatus";
        let body = answer::body(&self.camera, &self.addresses, path, operation);
        (body.map(|b| answer::envelope(&b)), telemetry)
    }
}

fn not_authorized(denied: Denied) -> Fault {
    let why = match denied {
        Denied::NoToken => "a UsernameToken is required",
        Denied::WrongUserOrPassword => "wrong user or password",
        Denied::TooOldOrNew => "Created is too far from the camera's time",
        Denied::Replayed => "this nonce was used before",
    };
    Fault::sender("ter:NotAuthorized", why)
}

async fn serve(State(server): State<Arc<OnvifServer>>, uri: Uri, body: Bytes) -> Response {
    if server.camera.is_booting() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let (answer, telemetry) = server.answer(uri.path(), &body);
    if telemetry {
        match server.camera.answer_delay_ms() {
            Some(ms) if ms > 0.0 => {
                tokio::time::sleep(Duration::from_secs_f64(ms / 1000.0)).await;
            }
            Some(_) => {}
            // Lost: the client's patience ends first.
            None => std::future::pending::<()>().await,
        }
    }
    let (status, xml) = match answer {
        Ok(xml) => (StatusCode::OK, xml),
        Err(fault) => (StatusCode::BAD_REQUEST, fault.into_xml()),
    };
    let kind = [(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")];
    (status, kind, xml).into_response()
}
