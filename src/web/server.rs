//! The server: a thread, an address, all routes.

use super::accounts::Accounts;
use super::api::{self, Shared};
use super::error::ApiError;
use super::sessions::Sessions;
use super::stills::Permits;
use super::watching::Watches;
use super::{ConsoleSettings, Gateway, GatewayStatus, Settings, Whole, files, guard, metrics};
use crate::event::is_awaited;
use crate::tls::{self, Certificate, Unusable};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use axum_login::AuthManagerLayerBuilder;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tower_http::timeout::RequestBodyTimeoutLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time;
use tower_sessions::{Expiry, SessionManagerLayer};

/// No offer of a browser is larger, bytes.
const LARGEST_BODY: usize = 64 << 10;
/// A request's head that takes longer is nobody's.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A request's body of which nothing more comes for so long is nobody's.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked whether those who watch still may.
const TEND_EVERY: Duration = Duration::from_secs(2);
/// Answers under way get so long when the gateway ends.
const END_WITHIN: Duration = Duration::from_millis(500);

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum CannotStart {
    /// The address, or a thread, cannot be had.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The certificate or its key cannot be used.
    #[error("TLS with {} and {}: {why}", .certificate.display(), .key.display())]
    Tls {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        why: Unusable,
    },
}

/// A running HTTP server; stops when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    over_tls: bool,
    metrics_address: Option<SocketAddr>,
    certificate: Option<Arc<Certificate>>,
    handle: Handle<SocketAddr>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Serves `gateway`.
    ///
    /// # Errors
    /// [`CannotStart`].
    pub fn start(settings: Settings, gateway: Arc<dyn Whole>) -> Result<Self, CannotStart> {
        let listener = bind(settings.listen)?;
        let address = listener.local_addr()?;
        let metrics = settings.metrics_listen.map(bind).transpose()?;
        let metrics_address = metrics.as_ref().map(|m| m.local_addr()).transpose()?;
        let certificate = match &settings.console {
            Some(console) => certificate(console)?,
            None => None,
        };
        let tls = certificate
            .as_ref()
            .map(|live| RustlsConfig::from_config(live.config()));
        let over_tls = tls.is_some();
        let runtime = runtime()?;
        let handle = Handle::new();
        let on = handle.clone();
        let serve = move || {
            runtime.block_on(async move {
                if let Some(metrics) = metrics {
                    let service = metrics::alone(gateway.clone()).into_make_service();
                    // It ends with the runtime.
                    tokio::spawn(async move {
                        let served = match axum_server::from_tcp(metrics) {
                            Ok(server) => tend(server).serve(service).await,
                            Err(error) => Err(error),
                        };
                        if let Err(error) = served {
                            tracing::error!(%error, "metrics ended");
                        }
                    });
                }
                let routes = routes(settings.console, over_tls, gateway);
                let service = routes.into_make_service_with_connect_info::<SocketAddr>();
                let served = match tls {
                    Some(tls) => match axum_server::from_tcp_rustls(listener, tls) {
                        Ok(server) => tend(server.handle(on)).serve(service).await,
                        Err(error) => Err(error),
                    },
                    None => match axum_server::from_tcp(listener) {
                        Ok(server) => tend(server.handle(on)).serve(service).await,
                        Err(error) => Err(error),
                    },
                };
                if let Err(error) = served {
                    tracing::error!(%error, "HTTP ended");
                }
            });
            // A report that is still being made must not keep the cameras waiting.
            runtime.shutdown_timeout(END_WITHIN);
        };
        let thread = std::thread::Builder::new()
            .name("http".into())
            .spawn(serve)?;
        Ok(Self {
            address,
            over_tls,
            metrics_address,
            certificate,
            handle,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where metrics are served alone, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// The certificate it shows; another is shown as soon as it is renewed.
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        self.certificate.clone()
    }

    /// The address as a browser wants it.
    pub fn url(&self) -> String {
        let scheme = if self.over_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }
}

fn bind(address: SocketAddr) -> std::io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn certificate(console: &ConsoleSettings) -> Result<Option<Arc<Certificate>>, CannotStart> {
    let Some((certificate, key)) = console.tls.clone() else {
        return Ok(None);
    };
    let files = tls::Files { certificate, key };
    let settings = tls::Settings {
        files: files.clone(),
        client_ca: None,
        protocols: vec!["h2", "http/1.1"],
    };
    match Certificate::start(settings, console.clock.clone()) {
        Ok(live) => Ok(Some(Arc::new(live))),
        Err(why) => Err(CannotStart::Tls {
            certificate: files.certificate,
            key: files.key,
            why,
        }),
    }
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
}

/// Slow heads end.
fn tend<A>(mut server: axum_server::Server<SocketAddr, A>) -> axum_server::Server<SocketAddr, A> {
    server
        .http_builder()
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN);
    server
}

