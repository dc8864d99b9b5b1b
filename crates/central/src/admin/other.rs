//! Where there are no Unix sockets.

use std::io;
use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};

use super::AdminError;

/// Nothing that runs.
pub struct AdminServer;

impl AdminServer {
    /// Nothing to stop.
    pub async fn shutdown(self) {}
}

/// Not on this system: the server runs without the socket.
///
/// # Errors
/// None.
pub fn serve(_data_dir: &Path, _router: Router) -> io::Result<Option<AdminServer>> {
    Ok(None)
}

/// Not on this system: a command opens the store itself, and its lock says when a server runs.
///
/// # Errors
/// Always [`AdminError::NotRunning`].
pub async fn request(
    _data_dir: &Path,
    _request: Request<Body>,
) -> Result<Response<Body>, AdminError> {
    Err(AdminError::NotRunning)
}
