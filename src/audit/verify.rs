//! Whether the log is what was written: every line, in order, to the end.

use super::AT_ONCE;
use super::head::{self, Checkpoint};
use super::key::{Hash, Key, PublicKey, hash_of};
use super::record::{self, Record};
use super::segment::{self, Next, Segment};
use std::fmt;
use std::io;
use std::path::Path;
use std::str::FromStr;

/// Faults that are named; more are counted.
const NAMED: usize = 20;
/// While somebody writes, head and files are looked at again, at most so often.
const LOOKS: usize = 100;

/// What is known about a log from elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// Whose signatures count; none = those of the key in the folder, or else of
    /// the key that the first record names.
    pub key: Option<PublicKey>,
    /// A record that must be there as it was noted.
    pub from: Option<Checkpoint>,
}

/// Where the log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// The line, from 1; 0 = the file as a whole.
    pub line: u64,
    /// The record that should be there, where that is known.
    pub seq: Option<u64>,
    /// What is wrong, for people.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if let Some(seq) = self.seq {
            write!(f, " (record {seq})")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Records that are what was written.
    pub records: u64,
    /// The last one.
    pub last: Option<Checkpoint>,
    /// Whose signatures they bear.
    pub key: Option<PublicKey>,
    /// What is wrong, the first twenty of it.
    pub faults: Vec<Fault>,
    /// Further faults.
    pub more_faults: u64,
    /// What is not wrong and worth knowing.
    pub notes: Vec<String>,
    /// Whether the end was reached; `false` where it was stopped before.
    pub ended: bool,
}

impl Report {
    /// Whether all of it was looked at and nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.ended && self.faults.is_empty()
    }
}

/// Looks at all of the log in `folder`, while `go_on` says so. Somebody may
/// write to it meanwhile.
///
/// # Errors
/// Where there is no log, or it cannot be read.
pub fn verify(folder: &Path, asked: Asked, go_on: &dyn Fn() -> bool) -> io::Result<Report> {
    let (head, segments) = look(folder)?;
    if head.is_none() && segments.is_empty() {
        let why = format!("there is no audit log in {}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, why));
    }
    let own = || Key::read(folder).ok().flatten().map(|k| k.public());
    let known = asked.key.or_else(own);
    let key = match known.or_else(|| first_key(&segments)) {
        Some(key) => key,
        None => {
            let mut report = Report {
                ended: true,
                ..Report::default()
            };
            report.faults.push(Fault {
                file: segment::name(1),
                line: 1,
                seq: Some(1),
                what: "names no public key, and none was given".into(),
            });
            return Ok(report);
        }
    };
    let mut walk = Walk::new(key, head.as_deref());
    walk.from = asked.from;
    let mut expected = 1;
    for (i, segment) in segments.iter().enumerate() {
        if segment.number != expected {
            let missing = segment::name(expected);
            walk.fault(missing, 0, None, "is missing".into());
            walk.last = Last::Unknown;
        }
        expected = segment.number + 1;
        walk.segment(segment, i + 1 == segments.len(), go_on)?;
        if !go_on() {
            return Ok(walk.report);
        }
    }
    Ok(walk.end())
}

/// Head and files as they belong together, though somebody may write.
fn look(folder: &Path) -> io::Result<(Option<Vec<u8>>, Vec<Segment>)> {
    let mut before = head::read(folder)?;
    for _ in 0..LOOKS {
        let segments = segment::list(folder)?;
        let after = head::read(folder)?;
        if before == after {
            return Ok((before, segments));
        }
        before = after;
    }
    Err(io::Error::other("the log grows faster than it can be read"))
}

fn first_key(segments: &[Segment]) -> Option<PublicKey> {
    let mut lines = segments.first()?.lines().ok()?;
    match lines.next().ok()? {
        Next::Line(line) => named_key(&record::parse(line).ok()?),
        _ => None,
    }
}

fn named_key(record: &Record) -> Option<PublicKey> {
    PublicKey::from_str(record.detail.get("key")?.as_str()?).ok()
}

/// The action of a chain's first record.
pub(super) const BEGUN: &str = "log-begun";

/// The record before the one that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Known(Checkpoint),
    /// It was not what was written, or not looked at.
    Unknown,
}

