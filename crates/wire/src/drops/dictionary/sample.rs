//! What a dictionary is trained on: entries of machines, as the server has them or a file gives
//! them.

use serde_json::Value;

use crate::{EntryError, LogEntry, MachineId};

/// One entry of one machine.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Whose.
    pub machine: MachineId,
    /// What it said.
    pub entry: LogEntry,
}

impl Sample {
    /// Reads a line of NDJSON: an entry as the API answers it, with `machine_id`.
    ///
    /// # Errors
    /// It is no entry, or has no machine.
    pub fn from_json(line: &str) -> Result<Sample, EntryError> {
        let mut value: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        let machine = value.get("machine_id").and_then(Value::as_str);
        let machine = machine.and_then(|id| id.parse().ok());
        let machine = machine.ok_or(EntryError::Field {
            field: "machine_id",
            problem: "must name the machine; a line is one JSON object with an entry".into(),
        });
        // What the API adds to an entry is of no concern here.
        if let Some(context) = value.get_mut("context").filter(|c| c.is_null()) {
            *context = Value::Object(Default::default());
        }
        Ok(Sample {
            machine: machine?,
            entry: LogEntry::from_json(value)?,
        })
    }
}
