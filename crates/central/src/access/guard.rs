//! The guard in front of every route: finds out who is calling, refuses who is nobody, and checks
//! per group of routes whether this caller may. What is not listed as open is closed.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::{Holder, KeyState};

use super::caller::{Caller, Need, Role};
use super::tries::WINDOW_US;
use super::{basic, keys, sessions};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::{clock, ui};

/// The only paths that need no credential: liveness, the link that gives a session, and pairing,
/// whose body holds a one-time secret.
fn is_open(path: &str) -> bool {
    path == "/healthz" || path == "/api/pair" || path.starts_with("/signin/")
}

/// Finds out who is calling and hands it on as a request extension, or answers 401.
pub async fn identify(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    let trusted = request.extensions().get::<Caller>().is_some();
    if trusted || is_open(request.uri().path()) {
        return next.run(request).await;
    }
    let brings_drops = is_delivery(request.method(), request.uri().path());
    let caller = match sent_basic(request.headers()) {
        Some(sent) if brings_drops => source_of(&app, sent, peer(&request)).await,
        _ => caller_of(&app, request.method(), request.uri(), request.headers()).await,
    };
    match caller {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(None) if ui::is_page_request(&request) => ui::signed_out_page(),
        Ok(None) if brings_drops => ask_for_basic(),
        Ok(None) => ApiError::unauthorized(
            "a valid key, token or session is needed; send it as \"Authorization: Bearer …\"",
        )
        .into_response(),
        Err(error) => error.into_response(),
    }
}

/// Refuses callers who may not use this group of routes; see [`Need`].
pub async fn require(need: Need, request: Request, next: Next) -> Response {
    match request.extensions().get::<Caller>() {
        Some(caller) if caller.may(need) => next.run(request).await,
        Some(caller) => refusal(need, caller).into_response(),
        None => ApiError::unauthorized("a credential is needed").into_response(),
    }
}

fn refusal(need: Need, caller: &Caller) -> ApiError {
    match (need, caller) {
        (Need::Machine, _) => ApiError::forbidden(
            "needs_machine_key",
            "only a machine's own key may send for it",
        ),
        (_, Caller::Machine(_)) => ApiError::forbidden(
            "machine_key",
            "a machine's key only sends logs and heartbeats; read with a token or a session",
        ),
        (_, Caller::Source(_))
        | (
            _,
            Caller::Person {
                role: Role::Source, ..
            },
        ) => ApiError::forbidden(
            "source_only",
            "this credential only brings drops; read with a token or a session of another role",
        ),
        (Need::Deliver, _) => ApiError::forbidden(
            "needs_source",
            "drops are brought with a source's user and password, or a token of the role source",
        ),
        (Need::Manager, _) => ApiError::forbidden("needs_manager", "this needs the role manager"),
        _ => ApiError::forbidden("needs_admin", "only the admin of this server may do this"),
    }
}

async fn caller_of(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<Caller>, ApiError> {
    if let Some(key) = bearer(headers) {
        return holder_of(app, key, false)
            .await
            .map(|holder| holder.and_then(caller));
    }
    let Some(cookie) = sessions::cookie_value(headers) else {
        return Ok(None);
    };
    let Some(person) = holder_of(app, cookie, true).await?.and_then(caller) else {
        return Ok(None);
    };
    if writes(method) && is_foreign(uri, headers) {
        return Err(ApiError::forbidden(
            "foreign_origin",
            "another site asked for this in the name of a signed-in browser; refused",
        ));
    }
    Ok(Some(person))
}

/// A file on its way in: the only call that takes a user and a password.
fn is_delivery(method: &Method, path: &str) -> bool {
    *method == Method::POST && path.starts_with("/api/drops/")
}

/// Many programs send user and password only after they were asked for them.
fn ask_for_basic() -> Response {
    let mut response = ApiError::unauthorized(
        "the user and password of a source of kind http are needed, or a token of the role source",
    )
    .into_response();
    let challenge = HeaderValue::from_static("Basic realm=\"vendlog\", charset=\"UTF-8\"");
    response
        .headers_mut()
        .append(header::WWW_AUTHENTICATE, challenge);
    response
}

fn peer(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.0.ip())
}

