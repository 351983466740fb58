//! Going on with the log that lies in a folder, or beginning one.

use super::head::{self, Checkpoint};
use super::key::{self, Key, hash_of};
use super::log::Log;
use super::record::{self, Entry};
use super::segment::{self, Next, Segment};
use super::verify::{BEGUN, Last, Walk};
use super::{LONGEST_LINE, Settings};
use serde_json::json;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const LOCK: &str = "audit.lock";

/// Why nothing can be recorded.
#[derive(Debug, thiserror::Error)]
pub(super) enum CannotOpen {
    #[error("{}: {why}", .path.display())]
    Io { path: PathBuf, why: io::Error },
    #[error(
        "{}: another process writes this audit log; end it, or give this gateway a folder of its own (`[console] audit`)",
        .0.display()
    )]
    Held(PathBuf),
    #[error(
        "{}: the key is missing and there is a log; put the key back from where it was kept, or move the whole folder away and keep it: then another log begins",
        .0.display()
    )]
    NoKey(PathBuf),
}

/// What was done about the log before, for its next record.
struct Found {
    last: Checkpoint,
    number: u32,
    first: Entry,
    /// Why the log was not gone on with.
    broken: Option<String>,
}

/// Opens the log for writing; its first record is on disk then. Where the log
/// does not verify, another file is begun beside it and says why.
pub(super) fn open(settings: &Settings, time: &str) -> Result<Log, CannotOpen> {
    let folder = &settings.folder;
    let at = |path: &Path| {
        let path = path.to_owned();
        move |why| CannotOpen::Io { path, why }
    };
    let mut made = DirBuilder::new();
    made.recursive(true).mode(0o700);
    made.create(folder).map_err(at(folder))?;
    let lock = lock(folder)?;
    let segments = segment::list(folder).map_err(at(folder))?;
    let head = head::read(folder).map_err(at(&folder.join(head::FILE)))?;
    let key_file = folder.join(key::FILE);
    let key = match Key::read(folder).map_err(at(&key_file))? {
        Some(key) => key,
        None if segments.is_empty() && head.is_none() => {
            Key::make(folder).map_err(at(&key_file))?
        }
        None => return Err(CannotOpen::NoKey(key_file)),
    };
    let found = look(folder, &segments, head.as_deref(), &key).map_err(at(folder))?;
    if let Some(why) = &found.broken {
        tracing::error!(
            "the audit log does not verify: {why}; {} goes on instead, `greyplane audit verify` tells more",
            segment::name(found.number)
        );
    }
    let public = key.public().to_string();
    let first = found.first.detail("key", public);
    let first = first.detail("version", env!("CARGO_PKG_VERSION"));
    let mut log = Log::at(settings, lock, key, found.last, found.number).map_err(at(folder))?;
    log.commit(&[first], time).map_err(at(folder))?;
    Ok(log)
}

fn lock(folder: &Path) -> Result<File, CannotOpen> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let opened = options.open(&path);
    match opened.map(|file| (file.try_lock(), file)) {
        Ok((Ok(()), file)) => Ok(file),
        Ok((Err(TryLockError::WouldBlock), _)) => Err(CannotOpen::Held(path)),
        Ok((Err(TryLockError::Error(why)), _)) | Err(why) => Err(CannotOpen::Io { path, why }),
    }
}

/// What lies in the folder, and how to go on.
fn look(folder: &Path, segments: &[Segment], head: Option<&[u8]>, key: &Key) -> io::Result<Found> {
    let Some(newest) = segments.last() else {
        if head.is_none() {
            // Before the first record, so that a log without a head is a broken one.
            head::write(folder, Checkpoint::NONE, key)?;
        } else if head.is_some_and(|h| head::parse(h, &key.public()) != Some(Checkpoint::NONE)) {
            let why = format!("{} is there and the log is gone", head::FILE);
            return Ok(anew(Walk::new(key.public(), head), 2, why, &[], key));
        }
        return Ok(Found {
            last: Checkpoint::NONE,
            number: 1,
            first: Entry::new(BEGUN, segment::name(1)),
            broken: None,
        });
    };
    let mut walk = Walk::along_tail(key.public(), head);
    // The newest file may not hold a whole line yet.
    let has_line = |s: &Segment| {
        matches!(
            s.lines()
                .and_then(|mut l| l.next().map(|n| matches!(n, Next::Line(_)))),
            Ok(true)
        )
    };
    let begin = segments.iter().rposition(has_line).unwrap_or(0);
    if segments[begin].number == 1 {
        walk.last = Last::Known(Checkpoint::NONE);
    }
    for segment in &segments[begin..] {
        walk.segment(segment, segment == newest, &|| true)?;
    }
    walk.check_head();
    if let Some(fault) = walk.report.faults.first() {
        let why = fault.to_string();
        let number = newest.number.saturating_add(1);
        return Ok(anew(walk, number, why, segments, key));
    }
    let Last::Known(last) = walk.last else {
        let number = newest.number.saturating_add(1);
        let why = "it has no last record".to_owned();
        return Ok(anew(walk, number, why, segments, key));
    };
    let name = segment::name(newest.number);
    let mut first = match last.seq {
        0 => Entry::new(BEGUN, name),
        _ => Entry::new("log-opened", name),
    };
    if let Some(begin) = walk.half {
        first = first.detail("half_line", set_aside(folder, newest, begin)?);
    }
    if let Some(behind) = walk.head().map(|h| last.seq - h.seq).filter(|n| *n > 0) {
        first = first.detail("head_was_behind", behind);
        head::write(folder, last, key)?;
    }
    Ok(Found {
        last,
        number: newest.number,
        first,
        broken: None,
    })
}

/// Another chain: its numbers go on after all that were ever signed.
fn anew(walk: Walk, number: u32, why: String, segments: &[Segment], key: &Key) -> Found {
    let mut seq = walk.head().map_or(0, |head| head.seq);
    for segment in segments.iter().rev() {
        let before = seq;
        if let Ok(mut lines) = segment.lines() {
            while let Ok(Next::Line(line)) = lines.next() {
                let newer = record::parse(line).ok().filter(|r| r.seq > seq);
                if let Some(record) = newer.filter(|_| record::is_signed(line, &key.public())) {
                    seq = record.seq;
                }
            }
        }
        if seq > before {
            break;
        }
    }
    let hash = Checkpoint::NONE.hash;
    Found {
        last: Checkpoint { seq, hash },
        number,
        first: Entry::new(BEGUN, segment::name(number)).detail("former", why.clone()),
        broken: Some(why),
    }
}

/// Moves a line that was not written to its end into a file of its own.
fn set_aside(folder: &Path, segment: &Segment, begin: u64) -> io::Result<serde_json::Value> {
    let mut log = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&segment.path)?;
    let mut bytes = Vec::new();
    log.seek(SeekFrom::Start(begin))?;
    (&log).take(LONGEST_LINE as u64).read_to_end(&mut bytes)?;
    let name = format!("{}.half-{begin}", segment.name());
    let mut aside = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(folder.join(&name))?;
    aside.write_all(&bytes)?;
    aside.sync_all()?;
    sync_folder(folder)?;
    log.set_len(begin)?;
    log.sync_all()?;
    let sha256 = hex::encode(hash_of(&bytes));
    Ok(json!({"kept_as": name, "bytes": bytes.len(), "sha256": sha256}))
}

/// Makes names in `folder` last.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
