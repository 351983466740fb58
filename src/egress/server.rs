//! The RTSP server: one address, one path per camera, in the clear or over TLS,
//! never both.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::bounded;
use gst::glib;
use gst_rtsp_server::prelude::*;
use gstreamer as gst;
use gstreamer_rtsp_server as gst_rtsp_server;

use super::access::Access;
use super::door::Door;
use super::front::Front;
use super::media::{self, Over};
use super::viewers::Viewers;
use crate::event::EventSink;
use crate::pipeline::MaskedStream;
use crate::tls::Certificate;

/// How the RTSP server is to work.
#[derive(Clone, Debug)]
pub struct RtspSettings {
    /// The address to listen on; unspecified for all.
    pub address: IpAddr,
    /// The port; 0 lets the system choose, see [`RtspServer::port`].
    pub port: u16,
    /// Who may watch.
    pub access: Access,
    /// The certificate, for `rtsps` and nothing else; none = in the clear.
    pub tls: Option<Arc<Certificate>>,
    /// The most sessions at once.
    pub sessions_at_most: u32,
}

/// Why the server cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotServe {
    /// GStreamer itself does not start.
    #[error("GStreamer does not start: {0}")]
    NoGstreamer(String),
    /// Accounts without a single one would lock everyone out.
    #[error("access by account needs at least one account")]
    NoUsers,
    /// The address cannot be had.
    #[error("cannot listen on {address}:{port}: {why}")]
    Listen {
        /// The address.
        address: String,
        /// The port.
        port: u16,
        /// What the system said.
        why: String,
    },
    /// No thread could be started.
    #[error("no thread: {0}")]
    Thread(String),
}

/// A running RTSP server. Dropping it stops it.
pub struct RtspServer {
    server: gst_rtsp_server::RTSPServer,
    mounts: gst_rtsp_server::RTSPMountPoints,
    viewers: Arc<Viewers>,
    context: glib::MainContext,
    main_loop: glib::MainLoop,
    door: Arc<Door>,
    /// Who listens; none where the server does itself.
    front: Option<Front>,
    thread: Mutex<Option<JoinHandle<()>>>,
    port: u16,
}

impl std::fmt::Debug for RtspServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RtspServer(port {})", self.port)
    }
}

/// Connections beside those that sessions need.
const STRANGERS: u32 = 100;
const TEND_EVERY: Duration = Duration::from_secs(1);
const STOP_WITHIN: Duration = Duration::from_secs(2);

