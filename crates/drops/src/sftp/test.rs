//! Trying an SFTP source: sign in, look into the folder, change nothing.

use super::{Config, connect::connect};
use crate::{SourceError, Tested, folder};

pub(crate) async fn test(config: &Config) -> Result<Tested, SourceError> {
    let mut remote = connect(config).await?;
    let place = format!("{} as {}", config.host, config.user);
    let tested = folder::test(&mut remote, &config.pattern, &place).await;
    remote.quit().await;
    tested
}
