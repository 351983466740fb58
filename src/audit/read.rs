//! Reading the log: what matches, and all of it.

use super::record::{self, Outcome, Record};
use super::segment::{self, Next, Segment};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::vec::IntoIter;

/// So much is read for one answer, bytes, and the file that ends it; then the
/// answer says from where to go on.
const READ_AT_ONCE: u64 = 128 << 20;

/// Which records. What is empty matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those before this one.
    pub before_seq: Option<u64>,
    /// Who, exactly.
    pub actor: Option<String>,
    /// What, exactly.
    pub action: Option<String>,
    /// To what; a part of it is enough.
    pub object: Option<String>,
    /// How it went.
    pub result: Option<Outcome>,
    /// Not before this time, as records write it.
    pub from: Option<String>,
    /// Before this time, as records write it.
    pub to: Option<String>,
}

impl Filter {
    fn takes(&self, record: &Record) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| w == is);
        self.before_seq.is_none_or(|before| record.seq < before)
            && same(&self.actor, &record.actor)
            && same(&self.action, &record.action)
            && self
                .object
                .as_ref()
                .is_none_or(|part| record.object.contains(part.as_str()))
            && self.result.is_none_or(|result| result == record.result)
            && self.from.as_ref().is_none_or(|from| *from <= record.time)
            && self.to.as_ref().is_none_or(|to| record.time < *to)
    }
}

/// What matches, the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// At most as many as were asked for.
    pub records: Vec<Record>,
    /// Where to go on: `before_seq` of the next question; none at the beginning
    /// of the log.
    pub next_before_seq: Option<u64>,
}

/// The newest `limit` records that match. Lines that are no records are passed
/// over: [`verify`](super::verify) names them.
///
/// # Errors
/// When the log cannot be read.
pub fn search(folder: &Path, filter: &Filter, limit: usize) -> io::Result<Found> {
    let mut found = Found::default();
    let mut bytes = 0;
    for segment in segment::list(folder)?.iter().rev() {
        let room = limit.saturating_sub(found.records.len());
        if room == 0 || bytes > READ_AT_ONCE {
            return Ok(found);
        }
        let (newest, oldest) = in_file(segment, filter, room)?;
        bytes += segment.length;
        if newest.len() == room {
            found.next_before_seq = newest.front().map(|r| r.seq);
        } else if let Some(oldest) = oldest {
            found.next_before_seq = Some(oldest);
        }
        found.records.extend(newest.into_iter().rev());
    }
    // The first file was read: further back there is something only if it was not all taken.
    if found.records.len() < limit {
        found.next_before_seq = None;
    }
    Ok(found)
}

/// The newest `room` matches of one file, the oldest first, and the number of its
/// first record.
fn in_file(
    segment: &Segment,
    filter: &Filter,
    room: usize,
) -> io::Result<(VecDeque<Record>, Option<u64>)> {
    let mut newest = VecDeque::new();
    let mut oldest = None;
    let mut lines = segment.lines()?;
    loop {
        match lines.next()? {
            Next::Line(line) => {
                let Ok(record) = record::parse(line) else {
                    continue;
                };
                oldest.get_or_insert(record.seq);
                if filter.takes(&record) {
                    if newest.len() == room {
                        newest.pop_front();
                    }
                    newest.push_back(record);
                }
            }
            Next::Endless => {}
            Next::Half(..) | Next::End => return Ok((newest, oldest)),
        }
    }
}

/// Gives every record to `take`, the oldest first. Lines that are no records are
/// passed over: [`verify`](super::verify) names them.
///
/// # Errors
/// When the log cannot be read.
pub fn each(folder: &Path, mut take: impl FnMut(&Record)) -> io::Result<()> {
    for segment in segment::list(folder)? {
        let mut lines = segment.lines()?;
        loop {
            match lines.next()? {
                Next::Line(line) => {
                    if let Ok(record) = record::parse(line) {
                        take(&record);
                    }
                }
                Next::Endless => {}
                Next::Half(..) | Next::End => break,
            }
        }
    }
    Ok(())
}

/// All of the log as it lies on disk, file after file, up to where it reached at
/// the beginning.
#[derive(Debug)]
pub struct Export {
    files: IntoIter<Segment>,
    file: Option<io::Take<File>>,
}

/// Begins to read all of the log in `folder`.
///
/// # Errors
/// When it cannot be read.
pub fn export(folder: &Path) -> io::Result<Export> {
    Ok(Export {
        files: segment::list(folder)?.into_iter(),
        file: None,
    })
}

impl Read for Export {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(file) = &mut self.file {
                let read = file.read(buffer)?;
                if read > 0 || buffer.is_empty() {
                    return Ok(read);
                }
            }
            let Some(next) = self.files.next() else {
                return Ok(0);
            };
            self.file = Some(File::open(&next.path)?.take(next.length));
        }
    }
}
