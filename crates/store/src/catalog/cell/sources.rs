//! Where drops are fetched: the configuration as JSON with its secrets, and how fetching goes.

use rusqlite::{Connection, OptionalExtension, Row, params};
use wire::Micros;

/// How fetching from a source goes. Written whole after each poll.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceStatus {
    /// Last poll, whether it worked or not.
    pub last_poll_at: Option<Micros>,
    /// When it is polled next.
    pub next_poll_at: Option<Micros>,
    /// Last poll that worked.
    pub last_success_at: Option<Micros>,
    /// Since when every poll has failed; `None` while it works.
    pub failing_since: Option<Micros>,
    /// The last failure while it fails: a code for a program, words for a person.
    pub error: Option<(String, String)>,
    /// Files or mails taken since the source was added.
    pub files_taken: u64,
    /// Drops taken.
    pub drops_taken: u64,
    /// Items that went to quarantine.
    pub quarantined: u64,
    /// When a file was taken last.
    pub last_file_at: Option<Micros>,
}

/// A source as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredSource {
    /// Its id, such as `s1`; never given twice.
    pub id: String,
    /// Its configuration: JSON, with its secrets.
    pub config: String,
    /// When it was added.
    pub created_at: Micros,
    /// How fetching goes.
    pub status: SourceStatus,
}

// By hand: what holds secrets must not be printed by a stray `{:?}`.
impl std::fmt::Debug for StoredSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredSource")
            .field("id", &self.id)
            .field("created_at", &self.created_at)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// Adds a source and gives it its id.
pub(crate) fn add(conn: &Connection, config: &str, at: Micros) -> rusqlite::Result<String> {
    // The number that AUTOINCREMENT gives next; the writer is alone.
    let last: Option<i64> = conn
        .prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'sources'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    let no = last.unwrap_or(0) + 1;
    let id = format!("s{no}");
    conn.prepare_cached(
        "INSERT INTO sources (no, id, config, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![no, id, config, at.0])?;
    Ok(id)
}

/// Changes a source's configuration. `false` when there is no such source.
pub(crate) fn set_config(conn: &Connection, id: &str, config: &str) -> rusqlite::Result<bool> {
    let changed = conn
        .prepare_cached("UPDATE sources SET config = ?2 WHERE id = ?1")?
        .execute([id, config])?;
    Ok(changed == 1)
}

/// Removes a source with what it has seen. `false` when there is none.
pub(crate) fn remove(conn: &Connection, id: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("DELETE FROM seen_files WHERE source = ?1")?
        .execute([id])?;
    let changed = conn
        .prepare_cached("DELETE FROM sources WHERE id = ?1")?
        .execute([id])?;
    Ok(changed == 1)
}

/// Keeps how fetching goes. `false` when there is no such source.
pub(crate) fn set_status(
    conn: &Connection,
    id: &str,
    status: &SourceStatus,
) -> rusqlite::Result<bool> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let changed = conn
        .prepare_cached(
            "UPDATE sources SET last_poll_at = ?2, next_poll_at = ?3, last_success_at = ?4,
                 failing_since = ?5, error_code = ?6, error_message = ?7, files_taken = ?8,
                 drops_taken = ?9, quarantined = ?10, last_file_at = ?11
             WHERE id = ?1",
        )?
        .execute(params![
            id,
            status.last_poll_at.map(|at| at.0),
            status.next_poll_at.map(|at| at.0),
            status.last_success_at.map(|at| at.0),
            status.failing_since.map(|at| at.0),
            status.error.as_ref().map(|(code, _)| code),
            status.error.as_ref().map(|(_, message)| message),
            number(status.files_taken),
            number(status.drops_taken),
            number(status.quarantined),
            status.last_file_at.map(|at| at.0),
        ])?;
    Ok(changed == 1)
}

/// All sources, in the order they were added.
pub(crate) fn list(conn: &Connection) -> rusqlite::Result<Vec<StoredSource>> {
    conn.prepare_cached(
        "SELECT id, config, created_at, last_poll_at, next_poll_at, last_success_at, failing_since,
             error_code, error_message, files_taken, drops_taken, quarantined, last_file_at
         FROM sources ORDER BY no",
    )?
    .query_map([], read)?
    .collect()
}

fn read(row: &Row<'_>) -> rusqlite::Result<StoredSource> {
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Micros));
    let number = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.max(0) as u64);
    let code: Option<String> = row.get(7)?;
    let message: Option<String> = row.get(8)?;
    Ok(StoredSource {
        id: row.get(0)?,
        config: row.get(1)?,
        created_at: Micros(row.get(2)?),
        status: SourceStatus {
            last_poll_at: time(3)?,
            next_poll_at: time(4)?,
            last_success_at: time(5)?,
            failing_since: time(6)?,
            error: code.map(|code| (code, message.unwrap_or_default())),
            files_taken: number(9)?,
            drops_taken: number(10)?,
            quarantined: number(11)?,
            last_file_at: time(12)?,
        },
    })
}
