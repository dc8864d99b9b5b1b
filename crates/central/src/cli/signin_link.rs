//! `signin-link`.

use anyhow::bail;
use axum::http::Method;
use clap::Args;
use serde_json::json;

use super::DataArgs;
use super::backend::{Backend, with};
use crate::access::Role;

/// Whom to sign in.
#[derive(Args)]
pub struct SigninLinkArgs {
    /// The name of the session.
    #[arg(long, default_value = "operator")]
    name: String,
    /// manager, technician or owner
    #[arg(long, default_value = "manager")]
    role: Role,
    #[command(flatten)]
    data: DataArgs,
}

/// Prints {"url"}: good for 10 minutes and one browser.
pub async fn run(args: SigninLinkArgs) -> anyhow::Result<()> {
    let link = json!({ "name": args.name, "role": args.role });
    let backend = Backend::open(&args.data).await?;
    let answer = with(backend, async |api| match api {
        Backend::Server(_) => {
            api.json(Method::POST, "/api/signin-links", Some(&link))
                .await
        }
        // A link lives in the memory of the server that will see it.
        Backend::Here(_) => bail!("no server runs on this data directory; start it first"),
    })
    .await?;
    println!("{answer}");
    Ok(())
}
