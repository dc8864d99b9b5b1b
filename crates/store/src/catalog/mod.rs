//! `catalog.db`, one file a table: everything about the fleet that is not an entry.

pub(crate) mod alerts;
pub(crate) mod care;
pub(crate) mod cell;
pub(crate) mod contacts;
pub(crate) mod credentials;
pub(crate) mod days;
pub(crate) mod facts;
pub(crate) mod ledger;
pub(crate) mod machines;
pub(crate) mod newest;
pub(crate) mod pairing;
pub(crate) mod resends;
pub(crate) mod rollups;
pub(crate) mod runs;
pub(crate) mod settings;
