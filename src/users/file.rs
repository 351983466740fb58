//! The accounts' file: read whole, written whole or not at all.

use super::{User, Users};
use atomic_write_file::AtomicWriteFile;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;
/// A file larger than this is none of ours, bytes.
pub const MAX_BYTES: u64 = 1 << 20;
const HEAD: &str =
    "# Accounts of greyplane's console. Kept by `greyplane user`; passwords are Argon2id hashes.\n";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    #[serde(default, rename = "user")]
    users: Vec<User>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", .file.display())]
pub struct Unreadable {
    /// Which file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub why: String,
    /// Whether there is no such file.
    pub missing: bool,
}

/// Why a file cannot be written; what was there before still is.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", .file.display())]
pub struct Unwritable {
    /// Which file.
    pub file: PathBuf,
    /// What the system said.
    #[source]
    pub why: io::Error,
}

impl Users {
    /// Reads accounts.
    ///
    /// # Errors
    /// Where the file is missing, too large, not TOML, has unknown keys, another
    /// format, or an account that is not as it must be: nobody is let in by half
    /// of a file.
    pub fn read(file: &Path) -> Result<Self, Unreadable> {
        let fault = |why: String, missing: bool| Unreadable {
            file: file.to_owned(),
            why,
            missing,
        };
        let said = |e: io::Error| fault(e.to_string(), e.kind() == io::ErrorKind::NotFound);
        let mut text = String::new();
        let opened = fs::File::open(file).map_err(said)?;
        opened
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(said)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(fault(format!("is larger than {MAX_BYTES} bytes"), false));
        }
        let document: Document =
            toml::from_str(&text).map_err(|e| fault(e.message().to_owned(), false))?;
        if document.format != FORMAT {
            let why = format!("has format {}, and only {FORMAT} is known", document.format);
            return Err(fault(why, false));
        }
        let mut users = Self::default();
        for user in document.users {
            users.add(user).map_err(|e| fault(e.to_string(), false))?;
        }
        Ok(users)
    }

    /// Writes accounts, whole or not at all. A new file is readable for its owner
    /// only; one that was there keeps its mode and owner.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, file: &Path) -> Result<(), Unwritable> {
        let fault = |why: io::Error| Unwritable {
            file: file.to_owned(),
            why,
        };
        let document = Document {
            format: FORMAT,
            users: self.0.clone(),
        };
        let text = toml::to_string(&document).map_err(|e| fault(io::Error::other(e)))?;
        let write = || {
            let mut written = AtomicWriteFile::options().mode(0o600).open(file)?;
            written.write_all(HEAD.as_bytes())?;
            written.write_all(text.as_bytes())?;
            written.commit()
        };
        write().map_err(fault)
    }
}
