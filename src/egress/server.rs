//! The RTSP server: one address, one path per camera.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::bounded;
use gst::glib;
use gst_rtsp_server::prelude::*;
use gstreamer as gst;
use gstreamer_rtsp as gst_rtsp;
use gstreamer_rtsp_server as gst_rtsp_server;

use super::media;
use super::viewers::Viewers;
use crate::event::EventSink;
use crate::pipeline::MaskedStream;
use crate::secret::Secret;

/// Who may watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone who can reach the address.
    Open,
    /// These users with these passwords, shown by RTSP Digest (RFC 2617).
    Digest(Vec<(String, Secret)>),
}

impl Access {
    /// Whether everyone whom `other` lets in is let in.
    fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Open, _) => true,
            (Self::Digest(_), Self::Open) => false,
            (Self::Digest(all), Self::Digest(some)) => some.iter().all(|u| all.contains(u)),
        }
    }
}

/// How the RTSP server is to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtspSettings {
    /// The address to listen on: an IP address, `0.0.0.0` for all.
    pub address: String,
    /// The port; 0 lets the system choose, see [`RtspServer::port`].
    pub port: u16,
    /// Who may watch.
    pub access: Access,
    /// The most sessions at once.
    pub sessions_at_most: u32,
}

/// Why the server cannot be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotServe {
    /// GStreamer itself does not start.
    #[error("GStreamer does not start: {0}")]
    NoGstreamer(String),
    /// Digest access without a single user would lock everyone out.
    #[error("access by Digest needs at least one user")]
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
    access: Mutex<Access>,
    thread: Mutex<Option<JoinHandle<()>>>,
    port: u16,
}

impl std::fmt::Debug for RtspServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RtspServer(port {})", self.port)
    }
}

/// Threads for RTSP's own messages. A DESCRIBE holds one until the key frame
/// made for it is there; the others go on answering.
const CONTROL_THREADS: i32 = 4;
const TEND_EVERY: Duration = Duration::from_secs(1);
const STOP_WITHIN: Duration = Duration::from_secs(2);

impl RtspServer {
    /// Listens and serves; without cameras at first.
    ///
    /// # Errors
    /// [`CannotServe`] says why not.
    pub fn start(settings: RtspSettings, events: Arc<dyn EventSink>) -> Result<Self, CannotServe> {
        gst::init().map_err(|e| CannotServe::NoGstreamer(e.to_string()))?;
        let server = gst_rtsp_server::RTSPServer::new();
        server.set_address(&settings.address);
        server.set_service(&settings.port.to_string());
        let mounts = gst_rtsp_server::RTSPMountPoints::new();
        server.set_mount_points(Some(&mounts));
        if let Some(pool) = server.session_pool() {
            pool.set_max_sessions(settings.sessions_at_most);
        }
        if let Some(pool) = server.thread_pool() {
            pool.set_max_threads(CONTROL_THREADS);
        }
        let auth = auth(&settings.access)?;
        server.set_auth(auth.as_ref());
        let viewers = Arc::new(Viewers::new(events));
        let all = viewers.clone();
        server.connect_client_connected(move |_, client| all.welcome(client));

        let context = glib::MainContext::new();
        server
            .attach(Some(&context))
            .map_err(|e| CannotServe::Listen {
                address: settings.address.clone(),
                port: settings.port,
                why: e.to_string(),
            })?;
        let port = u16::try_from(server.bound_port()).unwrap_or(0);
        tend(&server, &viewers).attach(Some(&context));
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
            access: Mutex::new(settings.access),
            thread: Mutex::new(Some(thread)),
            port,
        })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves `stream` at `/<id>`. A camera of the same id is replaced, and its
    /// viewers dismissed; nobody else notices.
    pub fn add_camera(&self, id: &str, stream: MaskedStream) {
        self.remove_camera(id);
        self.viewers.cameras().insert(id.to_owned(), stream.clone());
        self.mounts.add_factory(
            &format!("/{id}"),
            media::factory(stream, &self.viewers, &self.context),
        );
    }

    /// Serves the camera no longer and dismisses its viewers.
    pub fn remove_camera(&self, id: &str) {
        if self.viewers.cameras().remove(id).is_some() {
            self.mounts.remove_factory(&format!("/{id}"));
            self.viewers.dismiss(id, "the camera was taken out");
        }
    }

    /// Changes who may watch. Nobody is dismissed while accounts are only added;
    /// once one is taken away or changed, everyone must show theirs again.
    ///
    /// # Errors
    /// [`CannotServe::NoUsers`]; then nothing changes.
    pub fn set_access(&self, access: &Access) -> Result<(), CannotServe> {
        let auth = auth(access)?;
        let mut current = self.access.lock().unwrap_or_else(PoisonError::into_inner);
        self.server.set_auth(auth.as_ref());
        if !access.includes(&current) {
            self.server
                .client_filter(Some(&mut |_, _| gst_rtsp_server::RTSPFilterResult::Remove));
        }
        *current = access.clone();
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

fn auth(access: &Access) -> Result<Option<gst_rtsp_server::RTSPAuth>, CannotServe> {
    let users = match access {
        // Without an authenticator the server asks nobody.
        Access::Open => return Ok(None),
        Access::Digest(users) if users.is_empty() => return Err(CannotServe::NoUsers),
        Access::Digest(users) => users,
    };
    let auth = gst_rtsp_server::RTSPAuth::new();
    auth.set_supported_methods(gst_rtsp::RTSPAuthMethod::Digest);
    auth.set_realm(Some("greyplane"));
    for (user, password) in users {
        let token = gst_rtsp_server::RTSPToken::builder()
            .field(
                gst_rtsp_server::RTSP_TOKEN_MEDIA_FACTORY_ROLE.as_str(),
                media::VIEWER,
            )
            .build();
        auth.add_digest(user, password.reveal(), &token);
    }
    Ok(Some(auth))
}

/// What has to be done again and again.
fn tend(server: &gst_rtsp_server::RTSPServer, viewers: &Arc<Viewers>) -> glib::Source {
    let (server, viewers) = (server.downgrade(), Arc::downgrade(viewers));
    glib::timeout_source_new(TEND_EVERY, None, glib::Priority::DEFAULT, move || {
        let (Some(server), Some(viewers)) = (server.upgrade(), viewers.upgrade()) else {
            return glib::ControlFlow::Break;
        };
        if let Some(pool) = server.session_pool() {
            pool.cleanup();
        }
        viewers.dismiss_slow();
        glib::ControlFlow::Continue
    })
}
