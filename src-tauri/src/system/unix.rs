//! Unix: signals, and files whose folder must be synced and whose mode is the person's own.

use std::fs::{File, Permissions};
use std::io::Result;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

/// Ends when the process is asked to stop by SIGTERM, SIGINT or SIGHUP.
///
/// # Errors
/// When a signal handler cannot be installed.
pub async fn stop_asked() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

/// An export is the person's own file: its mode is what their umask says, not a private 0600.
pub fn as_a_persons_file(builder: &mut tempfile::Builder<'_, '_>) {
    builder.permissions(Permissions::from_mode(0o666));
}

/// Makes a new name in a folder durable.
pub fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}
