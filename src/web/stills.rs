//! Clear stills: who may have one of which camera now, and until when.

use super::accounts::{Accounts, Person};
use super::desk::CameraView;
use crate::audit::{Audit, Entry};
use crate::still::Jpeg;
use crate::users::Role;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who may permit clear stills.
pub(super) const GIVERS: &[Role] = &[Role::Officer, Role::Admin];

/// The cameras' clear stills, as far as HTTP may reach them.
pub trait Stills: Send + Sync {
    /// Whether the configuration allows any.
    fn offered(&self) -> bool;

    /// Whether nobody may use a permit of their own.
    fn four_eyes(&self) -> bool;

    /// The permit in force of a camera.
    ///
    /// # Errors
    /// [`StillFault::NoCamera`].
    fn permit(&self, camera: &str) -> Result<Option<Permit>, StillFault>;

    /// All permits in force, with their cameras.
    fn permits(&self) -> Vec<(String, Permit)>;

    /// Puts a permit in force, in place of the one before.
    ///
    /// # Errors
    /// [`StillFault`].
    fn grant(&self, camera: &str, grant: Grant) -> Result<Permit, StillFault>;

    /// Ends that permit; whether it still was in force.
    fn end(&self, camera: &str, permit: &Permit) -> bool;

    /// Ends those whose time is over: they are told once.
    fn end_those_over(&self) -> Vec<(String, Permit)>;

    /// Takes a still of a camera, marked with `name`. Waits for up to two
    /// seconds; the permit is for the caller to see to, before and after.
    ///
    /// # Errors
    /// [`StillFault`].
    fn take(&self, camera: &str, name: &str) -> Result<ClearPicture, StillFault>;
}

/// What somebody permits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// For how long, minutes.
    pub minutes: u32,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
}

/// A permit in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// When it was given, nanoseconds of the gateway's own: no two are equal.
    pub given_ns: u64,
    /// When it ends (RFC 3339).
    pub until: String,
    /// Who gave it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A clear still, marked.
#[derive(Debug)]
pub struct ClearPicture {
    /// The picture.
    pub jpeg: Jpeg,
    /// How the camera looked when it was taken.
    pub view: CameraView,
    /// When it was taken, by the camera's clock (RFC 3339), where it tells.
    pub captured: Option<String>,
    /// How many faces, plates and people are hidden in it.
    pub hidden: usize,
}

/// Why there is no still, or no permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StillFault {
    /// The configuration does not allow any.
    NotOffered,
    /// No such camera.
    NoCamera,
    /// The last one was taken just now: again after so many seconds.
    TooSoon(u64),
    /// No frame came that may be shown: why.
    NoPicture(String),
    /// It could not be made.
    Failed(String),
}

/// Permits, and what those who gave them were when they did.
#[derive(Clone)]
pub(super) struct Permits {
    pub(super) stills: Arc<dyn Stills>,
    accounts: Accounts,
    audit: Audit,
    givers: Arc<Mutex<HashMap<String, Person>>>,
    seen: Arc<Mutex<VecDeque<Seen>>>,
}

/// A still that can be named, and who was given it.
#[derive(PartialEq, Eq)]
struct Seen {
    camera: String,
    still: String,
    by: String,
}

/// So many are remembered, of all cameras: more than those have pictures for.
const SEEN_AT_MOST: usize = 1000;

impl Seen {
    fn of(camera: &str, still: &str, by: &str) -> Self {
        let [camera, still, by] = [camera, still, by].map(str::to_owned);
        Self { camera, still, by }
    }
}

impl Permits {
    pub(super) fn new(stills: Arc<dyn Stills>, accounts: Accounts, audit: Audit) -> Self {
        Self {
            stills,
            accounts,
            audit,
            givers: Arc::default(),
            seen: Arc::default(),
        }
    }

    /// That `by` is given the still of that name.
    pub(super) fn shown(&self, camera: &str, still: &str, by: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SEEN_AT_MOST {
            seen.pop_front();
        }
        seen.push_back(Seen::of(camera, still, by));
    }

    /// Whether `by` was given the still of that name.
    pub(super) fn saw(&self, camera: &str, still: &str, by: &str) -> bool {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.contains(&Seen::of(camera, still, by))
    }

    fn givers(&self) -> MutexGuard<'_, HashMap<String, Person>> {
        self.givers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The permit in force of a camera. One whose giver's account is not what it
    /// was is none: it ends here.
    ///
    /// # Errors
    /// [`StillFault`].
    pub(super) fn of(&self, camera: &str) -> Result<Option<Permit>, StillFault> {
        let permit = self.stills.permit(camera)?;
        Ok(permit.filter(|permit| {
            let stands = self.stands(camera, permit);
            if !stands && self.stills.end(camera, permit) {
                self.note_over(camera, permit, "the account that gave it changed");
            }
            stands
        }))
    }

    /// Whether whoever gave it is what they were then.
    fn stands(&self, camera: &str, permit: &Permit) -> bool {
        let now = self.accounts.person(&permit.by);
        let givers = self.givers();
        let then = givers.get(camera);
        match (now, then) {
            (Some(now), Some(then)) => {
                now.is_still(then) && now.has_any(GIVERS) && now.user.sees(camera)
            }
            _ => false,
        }
    }

    /// Puts a permit of `person` in force.
    ///
    /// # Errors
    /// [`StillFault`].
    pub(super) fn grant(
        &self,
        camera: &str,
        person: &Person,
        minutes: u32,
        reason: String,
    ) -> Result<Permit, StillFault> {
        // One that is over must be told before another stands in its place.
        self.tend();
        // Under one lock: two who permit at once must not be mistaken for each other.
        let mut givers = self.givers();
        let grant = Grant {
            minutes,
            reason,
            by: person.user.name.clone(),
        };
        let permit = self.stills.grant(camera, grant)?;
        givers.insert(camera.to_owned(), person.clone());
        Ok(permit)
    }

    /// Some of those who could permit stills of `camera` now.
    pub(super) fn who_could_give(&self, camera: &str, at_most: usize) -> Vec<String> {
        let fit = self.accounts.who(|u| u.has_any(GIVERS) && u.sees(camera));
        fit.into_iter().take(at_most).collect()
    }

    /// Ends what is over: by time, and by accounts that are not what they were.
    pub(super) fn tend(&self) {
        for (camera, permit) in self.stills.end_those_over() {
            self.note_over(&camera, &permit, "its time is over");
        }
        for (camera, _) in self.stills.permits() {
            // Looking ends it.
            let _ = self.of(&camera);
        }
    }

    fn note_over(&self, camera: &str, permit: &Permit, why: &'static str) {
        let over = Entry::new("still-permit-over", format!("camera {camera}"));
        let over = over.detail("permitted_by", permit.by.as_str());
        self.audit.note(over.detail("why", why));
    }
}
