//! Logging in: accounts from their file, passwords, and how often one may try.

use crate::audit::{Audit, Entry, Outcome};
use crate::secret::Secret;
use crate::users::{PasswordHash, Role, User, Users};
use axum_login::{AuthUser, AuthnBackend};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota};
use std::convert::Infallible;
use std::fs::Metadata;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Tries from one address: so many at once…
const TRIES: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// …and one more each time after.
const ANOTHER_TRY: Duration = Duration::from_secs(6);
/// Tries for one account, wherever from.
const TRIES_FOR_ONE: NonZeroU32 = NonZeroU32::new(30).unwrap();
/// Tries that were too many are recorded so often, wherever from: a stranger
/// must not fill the disk.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// Passwords that are checked at the same time: each takes a core and 19 MiB,
/// and the pictures need the cores more.
const CHECKS: usize = 1;

/// Somebody who has shown who they are.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) user: User,
    /// Changes with anything of the account: then its sessions end.
    hash: Vec<u8>,
}

impl Person {
    fn new(user: &User) -> Self {
        let mut hash = user.password.as_text();
        let roles = user.roles.iter().map(|role| role.name());
        for part in roles.chain(user.cameras.iter().map(String::as_str)) {
            hash.push('\n');
            hash.push_str(part);
        }
        Self {
            user: user.clone(),
            hash: hash.into_bytes(),
        }
    }

    /// Whether this is still the account it was.
    pub(super) fn is_still(&self, other: &Self) -> bool {
        self.user.name == other.user.name && self.hash == other.hash
    }

    pub(super) fn has_any(&self, roles: &[Role]) -> bool {
        self.user.has_any(roles)
    }
}

impl AuthUser for Person {
    type Id = String;

    fn id(&self) -> String {
        self.user.name.clone()
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.hash
    }
}

/// A name and a password, as somebody typed them.
pub(super) struct Credentials {
    pub(super) name: String,
    pub(super) password: Secret,
}

/// The accounts as the file has them now.
#[derive(Clone)]
pub(super) struct Accounts(Arc<Shared>);

struct Shared {
    file: PathBuf,
    read: Mutex<Read>,
    checks: Semaphore,
    /// What a password is checked against when nobody has the name, so that
    /// the answer takes as long.
    nobody: Option<PasswordHash>,
    by_address: DefaultKeyedRateLimiter<IpAddr>,
    by_name: DefaultKeyedRateLimiter<String>,
    telling: DefaultDirectRateLimiter,
    untold: AtomicU64,
    audit: Audit,
}

/// What was read when the file looked so.
#[derive(Default)]
struct Read {
    looked: Option<[i64; 5]>,
    users: Arc<Users>,
}

impl Accounts {
    /// The accounts in `file`. While it cannot be read, nobody is let in.
    pub(super) fn new(file: PathBuf, audit: Audit) -> Self {
        let by_address = Quota::with_period(ANOTHER_TRY).map(|q| q.allow_burst(TRIES));
        let by_name = Quota::with_period(ANOTHER_TRY).map(|q| q.allow_burst(TRIES_FOR_ONE));
        let slowest = Quota::per_hour(NonZeroU32::MIN);
        let accounts = Self(Arc::new(Shared {
            file,
            read: Mutex::default(),
            checks: Semaphore::new(CHECKS),
            nobody: PasswordHash::of(&Secret::new("nobody has this one")).ok(),
            by_address: DefaultKeyedRateLimiter::keyed(by_address.unwrap_or(slowest)),
            by_name: DefaultKeyedRateLimiter::keyed(by_name.unwrap_or(slowest)),
            telling: DefaultDirectRateLimiter::direct(
                Quota::with_period(TELL_EVERY).unwrap_or(slowest),
            ),
            untold: AtomicU64::new(0),
            audit,
        }));
        let users = accounts.users();
        let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
        let read = Entry::new("accounts-read", "accounts").detail("names", names);
        accounts.0.audit.note(read);
        accounts
    }

    /// Reads the file again where it is another; what changed is recorded.
    pub(super) fn look(&self) {
        self.users();
    }

