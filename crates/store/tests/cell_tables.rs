//! What waits in quarantine, dictionaries, sources and what was taken from them.

mod support;

use store::{
    DictionaryInfo, DictionaryOrigin, NewQuarantined, QUARANTINE_ITEM_MAX_BYTES,
    QUARANTINE_MAX_BYTES, QUARANTINE_MAX_ITEMS, QUARANTINE_RESTORABLE_US, SourceStatus, StoreError,
};
use support::{NOON, Place};
use wire::drops::DictionaryId;

fn item(n: u64) -> NewQuarantined {
    let mut sha256 = [0; 32];
    sha256[..8].copy_from_slice(&n.to_le_bytes());
    NewQuarantined {
        source: "s1".to_owned(),
        name: format!("VM001-7-{n}.txt"),
        arrived_at: NOON,
        bytes: b"what nobody can read ".repeat(100),
        size_bytes: 2_100,
        sha256,
        code: "unknown_dictionary".to_owned(),
        reason: "the drop needs the dictionary 0000002a, which is not here yet".to_owned(),
        machine: Some("VM404".to_owned()),
        dictionary: Some(DictionaryId(42)),
    }
}

#[test]
fn what_cannot_be_read_waits_until_it_is_read_or_discarded() {
    let place = Place::new();
    let store = place.with_machines(&[]);
    let cell = store.cell();
    let first = cell.quarantine(item(1)).unwrap();
    let second = cell
        .quarantine(NewQuarantined {
            dictionary: None,
            ..item(2)
        })
        .unwrap();
    assert_eq!(
        cell.quarantine(item(1)).unwrap(),
        first,
        "the same again is the same item"
    );
    let listed = cell.quarantined(false, 10).unwrap();
    assert_eq!(
        listed.iter().map(|item| item.id).collect::<Vec<_>>(),
        [second, first]
    );
    assert_eq!((listed[1].repeats, listed[1].bytes.len()), (1, 1_200));
    assert_eq!(listed[1].machine.as_deref(), Some("VM404"));
    assert_eq!(
        cell.quarantine_item(first).unwrap().unwrap().bytes,
        item(1).bytes
    );
    let waiting = cell.quarantine_for_dictionary(DictionaryId(42)).unwrap();
    assert_eq!(
        waiting.iter().map(|item| item.id).collect::<Vec<_>>(),
        [first]
    );

    assert!(cell.discard_quarantined(first, NOON).unwrap());
    assert_eq!(
        cell.quarantine_for_dictionary(DictionaryId(42)).unwrap(),
        []
    );
    assert_eq!(
        (
            cell.quarantined(false, 10).unwrap().len(),
            cell.quarantine_waiting().unwrap()
        ),
        (1, 1)
    );
    assert_eq!(
        cell.quarantined(true, 10).unwrap()[1].discarded_at,
        Some(NOON)
    );
    assert!(cell.restore_quarantined(first).unwrap());
    assert_eq!(cell.quarantine_waiting().unwrap(), 2);
    assert!(cell.take_quarantined(first).unwrap() && !cell.take_quarantined(first).unwrap());
    assert!(!cell.discard_quarantined(first, NOON).unwrap());
    assert_eq!(cell.quarantine_item(u64::MAX), Err(StoreError::BadNumber));

    cell.discard_quarantined(second, NOON).unwrap();
    let later = NOON.plus_us(QUARANTINE_RESTORABLE_US + 1);
    cell.quarantine(NewQuarantined {
        arrived_at: later,
        ..item(3)
    })
    .unwrap();
    assert!(
        !cell.restore_quarantined(second).unwrap(),
        "after seven days it is gone"
    );
}

#[test]
fn quarantine_is_bounded_and_never_lets_go_of_what_waits() {
    let place = Place::new();
    let store = place.with_machines(&[]);
    let cell = store.cell();
    let huge = NewQuarantined {
        bytes: vec![b'x'; 3 << 20],
        size_bytes: 3 << 20,
        ..item(0)
    };
    let huge = cell.quarantine(huge).unwrap();
    let kept = cell.quarantine_item(huge).unwrap().unwrap();
    assert_eq!(
        (kept.bytes.len(), kept.size_bytes),
        (QUARANTINE_ITEM_MAX_BYTES, 3 << 20)
    );
    let ids: Vec<u64> = (1..QUARANTINE_MAX_ITEMS)
        .map(|n| {
            cell.quarantine(NewQuarantined {
                bytes: vec![b'.'],
                ..item(n)
            })
            .unwrap()
        })
        .collect();
    let error = cell.quarantine(item(QUARANTINE_MAX_ITEMS)).unwrap_err();
    assert_eq!(error, StoreError::QuarantineFull(QUARANTINE_MAX_ITEMS));
    assert!(error.to_string().contains("discard some"), "{error}");
    assert!(
        cell.quarantine(item(5)).is_ok(),
        "one that is there needs no room"
    );
    for (minute, id) in [(3, ids[7]), (1, ids[3]), (2, ids[5])] {
        cell.discard_quarantined(id, NOON.plus_us(minute * 60_000_000))
            .unwrap();
    }
    cell.quarantine(item(QUARANTINE_MAX_ITEMS)).unwrap();
    assert!(
        !cell.restore_quarantined(ids[3]).unwrap(),
        "the one discarded first made room"
    );
    assert!(cell.restore_quarantined(ids[5]).unwrap());
}

