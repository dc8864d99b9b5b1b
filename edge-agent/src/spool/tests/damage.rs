//! What is damaged on disk, and what is kept all the same.

use super::*;

#[test]
fn whatever_is_damaged_only_its_block_is_missing_and_counted() {
    let dir = dir_in_memory();
    let whole = spool_of(dir.path(), &[2, 3, 1]);
    let (path, bounds) = (only_segment(dir.path()), bounds(dir.path()));
    assert_eq!(bounds.len(), 4);
    let blocks: [&[u64]; 3] = [&[1, 2], &[3, 4, 5], &[6]];
    let checkpoint = fs::read(dir.path().join("checkpoint")).unwrap();
    let survivors_of = |bytes: &[u8], what: &str| {
        fs::write(&path, bytes).unwrap();
        fs::write(dir.path().join("checkpoint"), &checkpoint).unwrap();
        let mut spool = open(dir.path());
        let new = append(&mut spool, "after", 99);
        spool.sync().unwrap();
        let mut seqs = read_seqs(&mut spool.reader(0));
        assert_eq!(seqs.pop(), Some(new), "{what}");
        let counted = spool.shared().damaged_entries();
        assert_eq!(
            counted,
            new - 1 - seqs.len() as u64,
            "{what}: the missing are counted"
        );
        assert_eq!(
            spool.take_damage().iter().map(|r| r.count()).sum::<u64>(),
            counted
        );
        assert!(spool.take_damage().is_empty(), "given out once");
        seqs
    };
    let mut cases = 0;
    for at in 0..whole.len() {
        let hit = bounds.windows(2).position(|b| (b[0]..b[1]).contains(&at));
        let left = blocks
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != hit);
        let left: Vec<u64> = left.flat_map(|(_, seqs)| seqs.iter().copied()).collect();
        for damage in [|b: u8| b ^ 0x41, |b: u8| !b, |_: u8| 0] {
            let mut bytes = whole.clone();
            bytes[at] = damage(bytes[at]);
            if bytes[at] != whole[at] {
                cases += 1;
                assert_eq!(survivors_of(&bytes, "byte"), left, "byte {at} damaged");
            }
        }
        let kept = bounds[1..].iter().filter(|end| **end <= at).count();
        assert_eq!(
            survivors_of(&whole[..at], "cut"),
            blocks[..kept].concat(),
            "cut at {at}"
        );
        cases += 1;
    }
    assert_eq!(survivors_of(&[0; 3000], "zeros"), [0; 0], "all zeros");
    println!("{cases} damaged segments: each opened, only the damaged blocks missing and counted");
}

/// One sync writes several blocks, and a power cut keeps any of them: those behind a hole go too,
/// for their origins would say that the hole was read.
#[test]
fn a_torn_group_keeps_what_is_before_the_hole() {
    let dir = tempfile::tempdir().unwrap();
    let whole = spool_of(dir.path(), &[1, 200]);
    let bounds = bounds(dir.path());
    assert_eq!(bounds.len(), 6, "one block, then four of one group");
    let mut torn = whole.clone();
    torn[bounds[2]..bounds[3]].fill(0);
    fs::write(only_segment(dir.path()), &torn).unwrap();
    let mut spool = open(dir.path());
    assert_eq!(spool.last_seq(), 65);
    assert_eq!(offset_of(&spool), 650);
    assert_eq!(
        spool.shared().damaged_entries(),
        0,
        "nobody was told of them"
    );
    assert_eq!(append(&mut spool, "again", 660), 66);
    spool.sync().unwrap();
    assert_eq!(
        read_seqs(&mut spool.reader(0)),
        (1..=66).collect::<Vec<_>>()
    );

    // Once the checkpoint knows that the group was synced, the hole is damage.
    fs::write(only_segment(dir.path()), &whole).unwrap();
    open(dir.path()).save_checkpoint().unwrap();
    fs::write(only_segment(dir.path()), &torn).unwrap();
    let mut spool = open(dir.path());
    assert_eq!(spool.take_damage(), [SeqRange { from: 66, to: 129 }]);
    assert_eq!(read_seqs(&mut spool.reader(60)).len(), 5 + 201 - 129);
}

#[test]
fn damage_that_the_start_does_not_read_is_found_by_the_reader() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let text = noise(50_000);
    for seq in 1..=100 {
        append(&mut spool, &text, seq * 10);
        spool.sync().unwrap();
    }
    spool.save_checkpoint().unwrap();
    drop(spool);
    let mut bytes = fs::read(only_segment(dir.path())).unwrap();
    let bounds = bounds(dir.path());
    bytes[bounds[3] + 100] ^= 1;
    bytes[bounds[7]] ^= 1;
    let last = bounds.len() as u64 - 1;
    bytes.truncate(bounds[bounds.len() - 1] - 1);
    fs::write(only_segment(dir.path()), &bytes).unwrap();
    let mut spool = open(dir.path());
    assert!(spool.take_damage().is_empty());
    let lost = [4, 8, last];
    let left: Vec<u64> = (1..=100).filter(|seq| !lost.contains(seq)).collect();
    assert_eq!(read_seqs(&mut spool.reader(0)), left);
    let damage = spool.take_damage();
    let expected = lost.map(|seq| SeqRange { from: seq, to: seq });
    assert_eq!(damage, expected);
    spool.save_checkpoint().unwrap();
    drop(spool);
    let mut spool = open(dir.path());
    read_seqs(&mut spool.reader(0));
    assert!(spool.take_damage().is_empty(), "somebody was told before");
}

#[test]
fn a_segment_of_another_version_is_set_aside_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    spool_of(dir.path(), &[2]);
    let epoch = open(dir.path()).epoch();
    let path = only_segment(dir.path());
    for other in [
        b"VLSPOOL1 with frames of its own, many of them".as_slice(),
        b"VLSPOOL3.....................",
    ] {
        fs::write(&path, other).unwrap();
        let mut spool = open(dir.path());
        assert_eq!(spool.shared().set_aside(), 1);
        assert_ne!(
            spool.epoch(),
            epoch,
            "which numbers were given out is not known"
        );
        assert_eq!(append(&mut spool, "one", 1), 1);
        spool.sync().unwrap();
        assert_eq!(read_seqs(&mut spool.reader(0)), [1]);
        let kept = durable::sibling(&path, "other-version");
        assert_eq!(fs::read(kept).unwrap(), other);
        drop(spool);
        fs::remove_file(only_segment(dir.path())).unwrap();
    }
}

#[test]
fn every_byte_of_the_checkpoint_may_be_damaged() {
    let dir = dir_in_memory();
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
        assert_eq!(offset_of(&spool), 10, "byte {at}");
    }
}

#[test]
fn a_segment_that_cannot_be_begun_hides_nothing_from_the_readers() {
    let dir = tempfile::tempdir().unwrap();
    let mut spool = open(dir.path());
    let long = noise(60 * 1024);
    let mut offset = 0;
    while spool.bytes() < SEGMENT_BYTES {
        offset += 1;
        append(&mut spool, &long, offset);
        spool.sync().unwrap();
    }
    let next = SegmentName {
        epoch: spool.epoch(),
        first_seq: offset + 1,
    };
    let in_the_way = next.path(&dir.path().join("spool"));
    fs::create_dir(&in_the_way).unwrap();
    append(&mut spool, "one more", offset + 1);
    assert!(spool.sync().is_err());
    let seqs: Vec<u64> = (1..=offset).collect();
    assert_eq!(read_seqs(&mut spool.reader(0)), seqs, "from the beginning");
    fs::remove_dir(&in_the_way).unwrap();
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
