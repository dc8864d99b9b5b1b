//! `info`.

use axum::http::Method;

use super::DataArgs;
use super::backend::{Backend, with};

/// Prints what `GET /api/info` answers.
pub async fn run(data: DataArgs) -> anyhow::Result<()> {
    let backend = Backend::open(&data).await?;
    let answer = with(backend, async |api| {
        api.json(Method::GET, "/api/info", None).await
    })
    .await?;
    println!("{answer}");
    Ok(())
}