    /// Whether a try that was one too many is recorded; then how many before it
    /// were not.
    pub(super) fn may_tell_of_tries(&self) -> Option<u64> {
        match self.0.telling.check() {
            Ok(()) => Some(self.0.untold.swap(0, Ordering::Relaxed)),
            Err(_) => {
                self.0.untold.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }

    /// All accounts; read again when the file is another.
    fn users(&self) -> Arc<Users> {
        let looks = std::fs::metadata(&self.0.file).ok().map(|m| traits_of(&m));
        let mut read = self.0.read.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.is_none() || read.looked != looks {
            let mut why = None;
            let users = Users::read(&self.0.file).unwrap_or_else(|error| {
                if read.looked.is_some() || looks.is_some() || read.users.is_empty() {
                    tracing::error!(%error, "nobody can log in");
                }
                why = Some(error.to_string());
                Users::default()
            });
            if read.looked.is_some()
                && let Some(entry) = changed(&read.users, &users, why)
            {
                self.0.audit.note(entry);
            }
            *read = Read {
                looked: looks,
                users: Arc::new(users),
            };
        }
        read.users.clone()
    }

    /// The account of this name, as it is now.
    pub(super) fn person(&self, name: &str) -> Option<Person> {
        self.users().find(name).map(Person::new)
    }

    /// The names of the accounts that are `fit` now.
    pub(super) fn who(&self, fit: impl Fn(&User) -> bool) -> Vec<String> {
        let users = self.users();
        let fit = users.iter().filter(|user| fit(user));
        fit.map(|user| user.name.clone()).collect()
    }

    /// Whether another try may be made now; else after how many seconds.
    pub(super) fn may_try(&self, from: IpAddr, name: &str) -> Result<(), u64> {
        let address = check(&self.0.by_address, &network(from));
        // Only names that exist, or the table would grow with every guess.
        let known = self.users().find(name).is_some();
        let account = match known {
            true => check(&self.0.by_name, &name.to_owned()),
            false => Ok(()),
        };
        address.and(account)
    }
}

fn check<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), u64> {
    const MANY: usize = 4096;
    if limiter.len() > MANY {
        limiter.retain_recent();
    }
    limiter.check_key(key).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        wait.as_secs() + 1
    })
}

/// One household has many IPv6 addresses: its network counts.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => four.into(),
            None => std::net::Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
        },
        four => four,
    }
}

/// What became of the accounts; none where they are what they were.
fn changed(before: &Users, now: &Users, unreadable: Option<String>) -> Option<Entry> {
    let names = |all: &Users, but: &dyn Fn(&User) -> bool| -> Vec<String> {
        let some = all.iter().filter(|user| !but(user));
        some.map(|user| user.name.clone()).collect()
    };
    let added = names(now, &|user| before.find(&user.name).is_some());
    let removed = names(before, &|user| now.find(&user.name).is_some());
    let changed = names(now, &|user| {
        before.find(&user.name).is_none_or(|b| b == user)
    });
    if added.is_empty() && removed.is_empty() && changed.is_empty() {
        return None;
    }
    let entry = Entry::new("accounts-changed", "accounts").by("unknown", "users file");
    let entry = entry.detail("added", added).detail("removed", removed);
    let entry = entry.detail("changed", changed);
    Some(match unreadable {
        Some(why) => entry.detail("why", why).result(Outcome::Failed),
        None => entry,
    })
}

fn traits_of(m: &Metadata) -> [i64; 5] {
    let signed = |v: u64| v.cast_signed();
    [
        signed(m.ino()),
        signed(m.size()),
        m.mtime(),
        m.mtime_nsec(),
        m.ctime_nsec(),
    ]
}

impl AuthnBackend for Accounts {
    type User = Person;
    type Credentials = Credentials;
    type Error = Infallible;

    async fn authenticate(&self, credentials: Credentials) -> Result<Option<Person>, Infallible> {
        let Ok(_turn) = self.0.checks.acquire().await else {
            return Ok(None);
        };
        let person = self.person(&credentials.name);
        let known = person.as_ref().map(|p| p.user.password.clone());
        let Some(hash) = known.or_else(|| self.0.nobody.clone()) else {
            return Ok(None);
        };
        let checked = tokio::task::spawn_blocking(move || hash.is_of(&credentials.password));
        let right = checked.await.unwrap_or(false);
        Ok(person.filter(|_| right))
    }

    async fn get_user(&self, name: &String) -> Result<Option<Person>, Infallible> {
        Ok(self.person(name))
    }
}
