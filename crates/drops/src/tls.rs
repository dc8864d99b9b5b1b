//! Whom to believe over TLS: the system's authorities, one given authority, or one pinned key.
//! There is no way to believe everybody.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::SourceError;

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: password and content travel in clear.
    None,
    /// Asked for before the password is sent (AUTH TLS, STARTTLS). Never without it.
    #[default]
    Explicit,
    /// From the first byte.
    Implicit,
}

/// What a source says of whom to believe.
pub(crate) struct Trust<'a> {
    pub host: &'a str,
    pub pin: Option<&'a str>,
    pub ca_pem: Option<&'a str>,
    pub max_12: bool,
}

/// A set-up client side, and what it saw of the server.
pub(crate) struct Client {
    /// One for all connections of a poll, so that an FTP data connection resumes the session of
    /// the control connection, which servers with `require_ssl_reuse` insist on.
    pub config: Arc<ClientConfig>,
    host: String,
    refused: Arc<Mutex<Option<Refused>>>,
}

#[derive(Debug, Clone)]
struct Refused {
    fingerprint: String,
    reason: String,
}

pub(crate) fn validate(pin: Option<&str>, ca_pem: Option<&str>) -> Result<(), String> {
    if pin.is_some_and(|pin| parse_pin(pin).is_none()) {
        return Err("pin must be sha256/ and 44 characters of base64".into());
    }
    if ca_pem.is_some_and(|pem| roots_of(pem).is_empty()) {
        return Err("ca_pem holds no certificate in PEM".into());
    }
    Ok(())
}

impl Client {
    pub(crate) fn new(trust: &Trust<'_>) -> Result<Client, SourceError> {
        let tls = |error: Error| SourceError::Tls(format!("TLS cannot be set up: {error}"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = match trust.pin {
            Some(_) => None,
            None => Some(
                WebPkiServerVerifier::builder_with_provider(
                    Arc::new(roots(trust.ca_pem)?),
                    provider.clone(),
                )
                .build()
                .map_err(|error| SourceError::Tls(format!("TLS cannot be set up: {error}")))?,
            ),
        };
        let refused = Arc::new(Mutex::new(None));
        let verifier = Verifier {
            pin: trust.pin.and_then(parse_pin),
            chain,
            provider: provider.clone(),
            refused: refused.clone(),
        };
        let versions: &[_] = if trust.max_12 {
            &[&rustls::version::TLS12]
        } else {
            rustls::ALL_VERSIONS
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map_err(tls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Client {
            config: Arc::new(config),
            host: trust.host.to_owned(),
            refused,
        })
    }

    pub(crate) fn connector(&self) -> tokio_rustls::TlsConnector {
        tokio_rustls::TlsConnector::from(self.config.clone())
    }

    /// What a failed handshake means: the certificate, if it was that.
    pub(crate) fn error(&self, words: &str) -> SourceError {
        let refused = self
            .refused
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .take();
        match refused {
            Some(refused) => SourceError::Certificate {
                host: self.host.clone(),
                fingerprint: refused.fingerprint,
                reason: refused.reason,
            },
            None => SourceError::Tls(format!(
                "TLS with {} failed: {words}; check the port and whether it is tls explicit or \
                 implicit, and try tls_max_12 with an old server",
                self.host
            )),
        }
    }
}

fn roots(ca_pem: Option<&str>) -> Result<RootCertStore, SourceError> {
    if let Some(pem) = ca_pem {
        return Ok(roots_of(pem));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        Err(SourceError::Tls(
            "this system has no certificate authorities; set pin or ca_pem".into(),
        ))
    } else {
        Ok(roots)
    }
}

fn roots_of(pem: &str) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(pem.as_bytes()).flatten());
    roots
}

/// `sha256/<base64 of 32 bytes>`, padded or not.
fn parse_pin(text: &str) -> Option<[u8; 32]> {
    let base64 = text.strip_prefix("sha256/")?.trim_end_matches('=');
    STANDARD_NO_PAD.decode(base64).ok()?.try_into().ok()
}

#[derive(Debug)]
struct Verifier {
    pin: Option<[u8; 32]>,
    chain: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    refused: Arc<Mutex<Option<Refused>>>,
}

impl Verifier {
    /// The pin stands for the name, the chain and the dates: it was compared by a person.
    fn verify_pin(&self, key: &[u8; 32]) -> Result<ServerCertVerified, Error> {
        if self.pin.as_ref() == Some(key) {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::InvalidCertificate(
            CertificateError::ApplicationVerificationFailure,
        ))
    }
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
        let bad = Error::InvalidCertificate(CertificateError::BadEncoding);
        let (_, parsed) = X509Certificate::from_der(end_entity).map_err(|_| bad)?;
        let key: [u8; 32] = Sha256::digest(parsed.public_key().raw).into();
        let (verified, reason) = match &self.chain {
            None => (self.verify_pin(&key), "it is not the pinned one".to_owned()),
            Some(chain) => {
                let verified = chain.verify_server_cert(
                    end_entity,
                    intermediates,
                    server_name,
                    ocsp_response,
                    now,
                );
                let reason = verified.as_ref().err().map(reason).unwrap_or_default();
                (verified, reason)
            }
        };
        if verified.is_err() {
            let fingerprint = format!("sha256/{}", STANDARD.encode(key));
            *self.refused.lock().unwrap_or_else(|e| e.into_inner()) = Some(Refused {
                fingerprint,
                reason,
            });
        }
        verified
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

/// Why a chain was not believed, for a person.
fn reason(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "no known authority has signed it".to_owned()
        }
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "it has expired".to_owned(),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "it is for another name".to_owned(),
        // The name that webpki gives to a certificate that is an authority's and a server's in one.
        Error::InvalidCertificate(CertificateError::Other(other))
            if other.to_string() == "CaUsedAsEndEntity" =>
        {
            "it is signed by itself".to_owned()
        }
        other => other.to_string(),
    }
}
