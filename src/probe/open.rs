//! Whether the clear stream can be had without a login. Must not know what it shows.

use super::facts::{Camera, ProfileFacts, stream_answer, stream_question};
use crate::clock::Clock;
use crate::doctor::Finding;
use crate::onvif::{OnvifCamera, OnvifSettings};
use crate::secret::Secret;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The beginning of an answer that is read.
const HEAD_BYTES: usize = 64;

/// Asks for the stream's address, and for the stream, as nobody.
pub(super) async fn anonymous(
    onvif: &OnvifSettings,
    clock: &Arc<dyn Clock>,
    camera: &Camera,
    profile: &ProfileFacts,
) -> Vec<Finding> {
    const CHECK: &str = "anonymous";
    let nobody = OnvifSettings {
        user: String::new(),
        password: Secret::new(""),
        ..onvif.clone()
    };
    let mut findings = Vec::new();
    if let Ok(stranger) = OnvifCamera::meet(&nobody, clock.clone()).await {
        let (service, body) = stream_question(profile);
        let services = camera.services();
        let address = if profile.by_media2 {
            &services.media2
        } else {
            &services.media
        };
        let told = stranger
            .ask(service, address.as_deref(), "GetStreamUri", &body)
            .await;
        findings.push(match told.ok().as_ref().and_then(stream_answer) {
            Some(_) => Finding::doubt(
                CHECK,
                "without a login the camera tells where its stream is, and may obey whoever asks",
                "set a password for ONVIF in the camera",
            ),
            None => Finding::good(CHECK, "ONVIF wants a login"),
        });
    }
    let within = Duration::from_millis(onvif.timeout_ms);
    if let Some(url) = &profile.url
        && let Ok(Some(status)) = timeout(within, describe(url)).await
    {
        findings.push(judge(status));
    }
    findings
}

pub(super) fn judge(status: u16) -> Finding {
    const CHECK: &str = "anonymous";
    match status {
        200 => Finding::doubt(
            CHECK,
            "without a login whoever reaches the camera sees the clear stream",
            "set a password for RTSP in the camera, and let nobody but the gateway reach it (a network of its own, a firewall)",
        ),
        401 | 403 => Finding::good(CHECK, "RTSP wants a login"),
        other => Finding::good(CHECK, format!("without a login RTSP answers {other}")),
    }
}

/// The status of a DESCRIBE without credentials (RFC 2326, 10.2); `None` where nothing
/// is heard, or not in the clear.
async fn describe(url: &str) -> Option<u16> {
    let at = reqwest::Url::parse(url)
        .ok()
        .filter(|u| u.scheme() == "rtsp")?;
    let host = at
        .host_str()?
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let mut stream = TcpStream::connect((host, at.port().unwrap_or(554)))
        .await
        .ok()?;
    let agent = concat!("greyplane/", env!("CARGO_PKG_VERSION"));
    let request = format!(
        "DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\nUser-Agent: {agent}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut head = [0; HEAD_BYTES];
    let mut length = 0;
    while length < HEAD_BYTES && !head[..length].contains(&b'\n') {
        match stream.read(&mut head[length..]).await.ok()? {
            0 => break,
            n => length += n,
        }
    }
    status(&head[..length])
}

pub(super) fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|b| *b == b'\r' || *b == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|w| w.starts_with("RTSP/"))?;
    words.next()?.parse().ok()
}
