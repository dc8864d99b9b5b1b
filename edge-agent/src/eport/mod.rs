//! Tier 2: entries through the card reader's cellular link, as drops of at most 900 bytes. What is
//! due when is decided here; the reader's protocol is `serial`, or the vending application's own.

mod outbox;
pub mod serial;

pub use outbox::{Offer, Outbox, ReaderFacts, Report, Said};
