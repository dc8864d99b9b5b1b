//! The encrypted store: one catalog, one SQLite file a day, a ledger that decides duplicates.
//! Synchronous; the only crate that names rusqlite.
//!
//! CONTRACT being built: the names and shapes below are what `central` codes against.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use wire::{ClockState, Heartbeat, Level, LogEntry, MachineId, Micros};

/// The key that wraps the store's data key.
pub struct WrappingKey([u8; 32]);

impl WrappingKey {
    /// Reads the key file, or makes it (0600) when neither it nor a store at `data_dir` exists.
    ///
    /// # Errors
    /// The file is missing over an existing store, unreadable, or damaged.
    pub fn load_or_create(key_file: &Path, data_dir: &Path) -> Result<WrappingKey, OpenError> {
        let _ = (key_file, data_dir, &WrappingKey([0; 32]).0);
        unimplemented!()
    }
}

/// Why a store does not open. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Placeholder; the store's author adds the real ones.
    #[error("{0}")]
    Other(String),
}

/// Why a call on an open store failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A machine of this id exists already.
    #[error("machine {0} exists already")]
    MachineExists(MachineId),
    /// No machine of this id.
    #[error("there is no machine {0}")]
    NoSuchMachine(MachineId),
    /// No entry with this id (removed by retention, or never there).
    #[error("there is no entry with this id; it may have been removed by retention")]
    NoSuchEntry,
    /// The cursor or entry id is damaged.
    #[error("the {0} cannot be read; start again without it")]
    BadReference(&'static str),
    /// The disk is full: nothing of the call is stored.
    #[error("the disk of the store is full")]
    DiskFull,
    /// The store is closing.
    #[error("the store is closing")]
    Closing,
    /// SQLite or the file system failed.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// Which way an entry came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathKind {
    /// HTTPS from the agent.
    Wifi,
    /// A drop through the card reader.
    Cell,
}

/// Entries to store, of one machine.
pub struct NewEntries {
    /// Whose.
    pub machine: MachineId,
    /// The numbering spool, or `None` for entries without numbers.
    pub epoch: Option<u64>,
    /// The entries; with an epoch each has a seq.
    pub entries: Vec<LogEntry>,
    /// Seqs that were refused for good: the ledger knows them, so that they are no gap.
    pub refused_seqs: Vec<u64>,
    /// How they came.
    pub path: PathKind,
    /// When they came, by our clock.
    pub received_at: Micros,
}

/// What became of [`NewEntries`], durable when it is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Entries stored now.
    pub accepted: u64,
    /// Indexes of the entries that were there before.
    pub duplicates: Vec<usize>,
    /// Earliest and latest `filed_at` of what was stored now.
    pub filed: Option<(Micros, Micros)>,
    /// What was stored now, by level.
    pub by_level: [u64; 5],
}

/// A machine as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Its id.
    pub id: MachineId,
    /// A name for people; empty when not given.
    pub name: String,
    /// Where it stands; empty when not given.
    pub location: String,
    /// IANA zone such as `America/Los_Angeles`; empty when not given.
    pub timezone: String,
    /// The customer site; empty when not given.
    pub site: String,
    /// The service route; empty when not given.
    pub route: String,
    /// Free words.
    pub tags: Vec<String>,
    /// Who owns it; empty when not given.
    pub owner: String,
    /// Opening hours as the user wrote them; empty when not given.
    pub opening_hours: String,
    /// Serial numbers of its card readers.
    pub reader_serials: Vec<String>,
    /// When it was added.
    pub created_at: Micros,
}

/// A stored credential: found by `key_id`, compared by SHA-256 in constant time by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The public part by which it is found.
    pub key_id: String,
    /// SHA-256 of the whole secret.
    pub sha256: [u8; 32],
    /// Whom it lets in.
    pub holder: Holder,
    /// When it was made.
    pub created_at: Micros,
    /// When it ends, if ever (sessions).
    pub expires_at: Option<Micros>,
}

/// Whom a credential lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The agent of a machine.
    Machine(MachineId),
    /// A script's token.
    Token {
        /// Its name.
        name: String,
        /// `manager`, `technician` or `owner`.
        role: String,
    },
    /// A browser's session.
    Session {
        /// Who signed in.
        name: String,
        /// `manager`, `technician` or `owner`.
        role: String,
    },
}

/// What the status of a machine is judged from.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineFacts {
    /// The machine.
    pub machine: Machine,
    /// Last batch or heartbeat over WiFi, by our clock.
    pub last_wifi: Option<Micros>,
    /// Last drop, by our clock.
    pub last_cell: Option<Micros>,
    /// Last heartbeat, by our clock, and what it said.
    pub heartbeat: Option<(Micros, Heartbeat)>,
    /// Entries by level filed in the last 60 minutes.
    pub last_hour: [u64; 5],
    /// Entries by level filed in the last 24 hours.
    pub last_day: [u64; 5],
    /// Entries by level for each of the last 24 whole hours, oldest first, the current hour last.
    pub hours: Vec<[u64; 5]>,
    /// The newest CRITICAL of the last hour: when it was filed, component and message.
    pub last_critical: Option<(Micros, String, String)>,
    /// The newest ERROR of the last hour: when it was filed, component and message.
    pub last_error: Option<(Micros, String, String)>,
}

/// Which entries are wanted. Empty lists and `None` mean everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntryQuery {
    /// Any of these machines.
    pub machines: Vec<MachineId>,
    /// This level and graver.
    pub min_level: Option<Level>,
    /// Any of these components.
    pub components: Vec<String>,
    /// Filed at or after.
    pub from: Option<Micros>,
    /// Filed before.
    pub to: Option<Micros>,
    /// Words over message, component and context; see [`EntryQuery::q`] in interfaces: words,
    /// `"a phrase"`, `-not`, `field:value`.
    pub q: String,
}

