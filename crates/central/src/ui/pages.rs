//! The two small pages that a browser without a session sees.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// What to do, for a browser that is not signed in.
pub fn signed_out_page() -> Response {
    refusal(
        "Not signed in",
        "This browser has no session here. Ask for a one-time sign-in link on the computer that runs \
         Vendlog: <code>vendlog-server signin-link --data DIR</code> prints one, and so does \
         <code>cargo xtask run --headless</code>. Open it here within 10 minutes.",
    )
}

/// What to do, for a browser whose link does not hold.
pub fn used_link_page() -> Response {
    refusal(
        "This link is used up",
        "A sign-in link works once, within 10 minutes. Ask for another: \
         <code>vendlog-server signin-link --data DIR</code> prints one.",
    )
}

fn refusal(title: &str, words: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Vendlog: {title}</title>\
         <meta name=viewport content=\"width=device-width\">\
         <style>:root{{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}}\
         body{{max-width:36em;margin:15vh auto;padding:0 1em}}h1{{font-size:1.3em}}</style>\
         <h1>{title}</h1><p>{words}</p>",
    );
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"vendlog\""),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::UNAUTHORIZED, headers, page).into_response()
}
