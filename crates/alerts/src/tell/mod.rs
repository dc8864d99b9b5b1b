//! Who is told, when, and what: recipients, schedules, and the messages that are handed out.

pub mod outgoing;
pub mod recipients;
pub mod when;

pub use outgoing::{Item, Outgoing, Subject};
