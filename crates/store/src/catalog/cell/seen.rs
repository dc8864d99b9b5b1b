//! Which files and mails of a source were taken, so that one that stays there is not taken again.

use rusqlite::{Connection, params};
use wire::Micros;

/// Remembered of one source, the newest; a file that is taken once more after that is a repeat.
const KEPT_PER_SOURCE: i64 = 100_000;

/// Whether a file was taken.
pub(crate) fn is_seen(conn: &Connection, source: &str, key: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT count(*) > 0 FROM seen_files WHERE source = ?1 AND key = ?2")?
        .query_row([source, key], |row| row.get(0))
}

/// Remembers a file.
pub(crate) fn mark(conn: &Connection, source: &str, key: &str, at: Micros) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO seen_files (source, key, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (source, key) DO UPDATE SET at = max(at, excluded.at)",
    )?
    .execute(params![source, key, at.0])?;
    Ok(())
}

/// Removes those beyond the bound. By number, not by age: one that stays in a folder for years is
/// looked at with every poll.
pub(crate) fn forget_old(conn: &Connection) -> rusqlite::Result<()> {
    let mut statement =
        conn.prepare_cached("SELECT source FROM seen_files GROUP BY source HAVING count(*) > ?1")?;
    let full: Vec<String> = statement
        .query_map([KEPT_PER_SOURCE], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for source in full {
        conn.prepare_cached(
            "DELETE FROM seen_files WHERE source = ?1 AND at < (
                 SELECT at FROM seen_files WHERE source = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![source, KEPT_PER_SOURCE])?;
    }
    Ok(())
}
