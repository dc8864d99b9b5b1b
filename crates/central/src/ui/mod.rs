//! The built UI, served from this binary, and the headers that fence it in. Not the UI itself.

mod pages;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use include_dir::{Dir, include_dir};

pub use pages::{signed_out_page, used_link_page};

use crate::error::ApiError;

static DIST: Dir<'static> = include_dir!("$VENDLOG_UI_DIST");

/// Only our own scripts run, whatever a log line says.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Built files carry a hash of their content in their name.
const CACHE_FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A file of the UI; any other page is the application itself, which reads the address. What is
/// under `/api` and has no route is refused.
pub async fn page(request: Request) -> Response {
    let path = request.uri().path();
    if is_api(path) {
        return ApiError::not_found(
            "no_such_route",
            "there is no such route; GET /api/openapi.json lists them all",
        )
        .into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return wrong_method().await.into_response();
    }
    let name = path.trim_start_matches('/');
    let Some((file, name)) = DIST
        .get_file(name)
        .map(|file| (file, name))
        .or_else(|| Some((DIST.get_file("index.html")?, "index.html")))
        .filter(|(_, found)| *found == name || is_page_path(name))
    else {
        return ApiError::not_found("no_such_file", "there is no such file").into_response();
    };
    let cache = if name.starts_with("assets/") {
        CACHE_FOR_EVER
    } else {
        NO_STORE
    };
    let kind = HeaderValue::from_static(media_type(name));
    (
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)],
        file.contents(),
    )
        .into_response()
}

/// The answer to a method that a path does not know.
pub async fn wrong_method() -> ApiError {
    ApiError::new(
        axum::http::StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        "this path does not know that method; GET /api/openapi.json lists what there is",
    )
}

/// Whether a browser asks for a page, so that a page is the right refusal.
pub fn is_page_request(request: &Request) -> bool {
    let accepts = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok());
    !is_api(request.uri().path()) && accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// Puts the fence around every answer.
pub async fn security_headers(request: Request, next: Next) -> Response {
    let api = is_api(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if api {
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    }
    response
}

fn is_api(path: &str) -> bool {
    path == "/api" || path.starts_with("/api/")
}

/// A path of the application has no file ending.
fn is_page_path(name: &str) -> bool {
    !name.rsplit('/').next().unwrap_or_default().contains('.')
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
