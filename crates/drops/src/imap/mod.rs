//! A folder of a mailbox. Mails are handed over whole; which are ours is decided by their headers
//! first, so that thousands of other mails cost one look each and no body.

mod action;
mod config;
mod connect;
mod mailbox;
mod metered;
mod poll;
mod test;
mod token;
mod wait;

pub use config::{Auth, Config};
pub(crate) use poll::poll;
pub(crate) use test::test;
pub(crate) use wait::wait_for_new;
