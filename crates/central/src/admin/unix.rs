//! The socket on Unix: made 0600 before it has its name, bound and reached through the directory's
//! file descriptor on Linux, because a socket's path may have 107 bytes only.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use axum::{Extension, Router};
use axum_server::Handle;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use super::{AdminError, SOCKET_NAME, socket_path};
use crate::access::Caller;
use crate::serve::DRAIN_MAX;

/// The socket that runs.
pub struct AdminServer {
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
    path: PathBuf,
}

impl AdminServer {
    /// Takes no more requests, lets those in flight end, removes the socket.
    pub async fn shutdown(mut self) {
        let _ = fs::remove_file(&self.path); // a later start replaces it anyway
        self.handle.graceful_shutdown(Some(DRAIN_MAX));
        if let Ok(Err(error)) = (&mut self.task).await {
            tracing::warn!(%error, "the admin socket ended badly");
        }
    }
}

impl Drop for AdminServer {
    /// A start that fails half-way leaves nothing behind.
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// Serves the router to who can open `DATA/admin.sock`. The caller holds the data directory's lock,
/// so a socket that is there is a dead server's and is replaced.
///
/// # Errors
/// The socket cannot be made.
pub fn serve(data_dir: &Path, router: Router) -> io::Result<Option<AdminServer>> {
    let path = socket_path(data_dir);
    let listener = bind_private(data_dir, &path)?;
    let handle = Handle::new();
    let server = axum_server::from_unix(listener)?.handle(handle.clone());
    let service = router.layer(Extension(Caller::Admin)).into_make_service();
    let task = tokio::spawn(server.serve(service));
    Ok(Some(AdminServer { handle, task, path }))
}

/// Binds inside a directory that nobody else can enter, sets the mode, then moves the socket to its
/// name: at no moment can another user connect.
fn bind_private(data_dir: &Path, path: &Path) -> io::Result<UnixListener> {
    let nursery = data_dir.join(format!(".admin-{}", std::process::id()));
    match fs::remove_dir_all(&nursery) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::DirBuilder::new().mode(0o700).create(&nursery)?;
    let made = nursery.join(SOCKET_NAME);
    let bound = within(&nursery, UnixListener::bind).and_then(|listener| {
        fs::set_permissions(&made, Permissions::from_mode(0o600))?;
        fs::rename(&made, path)?;
        Ok(listener)
    });
    let _ = fs::remove_dir_all(&nursery); // only empty space
    bound
}

/// Calls with a short path of the socket in this directory.
fn within<T>(dir: &Path, call: impl FnOnce(PathBuf) -> io::Result<T>) -> io::Result<T> {
    let opened = File::open(dir)?;
    if cfg!(target_os = "linux") {
        call(PathBuf::from(format!(
            "/proc/self/fd/{}/{SOCKET_NAME}",
            opened.as_raw_fd()
        )))
    } else {
        call(dir.join(SOCKET_NAME))
    }
}

/// How long to wait for a server that accepts and says nothing.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Sends a request to the server that runs on this data directory.
///
/// # Errors
/// None runs, or it does not answer.
pub async fn request(
    data_dir: &Path,
    request: Request<Body>,
) -> Result<Response<Body>, AdminError> {
    use io::ErrorKind::{ConnectionRefused, NotFound};
    let failed = |error: &dyn std::fmt::Display| AdminError::Failed(error.to_string());
    let stream = within(data_dir, std::os::unix::net::UnixStream::connect);
    let stream = match stream {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), NotFound | ConnectionRefused) => {
            return Err(AdminError::NotRunning);
        }
        Err(error) => return Err(failed(&error)),
    };
    stream
        .set_nonblocking(true)
        .map_err(|error| failed(&error))?;
    let stream = UnixStream::from_std(stream).map_err(|error| failed(&error))?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = tokio::time::timeout(CONNECT_MAX, handshake)
        .await
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))?;
    tokio::spawn(connection);
    let response = sender
        .send_request(request)
        .await
        .map_err(|error| failed(&error))?;
    Ok(response.map(Body::new))
}
