//! Not Unix: Ctrl-C is the only signal, and names are durable with their files.

use std::io::Result;
use std::path::Path;

/// Ends when the process is asked to stop by Ctrl-C.
///
/// # Errors
/// When the handler cannot be installed.
pub async fn stop_asked() -> Result<()> {
    tokio::signal::ctrl_c().await
}

/// Files get the folder's access rules here; nothing is to be done.
pub fn as_a_persons_file(_: &mut tempfile::Builder<'_, '_>) {}

/// A folder cannot be synced here; the rename is journalled.
pub fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}
