//! Steering: what people want, given to the camera's [`Steer`](crate::steer::Steer)
//! with what is known of where it looks now.

use super::Shared;
use super::camera::RunningCamera;
use crate::pose::profile::Beyond;
use crate::steer::{Deflection, Reply, Steer, SteerError};
use crate::web::{Answer, CameraPreset, Reach, SteerFault, Steering, Wish};
use futures_util::future::ready;

impl From<SteerError> for SteerFault {
    fn from(error: SteerError) -> Self {
        match error {
            SteerError::NoPreset => Self::NoPreset,
            SteerError::Camera(words) => Self::Camera(words),
            SteerError::TooSlow | SteerError::Ending => Self::Camera(error.to_string()),
        }
    }
}

impl From<Beyond> for SteerFault {
    fn from(beyond: Beyond) -> Self {
        Self::Beyond(beyond.to_string())
    }
}

/// Waits for the camera's answer.
fn answer<T: Send + 'static>(asked: Result<Reply<T>, SteerFault>) -> Answer<T> {
    match asked {
        Err(fault) => Box::pin(ready(Err(fault))),
        Ok(reply) => Box::pin(async move {
            let told = reply.await.unwrap_or(Err(SteerError::Ending));
            told.map_err(SteerFault::from)
        }),
    }
}

impl Shared {
    /// Asks what steers a camera. Nothing here waits for one.
    fn at_helm<T>(
        &self,
        camera: &str,
        ask: impl FnOnce(&RunningCamera, &Steer) -> Result<T, SteerFault>,
    ) -> Result<T, SteerFault> {
        let cameras = self.cameras();
        let running = cameras.iter().find(|c| c.id() == camera);
        let running = running.ok_or(SteerFault::NoCamera)?;
        ask(running, running.steer()?)
    }
}

impl Steering for Shared {
    fn reach(&self, camera: &str) -> Result<Reach, SteerFault> {
        self.at_helm(camera, |_, steer| {
            let reach = steer.aim().reach();
            Ok(Reach {
                pan_deg: reach.pan_deg.into(),
                tilt_deg: reach.tilt_deg.into(),
                hfov_deg: reach.hfov_deg.into(),
                endless_pan: reach.endless_pan,
                max_speed_deg_s: reach.max_speed_deg_s,
                // Every ONVIF camera is asked; one that has none says so then.
                home: true,
                presets: true,
            })
        })
    }

    fn steer(&self, camera: &str, wish: Wish) -> Answer<()> {
        answer(self.at_helm(camera, |running, steer| {
            let gaze = running.gaze();
            // A camera that does not tell where it is goes the way from pan 0.
            let near = gaze.map_or(0.0, |gaze| gaze.pan_deg);
            Ok(match wish {
                Wish::Turn { pan, tilt, zoom } => {
                    let by = Deflection { pan, tilt, zoom };
                    steer.turn(by, gaze.map(|gaze| gaze.hfov_deg))
                }
                Wish::Stop => steer.stop(),
                Wish::Go {
                    pan_deg,
                    tilt_deg,
                    zoom,
                } => steer.go(pan_deg, tilt_deg, zoom, near)?,
                Wish::Look { pan_deg, tilt_deg } => steer.look(pan_deg, tilt_deg, near)?,
                Wish::Home => steer.home(),
                Wish::Preset(token) => steer.go_preset(token),
            })
        }))
    }

    fn presets(&self, camera: &str) -> Answer<Vec<CameraPreset>> {
        let asked = answer(self.at_helm(camera, |_, steer| Ok(steer.presets())));
        Box::pin(async move {
            let listed = asked.await?.into_iter();
            Ok(listed
                .map(|preset| CameraPreset {
                    token: preset.token,
                    name: preset.name,
                    pan_deg: preset.place.map(|(pan, ..)| pan),
                    tilt_deg: preset.place.map(|(_, tilt, _)| tilt),
                    zoom: preset.place.map(|(.., zoom)| zoom),
                })
                .collect())
        })
    }

    fn let_go(&self, camera: &str) {
        // A camera that is gone, or never turned, has nothing to let go of.
        let _ = self.at_helm(camera, |_, steer| {
            steer.let_go();
            Ok(())
        });
    }
}
