//! What holds for every request: where it may come from, what its answer may do.

use super::error::ApiError;
use axum::extract::Request;
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The page may load and reach what this address serves, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];
const A_YEAR: &str = "max-age=31536000";

/// Puts the headers on every answer that keep a browser from doing harm with it.
pub(super) async fn harden(over_tls: bool, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // What a camera shows or does is nobody's cache's business.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if over_tls {
        let value = HeaderValue::from_static(A_YEAR);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    response
}

/// Refuses what another site makes a browser ask for: whatever is not only read,
/// and whatever comes as a frame, a script or a picture of another page.
pub(super) async fn same_site(request: Request, next: Next) -> Response {
    if is_foreign(request.method(), request.headers()) {
        return ApiError::new(StatusCode::FORBIDDEN, "the request comes from another site")
            .remedy("open the console at its own address")
            .into_response();
    }
    next.run(request).await
}

/// Browsers say where a request comes from (Fetch Metadata, W3C); older ones at
/// least name the origin. Programs that are no browsers send neither, and carry
/// no cookie that a person did not give them.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match text(headers, "sec-fetch-site") {
        // Typed in, or from a bookmark.
        Some("same-origin") => false,
        Some("none") => !reads || of_other_origin(headers),
        // A link on another page may lead here: the page itself, not the API.
        Some(_) => !(reads && text(headers, "sec-fetch-mode") == Some("navigate")),
        // Reads too: a WebSocket begins with one, and its answer is anybody's.
        None => of_other_origin(headers),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|v| v.to_str().unwrap_or("?"))
}

fn of_other_origin(headers: &HeaderMap) -> bool {
    match (text(headers, "origin"), text(headers, "host")) {
        (None, _) => false,
        (Some(origin), Some(host)) => {
            let own = |scheme: &str| origin.strip_prefix(scheme) == Some(host);
            !(own("https://") || own("http://"))
        }
        (Some(_), None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_from_other_sites_are_known() {
        type Case = (Method, &'static [(&'static str, &'static str)], bool);
        let cases: [Case; 18] = [
            (Method::GET, &[], false),
            (Method::POST, &[], false),
            (Method::POST, &[("sec-fetch-site", "same-origin")], false),
            (Method::POST, &[("sec-fetch-site", "cross-site")], true),
            (Method::POST, &[("sec-fetch-site", "same-site")], true),
            (Method::POST, &[("sec-fetch-site", "none")], true),
            (Method::GET, &[("sec-fetch-site", "none")], false),
            (Method::GET, &[("sec-fetch-site", "cross-site")], true),
            (
                Method::GET,
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-mode", "navigate"),
                ],
                false,
            ),
            (
                Method::POST,
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("sec-fetch-mode", "navigate"),
                ],
                true,
            ),
            (
                Method::POST,
                &[("origin", "https://a.example"), ("host", "a.example")],
                false,
            ),
            (
                Method::DELETE,
                &[("origin", "https://b.example"), ("host", "a.example")],
                true,
            ),
            (
                Method::POST,
                &[("origin", "null"), ("host", "a.example")],
                true,
            ),
            // As a WebSocket begins.
            (
                Method::GET,
                &[("origin", "https://a.example"), ("host", "a.example")],
                false,
            ),
            (
                Method::GET,
                &[("origin", "https://b.example"), ("host", "a.example")],
                true,
            ),
            (
                Method::GET,
                &[("origin", "null"), ("host", "a.example")],
                true,
            ),
            (Method::GET, &[("origin", "https://b.example")], true),
            (
                Method::GET,
                &[
                    ("sec-fetch-site", "none"),
                    ("origin", "https://b.example"),
                    ("host", "a.example"),
                ],
                true,
            ),
        ];
        for (method, headers, foreign) in cases {
            let map: HeaderMap = headers
                .iter()
                .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
                .collect();
            assert_eq!(is_foreign(&method, &map), foreign, "{method} {headers:?}");
        }
    }
}
