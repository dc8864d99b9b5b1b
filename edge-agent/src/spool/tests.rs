//! What a spool must survive.

use serde_json::Map;
use wire::{ClockState, Level};

use super::*;
use crate::assemble::AssemblyState;
use crate::input::{At, Place};
use crate::pack::PackState;

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
        1 << 30,
        |_| 0,
        NOW,
    )
    .unwrap()
}

fn append(spool: &mut Spool, text: &str, offset: u64) -> u64 {
    spool
        .append(&mut entry(text), INPUT, &origin(offset))
        .unwrap()
}

fn read_seqs(reader: &mut SpoolReader) -> Vec<u64> {
    std::iter::from_fn(|| reader.next_entry().unwrap().map(|stored| stored.seq)).collect()
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
    drop(spool);
    let mut spool = open(dir.path());
    assert_eq!((spool.epoch(), spool.last_seq()), (epoch, 2));
    assert_eq!(spool.origin(INPUT).unwrap().at.place().unwrap().offset, 20);
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
    spool.append(&mut entry("two"), INPUT, &origin).unwrap();
    drop(spool);
    assert_eq!(open(dir.path()).origin(INPUT), Some(&origin));
}

#[test]
fn a_reader_goes_through_segments_and_can_begin_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let mut reader = spool.reader(0);
    let text = "x".repeat(50_000);
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
    let text = "x".repeat(50_000);
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
    for name in SegmentName::list(&dir.path().join("spool")).unwrap() {
        fs::remove_file(name.path(&dir.path().join("spool"))).unwrap();
    }
    let spool = open(dir.path());
    assert_eq!((spool.epoch(), spool.last_seq()), (epoch, 100));
    assert_eq!(
        spool.origin(INPUT).unwrap().at.place().unwrap().offset,
        1000
    );
}

#[test]
fn a_full_spool_says_so_until_something_is_delivered() {
    let dir = tempfile::tempdir().unwrap();
    let (spool_dir, checkpoint) = (dir.path().join("spool"), dir.path().join("checkpoint"));
    let mut spool = Spool::open(&spool_dir, &checkpoint, 2_500_000, |_| 0, NOW).unwrap();
    let text = "x".repeat(50_000);
    let mut seq = 0;
    while !spool.is_full() {
        seq = append(&mut spool, &text, 1);
    }
    spool.trim(seq).unwrap();
    assert!(!spool.is_full());
}

/// A byte of the spool damaged in every place of its middle record, and the end cut off: it always
/// opens, what is whole is read, numbers go on rising, and a later record is readable. (That no
/// flipped byte anywhere costs more than its own record is tested on the segment itself.)
#[test]
fn whatever_is_damaged_the_spool_opens_and_only_damaged_records_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    for seq in 1..=3 {
        append(&mut spool, &format!("entry {seq}"), seq * 10);
    }
    spool.sync().unwrap();
    drop(spool);
    let spool_dir = dir.path().join("spool");
    let path = SegmentName::list(&spool_dir).unwrap()[0].path(&spool_dir);
    let whole = fs::read(&path).unwrap();
    let record = (whole.len() - HEADER.len()) / 3;
    let survivors_of = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let mut spool = open(dir.path());
        let new = append(&mut spool, "after", 99);
        spool.sync().unwrap();
        let mut seqs = read_seqs(&mut spool.reader(0));
        assert_eq!(seqs.pop(), Some(new));
        assert!(seqs.iter().all(|seq| *seq < new), "numbers rise");
        seqs
    };
    for at in HEADER.len() + record..HEADER.len() + 2 * record {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        assert_eq!(survivors_of(&bytes), [1, 3], "byte {at} flipped");
    }
    for cut in (0..whole.len()).step_by(13) {
        let left = (cut.saturating_sub(HEADER.len()) / record) as u64;
        assert_eq!(
            survivors_of(&whole[..cut]),
            (1..=left).collect::<Vec<_>>(),
            "cut at {cut}"
        );
    }
    assert_eq!(survivors_of(&[0; 3000]), [0; 0], "all zeros");
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
        1 << 30,
        |_| 2,
        NOW,
    )
    .unwrap();
    assert_eq!(append(&mut spool, "two again", 20), 3);
}

#[test]
fn every_byte_of_the_checkpoint_may_be_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    append(&mut spool, "one", 10);
    spool.sync().unwrap();
    spool.save_checkpoint().unwrap();
    let epoch = spool.epoch();
    drop(spool);
    let path = dir.path().join("checkpoint");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x11;
        fs::write(&path, &bytes).unwrap();
        let spool = open(dir.path());
        assert_eq!((spool.epoch(), spool.last_seq()), (epoch, 1), "byte {at}");
        assert_eq!(
            spool.origin(INPUT).unwrap().at.place().unwrap().offset,
            10,
            "byte {at}"
        );
    }
}

#[test]
fn a_segment_that_cannot_be_begun_hides_nothing_from_the_readers() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let long = "x".repeat(60 * 1024);
    let mut offset = 0;
    while spool.bytes() < SEGMENT_BYTES {
        offset += 1;
        append(&mut spool, &long, offset);
    }
    let next = SegmentName {
        epoch: spool.epoch(),
        first_seq: offset + 1,
    };
    let in_the_way = next.path(&dir.path().join("spool"));
    fs::create_dir(&in_the_way).unwrap();
    let failed = spool.append(&mut entry("one more"), INPUT, &origin(offset + 1));
    assert!(failed.is_err());
    spool.sync().unwrap();
    let seqs: Vec<u64> = (1..=offset).collect();
    assert_eq!(read_seqs(&mut spool.reader(0)), seqs, "from the beginning");
    fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(append(&mut spool, "one more", offset + 1), offset + 1);
    spool.sync().unwrap();
    assert_eq!(read_seqs(&mut spool.reader(offset)), [offset + 1]);
    // A full disk leaves an empty file behind.
    let empty = SegmentName {
        first_seq: offset + 2,
        ..next
    };
    drop(spool);
    fs::write(empty.path(&dir.path().join("spool")), b"").unwrap();
    let mut spool = open(dir.path());
    assert!(!empty.path(&dir.path().join("spool")).exists());
    assert_eq!(append(&mut spool, "and another", offset + 2), offset + 2);
}
