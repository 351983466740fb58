//! Who may use the console, and as what.
//!
//! Accounts lie in one TOML file that `greyplane user` keeps: names, Argon2id
//! hashes, roles, cameras. This module must not know HTTP, sessions or cameras;
//! it never writes a password anywhere and never keeps one.

mod file;
mod password;
#[cfg(test)]
mod tests;

pub use file::{MAX_BYTES, Unreadable, Unwritable};
pub use password::{MAX_PASSWORD, MIN_PASSWORD, PasswordHash, UnfitPassword};

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// What somebody may do. One person may have several.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches the masked video.
    Observer,
    /// Draws masks, tunes presets, steers.
    Integrator,
    /// Reads the audit log and the reports; sees no video.
    Officer,
    /// All of it, and accounts.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Observer, Self::Integrator, Self::Officer, Self::Admin];

    /// As it is written in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Observer => "observer",
            Self::Integrator => "integrator",
            Self::Officer => "officer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// 1 to 64 letters, digits, `.`, `-`, `_` and `@`; unique.
    pub name: String,
    /// The password's hash.
    pub password: PasswordHash,
    /// At least one, each once.
    pub roles: Vec<Role>,
    /// Ids of the cameras this person may see; `["*"]` for all.
    pub cameras: Vec<String>,
}

/// Stands for every camera.
pub const ALL_CAMERAS: &str = "*";

impl User {
    /// Whether this person has one of `roles`.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Whether this person may see the camera of this id.
    pub fn sees(&self, camera: &str) -> bool {
        self.cameras.iter().any(|c| c == ALL_CAMERAS || c == camera)
    }

    fn fault(&self) -> Option<String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_@".contains(c);
        let (name, roles) = (&self.name, &self.roles);
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Some(format!(
                "`{}` is no user name: use 1 to 64 letters, digits, `.`, `-`, `_` and `@`",
                name.escape_debug()
            ));
        }
        if roles.is_empty() || (1..roles.len()).any(|i| roles[..i].contains(&roles[i])) {
            return Some(format!("`{name}` has no role, or one twice"));
        }
        if self.cameras.is_empty() {
            return Some(format!(
                "`{name}` has no cameras: name their ids, or `*` for all"
            ));
        }
        None
    }
}

/// All accounts of one gateway, in the order they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users(Vec<User>);

/// Why an account is not added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Names are unique.
    #[error("there is a user `{0}` already: `greyplane user remove` or `greyplane user password`")]
    Exists(String),
    /// Something about it is not as it must be.
    #[error("{0}")]
    Unfit(String),
}

impl Users {
    /// Adds an account.
    ///
    /// # Errors
    /// [`Refused`]; nothing is changed then.
    pub fn add(&mut self, user: User) -> Result<(), Refused> {
        if let Some(fault) = user.fault() {
            return Err(Refused::Unfit(fault));
        }
        if self.find(&user.name).is_some() {
            return Err(Refused::Exists(user.name));
        }
        self.0.push(user);
        Ok(())
    }

    /// Takes an account away; whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|u| u.name != name);
        self.0.len() < before
    }

    /// Gives an account another password; whether there is one.
    pub fn set_password(&mut self, name: &str, password: PasswordHash) -> bool {
        let user = self.0.iter_mut().find(|u| u.name == name);
        user.map(|u| u.password = password).is_some()
    }

    /// The account of this name.
    pub fn find(&self, name: &str) -> Option<&User> {
        self.0.iter().find(|u| u.name == name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
