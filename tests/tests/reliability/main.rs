//! The rows of reliability.md that need the whole chain: agent, link, server and store, as real
//! processes. One binary, so that those that mostly wait do so together.

mod cards;
mod chaos;
mod flapping;
mod full_disk;
mod serial_line;
mod week_offline;
