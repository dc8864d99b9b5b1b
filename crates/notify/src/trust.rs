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
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::SendError;

/// A set-up client side, and what it saw of the server.
pub(crate) struct Trust {
    pub config: Arc<ClientConfig>,
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

impl Trust {
    /// Believes the key that is pinned, else whom the given authority has signed, else whom the
    /// system believes.
    pub fn new(pin: Option<&str>, ca_pem: Option<&str>) -> Result<Trust, SendError> {
        let chain = match pin {
            Some(_) => None,
            None => {
                let roots = Arc::new(roots(ca_pem)?);
                let provider = Arc::new(rustls::crypto::ring::default_provider());
                let built = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
                Some(built.map_err(|error| not_set_up(&error))?)
            }
        };
        Trust::with(pin.and_then(parse_pin), chain)
    }

    /// Believes nobody: for a connection that is not encrypted.
    pub fn nobody() -> Result<Trust, SendError> {
        Trust::with(None, None)
    }

    fn with(
        pin: Option<[u8; 32]>,
        chain: Option<Arc<WebPkiServerVerifier>>,
    ) -> Result<Trust, SendError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let refused = Arc::new(Mutex::new(None));
        let verifier = Verifier {
            pin,
            chain,
            provider: provider.clone(),
            refused: refused.clone(),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| not_set_up(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Trust {
            config: Arc::new(config),
            refused,
        })
    }

    /// What a failed handshake with `host` means, if it failed for the certificate.
    pub fn certificate_error(&self, host: &str) -> Option<SendError> {
        let mut refused = self.refused.lock().unwrap_or_else(|e| e.into_inner());
        let Refused {
            fingerprint,
            reason,
        } = refused.take()?;
        Some(SendError::Permanent {
            code: "certificate",
            words: format!(
                "{host} shows a certificate that is not trusted ({reason}); if its key \
                 {fingerprint} is the right one, set it as this channel's pin, or give the \
                 authority's certificate"
            ),
            is_channel_broken: true,
            fingerprint: Some(fingerprint),
        })
    }
}

fn not_set_up(error: &dyn std::fmt::Display) -> SendError {
    SendError::broken("tls", format!("TLS cannot be set up: {error}"))
}

fn roots(ca_pem: Option<&str>) -> Result<RootCertStore, SendError> {
    if let Some(pem) = ca_pem {
        return Ok(roots_of(pem));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(SendError::broken(
            "tls",
            "this system has no certificate authorities; set pin or ca_pem",
        ));
    }
    Ok(roots)
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
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let bad = Error::InvalidCertificate(CertificateError::BadEncoding);
        let (_, parsed) = X509Certificate::from_der(end_entity).map_err(|_| bad)?;
        let key: [u8; 32] = Sha256::digest(parsed.public_key().raw).into();
        let verified = match &self.chain {
            None => self.verify_pin(&key),
            Some(chain) => {
                chain.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
            }
        };
        if let Err(error) = &verified {
            let refused = Refused {
                fingerprint: format!("sha256/{}", STANDARD.encode(key)),
                reason: reason(error),
            };
            *self.refused.lock().unwrap_or_else(|e| e.into_inner()) = Some(refused);
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

/// Why a certificate was not believed, for a person.
fn reason(error: &Error) -> String {
    let Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    match error {
        // A bad signature: the name of a known authority, but not its key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "no known authority has signed it".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".into()
        }
        CertificateError::ApplicationVerificationFailure => "it is not the pinned one".into(),
        other => format!("{other:?}"),
    }
}
