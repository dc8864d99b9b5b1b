//! A server's certificate: signed by an authority of its own, valid for `localhost` and 127.0.0.1
//! unless it is to be for another name.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData as _};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

/// A server side, and what a client needs to believe it.
pub struct Identity {
    pub acceptor: TlsAcceptor,
    pub ca_pem: String,
    pub pin: String,
}

impl Identity {
    pub fn new() -> Identity {
        Identity::named(&["localhost", "127.0.0.1"])
    }

    /// Valid for these names.
    pub fn named(names: &[&str]) -> Identity {
        let ca_key = KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::new(Vec::new()).expect("no names");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).expect("a certificate").pem();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names).expect("names");
        let certificate = certificate.signed_by(&key, &issuer).expect("a certificate");
        let pin = STANDARD.encode(Sha256::digest(key.subject_public_key_info()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("a server side");
        Identity {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_pem,
            pin: format!("sha256/{pin}"),
        }
    }
}