impl Drop for Server {
    fn drop(&mut self) {
        self.handle.graceful_shutdown(Some(END_WITHIN));
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the HTTP thread had panicked");
        }
    }
}

/// All routes, and what holds for all of them.
fn routes(console: Option<ConsoleSettings>, over_tls: bool, gateway: Arc<dyn Whole>) -> Router {
    let routes = match console {
        None => Router::new()
            .route("/api/v1/status", get(open_status))
            .route("/readyz", get(ready_and_why))
            .route("/metrics", get(metrics::metrics))
            .with_state(gateway as Arc<dyn Gateway>),
        Some(console) => with_accounts(console, gateway),
    };
    routes
        .route("/healthz", get(|| async { "ok\n" }))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(RequestBodyTimeoutLayer::new(BODY_WITHIN))
        .layer(from_fn(guard::same_site))
        .layer(from_fn(move |request, next| {
            guard::harden(over_tls, request, next)
        }))
}

fn with_accounts(console: ConsoleSettings, gateway: Arc<dyn Whole>) -> Router {
    let audit = console.audit;
    let accounts = Accounts::new(console.users, audit.clone());
    let watches = Watches::new(gateway.clone(), audit.clone());
    let holds = console.holds;
    let permits = Permits::new(gateway.clone(), accounts.clone(), audit.clone());
    let store = Sessions::default();
    tokio::spawn({
        let (accounts, watches, holds) = (accounts.clone(), watches.clone(), holds.clone());
        let permits = permits.clone();
        let store = store.clone();
        async move {
            loop {
                tokio::time::sleep(TEND_EVERY).await;
                accounts.look();
                permits.tend();
                watches.tend(&accounts, &store).await;
                holds.tend(&accounts, &store).await;
            }
        }
    });
    let session_s = i64::try_from(console.session.as_secs()).unwrap_or(i64::MAX);
    let sessions = SessionManagerLayer::new(store.clone())
        .with_name(api::COOKIE)
        .with_secure(true)
        .with_http_only(true)
        .with_same_site(SameSite::Strict)
        .with_path("/")
        .with_always_save(true)
        .with_expiry(Expiry::OnInactivity(time::Duration::seconds(session_s)));
    let logins = AuthManagerLayerBuilder::new(accounts.clone(), sessions).build();
    let (api, _) = api::routes();
    api.route("/readyz", get(ready))
        .with_state(Shared {
            gateway: gateway.clone(),
            desk: gateway.clone(),
            steering: gateway,
            accounts,
            sessions: store,
            watches,
            holds,
            permits,
            audit,
            searches: Arc::new(Semaphore::new(1)),
            proofs: Arc::new(Semaphore::new(1)),
        })
        .fallback(page)
        .layer(logins)
}

/// The console's page and its parts; nothing under `/api`.
async fn page(uri: Uri) -> Response {
    if uri.path().starts_with("/api") {
        return ApiError::not_logged_in().into_response();
    }
    files::serve(uri).await
}

async fn open_status(State(gateway): State<Arc<dyn Gateway>>) -> Json<GatewayStatus> {
    Json(gateway.status())
}

/// What of each camera keeps the gateway from being ready. Ready means: every
/// camera's picture comes and is not wholly covered, unless nobody has vouched for where it looks.
fn waiting(gateway: &dyn Gateway) -> Vec<String> {
    let cameras = gateway.status().cameras.into_iter();
    cameras
        .filter(|c| is_awaited(c.state, c.code))
        .map(|c| format!("{}: {}\n", c.id, c.reason.unwrap_or_else(|| c.state.into())))
        .collect()
}

async fn ready_and_why(State(gateway): State<Arc<dyn Gateway>>) -> Response {
    let waiting = waiting(&*gateway);
    match waiting.is_empty() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, waiting.concat()).into_response(),
    }
}

/// Says nothing of cameras to whoever is not logged in.
async fn ready(State(gateway): State<Arc<dyn Gateway>>) -> Response {
    match waiting(&*gateway).is_empty() {
        true => "ready\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response(),
    }
}
