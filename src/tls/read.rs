//! A certificate and its key: from PEM files to what rustls takes, or why not.

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, RootCertStore};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::OffsetDateTime;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::clock::WallTime;

/// No certificate with all that signed it is larger, bytes.
const MAX_BYTES: u64 = 1 << 20;
/// One that ends sooner than this is warned of.
const SOON: time::Duration = time::Duration::days(21);
/// Whoever else may read or write the key's file.
const OTHERS: u32 = 0o077;

/// Where a server's certificate lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate and those that signed it (PEM), the server's own first.
    pub certificate: PathBuf,
    /// Its private key (PEM, not encrypted).
    pub key: PathBuf,
}

/// Why files cannot serve as a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// A file is not there or may not be read.
    #[error("{} cannot be read: {why}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
    /// There is no certificate in it.
    #[error("{} holds no certificate (PEM, `BEGIN CERTIFICATE`)", .file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// There is no key in it.
    #[error("{} holds no private key (PEM, `BEGIN PRIVATE KEY`, not encrypted)", .file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// What is in it is not understood.
    #[error("{}: {why}", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The machine trusts nobody.
    #[error(
        "this machine has no certificates that it trusts; install ca-certificates, or name a ca_file"
    )]
    NoRoots,
    /// The two files are not of one pair.
    #[error("{} is not the key of {}", .key.display(), .certificate.display())]
    NotAPair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
}

/// What people want to know of a certificate in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// SHA-256 over its DER form, as `openssl x509 -fingerprint -sha256` writes it.
    pub fingerprint: String,
    /// Whom it names.
    pub names: Vec<String>,
    /// It holds from then…
    pub from: OffsetDateTime,
    /// …until then.
    pub until: OffsetDateTime,
    /// What is not as it should be, though it can be served with.
    pub warnings: Vec<String>,
    /// Whether it does not hold now: viewers who verify it will refuse it.
    pub out_of_date: bool,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names.join(", ");
        let until = self.until.date();
        write!(f, "{names}, until {until}, SHA-256 {}", self.fingerprint)
    }
}

/// A certificate that can be served with.
pub(super) struct Pair {
    pub(super) key: Arc<CertifiedKey>,
    pub(super) about: About,
    /// Changes with the bytes of either file.
    pub(super) mark: [u8; 32],
}

/// Reads and checks `files`, as it is at `now`.
///
/// # Errors
/// [`Unusable`]. A certificate that is out of date is none: it is told in
/// [`About`], since it hides what is sent all the same.
pub(super) fn pair(
    files: &Files,
    provider: &CryptoProvider,
    now: WallTime,
) -> Result<Pair, Unusable> {
    let (chain_pem, key_pem) = (bytes(&files.certificate)?, bytes(&files.key)?);
    let chain = certificates(&files.certificate, &chain_pem)?;
    let key = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| Unusable::NoKey {
        file: files.key.clone(),
    })?;
    let about = about(&files.certificate, &chain[0], now, &files.key)?;
    let malformed = |file: &Path, why: Error| Unusable::Malformed {
        file: file.to_owned(),
        why: why.to_string(),
    };
    let signing = provider
        .key_provider
        .load_private_key(key)
        .map_err(|why| malformed(&files.key, why))?;
    let key = CertifiedKey::new(chain, signing);
    match key.keys_match() {
        Ok(()) => {}
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            return Err(Unusable::NotAPair {
                certificate: files.certificate.clone(),
                key: files.key.clone(),
            });
        }
        Err(why) => return Err(malformed(&files.certificate, why)),
    }
    Ok(Pair {
        key: Arc::new(key),
        about,
        mark: mark(&[&chain_pem, &key_pem]),
    })
}

