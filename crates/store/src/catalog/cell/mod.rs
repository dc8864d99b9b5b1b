//! The tables of the cellular path: what came by drops and what did not, what it costs, what could
//! not be read, where drops are fetched.

pub(crate) mod data_plan;
pub(crate) mod delivery;
pub(crate) mod dictionaries;
pub(crate) mod drops;
pub(crate) mod facts;
pub(crate) mod intake;
pub(crate) mod quarantine;
pub(crate) mod runs;
pub(crate) mod seen;
pub(crate) mod sources;

use rusqlite::Connection;
use wire::Micros;

use crate::error::StoreError;

/// The epoch of drops in the bare form, which have no number, and of their entries; never answered.
pub(crate) const BARE_EPOCH: i64 = -2;

/// A number for a column; one too large for it is refused.
pub(crate) fn column(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::BadNumber)
}

/// Removes what is beyond its bound of age or count.
pub(crate) fn forget_old(conn: &Connection, now: Micros) -> rusqlite::Result<()> {
    drops::forget_old(conn)?;
    seen::forget_old(conn)?;
    quarantine::purge(conn, now)?;
    intake::forget_bare(conn)
}
