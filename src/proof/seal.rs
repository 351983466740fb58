//! The end of the file: its SHA-256, the key and the signature over all before.
//!
//! The end has one form and one length, so that no byte of the file is left out:
//! what comes before is signed, and the end is compared as a whole.

use crate::audit::{PublicKey, Signer};
use sha2::{Digest, Sha256};

/// What stands at the end of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// SHA-256 of all before the end.
    pub sha256: [u8; 32],
    /// Who signed, as far as the file itself says.
    pub key: PublicKey,
}

/// Why a file is not what was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// It does not end as a pack does.
    #[error("it is no proof pack, or its end was changed or cut off")]
    NoSeal,
    /// Its bytes are not those that were signed.
    #[error("it was changed after it was made: its SHA-256 is another")]
    Changed,
    /// Another key.
    #[error("it is signed with another key: {0}")]
    OtherKey(PublicKey),
    /// The signature is none of that key.
    #[error("the signature is not of the key that it names")]
    Forged,
}

fn end(sha256: &[u8; 32], key: &PublicKey, signature: &[u8]) -> String {
    let (sha256, signature) = (hex::encode(sha256), hex::encode(signature));
    format!(
        "<pre id=\"seal\">\nSHA-256   {sha256}\nkey       {key}\nsignature {}\n          {}\n</pre></body></html>\n",
        &signature[..64],
        &signature[64..]
    )
}

/// The length of every end: two lines of ten and 64 characters, two of the
/// signature, and what stands around them.
const END: usize = "<pre id=\"seal\">\n".len() + 4 * 75 + "</pre></body></html>\n".len();

/// `page` with its end; none where a page of that beginning is not signed.
pub(super) fn seal(mut page: Vec<u8>, signer: &Signer) -> Option<Vec<u8>> {
    let sha256: [u8; 32] = Sha256::digest(&page).into();
    let signature = signer.sign(&page)?;
    page.extend_from_slice(end(&sha256, &signer.public(), &signature).as_bytes());
    Some(page)
}

/// Whether `file` is what was made and signed: by the owner of `key`, or of the
/// key that it names itself where none is given.
///
/// # Errors
/// [`NotSealed`].
pub fn verify(file: &[u8], key: Option<&PublicKey>) -> Result<Sealed, NotSealed> {
    let cut = file.len().checked_sub(END).ok_or(NotSealed::NoSeal)?;
    let (page, tail) = file.split_at(cut);
    let text = std::str::from_utf8(tail).map_err(|_| NotSealed::NoSeal)?;
    let mut lines = text.lines().skip(2);
    let mut field = || lines.next().and_then(|line| line.get(10..));
    let (named, first, second) = (field(), field(), field());
    let named: PublicKey = named
        .and_then(|text| text.parse().ok())
        .ok_or(NotSealed::NoSeal)?;
    let signature = signature(first, second).ok_or(NotSealed::NoSeal)?;
    let sha256: [u8; 32] = Sha256::digest(page).into();
    if end(&sha256, &named, &signature) != text {
        // Whether the end has its form but for the sum, or not even that.
        let told = text.lines().nth(1).and_then(|l| l.get(10..)).unwrap_or("");
        return Err(
            match text == end(&sha256, &named, &signature).replace(&hex::encode(sha256), told) {
                true => NotSealed::Changed,
                false => NotSealed::NoSeal,
            },
        );
    }
    if key.is_some_and(|key| *key != named) {
        return Err(NotSealed::OtherKey(named));
    }
    match named.has_signed(page, &signature) {
        true => Ok(Sealed { sha256, key: named }),
        false => Err(NotSealed::Forged),
    }
}

fn signature(first: Option<&str>, second: Option<&str>) -> Option<[u8; 64]> {
    let digits = format!("{}{}", first?, second?);
    let mut bytes = [0; 64];
    if digits.len() != 128 || !digits.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Audit, Entry, Settings};
    use crate::clock::SystemClock;
    use std::sync::Arc;

    fn signer(folder: &std::path::Path) -> Signer {
        let audit = Audit::start(Settings::in_folder(folder), Arc::new(SystemClock::new()));
        audit
            .unwrap()
            .append(Entry::new("start", "gateway"))
            .unwrap();
        Signer::in_folder(folder).unwrap().unwrap()
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_found() {
        let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let (ours, stranger) = (signer(one.path()), signer(other.path()));
        let page = b"<!DOCTYPE html><html lang=\"nl\"><p>house 12</p>".to_vec();
        let file = seal(page.clone(), &ours).unwrap();
        assert_eq!(file.len(), page.len() + END);
        let sealed = verify(&file, None).unwrap();
        assert_eq!(sealed.key, ours.public());
        assert_eq!(verify(&file, Some(&ours.public())), Ok(sealed));
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[at] ^= 1 << bit;
                assert!(verify(&changed, None).is_err(), "byte {at}, bit {bit}");
            }
            assert!(verify(&file[..at], None).is_err(), "cut to {at}");
        }
        assert!(verify(&[&file[..], b"\n"].concat(), None).is_err());
        let other = Some(stranger.public());
        assert_eq!(
            verify(&file, other.as_ref()),
            Err(NotSealed::OtherKey(ours.public()))
        );
        // Somebody else's signature under the gateway's name.
        let forged = seal(page, &stranger).unwrap();
        let [own, foreign] = [ours.public(), stranger.public()].map(|k| k.to_string());
        let forged = String::from_utf8(forged).unwrap().replace(&foreign, &own);
        assert_eq!(verify(forged.as_bytes(), None), Err(NotSealed::Forged));
        assert_eq!(seal(b"{\"format\":1".to_vec(), &ours), None);
    }
}
