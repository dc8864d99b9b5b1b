//! The life of an alert: what it is, and what people may do with it.

pub mod act;
pub mod alert;

pub use act::{Act, ActError};
pub use alert::{Acknowledged, Alert, AlertKind, By, History, Phase, Planned, Resolved, What, Why};
