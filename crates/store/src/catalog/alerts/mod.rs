//! The tables of alerts.

pub(crate) mod deliveries;
pub(crate) mod facts;
pub(crate) mod rows;
