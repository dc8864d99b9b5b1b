//! A full disk: nothing acknowledged is lost, nothing is half-written, and it goes on when there is
//! space. On a small file system of its own where the system lets us mount one, else under a limit
//! on the size of files.

#![cfg(target_os = "linux")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use store::{Store, StoreError, WrappingKey};
use support::{NOON, Place, add_machine, batch, seqs};

/// Tells the test binary to be the process with the small disk; holds the mount point.
const TMPFS_ROLE: &str = "STORE_TEST_SMALL_DISK";
/// The same for the process with a limit on the size of files.
const LIMIT_ROLE: &str = "STORE_TEST_SMALL_FILES";
const BATCH: u64 = 500;

fn open(base: &Path) -> Store {
    let data = base.join("data");
    let key = WrappingKey::load_or_create(&base.with_extension("key"), &data).unwrap();
    Store::open(&data, &key, NOON).unwrap()
}

/// Appends until it fails; the first seq that was not acknowledged, and why.
fn fill(store: &Store, mut next: u64) -> (u64, StoreError) {
    loop {
        assert!(next < 1_000_000, "the disk must become full");
        let mut new = batch("VM001", 1, next..next + BATCH);
        for (n, entry) in new.entries.iter_mut().enumerate() {
            let noise: String = (0..20)
                .map(|i| format!("{:x}", (n * 31 + i) * 2_654_435))
                .collect();
            entry.message = format!("dump {noise}");
        }
        match store.append_wait(new) {
            Ok(receipt) => {
                assert_eq!(receipt.accepted + receipt.duplicates.len() as u64, BATCH);
                next += BATCH;
            }
            Err(error) => return (next, error),
        }
    }
}

/// Not a test by itself: runs where the disk is small.
#[test]
fn process_with_a_small_disk() {
    let Ok(base) = std::env::var(TMPFS_ROLE) else {
        return;
    };
    let base = Path::new(&base);
    let ballast = base.join("ballast");
    fs::write(&ballast, vec![1; 4 * 1024 * 1024]).unwrap();
    let store = open(base);
    add_machine(&store, "VM001");
    let (unsure, error) = fill(&store, 1);
    assert_eq!(error, StoreError::DiskFull);
    assert!(unsure > BATCH, "something was stored before");
    let found = seqs(&store, 1);
    assert_eq!(
        found[..unsure as usize - 1],
        (1..unsure).collect::<Vec<_>>(),
        "all acknowledged"
    );
    assert_eq!(
        fill(&store, unsure),
        (unsure, StoreError::DiskFull),
        "still full, still there"
    );

    fs::remove_file(&ballast).unwrap();
    let again = store
        .append_wait(batch("VM001", 1, unsure..unsure + BATCH))
        .unwrap();
    assert_eq!(
        again.accepted + again.duplicates.len() as u64,
        BATCH,
        "it goes on by itself"
    );
    let wanted: Vec<u64> = (1..unsure + BATCH).collect();
    assert_eq!(seqs(&store, 1), wanted);
    assert_eq!(store.total_entries().unwrap(), wanted.len() as u64);
    store.close();
    let store = open(base);
    assert_eq!(seqs(&store, 1), wanted, "and after opening again");
    println!("small disk survived");
}

/// Not a test by itself: runs where files may not grow.
#[test]
fn process_with_small_files() {
    let Ok(base) = std::env::var(LIMIT_ROLE) else {
        return;
    };
    let store = open(Path::new(&base));
    let (unsure, _) = fill(&store, 1);
    assert_eq!(
        seqs(&store, 1)[..unsure as usize - 1],
        (1..unsure).collect::<Vec<_>>()
    );
    println!("small files survived {unsure}");
}

#[test]
fn a_full_disk_loses_nothing_and_is_left_behind() {
    let place = Place::new();
    let mount = place.key_file().parent().unwrap().with_file_name("small");
    fs::create_dir_all(&mount).unwrap();
    let this = std::env::current_exe().unwrap();
    let mounted = |flags: &[&str]| {
        let script = format!(
            "mount -t tmpfs -o size=16m tmpfs '{0}' && touch '{0}/in'",
            mount.display()
        );
        Command::new("unshare")
            .args(flags)
            .args(["sh", "-c", &script])
            .output()
            .is_ok_and(|output| output.status.success())
    };
    let ways: [&[&str]; 2] = [&["-m"], &["-r", "-m"]];
    if let Some(flags) = ways.into_iter().find(|flags| mounted(flags)) {
        // A mount namespace of its own: the mount goes with the process.
        let script = format!(
            "mount -t tmpfs -o size=16m tmpfs '{}' && exec '{}' --nocapture --exact \
             process_with_a_small_disk",
            mount.display(),
            this.display()
        );
        let output = Command::new("unshare")
            .args(flags)
            .args(["sh", "-c", &script])
            .env(TMPFS_ROLE, &mount)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("small disk survived"),
            "{output:?}"
        );
        return;
    }
    // 4 MiB for every file; `ulimit -f` counts in 512 or 1,024 bytes, by shell.
    let store = open(&mount);
    add_machine(&store, "VM001");
    store.close();
    drop(store);
    let script = format!(
        "trap '' XFSZ; ulimit -f 8192; exec '{}' --exact process_with_small_files --nocapture",
        this.display()
    );
    let output = Command::new("sh")
        .args(["-c", &script])
        .env(LIMIT_ROLE, &mount)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let (_, unsure) = said
        .split_once("small files survived ")
        .expect("it says how far it came");
    let unsure: u64 = unsure.split_whitespace().next().unwrap().parse().unwrap();
    let store = open(&mount);
    let again = store
        .append_wait(batch("VM001", 1, unsure..unsure + BATCH))
        .unwrap();
    assert_eq!(again.accepted + again.duplicates.len() as u64, BATCH);
    assert_eq!(seqs(&store, 1), (1..unsure + BATCH).collect::<Vec<_>>());
}
