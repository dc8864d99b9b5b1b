//! A folder on an FTP server, in clear or over TLS; always passive, for we sit behind NAT.

mod config;
mod connect;
mod encoding;
mod listing;
mod poll;
mod remote;
mod test;

pub use config::Config;
pub(crate) use poll::poll;
pub(crate) use test::test;
