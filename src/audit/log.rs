//! The log as its one writer has it open.

use super::head::{self, Checkpoint};
use super::key::Key;
use super::open::sync_folder;
use super::record::{self, Entry};
use super::{AT_ONCE, LONGEST_LINE, Settings, segment};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

/// An open log. What was committed is on disk.
pub(super) struct Log {
    folder: PathBuf,
    file_bytes: u64,
    key: Key,
    file: File,
    number: u32,
    /// As long as it must be.
    length: u64,
    last: Checkpoint,
    /// What was not committed could not be taken back: it must be opened anew.
    spoiled: bool,
    _lock: File,
}

impl Log {
    /// Goes on after `last` in file `number`, which is made where it is missing.
    pub(super) fn at(
        settings: &Settings,
        lock: File,
        key: Key,
        last: Checkpoint,
        number: u32,
    ) -> io::Result<Self> {
        let file = file(settings, number)?;
        Ok(Self {
            folder: settings.folder.clone(),
            file_bytes: settings.file_bytes,
            key,
            length: file.metadata()?.len(),
            file,
            number,
            last,
            spoiled: false,
            _lock: lock,
        })
    }

    pub(super) fn is_spoiled(&self) -> bool {
        self.spoiled
    }

    /// Writes `entries`, at most [`AT_ONCE`] with the one of another file, all or
    /// none; they are on disk when it returns. Their places in the log.
    ///
    /// # Errors
    /// What the system says, and where somebody else changed the file.
    pub(super) fn commit(&mut self, entries: &[Entry], time: &str) -> io::Result<Vec<Checkpoint>> {
        debug_assert!((entries.len() as u64) < AT_ONCE);
        self.check_unchanged()?;
        let mut follows = None;
        if self.length >= self.file_bytes {
            self.next_file()?;
            let entry = Entry::new("log-continued", segment::name(self.number));
            follows = Some(entry.detail("key", self.key.public().to_string()));
        }
        let mut written = Vec::new();
        let mut bytes = Vec::new();
        let mut last = self.last;
        for entry in follows.iter().chain(entries) {
            let (line, now) = record::line(entry, time, last, &self.key)?;
            if line.len() > LONGEST_LINE {
                return Err(io::Error::other("a record is too long"));
            }
            bytes.extend_from_slice(&line);
            last = now;
            written.push(now);
        }
        let done = self.write(&bytes, last);
        match done {
            Ok(()) => {
                self.length += bytes.len() as u64;
                self.last = last;
                Ok(written.split_off(follows.iter().count()))
            }
            Err(error) => {
                let taken_back = self.file.set_len(self.length);
                self.spoiled = taken_back.and_then(|()| self.file.sync_data()).is_err();
                Err(error)
            }
        }
    }

    /// The log first: a head that names what is not there would call it cut off.
    fn write(&mut self, bytes: &[u8], last: Checkpoint) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        head::write(&self.folder, last, &self.key)
    }

    /// Whoever changes the file while it is open is found out at once, as far as
    /// its length and its name show it.
    fn check_unchanged(&mut self) -> io::Result<()> {
        let path = self.folder.join(segment::name(self.number));
        let (own, there) = (self.file.metadata()?, fs::metadata(path));
        let same = there.is_ok_and(|t| (t.dev(), t.ino()) == (own.dev(), own.ino()));
        if same && own.len() == self.length {
            return Ok(());
        }
        self.spoiled = true;
        let what = "was changed by somebody else while it was written";
        Err(io::Error::other(format!(
            "{} {what}",
            segment::name(self.number)
        )))
    }

    fn next_file(&mut self) -> io::Result<()> {
        let number = self.number + 1;
        let settings = Settings {
            folder: self.folder.clone(),
            file_bytes: self.file_bytes,
        };
        let next = file(&settings, number)?;
        if next.metadata()?.len() > 0 {
            self.spoiled = true;
            let name = segment::name(number);
            return Err(io::Error::other(format!("{name} is there already")));
        }
        (self.file, self.number, self.length) = (next, number, 0);
        Ok(())
    }
}

fn file(settings: &Settings, number: u32) -> io::Result<File> {
    let path = settings.folder.join(segment::name(number));
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(path)?;
    sync_folder(&settings.folder)?;
    Ok(file)
}
