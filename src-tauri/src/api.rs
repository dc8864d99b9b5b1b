//! One request of the page, fed to central's router in this process. Knows no endpoint: whatever the
//! router answers to HTTP, it answers here.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use central::access::Caller;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use tower::ServiceExt;

use crate::problem::Problem;

/// The largest body in either direction. A page of 1,000 entries is below 1 MB unless entries are
/// huge; more than this belongs into an export.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// No request of a page takes longer: scans have a time budget of their own. What does is a fault,
/// and the page must not wait for it for ever.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A request as the page gives it.
#[derive(Debug)]
pub struct Call {
    /// `GET`, `POST`, ….
    pub method: String,
    /// Path and query, beginning with a slash.
    pub path: String,
    /// Headers by name.
    pub headers: HashMap<String, String>,
    /// The body, if any.
    pub body: Option<Vec<u8>>,
}

/// The head of a framed answer.
#[derive(Debug, Serialize)]
struct Head {
    status: u16,
    headers: BTreeMap<String, String>,
}

impl Call {
    /// The framed answer (see `commands`). Errors of the endpoint are answers, not errors; a body
    /// beyond [`MAX_BODY_BYTES`] becomes a 413 answer. Fails when the request is malformed or when
    /// nothing answers in time.
    pub async fn answer(self, router: Router) -> Result<Vec<u8>, Problem> {
        if self
            .body
            .as_ref()
            .is_some_and(|body| body.len() > MAX_BODY_BYTES)
        {
            let words = "The request is larger than 8 MB. Send it in smaller parts.";
            return Ok(too_large("request_too_large", words));
        }
        let request = self.request()?;
        match tokio::time::timeout(ANSWER_WITHIN, exchange(router, request)).await {
            Ok(framed) => framed,
            Err(_) => Err(Problem::new(
                "no_answer",
                format!("No answer within {} s. Try again.", ANSWER_WITHIN.as_secs()),
            )),
        }
    }

    fn request(self) -> Result<Request<Body>, Problem> {
        let malformed = |what: &str| Problem::new("malformed_request", format!("{what} is wrong."));
        let method = Method::from_bytes(self.method.to_ascii_uppercase().as_bytes())
            .map_err(|_| malformed("The method"))?;
        let uri: Uri = self.path.parse().map_err(|_| malformed("The path"))?;
        if !self.path.starts_with('/') || self.path.starts_with("//") {
            return Err(malformed("The path"));
        }
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
            .body(self.body.map_or_else(Body::empty, Body::from))
            .map_err(|_| malformed("A header"))
    }
}

/// Marks a request as coming from the window of this process.
pub fn from_window(mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(Caller::Window);
    request
}

async fn exchange(router: Router, request: Request<Body>) -> Result<Vec<u8>, Problem> {
    let response = match router.oneshot(from_window(request)).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (parts, body) = response.into_parts();
    if is_endless(&parts.headers) {
        return Err(Problem::new(
            "use_subscribe",
            "Live events come through subscribe.",
        ));
    }
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(collected) => Ok(framed(parts.status, &parts.headers, &collected.to_bytes())),
        Err(error) if error.is::<LengthLimitError>() => Ok(too_large(
            "answer_too_large",
            "The answer is larger than 8 MB. Choose a shorter time range, or export it to a file.",
        )),
        Err(error) => Err(Problem::new(
            "answer_cut_off",
            format!("The answer broke off: {error}"),
        )),
    }
}

