//! Who steers which camera: one at a time, people of the console and viewers alike,
//! as long as they go on, and no longer than their login. What they give is passed on
//! from here, so that nothing is that a stop or the end of their steering came
//! before. Must not know HTTP.

use super::accounts::{Accounts, Person};
use super::steering::{Answer, SteerFault, Steering, Wish};
use super::watching::over;
use crate::audit::{Audit, Entry};
use crate::clock::{Clock, Mono};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tower_sessions::SessionStore;

/// A camera is somebody's until so long after their last command that it obeyed.
const HELD_FOR: Duration = Duration::from_secs(3);
/// A wish to turn that waited for so long, say for the log, is not passed on: as long
/// as a turn goes on by itself (`steer`'s dead man).
const OLD_TURN: Duration = Duration::from_millis(700);
/// Commands a second from one person.
const COMMANDS: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// Somebody who steers, and through what.
#[derive(Clone, Debug)]
pub struct By {
    /// Nobody else has it, neither of the console nor of the viewers.
    pub(super) name: String,
    pub(super) origin: IpAddr,
    /// None for a viewer, who shows with each command who they are.
    pub(super) account: Option<Person>,
    pub(super) login: Option<String>,
}

impl By {
    /// Somebody of the console, through that login.
    pub(super) fn person(person: Person, origin: IpAddr, login: Option<String>) -> Self {
        Self {
            name: person.user.name.clone(),
            origin,
            account: Some(person),
            login,
        }
    }

    /// The viewer of that name, from that address. No account of the console has a
    /// name with a space in it, so that neither is taken for the other.
    pub fn viewer(name: &str, origin: IpAddr) -> Self {
        Self {
            name: format!("viewer {name}"),
            origin,
            account: None,
            login: None,
        }
    }

    /// As others, and the log, are told.
    pub fn name(&self) -> &str {
        &self.name
    }
}

struct Hold {
    /// No other hold has it, of whatever camera.
    id: u64,
    by: By,
    began: Mono,
    /// When it was taken, or the camera last obeyed.
    last: Mono,
    commands: u64,
    /// How often a stop was wished.
    stops: u64,
    /// Whether the camera ever did something.
    obeyed: bool,
    /// Whether the log knows of it.
    recorded: bool,
    /// Whether the last command was refused for what it would show.
    barred: bool,
}

/// All holds, by camera.
#[derive(Clone)]
pub struct Holds(Arc<Shared>);

impl fmt::Debug for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holds").finish_non_exhaustive()
    }
}

struct Shared {
    steering: Arc<dyn Steering>,
    audit: Audit,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    commands: DefaultKeyedRateLimiter<String>,
}

#[derive(Default)]
struct Held {
    cameras: HashMap<String, Hold>,
    /// So many holds there were.
    taken: u64,
}

/// One command's right to be given, as long as it lasts.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    hold: u64,
    login: Option<String>,
    asked: Mono,
    /// Which of the hold's commands it is…
    command: u64,
    /// …after so many stops.
    stops: u64,
    /// Whether the log knew of the hold; else that is to be recorded, and then said
    /// with [`recorded`](Holds::recorded).
    pub(super) known: bool,
}

/// Why a command is not given any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overtaken {
    /// A stop came after it.
    Stopped,
    /// It is a turn, and waited for too long.
    Late,
    /// Whoever gave it does not steer any more, or through another login.
    Over,
}

impl Overtaken {
    /// As the log has it.
    pub fn why(self) -> &'static str {
        match self {
            Self::Stopped => "stopped before it was given",
            Self::Late => "waited too long",
            Self::Over => "the steering had ended",
        }
    }
}

/// How a stop is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stopping {
    /// It is counted with the rest of that person's steering.
    Counted,
    /// Nobody is on record who steers.
    Unheld,
}

