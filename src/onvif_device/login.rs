//! Who asks: WS-UsernameToken with a digest of the password (OASIS Web Services
//! Security UsernameToken Profile 1.0, 3.1), good once and for a short while.

use super::request::Token;
use crate::clock::{Clock, Mono};
use crate::onvif::utc;
use crate::secret::Secret;
use arc_swap::ArcSwap;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How far the time in a token may be from ours, seconds.
const WINDOW_S: i64 = 120;
/// Tokens that are remembered until they are too old; with so many, no more are taken.
const MOST_TOKENS: usize = 1 << 16;
/// Wrong passwords from one address: so many at once…
const TRIES: u32 = 10;
/// …and one more each time after.
const ANOTHER_TRY: Duration = Duration::from_secs(6);
/// Addresses whose wrong passwords are counted; with more the oldest is forgotten.
const ADDRESSES: usize = 4096;

/// Who may ask about cameras, and who may steer them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone who can reach the address may ask; nobody may steer.
    Open,
    /// These.
    Accounts(Vec<Account>),
}

/// Somebody who may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Secret,
    /// Which cameras; none = all.
    pub cameras: Option<Vec<String>>,
    /// Whether they may steer them.
    pub steer: bool,
}

/// Why somebody is not let in. They are told no more than that they are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// They do not say who they are.
    NoToken,
    /// The name or the password is wrong.
    Wrong,
    /// The password is right, but the token is of another time.
    ClockApart,
    /// The token was used before.
    Replayed,
    /// Too many wrong passwords from there, or too many tokens.
    TooMany,
    /// It is not their camera.
    NotTheirs,
}

/// Who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guest {
    /// None where everyone is.
    pub(super) name: Option<String>,
    pub(super) steers: bool,
}

/// Decides who is let in, at all devices.
pub(super) struct Gate {
    access: ArcSwap<Access>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Digests that were shown, and when they are too old to be shown again, seconds
    /// since 1970.
    tokens: HashMap<Vec<u8>, i64>,
    /// When wrong passwords from an address are forgotten.
    wrong: HashMap<IpAddr, Mono>,
}

impl Gate {
    pub(super) fn new(access: Access, clock: Arc<dyn Clock>) -> Self {
        Self {
            access: ArcSwap::from_pointee(access),
            clock,
            seen: Mutex::default(),
        }
    }

    /// From now on these.
    pub(super) fn change(&self, access: Access) {
        self.access.store(Arc::new(access));
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who it is that asks about `camera` with this token from that address.
    pub(super) fn check(
        &self,
        token: Option<&Token>,
        camera: &str,
        from: IpAddr,
    ) -> Result<Guest, Denied> {
        let access = self.access.load();
        let accounts = match &**access {
            Access::Open => {
                return Ok(Guest {
                    name: None,
                    steers: false,
                });
            }
            Access::Accounts(accounts) => accounts,
        };
        let token = token.ok_or(Denied::NoToken)?;
        let (from, now) = (network(from), self.clock.mono());
        if self.seen().has_to_wait(from, now) {
            return Err(Denied::TooMany);
        }
        let account = accounts.iter().find(|a| a.name == token.user);
        // As much work for a name that nobody has.
        let password = account.map_or("", |a| a.password.reveal());
        let digest = digest(&token.nonce, &token.created, password);
        let expected = STANDARD.encode(&digest);
        let same = verify_slices_are_equal(expected.as_bytes(), token.digest.as_bytes()).is_ok();
        let Some(account) = account.filter(|_| same) else {
            if self.seen().count_wrong(from, now) {
                tracing::warn!(address = %from, "ONVIF: too many wrong passwords: it has to wait");
            }
            return Err(Denied::Wrong);
        };
        let now_s = self.clock.wall().0.div_euclid(1_000_000_000);
        let made_s = utc::parse(&token.created).map(|t| t.at.0.div_euclid(1_000_000_000));
        let made_s = made_s.filter(|made| (now_s - made).abs() <= WINDOW_S);
        let until = made_s.ok_or(Denied::ClockApart)? + WINDOW_S;
        self.seen().take(digest, until, now_s)?;
        let theirs = account.cameras.as_ref();
        if theirs.is_some_and(|all| all.iter().all(|c| c != camera)) {
            return Err(Denied::NotTheirs);
        }
        Ok(Guest {
            name: Some(account.name.clone()),
            steers: account.steer,
        })
    }

    /// Whether this viewer still may steer the camera.
    pub(super) fn may_steer(&self, name: &str, camera: &str) -> bool {
        match &**self.access.load() {
            Access::Open => false,
            Access::Accounts(accounts) => accounts.iter().any(|a| {
                let theirs = a.cameras.as_ref();
                a.name == name
                    && a.steer
                    && theirs.is_none_or(|all| all.iter().any(|c| c == camera))
            }),
        }
    }
}

impl Seen {
    /// Whether nobody at this address may try now.
    fn has_to_wait(&self, from: IpAddr, now: Mono) -> bool {
        let full = now.plus(ANOTHER_TRY.saturating_mul(TRIES - 1));
        self.wrong.get(&from).is_some_and(|until| *until > full)
    }

    /// Counts a wrong password; whether it was the last that may be tried at once.
    fn count_wrong(&mut self, from: IpAddr, now: Mono) -> bool {
        self.wrong.retain(|_, until| *until > now);
        if self.wrong.len() >= ADDRESSES && !self.wrong.contains_key(&from) {
            let oldest = self.wrong.iter().min_by_key(|(_, until)| **until);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                self.wrong.remove(&oldest);
            }
        }
        let until = self.wrong.entry(from).or_insert(now);
        *until = (*until).max(now).plus(ANOTHER_TRY);
        self.has_to_wait(from, now)
    }

