//! `token add`.

use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::json;

use super::DataArgs;
use super::backend::{Backend, with};
use crate::access::Role;

/// What to do with tokens.
#[derive(Subcommand)]
pub enum TokenCommand {
    /// Make a token for scripts; prints {"token"}.
    Add(AddArgs),
}

/// A token to make.
#[derive(Args)]
pub struct AddArgs {
    /// What the token is for.
    name: String,
    /// manager, technician, owner or source (brings drops, reads nothing)
    #[arg(long)]
    role: Role,
    #[command(flatten)]
    data: DataArgs,
}

/// Runs it.
pub async fn run(command: TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::Add(args) = command;
    let token = json!({ "name": args.name, "role": args.role });
    let backend = Backend::open_or_make(&args.data).await?;
    let answer = with(backend, async |api| {
        api.json(Method::POST, "/api/tokens", Some(&token)).await
    })
    .await?;
    println!("{answer}");
    Ok(())
}
