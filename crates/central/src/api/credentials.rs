//! Tokens for scripts and one-time sign-in links for browsers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use store::Holder;
use utoipa::ToSchema;

use super::json_body::JsonBody;
use crate::access::signin::Guest;
use crate::access::{Role, keys};
use crate::app::{App, Shared};
use crate::clock;
use crate::error::{ApiError, ErrorBody};

/// The longest name of a token or session, in characters.
const NAME_MAX_CHARS: usize = 100;

/// A token to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What the token is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// A token; shown this once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// To be sent as `Authorization: Bearer …`.
    pub token: String,
}

/// A sign-in link to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSigninLink {
    /// The name of the session; `operator` when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// What the session may do; `manager` when absent.
    #[serde(default)]
    pub role: Option<Role>,
}

/// A sign-in link: good for ten minutes and one browser.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct SigninLink {
    /// To be opened in a browser.
    pub url: String,
}

/// Makes a token for scripts.
#[utoipa::path(post, path = "/api/tokens", tag = "access", request_body = NewToken, responses(
    (status = 201, body = Token),
    (status = 400, body = ErrorBody, description = "a field cannot be taken"),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn add_token(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<NewToken>,
) -> Result<(StatusCode, Json<Token>), ApiError> {
    let name = checked_name(body.name)?;
    let holder = Holder::Token {
        name,
        role: body.role.to_string(),
    };
    let key = keys::make(holder, clock::now(), None)?;
    let credential = key.credential;
    app.with_store(move |store| store.add_credential(&credential))
        .await?;
    Ok((StatusCode::CREATED, Json(Token { token: key.text })))
}

/// Makes a one-time sign-in link for a browser.
#[utoipa::path(post, path = "/api/signin-links", tag = "access", request_body = NewSigninLink,
    responses(
        (status = 201, body = SigninLink),
        (status = 400, body = ErrorBody, description = "a field cannot be taken"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 409, body = ErrorBody, description = "the server takes no connections"),
    ))]
pub async fn add_signin_link(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<NewSigninLink>,
) -> Result<(StatusCode, Json<SigninLink>), ApiError> {
    let name = checked_name(body.name.unwrap_or_else(|| "operator".to_owned()))?;
    if body.role == Some(Role::Source) {
        return Err(ApiError::bad_request(
            "bad_field",
            "field \"role\" must be manager, technician or owner: a source has a token",
        ));
    }
    let guest = Guest {
        name,
        role: body.role.unwrap_or(Role::Manager),
    };
    let url = signin_url(&app, guest)?;
    Ok((StatusCode::CREATED, Json(SigninLink { url })))
}

/// A new sign-in link's address.
///
/// # Errors
/// Nothing listens that a browser could reach.
pub fn signin_url(app: &App, guest: Guest) -> Result<String, ApiError> {
    let Some(url) = &app.server.url else {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "not_listening",
            "the server takes no connections, so no browser could use the link; start it with \
             --listen",
        ));
    };
    let secret = app.signin.make(guest, clock::now())?;
    Ok(format!("{url}/signin/{secret}"))
}

fn checked_name(name: String) -> Result<String, ApiError> {
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_MAX_CHARS || name.chars().any(char::is_control) {
        return Err(ApiError::bad_request(
            "bad_field",
            "field \"name\" must have 1 to 100 characters, none of them a control character",
        ));
    }
    Ok(name)
}
