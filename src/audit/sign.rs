//! Signing what is no record with the gateway's key: reports that leave it.

use super::key::{Key, PublicKey};
use std::fmt;
use std::io;
use std::path::Path;

/// The gateway's key, for documents that it answers for.
pub struct Signer(Key);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.public()).finish()
    }
}

impl Signer {
    /// The key in the log's folder; none where there is none yet. It is made with
    /// the first log, never here.
    ///
    /// # Errors
    /// When it cannot be read, or is no key.
    pub fn in_folder(folder: &Path) -> io::Result<Option<Self>> {
        Ok(Key::read(folder)?.map(Self))
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        self.0.public()
    }

    /// The signature (Ed25519) of a document; none for what begins as records and
    /// heads do, so that no signature made here is good for the log.
    pub fn sign(&self, document: &[u8]) -> Option<[u8; 64]> {
        (document.first() != Some(&b'{')).then(|| self.0.sign(document))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_record_is_not_signed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Signer::in_folder(folder.path()).unwrap().is_none());
        let key = Key::make(folder.path()).unwrap();
        let signer = Signer::in_folder(folder.path()).unwrap().unwrap();
        assert_eq!(signer.public(), key.public());
        assert_eq!(signer.sign(b"{\"format\":1"), None);
        let signature = signer.sign(b"<!DOCTYPE html>").unwrap();
        assert!(key.public().has_signed(b"<!DOCTYPE html>", &signature));
    }
}
