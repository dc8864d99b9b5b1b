//! Connections that say nothing, or say it letter by letter, are closed within 30 seconds; a reader
//! of the live stream is not.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme, crypto::ring,
};

use super::support::Server;

/// The bound, and some room for a busy machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(33);

/// Takes any certificate: these tests are about time, not trust.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn address(server: &Server) -> String {
    server
        .running
        .url()
        .unwrap()
        .strip_prefix("https://")
        .unwrap()
        .to_owned()
}

async fn connect(server: &Server) -> TlsStream<TcpStream> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    let stream = TcpStream::connect(address(server)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

/// Sends the head, then a letter of the rest each second, until the server closes.
async fn dribble(mut stream: TlsStream<TcpStream>, head: String, rest: &'static str) {
    let started = Instant::now();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut letters = rest.bytes().cycle();
    let mut answer = [0; 4096];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => match read {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            },
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                let letter = [letters.next().unwrap()];
                if stream.write_all(&letter).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
        }
        assert!(
            started.elapsed() < CLOSED_WITHIN,
            "still open after {:?}",
            started.elapsed()
        );
    }
}

async fn until_closed(mut stream: impl AsyncReadExt + Unpin) {
    let closed = async {
        let mut answer = [0; 4096];
        while !matches!(stream.read(&mut answer).await, Ok(0) | Err(_)) {}
    };
    tokio::time::timeout(CLOSED_WITHIN, closed)
        .await
        .expect("a silent connection stays open");
}

#[tokio::test]
async fn silent_and_dribbling_connections_are_closed() {
    let server = Server::start().await;
    let key = server.machine("VM001").await;
    let head = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ".to_owned();
    let body = format!(
        "POST /api/logs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
         Content-Length: 100000\r\n\r\n"
    );
    let keep_alive = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".to_owned();
    let no_handshake = TcpStream::connect(address(&server)).await.unwrap();
    let silent = connect(&server).await;
    let mut idle = connect(&server).await;
    idle.write_all(keep_alive.as_bytes()).await.unwrap();
    let mut live = server
        .request(reqwest::Method::GET, "/api/live")
        .bearer_auth(&server.token)
        .send()
        .await
        .unwrap();
    tokio::join!(
        until_closed(no_handshake),
        until_closed(silent),
        until_closed(idle),
        dribble(connect(&server).await, head, "x"),
        dribble(connect(&server).await, body, " "),
    );
    let told = tokio::time::timeout(Duration::from_secs(15), live.chunk())
        .await
        .unwrap();
    assert!(told.unwrap().is_some(), "the live stream goes on");
}
