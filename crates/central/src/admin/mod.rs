//! The admin socket in the data directory: the same router, reached by who can open the file. Commands
//! use it while a server runs. Unix only; elsewhere commands need the server to be stopped.

use std::path::{Path, PathBuf};

#[cfg(unix)]
#[path = "unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "other.rs"]
mod system;

pub use system::{AdminServer, request, serve};

/// Where the socket of this data directory is.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join(SOCKET_NAME)
}

/// Its name in the data directory.
const SOCKET_NAME: &str = "admin.sock";

/// Why a command does not reach a server by the socket.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No server holds this data directory: the store can be opened.
    #[error("no server runs on this data directory")]
    NotRunning,
    /// The socket is there and does not answer.
    #[error("the server's admin socket failed: {0}")]
    Failed(String),
}
