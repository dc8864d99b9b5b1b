//! The server's certificate: made at the first start, kept with its key in the encrypted store, known
//! to agents by the pin of its public key. No certificate authority is involved: the pin is the trust.

mod names;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use store::{Store, StoreError};

pub use names::host_name;

/// Settings of the store that hold the identity.
const KEY_SETTING: &str = "tls.key_pkcs8";
const CERTIFICATE_SETTING: &str = "tls.certificate_der";

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The store does not give or take it.
    #[error("the certificate cannot be kept: {0}")]
    Store(#[from] StoreError),
    /// It cannot be made, or what is stored is damaged.
    #[error("the certificate cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The TLS library does not take it.
    #[error("the certificate cannot be used: {0}")]
    Use(#[from] rustls::Error),
}

/// Who this server is on the wire.
pub struct Identity {
    key: PrivatePkcs8KeyDer<'static>,
    certificate: CertificateDer<'static>,
    /// `sha256/<base64>` of the public key (SubjectPublicKeyInfo).
    pub pin: String,
}

/// Reads this server's identity from the store, or makes it and keeps it there.
///
/// # Errors
/// See [`TlsError`].
pub fn identity(store: &Store) -> Result<Identity, TlsError> {
    let stored = (
        store.setting(KEY_SETTING)?,
        store.setting(CERTIFICATE_SETTING)?,
    );
    if let (Some(key), Some(certificate)) = stored {
        let key = PrivatePkcs8KeyDer::from(key);
        let pair = KeyPair::try_from(&key)?;
        return Ok(Identity {
            key,
            certificate: certificate.into(),
            pin: pin(&pair),
        });
    }
    let pair = KeyPair::generate()?;
    let certificate = certificate(&pair)?;
    // The key goes last: only together are they an identity.
    store.set_setting(CERTIFICATE_SETTING, &certificate)?;
    store.set_setting(KEY_SETTING, pair.serialized_der())?;
    let key = PrivatePkcs8KeyDer::from(pair.serialize_der());
    Ok(Identity {
        key,
        certificate,
        pin: pin(&pair),
    })
}

impl Identity {
    /// The TLS configuration of the listener: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// The library does not take the key.
    pub fn server_config(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(self.key.clone_key());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Self-signed, for the names under which machines and browsers may reach us. Good for decades:
/// machines trust the pin, and a date that passes would cut off a fleet.
fn certificate(pair: &KeyPair) -> Result<CertificateDer<'static>, TlsError> {
    let mut params = CertificateParams::new(names::subject_names())?;
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2099, 12, 31);
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Vendlog");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params.self_signed(pair)?.der().clone())
}

fn pin(pair: &KeyPair) -> String {
    let digest = Sha256::digest(pair.subject_public_key_info());
    format!("sha256/{}", STANDARD.encode(digest))
}
