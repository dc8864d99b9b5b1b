//! One step of a conversation with a server: it ends in time, and its failure has words.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;

use crate::SourceError;

/// Whom we talk to and how long a step may take.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    host: String,
    port: u16,
    limit: Duration,
}

impl Steps {
    pub(crate) fn new(host: &str, port: u16, timeout_s: u32) -> Steps {
        Steps {
            host: host.to_owned(),
            port,
            limit: Duration::from_secs(timeout_s.into()),
        }
    }

    /// The server, for words.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Waits for `future`, but not for ever. `step` reads after "did not answer within 20 s".
    ///
    /// It runs outside tokio's budget: a socket whose task has spent that takes no more bytes for now,
    /// tokio-rustls then keeps what was written, and suppaftp, which never flushes, waits for the
    /// answer to a command that was never sent.
    pub(crate) async fn within<T>(
        &self,
        step: &str,
        future: impl Future<Output = T>,
    ) -> Result<T, SourceError> {
        tokio::time::timeout(self.limit, unconstrained(future))
            .await
            .map_err(|_| SourceError::TimedOut {
                host: self.host.clone(),
                step: step.to_owned(),
                seconds: self.limit.as_secs(),
            })
    }

    /// A connection.
    pub(crate) async fn connect(&self) -> Result<TcpStream, SourceError> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let stream = self
            .within("connecting", connecting)
            .await?
            .map_err(|error| self.unreachable(&error))?;
        // Commands are small and wait for each other.
        stream
            .set_nodelay(true)
            .map_err(|error| self.broken(&error))?;
        Ok(stream)
    }

    /// Why there is no connection.
    fn unreachable(&self, error: &io::Error) -> SourceError {
        let (host, port) = (&self.host, self.port);
        SourceError::Unreachable(match error.kind() {
            ErrorKind::ConnectionRefused => format!(
                "nothing listens on port {port} of {host}; check the port, and that the server runs"
            ),
            ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                format!("there is no way to {host}; check this computer's network")
            }
            // The resolver's own kind of error; its words are no use to a person.
            _ if error.to_string().contains("lookup") => format!(
                "the name {host} is not known, or no name server answers; check the name, and this \
                 computer's network"
            ),
            _ => format!("{host} port {port} cannot be reached: {error}; check the name"),
        })
    }

    /// The connection broke.
    pub(crate) fn broken(&self, error: &io::Error) -> SourceError {
        match error.kind() {
            ErrorKind::TimedOut => SourceError::TimedOut {
                host: self.host.clone(),
                step: "the connection itself".to_owned(),
                seconds: self.limit.as_secs(),
            },
            _ => SourceError::Unreachable(format!(
                "the connection to {} broke off: {error}",
                self.host
            )),
        }
    }
}
