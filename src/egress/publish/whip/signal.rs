//! WHIP's HTTP: the offer posted, the answer taken, the resource deleted.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};

use crate::device_http::DeviceHttp;
use crate::egress::webrtc::LONGEST_DESCRIPTION;
use crate::secret::Secret;

/// The longest that the server may keep an offer waiting.
const ANSWERS_WITHIN: Duration = Duration::from_secs(8);
/// The longest that it may keep our goodbye waiting.
const ENDS_WITHIN: Duration = Duration::from_secs(2);
/// Of a chain; more of them are a ring.
const REDIRECTS_AT_MOST: usize = 3;
const SDP: &str = "application/sdp";

/// A server's answer, and what to delete at the end.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) sdp: String,
    pub(super) resource: Option<Url>,
}

/// A WHIP server as HTTP shows it.
pub(super) struct Endpoint {
    http: DeviceHttp,
    token: Option<Secret>,
}

impl Endpoint {
    /// `roots` (PEM) are trusted in place of the machine's.
    pub(super) fn new(token: Option<Secret>, roots: Option<&str>) -> Result<Self, String> {
        let http = DeviceHttp::new("", &Secret::new(""), roots, ANSWERS_WITHIN)
            .map_err(|e| e.problem())?;
        Ok(Self { http, token })
    }

    /// Asks whether the server takes what `sdp` offers.
    pub(super) async fn offer(&self, url: &Url, sdp: &str) -> Result<Answered, String> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS_AT_MOST {
            let request = self
                .as_us(self.http.post(at.as_str()))
                .header(CONTENT_TYPE, SDP)
                .header(ACCEPT, SDP)
                .body(sdp.to_owned());
            let answer = self.http.send(request, LONGEST_DESCRIPTION).await;
            let answer = answer.map_err(|e| e.to_string())?;
            match answer.status {
                200 | 201 => {
                    return Ok(Answered {
                        resource: resource(&at, answer.header("location")),
                        sdp: answer.text,
                    });
                }
                307 | 308 => at = elsewhere(&at, answer.header("location"))?,
                status => return Err(refusal(status, self.token.is_some())),
            }
        }
        Err("the server redirects again and again".to_owned())
    }

    /// Tells the server that the session is over; it need not answer.
    pub(super) async fn end(&self, resource: Option<Url>) {
        let Some(resource) = resource else { return };
        let request = self.as_us(self.http.delete(resource)).timeout(ENDS_WITHIN);
        match self.http.send(request, LONGEST_DESCRIPTION).await {
            Ok(answer) => tracing::debug!(status = answer.status, "WHIP resource deleted"),
            // It forgets a session that is silent by itself.
            Err(error) => tracing::debug!(%error, "WHIP resource not deleted"),
        }
    }

    fn as_us(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.reveal()),
            None => request,
        }
    }
}

/// Where the session is to be deleted. Only at the server that was configured: the
/// token goes nowhere else.
fn resource(at: &Url, location: Option<&str>) -> Option<Url> {
    let resource = at.join(location?).ok()?;
    if resource.origin() == at.origin() {
        return Some(resource);
    }
    tracing::debug!("WHIP resource at another server: it is left to itself");
    None
}

/// Where a redirect leads, as far as it is followed.
fn elsewhere(at: &Url, location: Option<&str>) -> Result<Url, String> {
    let next = location.and_then(|l| at.join(l).ok());
    let next = next.ok_or("the server redirects without saying where to")?;
    if next.origin() != at.origin() {
        let there = next.origin().ascii_serialization();
        return Err(format!(
            "the server redirects to {there}, which is not followed: what is published, and its \
             token, go to the configured address only; write the other one as `url` if you trust it"
        ));
    }
    Ok(next)
}

fn refusal(status: u16, has_token: bool) -> String {
    let why = match status {
        300..=399 => "it redirects in a way that is no WHIP",
        400 | 422 => "it does not understand the offer",
        401 | 403 if has_token => "it refuses the token",
        401 | 403 => "it wants a token; give one as `token_file`",
        404 | 410 => "it knows no such path",
        405 | 406 | 415 => "there is no WHIP endpoint at this path",
        409 => "somebody else publishes there",
        429 | 503 => "it has no room now",
        500..=599 => "it has a fault",
        _ => "it does not take the stream",
    };
    format!("the server said {status}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_stays_with_the_configured_server() {
        let at = Url::parse("https://media.example.org:8889/street/whip").unwrap();
        for (location, same) in [
            ("/street/whip/1", true),
            ("1?secret=2", true),
            ("https://media.example.org:8889/elsewhere", true),
            ("https://media.example.org/street/whip", false),
            ("http://media.example.org:8889/street/whip", false),
            ("https://media.example.org.example.net:8889/a", false),
            ("//example.net/a", false),
            ("https://media.example.org:8889@example.net/", false),
        ] {
            assert_eq!(resource(&at, Some(location)).is_some(), same, "{location}");
            let next = elsewhere(&at, Some(location));
            assert_eq!(next.is_ok(), same, "{location}: {next:?}");
        }
        for nowhere in [None, Some("http://[")] {
            assert!(elsewhere(&at, nowhere).is_err());
        }
    }

    #[test]
    fn refusals_say_what_to_do() {
        assert!(refusal(401, false).contains("token_file"));
        assert!(refusal(401, true).contains("refuses the token"));
        for status in [302, 400, 404, 405, 409, 418, 500, 503] {
            let why = refusal(status, true);
            assert!(why.contains(&status.to_string()), "{why}");
        }
    }
}
