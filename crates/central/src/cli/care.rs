//! `machine pairing-code|rotate-key|agent-config|resend`: what concerns a machine's agent.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use axum::http::Method;
use clap::Args;
use serde_json::{Value, json};
use wire::MachineId;

use super::DataArgs;
use super::backend::{Backend, with};

/// Which machine, and how it reaches the server.
#[derive(Args)]
pub struct PairingCodeArgs {
    /// The machine's id.
    id: MachineId,
    /// The address by which the machine reaches this server [default: the one it is known by].
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    #[command(flatten)]
    data: DataArgs,
}

/// Which machine, and how its new key gets there.
#[derive(Args)]
pub struct RotateKeyArgs {
    /// The machine's id.
    id: MachineId,
    /// Hand the key to the agent with its next heartbeat, instead of printing it.
    #[arg(long)]
    by_heartbeat: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Which machine, and what it is to be configured with.
#[derive(Args)]
pub struct AgentConfigArgs {
    /// The machine's id.
    id: MachineId,
    /// Hand out this agent.toml with the machine's next heartbeat.
    #[arg(long, value_name = "FILE", conflicts_with = "withdraw")]
    set: Option<PathBuf>,
    /// Let the machine go back to its own file.
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    data: DataArgs,
}

/// Which machine, and which entries.
#[derive(Args)]
pub struct ResendArgs {
    /// The machine's id.
    id: MachineId,
    /// The epoch of its spool.
    #[arg(long, requires = "from", requires = "to")]
    epoch: Option<u64>,
    /// The first seq.
    #[arg(long, requires = "epoch")]
    from: Option<u64>,
    /// The last seq.
    #[arg(long, requires = "epoch")]
    to: Option<u64>,
    #[command(flatten)]
    data: DataArgs,
}

/// Prints {"machine_id","pairing_code","expires_at"}.
pub async fn pairing_code(args: PairingCodeArgs) -> anyhow::Result<Value> {
    let path = format!("/api/machines/{}/pairing-code", args.id);
    let body = match args.url {
        Some(url) => json!({ "url": url }),
        None => json!({}),
    };
    call(&args.data, Method::POST, &path, Some(body)).await
}

/// Prints {"machine_id","api_key"}, or {"machine_id","asked_at"} when it goes by heartbeat.
pub async fn rotate_key(args: RotateKeyArgs) -> anyhow::Result<Value> {
    let path = format!("/api/machines/{}/rotate-key", args.id);
    let body = args.by_heartbeat.then(|| json!({ "by": "heartbeat" }));
    call(&args.data, Method::POST, &path, body).await
}

/// Prints what the machine is to have, and what it says of it.
pub async fn agent_config(args: AgentConfigArgs) -> anyhow::Result<Value> {
    let path = format!("/api/machines/{}/agent-config", args.id);
    let (method, body) = match (args.set, args.withdraw) {
        (Some(file), _) => {
            let name = file.display();
            let toml = fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
            (Method::PUT, Some(json!({ "toml": toml })))
        }
        (None, true) => (Method::DELETE, None),
        (None, false) => (Method::GET, None),
    };
    call(&args.data, method, &path, body).await
}

/// Prints the request that was made, or every request to this machine with what came of it.
pub async fn resend(args: ResendArgs) -> anyhow::Result<Value> {
    let path = format!("/api/machines/{}/resend", args.id);
    let (method, body) = match (args.epoch, args.from, args.to) {
        (Some(epoch), Some(from), Some(to)) => (
            Method::POST,
            Some(json!({ "epoch": epoch, "from": from, "to": to })),
        ),
        _ => (Method::GET, None),
    };
    call(&args.data, method, &path, body).await
}

async fn call(
    data: &DataArgs,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let backend = Backend::open(data).await?;
    with(backend, async |api| {
        api.json(method, path, body.as_ref()).await
    })
    .await
}
