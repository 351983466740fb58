//! SOAP over HTTP with bounds: oxvif's [`Transport`] on a client that follows
//! no redirect, uses no proxy, keeps connections open and reads no more of an
//! answer than an answer may have. Must not know ONVIF.

use super::xml::MOST_BYTES;
use crate::secret::Secret;
use diqwest::{DigestAuthSession, WithDigestAuth};
use oxvif::transport::{Transport, TransportError};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// The transport of one camera.
pub(super) struct BoundedHttp {
    client: reqwest::Client,
    /// For cameras that ask for HTTP Digest (ONVIF Profile T, 7.1) as well.
    digest: Option<DigestAuthSession>,
}

impl BoundedHttp {
    pub(super) fn new(
        user: &str,
        password: &Secret,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            // Credentials are for the configured address only.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_max_idle_per_host(8)
            .build()?;
        let digest = (!user.is_empty()).then(|| DigestAuthSession::new(user, password.reveal()));
        Ok(Self { client, digest })
    }

    async fn post(&self, url: &str, action: &str, body: String) -> Result<String, TransportError> {
        let request = self
            .client
            .post(url)
            .header(
                "Content-Type",
                format!("application/soap+xml; charset=utf-8; action=\"{action}\""),
            )
            .body(body);
        let mut response = match &self.digest {
            None => request.send().await?,
            Some(session) => request
                .send_digest_auth(session)
                .await
                .map_err(|e| match e {
                    diqwest::error::Error::Reqwest(e) => TransportError::Http(e),
                    other => refused(401, &other.to_string()),
                })?,
        };
        let status = response.status().as_u16();
        let mut bytes: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > MOST_BYTES {
                return Err(refused(
                    status,
                    &format!("answer larger than {} KiB", MOST_BYTES >> 10),
                ));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(bytes).map_err(|_| refused(status, "answer is not UTF-8"))?;
        // SOAP faults come with 400, 401 or 500; they say more than the number.
        let fault = matches!(status, 400 | 401 | 500) && text.contains("Fault");
        if status == 200 || fault {
            Ok(text)
        } else {
            Err(refused(status, ""))
        }
    }
}

fn refused(status: u16, detail: &str) -> TransportError {
    TransportError::HttpStatus {
        status,
        body: detail.to_owned(),
    }
}

impl Transport for BoundedHttp {
    fn soap_post<'this, 'url, 'action, 'future>(
        &'this self,
        url: &'url str,
        action: &'action str,
        body: String,
    ) -> Pin<Box<dyn Future<Output = Result<String, TransportError>> + Send + 'future>>
    where
        'this: 'future,
        'url: 'future,
        'action: 'future,
        Self: 'future,
    {
        Box::pin(self.post(url, action, body))
    }
}
