//! The HTTPS listener: bounds on connections, on silence, and on the time to end.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::open_files;
use permit::Permitted;

mod permit;

/// The most connections at once; each costs a task and a TLS state of some 40 KB.
const CONNECTIONS_MAX: usize = 4096;
/// Open files that connections leave to the store and to everything else.
const FILES_KEPT: usize = 512;
/// Even where few files may be open, so many connections are taken.
const CONNECTIONS_MIN: usize = 64;
/// A TLS handshake takes no longer.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// From the handshake to the whole head of the first request.
const FIRST_REQUEST_MAX: Duration = Duration::from_secs(15);
/// From the end of an answer to the whole head of the next request, HTTP/1.
const HEAD_MAX: Duration = Duration::from_secs(20);
/// HTTP/2 peers are asked for a sign of life this often, and given this long to show it.
const PING_EVERY: Duration = Duration::from_secs(20);
const PONG_MAX: Duration = Duration::from_secs(10);
/// The most requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// Requests in flight get this long to end when the server stops.
pub const DRAIN_MAX: Duration = Duration::from_secs(10);

/// A listener that runs.
pub struct HttpsServer {
    handle: Handle<SocketAddr>,
    task: JoinHandle<io::Result<()>>,
}

impl HttpsServer {
    /// Takes no more connections and lets requests in flight end, within [`DRAIN_MAX`].
    pub async fn shutdown(mut self) {
        self.handle.graceful_shutdown(Some(DRAIN_MAX));
        if let Ok(Err(error)) = (&mut self.task).await {
            tracing::warn!(%error, "the listener ended badly");
        }
    }
}

impl Drop for HttpsServer {
    /// A start that fails half-way leaves nothing behind.
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

/// Serves the router over HTTPS.
///
/// # Errors
/// The listener cannot be used.
pub fn serve(listener: TcpListener, tls: ServerConfig, router: Router) -> io::Result<HttpsServer> {
    let handle = Handle::new();
    let files = open_files::raise_limit().saturating_sub(FILES_KEPT);
    let places = files.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX);
    let places = Places(Arc::new(Semaphore::new(places)));
    let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(tls)))
        .handshake_timeout(HANDSHAKE_MAX)
        .acceptor(places);
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(acceptor)
        .handle(handle.clone())
        .first_request_timeout(FIRST_REQUEST_MAX)
        .accept_error_handler(|_, error| tracing::debug!(%error, "a connection was not taken"));
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX);
    server
        .http_builder()
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PONG_MAX)
        .max_concurrent_streams(STREAMS_MAX);
    let task =
        tokio::spawn(server.serve(router.into_make_service_with_connect_info::<SocketAddr>()));
    Ok(HttpsServer { handle, task })
}

/// Hands out places for connections; the one too many is closed at once.
#[derive(Clone)]
struct Places(Arc<Semaphore>);

impl<S: Send + 'static> Accept<TcpStream, S> for Places {
    type Stream = Permitted<TcpStream>;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, S)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let places = Arc::clone(&self.0);
        Box::pin(async move {
            let permit = places.try_acquire_owned().map_err(|_| {
                tracing::debug!("too many connections; one was closed");
                io::Error::other("too many connections")
            })?;
            stream.set_nodelay(true)?;
            Ok((Permitted::new(stream, permit), service))
        })
    }
}
