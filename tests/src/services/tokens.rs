//! A provider of tokens for XOAUTH2: over HTTPS it gives an access token for the refresh token (RFC
//! 6749, section 6), over HTTP it tells a mail server which ones are good (RFC 7662). There is none
//! that runs without an account somewhere, so that this one is ours; it says what real ones say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};

use super::{Identity, USER};

/// What the account's owner was given when they signed in; with characters that a form escapes.
pub const REFRESH_TOKEN: &str = "1//0refresh+token/with=every&sort of~sign";
/// Who we are there.
pub const CLIENT_ID: &str = "vendlog.apps.example.com";
/// The secret of that.
pub const CLIENT_SECRET: &str = "GOCSPX-client%secret";
/// How long a client may take for its request.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest request that is read, in bytes.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// A running provider; it ends with the test's process.
pub struct Tokens {
    /// Where refresh tokens are exchanged.
    pub token_url: String,
    /// Where a mail server asks.
    pub introspection_url: String,
    /// Its certificate.
    pub identity: Identity,
    shared: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    given: u64,
    good: BTreeSet<String>,
    is_revoked: bool,
    is_down: bool,
    asked: Vec<BTreeMap<String, String>>,
}

impl Tokens {
    /// Starts one.
    ///
    /// # Panics
    /// There is no free port.
    pub fn start() -> Tokens {
        let identity = Identity::new();
        let shared = Arc::<Mutex<State>>::default();
        let tls = Arc::new(tls(&identity));
        let give = shared.clone();
        let token_port = listen(move |tcp| {
            let mut connection = rustls::ServerConnection::new(tls.clone()).expect("a set-up");
            let mut tcp = tcp;
            let mut stream = rustls::Stream::new(&mut connection, &mut tcp);
            answer(&mut stream, |request| lock(&give).exchange(request));
            connection.send_close_notify();
            let _ = connection.write_tls(&mut tcp);
        });
        let tell = shared.clone();
        let introspection_port = listen(move |mut tcp| {
            answer(&mut tcp, |request| lock(&tell).introspect(request));
        });
        Tokens {
            token_url: format!("https://localhost:{token_port}/oauth2/v2.0/token"),
            introspection_url: format!("http://127.0.0.1:{introspection_port}/introspect"),
            identity,
            shared,
        }
    }

    /// The owner takes the refresh token back.
    pub fn revoke(&self) {
        lock(&self.shared).is_revoked = true;
    }

    /// The access tokens that were given are good no longer, as after an hour; nor are new ones.
    pub fn expire_all(&self) {
        let mut state = lock(&self.shared);
        state.good.clear();
        state.given += EXPIRED;
    }

    /// It has trouble of its own, or no longer.
    pub fn set_down(&self, is_down: bool) {
        lock(&self.shared).is_down = is_down;
    }

    /// The forms that were sent to it, in order.
    pub fn asked(&self) -> Vec<BTreeMap<String, String>> {
        lock(&self.shared).asked.clone()
    }
}

/// Tokens with numbers from here on are not good when they are given.
const EXPIRED: u64 = 1_000_000;

struct Request {
    line: String,
    kind: String,
    form: BTreeMap<String, String>,
}

impl State {
    /// RFC 6749, sections 6, 5.1 and 5.2.
    fn exchange(&mut self, request: &Request) -> (u16, Value) {
        self.asked.push(request.form.clone());
        let field = |name: &str| request.form.get(name).map_or("", String::as_str);
        let error = |code: &str| {
            let words = "AADSTS70000: the provided grant is no longer good";
            (400, json!({"error": code, "error_description": words}))
        };
        if self.is_down {
            return (503, json!({"message": "try later"}));
        }
        let is_post = request.line.starts_with("POST /oauth2/v2.0/token ");
        if !is_post || request.kind != "application/x-www-form-urlencoded" {
            return error("invalid_request");
        }
        if field("grant_type") != "refresh_token" {
            return error("unsupported_grant_type");
        }
        if (field("client_id"), field("client_secret")) != (CLIENT_ID, CLIENT_SECRET) {
            return (401, json!({"error": "invalid_client"}));
        }
        if self.is_revoked || field("refresh_token") != REFRESH_TOKEN {
            return error("invalid_grant");
        }
        self.given += 1;
        let token = format!("ya29.A0-access_{}~+/==", self.given);
        if self.given < EXPIRED {
            self.good.insert(token.clone());
        }
        let scope = "https://outlook.office.com/IMAP.AccessAsUser.All";
        let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3599,
            "scope": scope, "refresh_token": REFRESH_TOKEN});
        (200, answer)
    }

    /// RFC 7662, section 2.2.
    fn introspect(&self, request: &Request) -> (u16, Value) {
        let token = request.form.get("token").map_or("", String::as_str);
        match self.good.contains(token) {
            true => (200, json!({"active": true, "username": USER})),
            false => (200, json!({"active": false})),
        }
    }
}

fn lock(shared: &Arc<Mutex<State>>) -> MutexGuard<'_, State> {
    shared
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn tls(identity: &Identity) -> rustls::ServerConfig {
    let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes());
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("PEM")], key.expect("PEM"))
        .expect("a certificate and its key")
}

/// Serves each connection on a thread of its own; answers the port.
fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            let _ = stream.set_read_timeout(Some(PATIENCE));
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Reads one request and answers it. One that hangs up is left alone.
fn answer(stream: &mut (impl Read + Write), act: impl FnOnce(&Request) -> (u16, Value)) {
    let Some(request) = request(stream) else {
        return;
    };
    let (status, body) = act(&request);
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} said\r\nContent-Type: application/json;charset=UTF-8\r\n\
         Cache-Control: no-store\r\nPragma: no-cache\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes());
    let _ = stream.flush();
}

fn request(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    };
    let line = next()?;
    let (mut kind, mut length) = (String::new(), 0);
    loop {
        let header = next()?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => kind = value.trim().to_owned(),
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; BODY_MAX_BYTES.min(length)];
    reader.read_exact(&mut body).ok()?;
    let form = String::from_utf8(body).ok()?;
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let form = pairs.map(|(name, value)| (decoded(name), decoded(value)));
    Some(Request {
        line,
        kind,
        form: form.collect(),
    })
}

/// Of `application/x-www-form-urlencoded`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.unwrap_or(b'0'));
                let digits = String::from_utf8_lossy(&digits).into_owned();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