#[test]
fn large_items_are_kept_whole_and_bounded_together() {
    let place = Place::new();
    let store = place.with_machines(&[]);
    let cell = store.cell();
    let large = |n: u64| NewQuarantined {
        bytes: vec![b'x'; QUARANTINE_ITEM_MAX_BYTES],
        size_bytes: QUARANTINE_ITEM_MAX_BYTES as u64,
        ..item(n)
    };
    let most = QUARANTINE_MAX_BYTES / QUARANTINE_ITEM_MAX_BYTES as u64;
    let ids: Vec<u64> = (0..most)
        .map(|n| cell.quarantine(large(n)).unwrap())
        .collect();
    let kept = cell.quarantine_item(ids[0]).unwrap().unwrap();
    assert_eq!(kept.bytes.len() as u64, kept.size_bytes, "nothing is cut");
    let error = cell.quarantine(item(most)).unwrap_err();
    assert_eq!(error, StoreError::QuarantineFull(most));
    cell.discard_quarantined(ids[2], NOON).unwrap();
    cell.quarantine(item(most)).unwrap();
    assert!(
        !cell.restore_quarantined(ids[2]).unwrap(),
        "the discarded one made room"
    );
    assert_eq!(cell.quarantine_waiting().unwrap(), most);
}

#[test]
fn every_dictionary_is_kept_and_one_is_handed_out() {
    let place = Place::new();
    let store = place.with_machines(&[]);
    let info = |id, origin, is_current| DictionaryInfo {
        id: DictionaryId(id),
        origin,
        created_at: NOON.plus_us(i64::from(id & 0xff)),
        entries: 900,
        size_bytes: 4,
        is_current,
    };
    let shipped = info(0xffff_ff01, DictionaryOrigin::Shipped, true);
    let trained = info(2, DictionaryOrigin::Trained, true);
    let uploaded = info(3, DictionaryOrigin::Uploaded, false);
    let cell = store.cell();
    assert_eq!(cell.current_dictionary().unwrap(), None);
    for (info, bytes) in [
        (&shipped, b"aaaa"),
        (&trained, b"bbbb"),
        (&uploaded, b"cccc"),
    ] {
        cell.add_dictionary(info, bytes).unwrap();
    }
    cell.add_dictionary(
        &DictionaryInfo {
            entries: 1,
            ..uploaded.clone()
        },
        b"dddd",
    )
    .unwrap();
    assert_eq!(cell.current_dictionary().unwrap(), Some(trained.clone()));
    let before = DictionaryInfo {
        is_current: false,
        ..shipped.clone()
    };
    assert_eq!(
        cell.dictionaries().unwrap(),
        [uploaded.clone(), trained, before]
    );
    assert_eq!(
        cell.dictionary(uploaded.id).unwrap().unwrap(),
        b"cccc",
        "it stays as it was"
    );
    assert!(cell.set_current_dictionary(shipped.id).unwrap());
    assert!(!cell.set_current_dictionary(DictionaryId(77)).unwrap());
    store.close();
    let store = place.open();
    assert_eq!(store.cell().current_dictionary().unwrap(), Some(shipped));
    assert_eq!(store.cell().dictionary(DictionaryId(77)).unwrap(), None);
    let large = store
        .cell()
        .add_dictionary(&uploaded, &vec![0; store::DICTIONARY_MAX_BYTES + 1]);
    assert_eq!(
        large,
        Err(StoreError::DictionaryTooLarge(store::DICTIONARY_MAX_BYTES))
    );
}

#[test]
fn sources_keep_their_configuration_their_status_and_what_they_have_seen() {
    let place = Place::new();
    let store = place.with_machines(&[]);
    let cell = store.cell();
    let config = r#"{"kind":"ftp","password":"correct horse"}"#;
    let (a, b) = (
        cell.add_source(config, NOON).unwrap(),
        cell.add_source("{}", NOON).unwrap(),
    );
    assert_eq!((a.as_str(), b.as_str()), ("s1", "s2"));
    let failing = SourceStatus {
        last_poll_at: Some(NOON),
        failing_since: Some(NOON.plus_us(-5)),
        error: Some(("refused".to_owned(), "the password is wrong".to_owned())),
        files_taken: 7,
        ..SourceStatus::default()
    };
    assert!(cell.set_source_status(&a, &failing).unwrap());
    assert!(cell.set_source(&b, r#"{"kind":"imap"}"#).unwrap());
    assert!(!cell.set_source("s9", "{}").unwrap());
    cell.mark_seen(&a, "INBOX/1/77", NOON).unwrap();
    cell.mark_seen(&a, "INBOX/1/77", NOON).unwrap();
    store.close();

    let store = place.open();
    let cell = store.cell();
    let sources = cell.sources().unwrap();
    assert_eq!(
        (sources[0].config.as_str(), &sources[0].status),
        (config, &failing)
    );
    assert_eq!(sources[1].config, r#"{"kind":"imap"}"#);
    assert_eq!(sources[1].status, SourceStatus::default());
    assert!(
        !format!("{sources:?}").contains("horse"),
        "secrets are not printed"
    );
    assert!(cell.is_seen(&a, "INBOX/1/77").unwrap() && !cell.is_seen(&b, "INBOX/1/77").unwrap());
    assert!(cell.remove_source(&a).unwrap() && !cell.remove_source(&a).unwrap());
    assert!(!cell.is_seen(&a, "INBOX/1/77").unwrap());
    cell.remove_source(&b).unwrap();
    assert_eq!(
        cell.add_source("{}", NOON).unwrap(),
        "s3",
        "an id is never given twice"
    );
}
