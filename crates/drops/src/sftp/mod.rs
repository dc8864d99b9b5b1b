//! A folder on an SSH server.

mod config;
mod connect;
mod poll;
mod remote;
mod test;

pub use config::{Auth, Config};
pub(crate) use poll::poll;
pub(crate) use test::test;
