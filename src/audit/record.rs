//! One record, as a signed line.

use super::head::Checkpoint;
use super::key::{Hash, Key, PublicKey, hash_of, unhex};
use crate::clock::WallTime;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const FORMAT: u32 = 1;
/// What somebody typed is kept up to here, characters.
const LONGEST_TEXT: usize = 256;
/// The details of one record are kept up to here, bytes.
const LONGEST_DETAIL: usize = 8 << 10;
/// What stands between the signed part of a line and its signature.
const SEAL: &[u8] = b",\"sig\":\"";
const END: &[u8] = b"\"}";
const SIGNATURE: usize = 64;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Refused,
    /// It was tried and went wrong.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Done, Self::Refused, Self::Failed];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What is to be recorded; the log adds when, and its place in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub(super) actor: String,
    pub(super) origin: String,
    pub(super) action: &'static str,
    pub(super) object: String,
    pub(super) result: Outcome,
    pub(super) detail: Map<String, Value>,
}

impl Entry {
    /// `action` was done to `object` by greyplane itself.
    pub fn new(action: &'static str, object: impl Into<String>) -> Self {
        Self {
            actor: "greyplane".into(),
            origin: "gateway".into(),
            action,
            object: shortened(object.into()),
            result: Outcome::Done,
            detail: Map::new(),
        }
    }

    /// Somebody else did it, from there.
    #[must_use]
    pub fn by(mut self, actor: &str, origin: impl ToString) -> Self {
        self.actor = shortened(actor.to_owned());
        self.origin = shortened(origin.to_string());
        self
    }

    /// It went so.
    #[must_use]
    pub fn result(mut self, result: Outcome) -> Self {
        self.result = result;
        self
    }

    /// Adds a detail. Long texts are shortened; what would make the record too
    /// long is left out.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = match value.into() {
            Value::String(text) => shortened(text).into(),
            other => other,
        };
        self.detail.insert(name.to_owned(), value);
        if Value::Object(self.detail.clone()).to_string().len() > LONGEST_DETAIL {
            self.detail.insert(name.to_owned(), "too long".into());
        }
        self
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// One record as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// 1.
    pub format: u32,
    /// Its place in the log: 1, 2, 3 …
    pub seq: u64,
    /// When, UTC as the gateway's clock told it: `2026-11-22T09:30:00.125Z`.
    pub time: String,
    /// Who: an account's name, or `greyplane` itself.
    pub actor: String,
    /// From where: an address, or `gateway`.
    pub origin: String,
    /// What was done: `log-in`.
    pub action: String,
    /// To what: `session`, `camera market`.
    pub object: String,
    /// How it went.
    pub result: Outcome,
    /// More about it.
    pub detail: Map<String, Value>,
    /// SHA-256 of the line before, hexadecimal; 64 zeros where a chain begins.
    pub prev: String,
    /// Ed25519 signature of the line before `,"sig"`, hexadecimal.
    pub sig: String,
}

#[derive(Serialize)]
struct Unsigned<'a> {
    format: u32,
    seq: u64,
    time: &'a str,
    actor: &'a str,
    origin: &'a str,
    action: &'a str,
    object: &'a str,
    result: Outcome,
    detail: &'a Map<String, Value>,
    prev: &'a str,
}

/// How the line of record `seq` begins.
pub(super) fn beginning(seq: u64) -> String {
    format!("{{\"format\":{FORMAT},\"seq\":{seq},\"time\":\"")
}

/// The line (with its end) of what comes after `last`, and what it makes the last.
pub(super) fn line(
    entry: &Entry,
    time: &str,
    last: Checkpoint,
    key: &Key,
) -> Result<(Vec<u8>, Checkpoint), serde_json::Error> {
    let seq = last.seq + 1;
    let mut line = serde_json::to_vec(&Unsigned {
        format: FORMAT,
        seq,
        time,
        actor: &entry.actor,
        origin: &entry.origin,
        action: entry.action,
        object: &entry.object,
        result: entry.result,
        detail: &entry.detail,
        prev: &hex::encode(last.hash),
    })?;
    line.pop(); // The brace comes after the signature.
    seal(&mut line, key);
    let hash = hash_of(&line);
    line.push(b'\n');
    Ok((line, Checkpoint { seq, hash }))
}

/// Signs what `text` holds, an object without its last brace, and ends it.
pub(super) fn seal(text: &mut Vec<u8>, key: &Key) {
    let signature = key.sign(text);
    text.extend_from_slice(SEAL);
    text.extend_from_slice(hex::encode(signature).as_bytes());
    text.extend_from_slice(END);
}

/// The signed part of `text` and its signature; none where it has not that form.
pub(super) fn unseal(text: &[u8]) -> Option<(&[u8], [u8; SIGNATURE])> {
    let rest = text.strip_suffix(END)?;
    let (rest, signature) = rest.split_at_checked(rest.len().checked_sub(2 * SIGNATURE)?)?;
    let signed = rest.strip_suffix(SEAL)?;
    Some((signed, unhex(signature)?))
}

/// Reads a line (without its end).
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn parse(line: &[u8]) -> Result<Record, String> {
    let record: Record = serde_json::from_slice(line).map_err(|e| format!("is no record: {e}"))?;
    match record.format {
        FORMAT => Ok(record),
        other => Err(format!("has format {other}, and only {FORMAT} is known")),
    }
}

/// Whether the key's owner wrote this line (without its end).
pub(super) fn is_signed(line: &[u8], key: &PublicKey) -> bool {
    unseal(line).is_some_and(|(signed, signature)| key.has_signed(signed, &signature))
}

impl Record {
    /// What it says came before it.
    pub(super) fn before(&self) -> Option<Hash> {
        unhex(self.prev.as_bytes())
    }
}

/// A time that somebody gave (RFC 3339), as records write it; none where it is none.
pub fn instant(text: &str) -> Option<String> {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let nanoseconds = i64::try_from(time.unix_timestamp_nanos()).ok()?;
    Some(timestamp(WallTime(nanoseconds)))
}

/// `at` as records write it: UTC, RFC 3339, with milliseconds.
pub(super) fn timestamp(at: WallTime) -> String {
    let nanoseconds = i128::from(at.0);
    let utc = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (utc.date(), utc.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}
