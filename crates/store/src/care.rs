//! The calls of the store for pairing and remote care. Tables are in `catalog`.

use std::sync::mpsc;

use wire::care::{ResendRequest, Resent};
use wire::{MachineId, Micros};

use crate::catalog::care::{self, DesiredConfig};
use crate::catalog::credentials::{self, Credential};
use crate::catalog::machines;
use crate::catalog::pairing::{self, StoredPairing};
use crate::catalog::resends::{self, Resend};
use crate::error::StoreError;
use crate::store::Store;

/// What waits for a machine's next heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Care {
    /// When a rotation of its key was asked for, until the new key was used.
    pub rotation_asked_at: Option<Micros>,
    /// The configuration that it is to have.
    pub config: Option<DesiredConfig>,
    /// Requests to send entries once more that it has not reported on, the oldest first.
    pub resends: Vec<Resend>,
}

impl Store {
    /// What waits for a machine's next heartbeat.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn care(&self, id: &MachineId) -> Result<Care, StoreError> {
        self.catalog(|catalog| {
            let no = machines::registered(catalog, id)?;
            let (rotation_asked_at, config) = care::get(catalog, no)?;
            Ok(Care {
                rotation_asked_at,
                config,
                resends: resends::list(catalog, no, true)?,
            })
        })
    }

    /// Asks for a new key with the machine's next heartbeat.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn ask_rotation(&self, id: &MachineId, at: Micros) -> Result<(), StoreError> {
        let id = id.clone();
        self.change(false, move |catalog| {
            let no = machines::registered(catalog, &id)?;
            Ok(care::ask_rotation(catalog, no, at)?)
        })
    }

    /// The first use of a key that was handed out: it is the machine's own now, and the keys before
    /// it end a little later. A key that is in use already changes nothing.
    ///
    /// # Errors
    /// The store failed.
    pub fn key_used(&self, key_id: &str, at: Micros) -> Result<(), StoreError> {
        let key_id = key_id.to_owned();
        self.change(false, move |catalog| {
            credentials::first_used(catalog, &key_id, at)
        })
    }

    /// Sets the configuration that a machine is to have; `None` withdraws it.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn set_agent_config(
        &self,
        id: &MachineId,
        config: Option<&DesiredConfig>,
    ) -> Result<(), StoreError> {
        let (id, config) = (id.clone(), config.cloned());
        self.change(false, move |catalog| {
            let no = machines::registered(catalog, &id)?;
            Ok(care::set_config(catalog, no, config.as_ref())?)
        })
    }

    /// Keeps a pairing code, instead of the machine's one before.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn set_pairing_code(&self, code: &StoredPairing) -> Result<(), StoreError> {
        let code = code.clone();
        self.change(false, move |catalog| pairing::set(catalog, &code))
    }

    /// Uses the pairing code whose secret may have this hash: `decide` sees it as it is kept, and
    /// gives the key to add, or `None`. Nobody else uses it meanwhile. A key that was made for the
    /// code before and has not been used is void.
    ///
    /// # Errors
    /// The store failed; the code was not used then.
    pub fn use_pairing_code(
        &self,
        sha256: [u8; 32],
        at: Micros,
        decide: impl FnOnce(Option<&StoredPairing>) -> Option<Credential> + Send + 'static,
    ) -> Result<(), StoreError> {
        self.change(false, move |catalog| {
            let code = pairing::find(catalog, &sha256)?;
            let (Some(key), Some(code)) = (decide(code.as_ref()), code) else {
                return Ok(());
            };
            credentials::insert(catalog, &key)?;
            Ok(pairing::used(catalog, &code, &key.key_id, at)?)
        })
    }

    /// Asks a machine to send entries once more.
    ///
    /// # Errors
    /// There is no such machine, a number is too large, or the store failed.
    pub fn ask_resend(
        &self,
        id: &MachineId,
        range: (u64, u64, u64),
        at: Micros,
    ) -> Result<ResendRequest, StoreError> {
        let id = id.clone();
        let (sender, receiver) = mpsc::sync_channel(1);
        self.change(false, move |catalog| {
            let no = machines::registered(catalog, &id)?;
            let _ = sender.send(resends::insert(catalog, no, range, at)?);
            Ok(())
        })?;
        receiver.try_recv().map_err(|_| StoreError::Closing)
    }

    /// The requests to a machine to send entries once more, the oldest first, with what came of
    /// them.
    ///
    /// # Errors
    /// There is no such machine, or the store failed.
    pub fn resends(&self, id: &MachineId) -> Result<Vec<Resend>, StoreError> {
        self.catalog(|catalog| {
            let no = machines::registered(catalog, id)?;
            Ok(resends::list(catalog, no, false)?)
        })
    }

    /// Keeps what a machine says of such requests.
    ///
    /// # Errors
    /// There is no such machine, a number is too large, or the store failed.
    pub fn record_resent(
        &self,
        id: &MachineId,
        resent: &[Resent],
        at: Micros,
    ) -> Result<(), StoreError> {
        let (id, resent) = (id.clone(), resent.to_vec());
        self.change(false, move |catalog| {
            let no = machines::registered(catalog, &id)?;
            resent
                .iter()
                .try_for_each(|resent| resends::report(catalog, no, resent, at))
        })
    }
}
