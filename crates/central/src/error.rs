//! What a handler answers when it cannot do what was asked: one type, one JSON shape, and the one
//! mapping from the store's errors. Not for errors of the start (see `start::StartError`).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::StoreError;
use utoipa::ToSchema;

/// Seconds a sender waits when the disk is full: entries are to be taken again within 10 s of room.
const DISK_FULL_RETRY_S: u32 = 5;
/// Seconds a sender waits when the store failed or closes: a restart takes about as long.
const STORE_RETRY_S: u32 = 5;

/// A refusal: status, code for programs, message for people.
#[derive(Debug, Clone)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after_s: Option<u32>,
}

/// The JSON of every refusal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Stable word that a program can act on.
    #[schema(example = "no_such_machine")]
    pub code: String,
    /// What is wrong and what to do, for a person.
    pub message: String,
}

impl ApiError {
    /// A refusal with this status.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status,
            code,
            message: message.into(),
            retry_after_s: None,
        }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401: no credential, or one that does not hold.
    pub fn unauthorized(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 403: the caller is known and may not do this.
    pub fn forbidden(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404.
    pub fn not_found(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 413: the body is too large.
    pub fn too_large(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    /// 500: a fault of ours; what happened goes to the log, not to the caller.
    pub fn internal(what: &str) -> ApiError {
        tracing::error!(what, "request failed");
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed; its log says more under this answer's x-request-id",
        )
    }

    /// 429 with `Retry-After` in seconds.
    pub fn too_many(retry_after_s: u32, message: impl Into<String>) -> ApiError {
        ApiError {
            retry_after_s: Some(retry_after_s),
            ..ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many", message)
        }
    }

    /// 503 with `Retry-After`: not now.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            retry_after_s: Some(STORE_RETRY_S),
            ..ApiError::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The code for programs.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        let message = error.to_string();
        match error {
            StoreError::MachineExists(_) => ApiError::new(
                StatusCode::CONFLICT,
                "machine_exists",
                format!("{message}; choose another id, or make a new key with rotate-key"),
            ),
            StoreError::NoSuchMachine(_) => ApiError::not_found(
                "no_such_machine",
                format!("{message}; GET /api/machines lists those that are registered"),
            ),
            StoreError::NoSuchEntry => ApiError::not_found("no_such_entry", message),
            StoreError::BadReference(_) => ApiError::bad_request("bad_reference", message),
            StoreError::BadPlan => ApiError::bad_request("bad_field", message),
            StoreError::DictionaryTooLarge(_) => ApiError::too_large(message),
            StoreError::QuarantineFull(_) => ApiError::unavailable("quarantine_full", message),
            StoreError::BadNumber => ApiError::bad_request("bad_number", message),
            StoreError::DayDamaged(_) => {
                tracing::error!(error = %message, "a day cannot be read");
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "day_damaged", message)
            }
            StoreError::Busy => ApiError::unavailable("busy", message),
            StoreError::DiskFull => ApiError {
                retry_after_s: Some(DISK_FULL_RETRY_S),
                ..ApiError::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "disk_full",
                    format!("{message}; nothing was stored; make room and send it again"),
                )
            },
            StoreError::Closing => {
                ApiError::unavailable("closing", "the server is stopping; send it again")
            }
            _ => {
                tracing::error!(error = %message, "the store failed");
                ApiError::unavailable(
                    "store_failed",
                    "the store failed, nothing was stored; send it again; the log says more",
                )
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = ErrorBody {
            code: self.code.to_owned(),
            message: self.message,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"vendlog\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_sent_again_says_when() {
        for (error, status) in [
            (StoreError::DiskFull, StatusCode::INSUFFICIENT_STORAGE),
            (StoreError::Closing, StatusCode::SERVICE_UNAVAILABLE),
            (StoreError::Busy, StatusCode::SERVICE_UNAVAILABLE),
            (
                StoreError::Failed("disk I/O error".into()),
                StatusCode::SERVICE_UNAVAILABLE,
            ),
        ] {
            let response = ApiError::from(error).into_response();
            assert_eq!(response.status(), status);
            assert!(
                response.headers().contains_key(header::RETRY_AFTER),
                "{status}"
            );
        }
    }

    #[test]
    fn the_stores_own_words_stay_in_the_log() {
        let error = ApiError::from(StoreError::Failed("/data/days/x.db: I/O error".into()));
        assert!(!error.message().contains("/data"), "{}", error.message());
    }
}
