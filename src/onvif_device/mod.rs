//! Masked cameras as ONVIF devices, so that a VMS adds one like any camera: one
//! address a camera, its masked streams, and steering for those who may.
//!
//! A VMS logs in with a viewer's account, never with the camera's. What it asks is
//! bounded and read by [`request`]; what it wants of a camera goes the way that the
//! console's wishes go ([`Holds`]): one hand at a time, recorded before it moves. Not
//! offered: clear or masked stills, events, anything that changes a device. This
//! module must not know GStreamer, zones, or where a camera really is.

mod answer;
mod device;
mod login;
mod media;
mod ptz;
pub mod request;
mod server;
mod spaces;
mod turning;

pub use login::{Access, Account};
pub use server::{CannotServe, OnvifDevices};

use crate::clock::Clock;
use crate::tls::Certificate;
use crate::web::{Holds, Steering};
use std::net::SocketAddr;
use std::sync::Arc;

/// The gateway, as far as a VMS may reach it.
pub trait Cameras: Steering {
    /// What a camera's masked streams are like, the main one first; nothing where there is no
    /// such camera.
    fn pictures(&self, camera: &str) -> Vec<Picture>;

    /// What a camera's head and lens reach; none where nobody can steer it.
    fn head(&self, camera: &str) -> Option<Head>;

    /// Where a camera looks now; none where nobody knows.
    fn place(&self, camera: &str) -> Option<Place>;
}

/// What a masked stream is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// A further stream's name, which ends its path; none for the main one.
    pub stream: Option<String>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Frames a second.
    pub fps: f64,
    /// Bits a second, in thousands.
    pub bitrate_kbit: u32,
    /// Frames from one key frame to the next.
    pub gop_frames: u32,
}

/// What a head and a lens reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// Least and most.
    pub pan_deg: [f64; 2],
    /// Least and most.
    pub tilt_deg: [f64; 2],
    /// Least and most, in the unit of the camera's profile; the most is the closest.
    pub zoom: [f64; 2],
    /// Whether it may be sent home.
    pub home: bool,
}

/// Where a camera looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Of the head, any turn.
    pub pan_deg: f64,
    /// Of the head.
    pub tilt_deg: f64,
    /// In the unit of the camera's profile, where that is known.
    pub zoom: Option<f64>,
    /// Whether it turns or zooms.
    pub moves: bool,
}

/// One camera's device.
#[derive(Clone, Debug)]
pub struct Device {
    /// The camera's id.
    pub camera: String,
    /// Where it listens; port 0 picks one.
    pub listen: SocketAddr,
    /// Its certificate; none = in the clear.
    pub tls: Option<Arc<Certificate>>,
}

/// What all devices share.
#[derive(Clone)]
pub struct Settings {
    /// The cameras.
    pub cameras: Arc<dyn Cameras>,
    /// Who steers; none = nobody may, and no device says that it turns.
    pub holds: Option<Holds>,
    /// Who may ask, and who may steer.
    pub access: Access,
    /// Where the masked streams are served.
    pub rtsp: SocketAddr,
    /// Whether that is over TLS.
    pub rtsp_over_tls: bool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}
