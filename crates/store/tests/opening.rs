//! A store that must not be opened says why, and is left as it was.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use store::{OpenError, Store, WrappingKey};
use support::{NOON, Place, batch, everything, page};

/// Every file under a directory with its bytes, but for the lock that holds our own process id.
fn bytes_under(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found.extend(bytes_under(&path));
        } else if path.file_name().unwrap() != "lock" {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

fn filled() -> Place {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    store.append_wait(batch("VM001", 1, 1..=50)).unwrap();
    store.close();
    place
}

fn refusal(place: &Place, key: &WrappingKey) -> String {
    let before = bytes_under(&place.data());
    let Err(error) = Store::open(&place.data(), key, NOON) else {
        panic!("must not open")
    };
    assert_eq!(
        bytes_under(&place.data()),
        before,
        "nothing is changed: {error}"
    );
    error.to_string()
}

#[test]
fn the_wrong_key_is_named_and_the_right_one_still_opens() {
    let place = filled();
    let said = refusal(&place, &WrappingKey::from_bytes([9; 32]));
    assert!(
        said.contains("key file does not fit") && said.contains("--key-file"),
        "{said}"
    );
    assert_eq!(page(&place.open(), &everything(), 100).entries.len(), 50);
}

#[test]
fn a_missing_key_file_is_never_made_anew_over_data() {
    let place = filled();
    let kept = fs::read(place.key_file()).unwrap();
    fs::remove_file(place.key_file()).unwrap();
    let error = WrappingKey::load_or_create(&place.key_file(), &place.data())
        .err()
        .unwrap();
    assert!(matches!(error, OpenError::KeyFileMissing(_)), "{error}");
    assert!(
        error.to_string().contains("missing, but a store exists"),
        "{error}"
    );
    assert!(!place.key_file().exists());
    fs::write(place.key_file(), kept).unwrap();
    private(&place.key_file());
    place.open();
}

#[test]
fn a_key_file_in_the_data_directory_is_refused() {
    let place = Place::new();
    let inside = place.data().join("store.key");
    let error = WrappingKey::load_or_create(&inside, &place.data())
        .err()
        .unwrap();
    assert!(matches!(error, OpenError::KeyInsideData(_)), "{error}");
    assert!(!inside.exists());
}

#[test]
fn a_damaged_key_file_is_refused() {
    let place = filled();
    for text in ["", "not a key\n", "QUJD\n"] {
        fs::write(place.key_file(), text).unwrap();
        let error = WrappingKey::load_or_create(&place.key_file(), &place.data())
            .err()
            .unwrap();
        assert!(
            matches!(error, OpenError::KeyFileDamaged(_)),
            "{text:?}: {error}"
        );
    }
}

#[test]
fn a_damaged_or_missing_data_key_is_refused() {
    let place = filled();
    let key = place.key();
    let path = place.data().join("key.json");
    let kept = fs::read(&path).unwrap();
    for damage in [
        "",
        "{}",
        "{\"version\":1,\"cipher\":\"x\",\"nonce\":\"\",\"data_key\":\"\"}",
    ] {
        fs::write(&path, damage).unwrap();
        assert!(refusal(&place, &key).contains("key.json"), "{damage}");
    }
    fs::remove_file(&path).unwrap();
    assert!(
        refusal(&place, &key).contains("put the file back"),
        "a new one would lock us out"
    );
    fs::write(&path, kept).unwrap();
    assert_eq!(page(&place.open(), &everything(), 100).entries.len(), 50);
}

#[test]
fn a_second_opening_names_the_process_that_has_it() {
    let place = filled();
    let store = place.open();
    let error = Store::open(&place.data(), &place.key(), NOON)
        .err()
        .unwrap();
    let pid = std::process::id();
    assert!(
        matches!(error, OpenError::InUse { pid: Some(found), .. } if found == pid),
        "{error}"
    );
    assert!(
        error.to_string().contains(&format!("process {pid}")),
        "{error}"
    );
    drop(store);
    place.open();
}

#[test]
fn a_damaged_catalog_is_named() {
    let place = filled();
    let key = place.key();
    let catalog = place.data().join("catalog.db");
    let mut bytes = fs::read(&catalog).unwrap();
    bytes[100..200].fill(0);
    fs::write(&catalog, bytes).unwrap();
    let said = refusal(&place, &key);
    assert!(said.contains("catalog.db is damaged"), "{said}");
}

#[test]
fn a_damaged_day_leaves_the_other_days_readable() {
    let place = filled();
    let store = place.open();
    let mut yesterday = batch("VM001", 2, 1..=5);
    for entry in &mut yesterday.entries {
        entry.timestamp = entry.timestamp.plus_us(-86_400_000_000);
    }
    store.append_wait(yesterday).unwrap();
    store.close();
    let day = place.data().join("days/2026-11-20.db");
    let mut bytes = fs::read(&day).unwrap();
    bytes.fill(0x55);
    fs::write(&day, bytes).unwrap();
    let store = place.open();
    let query = store::EntryQuery {
        to: Some(NOON.plus_us(-43_200_000_000)),
        ..everything()
    };
    assert_eq!(page(&store, &query, 100).entries.len(), 5);
    let request = store::PageRequest {
        order: store::Order::Desc,
        limit: 10,
        cursor: None,
        budget: support::AMPLE,
    };
    let error = store.page(&everything(), &request).unwrap_err().to_string();
    assert!(error.contains("2026-11-20"), "the day is named: {error}");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let place = Place::new();
    let file = place.key_file().with_file_name("occupied");
    let key = place.key();
    fs::write(&file, "a file").unwrap();
    let error = Store::open(&file.join("data"), &key, NOON)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("cannot make the data directory"), "{error}");
}

#[cfg(unix)]
fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_: &Path) {}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only_and_an_open_key_file_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = filled();
    let store = place.open();
    store.append_wait(batch("VM001", 1, 51..=60)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for path in bytes_under(&place.data()).keys() {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    assert_eq!(mode(&place.data()), 0o700);
    assert_eq!(mode(&place.data().join("days")), 0o700);
    assert_eq!(mode(&place.key_file()), 0o600);

    fs::set_permissions(place.key_file(), fs::Permissions::from_mode(0o644)).unwrap();
    let error = WrappingKey::load_or_create(&place.key_file(), &place.data())
        .err()
        .unwrap();
    assert!(error.to_string().contains("chmod 600"), "{error}");
}

#[test]
fn no_word_of_an_entry_or_a_machine_lies_in_clear_in_any_file() {
    let place = Place::new();
    let store = place.with_machines(&["VM001"]);
    let mut new = batch("VM001", 1, 1..=500);
    new.entries[0].message = "Whisper of the elephants".to_owned();
    new.entries[0].component = "savannah".to_owned();
    new.entries[0]
        .context
        .insert("trumpet".to_owned(), "fortissimo".into());
    store.append_wait(new).unwrap();
    store.set_setting("lullaby", b"hush now").unwrap();
    page(&store, &everything(), 1_000);
    let words = [
        "Whisper",
        "elephants",
        "savannah",
        "trumpet",
        "fortissimo",
        "VM001",
        "hush now",
        "Authorization",
        "Lobby",
        "SQLite format",
    ];
    for when in ["open", "closed"] {
        let files = bytes_under(&place.data());
        assert!(files.len() >= 3, "key, catalog and a day");
        for (path, bytes) in files {
            for word in words {
                let there = bytes
                    .windows(word.len())
                    .any(|part| part == word.as_bytes());
                assert!(!there, "{word} in {} ({when})", path.display());
            }
        }
        store.close();
    }
}
