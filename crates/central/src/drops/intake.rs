//! The one way in: a file is read, its drops are stored, what cannot be is put into quarantine, and
//! only when all of it is durable the file is taken.

use std::collections::BTreeSet;

use store::{ArrivedDrop, DropReceipt, NewQuarantined, Store, StoreError};
use tokio::task::JoinError;
use wire::{MachineId, Micros};

use super::read::{self, Found, FoundDrop, Known};
use super::{RawFile, Taken};
use crate::app::Shared;
use crate::error::ApiError;
use crate::events::Event;
use crate::ingest::{logs, redact};

/// Takes a file: `Ok` means that every part of it is stored, in quarantine, or passed over as no
/// drop, durably. A file that came before changes nothing.
///
/// # Errors
/// The store cannot take it now; the same file may be brought again.
pub async fn take(app: &Shared, file: RawFile) -> Result<Taken, ApiError> {
    let outcome = store_file(app, file).await?;
    tell(app, outcome.stored, outcome.at);
    if outcome.taken.quarantined > 0 {
        app.events.publish(Event::Quarantine);
    }
    match outcome.held {
        Some(held) => Err(held.into()),
        None => Ok(outcome.taken),
    }
}

/// What became of a file, and what is to be told of it.
pub struct Outcome {
    /// The counts.
    pub taken: Taken,
    /// What was stored, per drop.
    stored: Vec<(MachineId, DropReceipt)>,
    /// Why its last part went to quarantine.
    pub last_problem: Option<NewQuarantined>,
    /// Why a part of it is neither stored nor in quarantine; the other parts are.
    held: Option<StoreError>,
    at: Micros,
}

impl Outcome {
    /// Goes on without a part; what hinders every part ends it.
    fn hold(&mut self, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::QuarantineFull(_) | StoreError::BadNumber => {
                self.held.get_or_insert(error);
                Ok(())
            }
            error => Err(error),
        }
    }
}

async fn store_file(app: &Shared, file: RawFile) -> Result<Outcome, ApiError> {
    let found = read_file(app, file.clone()).await?;
    let store = app.store.clone();
    let stored = tokio::task::spawn_blocking(move || keep(&store, &file, found, true));
    let outcome = stored.await.map_err(|failure| ended(&failure))?;
    Ok(outcome?)
}

/// Reads a file again that waited: `Err(problem)` inside when it still cannot be stored. Nothing is
/// put into quarantine.
///
/// # Errors
/// The store cannot take it now.
pub async fn again(app: &Shared, file: RawFile) -> Result<Outcome, ApiError> {
    let found = read_file(app, file.clone()).await?;
    let store = app.store.clone();
    let stored = tokio::task::spawn_blocking(move || keep(&store, &file, found, false));
    let outcome = stored.await.map_err(|failure| ended(&failure))??;
    tell(app, outcome.stored.clone(), outcome.at);
    match outcome.held {
        Some(held) => Err(held.into()),
        None => Ok(outcome),
    }
}

/// A fault of ours while storing; its words may quote the file.
fn ended(failure: &JoinError) -> ApiError {
    let failure = super::redact::text(&failure.to_string());
    ApiError::internal(&format!("storing a file ended: {failure}"))
}

/// Reads it where it may take its time. A fault of ours is no fault of the file: it is kept.
async fn read_file(app: &Shared, file: RawFile) -> Result<Vec<Found>, ApiError> {
    let machines = app.with_store(|store| store.machines()).await?;
    let reader = app.clone();
    let kept = file.clone();
    let reading = tokio::task::spawn_blocking(move || {
        let find = |id| reader.dictionaries.find(&reader.store, id);
        let known = Known {
            machines: &machines,
            dictionary: &find,
        };
        read::file(&known, &file)
    });
    Ok(reading.await.unwrap_or_else(|failure| {
        let name = super::redact::name(&kept.name);
        // The words of a fault may quote the file.
        let failure = super::redact::text(&failure.to_string());
        tracing::error!(failure, name, "a file was not read, and is kept");
        vec![Found::Waits(Box::new(read::fault(&kept, kept.at)))]
    }))
}

/// Stores what was found; what waits goes to quarantine when `keeps_waiting`. A part that cannot be
/// kept holds up none of the others: they are stored, and repeats when the file comes again.
fn keep(
    store: &Store,
    file: &RawFile,
    found: Vec<Found>,
    keeps_waiting: bool,
) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome {
        taken: Taken::default(),
        stored: Vec::new(),
        last_problem: None,
        held: None,
        at: file.at,
    };
    for found in found {
        let waits = match found {
            Found::Skipped => {
                outcome.taken.skipped += 1;
                continue;
            }
            Found::Waits(waits) => *waits,
            Found::Drop(found) => match append(store, file, *found) {
                Err(error) => {
                    outcome.hold(error)?;
                    continue;
                }
                Ok(Ok((machine, receipt))) => {
                    if receipt.is_repeat {
                        outcome.taken.repeats += 1;
                    } else {
                        outcome.taken.drops += 1;
                    }
                    outcome.stored.push((machine, receipt));
                    continue;
                }
                Ok(Err(waits)) => waits,
            },
        };
        if keeps_waiting && let Err(error) = store.cell().quarantine(waits.clone()) {
            outcome.hold(error)?;
            continue;
        }
        outcome.taken.quarantined += 1;
        outcome.last_problem = Some(waits);
    }
    Ok(outcome)
}

/// Stores one drop; a machine that was removed meanwhile makes it wait.
fn append(
    store: &Store,
    file: &RawFile,
    found: FoundDrop,
) -> Result<Result<(MachineId, DropReceipt), NewQuarantined>, StoreError> {
    let FoundDrop {
        machine,
        mut drop,
        name,
        bytes,
    } = found;
    for entry in &mut drop.entries {
        redact::redact(&mut entry.entry);
    }
    drop.machine = machine.clone();
    let arrived = ArrivedDrop {
        read: drop,
        name: super::redact::name(&name),
        source: file.source.clone(),
        size_bytes: bytes.len() as u64,
        received_at: file.at,
    };
    match store.cell().append_drop(arrived) {
        Ok(receipt) => Ok(Ok((machine, receipt))),
        Err(StoreError::NoSuchMachine(machine)) => {
            let problem = read::unknown_machine(&machine);
            Ok(Err(read::waits(file, &name, &bytes, problem)))
        }
        Err(error) => Err(error),
    }
}

/// Tells the live stream what was stored.
fn tell(app: &Shared, stored: Vec<(MachineId, DropReceipt)>, at: Micros) {
    let mut heard = BTreeSet::new();
    for (machine, receipt) in stored {
        if receipt.filed.is_some() {
            let receipt = store::Receipt {
                accepted: receipt.accepted,
                filed: receipt.filed,
                by_level: receipt.by_level,
                ..store::Receipt::default()
            };
            logs::tell(app.clone(), machine.clone(), receipt, at);
        } else {
            heard.insert(machine);
        }
    }
    for machine in heard {
        app.events.publish(Event::Machine(machine));
    }
}
