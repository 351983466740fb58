//! The head: which record is the last, signed, in a file of its own.

use super::key::{Hash, Key, PublicKey, unhex};
use super::open::sync_folder;
use super::record::{seal, unseal};
use serde::Deserialize;
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;

pub(super) const FILE: &str = "audit.head";
pub(super) const PART: &str = "audit.head.part";
const LONGEST: u64 = 1024;

/// A record and what it was: enough to know it, and all before it, again.
/// Written as `SEQ:HASH`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// The record's place in the log; 0 before the first.
    pub seq: u64,
    /// SHA-256 of its line.
    pub(super) hash: Hash,
}

impl Checkpoint {
    /// Before the first record.
    pub(super) const NONE: Self = Self {
        seq: 0,
        hash: [0; 32],
    };
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex::encode(self.hash))
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint is SEQ:HASH, as `greyplane audit head` prints it")]
pub struct NoCheckpoint;

impl FromStr for Checkpoint {
    type Err = NoCheckpoint;

    fn from_str(text: &str) -> Result<Self, NoCheckpoint> {
        let (seq, hash) = text.split_once(':').ok_or(NoCheckpoint)?;
        let seq = seq.parse().map_err(|_| NoCheckpoint)?;
        let hash = unhex(hash.as_bytes()).ok_or(NoCheckpoint)?;
        Ok(Self { seq, hash })
    }
}

/// As it lies in the file. It begins unlike any record, so that no signature of
/// the one is good for the other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    head: u32,
    seq: u64,
    hash: String,
    #[serde(rename = "sig")]
    _sig: String,
}

/// Replaces the head, whole or not at all; on disk when this returns.
pub(super) fn write(folder: &Path, last: Checkpoint, key: &Key) -> io::Result<()> {
    let (seq, hash) = (last.seq, hex::encode(last.hash));
    let mut text = format!("{{\"head\":1,\"seq\":{seq},\"hash\":\"{hash}\"").into_bytes();
    seal(&mut text, key);
    text.push(b'\n');
    let part = folder.join(PART);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)?;
    file.write_all(&text)?;
    file.sync_data()?;
    fs::rename(part, folder.join(FILE))?;
    sync_folder(folder)
}

/// The head's bytes; none where there is no such file.
pub(super) fn read(folder: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::File::open(folder.join(FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut text = Vec::new();
    file.take(LONGEST).read_to_end(&mut text)?;
    Ok(Some(text))
}

/// What a head says; none where the key's owner did not write it so.
pub(super) fn parse(text: &[u8], key: &PublicKey) -> Option<Checkpoint> {
    let line = text.strip_suffix(b"\n")?;
    let (signed, signature) = unseal(line)?;
    if !key.has_signed(signed, &signature) {
        return None;
    }
    let written: Written = serde_json::from_slice(line).ok()?;
    let hash = unhex(written.hash.as_bytes())?;
    let seq = written.seq;
    (written.head == 1).then_some(Checkpoint { seq, hash })
}
