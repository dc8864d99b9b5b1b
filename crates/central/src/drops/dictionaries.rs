//! The dictionaries that drops are read with, and the one that agents are given. The store keeps
//! them all for ever; here are those in use, unpacked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use store::{DictionaryInfo, DictionaryOrigin, Store, StoreError};
use wire::Micros;
use wire::care::NewDictionary;
use wire::drops::{Dictionary, DictionaryId};

/// Dictionaries kept unpacked: a fleet uses one, and two while it changes over.
const UNPACKED_MAX: usize = 8;

/// The dictionaries in use.
#[derive(Default)]
pub struct Dictionaries {
    shipped: OnceLock<Arc<Dictionary>>,
    unpacked: Mutex<HashMap<DictionaryId, Arc<Dictionary>>>,
    current: Mutex<Option<Arc<NewDictionary>>>,
}

impl Dictionaries {
    /// Keeps the dictionary that came with this program, so that a later version of the program,
    /// which ships another, still reads the drops of agents that use this one; and looks which one
    /// agents are to be given.
    ///
    /// # Errors
    /// The store failed.
    pub fn open(&self, store: &Store, now: Micros) -> Result<(), StoreError> {
        let shipped = self.shipped();
        let bytes = shipped.to_bytes();
        let info = DictionaryInfo {
            id: shipped.id(),
            origin: DictionaryOrigin::Shipped,
            created_at: now,
            entries: 0,
            size_bytes: bytes.len() as u64,
            is_current: false,
        };
        store.cell().add_dictionary(&info, bytes)?;
        self.choose(store)
    }

    /// Looks anew which one agents are to be given.
    ///
    /// # Errors
    /// The store failed.
    pub fn choose(&self, store: &Store) -> Result<(), StoreError> {
        let current = match store.cell().current_dictionary()? {
            Some(info) => store
                .cell()
                .dictionary(info.id)?
                .map(|bytes| (info.id, bytes)),
            None => None,
        };
        let current = current.map(|(id, bytes)| {
            Arc::new(NewDictionary {
                id,
                data: STANDARD.encode(bytes),
            })
        });
        *self.current_place() = current;
        Ok(())
    }

    /// The dictionary with this id, if it is known; waits for the disk.
    pub fn find(&self, store: &Store, id: DictionaryId) -> Option<Arc<Dictionary>> {
        if self.shipped().id() == id {
            return Some(Arc::clone(self.shipped()));
        }
        if let Some(found) = self.unpacked_place().get(&id) {
            return Some(Arc::clone(found));
        }
        let bytes = store.cell().dictionary(id).ok().flatten()?;
        let found = match Dictionary::from_bytes(&bytes) {
            Ok(found) => Arc::new(found),
            Err(error) => {
                tracing::error!(%id, %error, "a stored dictionary cannot be read");
                return None;
            }
        };
        let mut unpacked = self.unpacked_place();
        if unpacked.len() >= UNPACKED_MAX {
            unpacked.clear();
        }
        unpacked.insert(id, Arc::clone(&found));
        Some(found)
    }

    /// The dictionary for an agent that uses this one. Nothing while the fleet has none of its own,
    /// or when it is the same.
    pub fn for_agent(&self, uses: DictionaryId) -> Option<NewDictionary> {
        let current = self.current_place().clone()?;
        (current.id != uses).then(|| NewDictionary::clone(&current))
    }

    /// The dictionary for a machine that is being paired.
    pub fn for_new_agent(&self) -> Option<NewDictionary> {
        self.for_agent(self.shipped().id())
    }

    /// Reading it takes some 20 ms.
    fn shipped(&self) -> &Arc<Dictionary> {
        self.shipped.get_or_init(Dictionary::shipped)
    }

    fn unpacked_place(&self) -> MutexGuard<'_, HashMap<DictionaryId, Arc<Dictionary>>> {
        self.unpacked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current_place(&self) -> MutexGuard<'_, Option<Arc<NewDictionary>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
