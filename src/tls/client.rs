//! What a server is verified with, for whoever connects to one.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use super::read::{Unusable, bytes, certificates};

/// A client that trusts the certificates in `ca_file` (PEM) or, where none is named, the
/// machine's; TLS 1.2 and 1.3, no certificate of its own.
///
/// # Errors
/// [`Unusable`].
pub fn client(ca_file: Option<&Path>) -> Result<ClientConfig, Unusable> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(file) => {
            for certificate in certificates(file, &bytes(file)?)? {
                roots.add(certificate).map_err(|why| Unusable::Malformed {
                    file: file.to_owned(),
                    why: why.to_string(),
                })?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            // Machines carry some that nobody can read; the others still count.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                return Err(Unusable::NoRoots);
            }
        }
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Unusable::NoRoots)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
