//! Asks one camera for its position, steadily and for ever.
//!
//! Several requests may be under way, so that answers that take longer than a
//! period do not lower the rate. A camera that stops answering is connected
//! anew every second; one that answers and does not tell, with growing pauses. Where the
//! camera also tells positions unasked, they are heard between the answers. Runs on a
//! thread of its own; ends with its handle.

use super::measure::{Measure, Rationed};
use super::sample_clock::{NoTime, SampleClock};
use super::source::{Asked, Connection, When};
use super::streamed::{Listening, next};
use super::{TelemetryItem, TelemetrySettings};
use crate::clock::{Clock, Mono};
use crate::event::Reason;
use crate::pose::{CameraProfile, PoseSample, Pushed, TimedSample};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Silence after which the connection is made anew.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause where nobody is there, or nobody answers: that costs no camera
/// anything, and it shall be believed again soon after it is back.
const LONGEST_PAUSE_OF_SILENCE: Duration = Duration::from_secs(1);
/// The longest where somebody answers to no purpose: it may be locking us out.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    /// It gave positions.
    Worked,
    /// Nothing came.
    Silent,
    /// Something came, and no position.
    Refused,
}

impl Session {
    /// The pause after it, where the one before was `pause`.
    fn pause_after(self, pause: Duration) -> Duration {
        let longer = pause.saturating_mul(2);
        match self {
            Self::Worked => FIRST_PAUSE,
            Self::Silent => longer.min(LONGEST_PAUSE_OF_SILENCE),
            Self::Refused => longer.min(LONGEST_PAUSE),
        }
    }
}

/// Takes what there is to tell; says what became of a position.
pub(super) type Sink = Box<dyn Fn(TelemetryItem) -> Option<Pushed> + Send>;

pub(super) struct Poller {
    pub(super) settings: TelemetrySettings,
    pub(super) profile: Arc<CameraProfile>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sink: Sink,
    pub(super) times: SampleClock,
    pub(super) faults: Rationed,
    pub(super) measure: Measure,
    pub(super) listening: Option<Listening>,
}

