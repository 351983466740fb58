//! A SOAP request, which may be hostile → what is asked, and who says so.
//!
//! Bounded as cameras' answers are ([`xml`]): size, depth,
//! elements; no document type, so that no entity can be defined. Must not know who is
//! who, or what is done.

use crate::onvif::xml::{self, Element};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// No request is longer, bytes.
pub const MOST_BYTES: usize = 64 << 10;
/// No name, nonce or time in a request's login is longer, characters.
const LONGEST: usize = 256;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The operation, with what it was given.
    pub operation: Element,
    /// Who says so.
    pub token: Option<Token>,
}

/// A WS-UsernameToken with a digest of the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Whose it says to be.
    pub user: String,
    /// Base64(SHA-1(nonce + created + password)), as written.
    pub digest: String,
    /// Decoded.
    pub nonce: Vec<u8>,
    /// When it was made, as written.
    pub created: String,
}

/// Why something is no request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than any request.
    #[error("the request is longer than {MOST_BYTES} bytes")]
    TooLong,
    /// Not the bounded XML that a request is.
    #[error("the request cannot be read: {0}")]
    Xml(String),
    /// XML, but no SOAP with one operation.
    #[error("the request asks for nothing, or for more than one thing")]
    NoOperation,
    /// A login that is none.
    #[error("the request's login cannot be read")]
    Login,
}

/// Reads a whole request.
///
/// # Errors
/// [`Refused`].
pub fn read(body: &[u8]) -> Result<Request, Refused> {
    if body.len() > MOST_BYTES {
        return Err(Refused::TooLong);
    }
    let text = std::str::from_utf8(body).map_err(|e| Refused::Xml(e.to_string()))?;
    let text = text.trim_start_matches('\u{feff}');
    let root = xml::read(text).map_err(|e| Refused::Xml(e.to_string()))?;
    if root.name != "Envelope" {
        return Err(Refused::NoOperation);
    }
    let body = root.only("Body").ok_or(Refused::NoOperation)?;
    let [operation] = body.children.as_slice() else {
        return Err(Refused::NoOperation);
    };
    let token = match root.path(&["Header", "Security"]) {
        None => None,
        Some(security) => security.only("UsernameToken").map(token).transpose()?,
    };
    Ok(Request {
        operation: operation.clone(),
        token,
    })
}

fn token(token: &Element) -> Result<Token, Refused> {
    let text = |name: &str| {
        let found = token.only(name).map(|e| e.text.clone());
        found
            .filter(|t| t.chars().count() <= LONGEST)
            .ok_or(Refused::Login)
    };
    Ok(Token {
        user: text("Username")?,
        digest: text("Password")?,
        nonce: STANDARD
            .decode(text("Nonce")?)
            .map_err(|_| Refused::Login)?,
        created: text("Created")?,
    })
}

impl Request {
    /// What is asked.
    pub fn name(&self) -> &str {
        &self.operation.name
    }

    /// The text of what was given so; none where it is missing, twice there, or empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.operation.only(name)?.text.as_str();
        (!text.is_empty()).then_some(text)
    }
}

/// Seconds of an `xs:duration` of days and less; none for anything else, or below 0.
pub fn duration_s(text: &str) -> Option<f64> {
    let rest = text.trim().strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    let mut total = 0.0;
    let mut any = false;
    for (mut text, units) in [
        (days, &[('D', 86_400.0)][..]),
        (time, &[('H', 3600.0), ('M', 60.0), ('S', 1.0)][..]),
    ] {
        for (unit, seconds) in units {
            let Some((number, rest)) = text.split_once(*unit) else {
                continue;
            };
            let plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let value: f64 = number.parse().ok().filter(|_| plain)?;
            total += value * seconds;
            (text, any) = (rest, true);
        }
        if !text.is_empty() {
            return None;
        }
    }
    (any && total.is_finite()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(header: &str, body: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"#
        )
    }

    #[test]
    fn what_is_asked_is_read() {
        let token = "<w:Security><w:UsernameToken><w:Username>a&amp;b</w:Username>\
             <w:Password Type=\"x\">ZGln</w:Password><w:Nonce>bm8=</w:Nonce>\
             <u:Created>2026-01-01T00:00:00Z</u:Created></w:UsernameToken></w:Security>";
        let asked = envelope(
            token,
            "<t:GetProfile><t:ProfileToken>main</t:ProfileToken></t:GetProfile>",
        );
        let request = read(asked.as_bytes()).unwrap();
        assert_eq!(
            (request.name(), request.text("ProfileToken")),
            ("GetProfile", Some("main"))
        );
        let token = request.token.unwrap();
        assert_eq!(
            (token.user.as_str(), token.nonce.as_slice()),
            ("a&b", &b"no"[..])
        );
        assert_eq!(read(envelope("", "<a/>").as_bytes()).unwrap().token, None);
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        let many = format!("<a>{}</a>", "<b/>".repeat(5000));
        let long = envelope("", &format!("<a>{}</a>", "x".repeat(MOST_BYTES)));
        let bomb = format!(
            "<!DOCTYPE a [<!ENTITY x \"y\">]>{}",
            envelope("", "<a>&x;</a>")
        );
        let half = "<Security><UsernameToken><Username>a</Username></UsernameToken></Security>";
        for text in [
            &envelope("", &deep),
            &envelope("", &many),
            &long,
            &bomb,
            &envelope("", ""),
            &envelope("", "<a/><b/>"),
            &envelope(half, "<a/>"),
            "",
            "plain",
            "<Envelope/>",
            "<Envelope><Body><a></Body></Envelope>",
            "<Other><Body><a/></Body></Other>",
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text:.80}");
        }
        assert!(read(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn durations_are_read_or_refused() {
        for (text, expected) in [
            ("PT2S", Some(2.0)),
            ("PT0.5S", Some(0.5)),
            ("PT1M30S", Some(90.0)),
            ("P1DT1H", Some(90_000.0)),
            ("P1D", Some(86_400.0)),
            ("PT0S", Some(0.0)),
            ("P", None),
            ("PT", None),
            ("2", None),
            ("PTNaNS", None),
            ("PT-3S", None),
            ("PT1e9S", None),
            ("PTS", None),
            ("PT1S2M", None),
            ("P1Y", None),
        ] {
            assert_eq!(duration_s(text), expected, "{text}");
        }
    }
}
