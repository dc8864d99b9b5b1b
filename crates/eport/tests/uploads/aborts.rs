//! A sale begins at every moment of an upload: the application gets the reader in time, and hears
//! nothing that is not for it.

use std::time::Duration;

use eport::simulator::{Faults, Reader, Setup};
use eport::{Failure, Outcome, UploadLayout};

use crate::dialogue::{ask, file, lead, ms, upload};

/// What the application may wait at most.
const AT_MOST: Duration = ms(300);

#[test]
fn at_every_millisecond_of_an_upload_a_sale_gets_the_reader_in_time() {
    for layout in [
        UploadLayout::default(),
        UploadLayout {
            polls_between_records: true,
            ..UploadLayout::default()
        },
    ] {
        let (slowest, counts) = every_moment(&layout, &Faults::default());
        println!(
            "{} moments of an upload, polls between records {}: the reader was free after {:?} at \
             most; {} uploads were ended, {} were over",
            counts.0 + counts.1,
            layout.polls_between_records,
            slowest,
            counts.0,
            counts.1
        );
        assert!(counts.0 > 1_000 && slowest < AT_MOST, "{slowest:?}");
    }
}

#[test]
fn also_when_the_reader_does_not_answer_any_more() {
    // Every command is refused, or half of all bytes is lost.
    for (nak, lost) in [(0.5, 0.0), (0.0, 0.5), (0.0, 0.02)] {
        let faults = Faults {
            nak,
            lost,
            ..Faults::default()
        };
        for seed in 0..300 {
            let setup = Setup {
                seed,
                faults: faults.clone(),
                ..Setup::default()
            };
            let layout = setup.layout.clone();
            let at = ms(20 + seed * 7);
            let goal = upload("a.txt", &file(900));
            let went = lead(&mut Reader::new(setup), (goal, &layout), ms(10), Some(at));
            assert!(
                went.over <= at + AT_MOST,
                "{seed}: {at:?} to {:?}",
                went.over
            );
        }
    }
}

/// Interrupts an upload at each millisecond; the slowest release, and how many ended and were over.
fn every_moment(layout: &UploadLayout, faults: &Faults) -> (Duration, (u32, u32)) {
    let (mut slowest, mut ended, mut over) = (Duration::ZERO, 0, 0);
    for at in 10.. {
        let setup = Setup {
            layout: layout.clone(),
            faults: faults.clone(),
            ..Setup::default()
        };
        let mut reader = Reader::new(setup);
        reader.run(ms(1));
        let goal = upload("a.txt", &file(900));
        let went = lead(&mut reader, (goal, layout), ms(10), Some(ms(at)));
        if went.outcome == Outcome::Uploaded {
            over += 1;
            assert_eq!(went.uploads.len(), 1);
            if went.over < ms(at) {
                return (slowest, (ended, over));
            }
            continue;
        }
        assert_eq!(went.outcome, Outcome::Failed(Failure::Interrupted), "{at}");
        ended += 1;
        slowest = slowest.max(went.over.saturating_sub(ms(at)));
        // The line is quiet, and the first answer that the application hears is the reader's state.
        assert_eq!(reader.run(went.over), b"", "{at}");
        assert_eq!(ask(&mut reader, went.over), b"6\r", "{at}");
        let begin = eport::Command::AuthRequest { amount_cents: 2000 };
        let begin = begin.to_frame().encode(eport::Dialect::commands(true));
        reader.receive(&begin, went.over + ms(300));
        assert_eq!(
            reader.run(went.over + ms(600)),
            b"\x06",
            "{at}: the sale begins"
        );
        assert_eq!(reader.status(), 7, "{at}");
        let whole = went.uploads.iter().all(|upload| upload.data == file(900));
        assert!(whole, "{at}: half a file is no file");
    }
    unreachable!("an upload ends")
}
