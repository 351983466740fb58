//! Steering: turns a camera over ONVIF, and sees to it that it stops.
//!
//! People's commands become what this camera understands ([`Aim`]), wait in a place
//! that holds no more than the newest, and are sent on a connection of their own, so
//! that a camera that is slow to obey is not slower to tell where it looks. A camera
//! that turns is told to stop when nobody has said for [`DEAD_MAN`] that it should
//! go on, when whoever steers leaves, and when the gateway ends; again and again
//! until it confirms. Must not know who steers, HTTP or frames.

mod aim;
mod driver;
mod helm;

pub use aim::{Aim, Deflection, Rates, Reach};
pub use helm::DEAD_MAN;

use crate::clock::Clock;
use crate::onvif::{OnvifSettings, PtzCommand};
use crate::pose::profile::Beyond;
use driver::{Driver, Ends, Shared};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Why a camera does not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SteerError {
    /// The camera refuses, or cannot be reached: in its own words.
    #[error("{0}")]
    Camera(String),
    /// It has no such preset.
    #[error("there is no such preset")]
    NoPreset,
    /// It took so long over what came before that this was not sent any more.
    #[error("the camera is too slow to follow")]
    TooSlow,
    /// The gateway ends, or the camera was taken out of the configuration.
    #[error("the gateway leaves this camera")]
    Ending,
}

/// What becomes of a command, once the camera has said so.
pub type Reply<T> = oneshot::Receiver<Result<T, SteerError>>;

/// One of the camera's own presets, in degrees of our convention.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// What the camera calls it.
    pub token: String,
    /// What people call it; may be empty.
    pub name: String,
    /// Pan and tilt of the head, degrees, and zoom in the profile's unit, where the
    /// camera tells them and the profile can map them.
    pub place: Option<(f64, f64, f64)>,
}

const THREAD: &str = "steering";

/// A camera that can be steered. Dropping it stops the camera, where it turns.
#[derive(Debug)]
pub struct Steer {
    aim: Arc<Aim>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Steer {
    /// Nothing is asked of the camera before the first command.
    ///
    /// # Errors
    /// No thread, or no event loop in it.
    pub fn start(
        settings: OnvifSettings,
        aim: Aim,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let aim = Arc::new(aim);
        let (shared, questions) = Shared::new(clock);
        let shared = Arc::new(shared);
        let driver = Driver::new(settings, aim.clone(), shared.clone(), questions);
        let ends = Ends(shared.clone());
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                let _ends = ends;
                runtime.block_on(driver.run());
                runtime.shutdown_timeout(std::time::Duration::from_millis(50));
            })?;
        Ok(Self {
            aim,
            shared,
            thread: Some(thread),
        })
    }

    /// What this camera understands.
    pub fn aim(&self) -> &Aim {
        &self.aim
    }

    /// Turns and zooms. `hfov_deg`: the horizontal field of view now, where it is
    /// known. `most_speed`: no faster than this share of the highest speeds. It goes on
    /// until [`DEAD_MAN`] after the last such call.
    pub fn turn(
        &self,
        deflection: Deflection,
        hfov_deg: Option<f64>,
        most_speed: f64,
    ) -> Reply<()> {
        match self.aim.turn(deflection, hfov_deg, most_speed) {
            Some(command) => self.shared.turn(command),
            None => self.shared.stop(),
        }
    }

    /// Stops whatever the camera does.
    pub fn stop(&self) -> Reply<()> {
        self.shared.stop()
    }

    /// Sends the head to a pan and tilt, degrees, in any turn, and the lens to a zoom
    /// (the profile's unit; none = as it is). `near_pan_deg`: where the head is now,
    /// any turn.
    ///
    /// # Errors
    /// [`Beyond`] what the camera reaches; nothing is sent then.
    pub fn go(
        &self,
        pan_deg: f64,
        tilt_deg: f64,
        zoom: Option<f64>,
        near_pan_deg: f64,
    ) -> Result<Reply<()>, Beyond> {
        let command = self.aim.go(pan_deg, tilt_deg, zoom, near_pan_deg)?;
        Ok(self.shared.go(command))
    }

    /// Sends the head to look along a direction of the world, degrees.
    ///
    /// # Errors
    /// [`Beyond`] what the camera reaches; nothing is sent then.
    pub fn look(
        &self,
        pan_deg: f64,
        tilt_deg: f64,
        near_pan_deg: f64,
    ) -> Result<Reply<()>, Beyond> {
        let command = self.aim.look(pan_deg, tilt_deg, near_pan_deg)?;
        Ok(self.shared.go(command))
    }

    /// Sends the camera to what it calls home.
    pub fn home(&self) -> Reply<()> {
        self.shared.go(PtzCommand::Home)
    }

    /// Sends the camera to one of its presets.
    pub fn go_preset(&self, token: String) -> Reply<()> {
        self.shared.go(PtzCommand::Preset(token))
    }

    /// The camera's presets.
    pub fn presets(&self) -> Reply<Vec<Preset>> {
        self.shared.presets()
    }

    /// Nobody steers any more: a camera that turns stops now. One that is on its way
    /// to a place goes there.
    pub fn let_go(&self) {
        self.shared.let_go();
    }
}

impl Drop for Steer {
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the steering thread had panicked");
        }
    }
}

#[cfg(test)]
mod tests;
