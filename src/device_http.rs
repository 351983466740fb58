//! HTTP towards a device or a server, with bounds: no redirect is followed, no proxy used, no
//! more of an answer read than an answer may have, and TLS never goes on without a
//! certificate that leads to a trusted root. Only HTTP Digest (RFC 7616) is spoken:
//! a password never travels as it is.
//!
//! [`onvif`](crate::onvif) and [`telemetry`](crate::telemetry) ask through it, publishing over
//! WHIP, and [`traces`](crate::traces). Must not know what is asked.

use crate::secret::Secret;
use diqwest::{DigestAuthSession, WithDigestAuth};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, RequestBuilder};
use std::time::Duration;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `ca_file` holds nothing that a server's certificate could lead to.
    #[error("ca_file: {0}; give PEM certificates of the CA that signed the camera's")]
    Roots(String),
    /// TLS itself.
    #[error("HTTP client: {0}")]
    Client(reqwest::Error),
}

impl ClientError {
    /// What is wrong, without the remedy.
    pub fn problem(&self) -> String {
        match self {
            Self::Roots(what) => what.clone(),
            Self::Client(e) => words(e),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// Not sent, or nothing came back.
    #[error("{}", words(.0))]
    Unheard(#[from] reqwest::Error),
    /// An answer that is not read.
    #[error("HTTP {status}{}{detail}", if detail.is_empty() { "" } else { ": " })]
    Refused {
        /// The status.
        status: u16,
        /// What is wrong with it, where the status does not say so.
        detail: String,
    },
}

/// reqwest's own words repeat the address and hide the cause.
pub(crate) fn words(e: &reqwest::Error) -> String {
    if e.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = e;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let cause = cause.to_string();
    let remedy = if cause.contains("certificate") {
        "; give the PEM file of the CA that signed it as ca_file"
    } else {
        ""
    };
    format!("no answer: {cause}{remedy}")
}

/// What came back.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) text: String,
    headers: HeaderMap,
}

/// The same, not taken for text.
#[derive(Debug)]
pub(crate) struct BytesAnswer {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
    headers: HeaderMap,
}

#[cfg(test)]
impl BytesAnswer {
    /// What would have come back.
    pub(crate) fn of(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            headers: HeaderMap::new(),
        }
    }
}

impl HttpAnswer {
    /// A header as written, the first of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The client of one device.
#[derive(Debug)]
pub(crate) struct DeviceHttp {
    client: reqwest::Client,
    /// For devices that ask for HTTP Digest.
    digest: Option<Digest>,
}

struct Digest(DigestAuthSession);

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// The certificates in a PEM text.
///
/// # Errors
/// [`ClientError::Roots`] where there is none, or one that is none.
fn roots(pem: &str) -> Result<Vec<Certificate>, ClientError> {
    let found = Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|e| ClientError::Roots(format!("cannot be read: {e}")))?;
    if found.is_empty() {
        return Err(ClientError::Roots("holds no certificate".to_owned()));
    }
    Ok(found)
}

impl DeviceHttp {
    /// A client that trusts the machine's roots or, where `ca_pem` is given, those
    /// alone. `user` empty: no credentials.
    ///
    /// # Errors
    /// [`ClientError`].
    pub(crate) fn new(
        user: &str,
        password: &Secret,
        ca_pem: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        let mut builder = reqwest::Client::builder()
            // Credentials are for the configured address only.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_max_idle_per_host(8);
        if let Some(pem) = ca_pem {
            builder = builder.tls_certs_only(roots(pem)?);
        }
        let client = builder.build().map_err(|e| match ca_pem {
            Some(_) => ClientError::Roots(words(&e)),
            None => ClientError::Client(e),
        })?;
        let session = || Digest(DigestAuthSession::new(user, password.reveal()));
        Ok(Self {
            client,
            digest: (!user.is_empty()).then(session),
        })
    }

    /// A request for what is at `url`.
    pub(crate) fn get(&self, url: reqwest::Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// A request that gives something to `url`.
    pub(crate) fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    /// A request that takes away what is at `url`.
    pub(crate) fn delete(&self, url: reqwest::Url) -> RequestBuilder {
        self.client.delete(url)
    }

    /// Sends `request` and reads an answer of at most `most_bytes`, whatever its status.
    ///
    /// # Errors
    /// [`HttpError`].
    pub(crate) async fn send(
        &self,
        request: RequestBuilder,
        most_bytes: usize,
    ) -> Result<HttpAnswer, HttpError> {
        let answer = self.send_for_bytes(request, most_bytes).await?;
        let text = String::from_utf8(answer.body).map_err(|_| HttpError::Refused {
            status: answer.status,
            detail: "answer is not UTF-8".to_owned(),
        })?;
        Ok(HttpAnswer {
            status: answer.status,
            text,
            headers: answer.headers,
        })
    }

    /// The same, where the answer is no text.
    ///
    /// # Errors
    /// [`HttpError`].
    pub(crate) async fn send_for_bytes(
        &self,
        request: RequestBuilder,
        most_bytes: usize,
    ) -> Result<BytesAnswer, HttpError> {
        let refused = |status: u16, detail: String| HttpError::Refused { status, detail };
        let mut response = match &self.digest {
            None => request.send().await?,
            Some(Digest(session)) => {
                request
                    .send_digest_auth(session)
                    .await
                    .map_err(|e| match e {
                        diqwest::error::Error::Reqwest(e) => HttpError::Unheard(e),
                        other => refused(401, other.to_string()),
                    })?
            }
        };
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > most_bytes {
                let detail = format!("answer larger than {} KiB", most_bytes >> 10);
                return Err(refused(status, detail));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(BytesAnswer {
            status,
            body: bytes,
            headers,
        })
    }
}

/// Whether the certificates of a `ca_file` can be used.
///
/// # Errors
/// [`ClientError`].
pub fn check_roots(pem: &str) -> Result<(), ClientError> {
    DeviceHttp::new("", &Secret::new(""), Some(pem), Duration::from_secs(1)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_certificates_or_refused_with_a_remedy() {
        let ca = rcgen::generate_simple_self_signed(vec!["camera".to_owned()]).unwrap();
        let good = ca.cert.pem();
        check_roots(&good).unwrap();
        check_roots(&format!("{good}{good}")).unwrap();
        let hollow = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for bad in ["", "trust me", &ca.signing_key.serialize_pem(), hollow] {
            let error = check_roots(bad).unwrap_err().to_string();
            assert!(error.starts_with("ca_file: "), "{error}");
            assert!(error.contains("PEM certificates"), "{error}");
        }
    }
}
