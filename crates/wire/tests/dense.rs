//! Dense drops: any entries in, the same entries out, whatever dictionary; nothing that was changed
//! is taken, and nothing at all makes the reader panic.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wire::drops::dictionary::{Sample, TrainLimits, train};
use wire::drops::{
    Counts, Covers, Dictionary, DropEntry, DropError, DropHeader, TimePrecision, dense,
};
use wire::{ClockState, Level, LogEntry, Micros};

/// A dictionary of another application, trained here.
fn foreign() -> Arc<Dictionary> {
    let samples = (0..600).map(|i| Sample {
        machine: format!("M{}", i % 3).parse().expect("an id"),
        entry: LogEntry {
            seq: Some(i / 3 + 1),
            timestamp: Micros(1_769_000_000_000_000 + i as i64 * 7_000_000),
            level: Level::ALL[i as usize % 5],
            component: ["pump", "door"][i as usize % 2].into(),
            message: format!("pump {} stopped after {}.{}s", i % 4, i % 9, i % 10),
            context: Map::new(),
            clock: ClockState::Synced,
        },
    });
    Arc::new(train(samples, &TrainLimits::default()))
}

fn header(entries: &[DropEntry], time: TimePrecision) -> DropHeader {
    let seqs = entries.iter().filter_map(|entry| entry.entry.seq);
    let (first, last) = seqs.fold((u64::MAX, 0), |(a, b), seq| (a.min(seq), b.max(seq)));
    let mut counts = Counts::default();
    for entry in entries {
        counts.add(entry.entry.level, 1);
    }
    let covers = Covers {
        first: if last == 0 { 0 } else { first },
        last,
        counts,
    };
    DropHeader {
        machine: "VM001".parse().expect("an id"),
        number: 17,
        epoch: 1_769_092_215,
        made_at: Micros(1_769_092_800_000_000),
        uptime_s: Some(86_400),
        covers,
        left_out: Counts::default(),
        time,
    }
}

fn entry(seq: u64, second: i64, level: Level, component: &str, message: &str) -> DropEntry {
    DropEntry {
        entry: LogEntry {
            seq: Some(seq),
            timestamp: Micros((1_769_092_000 + second) * 1_000_000),
            level,
            component: component.into(),
            message: message.into(),
            context: Map::new(),
            clock: ClockState::Synced,
        },
        is_summary: false,
    }
}

fn some_entries() -> Vec<DropEntry> {
    let mut entries = vec![
        entry(
            40,
            0,
            Level::Warn,
            "eport",
            r"[STATUS-4] ePort warning: b'4\x1eLost Kiosk Comm'",
        ),
        entry(
            99,
            61,
            Level::Error,
            "motor",
            "Error controlling motor (error 2/5): GPIO busy",
        ),
        entry(
            100,
            61,
            Level::Critical,
            "payment",
            "Transaction result failed after 3 attempts",
        ),
        entry(
            700,
            640,
            Level::Error,
            "kühlung",
            "Temperatur 14.5°C über 8.0°C\nzweite Zeile",
        ),
    ];
    if let Value::Object(context) = json!({"event": "lost_payment", "cents": 125, "f": 0.1}) {
        entries[2].entry.context = context;
    }
    entries
}

fn comes_back(entries: &[DropEntry], header: &DropHeader, dictionary: &Arc<Dictionary>) {
    let drop = dense::encode(header, entries, dictionary);
    assert!(
        drop.bytes()
            .all(|b| b == b'\n' || (b' '..=b'~').contains(&b)),
        "{drop}"
    );
    let lookup = |id| (id == dictionary.id()).then(|| dictionary.clone());
    let (again, read) = dense::decode(&drop, lookup).expect("a drop can be read");
    assert_eq!(&again, header);
    let cut: Vec<DropEntry> = entries
        .iter()
        .cloned()
        .map(|mut entry| {
            entry.entry.timestamp = header.time.cut(entry.entry.timestamp);
            entry
        })
        .collect();
    assert_eq!(read, cut);
}

