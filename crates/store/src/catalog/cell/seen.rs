//! Which files and mails of a source were taken, so that one that stays there is not taken again.
//! Only digests of what names them: a name may have a card number in it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::digest;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params};
use wire::Micros;

/// Remembered of one source, the newest; a file that is taken once more after that is a repeat.
const KEPT_PER_SOURCE: i64 = 100_000;

/// Whether a file was taken.
pub(crate) fn is_seen(conn: &Connection, source: &str, key: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT count(*) > 0 FROM seen_files WHERE source = ?1 AND key = ?2")?
        .query_row([source, digest_of(key).as_str()], |row| row.get(0))
}

/// Remembers a file.
pub(crate) fn mark(conn: &Connection, source: &str, key: &str, at: Micros) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO seen_files (source, key, at) VALUES (?1, ?2, ?3)
         ON CONFLICT (source, key) DO UPDATE SET at = max(at, excluded.at)",
    )?
    .execute(params![source, digest_of(key), at.0])?;
    Ok(())
}

/// What is kept of a key: the SHA-256 of it in base64.
fn digest_of(key: &str) -> String {
    STANDARD_NO_PAD.encode(digest::digest(&digest::SHA256, key.as_bytes()))
}

/// Teaches this connection the function `sha256`, by which a migration makes digests of keys that
/// were kept before.
pub(crate) fn add_function(conn: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("sha256", 1, flags, |context| {
        Ok(digest_of(context.get_raw(0).as_str()?))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0011223344556677:1764000000:900:refund 4111111111111111.txt";

    fn catalog() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        let tables = include_str!("../../../../../migrations/catalog/0001_first.sql").to_owned()
            + include_str!("../../../../../migrations/catalog/0003_cell.sql");
        conn.execute_batch(&tables).unwrap();
        conn
    }

    fn keys(conn: &Connection) -> Vec<String> {
        let mut statement = conn.prepare("SELECT key FROM seen_files").unwrap();
        let keys = statement.query_map([], |row| row.get(0)).unwrap();
        keys.map(Result::unwrap).collect()
    }

    #[test]
    fn a_card_number_in_the_name_of_a_file_is_not_kept() {
        let conn = catalog();
        mark(&conn, "s1", KEY, Micros(5)).unwrap();
        mark(&conn, "s1", KEY, Micros(6)).unwrap();
        assert!(is_seen(&conn, "s1", KEY).unwrap() && !is_seen(&conn, "s2", KEY).unwrap());
        let kept = keys(&conn);
        assert_eq!(kept.len(), 1);
        assert!(!kept[0].contains("4111"), "{kept:?}");
    }

    #[test]
    fn what_an_older_program_has_taken_is_still_known_and_no_longer_named() {
        let conn = catalog();
        let old = "INSERT INTO seen_files (source, key, at) VALUES ('s1', ?1, 5)";
        conn.execute(old, [KEY]).unwrap();
        add_function(&conn).unwrap();
        let migration = include_str!("../../../../../migrations/catalog/0004_seen_digests.sql");
        conn.execute_batch(migration).unwrap();
        assert!(is_seen(&conn, "s1", KEY).unwrap());
        assert!(!keys(&conn)[0].contains("4111"));
    }
}
