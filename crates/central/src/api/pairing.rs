//! Pairing: a code for a machine, and the one open call that turns it into the machine's key.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use store::{Credential, Holder, KeyState, StoredPairing};
use subtle::ConstantTimeEq;
use tokio::time::timeout;
use utoipa::ToSchema;
use wire::care::KeyText;
use wire::pairing::{PairAnswer, PairRequest};
use wire::time::{DAY_US, MINUTE_US};
use wire::{MachineId, Micros, PairingCode};

use super::json_body::JsonBody;
use super::machines::machine_id;
use crate::access::keys;
use crate::access::tries::WINDOW_US;
use crate::agent_toml::agent_toml;
use crate::app::{App, Shared};
use crate::clock;
use crate::error::{ApiError, ErrorBody};
use crate::ingest::body::read_small;

/// How long a code can be used: a Pi is set up in the workshop and fitted a few days later.
pub const CODE_LIFE_US: i64 = 7 * DAY_US;
/// After its first use a code can be used again for so long, as long as the key that it gave was not
/// used: the answer may have been lost on the way.
pub const RETRY_US: i64 = 10 * MINUTE_US;
/// The body of a pairing has some 60 bytes.
const BODY_MAX_BYTES: usize = 512;
/// Who takes longer to send them does not mean to pair.
const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// What a code is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPairingCode {
    /// `https://host[:port]` by which the machine reaches this server; when absent, the address that
    /// it is known by.
    #[serde(default)]
    pub url: Option<String>,
}

/// A pairing code; shown this once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PairingCodeMade {
    /// The machine that it is for.
    pub machine_id: MachineId,
    /// For `vendlog-agent pair`; good once.
    pub pairing_code: String,
    /// When it ends.
    pub expires_at: String,
}

/// Makes a pairing code for a machine; the one before it is void.
#[utoipa::path(post, path = "/api/machines/{id}/pairing-code", tag = "machines",
    request_body = NewPairingCode,
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 201, body = PairingCodeMade),
        (status = 400, body = ErrorBody, description = "the url cannot be taken"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
        (status = 409, body = ErrorBody, description = "the server takes no connections"),
    ))]
pub async fn add_pairing_code(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewPairingCode>,
) -> Result<(StatusCode, Json<PairingCodeMade>), ApiError> {
    let machine = machine_id(&id)?;
    let now = clock::now();
    let url = body.url.as_deref().map(|url| url.trim_end_matches('/'));
    if url.is_some_and(|url| !PairingCode::takes_url(url)) {
        return Err(ApiError::bad_request(
            "bad_field",
            "field \"url\" must be https://HOST or https://HOST:PORT and no more",
        ));
    }
    let made = make_code(&app, &machine, url, now).await?;
    let Some(pairing_code) = made else {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "not_listening",
            "the server takes no connections, so no machine could pair with it; start it with \
             --listen, or say how it will be reached (url)",
        ));
    };
    let made = PairingCodeMade {
        machine_id: machine,
        pairing_code,
        expires_at: now.plus_us(CODE_LIFE_US).to_rfc3339(),
    };
    Ok((StatusCode::CREATED, Json(made)))
}

/// A new code of a machine that is registered; `None` when nobody could reach this server with it.
///
/// # Errors
/// There is no such machine, or the store failed.
pub async fn make_code(
    app: &App,
    machine: &MachineId,
    url: Option<&str>,
    now: Micros,
) -> Result<Option<String>, ApiError> {
    let url = url.or(app.server.url.as_deref());
    let url = url.filter(|url| PairingCode::takes_url(url));
    let pin = app.server.pin.as_deref().and_then(pin_bytes);
    let (Some(url), Some(pin)) = (url, pin) else {
        return Ok(None);
    };
    let code = PairingCode {
        machine_id: machine.clone(),
        url: url.to_owned(),
        pin,
        secret: keys::random()?,
    };
    let stored = StoredPairing {
        machine: machine.clone(),
        sha256: keys::sha256(&code.secret_text()),
        created_at: now,
        expires_at: now.plus_us(CODE_LIFE_US),
        used: None,
    };
    app.with_store(move |store| store.set_pairing_code(&stored))
        .await?;
    Ok(Some(code.to_string()))
}

/// `sha256/<base64>` as bytes.
fn pin_bytes(pin: &str) -> Option<[u8; 32]> {
    let base64 = pin.strip_prefix("sha256/")?;
    STANDARD.decode(base64).ok()?.try_into().ok()
}

/// Turns the secret of a pairing code into the key of its machine: once, or again for a few minutes
/// while that key was not used.
#[utoipa::path(post, path = "/api/pair", tag = "machines' own", security(()),
    request_body = PairRequest,
    responses(
        (status = 200, body = PairAnswer),
        (status = 400, body = ErrorBody, description = "no pairing request"),
        (status = 401, body = ErrorBody, description = "the code is not known, or replaced"),
        (status = 410, body = ErrorBody, description = "the code was used or has ended"),
        (status = 429, body = ErrorBody, description = "too many tries from this address"),
    ))]
