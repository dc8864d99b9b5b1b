//! The handle on an open store: hands writing to the one writer, reads on the caller's thread.

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use wire::{Heartbeat, MachineId, Micros};

use crate::catalog::credentials::{self, Credential};
use crate::catalog::facts::{self, MachineFacts};
use crate::catalog::machines::{self, Machine};
use crate::catalog::{contacts, days, rollups, settings};
use crate::cell::arrived::Arrival;
use crate::entry::{NewEntries, Receipt, StoredEntry};
use crate::error::{OpenError, StoreError};
use crate::key::WrappingKey;
use crate::lock::Lock;
use crate::open;
use crate::query::{
    self, Around, EntryPage, EntryQuery, Histogram, Order, PageRequest, around, histogram, page,
};
use crate::readers::Readers;
use crate::shared::{Shared, lock};
use crate::writer::queue::{AlertsChange, AlertsJob, AppendJob, CatalogJob, Job, Outcome, Queue};

/// An open store. Cheap to clone; the last clone closes it. Every call may wait for the disk: call
/// it from a thread that may block.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    readers: Readers,
    writer: Mutex<Option<JoinHandle<()>>>,
    lock: Mutex<Option<Lock>>,
}

impl Store {
    /// Opens or makes the store at `dir` and holds `DATA/lock`. What a crash left between a day
    /// file and the catalog is taken over first.
    ///
    /// # Errors
    /// See [`OpenError`]; a store that is refused is not changed.
    pub fn open(dir: &Path, key: &WrappingKey, now: Micros) -> Result<Store, OpenError> {
        let opened = open::open(dir, key, now)?;
        let queue = Arc::new(Queue::default());
        let writer = opened.writer;
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let queue = queue.clone();
                move || {
                    // A writer that is gone, also by a panic, must not leave callers waiting.
                    let _abandon = AbandonOnDrop(queue.clone());
                    writer.run(&queue);
                }
            });
        let thread = thread.map_err(OpenError::io("cannot start the writer of", dir))?;
        tracing::debug!(dir = %dir.display(), at = %now.to_rfc3339(), "the store is open");
        let inner = Inner {
            readers: Readers::new(opened.shared.clone()),
            shared: opened.shared,
            queue,
            writer: Mutex::new(Some(thread)),
            lock: Mutex::new(Some(opened.lock)),
        };
        Ok(Store {
            inner: Arc::new(inner),
        })
    }

    /// Hands entries to the writer; `done` is called on the writer's thread once they are durable.
    /// When too much is waiting, `done` is called at once with [`StoreError::Busy`].
    pub fn append(
        &self,
        new: NewEntries,
        done: impl FnOnce(Result<Receipt, StoreError>) + Send + 'static,
    ) {
        self.inner.queue.push(Job::Append(AppendJob {
            arrival: Arrival::batch(new),
            done: Box::new(|outcome: Result<Outcome, _>| {
                done(outcome.map(|outcome| outcome.receipt));
            }),
        }));
    }

    /// [`Store::append`] that waits, for room and for the disk.
    ///
    /// # Errors
    /// Nothing was acknowledged; the same call may be made again.
    pub fn append_wait(&self, new: NewEntries) -> Result<Receipt, StoreError> {
        let outcome = self.append_arrival(Arrival::batch(new))?;
        Ok(outcome.receipt)
    }

    /// Stores a batch or a drop; waits, for room and for the disk.
    pub(crate) fn append_arrival(&self, arrival: Arrival) -> Result<Outcome, StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let done = Box::new(move |outcome| {
            let _ = sender.send(outcome);
        });
        self.inner
            .queue
            .push_waiting(Job::Append(AppendJob { arrival, done }));
        receiver.recv().unwrap_or(Err(StoreError::Closing))
    }

    /// Keeps a machine's heartbeat, which is a contact over WiFi.
    ///
    /// # Errors
    /// The machine is not registered, or the store failed.
    pub fn record_heartbeat(&self, beat: &Heartbeat, at: Micros) -> Result<(), StoreError> {
        let beat = beat.clone();
        self.change(false, move |catalog| {
            let no = machines::number(catalog, &beat.machine_id)?
                .ok_or_else(|| StoreError::NoSuchMachine(beat.machine_id.clone()))?;
            contacts::heartbeat(catalog, no, &beat, at)
        })
    }

    /// Registers a machine with its first key.
    ///
    /// # Errors
    /// A machine of this id exists, or the store failed.
    pub fn add_machine(&self, machine: &Machine, key: &Credential) -> Result<(), StoreError> {
        let (machine, key) = (machine.clone(), key.clone());
        self.change(true, move |catalog| {
            machines::insert(catalog, &machine)?;
            credentials::insert(catalog, &key)
        })
    }

    /// Keeps what is said of a machine; its id and since when it is there stay.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn change_machine(&self, machine: &Machine) -> Result<(), StoreError> {
        let machine = machine.clone();
        self.change(true, move |catalog| machines::update(catalog, &machine))
    }

    /// Forgets the machine and its keys; its entries stay until retention.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn remove_machine(&self, id: &MachineId) -> Result<(), StoreError> {
        let id = id.clone();
        self.change(true, move |catalog| machines::remove(catalog, &id))
    }

    /// Every registered machine, by id.
    ///
    /// # Errors
    /// The store failed.
    pub fn machines(&self) -> Result<Vec<Machine>, StoreError> {
        self.inner
            .readers
            .catalog(|catalog| Ok(machines::all(catalog)?))
    }

    /// One registered machine.
    ///
    /// # Errors
    /// The store failed.
    pub fn machine(&self, id: &MachineId) -> Result<Option<Machine>, StoreError> {
        self.inner
            .readers
            .catalog(|catalog| Ok(machines::get(catalog, id)?))
    }

    /// What the status of every registered machine is judged from, by id.
    ///
    /// # Errors
    /// The store failed.
    pub fn fleet_facts(&self, now: Micros) -> Result<Vec<MachineFacts>, StoreError> {
        self.inner
            .readers
            .catalog(|catalog| facts::read(catalog, None, now))
    }

    /// What the status of one machine is judged from.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn machine_facts(&self, id: &MachineId, now: Micros) -> Result<MachineFacts, StoreError> {
        self.inner.readers.catalog(|catalog| {
            let missing = || StoreError::NoSuchMachine(id.clone());
            let no = machines::number(catalog, id)?.ok_or_else(missing)?;
            facts::read(catalog, Some(no), now)?
                .pop()
                .ok_or_else(missing)
        })
    }

    /// Adds a credential; for a machine at most two are in use at once (the oldest goes), and one of
    /// each kind that was handed out and not used yet.
    ///
    /// # Errors
    /// The machine is not registered, or the store failed.
    pub fn add_credential(&self, credential: &Credential) -> Result<(), StoreError> {
        let credential = credential.clone();
        self.change(false, move |catalog| {
            credentials::insert(catalog, &credential)
        })
    }

    /// The credential with this public part, also one that has expired.
    ///
    /// # Errors
    /// The store failed.
    pub fn credential(&self, key_id: &str) -> Result<Option<Credential>, StoreError> {
        self.inner
            .readers
            .catalog(|catalog| Ok(credentials::get(catalog, key_id)?))
    }

    /// Removes a credential (sign-out, revocation); `false` when there is none.
    ///
    /// # Errors
    /// The store failed.
    pub fn remove_credential(&self, key_id: &str) -> Result<bool, StoreError> {
        let key_id = key_id.to_owned();
        let (sender, receiver) = mpsc::sync_channel(1);
        self.change(false, move |catalog| {
            let _ = sender.send(credentials::remove(catalog, &key_id)?);
            Ok(())
        })?;
        Ok(receiver.try_recv().unwrap_or(false))
    }

    /// The value kept under a name.
    ///
    /// # Errors
    /// The store failed.
    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner
            .readers
            .catalog(|catalog| Ok(settings::get(catalog, name)?))
    }

    /// Keeps a value under a name.
    ///
    /// # Errors
    /// The store failed.
    pub fn set_setting(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let (name, value) = (name.to_owned(), value.to_vec());
        self.change(false, move |catalog| {
            Ok(settings::set(catalog, &name, &value)?)
        })
    }

    /// A page of entries in the order (`filed_at`, epoch, seq), by machine where these are equal.
    ///
    /// # Errors
    /// The cursor is damaged, or the store failed.
    pub fn page(&self, query: &EntryQuery, page: &PageRequest) -> Result<EntryPage, StoreError> {
        page::read(&self.inner.shared, &self.inner.readers, query, page)
    }

    /// Every entry of a query, page by page: for dumps and exports. It takes no snapshot: an entry
    /// that comes in meanwhile is there or not, but none is there twice; one whose exact time comes
    /// meanwhile in the place of one that a drop had cut may be there with both.
    pub fn entries(
        &self,
        query: EntryQuery,
        order: Order,
    ) -> impl Iterator<Item = Result<StoredEntry, StoreError>> + '_ {
        query::each::Entries::new(self, query, order)
    }

    /// The lines around an entry, of the same machine.
    ///
    /// # Errors
    /// The id is damaged, the entry is not there, or the store failed.
    pub fn around(&self, id: &str, before: usize, after: usize) -> Result<Around, StoreError> {
        around::read(&self.inner.shared, &self.inner.readers, id, before, after)
    }

    /// Counts by level in about `bins` bins over `query.from..query.to` (or all that is stored).
    ///
    /// # Errors
    /// The store failed.
    pub fn histogram(
        &self,
        query: &EntryQuery,
        bins: usize,
        now: Micros,
        budget: Duration,
    ) -> Result<Histogram, StoreError> {
        histogram::read(
            &self.inner.shared,
            &self.inner.readers,
            query,
            bins,
            now,
            budget,
        )
    }

    /// Every component seen on these machines (all when empty), sorted.
    ///
    /// # Errors
    /// The store failed.
    pub fn components(&self, machines: &[MachineId]) -> Result<Vec<String>, StoreError> {
        let wanted: Vec<Option<i64>> = if machines.is_empty() {
            vec![None]
        } else {
            let registry = self.inner.shared.registry();
            machines
                .iter()
                .filter_map(|id| registry.number(id))
                .map(Some)
                .collect()
        };
        self.inner.readers.catalog(|catalog| {
            let mut names = Vec::new();
            for machine in wanted {
                names.append(&mut rollups::components(catalog, machine)?);
            }
            names.sort_unstable();
            names.dedup();
            Ok(names)
        })
    }

    /// Entries stored now, from the rollups.
    ///
    /// # Errors
    /// The store failed.
    pub fn total_entries(&self) -> Result<u64, StoreError> {
        self.inner
            .readers
            .catalog(|catalog| Ok(days::total_entries(catalog)?))
    }

    /// Drains the writer and closes; later calls answer `Closing`.
    pub fn close(&self) {
        self.inner.close();
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// Reads the catalog on the caller's thread.
    pub(crate) fn catalog<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.inner.readers.catalog(read)
    }

    /// Runs a change of alerts on the writer and waits until it is durable.
    pub(crate) fn run_alerts(&self, run: AlertsChange) -> Result<(), StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let done = Box::new(move |outcome| {
            let _ = sender.send(outcome);
        });
        let job = Job::Alerts(AlertsJob { run, done });
        self.inner.queue.push_waiting(job);
        receiver.recv().unwrap_or(Err(StoreError::Closing))
    }

    /// Runs a change of the catalog on the writer and waits until it is durable.
    pub(crate) fn change(
        &self,
        changes_machines: bool,
        run: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let done = Box::new(move |outcome| {
            let _ = sender.send(outcome);
        });
        let job = CatalogJob {
            run: Box::new(run),
            done,
            changes_machines,
        };
        self.inner.queue.push_waiting(Job::Catalog(job));
        receiver.recv().unwrap_or(Err(StoreError::Closing))
    }
}

impl Inner {
    fn close(&self) {
        self.queue.close();
        let thread = lock(&self.writer).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store panicked");
        }
        self.readers.close();
        lock(&self.lock).take();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

struct AbandonOnDrop(Arc<Queue>);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
