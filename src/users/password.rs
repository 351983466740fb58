//! Passwords as Argon2id hashes (RFC 9106), in the PHC string format.

use crate::secret::Secret;
use argon2::Argon2;
use argon2::password_hash::phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The shortest password that is accepted, characters: NIST SP 800-63B asks for 8
/// and advises more; there are no other rules, as it advises too.
pub const MIN_PASSWORD: usize = 12;
/// The longest, characters.
pub const MAX_PASSWORD: usize = 256;

/// The hash of a password. Debug never shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PasswordHash(phc::PasswordHash);

/// Why a password or a hash is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnfitPassword {
    /// Too short or too long.
    #[error("a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters; this one has {0}")]
    Length(usize),
    /// The machine's source of randomness failed, or its memory is too small.
    #[error("the password could not be hashed: {0}")]
    Hashing(String),
    /// What stands in the file is no Argon2id hash.
    #[error("is no Argon2id hash: set the password anew with `greyplane user password`")]
    NoHash,
}

impl PasswordHash {
    /// Hashes `password` with a salt of its own; takes tens of milliseconds and
    /// 19 MiB.
    ///
    /// # Errors
    /// [`UnfitPassword`].
    pub fn of(password: &Secret) -> Result<Self, UnfitPassword> {
        let characters = password.reveal().chars().count();
        if !(MIN_PASSWORD..=MAX_PASSWORD).contains(&characters) {
            return Err(UnfitPassword::Length(characters));
        }
        let hash: Result<phc::PasswordHash, _> =
            Argon2::default().hash_password(password.reveal().as_bytes());
        hash.map(Self)
            .map_err(|e| UnfitPassword::Hashing(e.to_string()))
    }

    /// Whether `password` is the one; takes as long as hashing it.
    pub fn is_of(&self, password: &Secret) -> bool {
        if password.reveal().chars().count() > MAX_PASSWORD {
            return false;
        }
        let verified = Argon2::default().verify_password(password.reveal().as_bytes(), &self.0);
        verified.is_ok()
    }

    /// The hash in the PHC string format: changes when the password does.
    pub fn as_text(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl TryFrom<String> for PasswordHash {
    type Error = UnfitPassword;

    fn try_from(text: String) -> Result<Self, UnfitPassword> {
        let hash = phc::PasswordHash::new(&text).map_err(|_| UnfitPassword::NoHash)?;
        let usable = hash.algorithm.as_str() == "argon2id" && hash.hash.is_some();
        usable.then_some(Self(hash)).ok_or(UnfitPassword::NoHash)
    }
}

impl From<PasswordHash> for String {
    fn from(hash: PasswordHash) -> Self {
        hash.as_text()
    }
}
