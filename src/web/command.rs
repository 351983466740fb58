//! How a command is given: by whoever has the camera, recorded before it moves. The
//! one way for people of the console and for viewers. Must not know HTTP.

use super::holds::{By, Holds, Overtaken, Stopping};
use super::recording::is_recorded;
use super::steering::{SteerFault, Wish};
use crate::audit::{Entry, Outcome};

/// Why a command is not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDone {
    /// The camera is this one's.
    Theirs(String),
    /// It could not be recorded.
    NotRecorded,
    /// Whoever gave it may not any more.
    NoLonger,
    /// Something came before it.
    Overtaken(Overtaken),
    /// The camera does not do it.
    Fault(SteerFault),
}

/// What is recorded of a wish; none for stopping and for people's turning, which are
/// counted: a page says four times a second that it should go on.
fn action(wish: &Wish, by: &By) -> Option<&'static str> {
    match wish {
        Wish::Turn { .. } if by.account.is_none() => Some("steer-turn"),
        Wish::Turn { .. } | Wish::Stop => None,
        Wish::Go { .. } | Wish::Look { .. } => Some("steer-go"),
        Wish::Home => Some("steer-home"),
        Wish::Preset(_) => Some("steer-preset"),
    }
}

fn with_details(entry: Entry, wish: &Wish) -> Entry {
    match wish {
        Wish::Go {
            pan_deg,
            tilt_deg,
            zoom,
        } => entry
            .detail("pan_deg", *pan_deg)
            .detail("tilt_deg", *tilt_deg)
            .detail("zoom", *zoom),
        Wish::Look { pan_deg, tilt_deg } => entry
            .detail("toward_pan_deg", *pan_deg)
            .detail("toward_tilt_deg", *tilt_deg),
        Wish::Turn { pan, tilt, zoom } => entry
            .detail("pan", *pan)
            .detail("tilt", *tilt)
            .detail("zoom", *zoom),
        Wish::Preset(token) => entry.detail("preset", token.as_str()),
        Wish::Stop | Wish::Home => entry,
    }
}

impl Holds {
    /// Gives a command, where the camera is not somebody else's. That somebody begins
    /// to steer, and where they send the camera, is on record before it moves, and what
    /// came meanwhile counts; what keeps a record from being written does not keep a
    /// camera from being stopped. `may`: whether they still may, asked when the log was
    /// written.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn command(
        &self,
        camera: &str,
        by: &By,
        wish: Wish,
        may: impl Fn() -> bool,
    ) -> Result<(), NotDone> {
        let entry = |action: &'static str| {
            Entry::new(action, format!("camera {camera}")).by(&by.name, by.origin)
        };
        if wish == Wish::Stop {
            let stopped = self.stop(camera, by).map_err(NotDone::Theirs)?;
            let (stopping, answer) = stopped;
            if stopping == Stopping::Unheld && self.may_command(&by.name) {
                self.audit().note(entry("steer-stop"));
            }
            return answer.await.map_err(NotDone::Fault);
        }
        let action = action(&wish, by);
        let recorded = action.map(|action| with_details(entry(action), &wish));
        self.pass_on(camera, by, wish, recorded, may).await
    }

    /// Says again what was said, and recorded, before: a turn goes on.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn repeat(
        &self,
        camera: &str,
        by: &By,
        turn: Wish,
        may: impl Fn() -> bool,
    ) -> Result<(), NotDone> {
        self.pass_on(camera, by, turn, None, may).await
    }

    async fn pass_on(
        &self,
        camera: &str,
        by: &By,
        wish: Wish,
        recorded: Option<Entry>,
        may: impl Fn() -> bool,
    ) -> Result<(), NotDone> {
        let ticket = self.take(camera, by).map_err(NotDone::Theirs)?;
        let begins = Entry::new("steer", format!("camera {camera}")).by(&by.name, by.origin);
        let refused = recorded.clone().unwrap_or_else(|| begins.clone());
        let refused = refused.result(Outcome::Refused);
        if !ticket.known {
            let written = self.record(begins.detail("phase", "begins"), &may).await;
            self.recorded(camera, &ticket, written.is_ok());
            written?;
        }
        if let Some(entry) = &recorded {
            self.record(entry.clone(), &may).await?;
        }
        // Much may have happened while the log was written.
        let settled = self.settled(camera, wish).await;
        if !may() {
            return Err(NotDone::NoLonger);
        }
        let done = match settled {
            Ok(wish) => {
                let given = self.give(camera, &ticket, wish).map_err(|overtaken| {
                    let why = refused.clone().detail("why", overtaken.why());
                    self.audit().note(why);
                    NotDone::Overtaken(overtaken)
                })?;
                given.await
            }
            Err(fault) => Err(fault),
        };
        let barred = self.went(camera, &ticket, &done);
        match &done {
            Ok(()) => {}
            Err(SteerFault::NoGo(why)) => {
                if barred || recorded.is_some() {
                    self.audit().note(refused.detail("why", why.as_str()));
                }
            }
            Err(fault) => {
                if let Some(entry) = recorded {
                    self.audit().note(entry.result(match fault {
                        SteerFault::Camera(_) => Outcome::Failed,
                        _ => Outcome::Refused,
                    }));
                }
            }
        }
        done.map_err(NotDone::Fault)
    }

    /// Records. What cannot be recorded must not be done, nor what somebody wished who
    /// may not any more when the log is written.
    async fn record(&self, entry: Entry, may: impl Fn() -> bool) -> Result<(), NotDone> {
        let not_done = entry.clone().result(Outcome::Refused);
        if !is_recorded(self.audit(), entry).await {
            return Err(NotDone::NotRecorded);
        }
        if !may() {
            let why = not_done.detail("why", "the login ended before it was done");
            self.audit().note(why);
            return Err(NotDone::NoLonger);
        }
        Ok(())
    }
}