fn is_endless(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

fn too_large(code: &str, message: &str) -> Vec<u8> {
    let body = serde_json::json!({"code": code, "message": message}).to_string();
    let headers = HeaderMap::from_iter([(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    )]);
    framed(StatusCode::PAYLOAD_TOO_LARGE, &headers, body.as_bytes())
}

/// Head length (u32, big endian), head as JSON, body. One buffer, so that the page gets it as one
/// ArrayBuffer without an escape or a copy of the body in JSON.
fn framed(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let headers = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    let head = serde_json::to_vec(&Head {
        status: status.as_u16(),
        headers,
    })
    .expect("numbers and strings are always JSON");
    let length = u32::try_from(head.len()).expect("the server bounds headers far below 4 GB");
    let mut frame = Vec::with_capacity(4 + head.len() + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(body);
    frame
}

/// Status and body of a framed answer; `None` when it is none.
pub fn unframed(frame: &[u8]) -> Option<(u64, Vec<u8>)> {
    let (length, rest) = frame.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    let (head, body) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let head: serde_json::Value = serde_json::from_slice(head).ok()?;
    Some((head["status"].as_u64()?, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::body::Bytes;
    use axum::routing::{get, post};
    use serde_json::Value;

    use super::*;

    fn router() -> Router {
        let who = |caller: Option<Extension<Caller>>| async move {
            match caller {
                Some(Extension(Caller::Window)) => "the window",
                _ => "somebody else",
            }
        };
        let echo = |headers: HeaderMap, body: String| async move {
            let kind = headers
                .get(header::CONTENT_TYPE)
                .map(|kind| kind.as_bytes().to_vec());
            format!(
                "{}: {body}",
                String::from_utf8_lossy(&kind.unwrap_or_default())
            )
        };
        let live = || async {
            (
                [(header::CONTENT_TYPE, "text/event-stream")],
                "event: tick\n\n",
            )
        };
        Router::new()
            .route("/who", get(who))
            .route("/echo", post(echo))
            .route("/bytes", post(|bytes: Bytes| async { bytes }))
            .route("/large", get(|| async { vec![b'x'; MAX_BODY_BYTES + 1] }))
            .route("/live", get(live))
    }

    async fn answer(method: &str, path: &str, body: Option<Vec<u8>>) -> Result<Vec<u8>, Problem> {
        let headers = HashMap::from([("content-type".to_owned(), "text/plain".to_owned())]);
        let call = Call {
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body,
        };
        call.answer(router()).await
    }

    fn taken_apart(frame: &[u8]) -> (Value, &[u8]) {
        let length = u32::from_be_bytes(frame[..4].try_into().expect("four bytes")) as usize;
        let head = serde_json::from_slice(&frame[4..4 + length]).expect("a head");
        (head, &frame[4 + length..])
    }

    #[tokio::test]
    async fn the_caller_is_the_window() {
        let frame = answer("get", "/who", None).await.expect("an answer");
        let (head, body) = taken_apart(&frame);
        assert_eq!(head["status"], 200);
        assert_eq!(head["headers"]["content-type"], "text/plain; charset=utf-8");
        assert_eq!(body, b"the window");
    }

    #[tokio::test]
    async fn headers_and_body_arrive_as_given() {
        let frame = answer("POST", "/echo", Some("h\u{e9}llo".into()))
            .await
            .expect("an answer");
        assert_eq!(taken_apart(&frame).1, "text/plain: h\u{e9}llo".as_bytes());
    }

    #[tokio::test]
    async fn a_body_need_not_be_text() {
        let bytes = vec![0, 0xff, b'\n'];
        let frame = answer("POST", "/bytes", Some(bytes.clone())).await;
        assert_eq!(taken_apart(&frame.expect("an answer")).1, bytes);
    }

    #[tokio::test]
    async fn an_unknown_path_is_an_answer_and_not_a_failure() {
        let frame = answer("GET", "/nothing?a=b", None)
            .await
            .expect("an answer");
        assert_eq!(taken_apart(&frame).0["status"], 404);
    }

    #[tokio::test]
    async fn a_body_beyond_the_bound_becomes_a_413_either_way() {
        for (method, path, body, code) in [
            ("GET", "/large", None, "answer_too_large"),
            (
                "POST",
                "/echo",
                Some(vec![b'x'; MAX_BODY_BYTES + 1]),
                "request_too_large",
            ),
        ] {
            let frame = answer(method, path, body).await.expect("an answer");
            let (head, body) = taken_apart(&frame);
            assert_eq!(head["status"], 413);
            let body: Value = serde_json::from_slice(body).expect("JSON");
            assert_eq!(body["code"], code);
        }
    }

    #[tokio::test]
    async fn the_endless_answer_is_refused() {
        let problem = answer("GET", "/live", None).await.expect_err("refused");
        assert_eq!(problem.code, "use_subscribe");
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused() {
        for (method, path) in [
            ("GE T", "/who"),
            ("GET", "who"),
            ("GET", "https://elsewhere/who"),
            ("GET", "//elsewhere/who"),
            ("GET", "/a b"),
        ] {
            let problem = answer(method, path, None).await.expect_err("refused");
            assert_eq!(problem.code, "malformed_request", "{method} {path}");
        }
    }
}
