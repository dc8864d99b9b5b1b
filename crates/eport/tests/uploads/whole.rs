//! Files arrive as they were sent, and only when the reader is idle.

use std::time::Duration;

use eport::layout::{ReadyField, RecordField};
use eport::simulator::{Faults, Reader, Rest, Setup};
use eport::{Failure, Goal, Outcome, UploadFile, UploadLayout};

use crate::dialogue::{Went, ask, file, lead, ms, upload};

fn send(setup: Setup, data: &[u8]) -> Went {
    let layout = setup.layout.clone();
    let goal = upload("VM001-1-7.txt", data);
    lead(&mut Reader::new(setup), (goal, &layout), ms(10), None)
}

#[test]
fn a_file_of_every_size_arrives_as_it_was_sent() {
    for size in 1..=900 {
        let went = send(Setup::default(), &file(size));
        assert_eq!(went.outcome, Outcome::Uploaded, "{size}");
        let [uploaded] = &went.uploads[..] else {
            panic!("one upload, not {:?}", went.uploads);
        };
        assert_eq!(uploaded.name, "VM001-1-7.txt");
        assert_eq!(uploaded.data, file(size), "{size}");
    }
}

#[test]
fn the_largest_file_takes_less_than_two_seconds_and_the_commands_are_those_of_the_protocol() {
    let went = send(Setup::default(), &file(900));
    let (polls, others): (Vec<u8>, Vec<u8>) = went.commands.iter().partition(|code| **code == 1);
    assert_eq!(others, [vec![24], vec![25; 10]].concat());
    println!("900 bytes: {:?} with {} STATUS", went.over, polls.len());
    assert!(went.over < ms(2_500), "{:?}", went.over);
}

#[test]
fn other_guesses_work_as_well() {
    let mut reversed = UploadLayout {
        record_bytes: 128,
        first_record: 0,
        file_type: "LOG".to_owned(),
        ..UploadLayout::default()
    };
    reversed.ready_fields.reverse();
    reversed.record_fields = vec![RecordField::Data, RecordField::Number];
    let polite = UploadLayout {
        polls_between_records: true,
        ..UploadLayout::default()
    };
    let plain = UploadLayout {
        has_crc: false,
        record_fields: vec![RecordField::Data],
        ..UploadLayout::default()
    };
    let nameless_type = UploadLayout {
        ready_fields: vec![
            ReadyField::Size,
            ReadyField::Name,
            ReadyField::RecordSize,
            ReadyField::RecordsTotal,
        ],
        ..UploadLayout::default()
    };
    for layout in [reversed, polite, plain, nameless_type] {
        assert_eq!(layout.check(), Ok(()));
        let setup = Setup {
            layout,
            ..Setup::default()
        };
        let went = send(setup.clone(), &file(700));
        assert_eq!(went.outcome, Outcome::Uploaded, "{:?}", setup.layout);
        assert_eq!(went.uploads[0].data, file(700));
    }
}

#[test]
fn an_idle_reader_that_says_ok_is_as_good_as_a_disabled_one() {
    let setup = Setup {
        rest: Rest::Ok,
        ..Setup::default()
    };
    assert_eq!(send(setup, &file(300)).outcome, Outcome::Uploaded);
}

/// Brings a reader into the status that a sale, or the start, has it in.
fn reader_in(status: u8) -> (Reader, Duration) {
    let boot = if status == 5 { ms(60_000) } else { ms(0) };
    let mut reader = Reader::new(Setup {
        boot,
        ..Setup::default()
    });
    reader.run(ms(1));
    let mut now = ms(1);
    if status != 5 {
        reader.receive(b"5\r", now);
        now += ms(100);
        assert_eq!(reader.run(now), b"\x06", "ENABLE is taken");
    }
    if matches!(status, 2 | 8 | 9) {
        assert!(reader.swipe(now));
    }
    if matches!(status, 2 | 9) {
        now += ms(4_000);
        reader.run(now);
    }
    if status == 9 {
        assert!(ask(&mut reader, now).starts_with(b"2\x1e2000\x1e"));
        now += ms(300);
    }
    (reader, now)
}

#[test]
fn nothing_begins_while_a_customer_may_be_there() {
    for status in [2, 5, 7, 8, 9] {
        let (mut reader, now) = reader_in(status);
        let goals = [upload("a.txt", b"text"), Goal::Signal, Goal::Clock];
        for goal in goals {
            if status == 2 && goal == Goal::Signal {
                break; // 2 is said once; what follows is a 9
            }
            let went = lead(&mut reader, (goal, &UploadLayout::default()), now, None);
            assert_eq!(went.outcome, Outcome::Failed(Failure::NotIdle(status)));
            let asked: Vec<u8> = went.commands.iter().rev().take(1).copied().collect();
            assert_eq!(asked, [1], "STATUS and nothing else");
            let is_the_applications = went.foreign.map(|frame| frame.code);
            assert_eq!(
                is_the_applications,
                (status == 2).then_some(2),
                "2 is said once"
            );
        }
    }
}

#[test]
fn a_cancelled_transfer_and_a_failed_modem_are_told_apart() {
    let faulty = |faults| Setup {
        faults,
        ..Setup::default()
    };
    let cancel = faulty(Faults {
        cancel: 1.0,
        ..Faults::default()
    });
    for seed in 0..20 {
        let setup = Setup {
            seed,
            ..cancel.clone()
        };
        let went = send(setup, &file(900));
        // A record sent into the cancelled transfer is out of sequence.
        let is_told = matches!(
            went.outcome,
            Outcome::Failed(Failure::Cancelled | Failure::OutOfSequence)
        );
        assert!(is_told && went.uploads.is_empty(), "{went:?}");
    }
    let went = send(
        faulty(Faults {
            cell: 1.0,
            ..Faults::default()
        }),
        &file(900),
    );
    let Outcome::Failed(Failure::Cell(fault)) = went.outcome else {
        panic!("{went:?}");
    };
    assert!((30..=32).contains(&fault.code()) && went.uploads.is_empty());
}

#[test]
fn a_refused_command_is_tried_three_times() {
    let setup = Setup {
        faults: Faults {
            nak: 1.0,
            ..Faults::default()
        },
        ..Setup::default()
    };
    let went = send(setup, &file(10));
    assert_eq!(went.outcome, Outcome::Failed(Failure::Refused(24)));
}

#[test]
fn a_silent_reader_is_given_up_within_seconds() {
    let setup = Setup {
        faults: Faults {
            lost: 1.0,
            ..Faults::default()
        },
        ..Setup::default()
    };
    let went = send(setup, &file(10));
    assert_eq!(went.outcome, Outcome::Failed(Failure::Silent));
    assert!(went.over < ms(3_000), "{:?}", went.over);
}

#[test]
fn what_the_reader_cannot_take_is_no_file() {
    for (name, data) in [
        ("", &b"text"[..]),
        ("a b", b"text"),
        ("../a", b"text"),
        ("a.txt", b""),
        ("a.txt", b"a\rb"),
        ("a.txt", b"a\x1eb"),
        ("a.txt", "ä".as_bytes()),
        ("a.txt", &[b'x'; 901]),
    ] {
        assert!(UploadFile::new(name, data).is_err(), "{name:?} {data:?}");
    }
}
