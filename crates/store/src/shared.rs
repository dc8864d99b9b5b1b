//! What the writer and the readers both know: where the files are, the machines' numbers, the days.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use wire::MachineId;

use crate::alerting::AlertsChanged;
use crate::day::Day;
use crate::key::DataKey;

/// The catalog's number of a machine; kept for ever. 0 stands for the whole fleet in rollups.
pub(crate) type MachineNo = i64;

/// Is told of changes of alerts.
pub(crate) type Listener = Arc<dyn Fn(&AlertsChanged) + Send + Sync>;

/// What both sides share.
pub(crate) struct Shared {
    dir: PathBuf,
    pub(crate) key: DataKey,
    registry: RwLock<Registry>,
    days: RwLock<BTreeSet<Day>>,
    listener: RwLock<Option<Listener>>,
}

/// The machines by id and by number, and which of them are registered now.
#[derive(Default)]
pub(crate) struct Registry {
    by_id: HashMap<MachineId, MachineNo>,
    by_no: HashMap<MachineNo, MachineId>,
    registered: HashSet<MachineNo>,
}

impl Registry {
    pub(crate) fn insert(&mut self, no: MachineNo, id: MachineId, registered: bool) {
        self.by_id.insert(id.clone(), no);
        self.by_no.insert(no, id);
        if registered {
            self.registered.insert(no);
        }
    }

    /// The number of a machine that is or was registered.
    pub(crate) fn number(&self, id: &MachineId) -> Option<MachineNo> {
        self.by_id.get(id).copied()
    }

    /// The number of a machine that is registered now.
    pub(crate) fn registered(&self, id: &MachineId) -> Option<MachineNo> {
        self.number(id).filter(|no| self.registered.contains(no))
    }

    pub(crate) fn id(&self, no: MachineNo) -> Option<&MachineId> {
        self.by_no.get(&no)
    }
}

impl Shared {
    pub(crate) fn new(dir: PathBuf, key: DataKey) -> Shared {
        Shared {
            dir,
            key,
            registry: RwLock::default(),
            days: RwLock::default(),
            listener: RwLock::default(),
        }
    }

    pub(crate) fn catalog_path(&self) -> PathBuf {
        self.dir.join("catalog.db")
    }

    pub(crate) fn days_dir(&self) -> PathBuf {
        self.dir.join("days")
    }

    pub(crate) fn day_path(&self, day: Day) -> PathBuf {
        self.days_dir().join(day.file_name())
    }

    pub(crate) fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_registry(&self, registry: Registry) {
        *self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner) = registry;
    }

    /// Who is told of changes of alerts from now on.
    pub(crate) fn set_listener(&self, listener: Listener) {
        let mut place = self
            .listener
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Some(listener);
    }

    pub(crate) fn listener(&self) -> Option<Listener> {
        let place = self.listener.read().unwrap_or_else(PoisonError::into_inner);
        place.clone()
    }

    pub(crate) fn days(&self) -> RwLockReadGuard<'_, BTreeSet<Day>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn days_mut(&self) -> RwLockWriteGuard<'_, BTreeSet<Day>> {
        self.days.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Locks a mutex whose data stays whole when a holder panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