/// A walk along the chain.
pub(super) struct Walk {
    key: PublicKey,
    head: Option<Checkpoint>,
    from: Option<Checkpoint>,
    met_from: bool,
    met_head: bool,
    /// Only the end is looked at: what came before may have been given up.
    tail: bool,
    pub(super) last: Last,
    /// Where bytes without a line's end begin at the end of it all.
    pub(super) half: Option<u64>,
    pub(super) report: Report,
}

impl Walk {
    pub(super) fn new(key: PublicKey, head: Option<&[u8]>) -> Self {
        let mut walk = Self {
            key,
            head: None,
            from: None,
            met_from: false,
            met_head: false,
            tail: false,
            last: Last::Known(Checkpoint::NONE),
            half: None,
            report: Report {
                key: Some(key),
                ..Report::default()
            },
        };
        match head {
            None => walk.fault(head::FILE.into(), 0, None, "is missing".into()),
            Some(text) => match head::parse(text, &key) {
                Some(head) => walk.head = Some(head),
                None => {
                    let what = format!("is not signed by the key {key}");
                    walk.fault(head::FILE.into(), 0, None, what);
                }
            },
        }
        walk
    }

    /// A walk that begins in the middle, for whoever wants to go on with the log.
    pub(super) fn along_tail(key: PublicKey, head: Option<&[u8]>) -> Self {
        Self {
            tail: true,
            last: Last::Unknown,
            ..Self::new(key, head)
        }
    }

    pub(super) fn head(&self) -> Option<Checkpoint> {
        self.head
    }

    fn fault(&mut self, file: String, line: u64, seq: Option<u64>, what: String) {
        if self.report.faults.len() == NAMED {
            self.report.more_faults += 1;
            return;
        }
        let fault = Fault {
            file,
            line,
            seq,
            what,
        };
        self.report.faults.push(fault);
    }

    fn expected(&self) -> Option<u64> {
        match self.last {
            Last::Known(last) => Some(last.seq + 1),
            Last::Unknown => None,
        }
    }

    /// Walks along one file.
    pub(super) fn segment(
        &mut self,
        segment: &Segment,
        is_last: bool,
        go_on: &dyn Fn() -> bool,
    ) -> io::Result<()> {
        let mut lines = segment.lines()?;
        let mut number = 0;
        while go_on() {
            number += 1;
            let expected = self.expected();
            let what = match lines.next()? {
                Next::End if number == 1 && !is_last => {
                    self.fault(segment.name(), 0, expected, "is empty".into());
                    return Ok(());
                }
                Next::End => return Ok(()),
                Next::Line(line) => match self.line(segment, number, line) {
                    Ok(()) => continue,
                    Err(what) => what,
                },
                Next::Half(bytes, begin) if is_last && may_be_half(bytes, expected) => {
                    let length = bytes.len();
                    self.half = Some(begin);
                    self.report.notes.push(format!(
                        "{}:{number}: a line of {length} bytes has no end: somebody writes it now, or was interrupted",
                        segment.name()
                    ));
                    return Ok(());
                }
                Next::Half(bytes, _) => {
                    let length = bytes.len();
                    self.last = Last::Unknown;
                    format!("the last {length} bytes are no line")
                }
                Next::Endless => {
                    self.last = Last::Unknown;
                    let what = "is longer than any record".into();
                    self.fault(segment.name(), number, expected, what);
                    return Ok(());
                }
            };
            self.fault(segment.name(), number, expected, what);
        }
        Ok(())
    }

