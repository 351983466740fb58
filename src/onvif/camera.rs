//! One ONVIF camera: where its services are, how to ask it, what it answers.
//!
//! Requests carry a WS-UsernameToken digest made with the *camera's* time
//! (WS-Security UsernameToken Profile 1.0). Must not know poses.

use super::answers::{self, AnswerError, MediaProfile, PtzStatus, Services};
use super::xml::Element;
use super::{OnvifSettings, http::SoapHttp, utc};
use crate::clock::{Clock, Mono};
use crate::device_http::{self, ClientError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oxvif::soap::security::compute_digest;
use oxvif::soap::{SoapEnvelope, WsSecurityToken};
use oxvif::transport::{Transport, TransportError};
use std::sync::Arc;
use std::time::Duration;

/// Why the camera could not be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CameraError {
    #[error("{}", transport_words(.0))]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error("device_url {url}: {detail}")]
    Url { url: String, detail: String },
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("no media profile has a PTZ configuration; name one in profile_token")]
    NoPtzProfile,
}

impl CameraError {
    /// Whether nothing came back, for whatever reason.
    pub(crate) fn is_silence(&self) -> bool {
        matches!(self, Self::Transport(TransportError::Http(_)))
    }

    /// Whether no connection was had, so that nothing can have been heard.
    pub(crate) fn is_nobody_there(&self) -> bool {
        matches!(self, Self::Transport(TransportError::Http(e)) if e.is_connect())
    }
}

fn transport_words(e: &TransportError) -> String {
    match e {
        TransportError::Http(e) => device_http::words(e),
        TransportError::HttpStatus { status, body } if body.is_empty() => format!("HTTP {status}"),
        TransportError::HttpStatus { status, body } => format!("HTTP {status}: {body}"),
    }
}

/// A service that is asked, by its WSDL's namespace and the prefix that envelopes bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) namespace: &'static str,
    pub(crate) prefix: &'static str,
}

/// A connected camera.
pub(crate) struct OnvifCamera {
    transport: Arc<dyn Transport>,
    settings: OnvifSettings,
    clock: Arc<dyn Clock>,
    device: reqwest::Url,
    ptz: String,
    profile_token: String,
    /// The camera's time, in seconds since 1970, and when it was told.
    time: Option<(i64, Mono)>,
}

const DEVICE: &str = "http://www.onvif.org/ver10/device/wsdl";
const MEDIA: &str = "http://www.onvif.org/ver10/media/wsdl";
const PTZ: &str = "http://www.onvif.org/ver20/ptz/wsdl";

