//! The HTTP side: the console for people in a browser, the API, health.
//!
//! Serves what it is given and decides nothing but who may ask for it. This
//! module must not know GStreamer, geometry or how cameras are run: it meets
//! them in [`Gateway`], which [`app`](crate::app) implements.

mod accounts;
mod api;
mod command;
mod desk;
mod error;
mod files;
mod guard;
mod holds;
mod live;
mod metrics;
mod recording;
mod server;
mod sessions;
mod status;
mod steering;
mod stills;
mod watching;

pub use api::openapi_json;
pub use command::NotDone;
pub use desk::{
    CameraView, Desk, DeskFault, Edit, InForce, Mistake, MountView, PresetView, ProofQuestion,
    VerifiedView, Vouch, Why,
};
pub use holds::{By, Holds, Overtaken};
pub use live::{Live, LiveOver, LivePart};
pub use server::{CannotStart, Server};
pub use status::{
    BusStatus, CameraStatus, CaptureTimeStatus, DetectorStatus, GatewayStatus, MetadataStatus,
    Percentiles, PresetStatus, PublicationStatus, SoundStatus, StreamStatus,
};
pub use steering::{Answer, CameraPreset, Reach, SteerFault, Steering, Wish};
pub use stills::{ClearPicture, Grant, Permit, StillFault, Stills};

use crate::audit::Audit;
use crate::clock::Clock;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where and how to serve.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address; port 0 picks one.
    pub listen: SocketAddr,
    /// Where metrics are served to whoever reaches it, and nothing else; port 0
    /// picks one.
    pub metrics_listen: Option<SocketAddr>,
    /// The console; none = only the status, to whoever reaches the address.
    pub console: Option<ConsoleSettings>,
}

/// What the console needs.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// The accounts' file; read again whenever it changes.
    pub users: PathBuf,
    /// Where it is recorded who did what.
    pub audit: Audit,
    /// Certificate chain and private key (PEM); none = plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Who steers which camera: viewers' commands go there, too.
    pub holds: Holds,
    /// How long a session lasts that nobody uses.
    pub session: Duration,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The gateway, as far as HTTP may reach it.
pub trait Gateway: Send + Sync {
    /// The gateway now.
    fn status(&self) -> GatewayStatus;

    /// The gateway now, for Prometheus (OpenMetrics text).
    ///
    /// # Errors
    /// What the formatter reports.
    fn metrics(&self) -> Result<String, std::fmt::Error>;

    /// Lets a browser watch a camera's masked stream (WHEP): its offer (SDP)
    /// for an answer.
    ///
    /// # Errors
    /// [`CannotWatch`].
    fn watch(&self, camera: &str, offer: &str) -> Result<Watching, CannotWatch>;

    /// Lets a browser watch a camera's masked stream as fragmented MP4. Nothing
    /// is made for it before the first part is taken.
    ///
    /// # Errors
    /// [`CannotWatch`].
    fn watch_live(&self, camera: &str) -> Result<Live, CannotWatch>;

    /// Ends a browser's watching; whether there was such a one.
    fn unwatch(&self, watching: &str) -> bool;
}

/// Everything of the gateway that HTTP may reach.
pub trait Whole: Gateway + Desk + Steering + Stills {}

impl<G: Gateway + Desk + Steering + Stills> Whole for G {}

/// The answer to a browser that wants to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watching {
    /// Its name, which nobody can guess.
    pub id: String,
    /// The answer (SDP).
    pub answer: String,
}

/// Why a browser may not watch now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotWatch {
    /// No such camera.
    #[error("there is no such camera")]
    NoCamera,
    /// What was sent is no offer that can be answered.
    #[error("the offer cannot be answered: {0}")]
    NotAnOffer(String),
    /// The browser does not take H.264.
    #[error("this browser does not take H.264 video")]
    NoH264,
    /// There is no room for another viewer.
    #[error("there are too many viewers")]
    TooMany,
    /// The gateway is ending.
    #[error("the gateway is ending")]
    Ending,
}
