//! The encrypted store: one catalog, one SQLite file a day, a ledger that decides duplicates.
//! Synchronous; the only crate that names rusqlite.

mod care;
mod catalog;
mod codec;
mod day;
mod entry;
mod error;
mod files;
mod key;
mod lock;
mod open;
mod query;
mod readers;
mod shared;
mod sqlite;
mod store;
mod writer;

pub use care::Care;
pub use catalog::care::DesiredConfig;
pub use catalog::credentials::{Credential, Holder, KEY_OVERLAP_US, KeyState};
pub use catalog::facts::MachineFacts;
pub use catalog::machines::Machine;
pub use catalog::pairing::{PairingUse, StoredPairing};
pub use catalog::resends::Resend;
pub use entry::{NewEntries, PathKind, Receipt, StoredEntry};
pub use error::{OpenError, StoreError};
pub use key::WrappingKey;
pub use query::{Around, EntryPage, EntryQuery, Histogram, Order, PageRequest};
pub use store::Store;
