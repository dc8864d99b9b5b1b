//! The tables of alerts.

pub(crate) mod deliveries;
pub(crate) mod rows;
