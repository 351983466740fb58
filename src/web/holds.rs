//! Who steers which camera: one person at a time, as long as they go on, and no
//! longer than their login.

use super::Steering;
use super::accounts::{Accounts, Person};
use super::watching::over;
use crate::audit::{Audit, Entry};
use crate::clock::{Clock, Mono};
use governor::{DefaultKeyedRateLimiter, Quota};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tower_sessions::SessionStore;

/// A camera is somebody's until so long after their last command.
const HELD_FOR: Duration = Duration::from_secs(3);
/// Commands a second from one person.
const COMMANDS: NonZeroU32 = NonZeroU32::new(20).unwrap();

/// Somebody who steers, and through what.
#[derive(Clone)]
pub(super) struct By {
    pub(super) person: Person,
    pub(super) origin: IpAddr,
    pub(super) login: Option<String>,
}

struct Hold {
    by: By,
    began: Mono,
    last: Mono,
    commands: u64,
    /// Whether the log knows of it.
    recorded: bool,
}

/// All holds, by camera.
#[derive(Clone)]
pub(super) struct Holds(Arc<Shared>);

struct Shared {
    steering: Arc<dyn Steering>,
    audit: Audit,
    clock: Arc<dyn Clock>,
    held: Mutex<HashMap<String, Hold>>,
    commands: DefaultKeyedRateLimiter<String>,
}

/// A camera that one may steer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is known who does.
    Known,
    /// It must be recorded first, and then [`recorded`](Holds::recorded).
    Unrecorded,
}

impl Holds {
    pub(super) fn new(steering: Arc<dyn Steering>, audit: Audit, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            steering,
            audit,
            clock,
            held: Mutex::default(),
            commands: DefaultKeyedRateLimiter::keyed(Quota::per_second(COMMANDS)),
        }))
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Hold>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this person may give another command now.
    pub(super) fn may_command(&self, name: &str) -> bool {
        // Only accounts come here, so that this grows no further than they do.
        self.0.commands.check_key(&name.to_owned()).is_ok()
    }

    /// Who steers a camera now.
    pub(super) fn holder(&self, camera: &str) -> Option<String> {
        let now = self.0.clock.mono();
        let held = self.held();
        let hold = held.get(camera).filter(|hold| hold.lasts(now))?;
        Some(hold.by.person.user.name.clone())
    }

    /// Takes a camera for one command of this person.
    ///
    /// # Errors
    /// Who steers it.
    pub(super) fn take(&self, camera: &str, by: &By) -> Result<Taken, String> {
        let now = self.0.clock.mono();
        let mut held = self.held();
        if let Some(hold) = held.get_mut(camera).filter(|hold| hold.lasts(now)) {
            if hold.by.person.user.name != by.person.user.name {
                return Err(hold.by.person.user.name.clone());
            }
            hold.by = by.clone();
            hold.last = now;
            hold.commands += 1;
            return Ok(match hold.recorded {
                true => Taken::Known,
                false => Taken::Unrecorded,
            });
        }
        let hold = Hold {
            by: by.clone(),
            began: now,
            last: now,
            commands: 1,
            recorded: false,
        };
        let former = held.insert(camera.to_owned(), hold);
        drop(held);
        if let Some(former) = former {
            self.note_end(camera, &former, IDLE);
        }
        Ok(Taken::Unrecorded)
    }

    /// The log knows that this person steers the camera.
    pub(super) fn recorded(&self, camera: &str, by: &By) {
        if let Some(hold) = self.held().get_mut(camera)
            && hold.by.person.is_still(&by.person)
        {
            hold.recorded = true;
        }
    }

    /// Ends all steering through `login`.
    pub(super) fn log_out(&self, login: &str) {
        self.end_where("logged out", |hold| hold.by.login.as_deref() == Some(login));
    }

    /// Ends steering that nobody goes on with, through logins that are over, and by
    /// accounts that are gone or are not what they were.
    pub(super) async fn tend(&self, accounts: &Accounts, sessions: &impl SessionStore) {
        let logins: HashSet<Option<String>> =
            self.held().values().map(|h| h.by.login.clone()).collect();
        let over = over(logins, sessions).await;
        self.end_where("the login is over", |hold| over.contains(&hold.by.login));
        self.end_where("the account changed", |hold| {
            let now = accounts.person(&hold.by.person.user.name);
            !now.is_some_and(|now| now.is_still(&hold.by.person))
        });
        let now = self.0.clock.mono();
        self.end_where(IDLE, |hold| !hold.lasts(now));
    }

    fn end_where(&self, why: &'static str, over: impl Fn(&Hold) -> bool) {
        let ended: Vec<(String, Hold)> = {
            let mut held = self.held();
            held.extract_if(|_, hold| over(hold)).collect()
        };
        for (camera, hold) in ended {
            // What turns would stop by itself a moment later.
            self.0.steering.let_go(&camera);
            self.note_end(&camera, &hold, why);
        }
    }

    fn note_end(&self, camera: &str, hold: &Hold, why: &'static str) {
        if !hold.recorded {
            return;
        }
        let entry = Entry::new("steer", format!("camera {camera}"))
            .by(&hold.by.person.user.name, hold.by.origin)
            .detail("phase", "ends")
            .detail("commands", hold.commands)
            .detail("seconds", hold.last.since(hold.began).as_secs())
            .detail("why", why);
        self.0.audit.note(entry);
    }
}

const IDLE: &str = "no more commands";

impl Hold {
    fn lasts(&self, now: Mono) -> bool {
        now.since(self.last) < HELD_FOR
    }
}
