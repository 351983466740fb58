//! The log's files, in order, and their lines.

use super::LONGEST_LINE;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Take};
use std::path::{Path, PathBuf};

/// One file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) path: PathBuf,
    /// How much of it counts, bytes: what comes later may be half written.
    pub(super) length: u64,
}

pub(super) fn name(number: u32) -> String {
    format!("audit-{number:06}.jsonl")
}

fn number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    let number = digits.parse().ok()?;
    (self::name(number) == name && number > 0).then_some(number)
}

/// All files of the log in `folder`, in order, as long as they are now.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(number) = entry.file_name().to_str().and_then(number) else {
            continue;
        };
        let path = entry.path();
        let length = fs::metadata(&path)?.len();
        found.push(Segment {
            number,
            path,
            length,
        });
    }
    found.sort_by_key(|s| s.number);
    Ok(found)
}

impl Segment {
    pub(super) fn name(&self) -> String {
        name(self.number)
    }

    pub(super) fn lines(&self) -> io::Result<Lines> {
        let file = File::open(&self.path)?.take(self.length);
        Ok(Lines {
            file: BufReader::with_capacity(64 << 10, file),
            line: Vec::new(),
            at: 0,
        })
    }
}

/// The lines of a file, one after the other; never more than one in memory.
pub(super) struct Lines {
    file: BufReader<Take<File>>,
    line: Vec<u8>,
    /// Where the next line begins.
    at: u64,
}

/// What comes next in a file.
pub(super) enum Next<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// The last bytes, which have no line's end, and where they begin.
    Half(&'a [u8], u64),
    /// More bytes without a line's end than any line has.
    Endless,
    /// No more.
    End,
}

impl Lines {
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        self.line.clear();
        let begin = self.at;
        let most = LONGEST_LINE as u64;
        let read = (&mut self.file)
            .take(most)
            .read_until(b'\n', &mut self.line)?;
        self.at += read as u64;
        Ok(match self.line.strip_suffix(b"\n") {
            Some(line) => Next::Line(line),
            None if read == 0 => Next::End,
            None if read == LONGEST_LINE => Next::Endless,
            None => Next::Half(&self.line, begin),
        })
    }
}
