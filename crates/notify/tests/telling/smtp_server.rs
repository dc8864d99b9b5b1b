//! A mail server in this process that speaks RFC 5321 with STARTTLS (RFC 3207), AUTH PLAIN and LOGIN
//! (RFC 4954), keeps what it was told, and can be in trouble.

use std::sync::{Arc, Mutex, MutexGuard};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

pub const USER: &str = "ops@example.com";
pub const PASSWORD: &str = "correct horse battery";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    None,
    Starttls,
    Implicit,
}

/// What is wrong with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Nothing,
    /// Answers this command with this line.
    Says(&'static str, &'static str),
    /// Says nothing more after this command.
    Hangs(&'static str),
    /// Hangs up after this command.
    HangsUp(&'static str),
    /// Offers no STARTTLS.
    NoStarttls,
    /// Says more behind its answer to STARTTLS, before TLS begins.
    Injects,
    /// Offers AUTH LOGIN only.
    LoginOnly,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// As it was meant: dots are single again.
    pub bytes: Vec<u8>,
    /// As it came over the wire.
    pub raw: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Seen {
    /// Everything that came before TLS.
    pub clear: Vec<u8>,
    /// Everything that came over TLS.
    pub over_tls: Vec<u8>,
    pub mails: Vec<Mail>,
}

pub struct SmtpServer {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
    task: JoinHandle<()>,
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SmtpServer {
    pub async fn start(
        encryption: Encryption,
        acceptor: Option<TlsAcceptor>,
        trouble: Trouble,
    ) -> SmtpServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let for_task = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let (seen, acceptor) = (for_task.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let mut session = Session {
                        seen,
                        trouble,
                        is_tls: encryption == Encryption::Implicit,
                        offers_tls: encryption == Encryption::Starttls,
                        buffer: Vec::new(),
                    };
                    if encryption == Encryption::Implicit {
                        let accepting = acceptor.expect("a certificate").accept(tcp);
                        let Ok(mut tls) = accepting.await else { return };
                        let _ = session.talk(&mut tls, true).await;
                    } else if session.talk(&mut tcp, true).await == Some(Next::Tls) {
                        let accepting = acceptor.expect("a certificate").accept(tcp);
                        let Ok(mut tls) = accepting.await else { return };
                        session.is_tls = true;
                        session.offers_tls = false;
                        let _ = session.talk(&mut tls, false).await;
                    }
                });
            }
        });
        SmtpServer { port, seen, task }
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panicked")
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Tls,
    End,
}

struct Session {
    seen: Arc<Mutex<Seen>>,
    trouble: Trouble,
    is_tls: bool,
    offers_tls: bool,
    buffer: Vec<u8>,
}

