//! What becomes a trace: connections, hidden pictures and publications when they are over, one
//! frame in a while, and what somebody asked for.
//!
//! Codes, durations and names that the configuration gives to things; `traces` has no room for
//! more. An event that is added does not compile before somebody decided.

use super::Shared;
use crate::clock::{Clock, Mono, WallTime};
use crate::config::{self, Config};
use crate::event::{CameraState, Event, Reason};
use crate::metrics;
use crate::traces::{
    Collector, End, FrameParts, Name, Outcome, Story, Task, TraceFigures, Traces, Turn, What,
};
use crate::web::{Answer, SteerFault, Wish};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is told to a collector of traces, if there is one.
#[derive(Debug)]
pub(super) struct Traced {
    clock: Arc<dyn Clock>,
    traces: Traces,
    state: Mutex<State>,
}

/// What is not over yet. Empty while nobody is told.
#[derive(Debug, Default)]
struct State {
    /// How often one frame of a stream is told; none = never.
    frame_every: Option<Duration>,
    /// By the stream's id: as many as there are streams.
    streams: BTreeMap<String, Open>,
}

#[derive(Debug, Default)]
struct Open {
    connection: Option<Connection>,
    hidden: Option<Hidden>,
    /// By the publication's name.
    published: BTreeMap<String, Mono>,
    /// When its last frame was told.
    frame: Option<Mono>,
}

#[derive(Debug)]
struct Connection {
    since: Mono,
    connecting: Duration,
    /// When its first picture was shown that was not wholly hidden.
    shown: Option<Mono>,
    /// Since when nothing came.
    silent: Option<Mono>,
}

#[derive(Debug)]
struct Hidden {
    since: Mono,
    state: &'static str,
    reason: &'static str,
}

/// Something that is over: from when to when.
type Over = (Mono, Mono, What);

