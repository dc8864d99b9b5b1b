//! `source list|add|test|remove`: where drops are fetched.

use std::io::{self, Read};

use anyhow::Context;
use axum::http::Method;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::DataArgs;
use super::backend::{Backend, with};

/// What to do with sources of drops.
#[derive(Subcommand)]
pub enum SourceCommand {
    /// Print every source and how it does.
    List(DataArgs),
    /// Add a source; its configuration is JSON on stdin, such as
    /// {"kind":"ftps","host":"ftp.example.com","user":"vendlog","password":"…","folder":"/drops"}.
    Add(AddArgs),
    /// Try the connection, the sign-in and the folder of a source.
    Test(SourceArgs),
    /// Remove a source; what it has brought stays.
    Remove(SourceArgs),
}

/// A source to add.
#[derive(Args)]
pub struct AddArgs {
    /// A name for people.
    name: String,
    #[command(flatten)]
    data: DataArgs,
}

/// One source.
#[derive(Args)]
pub struct SourceArgs {
    /// Its id, such as s1.
    id: String,
    #[command(flatten)]
    data: DataArgs,
}

/// Runs it.
pub async fn run(command: SourceCommand) -> anyhow::Result<()> {
    let answer = match command {
        SourceCommand::List(data) => call(&data, Method::GET, "/api/sources", None).await?,
        SourceCommand::Add(args) => {
            // A password on the command line would be seen by everybody on this computer.
            let mut text = String::new();
            io::stdin().read_to_string(&mut text).context("stdin")?;
            let mut config: Value = serde_json::from_str(&text)
                .context("the configuration on stdin must be one JSON object")?;
            let kind = config
                .as_object_mut()
                .and_then(|fields| fields.remove("kind"));
            let source = json!({ "name": args.name, "kind": kind, "config": config });
            call(&args.data, Method::POST, "/api/sources", Some(source)).await?
        }
        SourceCommand::Test(args) => {
            let body = json!({ "id": args.id });
            let tested = call(&args.data, Method::POST, "/api/sources/test", Some(body)).await?;
            if tested["ok"] != true {
                anyhow::bail!(
                    "{}",
                    tested["message"].as_str().unwrap_or("it does not work")
                );
            }
            tested
        }
        SourceCommand::Remove(args) => {
            let path = format!("/api/sources/{}", args.id);
            call(&args.data, Method::DELETE, &path, None).await?
        }
    };
    println!("{answer}");
    Ok(())
}

async fn call(
    data: &DataArgs,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let backend = Backend::open_or_make(data).await?;
    with(backend, async |api| {
        api.json(method, path, body.as_ref()).await
    })
    .await
}
