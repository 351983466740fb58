//! A certificate of our own, signed by itself, for gateways that nobody gave one.

use super::read::Files;
use crate::clock::WallTime;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use std::fs::{OpenOptions, remove_file};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use time::{Duration, OffsetDateTime};

/// How long it holds: viewers know it by its fingerprint, so that a new one is
/// work for people. A machine whose clock is not set yet must not shorten it.
const HOLDS: Duration = Duration::days(3650);
/// No gateway starts before, whatever its clock says: 2026-01-01.
const EARLIEST_UNIX_S: i64 = 1_767_225_600;

/// Why no certificate could be made.
#[derive(Debug, thiserror::Error)]
pub enum CannotMake {
    /// Only one of the two files is there; nothing is ever overwritten.
    #[error("{} is there, but {} is not: put it back, or take both away for a new pair", .there.display(), .missing.display())]
    Half {
        /// The file that is there.
        there: PathBuf,
        /// The one that is not.
        missing: PathBuf,
    },
    /// A file cannot be written.
    #[error("{} cannot be written: {why}; name a certificate and its key instead, or a folder that may be written", .file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system said.
        why: std::io::Error,
    },
    /// The names, or the machine's random numbers.
    #[error("no certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
}

/// Makes a certificate for `names` (DNS names and IP addresses, the first also
/// its common name) where neither of `files` is there; whether it did. The key
/// may be read by its owner only. What is there is never overwritten.
///
/// # Errors
/// [`CannotMake`]; then neither file is left behind that was not there before.
pub fn make_own(files: &Files, names: &[String], now: WallTime) -> Result<bool, CannotMake> {
    let half = |there: &Path, missing: &Path| CannotMake::Half {
        there: there.to_owned(),
        missing: missing.to_owned(),
    };
    match (files.certificate.exists(), files.key.exists()) {
        (true, true) => return Ok(false),
        (true, false) => return Err(half(&files.certificate, &files.key)),
        (false, true) => return Err(half(&files.key, &files.certificate)),
        (false, false) => {}
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    let name = names.first().map_or("greyplane", String::as_str);
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let now_s = (now.0 / 1_000_000_000).max(EARLIEST_UNIX_S);
    if let Ok(now) = OffsetDateTime::from_unix_timestamp(now_s) {
        params.not_after = now + HOLDS;
    }
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write_new(&files.key, 0o600, &key.serialize_pem())?;
    write_new(&files.certificate, 0o644, &certificate.pem()).inspect_err(|_| {
        // A key alone would stop the next start.
        let _ = remove_file(&files.key);
    })?;
    Ok(true)
}

fn write_new(file: &Path, mode: u32, text: &str) -> Result<(), CannotMake> {
    let mut options = OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|why| CannotMake::Write {
        file: file.to_owned(),
        why,
    })
}