impl Poller {
    /// Runs until `stop` changes or its sender is gone.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let session = tokio::select! {
                _ = stop.changed() => return,
                session = self.session() => session,
            };
            pause = session.pause_after(pause);
            // A street full of cameras must not come back in step.
            let jittered = pause.mul_f64(rand::random_range(0.75..1.25));
            tokio::select! {
                _ = stop.changed() => return,
                () = sleep(jittered) => self.tick_measure(),
            }
        }
    }

    /// One connection, until it fails.
    async fn session(&mut self) -> Session {
        let camera = match Connection::open(&self.settings.source, self.clock.clone()).await {
            Ok(camera) => Arc::new(camera),
            Err(e) => {
                self.fault(format!("cannot connect: {}", e.detail));
                return match e.is_silence {
                    true => Session::Silent,
                    false => Session::Refused,
                };
            }
        };
        self.times.reset();
        if let Some(listening) = &mut self.listening {
            listening.begin_anew();
        }
        let mut session = Session::Silent;
        let mut last_answer = self.clock.mono();
        let mut in_flight = JoinSet::new();
        let mut ticks = interval(Duration::from_secs_f64(1.0 / self.pace_hz()));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let give_up_after = self.give_up_after();
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    if self.listening.is_some() {
                        // Questions in step with what the stream is made of would find
                        // it always in the same phase, be it the best one.
                        let varied = rand::random_range(0.75..1.25);
                        ticks.reset_after(ticks.period().mul_f64(varied));
                    }
                    self.tick_measure();
                    if in_flight.len() < camera.most_in_flight() {
                        let camera = camera.clone();
                        in_flight.spawn(async move { camera.ask().await });
                    }
                    if self.clock.mono().since(last_answer) > give_up_after {
                        self.fault("silent; connecting anew".to_owned());
                        return session;
                    }
                }
                document = next(&mut self.listening) => self.hear(&document),
                Some(done) = in_flight.join_next() => {
                    let Ok(asked) = done else { return session };
                    if asked.answer.as_ref().map_or_else(|e| e.is_answer, |_| true) {
                        last_answer = asked.received;
                    }
                    let silence = asked.answer.as_ref().is_err_and(|e| e.is_silence);
                    match (self.take(asked), silence) {
                        (true, _) => session = Session::Worked,
                        (false, false) if session == Session::Silent => session = Session::Refused,
                        (false, _) => {}
                    }
                }
            }
        }
    }

    /// How long nothing may come of questions.
    pub(super) fn give_up_after(&self) -> Duration {
        // Whoever is asked seldom is not silent for that.
        GIVE_UP_AFTER.max(Duration::from_secs_f64(2.5 / self.pace_hz()))
    }

    /// Questions a second. Where the camera's time is known to the second only, they
    /// must not keep step with its seconds: what falls between two questions then never
    /// narrows down when a second begins. The golden ratio keeps out of step best.
    fn pace_hz(&self) -> f64 {
        let rate_hz = self.settings.rate_hz;
        if self.settings.source.tells_seconds() && rate_hz >= 2.0 {
            rate_hz.ceil() - 1.0 + (5_f64.sqrt() - 1.0) / 2.0
        } else {
            rate_hz
        }
    }

    /// Passes one answer on; whether it was a position.
    pub(super) fn take(&mut self, asked: Asked) -> bool {
        let (sent, received) = (asked.sent, asked.received);
        let status = match asked.answer {
            Ok(status) => status,
            Err(e) => {
                self.fault(e.detail.clone());
                if e.is_wrong {
                    self.refuse(Reason::BadPosition { detail: e.detail }, received);
                }
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
        let time = match status.when {
            When::Measured(stamp) => self.times.time(stamp, sent, received),
            When::Answered(shown, times) => self.times.time_of_answer(shown, times, sent, received),
        };
        let time = match time {
            Ok(time) => time,
            // Old news: evidence goes stale by itself.
            Err(NoTime::Frozen | NoTime::Unresolved | NoTime::Apart) => return false,
            Err(NoTime::Missing) => {
                let detail = "no time stamp".to_owned();
                self.refuse(Reason::BadPosition { detail }, received);
                return false;
            }
        };
        self.measure.sample(time.lateness_s);
        let sample = PoseSample {
            at: time.at,
            sigma_t_s: time.sigma_s,
            pan_deg: position.pan_deg,
            tilt_deg: position.tilt_deg,
            zoom: position.zoom,
            hfov_deg: position.hfov_deg,
            received,
        };
        self.compare(&sample);
        let clock = time.clock;
        let pushed = (self.sink)(TelemetryItem::Sample(TimedSample { sample, clock }));
        if !matches!(pushed, Some(Pushed::Refused(_)) | None) {
            self.vouch(sent);
        }
        true
    }

    pub(super) fn refuse(&mut self, reason: Reason, received: Mono) {
        self.fault(reason.to_string());
        (self.sink)(TelemetryItem::Refused { reason, received });
    }

    pub(super) fn fault(&mut self, detail: String) {
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
            if let Some(listening) = &mut self.listening {
                (self.sink)(listening.tell());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest of ten pauses after ten such connections.
    fn longest(session: Session) -> Duration {
        let pauses = (0..10).scan(FIRST_PAUSE, |pause, _| {
            *pause = session.pause_after(*pause);
            Some(*pause)
        });
        pauses.max().unwrap_or_default()
    }

    #[test]
    fn a_camera_that_is_gone_is_looked_for_every_second_and_one_that_refuses_is_left_alone() {
        for (session, most_s) in [
            (Session::Worked, 0.25),
            (Session::Silent, 1.0),
            (Session::Refused, 10.0),
        ] {
            assert_eq!(longest(session).as_secs_f64(), most_s, "{session:?}");
        }
        let back = Session::Silent.pause_after(LONGEST_PAUSE);
        assert_eq!(back, LONGEST_PAUSE_OF_SILENCE);
    }
}
