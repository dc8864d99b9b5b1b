//! Opening a data directory: lock, key, versions, schema, and what a crash left to be taken over.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use crate::catalog::days;
use crate::day::Day;
use crate::error::{OpenError, StoreError};
use crate::files;
use crate::key::{DataKey, WrappingKey};
use crate::lock::Lock;
use crate::shared::Shared;
use crate::sqlite::{self, Kind, Look};
use crate::writer::days::OpenDays;
use crate::writer::{Writer, replay};

/// A data directory that is locked, readable and whole.
pub(crate) struct Opened {
    pub(crate) lock: Lock,
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Writer,
}

/// Opens or makes the store at `dir`. Nothing is changed in a store that is refused.
///
/// # Errors
/// See [`OpenError`].
pub(crate) fn open(
    dir: &Path,
    wrapping: &WrappingKey,
    now: wire::Micros,
) -> Result<Opened, OpenError> {
    sqlite::start()?;
    files::make_private_dir(dir).map_err(OpenError::io("cannot make the data directory", dir))?;
    let lock = Lock::take(dir)?;
    let key = DataKey::load_or_create(dir, wrapping)?;
    let shared = Arc::new(Shared::new(dir.to_owned(), key));
    let days_dir = shared.days_dir();
    files::make_private_dir(&days_dir).map_err(OpenError::io("cannot make", &days_dir))?;

    let catalog_path = shared.catalog_path();
    if catalog_path.exists() {
        sqlite::look(&catalog_path, Kind::Catalog, &shared.key)?;
    }
    let found = find_days(&shared, &days_dir)?;
    let catalog = sqlite::open_writer(&catalog_path, Kind::Catalog, &shared.key)?;
    let (catalog, days) = take_over(&shared, catalog, &found)
        .map_err(|error| OpenError::Other(format!("{}: {error}", catalog_path.display())))?;
    let writer = Writer::new(shared.clone(), catalog, days, now)
        .map_err(|error| OpenError::Other(format!("{}: {error}", catalog_path.display())))?;
    Ok(Opened {
        lock,
        shared,
        writer,
    })
}

/// Brings the catalog up to the day files that are ahead of it, and those up to this schema.
fn take_over(
    shared: &Shared,
    catalog: Connection,
    found: &[(Day, Look)],
) -> Result<(Connection, OpenDays), StoreError> {
    let mut behind = Vec::new();
    for &(day, look) in found {
        if !look.current || look.newest_commit > days::applied_commit(&catalog, day)? {
            behind.push(day);
        }
    }
    let mut days = OpenDays::default();
    replay::replay(shared, &catalog, &mut days, behind)?;
    Ok((catalog, days))
}

