//! One poll of an FTP source.

use jiff::Timestamp;

use super::{Config, connect::connect};
use crate::folder::{self, Order};
use crate::place::place;
use crate::{Inbox, Polled, SourceError};

pub(crate) async fn poll(config: &Config, inbox: &impl Inbox) -> Result<Polled, SourceError> {
    let mut remote = connect(config).await?;
    let order = Order {
        place: place(&[&config.host, &config.user, &config.folder]),
        pattern: &config.pattern,
        after: config.after,
        move_to: config.move_to.as_deref().unwrap_or(""),
        now: Timestamp::now(),
    };
    let polled = folder::poll(&mut remote, &order, inbox).await;
    remote.quit().await;
    polled
}
