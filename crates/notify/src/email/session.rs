//! One conversation with a mail server: connect, TLS, sign in, one mail. Every step ends in time,
//! and nothing of the mail or the password is said before the server is believed.

use std::time::Duration;

use lettre::address::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use super::answer::{Step, failed};
use super::stream::Stream;
use super::{Config, Tls, plain};
use crate::trust::Trust;
use crate::{SendError, clean, limits};

/// Delivers a mail; what the server said when it took it.
pub(super) async fn deliver(
    config: &Config,
    from: &Address,
    to: &Address,
    mail: &[u8],
) -> Result<String, SendError> {
    let steps = Steps {
        host: &config.host,
        timeout_s: config.timeout_s,
    };
    let hello = ClientId::default();
    let stream = open(config, &steps, &hello).await?;
    let greeting = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
    let mut server = steps.said(Step::Greeting, greeting).await?;
    if !config.user.is_empty() {
        let password = config.password.reveal().to_owned();
        let credentials = Credentials::new(config.user.clone(), password);
        let ways = [Mechanism::Plain, Mechanism::Login];
        steps
            .said(Step::SignIn, server.auth(&ways, &credentials))
            .await?;
    }
    let mut parameters = Vec::new();
    if !AsRef::<str>::as_ref(from).is_ascii() || !AsRef::<str>::as_ref(to).is_ascii() {
        if !server
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            let host = &config.host;
            let words = format!("{host} takes only addresses in ASCII; give this person another");
            return Err(SendError::refused("address", words));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    let sender = Mail::new(Some(from.clone()), parameters);
    steps.said(Step::Sender, server.command(sender)).await?;
    let recipient = Rcpt::new(to.clone(), Vec::new());
    steps
        .said(Step::Recipient, server.command(recipient))
        .await?;
    steps.said(Step::Data, server.command(Data)).await?;
    let taken = steps.said(Step::Content, server.message(mail)).await?;
    // The mail is theirs; a server that does not say goodbye changes nothing.
    let _ = tokio::time::timeout(limits::GOODBYE, server.quit()).await;
    let said: Vec<&str> = taken.message().collect();
    Ok(clean::line(&said.join(" "), limits::WORDS_CHARS))
}

async fn open(config: &Config, steps: &Steps<'_>, hello: &ClientId) -> Result<Stream, SendError> {
    let host = config.host.as_str();
    let connecting = TcpStream::connect((host, config.port()));
    let connected = steps.within("connecting", connecting).await?;
    let unreachable = |error: std::io::Error| {
        let port = config.port();
        let error = clean::network(&error.to_string());
        let words = format!("{host} cannot be reached at port {port} ({error}); check both");
        SendError::temporary("unreachable", words)
    };
    let mut stream = connected.map_err(unreachable)?;
    let peer = stream.peer_addr().map_err(unreachable)?;
    // lettre writes a mail's end by itself, and would wait 40 ms for an acknowledgement of the rest.
    stream.set_nodelay(true).map_err(unreachable)?;
    if config.tls == Tls::None {
        if !peer.ip().is_loopback() {
            let words = format!("{host} is not this computer; set tls to starttls or implicit");
            return Err(SendError::broken("config", words));
        }
        return Ok(Stream::plain(stream, peer));
    }
    let is_starttls = config.tls == Tls::Starttls;
    if is_starttls {
        let hello = hello.to_string();
        let talk = plain::until_tls(&mut stream, host, &hello);
        steps.within("greeting", talk).await??;
    }
    let trust = Trust::new(config.pin.as_deref(), config.ca_pem.as_deref())?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| SendError::broken("config", format!("{host} is no host name")))?;
    let connector = tokio_rustls::TlsConnector::from(trust.config.clone());
    let shaken = steps.within("TLS", connector.connect(name, stream)).await?;
    let stream = shaken.map_err(|error| {
        trust.certificate_error(host).unwrap_or_else(|| {
            let words = format!(
                "TLS with {host} failed ({error}); check the port and whether it is tls starttls \
                 or implicit"
            );
            SendError::temporary("tls", words)
        })
    })?;
    Ok(Stream::tls(stream, peer, is_starttls))
}

/// Ends every step in time and says which one did not.
struct Steps<'a> {
    host: &'a str,
    timeout_s: u32,
}

impl Steps<'_> {
    async fn within<T>(&self, step: &str, doing: impl Future<Output = T>) -> Result<T, SendError> {
        let timeout = Duration::from_secs(self.timeout_s.into());
        tokio::time::timeout(timeout, doing).await.map_err(|_| {
            let words = format!(
                "{} did not answer within {} s ({step}); it is tried again",
                self.host, self.timeout_s
            );
            SendError::temporary("timed_out", words)
        })
    }

    async fn said<T>(
        &self,
        step: Step,
        asking: impl Future<Output = Result<T, lettre::transport::smtp::Error>>,
    ) -> Result<T, SendError> {
        let answer = self.within(step.name(), asking).await;
        let answer = answer.map_err(|error| error.maybe_arrived(step == Step::Content))?;
        answer.map_err(|error| failed(self.host, step, &error))
    }
}
