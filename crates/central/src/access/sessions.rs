//! A browser's session: the cookie, the one-time link that gives it, what it says of itself, and the
//! way out.

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use store::Holder;
use utoipa::ToSchema;
use wire::time::DAY_US;

use super::caller::{Caller, Role};
use super::keys::{self, KeyKind};
use crate::app::Shared;
use crate::error::{ApiError, ErrorBody};
use crate::{clock, ui};

/// The cookie's name; the prefix makes browsers insist on Secure, Path=/ and this very host.
const COOKIE: &str = "__Host-vendlog_session";
/// A session ends after a week, so that a forgotten browser does not stay signed in.
const SESSION_LIFE_US: i64 = 7 * DAY_US;

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// The name of the session or token.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// `window` (the desktop app), `person` (a browser or a script) or `admin`.
    pub kind: SessionKind,
}

/// How the caller came in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// The desktop window.
    Window,
    /// A session or a token.
    Person,
    /// The admin socket.
    Admin,
}

/// The session cookie's value, if there is one.
pub fn cookie_value(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// Who is calling: name, role, and how they came in.
#[utoipa::path(get, path = "/api/session", tag = "access", responses(
    (status = 200, body = SessionView),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_session(Extension(caller): Extension<Caller>) -> Json<SessionView> {
    Json(match caller {
        Caller::Window => SessionView {
            name: "this window".to_owned(),
            role: Role::Manager,
            kind: SessionKind::Window,
        },
        Caller::Person { name, role } => SessionView {
            name,
            role,
            kind: SessionKind::Person,
        },
        Caller::Admin | Caller::Machine(_) | Caller::Source(_) => SessionView {
            name: "admin".to_owned(),
            role: Role::Manager,
            kind: SessionKind::Admin,
        },
    })
}

/// Signs this browser out: its session ends at once. Only who holds a session can end it: the public
/// part of a key is no secret.
#[utoipa::path(delete, path = "/api/session", tag = "access", responses(
    (status = 204, description = "signed out"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn sign_out(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, ApiError> {
    let session = cookie_value(&headers)
        .and_then(keys::parse)
        .filter(|parts| parts.kind == KeyKind::Session);
    if let Some(parts) = session {
        let key_id = parts.key_id.to_owned();
        let found = app
            .with_store(move |store| store.credential(&key_id))
            .await?;
        if let Some(own) = found.filter(|found| keys::opens(parts, found, clock::now())) {
            app.with_store(move |store| store.remove_credential(&own.key_id))
                .await?;
        }
    }
    let gone = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Uses a one-time sign-in link: sets the session cookie and goes to the start page.
///
/// A HEAD or a browser's prefetch does not use the link up: only a person's visit does.
#[utoipa::path(get, path = "/signin/{secret}", tag = "access", security(()),
    params(("secret" = String, Path, description = "the secret of the link")),
    responses(
        (status = 303, description = "signed in; the answer sets the cookie"),
        (status = 401, description = "the link was used, has ended, or never was (a small page)"),
    ))]
pub async fn use_signin_link(
    State(app): State<Shared>,
    Path(secret): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let prefetch = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        let value = request
            .headers()
            .get(*name)
            .and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.contains("prefetch") || value.contains("preview"))
    });
    if request.method() == Method::HEAD || prefetch {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let now = clock::now();
    let Some(guest) = app.signin.take(&secret, now) else {
        return Ok(ui::used_link_page());
    };
    let holder = Holder::Session {
        name: guest.name,
        role: guest.role.to_string(),
    };
    let key = keys::make(holder, now, Some(now.plus_us(SESSION_LIFE_US)))?;
    let credential = key.credential;
    app.with_store(move |store| store.add_credential(&credential))
        .await?;
    // Lax and not Strict: a link that is clicked in a mail starts on another site, and Strict would
    // hold the cookie back from the redirect. Writes are guarded by the origin check beside it.
    let cookie = format!(
        "{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={}",
        key.text,
        SESSION_LIFE_US / wire::time::SECOND_US,
    );
    let cookie = HeaderValue::from_str(&cookie)
        .map_err(|_| ApiError::internal("a session key is no header value"))?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, "/")]).into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
