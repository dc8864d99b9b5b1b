//! From a configuration to a signed-in FTP connection in its folder.

use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use suppaftp::{FtpError, Mode, Status};

use super::Config;
use super::encoding::Names;
use super::remote::FtpFolder;
use crate::steps::Steps;
use crate::tls::{Client, Trust};
use crate::{SourceError, Tls};

pub(super) async fn connect(config: &Config) -> Result<FtpFolder, SourceError> {
    let steps = Steps::new(&config.host, config.port(), config.timeout_s);
    let client = match config.tls {
        Tls::None => None,
        Tls::Explicit | Tls::Implicit => Some(Client::new(&Trust {
            host: &config.host,
            pin: config.pin.as_deref(),
            ca_pem: config.ca_pem.as_deref(),
            max_12: config.tls_max_12,
        })?),
    };
    let mut stream = open(config, &steps, client.as_ref()).await?;
    let failed = |error| failure(&steps, client.as_ref(), error);
    // IPv6 has no PASV. Elsewhere it is what the oldest servers know.
    let peer = stream.get_ref().await.peer_addr();
    let is_v6 = peer.is_ok_and(|peer| peer.is_ipv6());
    stream.set_mode(if is_v6 {
        Mode::ExtendedPassive
    } else {
        Mode::Passive
    });
    stream.set_passive_nat_workaround(!config.trust_pasv_address);
    stream.set_encoding(Names).await;
    let login = stream.login(config.user.as_str(), config.password.expose());
    steps
        .within("signing in", login)
        .await?
        .map_err(|error| refusal(config, error, &failed))?;
    let binary = stream.transfer_type(FileType::Binary);
    steps.within("TYPE", binary).await?.map_err(failed)?;
    if !config.folder.is_empty() {
        let cwd = stream.cwd(&config.folder);
        steps
            .within("CWD", cwd)
            .await?
            .map_err(|error| match error {
                FtpError::UnexpectedResponse(said) => SourceError::NoFolder(format!(
                    "there is no folder {} for {} on {} ({}); check its name",
                    config.folder,
                    config.user,
                    config.host,
                    words(&said)
                )),
                other => failed(other),
            })?;
    }
    // A server that does not know FEAT has no MLSD either.
    let features = steps.within("FEAT", stream.feat()).await?;
    let has_mlsd = features.is_ok_and(|known| known.contains_key("MLST"));
    Ok(FtpFolder::new(stream, steps, client, has_mlsd))
}

async fn open(
    config: &Config,
    steps: &Steps,
    client: Option<&Client>,
) -> Result<AsyncRustlsFtpStream, SourceError> {
    let failed = |error| failure(steps, client, error);
    let connector = || client.map(|client| AsyncRustlsConnector::from(client.connector()));
    if let (Tls::Implicit, Some(connector)) = (config.tls, connector()) {
        // Tried first by itself, for the words of a port on which nothing listens.
        drop(steps.connect().await?);
        let address = (config.host.as_str(), config.port());
        let opening =
            AsyncRustlsFtpStream::connect_secure_implicit(address, connector, &config.host);
        let mut stream = steps
            .within("greeting over TLS", opening)
            .await?
            .map_err(failed)?;
        for command in ["PBSZ 0", "PROT P"] {
            let asking = stream.custom_command(command, &[Status::CommandOk]);
            steps.within(command, asking).await?.map_err(failed)?;
        }
        return Ok(stream);
    }
    let tcp = steps.connect().await?;
    let greeting = AsyncRustlsFtpStream::connect_with_stream(tcp);
    let stream = steps.within("greeting", greeting).await?.map_err(failed)?;
    match connector() {
        None => Ok(stream),
        Some(connector) => {
            let securing = stream.into_secure(connector, &config.host);
            let secured = steps.within("AUTH TLS", securing).await?;
            secured.map_err(|error| match error {
                FtpError::UnexpectedResponse(said) => SourceError::Tls(format!(
                    "{} does not do TLS ({}); with tls = \"none\" the password would travel in clear",
                    config.host,
                    words(&said)
                )),
                other => failed(other),
            })
        }
    }
}

/// What a failed sign-in means.
fn refusal(
    config: &Config,
    error: FtpError,
    failed: &impl Fn(FtpError) -> SourceError,
) -> SourceError {
    match error {
        FtpError::UnexpectedResponse(said) if said.status != Status::NotAvailable => {
            SourceError::Refused(format!(
                "{} refused user {} ({}); check user and password",
                config.host,
                config.user,
                words(&said)
            ))
        }
        other => failed(other),
    }
}

/// What any other failure means.
pub(super) fn failure(steps: &Steps, client: Option<&Client>, error: FtpError) -> SourceError {
    let host = steps.host();
    match error {
        FtpError::ConnectionError(error) => match client {
            // TLS errors of an open connection come as I/O errors.
            Some(client) if error.kind() == std::io::ErrorKind::InvalidData => {
                client.error(&error.to_string())
            }
            _ => steps.broken(&error),
        },
        FtpError::SecureError(words) => match client {
            Some(client) => client.error(&words),
            None => SourceError::Tls(words),
        },
        FtpError::UnexpectedResponse(said) if words(&said).starts_with("522") => {
            SourceError::Tls(format!(
                "{host} refuses the data connection ({}); set tls_max_12",
                words(&said)
            ))
        }
        FtpError::UnexpectedResponse(said) if said.status == Status::NotAvailable => {
            SourceError::Unreachable(format!("{host} takes no connection now ({})", words(&said)))
        }
        FtpError::UnexpectedResponse(said) => {
            SourceError::Protocol(format!("{host} refused a request: {}", words(&said)))
        }
        other => SourceError::Protocol(format!("{host} does not speak FTP as we know it: {other}")),
    }
}

/// What the server said, on one line and not too long.
pub(super) fn words(said: &suppaftp::types::Response) -> String {
    const MOST: usize = 200;
    let body = String::from_utf8_lossy(&said.body);
    let line: String = body
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST)
        .collect();
    if line.is_empty() {
        said.status.code().to_string()
    } else {
        line
    }
}
