//! The folder beside a document: `000001.json` as it was saved, and
//! `000001.about.json` about it.

use super::{Draft, Fault, State, Version};
use crate::clock::WallTime;
use atomic_write_file::AtomicWriteFile;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who changed a document without the console.
const BY_HAND: &str = "unknown (by hand)";
const FOUND: &str = "found changed outside of the console";
/// Versions of one document; more are refused rather than read.
const MOST: u32 = 100_000;

/// The versions of one document.
#[derive(Debug)]
pub struct Archive {
    document: PathBuf,
    folder: PathBuf,
    /// One change at a time.
    busy: Mutex<()>,
}

/// What is known about a document without changing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// SHA-256 of the document in force, hexadecimal.
    pub sha256: String,
    /// All versions, newest first. None is [`State::Active`] where the document
    /// was changed outside of the console and nobody has looked since.
    pub versions: Vec<Version>,
}

impl Archive {
    /// The versions of the document in this file, in a folder beside it.
    pub fn of(document: &Path) -> Self {
        let mut folder = document.as_os_str().to_owned();
        folder.push(".versions");
        Self {
            document: document.to_owned(),
            folder: folder.into(),
            busy: Mutex::new(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version in force and its document. One that was changed outside of
    /// the console becomes a version of its own.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn active(&self, now: WallTime) -> Result<(Version, Vec<u8>), Fault> {
        let _one = self.lock();
        self.in_force(now)
    }

    fn in_force(&self, now: WallTime) -> Result<(Version, Vec<u8>), Fault> {
        let bytes = fs::read(&self.document).map_err(io_fault(&self.document))?;
        let sha256 = sum(&bytes);
        let all = self.stored()?;
        // The newest that was put in force; an older one that lies there again was
        // brought back by somebody, which is news.
        let known = all.iter().rev().find(|v| v.state == State::Past);
        let known = known.filter(|v| v.sha256 == sha256);
        if let Some(known) = known {
            let state = State::Active;
            return Ok((
                Version {
                    state,
                    ..known.clone()
                },
                bytes,
            ));
        }
        let version = Version {
            number: next(&all),
            sha256,
            saved: rfc3339(now),
            author: BY_HAND.into(),
            reason: (!all.is_empty()).then(|| FOUND.into()),
            covers_less: false,
            restores: None,
            state: State::Past,
            second: None,
        };
        self.put(&version, &bytes)?;
        let state = State::Active;
        Ok((Version { state, ..version }, bytes))
    }

    /// All versions, newest first.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn versions(&self, now: WallTime) -> Result<Vec<Version>, Fault> {
        let _one = self.lock();
        let (active, _) = self.in_force(now)?;
        let mut all = self.stored()?;
        for version in all.iter_mut().filter(|v| v.number == active.number) {
            version.state = State::Active;
        }
        all.reverse();
        Ok(all)
    }

    /// What lies there; writes nothing, so that it may be asked beside a running
    /// gateway.
    ///
    /// # Errors
    /// [`Fault::Io`], [`Fault::Damaged`].
    pub fn known(&self) -> Result<Known, Fault> {
        let bytes = fs::read(&self.document).map_err(io_fault(&self.document))?;
        let sha256 = sum(&bytes);
        let mut versions = self.stored()?;
        versions.reverse();
        let newest = versions.iter_mut().find(|v| v.state == State::Past);
        if let Some(newest) = newest.filter(|v| v.sha256 == sha256) {
            newest.state = State::Active;
        }
        Ok(Known { sha256, versions })
    }

    /// One version and its document.
    ///
    /// # Errors
    /// [`Fault`]; a document that is not what was saved is [`Fault::Damaged`].
    pub fn version(&self, number: u32, now: WallTime) -> Result<(Version, Vec<u8>), Fault> {
        let version = self.versions(now)?.into_iter().find(|v| v.number == number);
        let version = version.ok_or(Fault::NoVersion(number))?;
        let bytes = self.document_of(&version)?;
        Ok((version, bytes))
    }

    /// Saves a document as a new version and puts it in force, or proposes it.
    ///
    /// # Errors
    /// [`Fault::Conflict`] where the version in force is not the draft's base.
    pub fn save(&self, draft: Draft) -> Result<Version, Fault> {
        let _one = self.lock();
        let (active, _) = self.in_force(draft.at)?;
        if active.sha256 != draft.base_sha256 {
            return Err(Fault::Conflict(Box::new(active)));
        }
        let mut version = Version {
            number: next(&self.stored()?),
            sha256: sum(&draft.document),
            saved: rfc3339(draft.at),
            author: draft.author,
            reason: draft.reason,
            covers_less: draft.covers_less,
            restores: draft.restores,
            state: if draft.propose {
                State::Proposed
            } else {
                State::Past
            },
            second: None,
        };
        self.put(&version, &draft.document)?;
        if !draft.propose {
            write_whole(&self.document, &draft.document)?;
            version.state = State::Active;
        }
        Ok(version)
    }

    /// A second person puts a proposed version in force, or refuses it. Its
    /// document, where it is in force now.
    ///
    /// # Errors
    /// [`Fault::SamePerson`], [`Fault::NotProposed`], [`Fault::Conflict`] where
    /// another version was put in force after it was proposed.
    pub fn settle(
        &self,
        number: u32,
        second: &str,
        approve: bool,
        now: WallTime,
    ) -> Result<(Version, Option<Vec<u8>>), Fault> {
        let _one = self.lock();
        let (active, _) = self.in_force(now)?;
        let all = self.stored()?;
        let version = all.into_iter().find(|v| v.number == number);
        let mut version = version.ok_or(Fault::NoVersion(number))?;
        if version.state != State::Proposed {
            return Err(Fault::NotProposed(number));
        }
        if version.author == second {
            return Err(Fault::SamePerson);
        }
        if approve && active.number > number {
            return Err(Fault::Conflict(Box::new(active)));
        }
        let document = self.document_of(&version)?;
        version.second = Some(second.to_owned());
        version.state = if approve { State::Past } else { State::Refused };
        self.note(&version)?;
        if !approve {
            return Ok((version, None));
        }
        write_whole(&self.document, &document)?;
        version.state = State::Active;
        Ok((version, Some(document)))
    }

    /// What the folder holds, oldest first; nothing is [`State::Active`] there.
    fn stored(&self) -> Result<Vec<Version>, Fault> {
        let mut all = Vec::new();
        for number in 1..=MOST {
            let file = self.about(number);
            let text = match fs::read(&file) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(io_fault(&file)(error)),
            };
            let damaged = |why: String| Fault::Damaged {
                file: file.clone(),
                why,
            };
            let version: Version =
                serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
            if version.number != number {
                let why = format!("is about version {}", version.number);
                return Err(damaged(why));
            }
            all.push(version);
        }
        Ok(all)
    }