/// Which way a page runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Desc,
    /// Oldest first.
    Asc,
}

/// One page to read.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// Which way.
    pub order: Order,
    /// At most so many entries (1 to 1,000).
    pub limit: usize,
    /// Where the page before ended: `EntryPage::next`.
    pub cursor: Option<String>,
    /// How long a scan that no index serves may take.
    pub budget: Duration,
}

/// A page of entries.
#[derive(Debug, Clone, Default)]
pub struct EntryPage {
    /// In the order asked for.
    pub entries: Vec<StoredEntry>,
    /// Opaque: where the next page starts; `None` at the end.
    pub next: Option<String>,
    /// When the time budget ended the scan: how far it came.
    pub searched_to: Option<Micros>,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEntry {
    /// Opaque, for links.
    pub id: String,
    /// Whose.
    pub machine_id: MachineId,
    /// The numbering spool; `None` for entries without numbers.
    pub epoch: Option<u64>,
    /// The number; `None` for entries without numbers.
    pub seq: Option<u64>,
    /// Event time as the sender gave it.
    pub timestamp: Micros,
    /// Arrival, by our clock.
    pub received_at: Micros,
    /// The time it is filed, ordered and kept by.
    pub filed_at: Micros,
    /// How grave.
    pub level: Level,
    /// Part of the machine.
    pub component: String,
    /// What happened.
    pub message: String,
    /// The sentence without its parameters.
    pub template: String,
    /// Byte ranges of the parameters in `message`.
    pub params: Vec<(usize, usize)>,
    /// Details.
    pub context: Map<String, Value>,
    /// Trust in the timestamp.
    pub clock: ClockState,
    /// Came over WiFi.
    pub by_wifi: bool,
    /// Came in a drop.
    pub by_cell: bool,
    /// Whole, or shortened to fit a drop.
    pub full: bool,
}

/// Counts by level over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Start of the first bin.
    pub from: Micros,
    /// Width of a bin in microseconds.
    pub step_us: i64,
    /// Counts by level, one array a bin.
    pub bins: Vec<[u64; 5]>,
    /// False when a time budget ended the count or bins were rounded to rollup hours.
    pub exact: bool,
}

/// The lines around an entry, of the same machine, oldest first.
#[derive(Debug, Clone)]
pub struct Around {
    /// Lines before, the entry, lines after.
    pub entries: Vec<StoredEntry>,
    /// Place of the entry in `entries`.
    pub index: usize,
    /// How often the entry's template was seen on its day, over all machines.
    pub template_count_on_day: u64,
}

/// An open store. Cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct Store {}

#[allow(unused_variables, missing_docs)]
impl Store {
    /// Opens or makes the store at `dir` and holds `DATA/lock`.
    pub fn open(dir: &Path, key: &WrappingKey, now: Micros) -> Result<Store, OpenError> {
        unimplemented!()
    }
    /// Hands entries to the writer; `done` is called on the writer's thread once they are durable.
    pub fn append(
        &self,
        new: NewEntries,
        done: impl FnOnce(Result<Receipt, StoreError>) + Send + 'static,
    ) {
        unimplemented!()
    }
    /// [`Store::append`] that waits.
    pub fn append_wait(&self, new: NewEntries) -> Result<Receipt, StoreError> {
        unimplemented!()
    }
    pub fn record_heartbeat(&self, beat: &Heartbeat, at: Micros) -> Result<(), StoreError> {
        unimplemented!()
    }
    pub fn add_machine(&self, machine: &Machine, key: &Credential) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Forgets the machine and its keys; its entries stay until retention.
    pub fn remove_machine(&self, id: &MachineId) -> Result<(), StoreError> {
        unimplemented!()
    }
    pub fn machines(&self) -> Result<Vec<Machine>, StoreError> {
        unimplemented!()
    }
    pub fn machine(&self, id: &MachineId) -> Result<Option<Machine>, StoreError> {
        unimplemented!()
    }
    pub fn fleet_facts(&self, now: Micros) -> Result<Vec<MachineFacts>, StoreError> {
        unimplemented!()
    }
    pub fn machine_facts(&self, id: &MachineId, now: Micros) -> Result<MachineFacts, StoreError> {
        unimplemented!()
    }
    /// Adds a credential; for a machine at most two live at once (the oldest goes).
    pub fn add_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        unimplemented!()
    }
    pub fn credential(&self, key_id: &str) -> Result<Option<Credential>, StoreError> {
        unimplemented!()
    }
    /// Removes a credential (sign-out, revocation); `false` when there is none.
    pub fn remove_credential(&self, key_id: &str) -> Result<bool, StoreError> {
        unimplemented!()
    }
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        unimplemented!()
    }
    pub fn set_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        unimplemented!()
    }
    pub fn page(&self, query: &EntryQuery, page: &PageRequest) -> Result<EntryPage, StoreError> {
        unimplemented!()
    }
    pub fn around(&self, id: &str, before: usize, after: usize) -> Result<Around, StoreError> {
        unimplemented!()
    }
    /// Counts by level in about `bins` bins over `query.from..query.to` (or all that is stored).
    pub fn histogram(
        &self,
        query: &EntryQuery,
        bins: usize,
        now: Micros,
        budget: Duration,
    ) -> Result<Histogram, StoreError> {
        unimplemented!()
    }
    /// Every component seen on these machines (all when empty), sorted.
    pub fn components(&self, machines: &[MachineId]) -> Result<Vec<String>, StoreError> {
        unimplemented!()
    }
    /// Entries stored now, from the rollups.
    pub fn total_entries(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }
    /// Drains the writer and closes; later calls answer `Closing`.
    pub fn close(&self) {
        unimplemented!()
    }
}
