//! The machines: list, status, add, remove, a new key.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use store::Holder;
use utoipa::ToSchema;
use wire::MachineId;

use super::json_body::JsonBody;
use super::machine_body::NewMachine;
use super::machine_view::MachineView;
use crate::access::keys;
use crate::agent_toml::agent_toml;
use crate::app::Shared;
use crate::clock;
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
    /// Null until pairing by code is there.
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

/// Registers a machine and makes its key.
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
    let added = MachineAdded {
        machine_id,
        api_key: key.text,
        pairing_code: None,
        agent_toml,
    };
    Ok((StatusCode::CREATED, Json(added)))
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

/// Makes a further key for a machine. Two are good at once: the new one and the one before.
#[utoipa::path(post, path = "/api/machines/{id}/rotate-key", tag = "machines",
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = MachineKey),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn rotate_key(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<MachineKey>, ApiError> {
    let id = machine_id(&id)?;
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
    Ok(Json(MachineKey {
        machine_id: id,
        api_key: key.text,
    }))
}

fn machine_id(text: &str) -> Result<MachineId, ApiError> {
    text.parse()
        .map_err(|error: wire::machine_id::MachineIdError| {
            ApiError::bad_request("bad_machine_id", error.to_string())
        })
}