    fn document_of(&self, version: &Version) -> Result<Vec<u8>, Fault> {
        let file = self.file(version.number);
        let bytes = fs::read(&file).map_err(io_fault(&file))?;
        if sum(&bytes) == version.sha256 {
            return Ok(bytes);
        }
        let why = "is not what was saved".to_owned();
        Err(Fault::Damaged { file, why })
    }

    fn file(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:06}.json"))
    }

    fn about(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{number:06}.about.json"))
    }

    /// The document first: what nobody knows about is no version.
    fn put(&self, version: &Version, document: &[u8]) -> Result<(), Fault> {
        fs::create_dir_all(&self.folder).map_err(io_fault(&self.folder))?;
        write_whole(&self.file(version.number), document)?;
        self.note(version)
    }

    fn note(&self, version: &Version) -> Result<(), Fault> {
        let file = self.about(version.number);
        let text = serde_json::to_vec_pretty(version).map_err(|e| Fault::Damaged {
            file: file.clone(),
            why: e.to_string(),
        })?;
        write_whole(&file, &text)
    }
}

fn next(all: &[Version]) -> u32 {
    all.last().map_or(1, |v| v.number.saturating_add(1))
}

fn io_fault(file: &Path) -> impl FnOnce(io::Error) -> Fault {
    let file = file.to_owned();
    |why| Fault::Io { file, why }
}

/// SHA-256, hexadecimal.
fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A time as RFC 3339 writes it, to the second.
pub(crate) fn rfc3339(at: WallTime) -> String {
    let seconds = at.0.div_euclid(1_000_000_000);
    time::OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|t| {
            t.format(&time::format_description::well_known::Rfc3339)
                .ok()
        })
        .unwrap_or_else(|| format!("{seconds} s after 1970"))
}

/// Writes a file whole or not at all, and lets the disk have it before it counts.
fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let write = || {
        let mut written = AtomicWriteFile::open(file)?;
        written.write_all(bytes)?;
        written.commit()
    };
    write().map_err(io_fault(file))
}
