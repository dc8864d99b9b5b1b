//! The machines that are registered, and the numbers that all machines keep for ever.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use wire::{MachineId, Micros};

use crate::catalog::cell;
use crate::error::StoreError;
use crate::shared::{MachineNo, Registry};

/// A machine as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Its id.
    pub id: MachineId,
    /// A name for people; empty when not given.
    pub name: String,
    /// Where it stands; empty when not given.
    pub location: String,
    /// IANA zone such as `America/Los_Angeles`; empty when not given.
    pub timezone: String,
    /// The customer site; empty when not given.
    pub site: String,
    /// The service route; empty when not given.
    pub route: String,
    /// Free words.
    pub tags: Vec<String>,
    /// Who owns it; empty when not given.
    pub owner: String,
    /// Opening hours as the user wrote them; empty when not given.
    pub opening_hours: String,
    /// Serial numbers of its card readers.
    pub reader_serials: Vec<String>,
    /// When it was added.
    pub created_at: Micros,
}

/// The columns that [`read`] takes, of `machines m JOIN machine_numbers n`.
pub(crate) const COLUMNS: &str = "n.id, m.name, m.location, m.timezone, m.site, m.route, m.tags,
     m.owner, m.opening_hours, m.reader_serials, m.created_at";
/// How many there are.
pub(crate) const COLUMN_COUNT: usize = 11;

/// Registers a machine; one that was there before gets its old number back.
pub(crate) fn insert(conn: &Connection, machine: &Machine) -> Result<MachineNo, StoreError> {
    if number(conn, &machine.id)?.is_some() {
        return Err(StoreError::MachineExists(machine.id.clone()));
    }
    conn.prepare_cached(
        "INSERT INTO machine_numbers (id) VALUES (?1) ON CONFLICT (id) DO NOTHING",
    )?
    .execute([machine.id.as_str()])?;
    let no: MachineNo = conn
        .prepare_cached("SELECT no FROM machine_numbers WHERE id = ?1")?
        .query_row([machine.id.as_str()], |row| row.get(0))?;
    conn.prepare_cached(
        "INSERT INTO machines (no, name, location, timezone, site, route, tags, owner,
             opening_hours, reader_serials, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        no,
        machine.name,
        machine.location,
        machine.timezone,
        machine.site,
        machine.route,
        list_to_json(&machine.tags),
        machine.owner,
        machine.opening_hours,
        list_to_json(&machine.reader_serials),
        machine.created_at.0,
    ])?;
    Ok(no)
}

/// Gives a machine back its number, when neither is known: a day file has entries of it.
pub(crate) fn restore_number(conn: &Connection, no: MachineNo, id: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO machine_numbers (no, id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute(params![no, id])?;
    Ok(())
}

/// Keeps what is said of a machine that is registered; its id and since when it is there stay.
pub(crate) fn update(conn: &Connection, machine: &Machine) -> Result<(), StoreError> {
    let no = registered(conn, &machine.id)?;
    conn.prepare_cached(
        "UPDATE machines SET name = ?2, location = ?3, timezone = ?4, site = ?5, route = ?6,
             tags = ?7, owner = ?8, opening_hours = ?9, reader_serials = ?10 WHERE no = ?1",
    )?
    .execute(params![
        no,
        machine.name,
        machine.location,
        machine.timezone,
        machine.site,
        machine.route,
        list_to_json(&machine.tags),
        machine.owner,
        machine.opening_hours,
        list_to_json(&machine.reader_serials),
    ])?;
    Ok(())
}

/// Forgets a machine with its keys and its contacts; its number, ledger and entries stay.
pub(crate) fn remove(conn: &Connection, id: &MachineId) -> Result<(), StoreError> {
    let no = number(conn, id)?.ok_or_else(|| StoreError::NoSuchMachine(id.clone()))?;
    conn.execute("DELETE FROM contacts WHERE machine = ?1", [no])?;
    conn.execute("DELETE FROM newest_grave WHERE machine = ?1", [no])?;
    cell::facts::forget_last(conn, no)?;
    cell::data_plan::set(conn, no, None)?;
    conn.execute("DELETE FROM machines WHERE no = ?1", [no])?;
    Ok(())
}

/// The number of a machine that is registered.
pub(crate) fn number(conn: &Connection, id: &MachineId) -> rusqlite::Result<Option<MachineNo>> {
    conn.prepare_cached(
        "SELECT m.no FROM machines m JOIN machine_numbers n ON n.no = m.no WHERE n.id = ?1",
    )?
    .query_row([id.as_str()], |row| row.get(0))
    .optional()
}

/// The number of a machine that must be registered.
pub(crate) fn registered(conn: &Connection, id: &MachineId) -> Result<MachineNo, StoreError> {
    number(conn, id)?.ok_or_else(|| StoreError::NoSuchMachine(id.clone()))
}

/// Every registered machine, by id.
pub(crate) fn all(conn: &Connection) -> rusqlite::Result<Vec<Machine>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM machines m JOIN machine_numbers n ON n.no = m.no ORDER BY n.id"
    );
    conn.prepare_cached(&sql)?.query_map([], read)?.collect()
}

/// One registered machine.
pub(crate) fn get(conn: &Connection, id: &MachineId) -> rusqlite::Result<Option<Machine>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM machines m JOIN machine_numbers n ON n.no = m.no WHERE n.id = ?1"
    );
    conn.prepare_cached(&sql)?
        .query_row([id.as_str()], read)
        .optional()
}

/// A row that begins with [`COLUMNS`].
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Machine> {
    Ok(Machine {
        id: read_id(row, 0)?,
        name: row.get(1)?,
        location: row.get(2)?,
        timezone: row.get(3)?,
        site: row.get(4)?,
        route: row.get(5)?,
        tags: list_from_json(row.get_ref(6)?.as_str()?),
        owner: row.get(7)?,
        opening_hours: row.get(8)?,
        reader_serials: list_from_json(row.get_ref(9)?.as_str()?),
        created_at: Micros(row.get(10)?),
    })
}

/// All numbers ever given, and who is registered now.
pub(crate) fn registry(conn: &Connection) -> rusqlite::Result<Registry> {
    let mut registry = Registry::default();
    let mut statement = conn.prepare(
        "SELECT n.no, n.id, m.no IS NOT NULL
         FROM machine_numbers n LEFT JOIN machines m ON m.no = n.no",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        registry.insert(row.get(0)?, read_id(row, 1)?, row.get(2)?);
    }
    Ok(registry)
}

fn read_id(row: &Row<'_>, column: usize) -> rusqlite::Result<MachineId> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

fn list_to_json(list: &[String]) -> String {
    serde_json::Value::from(list.to_vec()).to_string()
}

fn list_from_json(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}
