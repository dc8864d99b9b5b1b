//! What arrived and could not be read, with the reason: it waits for a dictionary or a person.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::Micros;
use wire::drops::DictionaryId;
use wire::time::DAY_US;

use crate::error::StoreError;

/// Bytes kept of one item: the largest file that is fetched, a locked zip of a fleet's drops, so that
/// it can be deleted at its source. What is longer was put there by mistake and is only looked at.
pub const QUARANTINE_ITEM_MAX_BYTES: usize = 1024 * 1024;
/// Items that wait or are discarded.
pub const QUARANTINE_MAX_ITEMS: u64 = 1_000;
/// Bytes of all items together, so that large ones do not fill the disk that sales are kept on.
pub const QUARANTINE_MAX_BYTES: u64 = 64 * 1024 * 1024;
/// What was discarded can be restored for so long, in microseconds.
pub const QUARANTINE_RESTORABLE_US: i64 = 7 * DAY_US;
/// Bytes of an item in a list; enough for 300 characters of any script.
const HEAD_BYTES: i64 = 1_200;

/// Something that could not be read. Its bytes are redacted already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewQuarantined {
    /// The source that it came by.
    pub source: String,
    /// Name of its file or mail.
    pub name: String,
    /// Arrival, by our clock.
    pub arrived_at: Micros,
    /// Its bytes, redacted; kept up to [`QUARANTINE_ITEM_MAX_BYTES`].
    pub bytes: Vec<u8>,
    /// How many bytes it had.
    pub size_bytes: u64,
    /// SHA-256 of what arrived: the same bytes from the same source are one item.
    pub sha256: [u8; 32],
    /// What is wrong, for a program, such as `unknown_dictionary`.
    pub code: String,
    /// What is wrong and what to do, for a person.
    pub reason: String,
    /// Whose it may be, as far as that could be told; no machine of this id need be registered.
    pub machine: Option<String>,
    /// The dictionary that it waits for.
    pub dictionary: Option<DictionaryId>,
}

/// An item in quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Its id; never given twice.
    pub id: u64,
    /// The source that it came by.
    pub source: String,
    /// Name of its file or mail.
    pub name: String,
    /// First arrival, by our clock.
    pub arrived_at: Micros,
    /// How many bytes it had.
    pub size_bytes: u64,
    /// What is kept of its bytes; in a list only the first 1,200.
    pub bytes: Vec<u8>,
    /// What is wrong, for a program.
    pub code: String,
    /// What is wrong and what to do, for a person.
    pub reason: String,
    /// Whose it may be.
    pub machine: Option<String>,
    /// The dictionary that it waits for.
    pub dictionary: Option<DictionaryId>,
    /// How often the same came again.
    pub repeats: u64,
    /// When somebody discarded it.
    pub discarded_at: Option<Micros>,
}

/// Keeps an item. The same bytes from the same source are counted on the one that is there, which is
/// not brought back when it was discarded.
///
/// # Errors
/// What waits leaves no room for it, or the catalog cannot be written.
pub(crate) fn add(conn: &Connection, new: &NewQuarantined) -> Result<u64, StoreError> {
    purge(conn, new.arrived_at)?;
    let size = i64::try_from(new.size_bytes).unwrap_or(i64::MAX);
    let found: Option<i64> = conn
        .prepare_cached(
            "UPDATE quarantine SET repeats = repeats + 1, code = ?4, reason = ?5, machine = ?6,
                 dictionary = ?7
             WHERE source = ?1 AND sha256 = ?2 AND size = ?3 RETURNING id",
        )?
        .query_row(
            params![
                new.source,
                new.sha256,
                size,
                new.code,
                new.reason,
                new.machine,
                new.dictionary.map(|id| id.0)
            ],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(id) = found {
        return Ok(id as u64);
    }
    let kept = &new.bytes[..new.bytes.len().min(QUARANTINE_ITEM_MAX_BYTES)];
    make_room(conn, kept.len() as u64)?;
    conn.prepare_cached(
        "INSERT INTO quarantine (source, name, arrived_at, size, sha256, bytes, code, reason,
             machine, dictionary, repeats, discarded_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, NULL)",
    )?
    .execute(params![
        new.source,
        new.name,
        new.arrived_at.0,
        size,
        new.sha256,
        kept,
        new.code,
        new.reason,
        new.machine,
        new.dictionary.map(|id| id.0)
    ])?;
    Ok(conn.last_insert_rowid() as u64)
}

