//! The simulated PTZ camera: a drawn street behind a turning, zooming lens,
//! served over RTSP with sender reports and over ONVIF, with faults at will.
//!
//! It exists to judge the gateway, so it shares no projection code with it:
//! nothing in here may use `geom`, `pose`, `zone` or anything that does.

mod camera;
mod clip;
pub mod code;
pub mod config;
mod control;
mod devices;
pub mod faults;
pub mod form;
pub mod lens;
pub mod motion;
mod onvif;
pub mod profile;
mod recording;
pub mod render;
pub mod reports;
mod rtsp;
pub mod scene;
mod visca;
mod wall;
pub mod zones;

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use self::camera::Camera;
pub use self::camera::Truth;
pub use self::config::{ClipView, SimConfig, Stamps};
use self::control::Control;
use self::faults::StreamStop;
pub use self::faults::{Faults, StampFault};
pub use self::form::{Form, Pixels, SoundCodec, VideoCodec};
pub use self::profile::Profile;
pub use self::render::{CANARY_RGB, CANARY_YUV};
pub use self::reports::Reports;
use self::rtsp::RtspServer;
pub use self::rtsp::SOUND_HZ;
#[cfg(test)]
pub(crate) use self::rtsp::pay::register as register_payloader;
use crate::clock::{CaptureTime, Clock};

/// Why a simulated camera does not start or refuses an order.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The configuration makes no camera.
    #[error("simulated camera: {0}")]
    Config(String),
    /// GStreamer cannot serve the stream.
    #[error("simulated camera's stream: {0}")]
    Stream(String),
    /// A port cannot be listened on.
    #[error("simulated camera cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// A running simulated camera; dropping it stops it.
