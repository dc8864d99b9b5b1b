//! `logs dump`.

use std::io::{self, Write};

use anyhow::Context;
use axum::body::Body;
use axum::http::Method;
use clap::{Args, Subcommand};
use http_body_util::BodyExt;
use wire::MachineId;

use super::DataArgs;
use super::backend::{Backend, with};

/// What to do with stored entries.
#[derive(Subcommand)]
pub enum LogsCommand {
    /// Print every entry as NDJSON, decrypted, in order of (filed_at, epoch, seq).
    Dump(DumpArgs),
}

/// Which entries.
#[derive(Args)]
pub struct DumpArgs {
    /// Only this machine's; may repeat.
    #[arg(long, value_name = "ID")]
    machine: Vec<MachineId>,
    #[command(flatten)]
    data: DataArgs,
}

/// Runs it.
pub async fn run(command: LogsCommand) -> anyhow::Result<()> {
    let LogsCommand::Dump(args) = command;
    let mut path = "/api/logs/export?format=ndjson&order=asc".to_owned();
    for id in &args.machine {
        path.push_str(&format!("&machine={id}"));
    }
    let backend = Backend::open(&args.data).await?;
    with(backend, async |api| {
        let response = api.call(Method::GET, &path, None).await?;
        copy(response.into_body()).await
    })
    .await
}

async fn copy(mut body: Body) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    while let Some(frame) = body.frame().await {
        let frame = frame.context("the dump broke off; what was printed is not everything")?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        match out.write_all(&data) {
            // Who pipes into head(1) has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
    out.flush()?;
    Ok(())
}
