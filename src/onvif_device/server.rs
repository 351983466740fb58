//! The devices' addresses: one a camera, all on one thread. Heads, bodies,
//! connections and handshakes are bounded.

use super::answer::{self, Fault};
use super::device::{self, Here};
use super::login::{Access, Denied, Gate, Guest};
use super::request::{self, MOST_BYTES, Refused, Request};
use super::turning::{Hand, Turning};
use super::{Device, Head, Picture, Place, Settings, media, ptz};
use crate::clock::{Clock, Mono};
use crate::web::{By, CameraPreset};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

/// Where the services are.
pub(super) const DEVICE: &str = "/onvif/device_service";
pub(super) const MEDIA: &str = "/onvif/media_service";
pub(super) const PTZ: &str = "/onvif/ptz_service";

/// A request's head, and its body, that takes longer is nobody's.
const WITHIN: Duration = Duration::from_secs(10);
/// All of a request, with what a slow camera takes for its part of the answer.
const ALL_WITHIN: Duration = Duration::from_secs(30);
/// Connections at once to one device; more are closed as they come.
const CONNECTIONS: usize = 64;
/// What a camera does that was told something is known after this.
const KNOWN_AFTER: Duration = Duration::from_secs(1);
/// Answers under way get so long when the gateway ends.
const END_WITHIN: Duration = Duration::from_millis(300);

/// Why a device cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CannotServe {
    /// Its address cannot be had.
    #[error("camera {camera} cannot be an ONVIF device at {listen}: {why}")]
    Listen {
        /// The camera's id.
        camera: String,
        /// The address.
        listen: SocketAddr,
        /// What the system says.
        why: io::Error,
    },
    /// No thread, or no event loop in it.
    #[error("no thread for ONVIF devices: {0}")]
    Thread(io::Error),
}

/// What all devices share.
pub(super) struct Common {
    settings: Settings,
    gate: Arc<Gate>,
}

impl Common {
    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.settings.clock
    }
}

/// One device.
pub(super) struct Served {
    camera: String,
    listen: SocketAddr,
    over_tls: bool,
    pub(super) common: Arc<Common>,
    pub(super) turning: Turning,
    /// When the camera was last told to move, nanoseconds; 0 before.
    told_ns: AtomicU64,
}

