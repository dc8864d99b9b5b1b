//! `openapi`.

/// Prints the description of the API, from which the UI's types are made.
pub fn run() -> anyhow::Result<()> {
    println!("{}", crate::router::description().to_pretty_json()?);
    Ok(())
}
