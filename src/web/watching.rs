//! Who watches what through which login: watching ends when the login does.

use super::Gateway;
use super::accounts::{Accounts, Person};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One browser's watching.
struct Watch {
    person: Person,
    login: Option<String>,
    camera: String,
}

/// All watching that began here, by its id.
#[derive(Clone)]
pub(super) struct Watches {
    gateway: Arc<dyn Gateway>,
    open: Arc<Mutex<HashMap<String, Watch>>>,
}

impl Watches {
    pub(super) fn new(gateway: Arc<dyn Gateway>) -> Self {
        Self {
            gateway,
            open: Arc::default(),
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Watch>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that `person` watches `camera` as `id`, through `login`.
    pub(super) fn begin(&self, id: &str, camera: &str, person: Person, login: Option<String>) {
        let watch = Watch {
            person,
            login,
            camera: camera.to_owned(),
        };
        self.open().insert(id.to_owned(), watch);
    }

    /// Ends one watching of that person; whether there was such a one.
    pub(super) fn end(&self, id: &str, camera: &str, person: &Person) -> bool {
        let theirs = |w: &Watch| w.camera == camera && w.person.is_still(person);
        let mut open = self.open();
        if !open.get(id).is_some_and(theirs) {
            return false;
        }
        open.remove(id);
        drop(open);
        self.gateway.unwatch(id)
    }

    /// Ends all watching through `login`.
    pub(super) fn log_out(&self, login: &str) {
        self.end_where(|watch| watch.login.as_deref() == Some(login));
    }

    /// Ends what accounts that are gone, or are not what they were, still watch.
    pub(super) fn tend(&self, accounts: &Accounts) {
        self.end_where(|watch| {
            let now = accounts.person(&watch.person.user.name);
            !now.is_some_and(|now| now.is_still(&watch.person))
        });
    }

    fn end_where(&self, over: impl Fn(&Watch) -> bool) {
        let ended: Vec<String> = {
            let mut open = self.open();
            let gone = open.extract_if(|_, watch| over(watch));
            gone.map(|(id, _)| id).collect()
        };
        for id in ended {
            self.gateway.unwatch(&id);
        }
    }
}
