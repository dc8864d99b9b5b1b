//! The server over a place, a port or a key that is not right: one clear line, the right exit code,
//! and nothing changed.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::binaries::binary;
use tests::process::{self, Ended};
use tests::{Server, server};

const FAILED: i32 = 1;
const WRONG_USE: i32 = 2;

fn start(folder: &Path, listen: &str) -> Ended {
    process::run(server::command(folder, &["--listen", listen]))
}

fn start_on(data: &Path, key: &Path) -> Ended {
    let mut command = Command::new(binary("vendlog-server"));
    command
        .args(["--listen", "127.0.0.1:0"])
        .arg("--data")
        .arg(data)
        .arg("--key-file")
        .arg(key);
    process::run(command)
}

/// Makes a store with one entry and one machine, closed again.
fn store(folder: &Path) {
    let mut server = Server::start(folder);
    let key = server.add_machine("VM001");
    let answer = server.api_as(&key).post(
        "/api/logs",
        r#"{"machine_id":"VM001","logs":[{"timestamp":"2026-01-22T14:30:15Z","level":"INFO",
            "component":"app","message":"kept"}]}"#,
    );
    assert_eq!(answer.json()["accepted"], 1);
    server.stop();
}

/// Every file below a folder with its bytes, but for the lock, which says who holds it.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.is_file() && !path.ends_with("lock") {
            all.push((path.clone(), std::fs::read(&path).expect("a file")));
        }
    }
    all.sort();
    all
}

fn assert_still_opens(folder: &Path) {
    let dump = server::run(folder, &["logs", "dump"]);
    assert_eq!(dump.code, Some(0), "{dump:?}");
    assert!(
        dump.stdout.contains("\"kept\""),
        "the entry is still there: {dump:?}"
    );
}

#[test]
fn a_port_in_use_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let ended = start(dir.path(), &address.to_string());
    assert!(
        ended.refusal(FAILED).contains(&address.port().to_string()),
        "{ended:?}"
    );
}

#[test]
fn a_file_in_the_place_of_the_data_directory_is_named_and_left_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    std::fs::write(&data, "a letter").expect("a file");
    let ended = start(dir.path(), "127.0.0.1:0");
    assert!(ended.refusal(FAILED).contains("data"), "{ended:?}");
    assert_eq!(
        std::fs::read_to_string(&data).expect("the file"),
        "a letter"
    );
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("a directory");
    // No user may make files there, root neither.
    let ended = start_on(Path::new("/proc/vendlog"), &dir.path().join("store.key"));
    assert!(ended.refusal(FAILED).contains("/proc/vendlog"), "{ended:?}");
}

#[test]
fn a_missing_key_is_never_made_anew_over_a_store() {
    let dir = tempfile::tempdir().expect("a directory");
    store(dir.path());
    let (key, aside) = (dir.path().join("store.key"), dir.path().join("aside.key"));
    std::fs::rename(&key, &aside).expect("the key is put aside");
    let before = files(&dir.path().join("data"));
    let ended = start(dir.path(), "127.0.0.1:0");
    assert!(ended.refusal(FAILED).contains("store.key"), "{ended:?}");
    assert!(!key.exists(), "no new key is made");
    assert_eq!(
        files(&dir.path().join("data")),
        before,
        "the store is as it was"
    );
    std::fs::rename(&aside, &key).expect("the key is put back");
    assert_still_opens(dir.path());
}

#[test]
fn the_key_of_another_store_is_refused_and_nothing_changes() {
    let dir = tempfile::tempdir().expect("a directory");
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    store(&one);
    store(&other);
    let before = files(&one.join("data"));
    let ended = start_on(&one.join("data"), &other.join("store.key"));
    assert!(ended.refusal(FAILED).contains("key"), "{ended:?}");
    assert_eq!(files(&one.join("data")), before, "the store is as it was");
    assert_still_opens(&one);
}

#[test]
fn a_data_directory_that_is_open_already_is_refused_and_the_first_server_goes_on() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = Server::start(dir.path());
    let ended = start(dir.path(), "127.0.0.1:0");
    assert!(ended.refusal(FAILED).contains("data"), "{ended:?}");
    assert_eq!(first.api().get("/api/machines").status, 200);
}

#[test]
fn an_id_of_eleven_characters_is_no_machine() {
    let dir = tempfile::tempdir().expect("a directory");
    let ended = server::run(dir.path(), &["machine", "add", "VM000000001"]);
    assert!(matches!(ended.code, Some(FAILED | WRONG_USE)), "{ended:?}");
    assert!(ended.stderr.contains("10 characters"), "{ended:?}");
    assert_eq!(ended.stdout, "");
}

#[test]
fn a_word_that_is_no_command_is_wrong_use() {
    let dir = tempfile::tempdir().expect("a directory");
    let ended = server::run(dir.path(), &["machine", "paint", "VM001"]);
    assert_eq!(ended.code, Some(WRONG_USE), "{ended:?}");
}