impl Traced {
    /// Tells nobody at first.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            traces: Traces::default(),
            state: Mutex::default(),
        }
    }

    /// Tells those that `config` wants told; whether that is new. What began before somebody was
    /// told is not.
    ///
    /// # Errors
    /// When no thread can be had; then nobody is told.
    pub(super) fn set(&self, config: &Config) -> std::io::Result<bool> {
        let wanted = config.traces.as_ref();
        let set = self.traces.set(wanted.map(collector).as_ref());
        let mut state = self.state();
        let frame_every = wanted.and_then(|wanted| wanted.frame_every);
        let is_other = std::mem::replace(&mut state.frame_every, frame_every) != frame_every;
        if self.traces.is_idle() {
            state.streams.clear();
        }
        Ok(set? || is_other)
    }

    /// What became of the traces; none while nobody is told.
    pub(super) fn figures(&self) -> Option<metrics::Traces> {
        self.traces
            .figures()
            .map(|f: TraceFigures| metrics::Traces {
                taken: f.taken,
                dropped: f.dropped,
                refused: f.refused,
                failures: f.failures,
            })
    }

    /// An event. Returns at once.
    pub(super) fn see(&self, event: &Event) {
        if self.traces.is_idle() {
            return;
        }
        let over = {
            let mut state = self.state();
            // Nobody may be told any more: then nothing may be kept.
            if self.traces.is_idle() {
                return;
            }
            state.take(event, self.clock.mono())
        };
        self.tell(over);
    }

    /// The camera is no more, or is to be started anew.
    pub(super) fn gone(&self, camera: &str) {
        let now = self.clock.mono();
        let over: Vec<Over> = {
            let mut state = self.state();
            let of = |id: &str| id.split('/').next() == Some(camera);
            let (gone, kept) = std::mem::take(&mut state.streams)
                .into_iter()
                .partition(|(id, _)| of(id));
            state.streams = kept;
            let gone: BTreeMap<String, Open> = gone;
            let ended = gone.into_iter().map(|(id, open)| open.ended(&id, now));
            ended.flatten().collect()
        };
        self.tell(over);
    }

    /// Tells of what is still under way, and nobody any more.
    pub(super) fn stop(&self) {
        let now = self.clock.mono();
        let all = std::mem::take(&mut self.state().streams);
        for (id, open) in all {
            self.tell(open.ended(&id, now));
        }
        self.traces.stop();
    }

    /// Does what somebody asked for; `place` is a camera of the configuration, or one of its
    /// presets; `failed` tells faults that are ours or the camera's from refusals.
    pub(super) fn timed<T, E>(
        &self,
        task: Task,
        place: &str,
        work: impl FnOnce() -> Result<T, E>,
        failed: impl FnOnce(&E) -> bool,
    ) -> Result<T, E> {
        let began = self.clock.mono();
        let done = work();
        let outcome = match &done {
            Ok(_) => Outcome::Done,
            Err(fault) if failed(fault) => Outcome::Failed,
            Err(_) => Outcome::Refused,
        };
        let camera = Name::new(place.split('.').next().unwrap_or_default());
        let what = What::Asked {
            task,
            camera,
            outcome,
        };
        self.tell([(began, self.clock.mono(), what)]);
        done
    }

    /// A reload that began then is over.
    pub(super) fn reloaded(&self, began: Mono, outcome: Outcome) {
        self.tell([(began, self.clock.mono(), What::Reload { outcome })]);
    }

    /// A wish that came at `began` and was, or was not, handed on just now: told when the camera
    /// has answered. Where whoever wished does not wait for that, nothing is told.
    pub(super) fn steered(
        self: &Arc<Self>,
        camera: &str,
        turn: Turn,
        (began, handed_on): (Mono, Option<Mono>),
        answer: Answer<()>,
    ) -> Answer<()> {
        if self.traces.is_idle() {
            return answer;
        }
        let (traced, camera) = (self.clone(), Name::new(camera));
        Box::pin(async move {
            let answered = answer.await;
            let outcome = match &answered {
                Ok(()) => Outcome::Done,
                Err(SteerFault::Camera(_)) => Outcome::Failed,
                Err(_) => Outcome::Refused,
            };
            let what = What::Steering {
                camera,
                turn,
                handed_on: handed_on.map(|at| at.since(began)),
                outcome,
            };
            traced.tell([(began, traced.clock.mono(), what)]);
            answered
        })
    }

    fn tell(&self, over: impl IntoIterator<Item = Over>) {
        for (since, until, what) in over {
            let ago = self.clock.mono().since(since);
            let ago_ns = i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX);
            self.traces.tell(Story {
                began: WallTime(self.clock.wall().0.saturating_sub(ago_ns)),
                took: until.since(since),
                what,
            });
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, event: &Event, now: Mono) -> Option<Over> {
        match event {
            Event::StreamUp { camera, took, .. } => {
                let open = self.of(camera);
                let since = Mono(now.0.saturating_sub(ns(*took)));
                let is_same =
                    |c: &Connection| since.0 <= c.since.0.saturating_add(ns(c.connecting));
                if open.connection.as_ref().is_some_and(is_same) {
                    return None; // The same one, in another form.
                }
                let connection = Connection {
                    since,
                    connecting: *took,
                    shown: None,
                    silent: None,
                };
                // A loss for the same reason as the one before is not told again.
                let before = open.connection.replace(connection)?;
                let until = before.silent.unwrap_or(since);
                Some(before.over(camera, until, End::Lost))
            }
            Event::StreamDown { camera, .. } => {
                let connection = self.of(camera).connection.take()?;
                let until = connection.silent.unwrap_or(now);
                Some(connection.over(camera, until, End::Lost))
            }
            Event::StateChanged { camera, to } => self.of(camera).become_so(camera, to, now),
            Event::FrameMeasured { camera, times } => {
                let every = self.frame_every?;
                let open = self.of(camera);
                if open.frame.is_some_and(|at| now.since(at) < every) {
                    return None;
                }
                open.frame = Some(now);
                let parts = FrameParts {
                    decode: times.decode,
                    hold: times.hold,
                    mask: times.mask,
                    encode: times.encode,
                    evidence: times.evidence,
                    covered: times.covered,
                };
                let took = times.decode + times.hold + times.mask + times.encode;
                let since = Mono(now.0.saturating_sub(ns(took)));
                let stream = Name::new(camera);
                Some((since, now, What::Frame { stream, parts }))
            }
            Event::PublicationUp {
                camera,
                publication,
            } => {
                let published = &mut self.of(camera).published;
                let before = published.insert(publication.clone(), now)?;
                Some(publication_over(
                    camera,
                    publication,
                    (before, now),
                    End::Ended,
                ))
            }
            Event::PublicationDown {
                camera,
                publication,
                ..
            } => {
                let since = self.of(camera).published.remove(publication)?;
                Some(publication_over(
                    camera,
                    publication,
                    (since, now),
                    End::Lost,
                ))
            }
            // Told when they are done.
            Event::Reloaded { .. } | Event::ReloadRefused { .. } => None,
            // Figures and alarms: metrics, the log and the audit log have them.
            Event::FramesDropped { .. }
            | Event::CaptureTimeFrom { .. }
            | Event::TelemetryMeasured { .. }
            | Event::MetadataMeasured { .. }
            | Event::TelemetryFault { .. }
            | Event::DetectorFault { .. }
            | Event::DetectorMeasured { .. }
            | Event::Viewer { .. }
            | Event::BusUp { .. }
            | Event::BusDown { .. }
            | Event::ReadBackFailed { .. } => None,
        }
    }

    fn of(&mut self, stream: &str) -> &mut Open {
        if !self.streams.contains_key(stream) {
            self.streams.insert(stream.to_owned(), Open::default());
        }
        self.streams.entry(stream.to_owned()).or_default()
    }
}

