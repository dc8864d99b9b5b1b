//! The calls for what could not be read.

use wire::Micros;
use wire::drops::DictionaryId;

use crate::catalog::cell::quarantine::{self, NewQuarantined, Quarantined};
use crate::cell::Cell;
use crate::error::StoreError;

impl Cell {
    /// Keeps what could not be read and gives its id. The same bytes from the same source are the
    /// same item, also when it was discarded meanwhile.
    ///
    /// # Errors
    /// Quarantine is full of what waits, or the store failed: it must stay at its source.
    pub fn quarantine(&self, new: NewQuarantined) -> Result<u64, StoreError> {
        self.changed(move |catalog| quarantine::add(catalog, &new))
    }

    /// Items, the newest first, with the first 1,200 bytes of each; without the discarded ones unless
    /// they are asked for.
    ///
    /// # Errors
    /// The store failed.
    pub fn quarantined(
        &self,
        with_discarded: bool,
        limit: usize,
    ) -> Result<Vec<Quarantined>, StoreError> {
        self.store
            .catalog(|catalog| Ok(quarantine::list(catalog, with_discarded, limit)?))
    }

    /// How many items wait.
    ///
    /// # Errors
    /// The store failed.
    pub fn quarantine_waiting(&self) -> Result<u64, StoreError> {
        self.store
            .catalog(|catalog| Ok(quarantine::waiting(catalog)?))
    }

    /// One item with all its bytes.
    ///
    /// # Errors
    /// The store failed.
    pub fn quarantine_item(&self, id: u64) -> Result<Option<Quarantined>, StoreError> {
        self.store.catalog(|catalog| quarantine::get(catalog, id))
    }

    /// The items that wait for a dictionary, the oldest first, with all their bytes.
    ///
    /// # Errors
    /// The store failed.
    pub fn quarantine_for_dictionary(
        &self,
        id: DictionaryId,
    ) -> Result<Vec<Quarantined>, StoreError> {
        self.store
            .catalog(|catalog| Ok(quarantine::for_dictionary(catalog, id)?))
    }

    /// Discards an item; it can be restored for seven days. `false` when there is none.
    ///
    /// # Errors
    /// The store failed.
    pub fn discard_quarantined(&self, id: u64, at: Micros) -> Result<bool, StoreError> {
        self.changed(move |catalog| quarantine::set_discarded(catalog, id, Some(at)))
    }

    /// Takes a discarded item back. `false` when there is none.
    ///
    /// # Errors
    /// The store failed.
    pub fn restore_quarantined(&self, id: u64) -> Result<bool, StoreError> {
        self.changed(move |catalog| quarantine::set_discarded(catalog, id, None))
    }

    /// Removes an item that was read at last, after what it said is durable. `false` when there is
    /// none.
    ///
    /// # Errors
    /// The store failed.
    pub fn take_quarantined(&self, id: u64) -> Result<bool, StoreError> {
        self.changed(move |catalog| quarantine::remove(catalog, id))
    }
}