impl RtspServer {
    /// Listens and serves; without cameras at first.
    ///
    /// # Errors
    /// [`CannotServe`] says why not.
    pub fn start(settings: RtspSettings, events: Arc<dyn EventSink>) -> Result<Self, CannotServe> {
        gst::init().map_err(|e| CannotServe::NoGstreamer(e.to_string()))?;
        someone(&settings.access)?;
        let server = gst_rtsp_server::RTSPServer::new();
        let mounts = gst_rtsp_server::RTSPMountPoints::new();
        server.set_mount_points(Some(&mounts));
        if let Some(pool) = server.session_pool() {
            pool.set_max_sessions(settings.sessions_at_most);
        }
        if let Some(pool) = server.thread_pool() {
            // One for each connection: a DESCRIBE holds its thread until the first picture is
            // there, and whoever shares it waits along, for another camera, too.
            let connections = settings.sessions_at_most.saturating_add(STRANGERS);
            pool.set_max_threads(i32::try_from(connections).unwrap_or(i32::MAX));
        }
        let door = Door::new(settings.access.clone());
        server.set_auth(Some(&door.keeper()));
        let viewers = Arc::new(Viewers::new(events));
        let (all, at) = (viewers.clone(), door.clone());
        server.connect_client_connected(move |_, client| {
            at.welcome(client);
            all.welcome(client);
        });

        let context = glib::MainContext::new();
        let (front, port) = listen(&settings, &server, &door, &context)?;
        tend(&server, &viewers, &door).attach(Some(&context));
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let (run, on) = (main_loop.clone(), context.clone());
        let thread = std::thread::Builder::new()
            .name("rtsp-server".into())
            .spawn(move || {
                if on.with_thread_default(|| run.run()).is_err() {
                    tracing::error!("the RTSP server's context is taken");
                }
            })
            .map_err(|e| CannotServe::Thread(e.to_string()))?;
        Ok(Self {
            server,
            mounts,
            viewers,
            context,
            main_loop,
            door,
            front,
            thread: Mutex::new(Some(thread)),
            port,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves `stream` at `/<id>`: a camera's id, or `<camera>/<name>` for a further stream of
    /// it, which is for whoever may watch the camera. A stream of the same id is replaced, and its
    /// viewers dismissed; nobody else notices.
    pub fn add_camera(&self, id: &str, stream: MaskedStream) {
        self.remove_camera(id);
        self.viewers.cameras().insert(id.to_owned(), stream.clone());
        let over = match self.front {
            Some(_) => Over::TheConnectionOnly,
            None => Over::TcpOrUdp,
        };
        self.mounts.add_factory(
            &format!("/{id}"),
            media::factory(id, stream, over, &self.viewers, &self.context),
        );
    }

    /// Serves that stream no longer and dismisses its viewers.
    pub fn remove_camera(&self, id: &str) {
        if self.viewers.cameras().remove(id).is_some() {
            self.mounts.remove_factory(&format!("/{id}"));
            self.viewers.dismiss(id, "the camera was taken out");
        }
    }

    /// Changes who may watch. Nobody is dismissed while accounts and cameras are
    /// only added; once one is taken away or changed, everyone must show theirs again.
    ///
    /// # Errors
    /// [`CannotServe::NoUsers`]; then nothing changes.
    pub fn set_access(&self, access: &Access) -> Result<(), CannotServe> {
        someone(access)?;
        self.door.change(access, &self.server);
        Ok(())
    }

    /// Ends all connections and stops listening, within three seconds.
    pub fn stop(&self) {
        let Some(thread) = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        else {
            return;
        };
        let cameras: Vec<String> = self.viewers.cameras().keys().cloned().collect();
        for camera in cameras {
            self.remove_camera(&camera);
        }
        self.server
            .client_filter(Some(&mut |_, _| gst_rtsp_server::RTSPFilterResult::Remove));
        if let Some(front) = &self.front {
            front.stop();
        }
        let (ended, end) = bounded(1);
        let main_loop = self.main_loop.clone();
        // On the loop's own thread: quitting before it runs would be lost.
        self.context.invoke(move || {
            main_loop.quit();
            // Nobody listens any more where the limit has passed.
            let _ = ended.try_send(());
        });
        if end.recv_timeout(STOP_WITHIN).is_ok() && thread.join().is_err() {
            tracing::error!("the RTSP server's thread panicked");
        }
    }
}

impl Drop for RtspServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn someone(access: &Access) -> Result<(), CannotServe> {
    match access {
        Access::Accounts(none) if none.is_empty() => Err(CannotServe::NoUsers),
        _ => Ok(()),
    }
}

/// Listens at the address of `settings`: the port, and who listens where it is
/// not the server itself.
fn listen(
    settings: &RtspSettings,
    server: &gst_rtsp_server::RTSPServer,
    door: &Arc<Door>,
    context: &glib::MainContext,
) -> Result<(Option<Front>, u16), CannotServe> {
    let cannot = |why: String| CannotServe::Listen {
        address: settings.address.to_string(),
        port: settings.port,
        why,
    };
    let Some(certificate) = &settings.tls else {
        server.set_address(&settings.address.to_string());
        server.set_service(&settings.port.to_string());
        server
            .attach(Some(context))
            .map_err(|e| cannot(e.to_string()))?;
        return Ok((None, u16::try_from(server.bound_port()).unwrap_or(0)));
    };
    let (server, door, context) = (server.downgrade(), Arc::downgrade(door), context.clone());
    let front = Front::start(
        SocketAddr::new(settings.address, settings.port),
        settings.sessions_at_most.saturating_add(STRANGERS) as usize,
        certificate.clone(),
        Box::new(move |arrival| {
            let (server, door) = (server.clone(), door.clone());
            // On the thread where the server meets those who come by themselves.
            context.invoke(move || {
                if let (Some(server), Some(door)) = (server.upgrade(), door.upgrade()) {
                    door.admit(&server, arrival);
                }
            });
        }),
    )
    .map_err(|e| cannot(e.to_string()))?;
    let port = front.port();
    Ok((Some(front), port))
}

/// What has to be done again and again.
fn tend(
    server: &gst_rtsp_server::RTSPServer,
    viewers: &Arc<Viewers>,
    door: &Arc<Door>,
) -> glib::Source {
    let (server, viewers) = (server.downgrade(), Arc::downgrade(viewers));
    let door = Arc::downgrade(door);
    glib::timeout_source_new(TEND_EVERY, None, glib::Priority::DEFAULT, move || {
        let (Some(server), Some(viewers), Some(door)) =
            (server.upgrade(), viewers.upgrade(), door.upgrade())
        else {
            return glib::ControlFlow::Break;
        };
        door.look();
        if let Some(pool) = server.session_pool() {
            pool.cleanup();
        }
        viewers.dismiss_slow();
        glib::ControlFlow::Continue
    })
}
