//! An HTTPS client that trusts one server by its pin: `sha256/` and the base64 SHA-256 of the
//! public key of its certificate, as `vendlog-server` prints it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// How long one request may take; a batch of an hour is answered in far less.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A client that talks only to the server with this pin.
///
/// # Errors
/// The pin is not of the form `sha256/…`.
pub fn client(pin: &str) -> Result<reqwest::Client> {
    let base64 = pin
        .strip_prefix("sha256/")
        .context("a pin starts with sha256/")?;
    let sha256 = BASE64_STANDARD
        .decode(base64)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .context("a pin ends in the base64 of 32 bytes; copy it from the server's first line")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Pinned {
        sha256,
        provider: provider.clone(),
    });
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .timeout(REQUEST_TIMEOUT)
        .build()
        .context("cannot make an HTTPS client")
}

/// Accepts exactly one public key, and still has the peer prove that it holds it.
#[derive(Debug)]
struct Pinned {
    sha256: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let bad = |text: &str| rustls::Error::General(text.to_owned());
        let (_, parsed) = X509Certificate::from_der(certificate)
            .map_err(|_| bad("the server's certificate cannot be read"))?;
        if Sha256::digest(parsed.public_key().raw).as_slice() == self.sha256 {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(bad("the server's key is not the pinned one"))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
