//! Upload into a folder by SFTP, with a password or a key.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use russh::client::{self, Handler};
use russh::keys::{self, PrivateKeyWithHashAlg};
use russh_sftp::client::SftpSession;
use tokio::io::AsyncWriteExt;

use super::place::Place;

/// Trusts every host key: the servers of tests make their own.
struct Anyone;

impl Handler for Anyone {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _: &keys::ssh_key::PublicKey,
    ) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

pub(super) async fn put(place: &Place, key: Option<&Path>, name: &str, bytes: &[u8]) -> Result<()> {
    let config = Arc::new(client::Config::default());
    let mut session = client::connect(config, place.address(), Anyone)
        .await
        .context("the SSH server cannot be reached")?;
    let answer = match key {
        Some(path) => {
            let key = keys::load_secret_key(path, None)
                .with_context(|| format!("{} is no private key", path.display()))?;
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), None);
            session.authenticate_publickey(&place.user, key).await?
        }
        None => {
            session
                .authenticate_password(&place.user, &place.password)
                .await?
        }
    };
    ensure!(answer.success(), "the SSH server refuses {}", place.user);
    let channel = session.channel_open_session().await?;
    channel.request_subsystem(true, "sftp").await?;
    let sftp = SftpSession::new(channel.into_stream()).await?;
    let path = match place.folder.trim_end_matches('/') {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let mut file = sftp.create(path).await?;
    file.write_all(bytes).await?;
    file.shutdown().await?;
    sftp.close().await?;
    Ok(())
}
