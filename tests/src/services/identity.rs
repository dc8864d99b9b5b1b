//! A server's certificate: signed by an authority of its own, valid for `localhost` and 127.0.0.1.

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData as _};
use sha2::{Digest, Sha256};

/// Certificate, key, and what a client needs to believe them.
pub struct Identity {
    /// The server's certificate in PEM.
    pub certificate_pem: String,
    /// Its private key in PEM.
    pub key_pem: String,
    /// The authority's certificate in PEM.
    pub ca_pem: String,
    /// `sha256/<base64>` of the server's public key.
    pub pin: String,
}

impl Identity {
    /// A new one.
    ///
    /// # Panics
    /// Never, as far as rcgen goes.
    pub fn new() -> Identity {
        let ca_key = KeyPair::generate().expect("a key");
        let mut ca = CertificateParams::new(Vec::new()).expect("no names");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).expect("a certificate").pem();
        let issuer = Issuer::new(ca, ca_key);
        let key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names)
            .expect("names")
            .signed_by(&key, &issuer)
            .expect("a certificate");
        let digest = Sha256::digest(key.subject_public_key_info());
        let base64 = base64::engine::general_purpose::STANDARD.encode(digest);
        Identity {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            ca_pem,
            pin: format!("sha256/{base64}"),
        }
    }
}

impl Default for Identity {
    fn default() -> Identity {
        Identity::new()
    }
}