/// Running devices; they end when dropped.
pub struct OnvifDevices {
    gate: Arc<Gate>,
    addresses: Vec<(String, SocketAddr, bool)>,
    handles: Vec<Handle<SocketAddr>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl OnvifDevices {
    /// Serves `devices`.
    ///
    /// # Errors
    /// [`CannotServe`].
    pub fn start(settings: Settings, devices: Vec<Device>) -> Result<Self, CannotServe> {
        let gate = Arc::new(Gate::new(settings.access.clone(), settings.clock.clone()));
        let common = Arc::new(Common {
            settings,
            gate: gate.clone(),
        });
        let mut all = Self {
            gate,
            addresses: Vec::new(),
            handles: Vec::new(),
            thread: None,
        };
        let mut listening = Vec::new();
        for device in devices {
            let cannot = |why| CannotServe::Listen {
                camera: device.camera.clone(),
                listen: device.listen,
                why,
            };
            let listener = std::net::TcpListener::bind(device.listen).map_err(cannot)?;
            listener.set_nonblocking(true).map_err(cannot)?;
            let listen = listener.local_addr().map_err(cannot)?;
            let handle = Handle::new();
            let over_tls = device.tls.is_some();
            all.addresses
                .push((device.camera.clone(), listen, over_tls));
            all.handles.push(handle.clone());
            let served = Served {
                camera: device.camera.clone(),
                listen,
                over_tls,
                common: common.clone(),
                turning: Turning::default(),
                told_ns: AtomicU64::new(0),
            };
            listening.push((listener, handle, device.tls, Arc::new(served)));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(CannotServe::Thread)?;
        let thread = std::thread::Builder::new().name("onvif-devices".into());
        let thread = thread.spawn(move || {
            runtime.block_on(async move {
                let mut serving = tokio::task::JoinSet::new();
                for (listener, handle, tls, served) in listening {
                    let tls = tls.map(|live| RustlsConfig::from_config(live.config()));
                    serving.spawn(async move {
                        let camera = served.camera.clone();
                        if let Err(error) = serve(listener, handle, tls, served).await {
                            tracing::error!(%error, camera, "an ONVIF device ended");
                        }
                    });
                }
                while serving.join_next().await.is_some() {}
            });
            runtime.shutdown_timeout(END_WITHIN);
        });
        all.thread = Some(thread.map_err(CannotServe::Thread)?);
        Ok(all)
    }

    /// From now on these may ask and steer. What is open is open to this machine: where
    /// a device serves others, nobody may ask then.
    pub fn set_access(&self, access: Access) {
        let beyond = self
            .addresses
            .iter()
            .any(|(_, at, _)| !at.ip().is_loopback());
        self.gate.change(match access {
            Access::Open if beyond => Access::Accounts(Vec::new()),
            access => access,
        });
    }

    /// Where a camera's device is: `http://HOST:PORT/onvif/device_service`.
    pub fn url(&self, camera: &str) -> Option<String> {
        let found = self.addresses.iter().find(|(id, ..)| id == camera);
        found.map(|(_, listen, over_tls)| {
            let scheme = if *over_tls { "https" } else { "http" };
            format!("{scheme}://{listen}{DEVICE}")
        })
    }
}

impl Drop for OnvifDevices {
    fn drop(&mut self) {
        for handle in &self.handles {
            handle.graceful_shutdown(Some(END_WITHIN));
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the ONVIF devices' thread had panicked");
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    handle: Handle<SocketAddr>,
    tls: Option<RustlsConfig>,
    served: Arc<Served>,
) -> io::Result<()> {
    let routes = Router::new()
        .route(DEVICE, post(asked))
        .route(MEDIA, post(asked))
        .route(PTZ, post(asked))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(RequestBodyTimeoutLayer::new(WITHIN))
        // A body that trickles has no connection for ever.
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            ALL_WITHIN,
        ))
        .with_state(served);
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    let bounded = Bounded(Arc::new(Semaphore::new(CONNECTIONS)));
    let mut server = axum_server::from_tcp(listener)?.handle(handle).http1_only();
    server
        .http_builder()
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(WITHIN);
    match tls {
        // The handshake is one of the connections, too.
        Some(tls) => {
            let acceptor = RustlsAcceptor::new(tls).handshake_timeout(WITHIN);
            let server = server.acceptor(acceptor.acceptor(bounded));
            server.serve(service).await
        }
        None => server.acceptor(bounded).serve(service).await,
    }
}

/// Lets no more connections in than there may be.
#[derive(Clone)]
struct Bounded(Arc<Semaphore>);

impl<S> Accept<TcpStream, S> for Bounded {
    type Stream = Counted;
    type Service = S;
    type Future = Ready<io::Result<(Counted, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(match self.0.clone().try_acquire_owned() {
            Ok(permit) => Ok((
                Counted {
                    stream,
                    _permit: permit,
                },
                service,
            )),
            Err(_) => Err(io::Error::other("too many connections")),
        })
    }
}

/// A connection that is counted as long as it lasts.
struct Counted {
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

async fn asked(
    State(served): State<Arc<Served>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = match request::read(&body) {
        Ok(request) => {
            let here = served.here(&headers);
            let body = served.answer(&request, uri.path(), &here, from.ip()).await;
            body.map(|body| answer::envelope(&body))
        }
        Err(Refused::TooLong) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(refused) => Err(Fault::not_well_formed(refused)),
    };
    let (status, xml) = match answer {
        Ok(xml) => (StatusCode::OK, xml),
        Err(fault) => (fault.status(), fault.into_xml()),
    };
    let kind = [(header::CONTENT_TYPE, "application/soap+xml; charset=utf-8")];
    (status, kind, xml).into_response()
}

impl Served {
    /// Where the camera looks, as far as anybody knows.
    pub(super) fn place(&self) -> Option<Place> {
        self.common.settings.cameras.place(&self.camera)
    }

    /// What its masked streams are like, the main one first.
    pub(super) fn pictures(&self) -> Vec<Picture> {
        self.common.settings.cameras.pictures(&self.camera)
    }

    /// The camera was told to move.
    pub(super) fn told(&self) {
        let now = self.common.clock().mono();
        self.told_ns.store(now.0, Ordering::Relaxed);
    }

    /// Whether it was told so short a while ago that nobody knows yet what it does.
    pub(super) fn was_just_told(&self) -> bool {
        let told = Mono(self.told_ns.load(Ordering::Relaxed));
        told != Mono(0) && self.common.clock().mono().since(told) < KNOWN_AFTER
    }

    /// The camera's own presets.
    pub(super) async fn presets(&self) -> Result<Vec<CameraPreset>, Fault> {
        let listed = self.common.settings.cameras.presets(&self.camera);
        listed.await.map_err(Fault::from)
    }

    /// What the camera reaches, where it can be steered here.
    fn head(&self) -> Option<Head> {
        self.common.settings.holds.as_ref()?;
        self.common.settings.cameras.head(&self.camera)
    }

    /// Where all is, as whoever asks calls this machine.
    fn here(&self, headers: &HeaderMap) -> Here {
        let settings = &self.common.settings;
        let called = headers.get(header::HOST).and_then(|h| h.to_str().ok());
        let called = called.filter(|called| is_authority(called));
        let host = called.map(host_of).filter(|host| !host.is_empty());
        let scheme = if self.over_tls { "https" } else { "http" };
        let services = match called {
            Some(called) => format!("{scheme}://{called}"),
            None => format!("{scheme}://{}", self.listen),
        };
        let stream_host = match (settings.rtsp.ip(), host) {
            (ip, Some(host)) if ip.is_unspecified() => host.to_owned(),
            (IpAddr::V6(ip), _) => format!("[{ip}]"),
            (ip, _) => ip.to_string(),
        };
        let rtsp = if settings.rtsp_over_tls {
            "rtsps"
        } else {
            "rtsp"
        };
        let port = settings.rtsp.port();
        Here {
            services,
            address: self.listen.ip(),
            stream: format!("{rtsp}://{stream_host}:{port}/{}", self.camera),
            turns: self.head().is_some(),
        }
    }

    async fn answer(
        &self,
        request: &Request,
        path: &str,
        here: &Here,
        from: IpAddr,
    ) -> Result<String, Fault> {
        let name = request.name();
        let guest = match device::is_public(name) {
            true => None,
            false => Some(self.let_in(request, from)?),
        };
        let head = self.head();
        if path != MEDIA && path != PTZ || name != "GetServiceCapabilities" {
            let now = self.common.clock().wall();
            if let Some(answer) = device::answer(request, &self.camera, here, now) {
                return answer;
            }
        }
        if path != PTZ || name != "GetServiceCapabilities" {
            let pictures = self.pictures();
            if pictures.is_empty() {
                return Err(crate::web::SteerFault::NoCamera.into());
            }
            if let Some(answer) = media::answer(request, &pictures, here) {
                return answer;
            }
        }
        let head = head.ok_or_else(|| Fault::not_supported(name))?;
        if let Some(answer) = ptz::answer(request, self, &head).await {
            return answer;
        }
        if !ptz::moves(name) {
            return Err(Fault::not_supported(name));
        }
        let hand = self.hand(guest, from)?;
        // It is never too often to stop.
        if name != "Stop" && !hand.holds.may_command(hand.by.name()) {
            return Err(Fault::not_now("these are too many commands"));
        }
        ptz::steer(request, self, &head, hand).await
    }

    fn let_in(&self, request: &Request, from: IpAddr) -> Result<Guest, Fault> {
        let token = request.token.as_ref();
        self.common
            .gate
            .check(token, &self.camera, from)
            .map_err(|denied| {
                if denied == Denied::Wrong || denied == Denied::Replayed {
                    tracing::warn!(camera = self.camera, %from, ?denied, "ONVIF: not let in");
                }
                Fault::not_authorized()
            })
    }

    /// The hand of somebody who may steer.
    fn hand(&self, guest: Option<Guest>, from: IpAddr) -> Result<Hand, Fault> {
        let viewer = guest
            .filter(|guest| guest.steers)
            .and_then(|guest| guest.name);
        let viewer = viewer.ok_or_else(Fault::not_authorized)?;
        let holds = self.common.settings.holds.clone();
        let holds = holds.ok_or_else(Fault::not_authorized)?;
        let by = By::viewer(&viewer, from.to_canonical());
        Ok(Hand {
            camera: self.camera.clone(),
            viewer,
            by,
            holds,
            gate: self.common.gate.clone(),
        })
    }
}

/// Whether it is HOST or HOST:PORT, and nothing that would mean more in an address.
fn is_authority(text: &str) -> bool {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !text.is_empty() && text.len() <= 255 && text.chars().all(plain)
}

/// Without its port.
fn host_of(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_calls_us_is_no_more_than_a_name() {
        for (text, host) in [
            ("gateway.example:8081", Some("gateway.example")),
            ("gateway", Some("gateway")),
            ("[::1]:80", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("10.0.0.1", Some("10.0.0.1")),
            ("a/b", None),
            ("user@host", None),
            ("a b", None),
            ("<x>", None),
            ("", None),
        ] {
            let found = is_authority(text).then(|| host_of(text));
            assert_eq!(found, host, "{text}");
        }
    }
}
