//! One log line a request, an id to find it by, and the answer to a panic. The line names the route's
//! pattern, never the path: a sign-in link's secret stands in its path.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::error::ApiError;

/// Numbers the requests of one router.
pub type RequestCount = Arc<AtomicU64>;

/// Gives the request an id, answers it as `x-request-id`, and writes the line.
pub async fn log_request(
    State(count): State<RequestCount>,
    request: Request,
    next: Next,
) -> Response {
    let id = count.fetch_add(1, Ordering::Relaxed);
    let method = request.method().clone();
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "(page)".to_owned(),
    };
    let span = tracing::info_span!("request", id, %method, route);
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let latency_ms = started.elapsed().as_millis() as u64;
    span.in_scope(|| tracing::debug!(status, latency_ms, "answered"));
    response
        .headers_mut()
        .insert("x-request-id", HeaderValue::from(id));
    response
}

/// What a caller sees of a panic.
pub fn answer_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without words");
    ApiError::internal(words).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_500_that_tells_nothing() {
        let response = answer_panic(Box::new("index out of bounds"));
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}
