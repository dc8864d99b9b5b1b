//! Every dictionary ever known, and the one that agents are given.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::Micros;
use wire::drops::DictionaryId;

use crate::error::StoreError;

/// The largest dictionary that is kept; an agent on a Pi holds all of one in memory.
pub const DICTIONARY_MAX_BYTES: usize = 1024 * 1024;

/// How a dictionary came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DictionaryOrigin {
    /// It came with the program.
    Shipped = 0,
    /// It was trained from the fleet's own logs.
    Trained = 1,
    /// Somebody brought a file.
    Uploaded = 2,
}

/// A dictionary, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DictionaryInfo {
    /// Its id.
    pub id: DictionaryId,
    /// How it came about.
    pub origin: DictionaryOrigin,
    /// When it came here.
    pub created_at: Micros,
    /// Entries that it was trained from; 0 when that is not known.
    pub entries: u64,
    /// Its bytes.
    pub size_bytes: u64,
    /// Whether agents are given this one.
    pub is_current: bool,
}

/// Keeps a dictionary; one that is there stays as it is. It may become the current one.
pub(crate) fn add(
    conn: &Connection,
    info: &DictionaryInfo,
    bytes: &[u8],
) -> Result<(), StoreError> {
    if bytes.len() > DICTIONARY_MAX_BYTES {
        return Err(StoreError::DictionaryTooLarge(DICTIONARY_MAX_BYTES));
    }
    conn.prepare_cached(
        "INSERT INTO dictionaries (id, bytes, origin, created_at, entries, is_current)
         VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT (id) DO NOTHING",
    )?
    .execute(params![
        info.id.0,
        bytes,
        info.origin as i64,
        info.created_at.0,
        super::column(info.entries)?
    ])?;
    if info.is_current {
        set_current(conn, info.id)?;
    }
    Ok(())
}

/// Makes a dictionary the one that agents are given. `false` when there is none of this id.
pub(crate) fn set_current(conn: &Connection, id: DictionaryId) -> rusqlite::Result<bool> {
    let is_there: bool = conn
        .prepare_cached("SELECT count(*) > 0 FROM dictionaries WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    if is_there {
        conn.prepare_cached("UPDATE dictionaries SET is_current = 0 WHERE is_current = 1")?
            .execute([])?;
        conn.prepare_cached("UPDATE dictionaries SET is_current = 1 WHERE id = ?1")?
            .execute([id.0])?;
    }
    Ok(is_there)
}

/// The bytes of a dictionary.
pub(crate) fn bytes(conn: &Connection, id: DictionaryId) -> rusqlite::Result<Option<Vec<u8>>> {
    conn.prepare_cached("SELECT bytes FROM dictionaries WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()
}

const COLUMNS: &str = "id, origin, created_at, entries, length(bytes), is_current";

/// All of them, the newest first.
pub(crate) fn list(conn: &Connection) -> rusqlite::Result<Vec<DictionaryInfo>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM dictionaries ORDER BY created_at DESC, id"
    ))?
    .query_map([], read)?
    .collect()
}

/// The one that agents are given.
pub(crate) fn current(conn: &Connection) -> rusqlite::Result<Option<DictionaryInfo>> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM dictionaries WHERE is_current = 1"
    ))?
    .query_row([], read)
    .optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<DictionaryInfo> {
    Ok(DictionaryInfo {
        id: DictionaryId(row.get(0)?),
        origin: match row.get(1)? {
            0 => DictionaryOrigin::Shipped,
            1 => DictionaryOrigin::Trained,
            2 => DictionaryOrigin::Uploaded,
            other => return Err(rusqlite::Error::IntegralValueOutOfRange(1, other)),
        },
        created_at: Micros(row.get(2)?),
        entries: row.get::<_, i64>(3)?.max(0) as u64,
        size_bytes: row.get::<_, i64>(4)?.max(0) as u64,
        is_current: row.get(5)?,
    })
}
