//! The configuration that a machine is to have: set, seen, withdrawn. It goes out with the answer to
//! the machine's next heartbeat.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::DesiredConfig;
use utoipa::ToSchema;
use wire::care::{CONFIG_MAX_BYTES, ConfigReport, ConfigState};
use wire::{MachineId, Micros};

use super::json_body::JsonBody;
use super::machines::machine_id;
use crate::app::{App, Shared};
use crate::clock;
use crate::error::{ApiError, ErrorBody};
use crate::events::Event;

/// Bytes of the hash that names a version.
const VERSION_BYTES: usize = 8;

/// A configuration to hand out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAgentConfig {
    /// The text of an `agent.toml`.
    pub toml: String,
}

/// What a machine is to have, and what it says of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AgentConfig {
    /// The machine.
    pub machine_id: MachineId,
    /// What it is to have; null: its own file.
    #[schema(required = true)]
    pub desired: Option<DesiredAgentConfig>,
    /// What its last heartbeat said; null: it runs with its own file and was never handed another.
    #[schema(required = true)]
    pub reported: Option<ConfigReport>,
    /// When that heartbeat came.
    #[schema(required = true)]
    pub reported_at: Option<String>,
}

/// A configuration that is handed out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DesiredAgentConfig {
    /// Names it.
    pub version: String,
    /// The text of its `agent.toml`.
    pub toml: String,
    /// When it was set.
    pub set_at: String,
}

/// What a machine is to be configured with, and what it says of it.
#[utoipa::path(get, path = "/api/machines/{id}/agent-config", tag = "machines",
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = AgentConfig),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn get_agent_config(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<AgentConfig>, ApiError> {
    Ok(Json(read(&app, machine_id(&id)?).await?))
}

/// Hands a configuration out with the machine's next heartbeat. The agent checks it as a file is
/// checked, tries it, and goes back by itself when it does not reach this server with it. The same
/// text again is another try when it was refused or rolled back, and else changes nothing.
#[utoipa::path(put, path = "/api/machines/{id}/agent-config", tag = "machines",
    request_body = NewAgentConfig,
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = AgentConfig),
        (status = 400, body = ErrorBody, description = "no agent would take it"),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
        (status = 413, body = ErrorBody, description = "it is too large"),
    ))]
pub async fn set_agent_config(
    State(app): State<Shared>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewAgentConfig>,
) -> Result<Json<AgentConfig>, ApiError> {
    let id = machine_id(&id)?;
    check(&id, &body.toml)?;
    let now = clock::now();
    let before = read(&app, id.clone()).await?;
    if !is_there_already(&before, &body.toml) {
        let config = DesiredConfig {
            version: version(&body.toml, now),
            toml: body.toml,
            set_at: now,
        };
        change(&app, &id, Some(config)).await?;
    }
    Ok(Json(read(&app, id).await?))
}

/// Withdraws it: with its next heartbeat the machine goes back to its own file.
#[utoipa::path(delete, path = "/api/machines/{id}/agent-config", tag = "machines",
    params(("id" = MachineId, Path, description = "the machine")),
    responses(
        (status = 200, body = AgentConfig),
        (status = 401, body = ErrorBody, description = "no valid credential"),
        (status = 404, body = ErrorBody, description = "there is no such machine"),
    ))]
