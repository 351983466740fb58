//! The thread that sends: one connection for commands, one for questions, made
//! when they are first needed. Must not know who waits for an answer.

use super::aim::Aim;
use super::helm::{Act, Helm, Job, Kind, Went};
use super::{Preset, Reply, SteerError};
use crate::clock::{Clock, Mono};
use crate::onvif::answers::PresetAnswer;
use crate::onvif::{CameraError, OnvifCamera, OnvifSettings, PtzCommand};
use crate::pose::CameraProfile;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// No command waits longer for its answer, whatever telemetry is allowed: a stop
/// must not wait behind it.
const PATIENCE_MS: u64 = 1000;
/// Making a connection takes three requests; longer than this is nobody there.
const CONNECT_WITHIN: Duration = Duration::from_millis(1500);
/// When the gateway leaves, a camera that turns is told to stop for so long, and once
/// whatever came before took…
const END_WITHIN: Duration = Duration::from_millis(1000);
/// …but not for longer than this: the gateway must end.
const END_AT_LAST: Duration = Duration::from_millis(4000);
const LAST_PAUSE: Duration = Duration::from_millis(100);
/// So many questions wait for the camera; more are refused.
const QUESTIONS: usize = 4;
/// More presets than any camera has are cut off.
const MOST_PRESETS: usize = 512;

type Tell<T> = oneshot::Sender<Result<T, SteerError>>;

/// What whoever steers and the thread both look at.
#[derive(Debug)]
pub(super) struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    news: Notify,
    closing: Notify,
    questions: mpsc::Sender<Tell<Vec<Preset>>>,
}

#[derive(Debug, Default)]
struct State {
    helm: Helm<Tell<()>>,
    /// Since when no more commands are taken.
    closed: Option<Mono>,
    /// Whether a stop was tried since then.
    tried: bool,
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<Tell<Vec<Preset>>>) {
        let (questions, asked) = mpsc::channel(QUESTIONS);
        let shared = Self {
            clock,
            state: Mutex::default(),
            news: Notify::new(),
            closing: Notify::new(),
            questions,
        };
        (shared, asked)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(
        &self,
        give: impl FnOnce(
            &mut Helm<Tell<()>>,
            Tell<()>,
            Mono,
        ) -> (Option<Tell<()>>, Result<(), Tell<()>>),
    ) -> Reply<()> {
        let (tell, reply) = oneshot::channel();
        let now = self.clock.mono();
        let (moot, waits) = {
            let mut state = self.state();
            if state.closed.is_some() {
                answer(tell, Err(SteerError::Ending));
                return reply;
            }
            give(&mut state.helm, tell, now)
        };
        if let Some(former) = moot {
            // A newer command took its place.
            answer(former, Ok(()));
        }
        if let Err(one_too_many) = waits {
            answer(one_too_many, Err(SteerError::TooSlow));
        }
        self.news.notify_one();
        reply
    }

    pub(super) fn turn(&self, command: PtzCommand) -> Reply<()> {
        self.order(|helm, tell, now| (helm.turn(command, tell, now), Ok(())))
    }

    pub(super) fn go(&self, command: PtzCommand) -> Reply<()> {
        self.order(|helm, tell, now| (helm.go(command, tell, now), Ok(())))
    }

    pub(super) fn stop(&self) -> Reply<()> {
        self.order(|helm, tell, now| helm.stop(tell, now))
    }

    pub(super) fn let_go(&self) {
        let now = self.clock.mono();
        let moot = self.state().helm.let_go(now);
        if let Some(former) = moot {
            answer(former, Ok(()));
        }
        self.news.notify_one();
    }

    pub(super) fn presets(&self) -> Reply<Vec<Preset>> {
        let (tell, reply) = oneshot::channel();
        match self.questions.try_send(tell) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(tell)) => answer(tell, Err(SteerError::TooSlow)),
            Err(mpsc::error::TrySendError::Closed(tell)) => answer(tell, Err(SteerError::Ending)),
        }
        reply
    }

    /// Takes no more commands; the thread stops the camera where it turns, and ends.
    pub(super) fn close(&self) {
        let now = self.clock.mono();
        self.state().closed.get_or_insert(now);
        self.let_go();
        self.closing.notify_one();
    }

    /// Returns when the gateway has waited for the camera for as long as it can.
    async fn too_late(&self) {
        self.closing.notified().await;
        sleep(END_AT_LAST).await;
        tracing::error!("the camera may still turn: it took too long to tell it to stop");
    }

    /// Nobody sends any more, for whatever reason: nobody waits in vain, and no command
    /// is taken as if it could be sent.
    fn end(&self) {
        let mut state = self.state();
        // No clock is asked here: it may be what broke.
        let untimely = state.closed.replace(Mono(0)).is_none();
        let waiting = state.helm.end();
        let turns = state.helm.must_stop();
        drop(state);
        if untimely {
            tracing::error!(
                turns,
                "what steers the camera has broken: it cannot be steered"
            );
        }
        for one in waiting {
            answer(one, Err(SteerError::Ending));
        }
    }

    /// What to send now, or until when to wait; none when all is done.
    fn next(&self) -> Option<Act<Tell<()>>> {
        let mut state = self.state();
        let now = self.clock.mono();
        if let Some(lapsed) = state.helm.lapsed(now) {
            answer(lapsed, Err(SteerError::TooSlow));
        }
        if let Some(closed) = state.closed {
            let late = state.tried && now.since(closed) > END_WITHIN;
            if late || !state.helm.must_stop() {
                return None;
            }
        }
        let act = state.helm.act(now);
        state.tried |= state.closed.is_some() && matches!(act, Act::Send(Job::Stop(_)));
        Some(act)
    }

    fn went(&self, kind: Kind, went: Went, error: Option<&SteerError>) {
        let behind = self.state().helm.went(kind, went, self.clock.mono());
        if let (Some(behind), Some(error)) = (behind, error) {
            answer(behind, Err(error.clone()));
        }
    }
}

