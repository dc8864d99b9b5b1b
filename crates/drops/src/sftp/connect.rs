//! From a configuration to a signed-in SFTP session in its folder.

use std::sync::{Arc, Mutex};

use russh::client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, decode_secret_key, ssh_key};
use russh::{MethodKind, MethodSet};
use russh_sftp::client::RawSftpSession;

use super::remote::{SftpFolder, failure};
use super::{Auth, Config};
use crate::SourceError;
use crate::steps::Steps;

/// Questions of a keyboard-interactive sign-in that are answered; more are no plain password.
const QUESTIONS: usize = 3;

pub(super) async fn connect(config: &Config) -> Result<SftpFolder, SourceError> {
    let steps = Steps::new(&config.host, config.port(), config.timeout_s);
    let tcp = steps.connect().await?;
    let seen = Arc::new(Mutex::new(None));
    let known = KnownKey {
        expected: config.host_key.clone(),
        seen: seen.clone(),
    };
    let opening = client::connect_stream(Arc::default(), tcp, known);
    let mut handle = steps
        .within("greeting and key exchange", opening)
        .await?
        .map_err(|error| {
            let seen = seen.lock().unwrap_or_else(|e| e.into_inner()).take();
            match (error, seen) {
                (russh::Error::UnknownKey, Some(fingerprint)) => SourceError::HostKey {
                    host: config.host.clone(),
                    fingerprint,
                    expected: config.host_key.clone(),
                },
                (error, _) => broken(&steps, &error),
            }
        })?;
    let signing_in = sign_in(config, &mut handle);
    match steps.within("signing in", signing_in).await? {
        Ok(true) => {}
        Ok(false) => {
            let what = match config.auth {
                Auth::Password => "user and password",
                Auth::Key => "user and key, and that the server knows the key's public half",
            };
            return Err(SourceError::Refused(format!(
                "{} refused user {}; check {what}",
                config.host, config.user
            )));
        }
        Err(SignIn::Key(error)) => {
            return Err(SourceError::Config(format!(
                "private_key cannot be read ({error}); paste the whole file, and set passphrase if \
                 it has one"
            )));
        }
        Err(SignIn::Ssh(error)) => return Err(broken(&steps, &error)),
    }
    let channel = async {
        let channel = handle.channel_open_session().await?;
        channel.request_subsystem(true, "sftp").await?;
        Ok::<_, russh::Error>(channel)
    };
    let channel = steps
        .within("asking for SFTP", channel)
        .await?
        .map_err(|error| broken(&steps, &error))?;
    let session = RawSftpSession::new(channel.into_stream());
    // Our own limit ends a step.
    session.set_timeout(u64::from(config.timeout_s) * 2);
    let version = steps.within("starting SFTP", session.init()).await?;
    version.map_err(|error| failure(&steps, error))?;
    let folder = real_path(config, &steps, &session).await?;
    Ok(SftpFolder::new(handle, session, steps, folder))
}

/// The folder's absolute path: everything is asked for below it.
async fn real_path(
    config: &Config,
    steps: &Steps,
    session: &RawSftpSession,
) -> Result<String, SourceError> {
    let folder = if config.folder.is_empty() {
        "."
    } else {
        &config.folder
    };
    let asked = steps.within("REALPATH", session.realpath(folder)).await?;
    let real = asked.ok().and_then(|name| name.files.into_iter().next());
    match real {
        Some(file) => Ok(file.filename.trim_end_matches('/').to_owned()),
        None => Err(SourceError::NoFolder(format!(
            "there is no folder {folder} for {} on {}; check its name",
            config.user, config.host
        ))),
    }
}

enum SignIn {
    Key(russh::keys::Error),
    Ssh(russh::Error),
}

impl From<russh::Error> for SignIn {
    fn from(error: russh::Error) -> SignIn {
        SignIn::Ssh(error)
    }
}

/// Whether the server lets us in. One try: a second one with the same password only brings the
/// account nearer to being locked.
async fn sign_in(config: &Config, handle: &mut Handle<KnownKey>) -> Result<bool, SignIn> {
    if config.auth == Auth::Key {
        let passphrase = config.passphrase.expose();
        let passphrase = (!passphrase.is_empty()).then_some(passphrase);
        let key =
            decode_secret_key(config.private_key.expose(), passphrase).map_err(SignIn::Key)?;
        let hash = match key.algorithm().is_rsa() {
            true => handle.best_supported_rsa_hash().await?.flatten(),
            false => None,
        };
        let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
        let answer = handle.authenticate_publickey(&config.user, key).await?;
        return Ok(answer.success());
    }
    // Asked first without a password, as OpenSSH does: it tells what the server offers, and counts
    // as no try.
    let offered = match handle.authenticate_none(&config.user).await? {
        AuthResult::Success => return Ok(true),
        AuthResult::Failure {
            remaining_methods, ..
        } => remaining_methods,
    };
    if is_only_interactive(&offered) {
        return answer_questions(config, handle).await;
    }
    let password = config.password.expose();
    let answer = handle.authenticate_password(&config.user, password).await?;
    Ok(answer.success())
}

fn is_only_interactive(offered: &MethodSet) -> bool {
    !offered.contains(&MethodKind::Password) && offered.contains(&MethodKind::KeyboardInteractive)
}

/// Some servers ask for the password as a question.
async fn answer_questions(config: &Config, handle: &mut Handle<KnownKey>) -> Result<bool, SignIn> {
    let mut said = handle
        .authenticate_keyboard_interactive_start(&config.user, None)
        .await?;
    for _ in 0..QUESTIONS {
        let prompts = match said {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let answers = prompts.iter().map(|prompt| match prompt.echo {
            true => config.user.clone(),
            false => config.password.expose().to_owned(),
        });
        said = handle
            .authenticate_keyboard_interactive_respond(answers.collect())
            .await?;
    }
    Ok(false)
}

/// Believes one key and no other.
#[derive(Debug)]
pub(super) struct KnownKey {
    expected: Option<String>,
    seen: Arc<Mutex<Option<String>>>,
}

impl client::Handler for KnownKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &ssh_key::PublicKey) -> Result<bool, Self::Error> {
        let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
        let is_known = self
            .expected
            .as_ref()
            .is_some_and(|expected| expected.trim_end_matches('=') == fingerprint);
        *self.seen.lock().unwrap_or_else(|e| e.into_inner()) = Some(fingerprint);
        Ok(is_known)
    }
}

fn broken(steps: &Steps, error: &russh::Error) -> SourceError {
    let host = steps.host();
    match error {
        russh::Error::IO(error) => steps.broken(error),
        russh::Error::HUP | russh::Error::Disconnect | russh::Error::SendError => {
            SourceError::Unreachable(format!("{host} closed the connection; is it overloaded?"))
        }
        other => SourceError::Protocol(format!(
            "{host} does not speak SSH as we know it ({other}); check the port"
        )),
    }
}