pub async fn pair(
    State(app): State<Shared>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    body: Body,
) -> Result<Json<PairAnswer>, ApiError> {
    let now = clock::now();
    // Without an address it came through the admin socket or the window.
    if let Some(Extension(ConnectInfo(peer))) = peer
        && !app.pairing_tries.count(peer.ip(), now)
    {
        return Err(ApiError::too_many(
            (WINDOW_US / wire::time::SECOND_US) as u32,
            "too many tries to pair from this address; try again in a minute",
        ));
    }
    let secret = read_secret(body).await?;
    let machine = use_code(&app, &secret, now).await?;
    let id = machine.0.clone();
    let found = app.with_store(move |store| store.machine(&id)).await?;
    let found = found.ok_or_else(unknown)?;
    tracing::info!(machine = %found.id, "a machine was paired");
    Ok(Json(PairAnswer {
        agent_toml: agent_toml(&found, &app.server),
        machine_id: found.id,
        api_key: KeyText(machine.1),
        dictionary: app.dictionaries.for_new_agent(),
    }))
}

async fn read_secret(body: Body) -> Result<String, ApiError> {
    let bad = |what: String| ApiError::bad_request("bad_pairing", what);
    let bytes = timeout(BODY_DEADLINE, read_small(body, BODY_MAX_BYTES))
        .await
        .map_err(|_| bad("the body did not come in time".to_owned()))??;
    let request: PairRequest = serde_json::from_slice(&bytes).map_err(|_| {
        bad("the body must be {\"secret\"} with a pairing code's secret".to_owned())
    })?;
    let secret = request.secret.0;
    let is_secret = URL_SAFE_NO_PAD
        .decode(&secret)
        .is_ok_and(|bytes| bytes.len() == 32);
    match is_secret {
        true => Ok(secret),
        false => Err(bad(
            "the secret must be 32 bytes as base64url, as vendlog-agent pair sends it".to_owned(),
        )),
    }
}

/// The machine and the text of its new key.
async fn use_code(app: &App, secret: &str, now: Micros) -> Result<(MachineId, String), ApiError> {
    let sha256 = keys::sha256(secret);
    let (sender, receiver) = mpsc::sync_channel(1);
    app.with_store(move |store| {
        store.use_pairing_code(sha256, now, move |code| {
            let (key, outcome) = match decide(code, &sha256, now) {
                Ok((credential, paired)) => (Some(credential), Ok(paired)),
                Err(error) => (None, Err(error)),
            };
            let _ = sender.send(outcome);
            key
        })
    })
    .await?;
    receiver
        .try_recv()
        .unwrap_or_else(|_| Err(ApiError::internal("a pairing was not decided")))
}

/// Whether this code may be used now, and the key it gives.
fn decide(
    code: Option<&StoredPairing>,
    sha256: &[u8; 32],
    now: Micros,
) -> Result<(Credential, (MachineId, String)), ApiError> {
    let code = code.filter(|code| bool::from(code.sha256.ct_eq(sha256)));
    let code = code.ok_or_else(unknown)?;
    let gone = |code, message: &str| ApiError::new(StatusCode::GONE, code, message);
    match code.used {
        None if now >= code.expires_at => {
            return Err(gone(
                "code_expired",
                "the pairing code has ended (it is good for 7 days); make a new one",
            ));
        }
        Some(used) if !used.key_waits || now.since_us(used.at) > RETRY_US => {
            return Err(gone(
                "code_used",
                "the pairing code was used already; make a new one",
            ));
        }
        _ => {}
    }
    let mut key = keys::make(Holder::Machine(code.machine.clone()), now, None)?;
    key.credential.state = KeyState::ByPairing;
    Ok((key.credential, (code.machine.clone(), key.text)))
}

fn unknown() -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "unknown_code",
        "the pairing code is not known here: a newer one was made for its machine, or the machine \
         was removed; make a new one",
    )
}

#[cfg(test)]
mod tests {
    use store::PairingUse;

    use super::*;

    fn code() -> StoredPairing {
        StoredPairing {
            machine: "VM001".parse().unwrap(),
            sha256: [7; 32],
            created_at: Micros(0),
            expires_at: Micros(CODE_LIFE_US),
            used: None,
        }
    }

    fn refusal(code: Option<&StoredPairing>, sha256: u8, now: i64) -> &'static str {
        match decide(code, &[sha256; 32], Micros(now)) {
            Ok(_) => "taken",
            Err(error) => error.code(),
        }
    }

    #[test]
    fn a_code_is_good_for_seven_days_and_once() {
        assert_eq!(refusal(Some(&code()), 7, CODE_LIFE_US - 1), "taken");
        assert_eq!(refusal(Some(&code()), 7, CODE_LIFE_US), "code_expired");
        assert_eq!(refusal(Some(&code()), 8, 0), "unknown_code");
        assert_eq!(refusal(None, 7, 0), "unknown_code");
        let used = |at, key_waits| StoredPairing {
            used: Some(PairingUse {
                at: Micros(at),
                key_waits,
            }),
            ..code()
        };
        assert_eq!(refusal(Some(&used(5, true)), 7, 5 + RETRY_US), "taken");
        assert_eq!(refusal(Some(&used(5, true)), 7, 6 + RETRY_US), "code_used");
        assert_eq!(refusal(Some(&used(5, false)), 7, 6), "code_used");
        let late = CODE_LIFE_US - 1;
        assert_eq!(
            refusal(Some(&used(late, true)), 7, late + 1_000_000),
            "taken",
            "an answer that was lost at the very end"
        );
    }

    #[test]
    fn the_key_of_a_pairing_waits_for_its_first_use() {
        let (credential, (machine, text)) = decide(Some(&code()), &[7; 32], Micros(0)).unwrap();
        assert_eq!(credential.state, KeyState::ByPairing);
        assert_eq!(machine.as_str(), "VM001");
        assert!(text.starts_with("vl_"));
    }
}
