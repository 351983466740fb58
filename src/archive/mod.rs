//! Every version of a camera's zone document: what it said, who saved it, when
//! and why.
//!
//! The document in force stays the file that the configuration names; beside it
//! lies a folder with all versions. This module must not know what a document
//! means, HTTP, or how cameras are run.

mod store;
#[cfg(test)]
mod tests;

use crate::clock::WallTime;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use utoipa::ToSchema;

pub(crate) use store::rfc3339;
pub use store::{Archive, Known};

/// One version of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// From 1, without gaps.
    pub number: u32,
    /// SHA-256 of the document's bytes, hexadecimal.
    pub sha256: String,
    /// When it was saved: RFC 3339, UTC.
    pub saved: String,
    /// Who saved it.
    pub author: String,
    /// Why, where somebody said so.
    #[schema(required)]
    pub reason: Option<String>,
    /// Whether it hides less than the version in force before.
    pub covers_less: bool,
    /// The version whose document it brings back.
    #[schema(required)]
    pub restores: Option<u32>,
    /// What became of it.
    pub state: State,
    /// Who decided about a version that needed a second person.
    #[schema(required)]
    pub second: Option<String>,
}

/// What became of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It was put in force; whether it still is, [`Archive::versions`] says.
    Past,
    /// It is in force.
    Active,
    /// It waits for a second person.
    Proposed,
    /// The second person refused it.
    Refused,
}

/// A document to save.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its bytes.
    pub document: Vec<u8>,
    /// SHA-256 of the version it was made from.
    pub base_sha256: String,
    /// Who saves it.
    pub author: String,
    /// Why.
    pub reason: Option<String>,
    /// Whether it hides less than its base.
    pub covers_less: bool,
    /// The version whose document it brings back.
    pub restores: Option<u32>,
    /// Whether a second person must put it in force.
    pub propose: bool,
    /// Now.
    pub at: WallTime,
}

/// Why something is not saved or cannot be read. The document in force is what it
/// was then; where the disk fails between the two, its version is already there.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Somebody else saved meanwhile.
    #[error("version {} was saved meanwhile by {}", .0.number, .0.author)]
    Conflict(Box<Version>),
    /// There is no version of this number.
    #[error("there is no version {0}")]
    NoVersion(u32),
    /// It waits for nobody.
    #[error("version {0} does not wait for a second person")]
    NotProposed(u32),
    /// The second person is the first.
    #[error("who saved a version cannot be its second person")]
    SamePerson,
    /// A version's files contradict each other.
    #[error("{}: {why}", .file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The system said no.
    #[error("{}: {why}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// What it said.
        #[source]
        why: std::io::Error,
    },
}
