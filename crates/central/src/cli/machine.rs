//! `machine add|list|remove`; what concerns a machine's agent is in `care`.

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wire::MachineId;

use super::backend::{Backend, with};
use super::{DataArgs, care};

/// What to do with machines.
#[derive(Subcommand)]
pub enum MachineCommand {
    /// Register a machine; prints {"machine_id","api_key","pairing_code"}.
    Add(AddArgs),
    /// Print every machine with its status.
    List(DataArgs),
    /// Make a new key; prints {"machine_id","api_key"}. The one before stays good until the next.
    RotateKey(care::RotateKeyArgs),
    /// Make a code for `vendlog-agent pair`; prints {"machine_id","pairing_code","expires_at"}.
    PairingCode(care::PairingCodeArgs),
    /// Print, set or withdraw the configuration that the server hands to a machine's agent.
    AgentConfig(care::AgentConfigArgs),
    /// Ask a machine to send entries once more, or print what came of such requests.
    Resend(care::ResendArgs),
    /// Forget a machine and its keys; its entries stay until retention.
    Remove(MachineArgs),
}

/// One machine.
#[derive(Args)]
pub struct MachineArgs {
    /// The machine's id.
    id: MachineId,
    #[command(flatten)]
    data: DataArgs,
}

/// A machine to register.
#[derive(Args)]
pub struct AddArgs {
    /// 1 to 10 of A-Z a-z 0-9 _ -
    id: MachineId,
    /// A name for people.
    #[arg(long, default_value = "")]
    name: String,
    /// Where it stands.
    #[arg(long, default_value = "")]
    location: String,
    /// IANA zone such as America/Los_Angeles.
    #[arg(long, default_value = "")]
    timezone: String,
    /// The customer site.
    #[arg(long, default_value = "")]
    site: String,
    /// The service route.
    #[arg(long, default_value = "")]
    route: String,
    #[command(flatten)]
    data: DataArgs,
}

/// Runs it.
pub async fn run(command: MachineCommand) -> anyhow::Result<()> {
    let answer = match command {
        MachineCommand::Add(args) => add(args).await?,
        MachineCommand::List(data) => {
            let backend = Backend::open(&data).await?;
            with(backend, async |api| {
                api.json(Method::GET, "/api/machines", None).await
            })
            .await?
        }
        MachineCommand::RotateKey(args) => care::rotate_key(args).await?,
        MachineCommand::PairingCode(args) => care::pairing_code(args).await?,
        MachineCommand::AgentConfig(args) => care::agent_config(args).await?,
        MachineCommand::Resend(args) => care::resend(args).await?,
        MachineCommand::Remove(args) => {
            let path = format!("/api/machines/{}", args.id);
            let backend = Backend::open(&args.data).await?;
            with(backend, async |api| {
                api.json(Method::DELETE, &path, None).await
            })
            .await?;
            json!({ "machine_id": args.id })
        }
    };
    println!("{answer}");
    Ok(())
}

async fn add(args: AddArgs) -> anyhow::Result<Value> {
    let machine = json!({
        "machine_id": args.id,
        "name": args.name,
        "location": args.location,
        "timezone": args.timezone,
        "site": args.site,
        "route": args.route,
    });
    let backend = Backend::open_or_make(&args.data).await?;
    let added = with(backend, async |api| {
        api.json(Method::POST, "/api/machines", Some(&machine))
            .await
    })
    .await?;
    Ok(json!({
        "machine_id": added["machine_id"],
        "api_key": added["api_key"],
        "pairing_code": added["pairing_code"],
    }))
}