/// Makes room for one more of so many bytes: those that were discarded first go. What waits never
/// goes by itself.
fn make_room(conn: &Connection, bytes: u64) -> Result<(), StoreError> {
    let fits = |(items, held): (u64, u64)| {
        items < QUARANTINE_MAX_ITEMS && held.saturating_add(bytes) <= QUARANTINE_MAX_BYTES
    };
    let waiting = held(conn, "discarded_at IS NULL")?;
    if !fits(waiting) {
        return Err(StoreError::QuarantineFull(waiting.0));
    }
    while !fits(held(conn, "TRUE")?) {
        let removed = conn
            .prepare_cached(
                "DELETE FROM quarantine WHERE id = (SELECT id FROM quarantine
                     WHERE discarded_at IS NOT NULL ORDER BY discarded_at, id LIMIT 1)",
            )?
            .execute([])?;
        if removed == 0 {
            return Err(StoreError::QuarantineFull(waiting.0));
        }
    }
    Ok(())
}

/// How many items there are under a condition, and the bytes of all of them.
fn held(conn: &Connection, condition: &str) -> rusqlite::Result<(u64, u64)> {
    let sql = format!(
        "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM quarantine WHERE {condition}"
    );
    let number = |row: &Row<'_>, column: usize| {
        Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.max(0) as u64)
    };
    conn.prepare_cached(&sql)?
        .query_row([], |row| Ok((number(row, 0)?, number(row, 1)?)))
}

/// Items, the newest first, with the beginning of their bytes; those that wait, or also discarded
/// ones.
pub(crate) fn list(
    conn: &Connection,
    with_discarded: bool,
    limit: usize,
) -> rusqlite::Result<Vec<Quarantined>> {
    // Of no bytes at all, substr makes NULL.
    let bytes = format!("coalesce(substr(bytes, 1, {HEAD_BYTES}), x'')");
    let sql = select(
        &bytes,
        "?1 OR discarded_at IS NULL ORDER BY id DESC LIMIT ?2",
    );
    conn.prepare_cached(&sql)?
        .query_map(params![with_discarded, limit as i64], read)?
        .collect()
}

/// How many wait.
pub(crate) fn waiting(conn: &Connection) -> rusqlite::Result<u64> {
    let count: i64 = conn
        .prepare_cached("SELECT count(*) FROM quarantine WHERE discarded_at IS NULL")?
        .query_row([], |row| row.get(0))?;
    Ok(count.max(0) as u64)
}

/// One item with its bytes.
pub(crate) fn get(conn: &Connection, id: u64) -> Result<Option<Quarantined>, StoreError> {
    let id = super::column(id)?;
    Ok(conn
        .prepare_cached(&select("bytes", "id = ?1"))?
        .query_row([id], read)
        .optional()?)
}

/// The items that wait for a dictionary, the oldest first, with their bytes.
pub(crate) fn for_dictionary(
    conn: &Connection,
    id: DictionaryId,
) -> rusqlite::Result<Vec<Quarantined>> {
    conn.prepare_cached(&select(
        "bytes",
        "dictionary = ?1 AND discarded_at IS NULL ORDER BY id",
    ))?
    .query_map([id.0], read)?
    .collect()
}

/// Discards an item, or restores it with `None`. `false` when there is none.
pub(crate) fn set_discarded(
    conn: &Connection,
    id: u64,
    at: Option<Micros>,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached("UPDATE quarantine SET discarded_at = ?2 WHERE id = ?1")?
        .execute(params![super::column(id)?, at.map(|at| at.0)])?;
    Ok(changed == 1)
}

/// Removes an item that was read at last. `false` when there is none.
pub(crate) fn remove(conn: &Connection, id: u64) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached("DELETE FROM quarantine WHERE id = ?1")?
        .execute([super::column(id)?])?;
    Ok(changed == 1)
}

/// Removes what was discarded too long ago to be restored.
pub(crate) fn purge(conn: &Connection, now: Micros) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM quarantine WHERE discarded_at < ?1")?
        .execute([now.plus_us(-QUARANTINE_RESTORABLE_US).0])?;
    Ok(())
}

fn select(bytes: &str, condition: &str) -> String {
    format!(
        "SELECT id, source, name, arrived_at, size, {bytes}, code, reason, machine, dictionary,
             repeats, discarded_at
         FROM quarantine WHERE {condition}"
    )
}

fn read(row: &Row<'_>) -> rusqlite::Result<Quarantined> {
    let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.max(0) as u64);
    Ok(Quarantined {
        id: number(0)?,
        source: row.get(1)?,
        name: row.get(2)?,
        arrived_at: Micros(row.get(3)?),
        size_bytes: number(4)?,
        bytes: row.get(5)?,
        code: row.get(6)?,
        reason: row.get(7)?,
        machine: row.get(8)?,
        dictionary: row.get::<_, Option<u32>>(9)?.map(DictionaryId),
        repeats: number(10)?,
        discarded_at: row.get::<_, Option<i64>>(11)?.map(Micros),
    })
}
