//! Steering: what people want, given to the camera's [`Steer`](crate::steer::Steer)
//! with what is known of where it looks now.

use super::Shared;
use super::camera::{Gaze, RunningCamera};
use super::nogo::{NoGo, Standing};
use super::traced;
use crate::config;
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

/// What may be asked of one camera now.
struct Limits<'a> {
    rules: config::Steering,
    running: &'a RunningCamera,
    steer: &'a Steer,
    gaze: Option<Gaze>,
}

impl<'a> Limits<'a> {
    fn of(running: &'a RunningCamera, steer: &'a Steer, gaze: Option<Gaze>) -> Self {
        Self {
            rules: running.steering_rules(),
            running,
            steer,
            gaze,
        }
    }

    fn with<T>(&self, ask: impl FnOnce(&NoGo<'_>) -> Result<T, String>) -> Result<T, SteerFault> {
        let no_go = NoGo {
            rules: self.rules,
            reach: self.steer.aim().reach(),
            hidden: &|at| self.running.hidden_share(at),
        };
        ask(&no_go).map_err(SteerFault::NoGo)
    }

    /// What of a turn may be passed on.
    fn turn(&self, by: Deflection) -> Result<Deflection, SteerFault> {
        let now = self.gaze.map(|gaze| Standing {
            pan_deg: gaze.pan_deg,
            tilt_deg: gaze.tilt_deg,
            hfov_deg: gaze.hfov_deg,
        });
        let hfov_deg = self.gaze.map(|gaze| gaze.hfov_deg);
        let aim = self.steer.aim();
        let rates = |by| aim.rates(by, hfov_deg, self.rules.most_speed);
        self.with(|no_go| no_go.turn(by, now, rates))
    }

    /// Whether it may be sent there; `zoom` in the profile's unit, none = as it is.
    fn place(&self, pan_deg: f64, tilt_deg: f64, zoom: Option<f64>) -> Result<(), SteerFault> {
        if !NoGo::any(&self.rules) {
            return Ok(());
        }
        let hfov_deg = match zoom {
            // What is beyond its reach is refused as that.
            Some(zoom) => match self.steer.aim().hfov_deg(zoom) {
                Some(hfov_deg) => hfov_deg,
                None => return Ok(()),
            },
            None => match self.gaze {
                Some(gaze) => gaze.hfov_deg,
                None => return Err(nobody_knows("the lens")),
            },
        };
        let there = Standing {
            pan_deg,
            tilt_deg,
            hfov_deg,
        };
        match [pan_deg, tilt_deg].iter().all(|v| v.is_finite()) {
            true => self.with(|no_go| no_go.place(there)),
            false => Ok(()),
        }
    }

    /// Refuses what nobody knows the view of, where views are limited.
    fn unknown(&self, what: &str) -> Result<(), SteerFault> {
        match NoGo::any(&self.rules) {
            true => Err(nobody_knows(what)),
            false => Ok(()),
        }
    }
}

fn nobody_knows(what: &str) -> SteerFault {
    SteerFault::NoGo(format!(
        "nobody knows where {what} looks, and not all is to be shown"
    ))
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
    pub(super) fn at_helm<T>(
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
        self.at_helm(camera, |running, steer| {
            let reach = steer.aim().reach();
            Ok(Reach {
                pan_deg: reach.pan_deg.into(),
                tilt_deg: reach.tilt_deg.into(),
                hfov_deg: reach.hfov_deg.into(),
                endless_pan: reach.endless_pan,
                max_speed_deg_s: reach.max_speed_deg_s,
                // Every ONVIF camera is asked; one that has none says so then.
                home: !NoGo::any(&running.steering_rules()),
                presets: true,
            })
        })
    }

    fn steer(&self, camera: &str, wish: Wish) -> Answer<()> {
        let (began, turn) = (self.clock.mono(), traced::turn(&wish));
        let asked = self.at_helm(camera, |running, steer| {
            let gaze = running.gaze();
            // A camera that does not tell where it is goes the way from pan 0.
            let near = gaze.map_or(0.0, |gaze| gaze.pan_deg);
            let limits = Limits::of(running, steer, running.fresh_gaze());
            Ok(match wish {
                Wish::Turn { pan, tilt, zoom } => {
                    let by = limits.turn(Deflection { pan, tilt, zoom });
                    let by = by.inspect_err(|_| drop(steer.stop()))?;
                    let hfov_deg = gaze.map(|gaze| gaze.hfov_deg);
                    steer.turn(by, hfov_deg, limits.rules.most_speed)
                }
                Wish::Stop => steer.stop(),
                Wish::Go {
                    pan_deg,
                    tilt_deg,
                    zoom,
                } => {
                    limits.place(pan_deg, tilt_deg, zoom)?;
                    steer.go(pan_deg, tilt_deg, zoom, near)?
                }
                Wish::Look { pan_deg, tilt_deg } => {
                    let (pan, tilt) = steer.aim().head_towards(pan_deg, tilt_deg, near)?;
                    limits.place(pan, tilt, None)?;
                    steer.look(pan_deg, tilt_deg, near)?
                }
                Wish::Home => {
                    limits.unknown("home")?;
                    steer.home()
                }
                Wish::Preset(token) => {
                    limits.unknown("this preset")?;
                    steer.go_preset(token)
                }
            })
        });
        let handed_on = asked.is_ok().then(|| self.clock.mono());
        self.traced
            .steered(camera, turn, (began, handed_on), answer(asked))
    }

    /// Where there are limits, a preset is sent as the place that the camera tells of it:
    /// what is judged is what is sent.
    fn settled(&self, camera: &str, wish: Wish) -> Answer<Wish> {
        let Wish::Preset(wanted) = &wish else {
            return Box::pin(ready(Ok(wish)));
        };
        let asked = self.at_helm(camera, |running, steer| {
            let limited = NoGo::any(&running.steering_rules());
            Ok(limited.then(|| steer.presets()))
        });
        let wanted = wanted.clone();
        match asked {
            Err(fault) => Box::pin(ready(Err(fault))),
            Ok(None) => Box::pin(ready(Ok(wish))),
            Ok(Some(listed)) => Box::pin(async move {
                let listed = listed.await.unwrap_or(Err(SteerError::Ending))?;
                let preset = listed.into_iter().find(|preset| preset.token == wanted);
                let place = preset.ok_or(SteerFault::NoPreset)?.place;
                let (pan_deg, tilt_deg, zoom) = place.ok_or_else(|| nobody_knows("this preset"))?;
                Ok(Wish::Go {
                    pan_deg,
                    tilt_deg,
                    zoom: Some(zoom),
                })
            }),
        }
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