    /// One line; what is wrong with it otherwise.
    fn line(&mut self, segment: &Segment, number: u64, line: &[u8]) -> Result<(), String> {
        let last = std::mem::replace(&mut self.last, Last::Unknown);
        let record = record::parse(line)?;
        // In the tail, what the head names vouches for all that came before it.
        let vouched = self.tail && self.head.is_some_and(|head| record.seq < head.seq);
        if !vouched && !record::is_signed(line, &self.key) {
            return Err(format!("is not signed by the key {}", self.key));
        }
        let here = Checkpoint {
            seq: record.seq,
            hash: hash_of(line),
        };
        self.last = Last::Known(here);
        self.meet(here)?;
        let before = record.before().ok_or("names no line before it")?;
        let begun = record.action == BEGUN && number == 1 && before == Checkpoint::NONE.hash;
        if begun && segment.number > 1 {
            if !self.tail {
                let why = record.detail.get("former").and_then(|f| f.as_str());
                let why = why.unwrap_or("it does not say why");
                return Err(format!("another chain begins here: {why}"));
            }
        } else if let Last::Known(last) = last {
            follows(last, &record, before)?;
        }
        if begun && named_key(&record) != Some(self.key) {
            return Err(format!("names another key than {}", self.key));
        }
        self.report.records += 1;
        self.report.last = Some(here);
        Ok(())
    }

    /// Compares with what is known from elsewhere.
    fn meet(&mut self, here: Checkpoint) -> Result<(), String> {
        if let Some(head) = self.head.filter(|head| head.seq == here.seq) {
            self.met_head = true;
            if head.hash != here.hash {
                return Err(format!("is not the record that {} names", head::FILE));
            }
        }
        if let Some(from) = self.from.filter(|from| from.seq == here.seq) {
            self.met_from = true;
            if from.hash != here.hash {
                return Err(format!("is not the record that was noted as {from}"));
            }
        }
        Ok(())
    }

    /// After the last file.
    pub(super) fn end(mut self) -> Report {
        self.check_head();
        if let Some(from) = self.from
            && !self.met_from
        {
            let what = "is not there, and was noted".into();
            self.fault("the log".into(), 0, Some(from.seq), what);
        }
        self.report.ended = true;
        self.report
    }

    /// Whether the log ends where its head says.
    pub(super) fn check_head(&mut self) {
        let (Some(head), Last::Known(last)) = (self.head, self.last) else {
            if self.report.faults.is_empty() {
                self.fault("the log".into(), 0, None, "has no last record".into());
            }
            return;
        };
        let what = if head.seq > last.seq {
            format!(
                "names record {}, and the log ends with {}: {} cut off",
                head.seq,
                last.seq,
                head.seq - last.seq
            )
        } else if last.seq - head.seq > AT_ONCE {
            format!(
                "names record {}, and the log ends with {}: it is an old one",
                head.seq, last.seq
            )
        } else if !self.met_head && !self.tail && head.seq > 0 && self.report.faults.is_empty() {
            format!("names record {}, which is not there", head.seq)
        } else {
            return;
        };
        self.fault(head::FILE.into(), 0, Some(head.seq), what);
    }
}

/// Whether `record` comes right after `last`.
fn follows(last: Checkpoint, record: &Record, before: Hash) -> Result<(), String> {
    let (seq, expected) = (record.seq, last.seq.saturating_add(1));
    if seq > expected {
        return Err(format!(
            "is record {seq}: records {expected} to {} are missing or elsewhere",
            seq - 1
        ));
    }
    if seq < expected {
        return Err(format!("is record {seq}, which belongs elsewhere"));
    }
    if before != last.hash {
        let (is, was) = (hex::encode(last.hash), &record.prev);
        return Err(format!(
            "was written after another line: SHA-256 {was}, and the line before it has {is}"
        ));
    }
    Ok(())
}

/// What an interrupted writer may leave: the beginning of the next record, or
/// space that the file system had given it and that was not filled.
fn may_be_half(bytes: &[u8], expected: Option<u64>) -> bool {
    let Some(seq) = expected else { return false };
    let begins = record::beginning(seq).into_bytes();
    let common = begins.len().min(bytes.len());
    bytes[..common] == begins[..common] || bytes.iter().all(|b| *b == 0)
}
