//! What a spool must survive.

use serde_json::Map;
use wire::{ClockState, Level};

use super::segment::SegmentScan;
use super::*;
use crate::assemble::AssemblyState;
use crate::input::{At, Place};
use crate::pack::PackState;

mod damage;

const NOW: Micros = Micros(1_800_000_000_000_000);
const INPUT: &str = "/log";

fn entry(text: &str) -> LogEntry {
    LogEntry {
        seq: None,
        timestamp: NOW,
        level: Level::Info,
        component: "app".to_owned(),
        message: text.to_owned(),
        context: Map::new(),
        clock: ClockState::Synced,
    }
}

fn origin(offset: u64) -> Origin {
    let place = Place {
        dev: 1,
        ino: 2,
        offset,
        head_len: 0,
        head: 0,
        tail: 0,
        mtime_ns: 0,
        born_ns: None,
    };
    Origin {
        at: At::File(place),
        assembly: AssemblyState::default(),
        pack: PackState::default(),
    }
}

fn open(dir: &Path) -> Spool {
    Spool::open(
        &dir.join("spool"),
        &dir.join("checkpoint"),
        Bounds::of_bytes(1 << 30),
        |_| 0,
        NOW,
    )
    .unwrap()
}

fn offset_of(spool: &Spool) -> u64 {
    let at = &spool.origin(INPUT).unwrap().at;
    at.place().unwrap().offset
}

fn append(spool: &mut Spool, text: &str, offset: u64) -> u64 {
    spool
        .append(&mut entry(text), INPUT, &origin(offset), None)
        .unwrap()
}

fn read_seqs(reader: &mut SpoolReader) -> Vec<u64> {
    std::iter::from_fn(|| reader.next_entry().unwrap().map(|stored| stored.seq)).collect()
}

/// Text that zstd makes little smaller: with it, a spool grows as fast as it is written to.
fn noise(len: usize) -> String {
    let mut state = 12_345u64;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'0' + (state >> 58) as u8)
    });
    letters.take(len).collect::<String>().replace('\\', "/")
}

/// In memory, where there is such a place: thousands of syncs of the real disk would take minutes.
fn dir_in_memory() -> tempfile::TempDir {
    let shared_memory = Path::new("/dev/shm");
    match shared_memory.is_dir() {
        true => tempfile::tempdir_in(shared_memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

/// A spool with one group after the other, of so many entries each; the bytes of its segment.
fn spool_of(dir: &Path, groups: &[u64]) -> Vec<u8> {
    let mut spool = open(dir);
    for count in groups {
        for _ in 0..*count {
            let seq = spool.last_seq() + 1;
            append(&mut spool, &format!("entry {seq}"), seq * 10);
        }
        spool.sync().unwrap();
    }
    drop(spool);
    fs::read(only_segment(dir)).unwrap()
}

fn only_segment(dir: &Path) -> PathBuf {
    let dir = dir.join("spool");
    SegmentName::list(&dir).unwrap()[0].path(&dir)
}

/// Where each block of a segment begins, and where the last one ends.
fn bounds(dir: &Path) -> Vec<usize> {
    let spool_dir = dir.join("spool");
    let name = SegmentName::list(&spool_dir).unwrap()[0];
    let mut scan = SegmentScan::open(&name.path(&spool_dir), name.epoch).unwrap();
    let mut bounds = vec![HEADER_BYTES];
    while scan.next(u64::MAX).unwrap().is_some() {
        bounds.push(scan.sound_end() as usize);
    }
    bounds
}

#[test]
fn nothing_is_offered_before_it_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let mut reader = spool.reader(0);
    append(&mut spool, "one", 10);
    assert!(spool.is_unsynced());
    assert_eq!(reader.next_entry().unwrap(), None);
    spool.sync().unwrap();
    let stored = reader.next_entry().unwrap().unwrap();
    assert_eq!((stored.seq, stored.level), (1, Level::Info));
    assert!(stored.json.starts_with(r#"{"seq":1,"#) && stored.json.contains("one"));
}

#[test]
fn numbers_and_positions_go_on_after_a_restart_and_a_new_spool_has_a_new_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let epoch = spool.epoch();
    assert!(epoch < 1 << 53 && epoch > 1 << 40);
    append(&mut spool, "one", 10);
    append(&mut spool, "two", 20);
    spool.sync().unwrap();
    append(&mut spool, "never synced", 25);
    drop(spool);
    let mut spool = open(dir.path());
    assert_eq!((spool.epoch(), spool.last_seq()), (epoch, 2));
    assert_eq!(offset_of(&spool), 20);
    assert_eq!(append(&mut spool, "three", 30), 3);
    assert_ne!(open(tempfile::tempdir().unwrap().path()).epoch(), epoch);
}

#[test]
fn a_position_inside_a_run_of_the_pack_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    append(&mut spool, "one", 10);
    let mut origin = origin(20);
    let soap = crate::pack::named("soap").unwrap().unwrap();
    soap.classify(
        &mut entry("[STATUS-?] Unknown status: b'' (hex=N/A)"),
        &mut origin.pack,
    );
    assert!(!origin.pack.is_empty(), "a silence has begun");
    spool
        .append(&mut entry("two"), INPUT, &origin, None)
        .unwrap();
    spool.sync().unwrap();
    drop(spool);
    assert_eq!(open(dir.path()).origin(INPUT), Some(&origin));
}

#[test]
fn a_reader_goes_through_segments_and_can_begin_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let mut reader = spool.reader(0);
    let text = noise(50_000);
    for seq in 1..=100 {
        append(&mut spool, &text, seq * 10);
    }
    spool.sync().unwrap();
    assert!(SegmentName::list(&dir.path().join("spool")).unwrap().len() > 3);
    assert_eq!(read_seqs(&mut reader), (1..=100).collect::<Vec<_>>());
    for after in [0, 1, 20, 21, 55, 99] {
        assert_eq!(
            spool.reader(after).next_entry().unwrap().unwrap().seq,
            after + 1
        );
    }
    assert_eq!(spool.reader(100).next_entry().unwrap(), None);
}

#[test]
fn delivered_segments_go_and_their_positions_stay() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let text = noise(50_000);
    for seq in 1..=100 {
        append(&mut spool, &text, seq * 10);
    }
    spool.sync().unwrap();
    let before = spool.bytes();
    spool.trim(50).unwrap();
    assert!(spool.bytes() < before);
    let mut reader = spool.reader(0);
    let first = reader.next_entry().unwrap().unwrap().seq;
    assert!(first > 1 && first <= 51, "51 was not delivered: {first}");
    let epoch = spool.epoch();
    spool.trim(100).unwrap();
    drop(spool);
    let spool = open(dir.path());
    assert_eq!((spool.epoch(), spool.last_seq()), (epoch, 100));
    assert_eq!(offset_of(&spool), 1000);
}