fn answer<T>(tell: Tell<T>, what: Result<T, SteerError>) {
    // Who does not wait any more does not want to know.
    let _ = tell.send(what);
}

/// Sees to it that nobody waits for a thread that is gone.
pub(super) struct Ends(pub(super) Arc<Shared>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Sends commands, and asks questions beside them.
pub(super) struct Driver {
    commands: Line,
    shared: Arc<Shared>,
    questions: Line,
    asked: mpsc::Receiver<Tell<Vec<Preset>>>,
    aim: Arc<Aim>,
}

impl Driver {
    pub(super) fn new(
        mut settings: OnvifSettings,
        aim: Arc<Aim>,
        shared: Arc<Shared>,
        asked: mpsc::Receiver<Tell<Vec<Preset>>>,
    ) -> Self {
        settings.timeout_ms = settings.timeout_ms.min(PATIENCE_MS);
        let line = || Line {
            settings: settings.clone(),
            clock: shared.clock.clone(),
            camera: None,
        };
        Self {
            commands: line(),
            questions: line(),
            shared,
            asked,
            aim,
        }
    }

    /// Until the gateway leaves the camera.
    pub(super) async fn run(self) {
        let Self {
            mut commands,
            shared,
            mut questions,
            mut asked,
            aim,
        } = self;
        let asking = async move {
            while let Some(tell) = asked.recv().await {
                answer(tell, questions.presets(aim.profile()).await);
            }
        };
        let sending = async {
            while let Some(act) = shared.next() {
                match act {
                    Act::Send(job) => send(&shared, &mut commands, job).await,
                    Act::Wait(until) => wait(&shared, until).await,
                }
            }
        };
        tokio::select! {
            () = sending => {}
            // Ends only with whoever could ask.
            () = asking => {}
            () = shared.too_late() => {}
        }
    }
}

async fn wait(shared: &Shared, until: Option<Mono>) {
    let news = shared.news.notified();
    let closed = shared.state().closed.is_some();
    match until {
        None => news.await,
        Some(until) => {
            let mut pause = until.since(shared.clock.mono());
            if closed {
                pause = pause.min(LAST_PAUSE);
            }
            tokio::select! {
                () = news => {}
                () = sleep(pause) => {}
            }
        }
    }
}

async fn send(shared: &Shared, line: &mut Line, job: Job<Tell<()>>) {
    let (kind, command, waiting) = match job {
        Job::Stop(waiting) => (Kind::Stop, PtzCommand::Stop, waiting),
        Job::Turn(command, one) => (Kind::Turn, command, vec![one]),
        Job::Go(command, one) => (Kind::Go, command, vec![one]),
    };
    let (went, result) = line.tell(&command).await;
    if kind == Kind::Stop
        && let Err(error) = &result
    {
        tracing::warn!(%error, "the camera has not confirmed that it stops");
    }
    shared.went(kind, went, result.as_ref().err());
    for one in waiting {
        answer(one, result.clone());
    }
}

/// A connection, or none.
struct Line {
    settings: OnvifSettings,
    clock: Arc<dyn Clock>,
    camera: Option<OnvifCamera>,
}

impl Line {
    async fn connected(&mut self) -> Result<&OnvifCamera, SteerError> {
        let camera = match self.camera.take() {
            Some(camera) => camera,
            None => {
                let connect = OnvifCamera::connect(&self.settings, self.clock.clone());
                match timeout(CONNECT_WITHIN, connect).await {
                    Ok(connected) => connected.map_err(|e| said(&e))?,
                    Err(_) => return Err(SteerError::Camera("no answer in time".to_owned())),
                }
            }
        };
        Ok(self.camera.insert(camera))
    }

    async fn tell(&mut self, command: &PtzCommand) -> (Went, Result<(), SteerError>) {
        let was_open = self.camera.is_some();
        let (went, error) = match self.try_to_tell(command).await {
            Ok(()) => return (Went::Done, Ok(())),
            // The camera may have closed a connection that was open for long, or
            // have been away since: once more, on a new one.
            Err((Went::NotSent, _)) if was_open => match self.try_to_tell(command).await {
                Ok(()) => return (Went::Done, Ok(())),
                Err(again) => again,
            },
            Err(once) => once,
        };
        (went, Err(error))
    }

    async fn try_to_tell(&mut self, command: &PtzCommand) -> Result<(), (Went, SteerError)> {
        let camera = self.connected().await.map_err(|e| (Went::NotSent, e))?;
        let Err(error) = camera.tell(command).await else {
            return Ok(());
        };
        let went = match &error {
            e if e.is_nobody_there() => Went::NotSent,
            _ => Went::Unsure,
        };
        let told = match (&error, command) {
            (CameraError::Answer(e), PtzCommand::Preset(_)) if e.is_no_preset() => {
                SteerError::NoPreset
            }
            _ => said(&error),
        };
        self.forget_after(&error);
        Err((went, told))
    }

    async fn presets(&mut self, profile: &CameraProfile) -> Result<Vec<Preset>, SteerError> {
        let listed = self.connected().await?.presets().await;
        let listed = listed.map_err(|error| {
            self.forget_after(&error);
            said(&error)
        })?;
        let presets = listed.into_iter().take(MOST_PRESETS);
        Ok(presets.map(|p| preset(p, profile)).collect())
    }

    /// What refuses a command is still there; what cannot be reached, or does not
    /// know us, is met anew.
    fn forget_after(&mut self, error: &CameraError) {
        match error {
            CameraError::Answer(e) if !e.is_unauthorised() => {}
            _ => self.camera = None,
        }
    }
}

fn said(error: &CameraError) -> SteerError {
    SteerError::Camera(error.to_string())
}

fn preset(listed: PresetAnswer, profile: &CameraProfile) -> Preset {
    let place = profile.map(&listed.position).ok();
    Preset {
        token: listed.token,
        name: listed.name,
        place: place.map(|p| (p.pan_deg, p.tilt_deg, p.zoom)),
    }
}
