//! The HTTP side: status for people and programs.
//!
//! Serves what it is given and decides nothing. This module must not know
//! GStreamer, geometry or how cameras are run: it meets them in
//! [`Source`], which [`app`](crate::app) implements.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::oneshot;

/// The gateway as `/api/v1/status` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GatewayStatus {
    /// greyplane's version.
    pub version: &'static str,
    /// The port on which masked streams are served.
    pub rtsp_port: u16,
    /// All cameras, in the configuration's order.
    pub cameras: Vec<CameraStatus>,
}

/// One camera as `/api/v1/status` shows it. Counters run since its start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CameraStatus {
    /// Its id.
    pub id: String,
    /// `live`, `widened`, `covered` or `no-signal`.
    pub state: &'static str,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// Width and height of the picture, once known.
    pub size: Option<(u32, u32)>,
    /// Frames a second from the camera.
    pub fps_in: f64,
    /// Frames a second that leave.
    pub fps_out: f64,
    /// Arrival to encoder.
    pub latency_ms: Percentiles,
    /// The promise.
    pub budget_ms: u64,
    /// Frames that left after their budget: always 0, or it is a fault of ours.
    pub late_frames: u64,
    /// Frames that did not leave, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Seconds wholly covered, by reason.
    pub covered_s: BTreeMap<&'static str, f64>,
    /// Seconds not wholly covered.
    pub live_s: f64,
    /// Accepted positions a second; none for a fixed camera.
    pub telemetry_hz: Option<f64>,
    /// Mean time from measurement to arrival of positions.
    pub telemetry_lateness_ms: Option<f64>,
    /// What the detectors reach; none where nothing is looked for.
    pub detector: Option<DetectorStatus>,
    /// Who watches now.
    pub viewers: u32,
    /// Alarms: painted frames that did not read back as hidden.
    pub read_back_failures: u64,
}

/// What a camera's detectors reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DetectorStatus {
    /// Looks a second; 0 when none ended within three.
    pub looks_hz: f64,
    /// CPU time they take, percent of one core.
    pub cpu_percent: f64,
    /// From when a picture is taken to when what is in it is known, mean.
    pub look_ms: f64,
    /// Parts of the picture that are looked at in their own size.
    pub tiles: usize,
    /// Those that nobody looked at for longer than the configured sweep.
    pub tiles_overdue: usize,
    /// For how long nobody looked at the one that waits longest.
    pub longest_unvisited_ms: u64,
    /// Frames that left before the look after them was done.
    pub frames_before_their_look: u64,
}

/// Percentiles of a distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// Largest.
    pub max: f64,
}

/// Where the status comes from.
pub trait Source: Send + Sync {
    /// The gateway now.
    fn status(&self) -> GatewayStatus;
}

/// A running HTTP server; stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serves on `listen` (port 0 picks one).
    ///
    /// # Errors
    /// When the address cannot be bound or the server cannot be set up.
    pub fn start(listen: SocketAddr, source: Arc<dyn Source>) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async move {
                let listener = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return tracing::error!(%error, "HTTP is not served"),
                };
                let server = axum::serve(listener, routes(source)).into_future();
                tokio::select! {
                    served = server => if let Err(error) = served {
                        tracing::error!(%error, "HTTP ended");
                    },
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new()
            .name("http".into())
            .spawn(serve)?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the HTTP thread had panicked");
        }
    }
}

fn routes(source: Arc<dyn Source>) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(source)
}

async fn status(State(source): State<Arc<dyn Source>>) -> Json<GatewayStatus> {
    Json(source.status())
}

/// Ready means: every camera's picture comes and is not wholly covered.
async fn ready(State(source): State<Arc<dyn Source>>) -> Response {
    let waiting: Vec<String> = source
        .status()
        .cameras
        .into_iter()
        .filter(|c| c.state == "covered" || c.state == "no-signal")
        .map(|c| format!("{}: {}\n", c.id, c.reason.unwrap_or_else(|| c.state.into())))
        .collect();
    if waiting.is_empty() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, waiting.concat()).into_response()
    }
}
