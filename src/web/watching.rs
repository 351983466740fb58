//! Who watches what through which login: watching ends when the login does.

use super::Gateway;
use super::accounts::{Accounts, Person};
use crate::audit::{Audit, Entry};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tower_sessions::SessionStore;

/// One browser's watching.
struct Watch {
    person: Person,
    origin: IpAddr,
    login: Option<String>,
    camera: String,
}

/// Enough of a watching's name to find its end in the audit log, and too little
/// to end it.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Those of `logins` that are over, however they ended.
pub(super) async fn over(
    logins: HashSet<Option<String>>,
    sessions: &impl SessionStore,
) -> HashSet<Option<String>> {
    let mut over = HashSet::new();
    for login in logins {
        let id = login.as_deref().and_then(|login| login.parse().ok());
        let lives = match id {
            Some(id) => matches!(sessions.load(&id).await, Ok(Some(_))),
            None => false,
        };
        if !lives {
            over.insert(login);
        }
    }
    over
}

/// All watching that began here, by its id.
#[derive(Clone)]
pub(super) struct Watches {
    gateway: Arc<dyn Gateway>,
    audit: Audit,
    open: Arc<Mutex<HashMap<String, Watch>>>,
}

impl Watches {
    pub(super) fn new(gateway: Arc<dyn Gateway>, audit: Audit) -> Self {
        Self {
            gateway,
            audit,
            open: Arc::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Watch>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that `person` watches `camera` as `id`, through `login`.
    pub(super) fn begin(
        &self,
        id: &str,
        camera: &str,
        person: Person,
        origin: IpAddr,
        login: Option<String>,
    ) {
        let watch = Watch {
            person,
            origin,
            login,
            camera: camera.to_owned(),
        };
        self.open().insert(id.to_owned(), watch);
    }

    /// Ends one watching of that person; whether it was known here. The browser may
    /// have said goodbye to the video's own server before.
    pub(super) fn end(&self, id: &str, camera: &str, person: &Person) -> bool {
        let theirs = |w: &Watch| w.camera == camera && w.person.is_still(person);
        let mut open = self.open();
        if !open.get(id).is_some_and(theirs) {
            return false;
        }
        let ended = open.remove(id);
        drop(open);
        if let Some(watch) = ended {
            self.note_end(id, &watch, "the viewer ended it");
        }
        self.gateway.unwatch(id);
        true
    }

    /// Ends all watching through `login`.
    pub(super) fn log_out(&self, login: &str) {
        self.end_where("logged out", |watch| watch.login.as_deref() == Some(login));
    }

    /// Ends what is still watched through logins that are over, however they
    /// ended, and by accounts that are gone or are not what they were.
    pub(super) async fn tend(&self, accounts: &Accounts, sessions: &impl SessionStore) {
        let logins: HashSet<Option<String>> = self
            .open()
            .values()
            .map(|watch| watch.login.clone())
            .collect();
        let over = over(logins, sessions).await;
        self.end_where("the login is over", |watch| over.contains(&watch.login));
        self.end_where("the account changed", |watch| {
            let now = accounts.person(&watch.person.user.name);
            !now.is_some_and(|now| now.is_still(&watch.person))
        });
    }

    fn end_where(&self, why: &'static str, over: impl Fn(&Watch) -> bool) {
        let ended: Vec<(String, Watch)> = {
            let mut open = self.open();
            open.extract_if(|_, watch| over(watch)).collect()
        };
        for (id, watch) in ended {
            self.gateway.unwatch(&id);
            self.note_end(&id, &watch, why);
        }
    }

    fn note_end(&self, id: &str, watch: &Watch, why: &'static str) {
        let entry = Entry::new("unwatch", format!("camera {}", watch.camera));
        let entry = entry.by(&watch.person.user.name, watch.origin);
        self.audit
            .note(entry.detail("watching", short(id)).detail("why", why));
    }
}
