//! One drop at a time, the same bytes until it was sent, and nobody left waiting.

use super::*;

fn offer(id: u64) -> Offer {
    Offer {
        id,
        name: format!("VM001-1-{id}.txt"),
        data: format!("drop {id}"),
        is_urgent: false,
    }
}

#[test]
fn a_drop_is_given_once_and_again_the_same_after_a_failure_or_a_long_silence() {
    let outbox = Outbox::new();
    assert_eq!(outbox.next(0), None);
    outbox.put(offer(1), false);
    assert_eq!(outbox.peek(0), Some(false));
    assert_eq!(outbox.next(0), Some(offer(1)));
    assert_eq!(outbox.next(SILENT_US - 1), None, "somebody has it");
    assert_eq!(outbox.next(SILENT_US), Some(offer(1)), "nobody spoke of it");
    assert!(outbox.failed(1, "FAIL_NETWORK", ReaderFacts::default(), 0));
    assert_eq!(
        outbox.next(RETRY_US[0]),
        None,
        "the shipper has not heard it"
    );
    let said = outbox.hear().unwrap();
    assert_eq!(said.report, Some(Report::Failed(1, "FAIL_NETWORK".into())));
    assert_eq!(outbox.next(RETRY_US[0] - 1), None);
    assert_eq!(outbox.next(RETRY_US[0]), Some(offer(1)));
    assert!(!outbox.take_back(), "it may have arrived");
    assert!(outbox.sent(1, ReaderFacts::default()));
    assert!(!outbox.sent(1, ReaderFacts::default()), "told twice");
    assert_eq!(outbox.hear().unwrap().report, Some(Report::Sent(1)));
    assert_eq!(outbox.next(i64::MAX), None);
}

#[test]
fn a_drop_that_nobody_has_may_be_taken_back_and_one_given_back_as_well() {
    let outbox = Outbox::new();
    outbox.put(offer(1), false);
    assert!(outbox.take_back());
    assert_eq!(outbox.next(0), None);
    outbox.put(offer(1), false);
    outbox.next(0);
    assert!(outbox.given_back(1, "a sale", ReaderFacts::default(), 0));
    outbox.hear();
    assert!(outbox.take_back());
    outbox.put(offer(1), true);
    assert!(!outbox.take_back(), "it may have left before the restart");
}

#[test]
fn a_drop_that_an_earlier_attempt_may_have_brought_is_never_made_anew() {
    let outbox = Outbox::new();
    outbox.put(offer(1), false);
    outbox.next(0);
    outbox.failed(1, "unconfirmed", ReaderFacts::default(), 0);
    outbox.hear();
    assert!(outbox.next(RETRY_US[0]).is_some());
    outbox.given_back(1, "the port is held", ReaderFacts::default(), 0);
    outbox.hear();
    assert!(!outbox.take_back());
}

#[test]
fn who_waits_while_a_failure_is_heard_of_is_woken_to_try_again() {
    let outbox = Outbox::new();
    outbox.put(offer(1), false);
    outbox.next(0);
    outbox.given_back(1, "the port is held", ReaderFacts::default(), 0);
    let began = std::time::Instant::now();
    std::thread::scope(|threads| {
        threads.spawn(|| outbox.wait(Duration::from_secs(60)));
        std::thread::sleep(Duration::from_millis(50));
        outbox.hear();
    });
    assert!(began.elapsed() < Duration::from_secs(30));
    assert_eq!(outbox.next(RETRY_US[0]), Some(offer(1)));
}

#[test]
fn a_card_number_in_a_reason_is_not_kept_nor_a_part_of_one() {
    let outbox = Outbox::new();
    outbox.put(offer(1), false);
    outbox.next(0);
    let facts = ReaderFacts {
        state: Some("swiped 4111111111111111".to_owned()),
        error: Some(format!("{} 4111111111111111", "e".repeat(190))),
        ..ReaderFacts::default()
    };
    outbox.failed(1, "card 4111 1111 1111 1111 refused", facts, 0);
    let said = format!("{:?}", outbox.hear().unwrap());
    assert!(
        said.contains("refused") && said.contains("swiped"),
        "{said}"
    );
    assert!(
        !said.contains("41111") && !said.contains("1111 1111"),
        "{said}"
    );
}

#[test]
fn failures_are_tried_less_and_less_often_and_a_grave_drop_sooner() {
    let outbox = Outbox::new();
    outbox.put(offer(1), false);
    for wait in [10, 30, 60, 300, 600, 600] {
        outbox.next(0);
        outbox.failed(1, "no", ReaderFacts::default(), 0);
        outbox.hear();
        assert_eq!(outbox.peek(wait * SECOND_US - 1), None);
        assert_eq!(outbox.peek(wait * SECOND_US), Some(false));
        outbox.lock().not_before_us = 0;
    }
    outbox.next(0);
    outbox.failed(1, "no", ReaderFacts::default(), 0);
    outbox.hear();
    outbox.hurry(0);
    assert_eq!(outbox.peek(URGENT_RETRY_US), Some(true));
}

#[test]
fn what_the_reader_says_adds_up() {
    let outbox = Outbox::new();
    let facts = |rssi: Option<i32>, serial: Option<&str>, error: Option<&str>| ReaderFacts {
        signal_rssi: rssi,
        serial: serial.map(str::to_owned),
        error: error.map(str::to_owned),
        ..ReaderFacts::default()
    };
    outbox.tell(facts(Some(17), None, Some("the port is gone")));
    outbox.tell(facts(None, Some("VK1"), Some("")));
    let said = outbox.hear().unwrap();
    assert_eq!(said.facts, facts(Some(17), Some("VK1"), Some("")));
    assert_eq!(outbox.hear(), None);
}