    /// Takes a token that was not shown before.
    fn take(&mut self, digest: Vec<u8>, until: i64, now_s: i64) -> Result<(), Denied> {
        if self.tokens.contains_key(&digest) {
            return Err(Denied::Replayed);
        }
        if self.tokens.len() >= MOST_TOKENS {
            self.tokens.retain(|_, until| *until >= now_s);
        }
        if self.tokens.len() >= MOST_TOKENS {
            return Err(Denied::TooMany);
        }
        self.tokens.insert(digest, until);
        Ok(())
    }
}

/// SHA-1(nonce + created + password).
fn digest(nonce: &[u8], created: &str, password: &str) -> Vec<u8> {
    let mut hash = Sha1::new();
    hash.update(nonce);
    hash.update(created.as_bytes());
    hash.update(password.as_bytes());
    hash.finalize().to_vec()
}

/// Whose wrong passwords are counted together: one IPv4 address, or a /64.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SimClock, WallTime};

    const NOW: &str = "2026-01-01T12:00:00Z";

    fn account(name: &str, cameras: Option<&[&str]>, steer: bool) -> Account {
        Account {
            name: name.into(),
            password: Secret::new("right"),
            cameras: cameras.map(|all| all.iter().map(ToString::to_string).collect()),
            steer,
        }
    }

    fn gate() -> (Gate, Arc<SimClock>) {
        let at = utc::parse(NOW).unwrap().at.0;
        let clock = Arc::new(SimClock::at(WallTime(at)));
        let all = vec![
            account("vms", None, true),
            account("wall", Some(&["gate"]), false),
        ];
        (Gate::new(Access::Accounts(all), clock.clone()), clock)
    }

    fn token(user: &str, password: &str, nonce: &str, created: &str) -> Token {
        Token {
            user: user.into(),
            digest: STANDARD.encode(digest(nonce.as_bytes(), created, password)),
            nonce: nonce.as_bytes().to_vec(),
            created: created.into(),
        }
    }

    fn from() -> IpAddr {
        "192.0.2.7".parse().unwrap()
    }

    #[test]
    fn the_digest_is_that_of_the_onvif_programmers_guide() {
        let nonce = STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
        let found = digest(&nonce, "2010-09-16T07:50:45Z", "userpassword");
        assert_eq!(STANDARD.encode(found), "tuOSpGlFlIXsozq4HFNeeGeFLEI=");
    }

    #[test]
    fn one_is_let_in_once_with_each_token_and_only_in_its_time() {
        let (gate, _) = gate();
        let denied = |user: &str, password: &str, nonce: &str, created: &str, camera: &str| {
            let token = token(user, password, nonce, created);
            gate.check(Some(&token), camera, from()).err()
        };
        assert_eq!(gate.check(None, "gate", from()), Err(Denied::NoToken));
        for (user, password, nonce, created, camera, expected) in [
            ("vms", "right", "1", NOW, "gate", None),
            ("vms", "right", "1", NOW, "gate", Some(Denied::Replayed)),
            // The same bytes, cut elsewhere.
            (
                "vms",
                "right",
                "12",
                &NOW[1..],
                "gate",
                Some(Denied::ClockApart),
            ),
            ("vms", "right", "2", "2026-01-01T11:58:00Z", "gate", None),
            (
                "vms",
                "right",
                "3",
                "2026-01-01T11:57:59Z",
                "gate",
                Some(Denied::ClockApart),
            ),
            (
                "vms",
                "right",
                "4",
                "2026-01-01T12:02:01Z",
                "gate",
                Some(Denied::ClockApart),
            ),
            (
                "vms",
                "right",
                "5",
                "yesterday",
                "gate",
                Some(Denied::ClockApart),
            ),
            ("wall", "right", "6", NOW, "gate", None),
            ("wall", "right", "7", NOW, "street", Some(Denied::NotTheirs)),
            ("vms", "wrong", "8", NOW, "gate", Some(Denied::Wrong)),
            ("nobody", "", "9", NOW, "gate", Some(Denied::Wrong)),
        ] {
            let found = denied(user, password, nonce, created, camera);
            assert_eq!(found, expected, "{user} {nonce} {created} {camera}");
        }
        assert!(gate.may_steer("vms", "street") && !gate.may_steer("wall", "gate"));
        gate.change(Access::Open);
        assert!(!gate.may_steer("vms", "street"), "nobody is known then");
        assert!(gate.check(None, "gate", from()).is_ok());
    }

    #[test]
    fn whoever_tries_passwords_has_to_wait() {
        let (gate, clock) = gate();
        let tries = |password: &str, n: u64, from: IpAddr| {
            let token = token("vms", password, &n.to_string(), NOW);
            gate.check(Some(&token), "gate", from).err()
        };
        for n in 0..10 {
            assert_eq!(tries("wrong", n, from()), Some(Denied::Wrong), "{n}");
        }
        assert_eq!(tries("right", 11, from()), Some(Denied::TooMany));
        assert_eq!(tries("right", 12, "192.0.2.8".parse().unwrap()), None);
        clock.advance(Duration::from_secs(6));
        assert_eq!(tries("wrong", 13, from()), Some(Denied::Wrong));
        assert_eq!(tries("right", 14, from()), Some(Denied::TooMany));
        clock.advance(Duration::from_secs(6));
        assert_eq!(tries("right", 15, from()), None);
    }
}
