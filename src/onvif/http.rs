//! SOAP over HTTP: oxvif's [`Transport`] on a [`DeviceHttp`]. Must not know ONVIF.

use super::xml::MOST_BYTES;
use crate::device_http::{ClientError, DeviceHttp, HttpError};
use crate::secret::Secret;
use oxvif::transport::{Transport, TransportError};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// The transport of one camera.
pub(super) struct SoapHttp(DeviceHttp);

impl SoapHttp {
    pub(super) fn new(
        user: &str,
        password: &Secret,
        ca_pem: Option<&str>,
        timeout: Duration,
    ) -> Result<Self, ClientError> {
        DeviceHttp::new(user, password, ca_pem, timeout).map(Self)
    }

    async fn post(&self, url: &str, action: &str, body: String) -> Result<String, TransportError> {
        let kind = format!("application/soap+xml; charset=utf-8; action=\"{action}\"");
        let request = self.0.post(url).header("Content-Type", kind).body(body);
        let answer = self.0.send(request, MOST_BYTES).await;
        let answer = answer.map_err(|e| match e {
            HttpError::Unheard(e) => TransportError::Http(e),
            HttpError::Refused { status, detail } => refused(status, detail),
        })?;
        // SOAP faults come with 400, 401 or 500; they say more than the number.
        let fault = matches!(answer.status, 400 | 401 | 500) && answer.text.contains("Fault");
        if answer.status == 200 || fault {
            Ok(answer.text)
        } else {
            Err(refused(answer.status, String::new()))
        }
    }
}

fn refused(status: u16, detail: String) -> TransportError {
    TransportError::HttpStatus {
        status,
        body: detail,
    }
}

impl Transport for SoapHttp {
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
