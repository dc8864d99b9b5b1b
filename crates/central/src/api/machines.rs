//! The machines: list, status, add, remove, a new key.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use store::Holder;
use utoipa::ToSchema;
use wire::MachineId;

use super::json_body::JsonBody;
use super::machine_body::{MachineChange, NewMachine};
use super::machine_view::MachineView;
use super::pairing;
use crate::access::keys;
use crate::agent_toml::agent_toml;
use crate::app::Shared;
use crate::clock;
use crate::drops::quarantine::{Reason, retry_waiting_soon};
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// Every machine.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Machines {
    /// By id.
    pub machines: Vec<MachineView>,
    /// The server's time of this answer.
    pub as_of: String,
}

/// A machine that was added; the key is shown this once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MachineAdded {
    /// Its id.
    pub machine_id: MachineId,
    /// For the agent's `api_key_file`.
    pub api_key: String,
    /// For `vendlog-agent pair` on the machine, instead of copying the key and the configuration; good
    /// once and for seven days. Null while the server takes no connections.
    #[schema(required = true)]
    pub pairing_code: Option<String>,
    /// The agent's configuration, ready to copy; it does not hold the key.
    pub agent_toml: String,
}

/// A new key of a machine; the one before stays good until the next, so that agents can change over.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MachineKey {
    /// Its id.
    pub machine_id: MachineId,
    /// For the agent's `api_key_file`.
    pub api_key: String,
}

/// How a new key is to come to its machine.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    /// `answer` when absent.
    #[serde(default)]
    pub by: RotateBy,
}

/// How a new key comes to its machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RotateBy {
    /// Whoever asks is shown it, and brings it there.
    #[default]
    Answer,
    /// The answer to the machine's next heartbeat holds it.
    Heartbeat,
}

/// A rotation that waits for the machine's next heartbeat.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RotationAsked {
    /// The machine.
    pub machine_id: MachineId,
    /// When it was asked for.
    pub asked_at: String,
}

/// Every machine with its status, counts and last contact.
#[utoipa::path(get, path = "/api/machines", tag = "machines", responses(
    (status = 200, body = Machines),
    (status = 401, body = ErrorBody, description = "no valid credential"),
))]
pub async fn get_machines(State(app): State<Shared>) -> Result<Json<Machines>, ApiError> {
    let now = clock::now();
    let facts = app.with_store(move |store| store.fleet_facts(now)).await?;
    let view = |facts| MachineView::new(facts, &app.judge, now);
    let machines = facts.into_iter().map(view).collect();
    Ok(Json(Machines {
        machines,
        as_of: now.to_rfc3339(),
    }))
}

/// One machine with its status.
#[utoipa::path(get, path = "/api/machines/{id}/status", tag = "machines",
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = MachineView),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn get_machine_status(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<MachineView>, ApiError> {
    let id = machine_id(&id)?;
    let now = clock::now();
    let facts = app
        .with_store(move |store| store.machine_facts(&id, now))
        .await?;
    Ok(Json(MachineView::new(facts, &app.judge, now)))
}

/// Registers a machine and makes its key. Drops of it that wait in quarantine are read by themselves.
#[utoipa::path(post, path = "/api/machines", tag = "machines", request_body = NewMachine,
    responses(
        (status = 201, body = MachineAdded),
        (status = 400, body = ErrorBody, description = "a field cannot be taken"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 409, body = ErrorBody, description = "the machine exists already"),
    ))]
pub async fn add_machine(
    State(app): State<Shared>,
    JsonBody(body): JsonBody<NewMachine>,
) -> Result<(StatusCode, Json<MachineAdded>), ApiError> {
    let now = clock::now();
    let machine = body.checked(now)?;
    let key = keys::make(Holder::Machine(machine.id.clone()), now, None)?;
    let agent_toml = agent_toml(&machine, &app.server);
    let machine_id = machine.id.clone();
    let credential = key.credential;
    app.with_store(move |store| store.add_machine(&machine, &credential))
        .await?;
    app.events.publish(Event::Machines);
    retry_waiting_soon(&app, Reason::Machine(machine_id.clone()));
    let pairing_code = pairing::make_code(&app, &machine_id, None, now).await?;
    let added = MachineAdded {
        machine_id,
        api_key: key.text,
        pairing_code,
        agent_toml,
    };
    Ok((StatusCode::CREATED, Json(added)))
}

/// Changes what is said of a machine: name, site, owner, opening hours and the like. What is absent
/// stays; the id cannot be changed.
#[utoipa::path(patch, path = "/api/machines/{id}", tag = "machines", request_body = MachineChange,
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = MachineView),
        (status = 400, body = ErrorBody, description = "a field cannot be taken"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn change_machine(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<MachineChange>,
) -> Result<Json<MachineView>, ApiError> {
    let id = machine_id(&id)?;
    // From reading to writing, so that of two changes none is lost.
    let _changing = app.alerting.changing.lock().await;
    let wanted = id.clone();
    let before = app
        .with_store(move |store| {
            let machine = store.machine(&wanted)?;
            machine.ok_or(store::StoreError::NoSuchMachine(wanted))
        })
        .await?;
    let machine = body.checked(before)?;
    let now = clock::now();
    let facts = app
        .with_store(move |store| {
            store.change_machine(&machine)?;
            store.machine_facts(&id, now)
        })
        .await?;
    app.events.publish(Event::Machines);
    Ok(Json(MachineView::new(facts, &app.judge, now)))
}

/// Forgets a machine and its keys; its entries stay until retention.
#[utoipa::path(delete, path = "/api/machines/{id}", tag = "machines",
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 204, description = "removed"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn remove_machine(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id = machine_id(&id)?;
    app.with_store(move |store| store.remove_machine(&id))
        .await?;
    app.events.publish(Event::Machines);
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a further key for a machine. Two are good at once: the new one and the one before. By
/// heartbeat nobody is shown it: the agent takes it over by itself, and the keys before it end a
/// quarter of an hour after its first use.
#[utoipa::path(post, path = "/api/machines/{id}/rotate-key", tag = "machines",
    request_body = RotateKey,
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = MachineKey),
        (status = 202, body = RotationAsked, description = "by heartbeat: with the next one"),
        (status = 400, body = ErrorBody, description = "by is neither answer nor heartbeat"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn rotate_key(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<RotateKey>,
) -> Result<Response, ApiError> {
    let id = machine_id(&id)?;
    if body.by == RotateBy::Heartbeat {
        let (asked_at, machine_id) = (clock::now(), id.clone());
        app.with_store(move |store| store.ask_rotation(&id, asked_at))
            .await?;
        let asked = RotationAsked {
            machine_id,
            asked_at: asked_at.to_rfc3339(),
        };
        return Ok((StatusCode::ACCEPTED, Json(asked)).into_response());
    }
    let key = keys::make(Holder::Machine(id.clone()), clock::now(), None)?;
    let credential = key.credential;
    let wanted = id.clone();
    app.with_store(move |store| {
        if store.machine(&wanted)?.is_none() {
            return Err(store::StoreError::NoSuchMachine(wanted));
        }
        store.add_credential(&credential)
    })
    .await?;
    let made = MachineKey {
        machine_id: id,
        api_key: key.text,
    };
    Ok(Json(made).into_response())
}

/// The id in a path.
///
/// # Errors
/// It is none.
pub fn machine_id(text: &str) -> Result<MachineId, ApiError> {
    text.parse()
        .map_err(|error: wire::machine_id::MachineIdError| {
            ApiError::bad_request("bad_machine_id", error.to_string())
        })
}