/// Who verifies viewers' certificates against those in `file`, and what changes
/// with its bytes.
pub(super) fn verifier(
    file: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<(Arc<dyn ClientCertVerifier>, [u8; 32]), Unusable> {
    let pem = bytes(file)?;
    let malformed = |why: String| Unusable::Malformed {
        file: file.to_owned(),
        why,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file, &pem)? {
        let added = roots.add(certificate);
        added.map_err(|why| malformed(why.to_string()))?;
    }
    let built = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let verifier = built.build().map_err(|why| malformed(why.to_string()))?;
    Ok((verifier, mark(&[&pem])))
}

/// Whom `certificate` names: its alternative names (DNS, mail, URI), and its
/// common name. None where it is not understood.
pub fn names_in(certificate: &[u8]) -> Vec<String> {
    Certificate::from_der(certificate)
        .map(|c| names_of(&c))
        .unwrap_or_default()
}

fn names_of(certificate: &Certificate) -> Vec<String> {
    let inner = certificate.tbs_certificate();
    let mut names = Vec::new();
    if let Ok(Some((_, SubjectAltName(all)))) = inner.get_extension::<SubjectAltName>() {
        names.extend(all.iter().filter_map(|name| match name {
            GeneralName::DnsName(name)
            | GeneralName::Rfc822Name(name)
            | GeneralName::UniformResourceIdentifier(name) => Some(name.to_string()),
            _ => None,
        }));
    }
    if let Ok(Some(common)) = inner.subject().common_name() {
        let common = common.value().into_owned();
        if !names.contains(&common) {
            names.push(common);
        }
    }
    names
}

fn about(
    file: &Path,
    certificate: &CertificateDer<'_>,
    now: WallTime,
    key: &Path,
) -> Result<About, Unusable> {
    let malformed = |why: String| Unusable::Malformed {
        file: file.to_owned(),
        why,
    };
    let read = Certificate::from_der(certificate).map_err(|why| malformed(why.to_string()))?;
    let validity = read.tbs_certificate().validity();
    let at = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        OffsetDateTime::from_unix_timestamp(seconds).map_err(|why| malformed(why.to_string()))
    };
    let (from, until) = (at(validity.not_before)?, at(validity.not_after)?);
    let now = OffsetDateTime::from_unix_timestamp_nanos(i128::from(now.0))
        .map_err(|why| malformed(why.to_string()))?;
    let file = file.display();
    let mut warnings = Vec::new();
    if now > until {
        warnings.push(format!("{file} expired on {}", until.date()));
    } else if now < from {
        warnings.push(format!("{file} holds only from {} on", from.date()));
    } else if until - now < SOON {
        warnings.push(format!("{file} expires on {}", until.date()));
    }
    let out_of_date = now > until || now < from;
    if let Ok(about_key) = key.metadata()
        && about_key.permissions().mode() & OTHERS != 0
    {
        let key = key.display();
        warnings.push(format!("{key} is open to others: chmod 600 {key}"));
    }
    let digest = hex::encode_upper(Sha256::digest(certificate));
    let pairs = digest.as_bytes().chunks(2).map(String::from_utf8_lossy);
    Ok(About {
        fingerprint: pairs.collect::<Vec<_>>().join(":"),
        names: names_of(&read),
        from,
        until,
        warnings,
        out_of_date,
    })
}

pub(super) fn certificates(
    file: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(Unusable::NoCertificate {
            file: file.to_owned(),
        }),
        Err(why) => Err(Unusable::Malformed {
            file: file.to_owned(),
            why: why.to_string(),
        }),
    }
}

pub(super) fn bytes(file: &Path) -> Result<Vec<u8>, Unusable> {
    let unreadable = |why: String| Unusable::Unreadable {
        file: file.to_owned(),
        why,
    };
    let opened = File::open(file).map_err(|why| unreadable(why.to_string()))?;
    let mut read = Vec::new();
    let took = opened.take(MAX_BYTES + 1).read_to_end(&mut read);
    took.map_err(|why| unreadable(why.to_string()))?;
    if read.len() as u64 > MAX_BYTES {
        return Err(unreadable(format!("it is larger than {MAX_BYTES} bytes")));
    }
    Ok(read)
}

/// Changes with any byte of `parts`, and with where one ends.
pub(super) fn mark(parts: &[&[u8]]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
