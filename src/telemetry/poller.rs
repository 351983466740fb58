//! Asks one camera for its position, steadily and for ever.
//!
//! Several requests may be under way, so that answers that take longer than a
//! period do not lower the rate. A camera that stops answering is connected
//! anew with growing pauses. Runs on a thread of its own; ends with its handle.

use super::measure::{Measure, Rationed};
use super::sample_clock::{NoTime, SampleClock};
use super::{TelemetryItem, TelemetrySettings};
use crate::clock::{Clock, Mono};
use crate::event::Reason;
use crate::onvif::answers::{AnswerError, PtzStatus};
use crate::onvif::{CameraError, OnvifCamera};
use crate::pose::{CameraProfile, PoseSample, TimedSample};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

const MOST_IN_FLIGHT: usize = 4;
/// Silence after which the connection is made anew.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Poller {
    pub(super) settings: TelemetrySettings,
    pub(super) profile: Arc<CameraProfile>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sink: Box<dyn Fn(TelemetryItem) + Send>,
    pub(super) times: SampleClock,
    pub(super) faults: Rationed,
    pub(super) measure: Measure,
}

impl Poller {
    /// Runs until `stop` changes or its sender is gone.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let worked = tokio::select! {
                _ = stop.changed() => return,
                worked = self.session() => worked,
            };
            pause = if worked {
                FIRST_PAUSE
            } else {
                pause.saturating_mul(2).min(LONGEST_PAUSE)
            };
            // A street full of cameras must not come back in step.
            let jittered = pause.mul_f64(rand::random_range(0.75..1.25));
            tokio::select! {
                _ = stop.changed() => return,
                () = sleep(jittered) => self.tick_measure(),
            }
        }
    }

    /// One connection, until it fails; whether it ever gave a position.
    async fn session(&mut self) -> bool {
        let camera = match OnvifCamera::connect(&self.settings.camera, self.clock.clone()).await {
            Ok(camera) => Arc::new(camera),
            Err(e) => {
                self.fault(format!("cannot connect: {e}"));
                return false;
            }
        };
        self.times.reset();
        let mut worked = false;
        let mut last_answer = self.clock.mono();
        let mut in_flight = JoinSet::new();
        let mut ticks = interval(Duration::from_secs_f64(1.0 / self.settings.rate_hz));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    self.tick_measure();
                    if in_flight.len() < MOST_IN_FLIGHT {
                        let camera = camera.clone();
                        in_flight.spawn(async move { camera.status().await });
                    }
                    if self.clock.mono().since(last_answer) > GIVE_UP_AFTER {
                        self.fault("silent; connecting anew".to_owned());
                        return worked;
                    }
                }
                Some(done) = in_flight.join_next() => {
                    let Ok((sent, received, answer)) = done else { return worked };
                    if is_answer(&answer) {
                        last_answer = received;
                    }
                    worked |= self.take(sent, received, answer);
                }
            }
        }
    }

    /// Passes one answer on; whether it was a position.
    fn take(&mut self, sent: Mono, received: Mono, answer: Result<PtzStatus, CameraError>) -> bool {
        let status = match answer {
            Ok(status) => status,
            Err(CameraError::Answer(e)) => {
                self.fault(e.to_string());
                if !matches!(e, AnswerError::Fault { .. }) {
                    self.refuse(
                        Reason::BadPosition {
                            detail: e.to_string(),
                        },
                        received,
                    );
                }
                return false;
            }
            Err(e) => {
                self.fault(e.to_string());
                return false;
            }
        };
        if let Some(error) = status.error {
            let detail = format!("camera reports an error: {error}");
            self.refuse(Reason::BadPosition { detail }, received);
            return false;
        }
        let position = match self.profile.map(&status.position) {
            Ok(position) => position,
            Err(reason) => {
                self.refuse(reason, received);
                return false;
            }
        };
        let time = match self.times.time(status.utc, sent, received) {
            Ok(time) => time,
            // Old news: evidence goes stale by itself.
            Err(NoTime::Frozen | NoTime::Unresolved) => return false,
            Err(NoTime::Missing) => {
                let detail = "no time stamp".to_owned();
                self.refuse(Reason::BadPosition { detail }, received);
                return false;
            }
        };
        self.measure.sample(time.lateness_s);
        (self.sink)(TelemetryItem::Sample(TimedSample {
            sample: PoseSample {
                at: time.at,
                sigma_t_s: time.sigma_s,
                pan_deg: position.pan_deg,
                tilt_deg: position.tilt_deg,
                zoom: position.zoom,
                hfov_deg: position.hfov_deg,
                received,
            },
            clock: time.clock,
        }));
        true
    }

    fn refuse(&mut self, reason: Reason, received: Mono) {
        self.fault(reason.to_string());
        (self.sink)(TelemetryItem::Refused { reason, received });
    }

    fn fault(&mut self, detail: String) {
        if let Some(detail) = self.faults.pass(self.clock.mono(), detail) {
            (self.sink)(TelemetryItem::Fault(detail));
        }
    }

    fn tick_measure(&mut self) {
        if let Some((rate_hz, lateness_ms)) = self.measure.due(self.clock.mono()) {
            (self.sink)(TelemetryItem::Measured {
                rate_hz,
                lateness_ms,
            });
        }
    }
}

/// Whether the camera is there at all, however useless its words.
fn is_answer(answer: &Result<PtzStatus, CameraError>) -> bool {
    match answer {
        Ok(_) => true,
        Err(CameraError::Answer(e)) => !e.is_unauthorised(),
        Err(_) => false,
    }
}