impl OnvifCamera {
    /// Finds the camera's clock, services and profile.
    pub(crate) async fn connect(
        settings: &OnvifSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CameraError> {
        Self::connect_over(Self::transport(settings)?, settings, clock).await
    }

    /// Finds the camera's clock and nothing else: whoever asks further says where and
    /// for what. There may be no PTZ at all.
    pub(crate) async fn meet(
        settings: &OnvifSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CameraError> {
        let mut camera = Self::new(Self::transport(settings)?, settings, clock)?;
        camera.profile_token = settings.profile_token.clone().unwrap_or_default();
        camera.learn_time().await?;
        Ok(camera)
    }

    fn transport(settings: &OnvifSettings) -> Result<Arc<dyn Transport>, CameraError> {
        let timeout = Duration::from_millis(settings.timeout_ms);
        let ca_pem = settings.ca_pem.as_deref();
        let transport = SoapHttp::new(&settings.user, &settings.password, ca_pem, timeout)?;
        Ok(Arc::new(transport))
    }

    fn new(
        transport: Arc<dyn Transport>,
        settings: &OnvifSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CameraError> {
        let device = parse_url(&settings.device_url)?;
        Ok(Self {
            transport,
            settings: settings.clone(),
            clock,
            ptz: device.to_string(),
            device,
            profile_token: String::new(),
            time: None,
        })
    }

    pub(crate) async fn connect_over(
        transport: Arc<dyn Transport>,
        settings: &OnvifSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, CameraError> {
        let mut camera = Self::new(transport, settings, clock)?;
        camera.learn_time().await?;
        let found = camera.services().await?;
        let media = camera.reachable(found.media.as_deref());
        camera.ptz = camera.reachable(found.ptz.as_deref());
        camera.profile_token = match &settings.profile_token {
            Some(token) => token.clone(),
            None => {
                camera
                    .profiles(&media)
                    .await?
                    .into_iter()
                    .find(|p| p.has_ptz)
                    .ok_or(CameraError::NoPtzProfile)?
                    .token
            }
        };
        Ok(camera)
    }

    /// Asks for the position: when the request left, when the answer had
    /// arrived, and the answer.
    pub(crate) async fn status(&self) -> (Mono, Mono, Result<PtzStatus, CameraError>) {
        let sent = self.clock.mono();
        let answer = self.ptz_call("GetStatus", "").await;
        let received = self.clock.mono();
        let status = answer.and_then(|text| Ok(answers::ptz_status(&text)?));
        (sent, received, status)
    }

    /// Asks the PTZ service to do `name` with our profile and what `inside` says.
    pub(super) async fn ptz_call(&self, name: &str, inside: &str) -> Result<String, CameraError> {
        let token = escaped(&self.profile_token);
        let body = format!(
            "<tptz:{name}><tptz:ProfileToken>{token}</tptz:ProfileToken>{inside}</tptz:{name}>"
        );
        let envelope = self.envelope(body, true);
        let action = format!("{PTZ}/{name}");
        Ok(self
            .transport
            .soap_post(&self.ptz, &action, envelope)
            .await?)
    }

    /// What `service` at `address`, as the camera named it, answers to `name`. `inside`
    /// is what stands in the request.
    pub(crate) async fn ask(
        &self,
        service: Service,
        address: Option<&str>,
        name: &str,
        inside: &str,
    ) -> Result<Element, CameraError> {
        let Service { namespace, prefix } = service;
        let body = format!("<{prefix}:{name}>{inside}</{prefix}:{name}>");
        let envelope = self.envelope(body, true);
        let url = self.reachable(address);
        let action = format!("{namespace}/{name}");
        let text = self.transport.soap_post(&url, &action, envelope).await?;
        Ok(answers::any(&text, name)?)
    }

    /// From now on the PTZ service at `address` is asked about this profile.
    pub(crate) fn turn_to(&mut self, address: Option<&str>, profile_token: &str) {
        self.ptz = self.reachable(address);
        profile_token.clone_into(&mut self.profile_token);
    }

    async fn learn_time(&mut self) -> Result<(), CameraError> {
        // Asked without credentials: they need the answer (ONVIF Core, 5.12).
        let text = self
            .device_call("GetSystemDateAndTime", "<tds:GetSystemDateAndTime/>", false)
            .await?;
        match answers::system_time_s(&text) {
            Ok(s) => self.time = Some((s, self.clock.mono())),
            // Some answer only with credentials, or not at all: our own time
            // then, which is right wherever the camera has NTP.
            Err(AnswerError::Fault { .. } | AnswerError::Lacks { .. }) => self.time = None,
            Err(e) => return Err(e.into()),
        }
        Ok(())
    }

    async fn services(&self) -> Result<Services, CameraError> {
        let body = "<tds:GetCapabilities><tds:Category>All</tds:Category></tds:GetCapabilities>";
        let text = self.device_call("GetCapabilities", body, true).await?;
        match answers::services(&text) {
            Ok(found) => Ok(found),
            Err(e) if e.is_unauthorised() => Err(e.into()),
            // Then everything is at the device's own address, or nowhere.
            Err(AnswerError::Fault { .. } | AnswerError::Lacks { .. }) => Ok(Services::default()),
            Err(e) => Err(e.into()),
        }
    }

    async fn profiles(&self, media: &str) -> Result<Vec<MediaProfile>, CameraError> {
        let envelope = self.envelope("<trt:GetProfiles/>".to_owned(), true);
        let action = format!("{MEDIA}/GetProfiles");
        let text = self.transport.soap_post(media, &action, envelope).await?;
        Ok(answers::profiles(&text)?)
    }

    async fn device_call(
        &self,
        name: &str,
        body: &str,
        authenticated: bool,
    ) -> Result<String, CameraError> {
        let envelope = self.envelope(body.to_owned(), authenticated);
        let action = format!("{DEVICE}/{name}");
        let device = self.device.as_str();
        Ok(self.transport.soap_post(device, &action, envelope).await?)
    }

    fn envelope(&self, body: String, authenticated: bool) -> String {
        let envelope = SoapEnvelope::new(body);
        if authenticated && !self.settings.user.is_empty() {
            envelope.with_security(self.token()).build()
        } else {
            envelope.build()
        }
    }

    fn token(&self) -> WsSecurityToken {
        let now_s = match self.time {
            Some((s, told)) => s + self.clock.mono().since(told).as_secs() as i64,
            None => self.clock.wall().0.div_euclid(1_000_000_000),
        };
        let created = utc::format_seconds(now_s);
        let nonce: [u8; 20] = rand::random();
        let digest = compute_digest(&nonce, &created, self.settings.password.reveal());
        WsSecurityToken::from_parts(
            self.settings.user.clone(),
            STANDARD.encode(digest),
            STANDARD.encode(nonce),
            created,
        )
    }

    /// The service's address as it can be reached: cameras behind a translated
    /// address name one that cannot, and an answer must not choose the host
    /// that gets our credentials. Only its path is taken, and its port where
    /// it names the configured host.
    fn reachable(&self, named: Option<&str>) -> String {
        let mut url = self.device.clone();
        if let Some(named) = named.and_then(|n| reqwest::Url::parse(n.trim()).ok()) {
            url.set_path(named.path());
            url.set_query(named.query());
            if named.host_str() == self.device.host_str() && named.scheme() == self.device.scheme()
            {
                // Fails only for addresses without a host; this one has one.
                let _ = url.set_port(named.port());
            }
        }
        url.to_string()
    }
}

fn parse_url(text: &str) -> Result<reqwest::Url, CameraError> {
    let refused = |detail: &str| CameraError::Url {
        // Whatever is written before an @ may be a password.
        url: text.rsplit('@').next().unwrap_or_default().to_owned(),
        detail: detail.to_owned(),
    };
    let url = reqwest::Url::parse(text).map_err(|e| refused(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("give http://HOST[:PORT]/onvif/device_service"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("credentials belong in user and password"));
    }
    Ok(url)
}

pub(crate) fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}