impl Holds {
    /// Nobody steers yet. What they do is recorded in `audit`.
    pub fn new(steering: Arc<dyn Steering>, audit: Audit, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            steering,
            audit,
            clock,
            held: Mutex::default(),
            commands: DefaultKeyedRateLimiter::keyed(Quota::per_second(COMMANDS)),
        }))
    }

    /// Where it is recorded.
    pub(super) fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// What is sent for a wish of this camera.
    pub(super) fn settled(&self, camera: &str, wish: Wish) -> Answer<Wish> {
        self.0.steering.settled(camera, wish)
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether who is so [named](By::name) may give another command now.
    pub fn may_command(&self, name: &str) -> bool {
        // Only accounts come here, so that this grows no further than they do.
        self.0.commands.check_key(&name.to_owned()).is_ok()
    }

    /// Who steers a camera now.
    pub(super) fn holder(&self, camera: &str) -> Option<String> {
        let now = self.0.clock.mono();
        let held = self.held();
        let hold = held.cameras.get(camera).filter(|hold| hold.lasts(now))?;
        Some(hold.by.name.clone())
    }

    /// Takes a camera for one command of this person, which is no stop.
    ///
    /// # Errors
    /// Who steers it.
    pub(super) fn take(&self, camera: &str, by: &By) -> Result<Ticket, String> {
        let now = self.0.clock.mono();
        let mut held = self.held();
        if let Some(hold) = held.cameras.get_mut(camera).filter(|h| h.lasts(now)) {
            if !hold.is_of(by) {
                return Err(hold.by.name.clone());
            }
            hold.by = by.clone();
            hold.commands += 1;
            return Ok(hold.ticket(now));
        }
        held.taken += 1;
        let hold = Hold {
            id: held.taken,
            by: by.clone(),
            began: now,
            last: now,
            commands: 1,
            stops: 0,
            obeyed: false,
            recorded: false,
            barred: false,
        };
        let ticket = hold.ticket(now);
        let former = held.cameras.insert(camera.to_owned(), hold);
        drop(held);
        if let Some(former) = former {
            self.note_end(camera, &former, IDLE);
        }
        Ok(ticket)
    }

    /// Passes a stop on: nothing that this person asked for before is given any more.
    /// To stop what nobody steers needs no hold, and makes none.
    ///
    /// # Errors
    /// Who steers it.
    pub(super) fn stop(&self, camera: &str, by: &By) -> Result<(Stopping, Answer<()>), String> {
        let now = self.0.clock.mono();
        let mut held = self.held();
        let mut stopping = Stopping::Unheld;
        if let Some(hold) = held.cameras.get_mut(camera).filter(|h| h.lasts(now)) {
            if !hold.is_of(by) {
                return Err(hold.by.name.clone());
            }
            hold.commands += 1;
            hold.stops += 1;
            if hold.recorded {
                stopping = Stopping::Counted;
            }
        }
        // While nobody else can take it: it is not theirs that is stopped.
        Ok((stopping, self.0.steering.steer(camera, Wish::Stop)))
    }

    /// Whether it could be `written` that this person steers the camera. What the log
    /// does not know of is not held.
    pub(super) fn recorded(&self, camera: &str, ticket: &Ticket, written: bool) {
        let mut held = self.held();
        let Some(hold) = held.of(camera, ticket) else {
            return;
        };
        hold.recorded |= written;
        if !hold.recorded {
            held.cameras.remove(camera);
        }
    }

    /// Passes a wish on, where nothing came before it.
    ///
    /// # Errors
    /// What came before it; then the camera hears nothing of it.
    pub(super) fn give(
        &self,
        camera: &str,
        ticket: &Ticket,
        wish: Wish,
    ) -> Result<Answer<()>, Overtaken> {
        let now = self.0.clock.mono();
        let mut held = self.held();
        let hold = held
            .of(camera, ticket)
            .filter(|hold| hold.recorded && hold.lasts(now) && hold.by.login == ticket.login);
        let hold = hold.ok_or(Overtaken::Over)?;
        if hold.stops != ticket.stops {
            return Err(Overtaken::Stopped);
        }
        let turns = matches!(wish, Wish::Turn { .. });
        if turns && now.since(ticket.asked) >= OLD_TURN {
            return Err(Overtaken::Late);
        }
        // While nobody else can stop, log out or take it; this waits for no camera.
        Ok(self.0.steering.steer(camera, wish))
    }

    /// What became of a wish that was passed on. Who steers goes on steering by what
    /// the camera does, or might have done, and by nothing else. Whether it is news
    /// that what they want would show what nobody may see.
    pub(super) fn went(
        &self,
        camera: &str,
        ticket: &Ticket,
        done: &Result<(), SteerFault>,
    ) -> bool {
        let now = self.0.clock.mono();
        let mut held = self.held();
        let barred = matches!(done, Err(SteerFault::NoGo(_)));
        let Some(hold) = held.of(camera, ticket) else {
            return barred;
        };
        let was_barred = std::mem::replace(&mut hold.barred, barred);
        let news = barred && !was_barred;
        if matches!(done, Ok(()) | Err(SteerFault::Camera(_))) {
            hold.last = hold.last.max(now);
            hold.obeyed = true;
        } else if !hold.obeyed && hold.commands == ticket.command {
            let hold = held.cameras.remove(camera);
            drop(held);
            if let Some(hold) = hold {
                self.note_end(camera, &hold, "nothing came of it");
            }
        }
        news
    }

    /// Ends all steering through `login`.
    pub(super) fn log_out(&self, login: &str) {
        self.end_where("logged out", |hold| hold.by.login.as_deref() == Some(login));
    }

    /// Ends steering that nobody goes on with, through logins that are over, and by
    /// accounts that are gone or are not what they were.
    pub(super) async fn tend(&self, accounts: &Accounts, sessions: &impl SessionStore) {
        let logins: HashSet<Option<String>> = self
            .held()
            .cameras
            .values()
            .filter(|h| h.by.account.is_some())
            .map(|h| h.by.login.clone())
            .collect();
        let over = over(logins, sessions).await;
        self.end_where("the login is over", |hold| {
            hold.by.account.is_some() && over.contains(&hold.by.login)
        });
        self.end_where("the account changed", |hold| {
            let was = hold.by.account.as_ref();
            was.is_some_and(|was| {
                let now = accounts.person(&was.user.name);
                !now.is_some_and(|now| now.is_still(was))
            })
        });
        let now = self.0.clock.mono();
        self.end_where(IDLE, |hold| !hold.lasts(now));
    }

    fn end_where(&self, why: &'static str, over: impl Fn(&Hold) -> bool) {
        let mut held = self.held();
        let ended: Vec<(String, Hold)> = held.cameras.extract_if(|_, hold| over(hold)).collect();
        for (camera, _) in &ended {
            // What turns would stop by itself a moment later.
            self.0.steering.let_go(camera);
        }
        drop(held);
        for (camera, hold) in ended {
            self.note_end(&camera, &hold, why);
        }
    }

    fn note_end(&self, camera: &str, hold: &Hold, why: &'static str) {
        if !hold.recorded {
            return;
        }
        let entry = Entry::new("steer", format!("camera {camera}"))
            .by(&hold.by.name, hold.by.origin)
            .detail("phase", "ends")
            .detail("commands", hold.commands)
            .detail("seconds", hold.last.since(hold.began).as_secs())
            .detail("why", why);
        self.0.audit.note(entry);
    }
}

const IDLE: &str = "no more commands";

impl Held {
    /// The hold that a ticket is of.
    fn of(&mut self, camera: &str, ticket: &Ticket) -> Option<&mut Hold> {
        let hold = self.cameras.get_mut(camera);
        hold.filter(|hold| hold.id == ticket.hold)
    }
}

impl Hold {
    fn lasts(&self, now: Mono) -> bool {
        now.since(self.last) < HELD_FOR
    }

    fn is_of(&self, by: &By) -> bool {
        self.by.name == by.name
    }

    fn ticket(&self, asked: Mono) -> Ticket {
        Ticket {
            hold: self.id,
            login: self.by.login.clone(),
            asked,
            command: self.commands,
            stops: self.stops,
            known: self.recorded,
        }
    }
}

#[cfg(test)]
mod tests;