pub async fn withdraw_agent_config(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<AgentConfig>, ApiError> {
    let id = machine_id(&id)?;
    change(&app, &id, None).await?;
    Ok(Json(read(&app, id).await?))
}

async fn read(app: &App, id: MachineId) -> Result<AgentConfig, ApiError> {
    let now = clock::now();
    let wanted = id.clone();
    let (care, facts) = app
        .with_store(move |store| Ok((store.care(&wanted)?, store.machine_facts(&wanted, now)?)))
        .await?;
    let (at, beat) = facts.heartbeat.unzip();
    Ok(AgentConfig {
        machine_id: id,
        desired: care.config.map(|config| DesiredAgentConfig {
            version: config.version,
            toml: config.toml,
            set_at: config.set_at.to_rfc3339(),
        }),
        reported: beat.and_then(|beat| beat.config),
        reported_at: at.map(Micros::to_rfc3339),
    })
}

async fn change(app: &App, id: &MachineId, config: Option<DesiredConfig>) -> Result<(), ApiError> {
    let wanted = id.clone();
    app.with_store(move |store| store.set_agent_config(&wanted, config.as_ref()))
        .await?;
    app.events.publish(Event::Machine(id.clone()));
    Ok(())
}

/// The same text is handed out, and the machine has not turned it down.
fn is_there_already(before: &AgentConfig, toml: &str) -> bool {
    let Some(desired) = before
        .desired
        .as_ref()
        .filter(|desired| desired.toml == toml)
    else {
        return false;
    };
    let turned_down = before.reported.as_ref().is_some_and(|reported| {
        reported.version == desired.version
            && matches!(
                reported.state,
                ConfigState::Refused | ConfigState::RolledBack
            )
    });
    !turned_down
}

/// A hash of the text and of the moment: the same text can be tried again.
fn version(toml: &str, now: Micros) -> String {
    let digest = Sha256::new()
        .chain_update(now.0.to_be_bytes())
        .chain_update(toml)
        .finalize();
    let bytes = digest.iter().take(VERSION_BYTES);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// What can be told without the agent: it is TOML, of this machine, and keeps the link that it would
/// be taken back by.
fn check(id: &MachineId, toml: &str) -> Result<(), ApiError> {
    if toml.len() > CONFIG_MAX_BYTES {
        return Err(ApiError::too_large(format!(
            "the configuration has more than {CONFIG_MAX_BYTES} bytes"
        )));
    }
    let bad = |what: String| ApiError::bad_request("bad_config", what);
    let table: toml::Table = toml.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            let before = toml.as_bytes().iter().take(span.start);
            before.filter(|byte| **byte == b'\n').count() + 1
        });
        bad(format!(
            "line {line}: {}",
            error.message().replace('\n', " ")
        ))
    })?;
    if table.get("machine_id").and_then(toml::Value::as_str) != Some(id.as_str()) {
        return Err(bad(format!("machine_id must be \"{id}\" in it")));
    }
    let wifi = table.get("wifi").and_then(toml::Value::as_table);
    let is_on = |wifi: &toml::Table| wifi.get("enabled") != Some(&toml::Value::Boolean(false));
    if !wifi.is_some_and(is_on) {
        return Err(bad(
            "[wifi] must be there and enabled: without it the machine could not be reached again"
                .to_owned(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(toml: &str) -> String {
        match check(&"VM001".parse().unwrap(), toml) {
            Ok(()) => "taken".to_owned(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn what_no_agent_would_take_is_refused_at_once() {
        let good = "machine_id = \"VM001\"\n[wifi]\nurl = \"https://ops\"\n";
        assert_eq!(refusal(good), "taken");
        assert!(refusal("machine_id = \"VM001\"\nx = [").contains("line 2"));
        assert!(refusal("[wifi]\n").contains("machine_id must be"));
        assert!(refusal(&good.replace("VM001", "VM002")).contains("VM001"));
        assert!(refusal(&good.replace("[wifi]", "[wlan]")).contains("[wifi]"));
        assert!(refusal(&format!("{good}enabled = false\n")).contains("enabled"));
        let long = format!("{good}# {}", "x".repeat(CONFIG_MAX_BYTES));
        assert!(refusal(&long).contains("32768"));
    }

    #[test]
    fn the_same_text_is_a_new_version_at_another_moment() {
        assert_eq!(version("a", Micros(1)).len(), 16);
        assert_eq!(version("a", Micros(1)), version("a", Micros(1)));
        assert_ne!(version("a", Micros(1)), version("a", Micros(2)));
        assert_ne!(version("a", Micros(1)), version("b", Micros(1)));
    }
}
