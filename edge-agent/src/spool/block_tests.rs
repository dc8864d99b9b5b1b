//! The format on its own: anything in comes out the same, and nothing that is not a block passes.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const EPOCH: u64 = 77;

type Given = (i64, u8, Option<(u64, i64)>, String);

fn encode(entries: &[Given], origins: &[String], first_seq: u64) -> Vec<u8> {
    let mut draft = Draft::default();
    for (at, level, basis, json) in entries {
        let basis = basis.map(|(boot, base_us)| Basis { boot, base_us });
        let level = Level::from_u8(*level).unwrap();
        let write = |out: &mut Vec<u8>| {
            out.extend_from_slice(json.as_bytes());
            Ok(())
        };
        draft.push(Micros(*at), level, basis, write).unwrap();
    }
    let mut bytes = Vec::new();
    let place = (first_seq, first_seq, true);
    draft.encode(place, origins, EPOCH, &mut bytes).unwrap();
    bytes
}

fn entries_of(body: &Body) -> Vec<Given> {
    let mut next = 0;
    std::iter::from_fn(|| {
        let (entry, behind) = body.entry_at(next)?;
        next = behind;
        let basis = entry.basis.map(|basis| (basis.boot, basis.base_us));
        Some((
            entry.at.0,
            entry.level.as_u8(),
            basis,
            entry.json.to_owned(),
        ))
    })
    .collect()
}

fn sample() -> Vec<u8> {
    let entries = [
        (5, 1, None, r#"{"seq":7,"message":"sold"}"#.to_owned()),
        (
            6,
            3,
            Some((9, -4)),
            r#"{"seq":8,"message":"jammed"}"#.to_owned(),
        ),
    ];
    encode(&entries, &[r#"{"in":"/log"}"#.to_owned()], 7)
}

proptest! {
    #[test]
    fn any_entries_come_back(
        entries in vec((any::<i64>(), 0..5u8, any::<Option<(u64, i64)>>(), ".{0,80}"), 1..64),
        origins in vec(".{0,60}", 0..4),
        first_seq in 1..u64::MAX / 2,
    ) {
        let mut bytes = encode(&entries, &origins, first_seq);
        let len = bytes.len();
        bytes.extend_from_slice(b"more");
        let Parsed::Whole(head) = parse(&bytes, EPOCH) else { panic!("not whole") };
        prop_assert_eq!(head.block_len(), len);
        prop_assert_eq!(head.last_seq(), first_seq + entries.len() as u64 - 1);
        for level in Level::ALL {
            let is_there = entries.iter().any(|entry| entry.1 == level.as_u8());
            prop_assert_eq!(head.levels.contains(level), is_there);
        }
        let body = Body::unpack(&head, &bytes[HEAD_BYTES..len]).unwrap();
        prop_assert_eq!(entries_of(&body), entries);
        prop_assert_eq!(body.origins().collect::<Vec<_>>(), origins);
    }

    #[test]
    fn random_bytes_are_no_block_and_no_body(bytes in vec(any::<u8>(), 0..300), marked: bool) {
        let mut bytes = bytes;
        if marked && bytes.len() >= MARK.len() {
            bytes[..MARK.len()].copy_from_slice(&MARK);
        }
        prop_assert!(!matches!(parse(&bytes, EPOCH), Parsed::Whole(_)));
        let Parsed::Whole(head) = parse(&sample(), EPOCH) else { panic!("not whole") };
        for (packed, raw_len) in [(false, bytes.len()), (true, 200)] {
            let head = Head {
                packed,
                raw_len: raw_len as u32,
                entries_len: (raw_len as u32).min(head.entries_len),
                ..head
            };
            if let Some(body) = Body::unpack(&head, &bytes) {
                entries_of(&body);
                body.origins().count();
            }
        }
    }
}

#[test]
fn every_shorter_start_is_incomplete_and_no_flipped_bit_passes() {
    let bytes = sample();
    for len in 0..bytes.len() {
        let parsed = parse(&bytes[..len], EPOCH);
        assert!(
            matches!(parsed, Parsed::Short(_)),
            "{len} bytes: {parsed:?}"
        );
    }
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match parse(&damaged, EPOCH) {
            Parsed::Damaged(head) => assert!(
                bit / 8 >= HEAD_BYTES && (head.first_seq, head.count) == (7, 2),
                "bit {bit}"
            ),
            Parsed::Bad => assert!(bit / 8 < HEAD_BYTES, "bit {bit}"),
            other => panic!("bit {bit}: {other:?}"),
        }
    }
}

#[test]
fn a_block_of_another_spool_is_none_of_ours() {
    assert_eq!(parse(&sample(), EPOCH + 1), Parsed::Bad);
}