#[derive(Debug)]
pub struct Sim {
    camera: Arc<Camera>,
    rtsp: Arc<std::sync::Mutex<RtspServer>>,
    addresses: [String; 3],
    /// Of the other services: over HTTP, over UDP.
    others: [String; 2],
    shutdown: Option<tokio::sync::watch::Sender<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl Sim {
    /// Starts a camera: RTSP, ONVIF and control servers on their ports.
    ///
    /// # Errors
    /// When the configuration is refused, a port is taken, or GStreamer lacks
    /// an encoder.
    pub fn start(config: SimConfig, clock: Arc<dyn Clock>) -> Result<Self, SimError> {
        config.check()?;
        gstreamer::init().map_err(|e| SimError::Stream(e.to_string()))?;
        let (onvif_listener, onvif_at) = listen(&config, config.onvif_port)?;
        let (control_listener, control_at) = listen(&config, config.control_port)?;
        let (visca_socket, visca_at) = listen_for_datagrams(&config)?;
        let mut config = as_fixed(config);
        let source = match config.clip.as_deref() {
            Some(path) if config.clip_view == ClipView::AsItIs => {
                let recording = recording::Recording::open(path)?;
                (config.width, config.height) = (recording.width, recording.height);
                config.fps = recording.fps;
                rtsp::Source::Recording(Arc::new(recording))
            }
            Some(path) => rtsp::Source::Clip(Arc::new(clip::Clip::open(path, &config)?)),
            None => rtsp::street_source(),
        };
        let camera = Arc::new(Camera::new(config, clock));
        let rtsp = RtspServer::start(&camera, &source)?;
        let host = SocketAddr::new(camera.config.listen, rtsp.port());
        let addresses = [
            format!("rtsp://{host}{}", rtsp::PATH),
            format!("http://{onvif_at}/onvif/device_service"),
            format!("http://{control_at}"),
        ];
        let rtsp = Arc::new(std::sync::Mutex::new(rtsp));
        let onvif =
            onvif::OnvifServer::new(&camera, format!("http://{onvif_at}"), addresses[0].clone());
        let devices = devices::Devices::new(&camera);
        let services = onvif.router().merge(devices.router());
        let talking = Arc::clone(&camera);
        let (shutdown, watch) = tokio::sync::watch::channel(false);
        let control = Control::new(&camera, &rtsp, addresses.clone());
        let (ready, started) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("sim-http".to_owned())
            .spawn(move || {
                serve(
                    [
                        (onvif_listener, services),
                        (control_listener, control.router()),
                    ],
                    (visca_socket, talking),
                    watch,
                    &ready,
                );
            })
            .map_err(|e| SimError::Stream(format!("no thread for the HTTP servers: {e}")))?;
        match started.recv() {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Err(SimError::Stream(why)),
            Err(_) => return Err(SimError::Stream("the HTTP servers ended".to_owned())),
        }
        let sim = Self {
            camera,
            rtsp,
            addresses,
            others: [format!("http://{onvif_at}"), format!("visca://{visca_at}")],
            shutdown: Some(shutdown),
            thread: Some(thread),
        };
        sim.set_faults(&sim.camera.faults())?;
        Ok(sim)
    }

    /// Address of the stream.
    pub fn rtsp_url(&self) -> &str {
        &self.addresses[0]
    }

    /// Address of the second stream, where there is one.
    pub fn sub_url(&self) -> Option<String> {
        self.camera.config.sub?;
        let host = self.rtsp_url().strip_suffix(rtsp::PATH)?;
        Some(format!("{host}{}", rtsp::SUB_PATH))
    }

    /// Address of the ONVIF device service.
    pub fn onvif_url(&self) -> &str {
        &self.addresses[1]
    }

    /// Where VAPIX and ISAPI answer, without a path.
    pub fn http_url(&self) -> &str {
        &self.others[0]
    }

    /// Where VISCA over IP answers, `visca://HOST:PORT`.
    pub fn visca_url(&self) -> &str {
        &self.others[1]
    }

    /// Address of the control interface.
    pub fn control_url(&self) -> &str {
        &self.addresses[2]
    }

    /// The true private places as a mask document (JSON, format 1).
    pub fn zones_json(&self) -> String {
        zones::document(&self.camera.config)
    }

    /// What the gateway must know about this camera.
    pub fn profile(&self) -> Profile {
        Profile::of(&self.camera.config)
    }

    /// The same where its position is read in other words.
    pub fn profile_in(&self, words: Reports) -> Profile {
        Profile::of_reports(&self.camera.config, words)
    }

    /// Replaces the faults.
    ///
    /// # Errors
    /// When a knob is out of its range.
    pub fn set_faults(&self, faults: &Faults) -> Result<(), SimError> {
        control::apply(&self.camera, &self.rtsp, faults)
    }

    /// The faults now.
    pub fn faults(&self) -> Faults {
        self.camera.faults()
    }

    /// Where the camera really looked at a capture time, told by its own clock
    /// as that went then, before or after a step; `None` in the future or more
    /// than a minute ago.
    pub fn pose_at(&self, capture: CaptureTime) -> Option<Truth> {
        self.camera.truth_at(self.camera.since_start(capture)?)
    }

    /// The truth of a frame by its number (see [`code`]), as long as it is
    /// not more than a minute old.
    pub fn truth_of_frame(&self, frame: u64) -> Option<Truth> {
        self.camera
            .truth_at(frame.checked_mul(self.camera.frame_ns())?)
    }

    /// Moves the camera, as an operator would.
    pub fn order(&self, order: motion::Order) {
        self.camera.order(order);
    }

    /// Restarts the camera: away for two seconds, then it reports 0, 0, 0
    /// while it homes.
    pub fn restart(&self) {
        control::restart(&self.camera, &self.rtsp);
    }

    /// Stops all servers and waits for them.
    pub fn stop(&mut self) {
        if let Some(shutdown) = self.shutdown.take() {
            let _ = shutdown.send(true);
        }
        camera::lock(&self.rtsp).stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A camera that shows a clip whole stands still in front of it.
fn as_fixed(mut config: SimConfig) -> SimConfig {
    if config.is_fixed() {
        config.roll_deg = 0.0;
        config.motion = motion::script::Script::Still {
            at: motion::script::Place {
                pan_deg: 0.0,
                tilt_deg: 0.0,
                zoom: 0.0,
            },
        };
        config.limits.tilt_min_deg = config.limits.tilt_min_deg.min(0.0);
        config.limits.tilt_max_deg = config.limits.tilt_max_deg.max(0.0);
    }
    config
}

fn listen(config: &SimConfig, port: u16) -> Result<(TcpListener, SocketAddr), SimError> {
    let address = SocketAddr::new(config.listen, port);
    let fail = |source| SimError::Listen {
        address: address.to_string(),
        source,
    };
    let listener = TcpListener::bind(address).map_err(fail)?;
    listener.set_nonblocking(true).map_err(fail)?;
    let at = listener.local_addr().map_err(fail)?;
    Ok((listener, at))
}

fn listen_for_datagrams(config: &SimConfig) -> Result<(UdpSocket, SocketAddr), SimError> {
    let address = SocketAddr::new(config.listen, config.visca_port);
    let fail = |source| SimError::Listen {
        address: address.to_string(),
        source,
    };
    let socket = UdpSocket::bind(address).map_err(fail)?;
    socket.set_nonblocking(true).map_err(fail)?;
    let at = socket.local_addr().map_err(fail)?;
    Ok((socket, at))
}

fn serve(
    servers: [(TcpListener, axum::Router); 2],
    (datagrams, camera): (UdpSocket, Arc<Camera>),
    shutdown: tokio::sync::watch::Receiver<bool>,
    ready: &mpsc::SyncSender<Result<(), String>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => {
            let _ = ready.send(Err(e.to_string()));
            return;
        }
    };
    runtime.block_on(async {
        for (listener, router) in servers {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    tokio::spawn(async move { axum::serve(listener, router).await });
                }
                Err(e) => {
                    let _ = ready.send(Err(e.to_string()));
                    return;
                }
            }
        }
        match tokio::net::UdpSocket::from_std(datagrams) {
            Ok(socket) => {
                tokio::spawn(visca::serve(socket, camera));
            }
            Err(e) => {
                let _ = ready.send(Err(e.to_string()));
                return;
            }
        }
        let _ = ready.send(Ok(()));
        let mut shutdown = shutdown;
        // An error means that the camera is gone: the same.
        let _ = shutdown.wait_for(|stop| *stop).await;
    });
    runtime.shutdown_timeout(Duration::from_millis(500));
}

/// Whether a stream stop means that connections are refused.
fn refuses(faults: &Faults) -> bool {
    faults.stream_stop == StreamStop::Refuse
}
