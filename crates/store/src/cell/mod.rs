//! The calls of the store for the cellular path. Tables are in `catalog::cell`.

pub(crate) mod arrived;
mod content;
mod quarantine;
mod sources;

use std::sync::mpsc;

use wire::drops::DictionaryId;
use wire::{MachineId, Micros};

use crate::catalog::cell::data_plan::{self, DataPlan};
use crate::catalog::cell::dictionaries::{self, DictionaryInfo};
use crate::catalog::cell::drops::{self, Before, StoredDrop};
use crate::catalog::cell::facts::{self, CellFacts};
use crate::catalog::machines;
use crate::catalog::rollups::FLEET;
use crate::cell::arrived::{ArrivedDrop, DropReceipt};
use crate::error::StoreError;
use crate::shared::MachineNo;
use crate::store::Store;

/// Drops of one page at most.
const PAGE_MAX: usize = 1_000;

/// The cellular path's part of a store. Cheap to make; every call may wait for the disk.
pub struct Cell {
    store: Store,
}

impl Store {
    /// The calls for the cellular path.
    pub fn cell(&self) -> Cell {
        Cell {
            store: self.clone(),
        }
    }
}

impl Cell {
    /// Stores what a drop says and waits until it is durable. The same drop once more is a repeat and
    /// changes nothing but the count of its repeats.
    ///
    /// # Errors
    /// The machine is not registered, a number is too large, or the store failed: nothing was
    /// acknowledged, and the same call may be made again.
    pub fn append_drop(&self, drop: ArrivedDrop) -> Result<DropReceipt, StoreError> {
        let outcome = self.store.append_arrival(drop.into_arrival())?;
        let receipt = outcome.receipt;
        Ok(DropReceipt {
            accepted: receipt.accepted,
            upgraded: receipt.upgraded,
            duplicates: receipt.duplicates.len() as u64,
            is_repeat: outcome.drop == Some(Before::Same),
            is_conflict: outcome.drop == Some(Before::Other),
            filed: receipt.filed,
            by_level: receipt.by_level,
        })
    }

    /// Drops by arrival, the newest first, at most 1,000: of one machine or of all, before the one
    /// with the id `before`.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn drops(
        &self,
        machine: Option<&MachineId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<StoredDrop>, StoreError> {
        self.store.catalog(|catalog| {
            let machine = machine
                .map(|id| machines::registered(catalog, id))
                .transpose()?;
            let before = before.map(|id| i64::try_from(id).unwrap_or(i64::MAX));
            let limit = limit.min(PAGE_MAX);
            Ok(drops::list(catalog, machine, before, limit)?)
        })
    }

    /// What is told of a machine's cellular path: newest drop, gaps, delivery, data.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn facts(&self, machine: &MachineId, now: Micros) -> Result<CellFacts, StoreError> {
        self.store.catalog(|catalog| {
            let no = machines::registered(catalog, machine)?;
            Ok(facts::read(catalog, no, now)?)
        })
    }

    /// The data plan of a machine, or with `None` of the fleet; `None` when none was set.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn data_plan(&self, machine: Option<&MachineId>) -> Result<Option<DataPlan>, StoreError> {
        self.store.catalog(|catalog| {
            let no = whose(catalog, machine)?;
            Ok(data_plan::get(catalog, no)?)
        })
    }

    /// Sets the data plan of a machine, or with `None` of the fleet; without a plan removes it.
    ///
    /// # Errors
    /// There is no such machine, the price or the currency is none, or the store failed.
    pub fn set_data_plan(
        &self,
        machine: Option<&MachineId>,
        plan: Option<&DataPlan>,
    ) -> Result<(), StoreError> {
        let (machine, plan) = (machine.cloned(), plan.cloned());
        self.store.change(false, move |catalog| {
            let no = whose(catalog, machine.as_ref())?;
            data_plan::set(catalog, no, plan.as_ref())
        })
    }

    /// Keeps a dictionary for ever; one of this id that is there stays as it is. With
    /// `info.is_current` it becomes the one that agents are given. `info.size_bytes` is not read.
    ///
    /// # Errors
    /// It is larger than a dictionary may be, or the store failed.
    pub fn add_dictionary(&self, info: &DictionaryInfo, bytes: &[u8]) -> Result<(), StoreError> {
        let (info, bytes) = (info.clone(), bytes.to_vec());
        self.store.change(false, move |catalog| {
            dictionaries::add(catalog, &info, &bytes)
        })
    }

    /// Makes a dictionary the one that agents are given; `false` when there is none of this id.
    ///
    /// # Errors
    /// The store failed.
    pub fn set_current_dictionary(&self, id: DictionaryId) -> Result<bool, StoreError> {
        self.changed(move |catalog| Ok(dictionaries::set_current(catalog, id)?))
    }

    /// The bytes of a dictionary.
    ///
    /// # Errors
    /// The store failed.
    pub fn dictionary(&self, id: DictionaryId) -> Result<Option<Vec<u8>>, StoreError> {
        self.store
            .catalog(|catalog| Ok(dictionaries::bytes(catalog, id)?))
    }

    /// Every dictionary, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub fn dictionaries(&self) -> Result<Vec<DictionaryInfo>, StoreError> {
        self.store
            .catalog(|catalog| Ok(dictionaries::list(catalog)?))
    }

    /// The dictionary that agents are given.
    ///
    /// # Errors
    /// The store failed.
    pub fn current_dictionary(&self) -> Result<Option<DictionaryInfo>, StoreError> {
        self.store
            .catalog(|catalog| Ok(dictionaries::current(catalog)?))
    }

    /// Makes a change that has a result.
    fn changed<T: Send + 'static>(
        &self,
        run: impl FnOnce(&rusqlite::Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.store.change(false, move |catalog| {
            let _ = sender.send(run(catalog)?);
            Ok(())
        })?;
        receiver.try_recv().map_err(|_| StoreError::Closing)
    }
}

/// The number of a machine, or that of the whole fleet.
fn whose(
    catalog: &rusqlite::Connection,
    machine: Option<&MachineId>,
) -> Result<MachineNo, StoreError> {
    machine.map_or(Ok(FLEET), |id| machines::registered(catalog, id))
}
