//! The rotation matrix: 100,000 lines through every way in which a log file is moved, copied,
//! compressed, emptied and made anew. Each line once and in order; what nobody could have read is
//! said. Prints its counts.

#[path = "../support/mod.rs"]
mod support;

mod down;
mod killed;
mod log;
mod running;
mod stale;
mod stopped;
mod torn;