impl Session {
    /// `None` when the other side is gone.
    async fn talk<S>(&mut self, stream: &mut S, greets: bool) -> Option<Next>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if greets {
            self.answer(stream, "GREETING", "220 mail.test ESMTP")
                .await?;
        }
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let line = self.line(stream).await?;
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let word = line
                .split([' ', ':'])
                .next()
                .unwrap_or("")
                .to_ascii_uppercase();
            let argument = line
                .split_once(['<'])
                .map(|(_, rest)| rest.split('>').next());
            let argument = argument.flatten().unwrap_or("").to_owned();
            match word.as_str() {
                "EHLO" => {
                    let offers = self.offers();
                    self.answer(stream, "EHLO", &offers).await?;
                }
                "STARTTLS" => {
                    let more = match self.trouble {
                        Trouble::Injects => "220 go\r\n250 AUTH PLAIN",
                        _ => "220 go",
                    };
                    self.answer(stream, "STARTTLS", more).await?;
                    return Some(Next::Tls);
                }
                "AUTH" => self.sign_in(stream, &line).await?,
                "MAIL" => {
                    from = argument;
                    self.answer(stream, "MAIL", "250 2.1.0 Ok").await?;
                }
                "RCPT" => {
                    to.push(argument);
                    self.answer(stream, "RCPT", "250 2.1.5 Ok").await?;
                }
                "DATA" => {
                    self.answer(stream, "DATA", "354 go on").await?;
                    let mail = self.content(stream).await?;
                    let mail = Mail {
                        from: std::mem::take(&mut from),
                        to: std::mem::take(&mut to),
                        ..mail
                    };
                    self.seen.lock().expect("nobody panicked").mails.push(mail);
                    self.answer(stream, "CONTENT", "250 2.0.0 Ok: queued as 4ABC")
                        .await?;
                }
                "QUIT" => {
                    self.answer(stream, "QUIT", "221 bye").await?;
                    return Some(Next::End);
                }
                _ => self.answer(stream, &word, "502 5.5.2 what?").await?,
            }
        }
    }

    fn offers(&self) -> String {
        let mut offers = vec!["mail.test".to_owned(), "8BITMIME".into()];
        if self.offers_tls && self.trouble != Trouble::NoStarttls {
            offers.push("STARTTLS".into());
        } else if self.trouble == Trouble::LoginOnly {
            offers.push("AUTH LOGIN".into());
        } else {
            offers.push("AUTH PLAIN LOGIN".into());
        }
        let last = offers.len() - 1;
        let lines = offers.iter().enumerate();
        let lines =
            lines.map(|(at, text)| format!("250{}{text}", if at < last { '-' } else { ' ' }));
        lines.collect::<Vec<_>>().join("\r\n")
    }

    async fn sign_in<S>(&mut self, stream: &mut S, line: &str) -> Option<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut words = line.split(' ').skip(1);
        let is_plain = words
            .next()
            .is_some_and(|way| way.eq_ignore_ascii_case("PLAIN"));
        let decode = |text: &str| {
            let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
            String::from_utf8(bytes).unwrap_or_default()
        };
        let (user, password) = if is_plain {
            let whole = decode(words.next().unwrap_or(""));
            let mut parts = whole.split('\0').skip(1).map(str::to_owned);
            (
                parts.next().unwrap_or_default(),
                parts.next().unwrap_or_default(),
            )
        } else {
            self.answer(stream, "LOGIN", "334 VXNlcm5hbWU6").await?;
            let user = self.line(stream).await?;
            self.answer(stream, "LOGIN", "334 UGFzc3dvcmQ6").await?;
            let password = self.line(stream).await?;
            let decode = |line: Vec<u8>| decode(&String::from_utf8_lossy(&line));
            (decode(user), decode(password))
        };
        let is_right = user == USER && password == PASSWORD;
        // Some servers say back what they were told.
        let wrong = format!("535 5.7.8 no: {user} {password}");
        let answer = if is_right {
            "235 2.7.0 welcome"
        } else {
            &wrong
        };
        self.answer(stream, "AUTH", answer).await
    }

    async fn content<S>(&mut self, stream: &mut S) -> Option<Mail>
    where
        S: AsyncRead + Unpin,
    {
        let (mut bytes, mut raw) = (Vec::new(), Vec::new());
        loop {
            let line = self.line(stream).await?;
            if line == b".\r\n" {
                break;
            }
            raw.extend_from_slice(&line);
            bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
        Some(Mail {
            from: String::new(),
            to: Vec::new(),
            bytes,
            raw,
        })
    }

    async fn answer<S>(&mut self, stream: &mut S, command: &str, line: &str) -> Option<()>
    where
        S: AsyncWrite + Unpin,
    {
        let line = match self.trouble {
            Trouble::Says(at, other) if at == command => other,
            Trouble::Hangs(at) if at == command => {
                std::future::pending::<()>().await;
                line
            }
            Trouble::HangsUp(at) if at == command => {
                let _ = stream.shutdown().await;
                return None;
            }
            _ => line,
        };
        stream
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .ok()?;
        stream.flush().await.ok()
    }

    /// One line with its end.
    async fn line<S>(&mut self, stream: &mut S) -> Option<Vec<u8>>
    where
        S: AsyncRead + Unpin,
    {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                return Some(self.buffer.drain(..=end).collect());
            }
            let mut chunk = [0; 4096];
            let count = stream
                .read(&mut chunk)
                .await
                .ok()
                .filter(|count| *count > 0)?;
            self.buffer.extend_from_slice(&chunk[..count]);
            let mut seen = self.seen.lock().expect("nobody panicked");
            let kept = if self.is_tls {
                &mut seen.over_tls
            } else {
                &mut seen.clear
            };
            kept.extend_from_slice(&chunk[..count]);
        }
    }
}
