//! The audit log: who did what to what, when, from where, with what result.
//!
//! One JSON line a record; each names the SHA-256 of the line before it and is
//! signed (Ed25519), so that no line can be changed, taken out, put in or moved.
//! A signed head beside the log names the last record, so that none can be cut
//! off the end. `design/013-audit.md` says what that shows and what it cannot.
//!
//! This module must not know HTTP, cameras or GStreamer: it is told entries and
//! keeps them. Its key also signs reports that leave the gateway ([`Signer`]).

mod head;
mod key;
mod log;
mod open;
mod read;
mod record;
mod segment;
mod sign;
mod verify;
mod writer;

#[cfg(test)]
mod tests;

pub use head::{Checkpoint, NoCheckpoint};
pub use key::{NoKey, PublicKey};
pub use read::{Export, Filter, Found, each, export, search};
pub use record::{Entry, Outcome, Record, instant};
pub use sign::Signer;
pub use verify::{Asked, Fault, Report, verify};
pub use writer::{Audit, CannotRecord, Checked, Health, Receipt};

use std::path::PathBuf;

/// Where the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder: `audit-000001.jsonl` and so on, `audit.head`, `audit.key`.
    pub folder: PathBuf,
    /// A file of the log that is as long as this, bytes, is followed by another.
    pub file_bytes: u64,
}

impl Settings {
    /// In `folder`, in files of 64 MiB.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            file_bytes: 64 << 20,
        }
    }
}

/// Records that are written at once; so many may be on disk before the head
/// names them, and no more.
const AT_ONCE: u64 = 32;
/// No line is longer, bytes with its end.
const LONGEST_LINE: usize = 64 << 10;
