//! What both sides of the wire share: entries, batches, heartbeats, the template split, redaction.
//! Pure values: no I/O, no clock, no async.

pub mod batch;
pub mod care;
pub mod drops;
pub mod entry;
pub mod health;
pub mod heartbeat;
pub mod level;
pub mod machine_id;
pub mod pairing;
pub mod redact;
pub mod template;
pub mod time;

pub use batch::{Batch, BatchAnswer, IncomingBatch, RejectedEntry};
pub use entry::{ClockState, EntryError, LogEntry};
pub use health::{AppHealth, CellHealth, InputHealth, Throttled};
pub use heartbeat::{Heartbeat, HeartbeatAnswer, Reachability};
pub use level::Level;
pub use machine_id::MachineId;
pub use pairing::PairingCode;
pub use time::Micros;
