//! The local file never skips and never repeats.

use std::path::Path;

use serde_json::{Map, Value};
use wire::{ClockState, Level, LogEntry, Micros};

use super::*;
use crate::input::{At, Origin};
use crate::spool::Spool;

struct Bench {
    dir: tempfile::TempDir,
    spool: Spool,
    max_bytes: u64,
}

impl Bench {
    fn new(max_bytes: u64) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::open(
            &dir.path().join("spool"),
            &dir.path().join("checkpoint"),
            crate::spool::Bounds::of_bytes(1 << 30),
            |_| 0,
            Micros(1_800_000_000_000_000),
        );
        Bench {
            spool: spool.unwrap(),
            dir,
            max_bytes,
        }
    }

    fn local(&self) -> LocalFile {
        let config = Local {
            path: self.dir.path().join("out/local.log"),
            max_bytes: self.max_bytes,
            files: 3,
        };
        let machine: MachineId = "VM001".parse().unwrap();
        let progress = Arc::new(Progress::new(u64::MAX));
        LocalFile::new(
            config,
            &machine,
            self.spool.epoch(),
            self.spool.reader(0),
            progress,
        )
    }

    fn add(&mut self, count: u64) {
        let origin = Origin {
            at: At::Live,
            assembly: Default::default(),
            pack: Default::default(),
        };
        for _ in 0..count {
            let mut entry = LogEntry {
                seq: None,
                timestamp: Micros(1_800_000_000_000_000),
                level: Level::Info,
                component: "app".to_owned(),
                message: "x".repeat(100),
                context: Map::new(),
                clock: ClockState::Synced,
            };
            self.spool.append(&mut entry, "in", &origin, None).unwrap();
        }
        self.spool.sync().unwrap();
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("out/local.log")
    }
}

fn seqs(path: &Path) -> Vec<u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let seq = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["seq"]
            .as_u64()
            .unwrap()
    };
    text.lines().map(seq).collect()
}

#[test]
fn each_line_is_one_object_with_the_machine_and_the_number() {
    let mut bench = Bench::new(1 << 20);
    bench.add(1);
    bench.local().step(Instant::now()).unwrap();
    let line: Value = serde_json::from_str(&fs::read_to_string(bench.path()).unwrap()).unwrap();
    assert_eq!(line["machine_id"], "VM001");
    assert_eq!(line["epoch"], bench.spool.epoch());
    assert_eq!((&line["seq"], &line["level"]), (&1.into(), &"INFO".into()));
}

#[test]
fn it_goes_on_behind_its_last_whole_line_whatever_was_torn() {
    let mut bench = Bench::new(1 << 20);
    bench.add(10);
    bench.local().step(Instant::now()).unwrap();
    let whole = fs::read(bench.path()).unwrap();
    for cut in (0..whole.len()).step_by(37) {
        fs::write(bench.path(), &whole[..cut]).unwrap();
        bench.local().step(Instant::now()).unwrap();
        assert_eq!(
            seqs(&bench.path()),
            (1..=10).collect::<Vec<_>>(),
            "cut at {cut}"
        );
    }
    fs::write(bench.path(), [&whole[..], &[0; 5000]].concat()).unwrap();
    bench.add(1);
    bench.local().step(Instant::now()).unwrap();
    assert_eq!(
        seqs(&bench.path()),
        (1..=11).collect::<Vec<_>>(),
        "a hole behind it"
    );
}

#[test]
fn it_is_rotated_by_size_and_keeps_so_many_files_in_total() {
    let mut bench = Bench::new(100_000);
    let mut local = bench.local();
    for _ in 0..20 {
        bench.add(100);
        local.step(Instant::now()).unwrap();
    }
    let numbered = |n| rotate::numbered(&bench.path(), n);
    assert!(bench.path().exists() && numbered(1).exists() && numbered(2).exists());
    assert!(!numbered(3).exists());
    let kept = [seqs(&numbered(2)), seqs(&numbered(1)), seqs(&bench.path())].concat();
    assert_eq!(
        kept,
        (kept[0]..=2000).collect::<Vec<_>>(),
        "no line is missing between files"
    );
    assert!(fs::metadata(numbered(1)).unwrap().len() <= 100_000);
    fs::write(bench.path(), b"").unwrap();
    let rotated_last = *seqs(&numbered(1)).last().unwrap();
    bench.local().step(Instant::now()).unwrap();
    assert_eq!(
        seqs(&bench.path()),
        (rotated_last + 1..=2000).collect::<Vec<_>>()
    );
}

#[test]
fn a_path_that_cannot_be_written_is_an_error_and_nothing_is_skipped_later() {
    let mut bench = Bench::new(1 << 20);
    bench.add(3);
    fs::write(
        bench.dir.path().join("out"),
        b"a file where the directory should be",
    )
    .unwrap();
    let mut local = bench.local();
    assert!(local.step(Instant::now()).is_err());
    fs::remove_file(bench.dir.path().join("out")).unwrap();
    local.step(Instant::now()).unwrap();
    assert_eq!(seqs(&bench.path()), [1, 2, 3]);
}

#[test]
fn a_file_that_somebody_removed_is_begun_anew_where_it_was() {
    let mut bench = Bench::new(1 << 20);
    bench.add(3);
    let mut local = bench.local();
    local.step(Instant::now()).unwrap();
    fs::remove_file(bench.path()).unwrap();
    bench.add(2);
    local.step(Instant::now()).unwrap();
    assert_eq!(seqs(&bench.path()), [4, 5]);
}
