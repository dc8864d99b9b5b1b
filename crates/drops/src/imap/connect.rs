//! From a configuration to a signed-in IMAP connection.

use async_imap::error::Error;
use async_imap::imap_proto::{Response, Status};
use async_imap::types::Capabilities;
use async_imap::{Authenticator, Client, Session};
use rustls::pki_types::ServerName;

use super::metered::{Metered, TOO_MUCH, Transport};
use super::{Auth, Config, token};
use crate::steps::Steps;
use crate::tls::{self, Trust};
use crate::{SourceError, Tls};

/// Most that greeting, capabilities and the answer to a sign-in take, in bytes.
const TALK_BYTES: u64 = 64 * 1024;

/// A signed-in connection.
pub(super) struct Signed {
    pub session: Session<Metered>,
    pub capabilities: Capabilities,
    pub steps: Steps,
}

pub(super) async fn connect(config: &Config) -> Result<Signed, SourceError> {
    let steps = Steps::new(&config.host, config.port(), config.timeout_s);
    // Asked for first: its own trouble is no trouble of the mail server.
    let token = match config.auth {
        Auth::Password => None,
        Auth::Xoauth2 => Some(token::access_token(config, &steps).await?),
    };
    let client = open(config, &steps).await?;
    let signing_in = async {
        match &token {
            None => client.login(&config.user, config.password.expose()).await,
            Some(token) => {
                let text = format!(
                    "user={}\x01auth=Bearer {}\x01\x01",
                    config.user,
                    token.expose()
                );
                client.authenticate("XOAUTH2", Once(Some(text))).await
            }
        }
    };
    let mut session = steps
        .within("signing in", signing_in)
        .await?
        .map_err(|(error, _)| refusal(config, &steps, error))?;
    session.get_mut().allow(TALK_BYTES);
    let asking = session.capabilities();
    let capabilities = steps.within("CAPABILITY", asking).await?;
    let capabilities = capabilities.map_err(|error| failure(&steps, error))?;
    Ok(Signed {
        session,
        capabilities,
        steps,
    })
}

/// A greeted connection, over TLS if it is to be.
async fn open(config: &Config, steps: &Steps) -> Result<Client<Metered>, SourceError> {
    let tcp = steps.connect().await?;
    if config.tls == Tls::None {
        return greeted(steps, Box::new(tcp)).await;
    }
    let tls = tls::Client::new(&Trust {
        host: &config.host,
        pin: config.pin.as_deref(),
        ca_pem: config.ca_pem.as_deref(),
        max_12: config.tls_max_12,
    })?;
    let name = ServerName::try_from(config.host.clone()).map_err(|_| {
        SourceError::Config("host must be a name or an address to be used with TLS".into())
    })?;
    if config.tls == Tls::Implicit {
        let handshake = tls.connector().connect(name, tcp);
        let stream = steps.within("TLS handshake", handshake).await?;
        let stream = stream.map_err(|error| tls.error(&error.to_string()))?;
        return greeted(steps, Box::new(stream)).await;
    }
    let mut client = greeted(steps, Box::new(tcp)).await?;
    let asking = client.run_command_and_check_ok("STARTTLS", None);
    let answer = steps.within("STARTTLS", asking).await?;
    answer.map_err(|error| match error {
        Error::No(_) | Error::Bad(_) => SourceError::Tls(format!(
            "{} does not do STARTTLS; use tls = \"implicit\" (port 993)",
            config.host
        )),
        other => failure(steps, other),
    })?;
    // What came in clear behind the answer is dropped with the client's buffer.
    let handshake = tls
        .connector()
        .connect(name, client.into_inner().into_inner());
    let stream = steps.within("TLS handshake", handshake).await?;
    let stream = stream.map_err(|error| tls.error(&error.to_string()))?;
    let mut metered = Metered::new(Box::new(stream));
    metered.allow(TALK_BYTES);
    Ok(Client::new(metered))
}