/// Notes the day files there are, and refuses the directory when one of them is newer than this
/// program. One that cannot be read is left for its own repair.
fn find_days(shared: &Shared, days_dir: &Path) -> Result<Vec<(Day, Look)>, OpenError> {
    let listed = fs::read_dir(days_dir).map_err(OpenError::io("cannot list", days_dir))?;
    let mut found = Vec::new();
    for file in listed {
        let file = file.map_err(OpenError::io("cannot list", days_dir))?;
        let Some(day) = file.file_name().to_str().and_then(Day::from_file_name) else {
            continue;
        };
        match sqlite::look(&file.path(), Kind::Day, &shared.key) {
            Ok(look) => found.push((day, look)),
            Err(error @ OpenError::Newer { .. }) => return Err(error),
            Err(error) => tracing::error!(%error, "a day file cannot be read"),
        }
        shared.days_mut().insert(day);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        for path in fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()) {
            if path.is_dir() {
                found.extend(files(&path));
            } else if !path.ends_with("lock") {
                found.insert(path.clone(), fs::read(path).unwrap());
            }
        }
        found
    }

    /// Makes a file say that a newer program wrote it.
    fn make_newer(dir: &Path, wrapping: &WrappingKey, file: &str, kind: Kind) {
        let key = DataKey::load_or_create(dir, wrapping).unwrap();
        let conn = sqlite::open_writer(&dir.join(file), kind, &key).unwrap();
        conn.pragma_update(None, "user_version", 1_000).unwrap();
    }

    /// A store as a release left it: so many migrations of the catalog, the first of the days; one
    /// entry that the catalog has, and one that a crash kept from it.
    fn old_store(dir: &Path, wrapping: &WrappingKey, catalog: usize) {
        files::make_private_dir(dir).unwrap();
        files::make_private_dir(&dir.join("days")).unwrap();
        sqlite::start().unwrap();
        let key = DataKey::load_or_create(dir, wrapping).unwrap();
        let old = sqlite::make_old(&dir.join("catalog.db"), Kind::Catalog, &key, catalog);
        old.execute_batch(
            "INSERT INTO machine_numbers (no, id) VALUES (7, 'VM001');
             INSERT INTO machines VALUES (7, 'Lobby', '', '', '', '', '[]', '', '', '[]', 5);
             INSERT INTO credentials (key_id, sha256, kind, machine, name, role, created_at)
             VALUES ('k1', zeroblob(32), 0, 7, '', '', 5),
                 ('t1', zeroblob(32), 1, NULL, 'x', 'owner', 5);
             INSERT INTO contacts VALUES (7, 9, NULL, 9, '{\"machine_id\":\"VM001\"}');
             INSERT INTO ledger VALUES (7, 3, 1, 1, 0, 5);
             INSERT INTO days VALUES (0, 1, 1);
             INSERT INTO components VALUES (1, 'main');
             INSERT INTO machine_components VALUES (7, 1);
             INSERT INTO machine_hours VALUES (7, 0, 0, 1, 0, 0, 0), (0, 0, 0, 1, 0, 0, 0);
             INSERT INTO component_hours
             VALUES (1, 7, 0, 0, 1, 0, 0, 0), (1, 0, 0, 0, 1, 0, 0, 0);",
        )
        .unwrap();
        if catalog >= 3 {
            let seen = "INSERT INTO seen_files VALUES ('s1', 'place:1:900:a.txt', 5)";
            old.execute_batch(seen).unwrap();
        }
        let day = sqlite::make_old(&dir.join("days/1970-01-01.db"), Kind::Day, &key, 1);
        // Commit 2 says in version 1 of its record: new, machine 7, epoch 3, seq 2 to 2, WiFi, whole.
        day.execute_batch(
            "INSERT INTO machines VALUES (7, 'VM001');
             INSERT INTO components VALUES (1, 'main');
             INSERT INTO templates VALUES (1, 1, 0, 'started', 2);
             INSERT INTO entries VALUES (7, 1000000, 3, 1, 1, 1, x'', NULL, 0, 5, 20),
                 (7, 2000000, 3, 2, 1, 1, x'', NULL, 0, 5, 20);
             INSERT INTO commits VALUES (1, x'0100'), (2, x'01000E0604000A');",
        )
        .unwrap();
    }

    #[test]
    fn a_store_of_every_release_is_brought_up_with_all_that_is_in_it() {
        for catalog in [1, 2, 3] {
            let base = tempfile::tempdir().unwrap();
            let dir = base.path().join("data");
            let wrapping = WrappingKey::from_bytes([1; 32]);
            old_store(&dir, &wrapping, catalog);
            let now = wire::Micros(10_000_000);
            let store = crate::Store::open(&dir, &wrapping, now).unwrap();
            let id: wire::MachineId = "VM001".parse().unwrap();
            assert_eq!(store.machine(&id).unwrap().unwrap().name, "Lobby");
            for (key_id, name) in [("k1", "machine"), ("t1", "token")] {
                let key = store.credential(key_id).unwrap().unwrap();
                assert_eq!(key.state, crate::KeyState::InUse, "{name}");
            }
            let facts = store.machine_facts(&id, now).unwrap();
            assert!(facts.heartbeat.is_some() && facts.last_drop.is_none());
            let care = store.care(&id).unwrap();
            assert!(care.rotation_asked_at.is_none() && care.config.is_none());
            store.ask_rotation(&id, now).unwrap();
            assert_eq!(store.care(&id).unwrap().rotation_asked_at, Some(now));
            let cell = store.cell().facts(&id, now).unwrap();
            assert_eq!((cell.by_cell, cell.data.used_bytes), (None, 0));
            let is_seen = store.cell().is_seen("s1", "place:1:900:a.txt").unwrap();
            assert_eq!(is_seen, catalog >= 3, "what was taken is not fetched again");
            assert_eq!(
                store.total_entries().unwrap(),
                2,
                "what the crash kept back is there"
            );
            let entries: Vec<_> = store
                .entries(crate::EntryQuery::default(), crate::Order::Asc)
                .map(|entry| entry.unwrap())
                .collect();
            for (seq, entry) in [1, 2].into_iter().zip(&entries) {
                assert_eq!((entry.seq, entry.message.as_str()), (Some(seq), "started"));
                let arrival = entry.timestamp.plus_us(5);
                assert_eq!((entry.wifi_at, entry.cell_at), (Some(arrival), None));
            }
            store.close();
            crate::Store::open(&dir, &wrapping, now).unwrap();
        }
    }

    #[test]
    fn a_newer_catalog_or_day_is_refused_and_not_a_byte_is_changed() {
        for (file, kind) in [
            ("catalog.db", Kind::Catalog),
            ("days/2026-11-20.db", Kind::Day),
        ] {
            let base = tempfile::tempdir().unwrap();
            let dir = base.path().join("data");
            let wrapping = WrappingKey::from_bytes([1; 32]);
            drop(open(&dir, &wrapping, wire::Micros(0)).unwrap());
            make_newer(&dir, &wrapping, file, kind);
            let before = files(&dir);
            let error = open(&dir, &wrapping, wire::Micros(0)).err().unwrap();
            assert!(
                matches!(error, OpenError::Newer { found: 1_000, .. }),
                "{file}: {error}"
            );
            assert!(
                error.to_string().contains("install the newer version"),
                "{error}"
            );
            assert_eq!(files(&dir), before, "{file}");
        }
    }
}
