//! Knows the server by its public key. The handshake's signature is verified all the same: a
//! certificate can be copied by anybody, its private key cannot.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::config::WifiTrust;

/// Why no connection can even be tried.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of authorities cannot be read.
    #[error("wifi.ca_file {path} cannot be read: {source}")]
    CaFile {
        /// The file.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It holds no certificate.
    #[error("wifi.ca_file {0} holds no certificate in PEM")]
    NoCertificate(String),
    /// The system has no authorities.
    #[error("the system has no certificate authorities; set wifi.pin or wifi.ca_file")]
    NoAuthorities,
    /// rustls refuses the set.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// The TLS side of the connection to the server.
///
/// # Errors
/// See [`TrustError`].
pub fn tls_config(trust: &WifiTrust) -> Result<ClientConfig, TrustError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = |error: String| TrustError::Tls(error);
    let chain = match (&trust.ca_file, trust.pins.is_empty()) {
        (Some(path), _) => Some(ca_roots(path)?),
        (None, true) => Some(system_roots()?),
        (None, false) => None,
    };
    let chain = match chain {
        Some(roots) => Some(
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()
                .map_err(|error| tls(error.to_string()))?,
        ),
        None => None,
    };
    let verifier = Verifier {
        pins: trust.pins.clone(),
        chain,
        provider: provider.clone(),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn ca_roots(path: &Path) -> Result<RootCertStore, TrustError> {
    let name = || path.display().to_string();
    let pem = fs::read(path).map_err(|source| TrustError::CaFile {
        path: name(),
        source,
    })?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
    if roots.is_empty() {
        Err(TrustError::NoCertificate(name()))
    } else {
        Ok(roots)
    }
}

fn system_roots() -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        Err(TrustError::NoAuthorities)
    } else {
        Ok(roots)
    }
}

/// The key is another one than was pinned.
#[derive(thiserror::Error)]
#[error(
    "the server's key is {0}, which is not the pinned one; if it was renewed, set wifi.pin to it"
)]
struct OtherKey(String);

/// rustls shows a verifier's own errors by their `Debug`: the words must stand there too.
impl std::fmt::Debug for OtherKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Verifies by pin, by a chain of certificates, or by both.
#[derive(Debug)]
struct Verifier {
    pins: Vec<[u8; 32]>,
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.pins.is_empty() {
            self.verify_pin(end_entity, now)?;
        }
        match &self.chain {
            Some(chain) => {
                chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl Verifier {
    /// The pin stands for the name and the chain. An expired certificate is refused; one that is
    /// "not yet valid" is not, for a machine without a clock wakes up in 1970.
    fn verify_pin(&self, cert: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
        let invalid = Error::InvalidCertificate;
        let (_, parsed) =
            X509Certificate::from_der(cert).map_err(|_| invalid(CertificateError::BadEncoding))?;
        let key: [u8; 32] = Sha256::digest(parsed.public_key().raw).into();
        if !self.pins.contains(&key) {
            let other = OtherKey(format_pin(&key));
            return Err(invalid(CertificateError::Other(OtherError(Arc::new(
                other,
            )))));
        }
        let not_after = parsed.validity().not_after.timestamp();
        if i64::try_from(now.as_secs()).unwrap_or(i64::MAX) > not_after {
            return Err(invalid(CertificateError::Expired));
        }
        Ok(())
    }
}

/// `sha256/<base64>`, as the server prints it.
pub fn format_pin(key_hash: &[u8; 32]) -> String {
    format!(
        "sha256/{}",
        base64::engine::general_purpose::STANDARD.encode(key_hash)
    )
}
