//! A mail server that speaks RFC 5321 with STARTTLS (RFC 3207) and AUTH PLAIN (RFC 4954): mail is taken
//! only over TLS from somebody who signed in, and kept.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::services::Identity;
use crate::wait;

/// Who may send.
pub const USER: &str = "vendlog";
/// Their password.
pub const PASSWORD: &str = "correct horse battery staple";

/// A mail as it was taken.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Whom it is for, as the dialogue said.
    pub to: Vec<String>,
    /// Headers and content, quoted-printable lines joined.
    pub text: String,
}

/// A running mail server; its threads end with the process that tests.
pub struct MailServer {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The authority to believe, in PEM.
    pub ca_pem: String,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl MailServer {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// There is no port, or no certificate.
    pub fn start() -> MailServer {
        let identity = Identity::new();
        let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.expect("PEM")], key.expect("PEM"))
            .expect("a server side");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&mails);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (config, kept) = (Arc::clone(&config), Arc::clone(&kept));
                // Who hangs up in the middle has sent nothing.
                std::thread::spawn(move || serve(stream, config, &kept));
            }
        });
        MailServer {
            port,
            ca_pem: identity.ca_pem,
            mails,
        }
    }

    /// Every mail so far.
    ///
    /// # Panics
    /// Never: nobody panics while mails are kept.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("nobody panicked").clone()
    }

    /// Waits for mails with all of these words in them.
    ///
    /// # Panics
    /// There is none within the limit.
    pub fn wait_for(&self, words: &[&str], limit: Duration) -> Mail {
        wait::until(&format!("a mail with {words:?}"), limit, || {
            let has = |mail: &Mail| words.iter().all(|word| mail.text.contains(word));
            self.mails().into_iter().find(has)
        })
    }
}

fn serve(
    mut clear: TcpStream,
    config: Arc<ServerConfig>,
    kept: &Mutex<Vec<Mail>>,
) -> std::io::Result<()> {
    clear.set_read_timeout(Some(wait::seconds(60)))?;
    clear.write_all(b"220 mail.test ESMTP\r\n")?;
    loop {
        // Byte by byte: what follows STARTTLS belongs to TLS.
        let line = line_of(&mut clear)?;
        let answer: &[u8] = match word(&line).as_str() {
            "EHLO" => b"250-mail.test\r\n250 STARTTLS\r\n",
            "STARTTLS" => {
                clear.write_all(b"220 go\r\n")?;
                break;
            }
            _ => b"530 5.7.0 Must issue a STARTTLS command first\r\n",
        };
        clear.write_all(answer)?;
    }
    let session = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(session, clear));
    let (mut signed_in, mut to) = (false, Vec::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let answer = match word(&line).as_str() {
            "EHLO" => "250-mail.test\r\n250-8BITMIME\r\n250 AUTH PLAIN\r\n",
            "AUTH" => {
                signed_in = is_known(&line);
                match signed_in {
                    true => "235 2.7.0 welcome\r\n",
                    false => "535 5.7.8 no\r\n",
                }
            }
            _ if !signed_in => "530 5.7.0 Authentication required\r\n",
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                to.push(address.to_owned());
                "250 2.1.5 Ok\r\n"
            }
            "DATA" => {
                stream.get_mut().write_all(b"354 go on\r\n")?;
                let text = content(&mut stream)?;
                let to = std::mem::take(&mut to);
                kept.lock()
                    .expect("nobody panicked")
                    .push(Mail { to, text });
                "250 2.0.0 Ok: queued as 4ABC\r\n"
            }
            "QUIT" => "221 bye\r\n",
            _ => "250 Ok\r\n",
        };
        stream.get_mut().write_all(answer.as_bytes())?;
        stream.get_mut().flush()?;
    }
}

fn line_of(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.last() != Some(&b'\n') {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn word(line: &str) -> String {
    let word = line.split([' ', ':', '\r', '\n']).next();
    word.unwrap_or_default().to_ascii_uppercase()
}

fn is_known(line: &str) -> bool {
    let told = line.trim().rsplit(' ').next().unwrap_or_default();
    STANDARD.decode(told).unwrap_or_default() == format!("\0{USER}\0{PASSWORD}").as_bytes()
}

/// The lines until a dot, with quoted-printable undone as far as words in a line go.
fn content(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut text = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            let text = String::from_utf8_lossy(&text).into_owned();
            return Ok(text.replace("=\r\n", "").replace("=3D", "="));
        }
        text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
