//! What the reader offers without WiFi: the signal, a clock and its serial number.

use eport::simulator::{Faults, Reader, Setup};
use eport::{DateOrder, Failure, Goal, Outcome, UploadLayout};

use crate::dialogue::{lead, ms};

fn ask(setup: Setup, goal: Goal) -> Outcome {
    let layout = UploadLayout::default();
    lead(&mut Reader::new(setup), (goal, &layout), ms(10), None).outcome
}

#[test]
fn signal_clock_and_serial_number_are_answered() {
    let signal = ask(Setup::default(), Goal::Signal);
    assert_eq!(signal, Outcome::Signal { rssi: 18, ber: 0 });
    let Outcome::Clock(time) = ask(Setup::default(), Goal::Clock) else {
        panic!("a time");
    };
    let seconds = time.unix_seconds(DateOrder::Mdy).expect("a time");
    assert_eq!(seconds, Setup::default().unix_seconds_at_0);
    let identity = ask(Setup::default(), Goal::Identity);
    let Outcome::Identity { serial_number, .. } = identity else {
        panic!("{identity:?}");
    };
    assert_eq!(serial_number, "K3BTS000123");
}

#[test]
fn a_reader_without_a_network_has_no_time() {
    let setup = Setup {
        faults: Faults {
            cell: 1.0,
            ..Faults::default()
        },
        ..Setup::default()
    };
    let Outcome::Failed(Failure::Cell(fault)) = ask(setup, Goal::Clock) else {
        panic!("FAIL_TIME_REQUEST");
    };
    assert_eq!(fault.code(), 33);
}

#[test]
fn a_serial_number_is_believed_only_when_it_was_heard_again_and_again() {
    let faults = Faults {
        lost: 0.003,
        flipped: 0.003,
        ..Faults::default()
    };
    let (mut heard, mut wrong) = (0, 0);
    for seed in 0..2_000 {
        let setup = Setup {
            seed,
            faults: faults.clone(),
            ..Setup::default()
        };
        if let Outcome::Identity { serial_number, .. } = ask(setup, Goal::Identity) {
            heard += 1;
            wrong += u32::from(serial_number != "K3BTS000123");
        }
    }
    println!("a bad line: {heard} of 2,000 serial numbers heard, {wrong} of them wrong");
    assert!(heard > 500);
    assert_eq!(wrong, 0);
}