impl Open {
    /// The picture changes to `to`; what was hidden until now.
    fn become_so(&mut self, stream: &str, to: &CameraState, now: Mono) -> Option<Over> {
        let shown = to.reason().is_none();
        if let Some(connection) = &mut self.connection {
            connection.silent = matches!(to, CameraState::NoSignal(_)).then_some(now);
            if shown && connection.shown.is_none() {
                connection.shown = Some(now);
            }
        }
        let next = to.reason().map(|reason| Hidden {
            since: now,
            state: to.name(),
            reason: Reason::code(reason),
        });
        let before = std::mem::replace(&mut self.hidden, next)?;
        Some(before.over(stream, now))
    }

    /// All that is under way ends now.
    fn ended(self, stream: &str, now: Mono) -> Vec<Over> {
        let connection = self.connection.map(|c| c.over(stream, now, End::Ended));
        let hidden = self.hidden.map(|h| h.over(stream, now));
        let published = self.published.into_iter();
        let published = published
            .map(|(name, since)| publication_over(stream, &name, (since, now), End::Ended));
        connection
            .into_iter()
            .chain(hidden)
            .chain(published)
            .collect()
    }
}

impl Connection {
    fn over(self, stream: &str, until: Mono, end: End) -> Over {
        let what = What::Connection {
            stream: Name::new(stream),
            connecting: self.connecting,
            shown_after: self.shown.map(|at| at.since(self.since)),
            end,
        };
        (self.since, until, what)
    }
}

impl Hidden {
    fn over(self, stream: &str, until: Mono) -> Over {
        let what = What::Hidden {
            stream: Name::new(stream),
            state: self.state,
            reason: self.reason,
        };
        (self.since, until, what)
    }
}

fn publication_over(camera: &str, name: &str, (since, until): (Mono, Mono), end: End) -> Over {
    let what = What::Publication {
        camera: Name::new(camera),
        publication: Name::new(name),
        end,
    };
    (since, until, what)
}

fn ns(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What a wish is called; where to is nobody's business.
pub(super) fn turn(wish: &Wish) -> Turn {
    match wish {
        Wish::Turn { .. } => Turn::Turn,
        Wish::Stop => Turn::Stop,
        Wish::Go { .. } => Turn::Go,
        Wish::Look { .. } => Turn::Look,
        Wish::Home => Turn::Home,
        Wish::Preset(_) => Turn::Preset,
    }
}

fn collector(wanted: &config::Traces) -> Collector {
    Collector {
        endpoint: wanted.endpoint.clone(),
        ca_pem: wanted.ca_pem.clone(),
        headers: wanted.headers.clone(),
        instance: wanted.instance.clone(),
    }
}

/// What is said of traces that leave this machine in the clear.
pub(super) fn in_clear(config: &Config) -> Option<String> {
    let traces = config.traces.as_ref().filter(|t| t.beyond_in_clear)?;
    let host = traces.endpoint.split('/').nth(2).unwrap_or_default();
    Some(format!(
        "traces go to {host} in the clear ([traces], `allow_clear`): whoever is on the way can read \
         them, and what is in `headers_file`"
    ))
}

impl Shared {
    /// What traces are told, and to whom, by `new`.
    pub(super) fn change_traces(&self, old: &Config, new: &Config) -> Option<String> {
        if let Some(warning) = in_clear(new).filter(|_| new.traces != old.traces) {
            tracing::warn!("{warning}");
        }
        match self.traced.set(new) {
            Ok(false) => None,
            Ok(true) => Some("where traces are told".to_owned()),
            Err(error) => {
                tracing::error!(%error, "no thread for traces");
                Some("traces failed".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests;
