//! TLS for RTSP: what stands between a viewer and the RTSP server.
//!
//! The server's own TLS lets media leave over UDP in the clear beside it, and would
//! be a second TLS stack. Here each connection is a task; once its handshake is
//! done, its bytes go on to the server over a pair of sockets that nobody else can
//! reach.

use crate::tls::{Certificate, names_in};
use governor::{DefaultDirectRateLimiter, Quota};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A handshake that takes longer is nobody's.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes under way; for one more, the oldest is dropped. A viewer's takes
/// milliseconds, a stranger's that says nothing ten seconds.
const HANDSHAKES: usize = 256;
/// How long the rest may take to leave, once the server has said goodbye.
const FAREWELL: Duration = Duration::from_secs(1);
/// What is held for a viewer between here and the server, each way, bytes.
const HELD: u32 = 256 << 10;
/// Read and encrypted at once, bytes: four of TLS' largest records.
const AT_ONCE: usize = 64 << 10;
/// After an error of the listening socket (no descriptors left, mostly).
const BREATH: Duration = Duration::from_millis(100);
/// What goes wrong with strangers is told so often at most.
const TELL_EVERY: Duration = Duration::from_secs(5);
const WORKERS: usize = 2;

/// A viewer whose handshake is done.
pub(super) struct Arrival {
    /// The server's end of the pair.
    pub(super) socket: OwnedFd,
    /// Where the viewer is.
    pub(super) from: SocketAddr,
    /// Whom its certificate names; none where none was asked for.
    pub(super) names: Option<Vec<String>>,
    /// To be dropped when the server is done with it.
    pub(super) gone: oneshot::Sender<Infallible>,
}

pub(super) type HandOver = Box<dyn Fn(Arrival) + Send + Sync>;

/// A listening address that speaks TLS only.
pub(super) struct Front {
    address: SocketAddr,
    runtime: Mutex<Option<Runtime>>,
}

struct Shared {
    certificate: Arc<Certificate>,
    hand_over: HandOver,
    room: Arc<Semaphore>,
    telling: DefaultDirectRateLimiter,
}

impl Front {
    /// Listens at `address`, for at most `at_most` connections.
    ///
    /// # Errors
    /// When the address or a thread cannot be had.
    pub(super) fn start(
        address: SocketAddr,
        at_most: usize,
        certificate: Arc<Certificate>,
        hand_over: HandOver,
    ) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .thread_name("rtsp-tls")
            .enable_io()
            .enable_time()
            .build()?;
        let seldom =
            Quota::with_period(TELL_EVERY).unwrap_or(Quota::per_hour(std::num::NonZeroU32::MIN));
        let shared = Arc::new(Shared {
            certificate,
            hand_over,
            room: Arc::new(Semaphore::new(at_most)),
            telling: DefaultDirectRateLimiter::direct(seldom),
        });
        runtime.spawn(async move {
            match TcpListener::from_std(listener) {
                Ok(listener) => shared.listen(listener).await,
                Err(error) => tracing::error!(%error, "nobody can watch over TLS"),
            }
        });
        Ok(Self {
            address,
            runtime: Mutex::new(Some(runtime)),
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends everything, without waiting.
    pub(super) fn stop(&self) {
        let runtime = self
            .runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    async fn listen(self: Arc<Self>, listener: TcpListener) {
        let mut shaking: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            let (stream, from) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    self.tell(|| tracing::warn!(%error, "a viewer could not be accepted"));
                    sleep(BREATH).await;
                    continue;
                }
            };
            if shaking.len() >= HANDSHAKES {
                shaking.retain(|one| !one.is_finished());
            }
            if shaking.len() >= HANDSHAKES
                && let Some(oldest) = shaking.pop_front()
            {
                oldest.abort();
            }
            let task = tokio::spawn(self.clone().welcome(stream, from));
            shaking.push_back(task.abort_handle());
        }
    }

    /// The handshake; what follows is a task of its own.
    async fn welcome(self: Arc<Self>, stream: TcpStream, from: SocketAddr) {
        // Frames must not wait for more to come.
        let _ = stream.set_nodelay(true);
        let accept = TlsAcceptor::from(self.certificate.config()).accept(stream);
        let stream = match timeout(HANDSHAKE_WITHIN, accept).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                self.tell(|| tracing::info!(%from, %error, "no TLS connection came about"));
                return;
            }
            Err(_) => {
                self.tell(|| tracing::info!(%from, "a TLS handshake was never finished"));
                return;
            }
        };
        let Ok(place) = self.room.clone().try_acquire_owned() else {
            self.tell(|| tracing::warn!(%from, "a viewer was refused: there are too many"));
            return;
        };
        let names = stream
            .get_ref()
            .1
            .peer_certificates()
            .and_then(|chain| chain.first())
            .map(|certificate| names_in(certificate));
        let (ours, theirs) = match pair().await {
            Ok(pair) => pair,
            Err(error) => {
                self.tell(|| tracing::warn!(%from, %error, "a viewer could not be led on"));
                return;
            }
        };
        let (gone, leaves) = oneshot::channel();
        (self.hand_over)(Arrival {
            socket: theirs.into(),
            from,
            names,
            gone,
        });
        tokio::spawn(async move {
            carry(stream, ours, leaves).await;
            drop(place);
        });
    }

    fn tell(&self, say: impl FnOnce()) {
        if self.telling.check().is_ok() {
            say();
        }
    }
}

/// Both ways, until one end is done.
async fn carry(
    viewer: TlsStream<TcpStream>,
    server: TcpStream,
    leaves: oneshot::Receiver<Infallible>,
) {
    let (mut from_viewer, mut to_viewer) = tokio::io::split(viewer);
    let (mut from_server, mut to_server) = server.into_split();
    let dismissed = async {
        // Whoever takes nothing would otherwise be kept for as long as it likes.
        let _ = leaves.await;
        sleep(FAREWELL).await;
    };
    tokio::select! {
        () = pass(&mut from_viewer, &mut to_server) => {}
        () = pass(&mut from_server, &mut to_viewer) => {}
        () = dismissed => {}
    }
    let _ = timeout(FAREWELL, to_viewer.shutdown()).await;
}

/// Until the end, or an error: then there is nobody to tell it to.
async fn pass(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) {
    let mut bytes = vec![0; AT_ONCE];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if to.write_all(&bytes[..count]).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}

/// Two ends of one connection inside this machine. The RTSP server takes only
/// internet sockets; a neighbour who connects first finds nothing.
async fn pair() -> std::io::Result<(TcpStream, std::net::TcpStream)> {
    let small = || {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(HELD)?;
        socket.set_send_buffer_size(HELD)?;
        Ok::<_, std::io::Error>(socket)
    };
    let listening = small()?;
    listening.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = listening.listen(1)?;
    let (ours, accepted) =
        tokio::try_join!(small()?.connect(listener.local_addr()?), listener.accept())?;
    let (theirs, from) = accepted;
    if from != ours.local_addr()? {
        return Err(std::io::Error::other("somebody else came in between"));
    }
    ours.set_nodelay(true)?;
    theirs.set_nodelay(true)?;
    Ok((ours, theirs.into_std()?))
}
