//! The encrypted store: one catalog, one SQLite file a day, a ledger that decides duplicates.
//! Synchronous; the only crate that names rusqlite.

mod alerting;
mod care;
mod catalog;
mod cell;
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

pub use alerting::{AlertQuery, Alerts, AlertsChanged, WholeAlert};
pub use care::Care;
pub use catalog::alerts::deliveries::{DELIVERY_TRIED_US, Message, MessageState, Tried};
pub use catalog::alerts::facts::SlowFacts;
pub use catalog::care::DesiredConfig;
pub use catalog::cell::data_plan::{BYTES_PER_MB, DataPlan, DataUse, PLAN_WARN_AT, PlanState};
pub use catalog::cell::delivery::{DELIVERY_DAYS, Delivery, DropGap};
pub use catalog::cell::dictionaries::{DICTIONARY_MAX_BYTES, DictionaryInfo, DictionaryOrigin};
pub use catalog::cell::drops::StoredDrop;
pub use catalog::cell::facts::{CellFacts, LastDrop};
pub use catalog::cell::quarantine::{
    NewQuarantined, QUARANTINE_ITEM_MAX_BYTES, QUARANTINE_MAX_BYTES, QUARANTINE_MAX_ITEMS,
    QUARANTINE_RESTORABLE_US, Quarantined,
};
pub use catalog::cell::sources::{SourceStatus, StoredSource};
pub use catalog::credentials::{Credential, Holder, KEY_OVERLAP_US, KeyState};
pub use catalog::facts::MachineFacts;
pub use catalog::machines::Machine;
pub use catalog::pairing::{PairingUse, StoredPairing};
pub use catalog::resends::Resend;
pub use cell::Cell;
pub use cell::arrived::{ArrivedDrop, DropReceipt};
pub use entry::{NewEntries, PathKind, Receipt, StoredEntry};
pub use error::{OpenError, StoreError};
pub use key::WrappingKey;
pub use query::{Around, EntryPage, EntryQuery, Histogram, Order, PageRequest};
pub use store::Store;