async fn greeted(
    steps: &Steps,
    transport: Box<dyn Transport>,
) -> Result<Client<Metered>, SourceError> {
    let mut metered = Metered::new(transport);
    metered.allow(TALK_BYTES);
    let mut client = Client::new(metered);
    let greeting = steps.within("greeting", client.read_response()).await?;
    let said = greeting.map_err(|error| failure(steps, Error::Io(error)))?;
    let host = steps.host();
    match said.as_ref().map(|said| said.parsed()) {
        Some(Response::Data {
            status: Status::Ok, ..
        }) => Ok(client),
        Some(Response::Data {
            status: Status::Bye,
            outcome,
        }) => {
            let words = outcome.information.as_deref().unwrap_or("without a word");
            Err(SourceError::Unreachable(format!(
                "{host} takes no connection now ({words})"
            )))
        }
        Some(_) => Err(SourceError::Protocol(format!(
            "{host} does not greet as an IMAP server does; check the port"
        ))),
        None => Err(failure(steps, Error::ConnectionLost)),
    }
}

/// Answers the first question, and then nothing: the second one only carries the reason of the
/// refusal, which the server says again in words.
struct Once(Option<String>);

impl Authenticator for Once {
    type Response = String;

    fn process(&mut self, _: &[u8]) -> String {
        self.0.take().unwrap_or_default()
    }
}

fn refusal(config: &Config, steps: &Steps, error: Error) -> SourceError {
    // RFC 5530: these say that it is not the password.
    const NOT_NOW: [&str; 4] = ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"];
    match error {
        Error::No(words) if NOT_NOW.iter().any(|code| words.contains(code)) => {
            let words = said(&words);
            SourceError::Unreachable(format!("{} takes no sign-in now ({words})", config.host))
        }
        Error::No(words) | Error::Bad(words) => {
            let what = match config.auth {
                Auth::Password => {
                    "user and password; many providers want an app password or xoauth2"
                }
                Auth::Xoauth2 => "user and token",
            };
            SourceError::Refused(format!(
                "{} refused user {} ({}); check {what}",
                config.host,
                config.user,
                said(&words)
            ))
        }
        Error::Validate(_) => {
            SourceError::Config("user and password must not have line breaks".into())
        }
        other => failure(steps, other),
    }
}

/// What any other failure means.
pub(super) fn failure(steps: &Steps, error: Error) -> SourceError {
    const MOST: usize = 200;
    let host = steps.host();
    match error {
        Error::Io(error) if error.to_string() == TOO_MUCH => {
            SourceError::Protocol(format!("{host}: {TOO_MUCH}"))
        }
        Error::Io(error) if error.kind() == std::io::ErrorKind::Other => {
            // The library's words quote what it could not read, which may be somebody's mail.
            SourceError::Protocol(format!("{host} does not speak IMAP as we know it"))
        }
        Error::Io(error) => steps.broken(&error),
        Error::ConnectionLost => {
            SourceError::Unreachable(format!("{host} closed the connection; is it overloaded?"))
        }
        Error::No(words) | Error::Bad(words) => {
            let words: String = said(&words)
                .chars()
                .filter(|c| !c.is_control())
                .take(MOST)
                .collect();
            SourceError::Protocol(format!("{host} refused a request: {words}"))
        }
        _ => SourceError::Protocol(format!("{host} does not speak IMAP as we know it")),
    }
}

/// The server's own words: the library wraps them as `code: None, info: Some("...")`.
pub(super) fn said(words: &str) -> String {
    let Some((_, info)) = words.split_once("info: ") else {
        return words.to_owned();
    };
    let info = info
        .strip_prefix("Some(\"")
        .and_then(|info| info.strip_suffix("\")"));
    let Some(info) = info else {
        return "it gives no reason".to_owned();
    };
    info.replace("\\\"", "\"").replace("\\\\", "\\")
}

#[cfg(test)]
mod tests {
    use super::said;

    #[test]
    fn a_refusal_is_told_in_the_servers_own_words() {
        let wrapped = r#"code: None, info: Some("[AUTHENTICATIONFAILED] No such \"user\".")"#;
        assert_eq!(said(wrapped), "[AUTHENTICATIONFAILED] No such \"user\".");
        assert_eq!(said("code: None, info: None"), "it gives no reason");
        assert_eq!(said("Mailbox is full"), "Mailbox is full");
    }
}