fn arbitrary_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn arbitrary_entry()(
        seq in prop_oneof![
            Just(None),
            (1..2_000u64).prop_map(Some),
            (1..i64::MAX as u64).prop_map(Some),
        ],
        at in prop_oneof![any::<i64>(), 0..86_400_000_000i64, 1_769_000_000_000_000..1_769_100_000_000_000i64],
        level in 0..5u8,
        component in "[a-z]{1,8}|.{1,50}",
        message in prop_oneof![
            ".{0,80}",
            any::<String>(),
            "Error controlling motor \\(error [1-5]/5\\): GPIO busy",
            "[a-z]{1,6} [0-9]{1,40} (\\$[0-9]{1,4}\\.[0-9]{2}|0x[0-9A-F]{2,9}|'[a-z0-9\\\\<]{1,9}')",
        ],
        context in prop::collection::btree_map("[a-z_]{1,8}|.{0,4}", arbitrary_value(), 0..4),
        clock in 0..3u8,
        is_summary in any::<bool>(),
    ) -> DropEntry {
        DropEntry {
            entry: LogEntry {
                seq,
                timestamp: Micros(at),
                level: Level::from_u8(level).expect("0 to 4 are levels"),
                component,
                message,
                context: context.into_iter().collect(),
                clock: ClockState::from_u8(clock),
            },
            is_summary,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_entries_come_back(
        mut entries in prop::collection::vec(arbitrary_entry(), 0..12),
        in_order in any::<bool>(),
        time in prop_oneof![
            Just(TimePrecision::Minute), Just(TimePrecision::Second), Just(TimePrecision::Millisecond),
        ],
    ) {
        if in_order {
            entries.sort_by_key(|entry| entry.entry.seq);
        }
        thread_local! {
            static DICTIONARIES: [Arc<Dictionary>; 2] = [Dictionary::shipped(), foreign()];
        }
        let header = header(&entries, time);
        DICTIONARIES.with(|all| all.iter().for_each(|d| comes_back(&entries, &header, d)));
    }
}

#[test]
fn a_header_of_any_numbers_comes_back() {
    let dictionary = foreign();
    for (number, epoch, made_at, uptime_s) in [
        (1, 1, 0, None),
        (u64::MAX, u64::MAX, -62_135_596_800_000_000, Some(u64::MAX)),
        (3, 1 << 52, 253_402_300_799_000_000, Some(0)),
    ] {
        let mut header = header(&[], TimePrecision::Second);
        header.number = number;
        header.epoch = epoch;
        header.made_at = Micros(made_at);
        header.uptime_s = uptime_s;
        header.covers = Covers {
            first: 5,
            last: u64::MAX,
            counts: Counts::from_array([u64::MAX, 0, 7, 0, 0]),
        };
        header.left_out = Counts::from_array([0, 0, 3, 0, 0]);
        comes_back(&[], &header, &dictionary);
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_refused() {
    let dictionary = foreign();
    let entries = some_entries();
    let drop = dense::encode(
        &header(&entries, TimePrecision::Second),
        &entries,
        &dictionary,
    );
    let read = |bytes: &[u8]| {
        let text = std::str::from_utf8(bytes).ok()?;
        dense::decode(text, |_| Some(dictionary.clone())).ok()
    };
    assert!(read(drop.as_bytes()).is_some());
    for at in 0..drop.len() {
        assert!(read(&drop.as_bytes()[..at]).is_none(), "cut at {at}");
        for bit in 0..8 {
            let mut changed = drop.clone().into_bytes();
            changed[at] ^= 1 << bit;
            assert!(read(&changed).is_none(), "bit {bit} of byte {at} changed");
        }
        let mut changed = drop.clone().into_bytes();
        for byte in b' '..=b'~' {
            changed[at] = byte;
            assert!(
                byte == drop.as_bytes()[at] || read(&changed).is_none(),
                "byte {at}"
            );
        }
    }
}

#[test]
fn mail_may_wrap_a_drop_and_add_to_it() {
    let dictionary = foreign();
    let entries = some_entries();
    let drop = dense::encode(
        &header(&entries, TimePrecision::Second),
        &entries,
        &dictionary,
    );
    let mut wrapped = String::from("\u{feff}\r\n");
    for (i, c) in drop.chars().enumerate() {
        wrapped.push(c);
        if i % 60 == 59 {
            wrapped.push_str(" \r\n");
        }
    }
    wrapped.push_str("   \r\n\r\n-- \r\nSent from my reader. Do not answer.\r\n");
    let (_, read) = dense::decode(&wrapped, |_| Some(dictionary.clone())).expect("still whole");
    assert_eq!(read.len(), entries.len());
}

#[test]
fn each_reason_has_its_own_error() {
    let dictionary = foreign();
    let entries = some_entries();
    let header = header(&entries, TimePrecision::Second);
    let drop = dense::encode(&header, &entries, &dictionary);
    let code = |text: &str| dense::decode(text, |_| Some(dictionary.clone())).map_err(|e| e.code());
    assert_eq!(code("VM001|0122-1430|E|a|b|").unwrap_err(), "not_a_drop");
    assert_eq!(
        code(&drop.replacen("VD2", "VD3", 1)).unwrap_err(),
        "unknown_version"
    );
    assert_eq!(code(&drop[..drop.len() - 9]).unwrap_err(), "damaged");
    assert_eq!(
        code(&(drop.clone() + &" ".repeat(70_000))).unwrap_err(),
        "too_large"
    );
    let unknown = dense::decode(&drop, |_| None).unwrap_err();
    assert_eq!(unknown, DropError::UnknownDictionary(dictionary.id()));
}

#[test]
fn a_drop_that_holds_more_than_it_covers_is_refused() {
    let dictionary = foreign();
    let entries = some_entries();
    let mut header = header(&entries, TimePrecision::Second);
    header.covers.counts = Counts::from_array([0, 0, 1, 1, 1]);
    let drop = dense::encode(&header, &entries, &dictionary);
    let refused = dense::decode(&drop, |_| Some(dictionary.clone())).unwrap_err();
    assert_eq!(refused.code(), "damaged");
}

#[test]
fn the_shipped_dictionary_and_its_file_are_the_same() {
    let shipped = Dictionary::shipped();
    let again = Dictionary::from_bytes(shipped.to_bytes()).expect("its file can be read");
    assert_eq!(shipped.id(), again.id());
    assert!(
        shipped.to_bytes().len() <= 110 * 1024,
        "{}",
        shipped.to_bytes().len()
    );
    assert!(
        shipped.memory_bytes() <= 1536 * 1024,
        "{}",
        shipped.memory_bytes()
    );
    for at in (0..shipped.to_bytes().len()).step_by(997) {
        let mut changed = shipped.to_bytes().to_vec();
        changed[at] ^= 4;
        assert!(
            Dictionary::from_bytes(&changed).is_err(),
            "byte {at} changed"
        );
        assert!(
            Dictionary::from_bytes(&changed[..at]).is_err(),
            "cut at {at}"
        );
    }
}
