//! Upload into a folder by FTP, plain or with explicit TLS. The file grows under its final name, as
//! with a client that does not care who is watching the folder.

use std::sync::Arc;

use anyhow::{Context, Result};
use suppaftp::tokio::{
    AsyncFtpStream, AsyncRustlsConnector, AsyncRustlsFtpStream, ImplAsyncFtpStream, TokioTlsStream,
};
use suppaftp::types::FileType;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::place::Place;
use super::tls;

pub(super) async fn plain(place: &Place, name: &str, bytes: &[u8]) -> Result<()> {
    let stream = AsyncFtpStream::connect_with_stream(connected(place).await?).await?;
    put(stream, place, name, bytes).await
}

pub(super) async fn secure(place: &Place, name: &str, bytes: &[u8]) -> Result<()> {
    // One configuration for both connections: servers want the data connection to resume the
    // session of the control connection, which is reliable with TLS 1.2 alone.
    let config = tls::config(&[&rustls::version::TLS12])?;
    let connector = AsyncRustlsConnector::from(TlsConnector::from(Arc::new(config)));
    let stream = AsyncRustlsFtpStream::connect_with_stream(connected(place).await?).await?;
    let stream = stream.into_secure(connector, &place.host).await?;
    put(stream, place, name, bytes).await
}

async fn connected(place: &Place) -> Result<TcpStream> {
    let connecting = TcpStream::connect(place.address()).await;
    connecting.context("the FTP server cannot be reached")
}

async fn put<T: TokioTlsStream + Send>(
    mut ftp: ImplAsyncFtpStream<T>,
    place: &Place,
    name: &str,
    mut bytes: &[u8],
) -> Result<()> {
    ftp.login(&place.user, &place.password).await?;
    if !place.folder.is_empty() {
        ftp.cwd(&place.folder).await?;
    }
    ftp.transfer_type(FileType::Binary).await?;
    ftp.put_file(name, &mut bytes).await?;
    // The file is there; how the server says good-bye does not matter.
    let _ = ftp.quit().await;
    Ok(())
}
