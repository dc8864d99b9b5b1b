//! Whole dialogues between the kiosk and the simulated reader, in simulated time: nothing here waits.

mod aborts;
mod dialogue;
mod hostile_line;
mod questions;
mod whole;