fn sent_basic(headers: &HeaderMap) -> Option<basic::Sent> {
    basic::parse(headers.get(header::AUTHORIZATION)?.to_str().ok()?)
}

/// The source whose user and password these are. A password is shorter than a key: an address may
/// guess only so often.
async fn source_of(
    app: &App,
    sent: basic::Sent,
    peer: Option<IpAddr>,
) -> Result<Option<Caller>, ApiError> {
    let now = clock::now();
    let too_many = || {
        ApiError::too_many(
            (WINDOW_US / wire::time::SECOND_US) as u32,
            "too many wrong passwords from this address; try again in a minute",
        )
    };
    if peer.is_some_and(|peer| app.basic_tries.is_spent(peer, now)) {
        return Err(too_many());
    }
    if let Some(id) = app.sources.opened_by(&sent) {
        return Ok(Some(Caller::Source(id)));
    }
    if peer.is_some_and(|peer| !app.basic_tries.count(peer, now)) {
        return Err(too_many());
    }
    Ok(None)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Whom this key lets in, if it holds; sessions only by cookie, keys and tokens only as Bearer.
async fn holder_of(app: &App, text: &str, by_cookie: bool) -> Result<Option<Holder>, ApiError> {
    let Some(parts) = keys::parse(text) else {
        return Ok(None);
    };
    if (parts.kind == keys::KeyKind::Session) != by_cookie {
        return Ok(None);
    }
    let key_id = parts.key_id.to_owned();
    let found = app
        .with_store(move |store| store.credential(&key_id))
        .await?;
    let now = clock::now();
    let Some(credential) = found.filter(|found| keys::opens(parts, found, now)) else {
        return Ok(None);
    };
    if credential.state != KeyState::InUse {
        let key_id = credential.key_id;
        let noted = app
            .with_store(move |store| store.key_used(&key_id, now))
            .await;
        if let Err(error) = noted {
            // The key is good all the same; its next use is noted then.
            tracing::warn!(code = error.code(), "the first use of a key was not noted");
        }
    }
    Ok(Some(credential.holder))
}

fn caller(holder: Holder) -> Option<Caller> {
    match holder {
        Holder::Machine(id) => Some(Caller::Machine(id)),
        Holder::Token { name, role } | Holder::Session { name, role } => Some(Caller::Person {
            name,
            role: role.parse().ok()?,
        }),
    }
}

fn writes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a browser says that another site made it send this. Without the headers it is no browser
/// of this decade, and the cookie's SameSite stands alone.
fn is_foreign(uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else {
        return false;
    };
    // HTTP/2 names the host in the address, HTTP/1 in a header.
    let host = uri
        .authority()
        .map(|host| host.as_str())
        .or_else(|| text("host"));
    host.is_none() || origin.strip_prefix("https://") != host
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn another_sites_request_is_told_from_our_own() {
        let http1 = Uri::from_static("/api/machines");
        let host = ("host", "ops:4433");
        assert!(!is_foreign(&http1, &headers(&[host])));
        assert!(!is_foreign(
            &http1,
            &headers(&[host, ("origin", "https://ops:4433")])
        ));
        for (name, value, foreign) in [
            ("origin", "https://evil.example", true),
            ("origin", "null", true),
            ("sec-fetch-site", "cross-site", true),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "same-origin", false),
        ] {
            assert_eq!(
                is_foreign(&http1, &headers(&[host, (name, value)])),
                foreign,
                "{value}"
            );
        }
        let http2 = Uri::from_static("https://ops:4433/api/machines");
        assert!(!is_foreign(
            &http2,
            &headers(&[("origin", "https://ops:4433")])
        ));
        assert!(is_foreign(
            &http2,
            &headers(&[("origin", "https://evil.example")])
        ));
        assert!(
            is_foreign(&http1, &headers(&[("origin", "https://ops:4433")])),
            "no host at all"
        );
    }
}
