//! The gateway's key, and SHA-256.

use atomic_write_file::AtomicWriteFile;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;

/// The key's file, in the log's folder.
pub(super) const FILE: &str = "audit.key";
/// A longer file holds no key, bytes.
const LONGEST: u64 = 4096;

pub(super) type Hash = [u8; 32];

pub(super) fn hash_of(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Small letters only, so that there is one way to write each value.
pub(super) fn unhex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// What signatures are checked with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Whether the key's owner signed `text` (Ed25519).
    pub fn has_signed(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(text, signature)
            .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key is 64 hexadecimal digits, as `greyplane audit head` prints it")]
pub struct NoKey;

impl FromStr for PublicKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        unhex(text.as_bytes()).map(Self).ok_or(NoKey)
    }
}

/// What records are signed with.
pub(super) struct Key {
    pair: Ed25519KeyPair,
}

impl Key {
    /// Makes a key and keeps it in `folder`, readable for its owner only.
    pub(super) fn make(folder: &Path) -> io::Result<Self> {
        let other = |_| io::Error::other("no key could be made");
        let pair = Ed25519KeyPair::generate().map_err(other)?;
        let written = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).map_err(other)?;
        // Whole or not at all: half a key is a log that nobody can go on with.
        let file = folder.join(FILE);
        let mut file = AtomicWriteFile::options().mode(0o600).open(file)?;
        file.write_all(written.as_ref())?;
        file.commit()?;
        Ok(Self { pair })
    }

    /// The key in `folder`; none where there is no such file.
    pub(super) fn read(folder: &Path) -> io::Result<Option<Self>> {
        let file = match fs::File::open(folder.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut bytes = Vec::new();
        file.take(LONGEST).read_to_end(&mut bytes)?;
        let pair = Ed25519KeyPair::from_pkcs8(&bytes)
            .map_err(|_| io::Error::other("it holds no Ed25519 key (PKCS#8)"))?;
        Ok(Some(Self { pair }))
    }

    pub(super) fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    pub(super) fn sign(&self, text: &[u8]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(text).as_ref());
        signature
    }
}
