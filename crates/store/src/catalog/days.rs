//! Which day files there are, how many entries they hold, and how far their commits are applied.

use rusqlite::{Connection, OptionalExtension};

use crate::day::Day;

/// The newest commit of the day that this catalog has; 0 when it has none.
pub(crate) fn applied_commit(conn: &Connection, day: Day) -> rusqlite::Result<i64> {
    let found = conn
        .prepare_cached("SELECT applied_commit FROM days WHERE day = ?1")?
        .query_row([day.0], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Takes note of a commit that was applied and of the entries it brought.
pub(crate) fn apply(
    conn: &Connection,
    day: Day,
    commit: i64,
    new_entries: i64,
) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO days (day, applied_commit, entries) VALUES (?1, ?2, ?3)
         ON CONFLICT (day) DO UPDATE SET applied_commit = excluded.applied_commit,
             entries = entries + excluded.entries",
    )?
    .execute([day.0, commit, new_entries])?;
    Ok(())
}

/// Forgets the count of a day, before it is counted again.
pub(crate) fn clear_entries(conn: &Connection, day: Day) -> rusqlite::Result<()> {
    conn.execute("UPDATE days SET entries = 0 WHERE day = ?1", [day.0])?;
    Ok(())
}

/// Entries over all days.
pub(crate) fn total_entries(conn: &Connection) -> rusqlite::Result<u64> {
    let total: i64 = conn
        .prepare_cached("SELECT coalesce(sum(entries), 0) FROM days")?
        .query_row([], |row| row.get(0))?;
    Ok(total.max(0) as u64)
}
