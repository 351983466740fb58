//! A camera's ONVIF services: where they are, what is asked, what is answered.
//!
//! One connection for whoever asks: [`telemetry`](crate::telemetry) asks where the
//! camera looks, [`steer`](crate::steer) turns it; each has a connection of its own.
//! What a camera says is bounded and read, never believed: numbers stay in the
//! camera's own units. This module must not know poses, frames or GStreamer.

pub mod answers;
mod camera;
mod http;
pub mod metadata;
mod ptz;
pub mod utc;
pub mod xml;

pub(crate) use camera::{CameraError, OnvifCamera, Service, escaped};
pub(crate) use ptz::PtzCommand;

use crate::secret::Secret;
use std::sync::Arc;

/// How to reach a camera's ONVIF services.
#[derive(Clone, Debug, PartialEq)]
pub struct OnvifSettings {
    /// `http://HOST[:PORT]/onvif/device_service`.
    pub device_url: String,
    /// User name; empty: ask without credentials.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Media profile whose PTZ is asked; `None`: the first that has one.
    pub profile_token: Option<String>,
    /// Certificates (PEM) that alone are trusted over https; `None`: the machine's.
    pub ca_pem: Option<Arc<str>>,
    /// How long one request may take, milliseconds, 10…60 000.
    pub timeout_ms: u64,
}
