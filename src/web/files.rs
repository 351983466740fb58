//! The console's own files, built into the program.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

/// `assets/web/dist`, as `make web` builds it; empty where nobody did.
#[derive(RustEmbed)]
#[folder = "assets/web/dist"]
#[allow_missing = true]
struct Built;

const PAGE: &str = "index.html";
const NOT_BUILT: &str = "The console is not part of this program: it was built without \
    assets/web/dist. `make web` builds it; then build greyplane again.\n";

/// The page at `/`, its parts under their names.
pub(super) async fn serve(uri: Uri) -> Response {
    let name = uri.path().trim_start_matches('/');
    let name = if name.is_empty() { PAGE } else { name };
    let Some(file) = Built::get(name) else {
        return match name {
            PAGE => (StatusCode::NOT_FOUND, NOT_BUILT).into_response(),
            _ => (StatusCode::NOT_FOUND, "there is no such page\n").into_response(),
        };
    };
    let mut response = file.data.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    // Vite puts a hash of the content into the names under assets/.
    let keep = if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webmanifest" | "json") => "application/json",
        _ => "application/octet-stream",
    }
}