#[test]
fn a_full_spool_says_so_until_something_is_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let (spool_dir, checkpoint) = (dir.path().join("spool"), dir.path().join("checkpoint"));
    let mut spool = Spool::open(
        &spool_dir,
        &checkpoint,
        Bounds::of_bytes(2_500_000),
        |_| 0,
        NOW,
    )
    .unwrap();
    let text = noise(50_000);
    let mut seq = 0;
    while !spool.is_full() {
        seq = append(&mut spool, &text, 1);
        spool.sync().unwrap();
    }
    spool.trim(seq).unwrap();
    assert!(!spool.is_full());
}

/// Every byte of the spool's only segment damaged in three ways, and the end cut off anywhere: it
/// always opens, what is whole is read, what is missing is counted, and numbers go on rising.
#[test]
fn a_reader_of_some_levels_passes_over_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let basis = Basis {
        boot: 7,
        base_us: -5,
    };
    for seq in 1..=300u64 {
        let mut entry = entry("text");
        let grave = seq % 100 == 50;
        entry.level = if grave { Level::Error } else { Level::Info };
        let basis = grave.then_some(basis);
        spool
            .append(&mut entry, INPUT, &origin(seq), basis)
            .unwrap();
        if seq % 10 == 0 {
            spool.sync().unwrap();
        }
    }
    let mut reader = spool.reader(0);
    let errors = Levels::from_iter([Level::Error, Level::Critical]);
    let seen = std::iter::from_fn(|| reader.next_of(errors).unwrap());
    let seen: Vec<_> = seen.map(|stored| (stored.seq, stored.basis)).collect();
    assert_eq!(seen, [50, 150, 250].map(|seq| (seq, Some(basis))));
    assert_eq!(reader.position(), 300);
    assert_eq!(spool.shared().damaged_entries(), 0);
}

#[test]
fn a_number_that_a_server_has_is_never_given_out_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    append(&mut spool, "one", 10);
    append(&mut spool, "two", 20);
    spool.sync().unwrap();
    drop(spool);
    let spool_dir = dir.path().join("spool");
    let path = SegmentName::list(&spool_dir).unwrap()[0].path(&spool_dir);
    let len = fs::metadata(&path).unwrap().len();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(len - 3)
        .unwrap();
    let mut spool = Spool::open(
        &spool_dir,
        &dir.path().join("checkpoint"),
        Bounds::of_bytes(1 << 30),
        |_| 2,
        NOW,
    )
    .unwrap();
    assert_eq!(append(&mut spool, "two again", 20), 3);
}
