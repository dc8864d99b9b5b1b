//! How a connection of ours is set up: the key, the durability, the bounds; and schema versions.

use std::path::Path;
use std::sync::Once;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use crate::catalog::cell::seen;
use crate::day::commits;
use crate::error::OpenError;
use crate::files;
use crate::key::DataKey;

/// SQLite before this can damage a database when a WAL is reset under load.
const SQLITE_OLDEST: i32 = 3_051_003;
/// How long a statement waits for a lock before it fails; locks are held for one transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the writer waits for readers when it cuts a write-ahead log.
const CUT_TIMEOUT: Duration = Duration::from_millis(50);
/// A checkpoint runs when the WAL has so many pages (8 KiB each: 16 MiB).
const WAL_CHECKPOINT_PAGES: u32 = 2_000;
/// A WAL file above this is cut when it is reset.
const WAL_KEEP_BYTES: u32 = 16 * 1024 * 1024;
/// Compiled statements kept per connection; the store has about forty different ones.
const STATEMENT_CACHE: usize = 64;

const CATALOG: &[M<'_>] = &[
    M::up(include_str!("../../../migrations/catalog/0001_first.sql")).foreign_key_check(),
    M::up(include_str!("../../../migrations/catalog/0002_care.sql")).foreign_key_check(),
    M::up(include_str!("../../../migrations/catalog/0003_cell.sql")).foreign_key_check(),
    M::up(include_str!(
        "../../../migrations/catalog/0004_seen_digests.sql"
    ))
    .foreign_key_check(),
    M::up(include_str!("../../../migrations/catalog/0005_alerts.sql")).foreign_key_check(),
];
const DAY: &[M<'_>] = &[
    M::up(include_str!("../../../migrations/day/0001_first.sql")),
    M::up(include_str!(
        "../../../migrations/day/0002_second_arrival.sql"
    )),
];

/// Which of our two kinds of database a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `catalog.db`.
    Catalog,
    /// `days/YYYY-MM-DD.db`.
    Day,
}

impl Kind {
    fn migrations(self) -> &'static [M<'static>] {
        match self {
            Kind::Catalog => CATALOG,
            Kind::Day => DAY,
        }
    }

    /// The newest schema that this program may open.
    fn newest(self) -> i64 {
        self.migrations().len() as i64
    }
}

/// Starts SQLite and checks that it is one without known faults.
///
/// # Errors
/// The linked SQLite is older than [`SQLITE_OLDEST`].
pub(crate) fn start() -> Result<(), OpenError> {
    // SQLite says that it has started before SQLCipher in it has: a second thread that opens its
    // first connection meanwhile is told that the key is wrong. So the first one goes alone.
    static STARTED: Once = Once::new();
    STARTED.call_once(|| drop(Connection::open_in_memory()));
    if rusqlite::version_number() < SQLITE_OLDEST {
        return Err(OpenError::SqliteTooOld(rusqlite::version().to_owned()));
    }
    Ok(())
}

/// What a database that is not open says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// It has the newest schema.
    pub(crate) current: bool,
    /// Its newest commit, when it is a day file with the newest schema; else 0.
    pub(crate) newest_commit: i64,
}

/// Looks at a database before anything is changed in it, and refuses one that a newer program
/// wrote.
///
/// # Errors
/// It is newer, or cannot be read under this key.
pub(crate) fn look(path: &Path, kind: Kind, key: &DataKey) -> Result<Look, OpenError> {
    let known = kind.newest();
    let read = || -> rusqlite::Result<(i64, i64)> {
        let conn = connect(path, key)?;
        let version = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let has_commits = kind == Kind::Day && version == known;
        let newest = if has_commits {
            commits::newest(&conn)?
        } else {
            0
        };
        Ok((version, newest))
    };
    let (found, newest_commit) = read().map_err(|error| OpenError::sqlite(path, &error))?;
    if found > known {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known,
        });
    }
    Ok(Look {
        current: found == known,
        newest_commit,
    })
}

/// Takes the write-ahead log into its database and cuts it. Readers in the way are waited for only
/// a moment: the writer has other work, and tries again after it.
pub(crate) fn cut_wal(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(CUT_TIMEOUT)?;
    let cut = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    conn.busy_timeout(BUSY_TIMEOUT)?;
    cut
}

/// Opens a database for the writer, makes it when it is not there, and brings its schema up.
///
/// # Errors
/// The file cannot be made or read, is damaged or newer.
pub(crate) fn open_writer(path: &Path, kind: Kind, key: &DataKey) -> Result<Connection, OpenError> {
    if !path.exists() {
        files::create_private_file(path).map_err(OpenError::io("cannot make", path))?;
    }
    let set_up = || -> rusqlite::Result<Connection> {
        let conn = connect(path, key)?;
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA wal_autocheckpoint = {WAL_CHECKPOINT_PAGES};
             PRAGMA journal_size_limit = {WAL_KEEP_BYTES};"
        ))?;
        Ok(conn)
    };
    let mut conn = set_up().map_err(|error| OpenError::sqlite(path, &error))?;
    let found: i64 = conn
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| OpenError::sqlite(path, &error))?;
    if found > kind.newest() {
        return Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            known: kind.newest(),
        });
    }
    if found < kind.newest() {
        seen::add_function(&conn).map_err(|error| OpenError::sqlite(path, &error))?;
        Migrations::from_slice(kind.migrations())
            .to_latest(&mut conn)
            .map_err(|error| match error {
                rusqlite_migration::Error::RusqliteError { err, .. } => {
                    OpenError::sqlite(path, &err)
                }
                other => OpenError::Sqlite {
                    path: path.to_owned(),
                    reason: other.to_string(),
                },
            })?;
    }
    Ok(conn)
}

/// Makes a database as an older release did: with so many of the migrations.
#[cfg(test)]
pub(crate) fn make_old(path: &Path, kind: Kind, key: &DataKey, migrations: usize) -> Connection {
    files::create_private_file(path).unwrap();
    let mut conn = connect(path, key).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL;").unwrap();
    seen::add_function(&conn).unwrap();
    Migrations::from_slice(&kind.migrations()[..migrations])
        .to_latest(&mut conn)
        .unwrap();
    conn
}

/// Opens a database that exists for reading only.
///
/// # Errors
/// SQLite's; the file is not there or is damaged.
pub(crate) fn open_reader(path: &Path, key: &DataKey) -> rusqlite::Result<Connection> {
    let conn = connect(path, key)?;
    conn.execute_batch("PRAGMA query_only = ON;")?;
    Ok(conn)
}

/// Never creates: files are made private and durable by us first.
fn connect(path: &Path, key: &DataKey) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // What goes wrong comes back as an error; SQLCipher would write it to stderr as well.
    conn.execute_batch("PRAGMA cipher_log_level = NONE;")?;
    // The key first, before the file is touched. Pages of 8 KiB carry less of SQLCipher's 64 bytes
    // of overhead a page; SHA-256 is the MAC that processors have instructions for.
    conn.execute_batch(&key.pragma())?;
    conn.execute_batch(
        "PRAGMA cipher_page_size = 8192; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;
         PRAGMA cipher_memory_security = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -4096;",
    )?;
    // A wrong key or a damaged first page shows here.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(conn)
}
