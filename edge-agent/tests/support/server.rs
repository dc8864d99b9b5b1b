//! A small HTTPS server that answers as a test tells it to, and remembers what it was sent.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine as _;
use rcgen::{CertificateParams, KeyPair, PublicKeyData, date_time_ymd};
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// One request, its body decompressed and read as JSON.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
    pub at: Instant,
}

impl Request {
    /// The messages of a batch, without what the agent says of itself.
    pub fn messages(&self) -> Vec<String> {
        let logs = self.body["logs"].as_array().cloned().unwrap_or_default();
        logs.iter()
            .filter(|entry| entry["component"] != "agent")
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Status, headers and JSON body of an answer.
pub type Answer = (u16, Vec<(&'static str, String)>, Value);

pub fn accepted(request: &Request) -> Answer {
    let accepted = request.messages().len();
    match request.path.as_str() {
        "/api/heartbeat" => (
            200,
            vec![],
            json!({"server_time": jiff::Timestamp::now().to_string()}),
        ),
        _ => (
            200,
            vec![],
            json!({"accepted": accepted, "duplicates": 0, "rejected": []}),
        ),
    }
}

/// What certificate the server shows, and with which key it signs.
pub struct Identity {
    key: Arc<CertifiedKey>,
    pub pin: String,
    pub pem: String,
}

impl Identity {
    pub fn new() -> Identity {
        Identity::made(None, None)
    }

    /// Its certificate ended in the past.
    pub fn expired() -> Identity {
        Identity::made(Some(2020), None)
    }

    /// Shows the certificate of `other`, whose private key it does not have.
    pub fn stolen_from(other: &Identity) -> Identity {
        Identity::made(None, Some(other))
    }

    fn made(ended: Option<i32>, shown: Option<&Identity>) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(rcgen::SanType::IpAddress([127, 0, 0, 1].into()));
        params.not_after = date_time_ymd(ended.unwrap_or(2100), 1, 1);
        let cert = params.self_signed(&key).unwrap();
        let hash = Sha256::digest(key.subject_public_key_info());
        let pin = format!(
            "sha256/{}",
            base64::engine::general_purpose::STANDARD.encode(hash)
        );
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = any_supported_type(&der).unwrap();
        match shown {
            None => Identity {
                key: Arc::new(CertifiedKey::new(vec![cert.der().clone()], signing)),
                pin,
                pem: cert.pem(),
            },
            Some(other) => Identity {
                key: Arc::new(CertifiedKey::new(other.key.cert.clone(), signing)),
                pin: other.pin.clone(),
                pem: other.pem.clone(),
            },
        }
    }
}

#[derive(Debug)]
struct Fixed(Arc<CertifiedKey>);

impl ResolvesServerCert for Fixed {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// The server; it ends when dropped.
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    is_ended: Arc<AtomicBool>,
}

impl Server {
    pub fn start(
        identity: &Identity,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Server {
        Server::start_on("127.0.0.1:0".parse().unwrap(), identity, answer)
    }

    pub fn start_on(
        address: SocketAddr,
        identity: &Identity,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Server {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Fixed(identity.key.clone())));
        let config = Arc::new(config);
        let listener = TcpListener::bind(address).unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            is_ended: Arc::default(),
        };
        let (requests, is_ended) = (server.requests.clone(), server.is_ended.clone());
        let answer: Arc<dyn Fn(&Request) -> Answer + Send + Sync> = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_ended.load(Ordering::Relaxed) {
                    return;
                }
                let (config, requests, answer) = (config.clone(), requests.clone(), answer.clone());
                let is_ended = is_ended.clone();
                std::thread::spawn(move || {
                    // A client that goes away in the middle is no fault of the test.
                    let _ = serve(stream.unwrap(), config, &requests, &*answer, &is_ended);
                });
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The messages of every batch, in the order they came.
    pub fn messages(&self) -> Vec<String> {
        self.requests().iter().flat_map(Request::messages).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Relaxed);
        // The listener ends when it sees one more connection.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    requests: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Answer,
    is_ended: &AtomicBool,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut reader = BufReader::new(StreamOwned::new(connection, stream));
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim_end().is_empty() {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        if is_ended.load(Ordering::Relaxed) {
            return Ok(());
        }
        let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
        let headers: HashMap<String, String> = head[1..]
            .iter()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let len = headers["content-length"]
            .parse()
            .map_err(std::io::Error::other)?;
        let mut body = vec![0; len];
        reader.read_exact(&mut body)?;
        if headers
            .get("content-encoding")
            .is_some_and(|encoding| encoding == "zstd")
        {
            body = zstd::stream::decode_all(&body[..])?;
        }
        let body = serde_json::from_slice(&body)?;
        let request = Request {
            path,
            headers,
            body,
            at: Instant::now(),
        };
        let (status, headers, body) = answer(&request);
        requests.lock().unwrap().push(request);
        let body = body.to_string();
        let mut out = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        out.push_str(&body);
        reader.get_mut().write_all(out.as_bytes())?;
        reader.get_mut().flush()?;
    }
}
