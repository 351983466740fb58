//! What those who steer ask of the gateway.

use serde::Serialize;
use std::future::Future;
use std::pin::Pin;
use utoipa::ToSchema;

/// What becomes of it, once the camera has said so.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, SteerFault>> + Send>>;

/// Where cameras are turned.
pub trait Steering: Send + Sync {
    /// What a camera can reach.
    ///
    /// # Errors
    /// [`SteerFault`]: no camera, or none that turns.
    fn reach(&self, camera: &str) -> Result<Reach, SteerFault>;

    /// Tells a camera to do something.
    fn steer(&self, camera: &str, wish: Wish) -> Answer<()>;

    /// What is sent for a wish: a preset may have to be looked up, and what is judged
    /// must be what is sent. By default the wish as it is.
    fn settled(&self, camera: &str, wish: Wish) -> Answer<Wish> {
        let _ = camera;
        Box::pin(std::future::ready(Ok(wish)))
    }

    /// A camera's own presets.
    fn presets(&self, camera: &str) -> Answer<Vec<CameraPreset>>;

    /// Nobody steers a camera any more: it stops, where it turns.
    fn let_go(&self, camera: &str);
}

/// What somebody wants a camera to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Turn and zoom: shares, −1…1, to the right, upwards, closer. It ends by itself
    /// when it is not wished again.
    Turn {
        /// To the right.
        pan: f64,
        /// Upwards.
        tilt: f64,
        /// Closer.
        zoom: f64,
    },
    /// Stop.
    Stop,
    /// Go to a position of the head, degrees, and a zoom in the profile's unit.
    Go {
        /// To the right, any turn.
        pan_deg: f64,
        /// Upwards.
        tilt_deg: f64,
        /// None = as it is.
        zoom: Option<f64>,
    },
    /// Look along a direction of the world, degrees.
    Look {
        /// To the right.
        pan_deg: f64,
        /// Upwards.
        tilt_deg: f64,
    },
    /// Go home.
    Home,
    /// Go to the camera's preset of this token.
    Preset(String),
}

/// What a camera can reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub struct Reach {
    /// Pan of the head, least and most.
    pub pan_deg: (f64, f64),
    /// Tilt of the head, least and most.
    pub tilt_deg: (f64, f64),
    /// Horizontal field of view, narrowest and widest.
    pub hfov_deg: (f64, f64),
    /// Whether it turns on without end.
    pub endless_pan: bool,
    /// Highest speed.
    pub max_speed_deg_s: f64,
    /// Whether it can go home.
    pub home: bool,
    /// Whether it may have presets.
    pub presets: bool,
}

/// One of a camera's own presets.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct CameraPreset {
    /// What the camera calls it.
    pub token: String,
    /// What people call it.
    pub name: String,
    /// Pan of the head; null where the camera does not tell.
    #[schema(required)]
    pub pan_deg: Option<f64>,
    /// Tilt of the head.
    #[schema(required)]
    pub tilt_deg: Option<f64>,
    /// Zoom, the profile's unit.
    #[schema(required)]
    pub zoom: Option<f64>,
}

/// Why a camera does not do what somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SteerFault {
    /// No such camera.
    NoCamera,
    /// It does not turn.
    Fixed,
    /// It turns, but not by the gateway: it cannot tell where it looks.
    ByItself,
    /// It tells its position over this, and nothing steers over that.
    NotOver(&'static str),
    /// Nobody knows how it turns: why.
    Unknown(String),
    /// What was asked for is beyond what it reaches.
    Beyond(String),
    /// It would show what nobody may be shown: what, and what may be done.
    NoGo(String),
    /// It has no such preset.
    NoPreset,
    /// It refuses, cannot be reached or cannot follow: in its words.
    Camera(String),
}
