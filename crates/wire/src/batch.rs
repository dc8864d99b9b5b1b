//! The body of `POST /api/logs` and its answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{LogEntry, MachineId};

/// The most entries in one batch; a sender splits above it.
pub const BATCH_MAX_ENTRIES: usize = 10_000;

/// A batch as an agent sends it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Batch {
    /// Whose entries they are.
    pub machine_id: MachineId,
    /// The spool that numbered them; absent for senders that do not number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The entries, in order of `seq`.
    pub logs: Vec<LogEntry>,
}

/// A batch as the server reads it: each entry still raw, so that a bad one is rejected alone.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncomingBatch {
    /// Whose entries they are.
    pub machine_id: MachineId,
    /// The spool that numbered them.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The entries; see `LogEntry` for the fields.
    pub logs: Vec<Value>,
}

/// What became of a batch; sent only after everything accepted is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BatchAnswer {
    /// Entries stored now.
    pub accepted: u64,
    /// Entries that were stored before (the same machine, epoch and seq).
    pub duplicates: u64,
    /// Entries that were not taken, each with its reason.
    pub rejected: Vec<RejectedEntry>,
}

/// One entry that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RejectedEntry {
    /// Its place in `logs`, from 0.
    pub index: usize,
    /// See `EntryError::code`.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}
