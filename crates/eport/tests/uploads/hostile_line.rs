//! reliability test 11: bytes are dropped, doubled, reordered, flipped and held up. No corrupt frame is
//! accepted; an upload ends whole or failed.

use std::collections::BTreeMap;

use eport::simulator::{Faults, Reader, Setup};
use eport::{Outcome, UploadLayout};

use crate::dialogue::{file, lead, ms, upload};

/// What became of uploads.
#[derive(Debug, Default)]
struct Tally {
    uploaded: u32,
    failed: BTreeMap<String, u32>,
    /// The reader has a file other than it was sent.
    wrong: u32,
    /// Told as uploaded, though the reader does not have it.
    imagined: u32,
    /// Told as failed, though the reader has it.
    doubted: u32,
}

fn tally(faults: &Faults, rounds: u64, size: usize) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..rounds {
        let setup = Setup {
            seed,
            faults: faults.clone(),
            ..Setup::default()
        };
        let mut reader = Reader::new(setup);
        let name = format!("VM001-1-{seed}.txt");
        let goal = upload(&name, &file(size));
        let layout = UploadLayout::default();
        let mut went = lead(&mut reader, (goal, &layout), ms(10), None);
        // What the reader was still busy with comes to its end.
        reader.run(went.over + ms(60_000));
        went.uploads
            .extend(std::iter::from_fn(|| reader.take_upload()));
        let is_right = |u: &eport::simulator::Uploaded| u.name == name && u.data == file(size);
        tally.wrong += u32::from(!went.uploads.iter().all(is_right));
        match went.outcome {
            Outcome::Uploaded => {
                tally.uploaded += 1;
                tally.imagined += u32::from(went.uploads.is_empty());
            }
            Outcome::Failed(why) => {
                *tally.failed.entry(why.to_string()).or_default() += 1;
                tally.doubted += u32::from(!went.uploads.is_empty());
            }
            other => panic!("an upload cannot end in {other:?}"),
        }
    }
    tally
}

#[test]
fn whatever_happens_to_single_bytes_no_wrong_file_is_accepted() {
    let rate = 0.002;
    let kinds = [
        ("dropped", [rate, 0.0, 0.0, 0.0, 0.0]),
        ("doubled", [0.0, rate, 0.0, 0.0, 0.0]),
        ("reordered", [0.0, 0.0, rate, 0.0, 0.0]),
        ("flipped", [0.0, 0.0, 0.0, rate, 0.0]),
        ("held up", [0.0, 0.0, 0.0, 0.0, 0.02]),
        ("all of it", [rate, rate, rate, rate, 0.02]),
        ("all of it, five times as often", [rate * 5.0; 5]),
    ];
    for (what, [lost, doubled, reordered, flipped, split]) in kinds {
        let faults = Faults {
            lost,
            doubled,
            reordered,
            flipped,
            split,
            ..Faults::default()
        };
        let tally = tally(&faults, 1_000, 400);
        println!("bytes {what}: {tally:?}");
        assert_eq!(tally.wrong, 0, "{what}");
        assert!(tally.imagined <= 2, "{what}: {tally:?}");
        if what == "held up" {
            assert_eq!(tally.uploaded, 1_000, "USB hands bytes over in pieces");
        }
    }
}

#[test]
fn on_a_good_line_the_word_of_the_reader_and_ours_agree() {
    let faults = Faults {
        cancel: 0.3,
        cell: 0.3,
        nak: 0.1,
        ..Faults::default()
    };
    let tally = tally(&faults, 1_000, 900);
    println!("cancelled, failing and refusing reader: {tally:?}");
    assert!(tally.uploaded > 300 && !tally.failed.is_empty());
    assert_eq!((tally.wrong, tally.imagined, tally.doubted), (0, 0, 0));
}
